"""Bugs planted into the API: wire, validation, pages, store, repeated requests and operations."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
from botocore.model import StructureShape

from service import reconciler
from service.context import Context
from service.errors import InternalError
from service.members import active_version
from service.members.training_windows import TimeSpan
from service.operations import (
    datasets,
    inference_events,
    ingestion_jobs,
    label_groups,
    labels,
    model_versions,
    models,
    resource_policies,
    retraining_schedulers,
    schedulers,
    tags,
)
from service.requests import idempotency, paging, validation, wire
from service.requests.idempotency import Plan
from service.schedulers import retraining
from service.schedulers.schedules import Schedules
from service.storage import typed_store
from service.storage.names import DATASET, LABEL_GROUP, TOKEN, new_job_id
from service.storage.records import IngestionJobRecord
from service.storage.store import Create, Delete, Item, Store, Update
from service.storage.typed_store import TypedStore
from tests.service.api import (
    test_api_datasets,
    test_api_labels,
    test_api_lists,
    test_api_models,
    test_api_resource_policies,
    test_api_retraining,
    test_api_schedulers,
    test_api_shapes,
    test_api_sizes,
    test_api_wire,
)
from tests.service.api.test_api_retraining import plant, two  # noqa: F401 - its tests ask for them
from tests.service.planted import Bug, Patch, Write, assert_caught, change_writes, without_expectation

Records = Callable[[str | None], Any]
Request = dict[str, Any]


# Wire


def internal_errors_tell_their_cause(patch: Patch) -> None:
    patch.setattr(
        wire, "InternalError", lambda text: InternalError(f"{text}: {sys.exc_info()[1]!r} of secret")
    )


def throttling_is_an_internal_error(patch: Patch) -> None:
    patch.setattr(wire, "THROTTLING_CODES", frozenset())


def denials_are_internal_errors(patch: Patch) -> None:
    patch.setattr(wire, "_DENIALS", ("Never",))


def error_names_lose_their_namespace(patch: Patch) -> None:
    patch.setattr(wire, "_NAMESPACE", "")


def private_attributes_are_answered(patch: Patch) -> None:
    original = wire.project

    def project(shape: StructureShape, record: Mapping[str, Any]) -> Any:
        private = {name: str(value) for name, value in record.items() if name[0].islower()}
        return original(shape, record) | private

    patch.setattr(wire, "project", project)


def absent_members_are_null(patch: Patch) -> None:
    original = wire.project

    def project(shape: StructureShape, record: Mapping[str, Any]) -> Any:
        return dict.fromkeys(shape.members) | original(shape, record)

    patch.setattr(wire, "project", project)


# Validation


def required_members_may_be_missing(patch: Patch) -> None:
    original = validation._refuse

    def refuse(problems: list[str], path: str, value: Any, constraint: str) -> None:
        if constraint != "Member must not be null":
            original(problems, path, value, constraint)

    patch.setattr(validation, "_refuse", refuse)


def lengths_and_values_are_not_checked(patch: Patch) -> None:
    patch.setattr(validation, "_check_bounds", lambda *_, **__: None)


def only_one_violation_is_told(patch: Patch) -> None:
    patch.setattr(validation, "_REPORTED", 1)


def elements_of_lists_are_not_checked(patch: Patch) -> None:
    patch.setitem(validation._PARSERS, "list", lambda shape, value, *_: value)  # type: ignore[arg-type]


def offsets_of_times_are_ignored(patch: Patch) -> None:
    original = validation.timestamp
    patch.setattr(validation, "timestamp", lambda moment: original(moment.replace(tzinfo=UTC)))


# Pages


def tokens_fit_other_filters(patch: Patch) -> None:
    original = datasets.paged

    def paged(
        context: Context, operation: str, request: dict[str, Any], member: str, records: Records
    ) -> Any:
        pages = {name: value for name, value in request.items() if name in {"MaxResults", "NextToken"}}
        return original(context, operation, pages, member, records)

    patch.setattr(datasets, "paged", paged)


def lists_end_with_their_first_page(patch: Patch) -> None:
    original = datasets.paged

    def paged(*arguments: Any) -> dict[str, Any]:
        return {name: value for name, value in original(*arguments).items() if name != "NextToken"}

    patch.setattr(datasets, "paged", paged)


def pages_lose_their_first_entry(patch: Patch) -> None:
    original = datasets.paged

    def paged(
        context: Context, operation: str, request: dict[str, Any], member: str, records: Records
    ) -> Any:
        def behind(start: str | None) -> Any:
            return islice(records(start), int(start is not None), None)

        return original(context, operation, request, member, behind)

    patch.setattr(datasets, "paged", paged)


def pages_leave_no_room_in_an_answer(patch: Patch) -> None:
    patch.setattr(paging, "PAGE_BYTES", 6_000_000)


def old_events_are_answered_as_they_were_kept(patch: Patch) -> None:
    patch.setattr(inference_events, "shortened_diagnostics", lambda text: text)


def old_metrics_are_answered_as_they_were_kept(patch: Patch) -> None:
    patch.setattr(models, "shortened_metrics", lambda text, complete: text)


def oldest_jobs_come_first(patch: Patch) -> None:
    original = TypedStore.ingestion_jobs

    def oldest(store: TypedStore, **start: Any) -> list[IngestionJobRecord]:
        return [*original(store, **start)][::-1]

    patch.setattr(TypedStore, "ingestion_jobs", oldest)


# Store


def expired_records_live_on(patch: Patch) -> None:
    patch.setattr(Store, "_expired", lambda *_: False)


def fences_are_not_looked_at(patch: Patch) -> None:
    change_writes(patch, lambda write: without_expectation(write, "fence"))


def queries_end_after_one_answer(patch: Patch) -> None:
    def all_of_one(store: Store, pk: str, **how: Any) -> list[Item]:
        return store.query(pk, **how).items

    patch.setattr(Store, "all", all_of_one)


# Repeated requests


def repeated_requests_start_nothing(patch: Patch) -> None:
    original = ingestion_jobs.create_once

    def create_once(
        *arguments: Any, plan: Callable[[], Plan[Any]], start: Callable[[Any], None], **more: Any
    ) -> Any:
        planned: list[Plan[Any]] = []

        def planning() -> Plan[Any]:
            planned.append(plan())
            return planned[-1]

        def starting(record: Any) -> None:
            if planned:
                start(record)

        return original(*arguments, plan=planning, start=starting, **more)

    patch.setattr(ingestion_jobs, "create_once", create_once)


def client_tokens_are_forgotten_at_once(patch: Patch) -> None:
    patch.setattr(idempotency, "_created_before", lambda *_: None)


def client_tokens_never_expire(patch: Patch) -> None:
    def for_ever(write: Write) -> Write:
        if isinstance(write, Create) and write.item["pk"] == TOKEN:
            return Create({name: value for name, value in write.item.items() if name != "ExpiresAt"})
        return write

    change_writes(patch, for_ever)


def client_tokens_fit_any_parameters(patch: Patch) -> None:
    patch.setattr(idempotency, "_fingerprint", lambda _: "the same")


def a_failed_start_leaves_the_dataset_busy(patch: Patch) -> None:
    original = ingestion_jobs.create_once

    def create_once(*arguments: Any, plan: Callable[[], Plan[Any]], **more: Any) -> Any:
        return original(*arguments, plan=lambda: replace(plan(), undo=()), **more)

    patch.setattr(ingestion_jobs, "create_once", create_once)


# Operations


def one_dataset_too_many(patch: Patch) -> None:
    original = datasets.require_room

    def require_room(what: str, *, used: int, **more: Any) -> None:
        original(what, used=used - 1, **more)

    patch.setattr(datasets, "require_room", require_room)


def any_role_is_accepted(patch: Patch) -> None:
    patch.setattr(ingestion_jobs, "require_role", lambda *_: None)


def a_role_path_counts_anywhere(patch: Patch) -> None:
    original = ingestion_jobs.require_role

    def require_role(context: Context, request: dict[str, Any]) -> None:
        if context.settings.access_role_path not in request["RoleArn"]:
            original(context, request)

    patch.setattr(ingestion_jobs, "require_role", require_role)


def a_deletion_takes_the_data_of_others(patch: Patch) -> None:
    patch.setattr(datasets, "dataset_prefix", lambda _: "datasets/")


def a_deletion_leaves_the_data(patch: Patch) -> None:
    patch.setattr(datasets, "delete_pending", lambda _: None)


def datasets_in_use_are_deleted(patch: Patch) -> None:
    patch.setattr(datasets, "_require_unused", lambda *_: None)


def models_in_use_are_deleted(patch: Patch) -> None:
    patch.setattr(models, "_require_unscheduled", lambda *_: None)


def short_training_windows_are_accepted(patch: Patch) -> None:
    original = models.requested_training_window

    def window(request: Mapping[str, Any], *, minimum_days: float, **more: Any) -> Any:
        return original(request, minimum_days=0, **more)

    patch.setattr(models, "requested_training_window", window)


def a_second_scheduler_of_a_model(patch: Patch) -> None:
    patch.setattr(schedulers, "_require_room", lambda *_: None)


def stopped_schedulers_are_still_woken(patch: Patch) -> None:
    original = Schedules.put
    patch.setattr(
        Schedules, "put", lambda schedules, record: original(schedules, {**record, "Status": "RUNNING"})
    )


_GROUPS = test_api_labels.TestGroups()
_LABELS = test_api_labels.TestLabels()
_TRAININGS = test_api_labels.TestTrainings()


def labels_lie_in_the_order_of_their_creation(patch: Patch) -> None:
    patch.setattr(labels, "new_label_id", lambda _: new_job_id(datetime.now(UTC)))


def _changed_groups(patch: Patch, change: Callable[[Update], Update]) -> None:
    change_writes(
        patch,
        lambda write: change(write) if isinstance(write, Update) and write.pk == LABEL_GROUP else write,
    )


def long_labels_are_forgotten(patch: Patch) -> None:
    _changed_groups(patch, lambda write: replace(write, set={}))


def labels_are_not_counted(patch: Patch) -> None:
    _changed_groups(patch, lambda write: replace(write, add={}))


def deleted_labels_still_count(patch: Patch) -> None:
    _changed_groups(
        patch, lambda write: replace(write, add={name: max(0, n) for name, n in write.add.items()})
    )


def any_fault_code_is_accepted(patch: Patch) -> None:
    patch.setattr(labels, "_require_fault_code", lambda *_: None)


def labels_outlive_their_group(patch: Patch) -> None:
    patch.setattr(label_groups, "delete_pending", lambda _: None)


def groups_in_use_are_deleted(patch: Patch) -> None:
    patch.setattr(label_groups, "_require_unused", lambda *_: None)


def a_deletion_does_not_look_again(patch: Patch) -> None:
    change_writes(
        patch, lambda write: without_expectation(write, "fence") if _deletes_group(write) else write
    )


def _deletes_group(write: Write) -> bool:
    return isinstance(write, Delete) and write.pk == LABEL_GROUP


def deleted_schedulers_are_still_woken(patch: Patch) -> None:
    patch.setattr(Schedules, "delete", lambda *_: None)


def an_update_leaves_the_schedule(patch: Patch) -> None:
    original = Schedules.put

    def put_once(schedules: Schedules, record: Any) -> None:
        patch.setattr(Schedules, "put", lambda *_: None)
        original(schedules, record)

    patch.setattr(Schedules, "put", put_once)


def resources_are_found_by_name(patch: Patch) -> None:
    def find(context: Context, arn: str) -> Item | None:
        return context.store.get(DATASET, arn.split("/")[1]) if "/" in arn else None

    patch.setattr(tags, "_find", find)


def only_new_tags_count(patch: Patch) -> None:
    original = tags.merged_tags

    def merged(context: Context, new: Any, present: Mapping[str, str]) -> dict[str, str]:
        return {**present, **original(context, new, {})}

    patch.setattr(tags, "merged_tags", merged)


def due_retrainings_are_begun_again(patch: Patch) -> None:
    patch.setattr(retraining, "next_date", lambda *_, now, **__: retraining.midnight(now))


def retrainings_do_not_wait_for_each_other(patch: Patch) -> None:
    patch.setattr(retraining, "JOB_STATUSES", frozenset())


def wakes_count_without_a_date(patch: Patch) -> None:
    original = retraining.retrain_if_due

    def begin(context: Context, scheduler: Any) -> bool:
        return original(context, {**scheduler, "nextDate": 0})

    patch.setattr(reconciler, "retrain_if_due", begin)


def stopped_retrainings_go_on(patch: Patch) -> None:
    patch.setattr(retraining_schedulers, "cancel_retraining", lambda *_: None)


def lost_wakes_stay_lost(patch: Patch) -> None:
    original = reconciler._all

    def without(context: Context) -> None:
        with patch.context() as inner:
            inner.setattr(reconciler, "retrain_if_due", lambda *_: None)
            original(context)

    patch.setattr(reconciler, "_all", without)


def diagnostics_are_written_below_the_last_ones(patch: Patch) -> None:
    member = "ModelDiagnosticsOutputConfiguration"
    patch.setattr(retraining, "requested_diagnostics", lambda model: {member: model[member]})


def kept_rows_are_not_counted(patch: Patch) -> None:
    patch.setattr(TimeSpan, "joined", lambda self, _: self)


def sensors_of_other_models_count(patch: Patch) -> None:
    """Both where a model is created and where it is retrained."""
    for module in (models, retraining):
        patch.setattr(module, "ingested_span", lambda *_, whole: whole)


def old_rows_are_kept(patch: Patch) -> None:
    patch.setattr(retraining, "_trim", lambda *_: None)


def an_activation_keeps_the_old_facts(patch: Patch) -> None:
    patch.setattr(active_version, "_OF_VERSION", ())


def failed_versions_are_activated(patch: Patch) -> None:
    patch.setattr(model_versions, "_require_success", lambda *_: None)


def the_model_does_not_show_its_retraining_scheduler(patch: Patch) -> None:
    patch.setattr(retraining_schedulers, "_shown_by_model", lambda _: ({"fence": "x"}, []))


# Resource policies


def every_revision_is_the_right_one(patch: Patch) -> None:
    patch.setattr(resource_policies, "_require_revision", lambda *_: None)


def policies_are_not_read_when_they_are_put(patch: Patch) -> None:
    patch.setattr(resource_policies, "parse_policy", lambda *_, **__: None)


def policies_outlive_their_resource(patch: Patch) -> None:
    original = datasets.pending_deletion
    patch.setattr(
        datasets, "pending_deletion", lambda context, *, prefixes, **_: original(context, prefixes=prefixes)
    )


def versions_share_the_policy_of_their_model(patch: Patch) -> None:
    for module in (resource_policies, typed_store):
        patch.setattr(module, "policy_key", lambda _: "resource")


def replacements_are_not_conditional(patch: Patch) -> None:
    change_writes(patch, lambda write: without_expectation(write, "PolicyRevisionId"))


def late_repetitions_put_old_policies(patch: Patch) -> None:
    original = resource_policies.create_once

    def create_once(*arguments: Any, identity: str, **more: Any) -> Any:
        assert identity
        return original(*arguments, identity="PolicyRevisionId", **more)

    patch.setattr(resource_policies, "create_once", create_once)


WIRE = (
    Bug(
        internal_errors_tell_their_cause,
        test_api_wire.test_a_fault_of_the_service_is_logged_and_tells_nothing,
    ),
    Bug(
        throttling_is_an_internal_error,
        test_api_wire.test_faults_of_engines_are_told_in_the_models_terms,
        {"code": "ThrottlingException", "told": "ThrottlingException"},
    ),
    Bug(
        denials_are_internal_errors,
        test_api_wire.test_faults_of_engines_are_told_in_the_models_terms,
        {"code": "AccessDenied", "told": "AccessDeniedException"},
    ),
    Bug(
        error_names_lose_their_namespace, test_api_wire.test_an_unknown_target_is_no_operation, {"target": ""}
    ),
    Bug(private_attributes_are_answered, test_api_wire.test_a_reply_has_members_of_the_model_only),
    Bug(
        absent_members_are_null, test_api_wire.test_a_reply_has_the_protocols_headers_and_omits_what_is_absent
    ),
)
VALIDATION = (
    Bug(
        required_members_may_be_missing,
        test_api_shapes.test_a_missing_required_member_is_named,
        {"name": "CreateModel"},
    ),
    Bug(lengths_and_values_are_not_checked, test_api_wire.test_a_body_may_be_base64),
    Bug(
        only_one_violation_is_told,
        test_api_wire.test_every_violation_is_named_with_its_value_member_and_rule,
    ),
    Bug(elements_of_lists_are_not_checked, test_api_wire.test_an_element_of_a_list_is_named_by_its_place),
    Bug(
        offsets_of_times_are_ignored,
        test_api_wire.test_timestamps_are_read_as_numbers_and_as_iso_texts,
        {"time": "2026-01-01T01:00:00+01:00"},
    ),
)
PAGES = (
    Bug(tokens_fit_other_filters, test_api_lists.test_a_token_fits_only_the_request_it_was_made_for),
    Bug(
        lists_end_with_their_first_page,
        test_api_lists.test_every_page_walk_sees_everything_once,
        {"size": 2, "pages": 3},
    ),
    Bug(
        pages_lose_their_first_entry,
        test_api_lists.test_every_page_walk_sees_everything_once,
        {"size": 2, "pages": 3},
    ),
    Bug(
        pages_leave_no_room_in_an_answer,
        test_api_sizes.test_events_of_300_sensors_are_listed_over_pages_each_once,
        {"letters": 10},
    ),
    Bug(
        old_events_are_answered_as_they_were_kept,
        test_api_sizes.test_events_of_300_sensors_are_listed_over_pages_each_once,
        {"letters": 195},
    ),
    Bug(
        old_metrics_are_answered_as_they_were_kept,
        test_api_sizes.test_a_model_of_300_sensors_can_be_described_whatever_was_found,
        {"ranges": 30},
    ),
    Bug(oldest_jobs_come_first, test_api_datasets.test_jobs_are_listed_newest_first_by_dataset_and_status),
)
STORE = (
    Bug(expired_records_live_on, test_api_lists.test_a_token_is_forgotten_after_its_time),
    Bug(
        fences_are_not_looked_at,
        test_api_lists.test_a_scheduler_is_not_created_beside_one_that_came_after_it_counted,
    ),
    Bug(queries_end_after_one_answer, test_api_lists.test_a_list_sees_more_than_one_answer_of_the_table),
)
REPEATED = (
    Bug(
        repeated_requests_start_nothing,
        test_api_lists.test_a_repeated_request_starts_what_the_first_could_not,
    ),
    Bug(
        client_tokens_are_forgotten_at_once,
        test_api_lists.test_a_repeated_create_returns_the_resource_as_it_is_now,
    ),
    Bug(client_tokens_never_expire, test_api_lists.test_a_token_is_forgotten_after_its_time),
    Bug(client_tokens_fit_any_parameters, test_api_lists.test_a_token_is_not_used_for_two_requests),
    Bug(
        a_failed_start_leaves_the_dataset_busy,
        test_api_datasets.test_an_ingestion_that_cannot_be_started_leaves_nothing_behind,
    ),
)
OPERATIONS = (
    Bug(one_dataset_too_many, test_api_datasets.test_the_limit_of_datasets_names_limit_count_and_setting),
    Bug(
        any_role_is_accepted,
        test_api_datasets.test_only_roles_the_service_was_told_to_trust,
        {"role": "arn:aws:iam::000000000000:role/access", "words": "does not lie under the path"},
    ),
    Bug(
        a_role_path_counts_anywhere,
        test_api_datasets.test_only_roles_the_service_was_told_to_trust,
        {
            "role": "arn:aws:iam::000000000000:role/x/lookoutequipment/access",
            "words": "does not lie under the path",
        },
    ),
    Bug(
        a_deletion_takes_the_data_of_others,
        test_api_datasets.test_deleting_a_dataset_deletes_its_objects_and_no_others,
    ),
    Bug(
        a_deletion_leaves_the_data,
        test_api_datasets.test_deleting_a_dataset_deletes_its_objects_and_no_others,
    ),
    Bug(datasets_in_use_are_deleted, test_api_datasets.test_a_dataset_in_use_is_not_deleted),
    Bug(models_in_use_are_deleted, test_api_schedulers.test_a_deleted_model_breaks_its_scheduler),
    Bug(
        short_training_windows_are_accepted,
        test_api_models.test_what_a_model_cannot_be_trained_with,
        {
            "given": {
                "TrainingDataStartTime": datetime(2026, 1, 1, tzinfo=UTC),
                "TrainingDataEndTime": datetime(2026, 1, 14, tzinfo=UTC),
            },
            "words": "shorter than 14 days",
        },
    ),
    Bug(a_second_scheduler_of_a_model, test_api_schedulers.test_a_model_has_one_scheduler),
    Bug(stopped_schedulers_are_still_woken, test_api_schedulers.test_a_scheduler_goes_through_its_states),
    Bug(deleted_schedulers_are_still_woken, test_api_schedulers.test_a_scheduler_goes_through_its_states),
    Bug(
        an_update_leaves_the_schedule,
        test_api_schedulers.test_an_update_changes_what_is_given_and_keeps_the_state,
        {"state": "RUNNING"},
    ),
    Bug(
        resources_are_found_by_name,
        test_api_lists.test_a_resource_is_found_by_its_whole_arn_only,
        {"arn": "arn:aws:lookoutequipment:eu-west-1:000000000000:dataset/pump/other"},
    ),
    Bug(only_new_tags_count, test_api_lists.test_tags_are_limited_and_their_keys_differ),
)
RETRAINING = (
    Bug(
        due_retrainings_are_begun_again, test_api_retraining.test_dates_that_were_missed_are_made_up_for_once
    ),
    Bug(
        retrainings_do_not_wait_for_each_other,
        test_api_retraining.test_the_next_one_waits_for_the_one_before,
    ),
    Bug(wakes_count_without_a_date, test_api_retraining.test_one_is_begun_at_its_date),
    Bug(stopped_retrainings_go_on, test_api_retraining.test_a_stopped_scheduler_cancels_its_retraining),
    Bug(lost_wakes_stay_lost, test_api_retraining.test_dates_that_were_missed_are_made_up_for_once),
    Bug(diagnostics_are_written_below_the_last_ones, test_api_retraining.test_one_is_begun_at_its_date),
    Bug(
        kept_rows_are_not_counted,
        test_api_retraining.test_it_takes_what_inference_kept_and_the_latest_ingestion,
    ),
    Bug(
        sensors_of_other_models_count,
        test_api_retraining.test_it_reaches_as_far_as_the_sensors_of_the_model,
    ),
    Bug(
        sensors_of_other_models_count,
        test_api_models.test_without_windows_the_time_of_the_sensors_of_the_model_trains,
    ),
    Bug(old_rows_are_kept, test_api_retraining.test_rows_that_no_retraining_reads_any_more_are_removed),
    Bug(an_activation_keeps_the_old_facts, test_api_retraining.test_a_version_is_activated_and_rolled_back),
    Bug(
        failed_versions_are_activated,
        test_api_retraining.test_only_versions_that_succeeded_can_be_activated,
    ),
    Bug(
        the_model_does_not_show_its_retraining_scheduler,
        test_api_retraining.test_it_goes_through_its_states,
    ),
)
LABELS = (
    Bug(
        labels_lie_in_the_order_of_their_creation,
        _LABELS.test_labels_are_listed_by_their_start_whenever_they_were_made,
    ),
    Bug(long_labels_are_forgotten, _LABELS.test_an_interval_lists_the_labels_that_reach_into_it),
    Bug(labels_are_not_counted, _LABELS.test_a_group_takes_as_many_labels_as_the_settings_say),
    Bug(deleted_labels_still_count, _LABELS.test_a_deleted_label_is_gone_and_the_rest_is_not),
    Bug(
        any_fault_code_is_accepted,
        _LABELS.test_a_fault_code_of_a_group_without_any_is_refused_in_words,
    ),
    Bug(
        labels_outlive_their_group, _GROUPS.test_a_deleted_group_is_gone_with_its_labels_and_its_name_is_free
    ),
    Bug(groups_in_use_are_deleted, _TRAININGS.test_a_group_in_use_by_a_training_is_not_deleted),
    Bug(
        a_deletion_does_not_look_again,
        _TRAININGS.test_a_training_that_begins_during_a_deletion_keeps_the_group,
    ),
)
POLICIES = (
    Bug(
        every_revision_is_the_right_one,
        test_api_resource_policies.test_a_revision_makes_a_replacement_conditional,
    ),
    Bug(
        policies_are_not_read_when_they_are_put,
        test_api_resource_policies.test_what_cannot_be_judged_is_not_put,
    ),
    Bug(policies_outlive_their_resource, test_api_resource_policies.test_a_policy_goes_with_its_resource),
    Bug(
        versions_share_the_policy_of_their_model,
        test_api_resource_policies.test_a_model_and_its_versions_have_policies_of_their_own,
    ),
    Bug(
        replacements_are_not_conditional,
        test_api_resource_policies.test_a_replacement_that_met_another_is_judged_again,
    ),
    Bug(
        late_repetitions_put_old_policies,
        test_api_resource_policies.test_a_repeated_request_changes_nothing,
    ),
)
BUGS = (*LABELS, *WIRE, *VALIDATION, *PAGES, *STORE, *REPEATED, *OPERATIONS, *RETRAINING, *POLICIES)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_tests_of_the_api_catch(bug: Bug, request: pytest.FixtureRequest, monkeypatch: Patch) -> None:
    assert_caught(bug, request, monkeypatch)
