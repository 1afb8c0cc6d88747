"""What holds for all tests of the service.

Every write to the table is held against the list of attributes, and every call of the API function against
what Lambda and API Gateway take.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from service import api
from service.storage.store import Store, Write
from tests.aws_limits import through_gateway
from tests.service.attributes import unlisted


@pytest.fixture(autouse=True)
def only_listed_attributes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test that causes a write of an attribute which `service.storage.records` does not list."""
    found: list[str] = []
    requested = Store._request

    def checked(store: Store, write: Write) -> Any:
        found.extend(unlisted(write))
        return requested(store, write)

    monkeypatch.setattr(Store, "_request", checked)
    yield
    assert not found, f"service/storage/records.py does not list {found}"


@pytest.fixture(autouse=True)
def answers_within_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test in which the API function is sent or answers more than AWS hands on."""
    found: list[str] = []
    monkeypatch.setattr(api, "answer", through_gateway(api.answer, found.append))
    yield
    assert not found, found
