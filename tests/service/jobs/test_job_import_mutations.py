"""Bugs planted into imports."""

from typing import Any

import pytest

from service.jobs.importing import imported_version
from service.reconciliation import import_end, ingestion_end
from service.sharing import shared as sharing
from service.sharing.shared import Owner
from service.storage.store import Store, Update
from tests.service.jobs import test_job_import, test_job_import_version
from tests.service.planted import Bug, Patch, assert_caught


def policies_are_not_judged(patch: Patch) -> None:
    patch.setattr(Owner, "_judge", lambda *_: None)


def policies_of_models_are_forgotten(patch: Patch) -> None:
    original = Owner._policies
    patch.setattr(Owner, "_policies", lambda owner, uuid, arn, *_: original(owner, uuid, arn))


def rows_of_inference_need_no_permission(patch: Patch) -> None:
    original = sharing.Import
    patch.setattr(sharing, "Import", lambda **members: original(**{**members, "importing_data": False}))


def copies_keep_the_key_of_the_bucket(patch: Patch) -> None:
    patch.setattr(sharing, "encryption", lambda _: {})


def failed_imports_leave_the_dataset_busy(patch: Patch) -> None:
    original = Store.transact

    def transact(store: Store, *writes: Any) -> None:
        failing = isinstance(writes[0], Update) and writes[0].set.get("Status") == "FAILED"
        original(store, *writes[:1] if failing else writes)

    patch.setattr(ingestion_end.Store, "transact", transact)


def kept_rows_are_always_replaced(patch: Patch) -> None:
    patch.setattr(imported_version, "_wants_rows", lambda *_: True)


def any_dataset_will_do(patch: Patch) -> None:
    patch.setattr(imported_version, "_require_sensors", lambda *_: None)


def imported_versions_are_never_active(patch: Patch) -> None:
    patch.setattr(import_end, "activated", lambda *_, **__: ({"Status": "SUCCESS"}, []))


BUGS = (
    Bug(policies_are_not_judged, test_job_import.test_a_policy_decides_when_an_import_is_asked_for),
    Bug(policies_are_not_judged, test_job_import.test_a_policy_decides_again_when_the_import_begins),
    Bug(
        policies_of_models_are_forgotten,
        test_job_import_version.test_the_policy_of_the_model_counts_as_well,
    ),
    Bug(
        rows_of_inference_need_no_permission,
        test_job_import_version.test_a_policy_can_keep_the_rows_of_inference_back,
    ),
    Bug(
        copies_keep_the_key_of_the_bucket,
        test_job_import.test_a_copy_is_encrypted_with_the_key_of_its_dataset,
    ),
    Bug(
        failed_imports_leave_the_dataset_busy,
        test_job_import.test_a_failed_import_leaves_an_existing_dataset_as_it_was,
    ),
    Bug(
        kept_rows_are_always_replaced,
        test_job_import_version.test_the_strategy_decides_about_kept_rows,
        {"case": ("ADD_WHEN_EMPTY", True, {"2020-03-01": b"target"})},
    ),
    Bug(any_dataset_will_do, test_job_import_version.test_a_dataset_must_have_the_sensors_of_the_version),
    Bug(
        imported_versions_are_never_active,
        test_job_import_version.test_a_new_model_gets_the_version_as_its_first_and_active_one,
    ),
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_tests_of_imports_catch(bug: Bug, request: pytest.FixtureRequest, monkeypatch: Patch) -> None:
    assert_caught(bug, request, monkeypatch)
