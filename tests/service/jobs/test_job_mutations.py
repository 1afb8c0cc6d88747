"""Bugs planted into the jobs: the way to the customer's data, ingestion, training and inference."""

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from engine import Faults, FillLimits, Frame, ObservedRows
from service import reconciler
from service.event_bus import bus_event
from service.event_bus.bus_event import BusEvent
from service.event_bus.event_bus import EventBus
from service.jobs import train
from service.jobs.capacity import Capacity
from service.jobs.failure import JobFailed
from service.jobs.importing import work
from service.jobs.inference import (
    active_model,
    event_tracking,
    execution,
    file_names,
    kept_rows,
    loop,
    window_rows,
)
from service.jobs.inference.active_model import ActiveModel
from service.jobs.inference.file_names import NameRange, Search
from service.jobs.inference.fill_times import FillTimes
from service.jobs.inference.input_files import InputFiles
from service.jobs.inference.scheduler_state import StateFile
from service.jobs.ingestion import finish, plan
from service.jobs.ingestion.job import Ingestion
from service.jobs.runtime import Runtime
from service.jobs.storage import customer_role
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.s3_streams import ObjectVersion
from service.jobs.training import group_labels, learn, promotion, train_version
from service.jobs.training.promotion import Verdict
from service.jobs.training.training_labels import Labels
from service.jobs.training.version import Training
from service.settings import Settings
from service.storage.names import DATASET, INGESTION_JOB, SCHEDULER, executions_of, versions_of
from service.storage.store import Create, Item, Store, Update
from tests.service.jobs import (
    test_job_access,
    test_job_documents,
    test_job_events,
    test_job_group_labels,
    test_job_infer,
    test_job_infer_faults,
    test_job_ingest,
    test_job_kept_rows,
    test_job_last_values,
    test_job_naming,
    test_job_notices,
    test_job_objects,
    test_job_retraining,
    test_job_seldom_sensors,
    test_job_silent_sensors,
    test_job_train,
    test_job_training_report,
)
from tests.service.planted import Bug, Patch, Write, assert_caught, change_writes, without_expectation

# The way to the customer's data


def the_external_id_is_not_the_resource(patch: Patch) -> None:
    original = Runtime.customer_buckets

    def customer_buckets(runtime: Runtime, role_arn: str, *, external_id: str) -> CustomerBuckets:
        return original(runtime, role_arn, external_id=external_id.rpartition("/")[0])

    patch.setattr(Runtime, "customer_buckets", customer_buckets)


def a_role_that_refuses_is_an_internal_error(patch: Patch) -> None:
    patch.setattr(customer_role, "is_refusal", lambda _: False)


def results_have_the_default_encryption(patch: Patch) -> None:
    original = CustomerBuckets.put

    def put(buckets: CustomerBuckets, *arguments: Any, kms_key: str | None, **more: Any) -> None:
        original(buckets, *arguments, kms_key=None, **more)

    patch.setattr(CustomerBuckets, "put", put)


def objects_that_change_are_mixed(patch: Patch) -> None:
    def read(version: ObjectVersion, part: range) -> bytes:
        wanted = f"bytes={part.start}-{part.stop - 1}"
        reply = version.s3.get_object(Bucket=version.bucket, Key=version.key, Range=wanted)
        return reply["Body"].read()

    patch.setattr(ObjectVersion, "read", read)


# Ingestion


def an_ended_ingestion_ends_again(patch: Patch) -> None:
    change_writes(
        patch, lambda write: without_expectation(write, "Status") if _pk(write) == INGESTION_JOB else write
    )


def a_failed_ingestion_empties_the_dataset(patch: Patch) -> None:
    def emptied(write: Write) -> Write:
        restores = isinstance(write, Update) and write.pk == DATASET and "ingestionJobId" not in write.set
        if not restores or write.set.get("Status") != "ACTIVE":  # type: ignore[union-attr]
            return write
        return replace(write, set={**write.set, "Status": "CREATED"})  # type: ignore[union-attr]

    change_writes(patch, emptied)


def discarded_files_are_not_told(patch: Patch) -> None:
    original = finish._files_summary
    patch.setattr(
        finish, "_files_summary", lambda bucket, files: original(bucket, files) | {"DiscardedFiles": []}
    )


def any_number_of_files_is_ingested(patch: Patch) -> None:
    patch.setattr(plan, "check_limits", lambda *_: None)


def files_need_not_have_the_columns(patch: Patch) -> None:
    original = finish.component_columns

    def component_columns(job: Ingestion, parts: Any) -> Any:
        try:
            return original(job, parts)
        except JobFailed:
            return dict(job.columns or {})

    patch.setattr(finish, "component_columns", component_columns)


# Training


def an_ended_training_is_overwritten(patch: Patch) -> None:
    versions = versions_of("")
    change_writes(
        patch,
        lambda write: without_expectation(write, "Status") if _pk(write).startswith(versions) else write,
    )


def a_training_takes_more_than_its_memory(patch: Patch) -> None:
    patch.setattr(Capacity, "values", lambda *_: 2**60)


def a_tie_replaces_the_prior_version(patch: Patch) -> None:
    original = promotion.decide

    def decide(*arguments: Any) -> Verdict:
        return replace(original(*arguments), promoted=True)

    patch.setattr(promotion, "decide", decide)


# Inference


def a_scheduler_goes_on_with_a_namesake_of_its_model(patch: Patch) -> None:
    original = ActiveModel.load

    def load(runtime: Runtime, model: Item | None, scheduler: Item) -> ActiveModel:
        return original(runtime, model, {**scheduler, "modelUuid": model["uuid"]} if model else scheduler)

    patch.setattr(ActiveModel, "load", load)


def the_off_condition_is_ignored(patch: Patch) -> None:
    patch.setattr(active_model, "off_condition", lambda *_: None)


def stopped_schedulers_go_on(patch: Patch) -> None:
    _read_schedulers_with(patch, Status="RUNNING")
    change_writes(
        patch, lambda write: without_expectation(write, "Status") if _pk(write) == SCHEDULER else write
    )


def windows_of_other_calls_are_taken_over(patch: Patch) -> None:
    executions = executions_of("")

    def of_long_ago(write: Write) -> Write:
        if isinstance(write, Create) and _pk(write).startswith(executions):
            return Create({**write.item, "claimedAt": 0})
        return write

    change_writes(patch, of_long_ago)


def the_delay_is_ignored(patch: Patch) -> None:
    _read_schedulers_with(patch, DataDelayOffsetInMinutes=0)


def names_of_files_are_utc(patch: Patch) -> None:
    patch.setattr(file_names, "_offset", lambda _: 0)


def the_earlier_file_wins(patch: Patch) -> None:
    original = Search.matches
    patch.setattr(Search, "matches", lambda search, *names, **more: original(search, *names, **more)[::-1])


def values_stand_in_without_a_word(patch: Patch) -> None:
    patch.setattr(window_rows, "stand_ins", lambda *_: ())


def only_the_last_naming_is_looked_for(patch: Patch) -> None:
    original = InputFiles._find

    def find(files: InputFiles, search: Search, components: Any) -> Any:
        usual = components is files.columns
        return original(files, search, components) if usual else {name: {} for name in components}

    patch.setattr(InputFiles, "_find", find)


def lists_go_on_behind_the_window(patch: Patch) -> None:
    patch.setattr(NameRange, "holds", lambda *_: True)


def nothing_is_kept_between_windows(patch: Patch) -> None:
    patch.setattr(StateFile, "keep", lambda *_, **__: None)


def failed_windows_teach_nothing(patch: Patch) -> None:
    patch.setattr(execution, "_remember", lambda *_: None)


def short_events_are_recorded(patch: Patch) -> None:
    patch.setattr(event_tracking.InferenceEvent, "recorded", lambda *_: True)


def failures_have_no_metrics(patch: Patch) -> None:
    original = loop.publish_metrics

    def publish(runtime: Runtime, scheduler: Item, end: Any) -> None:
        if end.result is not None:
            original(runtime, scheduler, end)

    patch.setattr(loop, "publish_metrics", publish)


def internal_errors_are_the_customers(patch: Patch) -> None:
    original = loop.ExecutionEnd
    patch.setattr(
        loop,
        "ExecutionEnd",
        lambda **members: original(**{**members, "invalid_input": "result" not in members}),
    )


def _read_schedulers_with(patch: Patch, **members: Any) -> None:
    original = Store.get

    def get(store: Store, pk: str, sk: str) -> Item | None:
        found = original(store, pk, sk)
        return {**found, **members} if found and pk == SCHEDULER else found

    patch.setattr(Store, "get", get)


def _pk(write: Write) -> str:
    return str(write.item["pk"]) if isinstance(write, Create) else write.pk


# Retraining


def kept_rows_are_not_read(patch: Patch) -> None:
    patch.setattr(Training, "kept_rows", lambda _: {})


def days_without_data_count(patch: Patch) -> None:
    patch.setattr(Training, "data_days", lambda _, window: window.days)


def windows_are_kept_again(patch: Patch) -> None:
    def replacing(rows: ObservedRows, earlier: ObservedRows, *_: Any) -> ObservedRows:
        times, values = [earlier.times, rows.times], [earlier.values, rows.values]
        return replace(rows, times=np.concatenate(times), values=np.concatenate(values))

    patch.setattr(ObservedRows, "replacing", replacing)


def every_model_keeps_rows(patch: Patch) -> None:
    original = kept_rows.keep_rows

    def keep(runtime: Runtime, scheduler: Item, active: ActiveModel, **more: Any) -> None:
        model = {**active.model, "RetrainingSchedulerStatus": "RUNNING"}
        original(runtime, scheduler, replace(active, model=model), **more)

    patch.setattr(execution, "keep_rows", keep)


def an_overtaken_version_is_promoted(patch: Patch) -> None:
    change_writes(patch, lambda write: without_expectation(write, "ActiveModelVersion"))


def retrainings_have_no_metrics(patch: Patch) -> None:
    patch.setattr(train_version, "publish_retraining", lambda *_: None)


def labels_are_read_at_every_step(patch: Patch) -> None:
    original = group_labels.group_labels

    def read(runtime: Runtime, training: Any) -> Labels:
        name = training.record["LabelsInputConfiguration"]["LabelGroupName"]
        fresh = group_labels._read(runtime, training, name)
        training.service_bucket.put_json(f"documents/{training.model_uuid}/labels-1.json", fresh)
        return original(runtime, training)

    patch.setattr("service.jobs.training.learn.group_labels", read)


def notes_are_copied(patch: Patch) -> None:
    patch.setattr(group_labels, "_MEMBERS", (*group_labels._MEMBERS, "Notes"))


def every_label_is_an_anomaly(patch: Patch) -> None:
    patch.setattr(Labels, "rated", lambda labels, _: [label.interval for label in labels.labels])


def neutral_labels_are_faults(patch: Patch) -> None:
    original = Labels.rated

    def rated(labels: Labels, rating: str) -> Any:
        return original(labels, {"ANOMALY": "NEUTRAL"}.get(rating, "NO_ANOMALY"))

    patch.setattr(Labels, "rated", rated)


def what_was_not_learned_is_not_told(patch: Patch) -> None:
    patch.setattr("service.jobs.training.learn.training_report", lambda *_: None)


def values_stand_in_for_ever(patch: Patch, module: ModuleType, builder: str) -> None:
    original = getattr(module, builder)

    def built(*arguments: Any, **more: Any) -> Frame:
        return original(*arguments, **more | {"fill_limits": {}})

    patch.setattr(module, builder, built)


def a_sensor_that_fails_is_learned_as_one_that_stands_still(patch: Patch) -> None:
    values_stand_in_for_ever(patch, learn, "training_frame")


def silence_in_a_training_is_not_told(patch: Patch) -> None:
    patch.setattr(learn.Silence, "of", lambda _: None)


def a_silent_sensor_keeps_its_last_value(patch: Patch) -> None:
    values_stand_in_for_ever(patch, window_rows, "build_frame")


def a_sensor_without_values_is_not_told(patch: Patch) -> None:
    patch.setattr(window_rows, "_is_silent", lambda *_: False)


def samples_are_too_old_after_a_day(patch: Patch) -> None:
    patch.setattr(FillTimes, "_of", lambda times, _: times.setting)


def a_sensor_of_every_row_is_too_old_after_its_own_pause(patch: Patch) -> None:
    original = FillTimes.of

    def of(settings: Settings, limits: FillLimits) -> FillTimes:
        return replace(original(replace(settings, inference_fill_hours=0), limits), setting=24 * 3600)

    patch.setattr(FillTimes, "of", of)


def refusals_name_the_setting(patch: Patch) -> None:
    patch.setattr(FillTimes, "hours_of", lambda times, _: f"{times.setting / 3600:g} hours")


def every_file_needs_the_column_of_a_sample(patch: Patch) -> None:
    original = window_rows.InputFiles
    patch.setattr(
        window_rows, "InputFiles", lambda **members: original(**members | {"known": frozenset[str]()})
    )


# Events for others


def failures_tell_nothing(patch: Patch) -> None:
    original = loop.ExecutionEnd.bus_events
    patch.setattr(
        loop.ExecutionEnd, "bus_events", lambda end, *more: original(end, *more) if end.result else ()
    )


def missed_windows_tell_nothing(patch: Patch) -> None:
    patch.setattr(loop, "windows_missed", lambda *_: anything())


def a_fault_that_goes_on_begins_again(patch: Patch) -> None:
    patch.setattr(Faults, "began_since", lambda faults, _: faults.counted)


def a_fault_ends_at_its_first_pause(patch: Patch) -> None:
    patch.setattr(Faults, "ended_since", lambda _, before: before.counted)


def an_event_that_is_sent_again_has_another_id(patch: Patch) -> None:
    patch.setattr(bus_event, "uuid5", lambda *_: uuid4())


def an_event_that_cannot_be_sent_fails_the_job(patch: Patch) -> None:
    def send(bus: EventBus, events: Sequence[BusEvent]) -> None:
        bus.client.put_events(Entries=[event.entry for event in events])

    patch.setattr(EventBus, "send", send)


def what_was_not_sent_is_not_counted(patch: Patch) -> None:
    patch.setattr(EventBus, "_count", lambda *_: None)


def trainings_tell_nothing(patch: Patch) -> None:
    patch.setattr(train, "version_end", lambda _: [])


def imports_tell_nothing(patch: Patch) -> None:
    patch.setattr(work, "version_end", lambda _: [])


def the_reconciler_tells_nothing_of_ingestions(patch: Patch) -> None:
    patch.setattr(reconciler, "ingestion_end", lambda _: [])


def the_reconciler_tells_nothing_of_trainings(patch: Patch) -> None:
    patch.setattr(reconciler, "version_end", lambda _: [])


def anything() -> BusEvent:
    return BusEvent(detail_type="Anything", resources=("arn",), occurrence="", detail={})


STORAGE = (
    Bug(
        the_external_id_is_not_the_resource,
        test_job_access.test_the_external_id_is_the_arn_of_the_resource_worked_for,
    ),
    Bug(
        a_role_that_refuses_is_an_internal_error,
        test_job_access.test_a_role_that_does_not_trust_the_service,
    ),
    Bug(
        results_have_the_default_encryption,
        test_job_infer.test_everything_is_encrypted_with_the_keys_asked_for,
    ),
    Bug(objects_that_change_are_mixed, test_job_objects.test_an_object_that_changes_is_not_mixed),
)
INGESTION = (
    Bug(an_ended_ingestion_ends_again, test_job_ingest.test_an_ingestion_that_was_ended_meanwhile_stays_so),
    Bug(
        a_failed_ingestion_empties_the_dataset,
        test_job_ingest.test_a_failed_replacement_keeps_the_old_content,
    ),
    Bug(discarded_files_are_not_told, test_job_ingest.test_an_unusable_file_is_discarded),
    Bug(any_number_of_files_is_ingested, test_job_ingest.test_too_many_files),
    Bug(files_need_not_have_the_columns, test_job_ingest.test_a_wrong_column),
)
TRAINING = (
    Bug(an_ended_training_is_overwritten, test_job_train.test_a_training_that_was_ended_meanwhile_stays_so),
    Bug(
        a_training_takes_more_than_its_memory,
        test_job_train.test_more_data_than_memory_is_refused_before_it_is_taken,
    ),
    Bug(a_tie_replaces_the_prior_version, test_job_retraining.test_a_tie_keeps_the_prior_version),
    Bug(what_was_not_learned_is_not_told, test_job_training_report.test_the_log_and_the_metrics_tell_it),
    Bug(
        a_sensor_that_fails_is_learned_as_one_that_stands_still,
        test_job_silent_sensors.test_two_days_of_silence_are_not_learned_and_told,
    ),
    Bug(
        silence_in_a_training_is_not_told,
        test_job_silent_sensors.test_two_days_of_silence_are_not_learned_and_told,
    ),
)
LABELS = (
    Bug(
        labels_are_read_at_every_step,
        test_job_group_labels.test_a_training_keeps_the_labels_that_it_began_with,
    ),
    Bug(notes_are_copied, test_job_group_labels.test_a_training_keeps_the_labels_that_it_began_with),
    Bug(every_label_is_an_anomaly, test_job_group_labels.test_ratings_reach_the_training),
    Bug(
        neutral_labels_are_faults,
        test_job_group_labels.test_neutral_labels_are_neither_found_nor_false_alarms,
    ),
)
INFERENCE = (
    Bug(
        a_scheduler_goes_on_with_a_namesake_of_its_model,
        test_job_infer_faults.test_a_model_that_was_replaced_under_its_name,
    ),
    Bug(the_off_condition_is_ignored, test_job_infer.test_a_machine_that_is_off),
    Bug(stopped_schedulers_go_on, test_job_infer.test_a_stopped_scheduler_does_nothing, {"state": "STOPPED"}),
    Bug(
        windows_of_other_calls_are_taken_over,
        test_job_infer.test_a_window_that_another_call_holds_is_left_to_it,
    ),
    Bug(the_delay_is_ignored, test_job_infer.test_the_delay_and_the_time_zone_of_file_names),
    Bug(names_of_files_are_utc, test_job_infer.test_the_delay_and_the_time_zone_of_file_names),
    Bug(the_earlier_file_wins, test_job_infer.test_the_later_file_wins),
    Bug(
        values_stand_in_without_a_word,
        test_job_notices.test_a_value_that_stands_in_for_what_a_file_gets_wrong_is_told,
        {"text": test_job_notices.WINDOW_AFTER.replace("pre", "Pre"), "told": {"pressure": "exactly"}},
    ),
    Bug(
        a_silent_sensor_keeps_its_last_value,
        test_job_silent_sensors.test_a_window_without_a_value_of_a_sensor,
        {"reports": test_job_silent_sensors.always_but_two_days, "silent": True},
    ),
    Bug(
        a_sensor_without_values_is_not_told,
        test_job_silent_sensors.test_a_window_without_a_value_of_a_sensor,
        {"reports": test_job_silent_sensors.always_but_two_days, "silent": True},
    ),
    Bug(
        samples_are_too_old_after_a_day,
        test_job_seldom_sensors.test_a_sample_in_a_window_that_failed_stands_in,
    ),
    Bug(
        a_sensor_of_every_row_is_too_old_after_its_own_pause,
        test_job_seldom_sensors.test_a_sensor_that_reports_more_often_keeps_the_setting,
    ),
    Bug(
        refusals_name_the_setting,
        test_job_seldom_sensors.test_a_sample_that_stays_away_for_longer_than_usual,
    ),
    Bug(
        every_file_needs_the_column_of_a_sample,
        test_job_seldom_sensors.test_files_without_the_column_of_a_sample,
    ),
    Bug(
        only_the_last_naming_is_looked_for,
        test_job_naming.test_files_that_are_named_in_another_way_are_found_at_once,
    ),
    Bug(
        lists_go_on_behind_the_window,
        test_job_naming.test_a_list_ends_at_the_window_however_many_files_follow,
    ),
    Bug(
        nothing_is_kept_between_windows,
        test_job_infer.test_the_last_value_of_a_silent_sensor_is_remembered_for_a_day,
    ),
    Bug(
        failed_windows_teach_nothing,
        test_job_last_values.test_a_failed_window_keeps_the_values_of_the_components_that_came,
    ),
    Bug(short_events_are_recorded, test_job_documents.test_only_events_longer_than_five_minutes_are_recorded),
    Bug(failures_have_no_metrics, test_job_infer.test_metrics_of_executions),
    Bug(
        internal_errors_are_the_customers,
        test_job_infer_faults.test_an_internal_error_does_not_block_the_next_window,
    ),
)
RETRAINING = (
    Bug(kept_rows_are_not_read, test_job_kept_rows.test_a_retraining_learns_from_dataset_and_kept_rows),
    Bug(
        days_without_data_count,
        test_job_kept_rows.test_too_little_data_fails_and_says_so,
        {"accumulated": True},
    ),
    Bug(windows_are_kept_again, test_job_kept_rows.test_a_window_that_is_inferred_again_is_kept_once),
    Bug(every_model_keeps_rows, test_job_kept_rows.test_a_model_without_retraining_scheduler_keeps_nothing),
    Bug(
        an_overtaken_version_is_promoted,
        test_job_kept_rows.test_a_version_activated_meanwhile_stays_active,
    ),
    Bug(retrainings_have_no_metrics, test_job_kept_rows.test_how_a_retraining_ended_is_published),
)
EVENTS = (
    Bug(failures_tell_nothing, test_job_events.test_an_execution_that_fails),
    Bug(missed_windows_tell_nothing, test_job_events.test_windows_that_are_missed),
    Bug(
        a_fault_that_goes_on_begins_again,
        test_job_events.test_a_fault_that_shows_by_day_only_begins_and_ends_once,
    ),
    Bug(
        a_fault_ends_at_its_first_pause,
        test_job_events.test_a_fault_that_shows_by_day_only_begins_and_ends_once,
    ),
    Bug(
        an_event_that_is_sent_again_has_another_id,
        test_job_events.test_a_window_that_is_inferred_again_tells_the_same,
    ),
    Bug(
        an_event_that_cannot_be_sent_fails_the_job,
        test_job_events.test_events_that_cannot_be_sent_are_counted_and_fail_nothing,
    ),
    Bug(
        what_was_not_sent_is_not_counted,
        test_job_events.test_events_that_cannot_be_sent_are_counted_and_fail_nothing,
    ),
    Bug(trainings_tell_nothing, test_job_events.test_a_training_tells_its_end_each_time_that_it_runs),
    Bug(imports_tell_nothing, test_job_events.test_imports_tell_their_ends),
    Bug(
        the_reconciler_tells_nothing_of_ingestions,
        test_job_events.test_the_reconciler_tells_the_ends_that_jobs_cannot,
        {"work": "ingestion", "teller": "hour"},
    ),
    Bug(
        the_reconciler_tells_nothing_of_trainings,
        test_job_events.test_the_reconciler_tells_the_ends_that_jobs_cannot,
        {"work": "training", "teller": "event"},
    ),
)
BUGS = (*STORAGE, *INGESTION, *TRAINING, *LABELS, *INFERENCE, *RETRAINING, *EVENTS)


@pytest.mark.usefixtures("model")  # with the labels that tests of retraining use
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_tests_of_the_jobs_catch(bug: Bug, request: pytest.FixtureRequest, monkeypatch: Patch) -> None:
    assert_caught(bug, request, monkeypatch)
