"""The store: what it writes, what it refuses, and what it hides."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from service.storage import store as module
from service.storage.store import (
    AlreadyExists,
    Create,
    Delete,
    NotFound,
    StateChanged,
    Store,
    StoreError,
    Update,
)
from tests.service.api.conftest import Service

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def only_listed_attributes() -> None:
    """The store itself takes records of any kind."""


@pytest.fixture
def store(service: Service) -> Store:
    """A store whose clock stands, with one record."""
    store = Store(service.context.store.client, service.context.store.table, lambda: NOW)
    store.create({"pk": "p", "sk": "s", "Status": "RUNNING", "Count": 1})
    return store


def test_values_come_back_in_the_apis_form(store: Store) -> None:
    written = {"At": NOW, "Share": 0.1, "List": [{"a": None, "b": 1.5}, "x"], "Absent": None, "Yes": True}
    store.create({"pk": "p", "sk": "values", **written})
    assert store.get("p", "values") == {
        "pk": "p",
        "sk": "values",
        "At": Decimal("1767225600"),
        "Share": Decimal("0.1"),
        "List": [{"b": Decimal("1.5")}, "x"],
        "Yes": True,
    }


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (Create({"pk": "p", "sk": "s"}), AlreadyExists),
        (Update("p", "none", {"a": 1}), NotFound),
        (Update("p", "s", {"a": 1}, expect={"Status": "STOPPED"}), StateChanged),
        (Update("p", "s", {"a": 1}, expect={"Status": ("STOPPED", "PENDING")}), StateChanged),
        (Update("p", "s", {"a": 1}, expect={"Status": None}), StateChanged),
        (Update("p", "s", {"a": 1}, expect={"Other": 1}), StateChanged),
        (Delete("p", "none"), NotFound),
        (Delete("p", "s", {"Count": 2}), StateChanged),
    ],
)
def test_a_refused_write_says_why_and_undoes_the_others(
    store: Store, write: Any, error: type[StoreError]
) -> None:
    with pytest.raises(error) as refused:
        store.transact(Create({"pk": "p", "sk": "new"}), write)
    assert refused.value.pk == "p"
    assert (refused.value.item or {}).get("Status") == (None if error is NotFound else "RUNNING")
    assert store.get("p", "new") is None


def test_an_update_sets_removes_and_returns(store: Store) -> None:
    expect = {"Status": ("RUNNING", "STOPPED"), "Count": 1, "Other": None}
    updated = store.update("p", "s", {"Name": "n"}, remove=["Count"], expect=expect)
    assert updated == {"pk": "p", "sk": "s", "Status": "RUNNING", "Name": "n"}
    assert store.get("p", "s") == updated


@pytest.mark.parametrize(
    ("sk", "expect", "error"), [("none", None, NotFound), ("s", {"Count": 2}, StateChanged)]
)
def test_a_single_update_is_refused_alike(
    store: Store, sk: str, expect: Any, error: type[StoreError]
) -> None:
    with pytest.raises(error):
        store.update("p", sk, {"a": 1}, expect=expect)


def test_an_expired_record_is_absent(store: Store) -> None:
    past, future = int(NOW.timestamp()), int(NOW.timestamp()) + 1
    store.create({"pk": "e", "sk": "old", "ExpiresAt": past}, {"pk": "e", "sk": "new", "ExpiresAt": future})
    assert store.get("e", "old") is None
    assert [item["sk"] for item in store.all("e")] == ["new"]
    store.create({"pk": "e", "sk": "old"})
    with pytest.raises(AlreadyExists):
        store.create({"pk": "e", "sk": "new"})


def test_pages_go_forward_backward_and_through_ranges(store: Store) -> None:
    store.create(*({"pk": "l", "sk": f"{letter}{number}"} for letter in "ab" for number in range(3)))

    def keys(**query: Any) -> list[str]:
        return [item["sk"] for item in store.all("l", **query)]

    assert keys() == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert keys(reverse=True, start="b0") == ["a2", "a1", "a0"]
    assert keys(prefix="b", start="b0") == ["b1", "b2"]
    assert keys(between=("a1", "b0")) == ["a1", "a2", "b0"]
    page = store.query("l", limit=4)
    assert [item["sk"] for item in page.items] == ["a0", "a1", "a2", "b0"]
    assert [item["sk"] for item in store.query("l", limit=4, start=page.next).items] == ["b1", "b2"]
    assert store.query("none").next is None


def test_a_write_that_meets_a_transaction_is_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_WAIT", 0)
    cancelled = {"CancellationReasons": [{"Code": "TransactionConflict"}]}
    writes: list[tuple[str, Callable[[], Any], str, dict[str, Any]]] = [
        ("transact_write_items", lambda: store.delete("p", "s"), "TransactionCanceledException", cancelled),
        ("update_item", lambda: store.update("p", "s", {"a": 1}), "TransactionConflictException", {}),
    ]
    for method, write, code, fields in writes:
        with Stubber(store.client) as stub:
            for _ in range(2):
                stub.add_client_error(method, code, modeled_fields=fields)
            stub.add_response(method, {"Attributes": {}} if method == "update_item" else {})
            write()
            stub.assert_no_pending_responses()
        with Stubber(store.client) as stub:
            for _ in range(8):
                stub.add_client_error(method, code, modeled_fields=fields)
            with pytest.raises(ClientError, match=code):
                write()
