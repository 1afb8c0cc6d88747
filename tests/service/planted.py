"""Planted bugs: each is a mistake in `lambdas/service`, and a test of the suite that must fail with it.

A test that no bug makes fail proves nothing, and a rule whose bug no test notices is none. The tables are in
`test_api_mutations.py` and `test_job_mutations.py`. To add a row, write a function that plants the bug, at a
place that outlives a rewrite (a rule, a write, a call of AWS), and name the test. Tests of hypothesis are not
for rows: they would look for the smallest example before they fail.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.storage.store import Create, Delete, Put, Remove, Store, Update, Write

Patch = pytest.MonkeyPatch

CAUGHT = (AssertionError, pytest.fail.Exception, ClientError)
"""What a test fails with that notices a bug. Anything else is a mistake in the table."""


@dataclass(frozen=True)
class Bug:
    """A bug and the test that should notice it; `given` are the parameters of that test, if it has any."""

    plant: Callable[[Patch], None]
    caught_by: Callable[..., None]
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the bug is."""
        return self.plant.__name__


def assert_caught(bug: Bug, request: pytest.FixtureRequest, patch: Patch) -> None:
    """Run the test with the bug in place, and require that it fails.

    The fixtures come first: what tests share must not be made by code with a bug in it.
    """
    parameters = inspect.signature(bug.caught_by).parameters
    fixtures = {name: request.getfixturevalue(name) for name in parameters if name not in bug.given}
    bug.plant(patch)
    try:
        bug.caught_by(**fixtures, **bug.given)
    except CAUGHT as noticed:
        print(f"{type(noticed).__name__}: {noticed}"[:500])
    else:
        pytest.fail(f"{bug.caught_by.__name__} did not notice it: it passes with {bug.name}")


def change_writes(patch: Patch, change: Callable[[Write], Write]) -> None:
    """Let every write to the table be what `change` makes of it."""
    original = Store._request
    patch.setattr(Store, "_request", lambda store, write: original(store, change(write)))


def without_expectation(write: Write, attribute: str) -> Write:
    """Return a write that happens whatever the value of `attribute` is."""
    if isinstance(write, Create | Put | Remove) or not write.expect:
        return write
    kept = {name: value for name, value in write.expect.items() if name != attribute}
    return (
        Delete(write.pk, write.sk, kept)
        if isinstance(write, Delete)
        else Update(write.pk, write.sk, write.set, write.remove, kept, write.add)
    )
