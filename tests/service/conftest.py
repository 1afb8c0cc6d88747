"""Every write to the table that a test of the service causes is held against the list of attributes."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.store import Store, Write
from tests.service.attributes import unlisted


@pytest.fixture(autouse=True)
def only_listed_attributes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test that causes a write of an attribute which `service.records` does not list."""
    found: list[str] = []
    requested = Store._request

    def checked(store: Store, write: Write) -> Any:
        found.extend(unlisted(write))
        return requested(store, write)

    monkeypatch.setattr(Store, "_request", checked)
    yield
    assert not found, f"service/records.py does not list {found}"
