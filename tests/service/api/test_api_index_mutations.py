"""Bugs planted into the indexes and the sweep that keeps them complete."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from service.operations import datasets, schedulers
from service.reconciliation import index_sweep
from service.reconciliation.index_sweep import IndexSweep
from service.storage import indexes, typed_store
from service.storage.store import Delete, Write
from service.storage.typed_store import TypedStore
from tests.service.api import test_api_growth, test_api_indexes
from tests.service.api.test_api_indexes import site  # noqa: F401 - its tests ask for it
from tests.service.planted import Bug, Patch, assert_caught, change_writes, without_expectation


def the_first_sweep_is_trusted(patch: Patch) -> None:
    patch.setattr(indexes, "SETTLED", Decimal(0))


def missing_sweeps_are_not_noticed(patch: Patch) -> None:
    patch.setattr(indexes, "_GAP", Decimal(10**6))


def indexes_are_never_trusted(patch: Patch) -> None:
    patch.setattr(typed_store, "is_trusted", lambda _: False)
    test_api_growth.costs.cache_clear()


def entries_decide_instead_of_records(patch: Patch) -> None:
    original = TypedStore._belonging

    def belonging(
        records: TypedStore, kind: str, index: str, _: Mapping[str, str], **narrowed: Any
    ) -> Iterator[Any]:
        return original(records, kind, index, {}, **narrowed)

    patch.setattr(TypedStore, "_belonging", belonging)


def records_are_created_without_entries(patch: Patch) -> None:
    patch.setattr(indexes, "entries", lambda _: [])


def deleted_schedulers_leave_entries(patch: Patch) -> None:
    def deletion(record: Mapping[str, Any], expect: Mapping[str, Any]) -> list[Write]:
        return [Delete(record["pk"], record["sk"], expect)]

    patch.setattr(schedulers, "deletion", deletion)


def deleted_datasets_leave_entries(patch: Patch) -> None:
    patch.setattr(datasets, "jobs_of_dataset", lambda _: "ingestion-job-of-dataset#another")


def sweeps_pass_over_jobs(patch: Patch) -> None:
    patch.setattr(IndexSweep, "_jobs", lambda _: ())


def sweeps_forget_what_runs(patch: Patch) -> None:
    patch.setattr(index_sweep, "JOB_STATUSES", frozenset())


def sweeps_forget_nothing(patch: Patch) -> None:
    patch.setattr(IndexSweep, "_forget", lambda *_: None)


def sweeps_do_not_look_again(patch: Patch) -> None:
    change_writes(patch, lambda write: without_expectation(write, "uuid"))


INDEXES = test_api_indexes
BUGS = (
    Bug(
        the_first_sweep_is_trusted,
        INDEXES.test_sweeps_are_trusted_once_an_earlier_release_must_have_ended,
        {"minutes": (60, 29), "trusted": False},
    ),
    Bug(missing_sweeps_are_not_noticed, INDEXES.test_everything_is_read_again_when_sweeps_are_missing),
    Bug(indexes_are_never_trusted, INDEXES.test_a_trusted_index_is_read_instead_of_all_records),
    Bug(
        indexes_are_never_trusted,
        test_api_growth.test_ten_times_as_many_resources_cost_the_same,
        {"name": "DeleteModel"},
    ),
    Bug(entries_decide_instead_of_records, INDEXES.test_an_entry_too_many_does_no_harm),
    Bug(records_are_created_without_entries, INDEXES.test_a_deleted_dataset_leaves_no_entries),
    Bug(deleted_schedulers_leave_entries, INDEXES.test_a_deleted_dataset_leaves_no_entries),
    Bug(deleted_datasets_leave_entries, INDEXES.test_a_deleted_dataset_leaves_no_entries),
    Bug(
        sweeps_pass_over_jobs,
        INDEXES.test_what_is_created_while_an_earlier_release_was_rolled_back_to_is_found_after_the_next_sweep,
    ),
    Bug(sweeps_forget_what_runs, INDEXES.test_what_has_ended_is_forgotten_and_what_runs_is_kept),
    Bug(sweeps_forget_nothing, INDEXES.test_what_has_ended_is_forgotten_and_what_runs_is_kept),
    Bug(
        sweeps_do_not_look_again,
        INDEXES.test_a_record_whose_namesake_is_being_indexed_gets_entries_of_its_own,
    ),
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.name}-{bug.caught_by.__name__}")
def test_the_tests_of_indexes_catch(bug: Bug, request: pytest.FixtureRequest, monkeypatch: Patch) -> None:
    assert_caught(bug, request, monkeypatch)
