"""Broken handlers: the suite must catch every one of them, or it proves nothing.

Each mutation is a bug that custom resources in the wild have had. The named scenario is expected to catch it.
"""

import itertools
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from custom_resources import (
    data_ingestion,
    errors,
    group_labels,
    imported_dataset,
    model,
    properties,
    records,
    resource,
    resource_policy,
    retraining_scheduler,
    runner,
)
from custom_resources.dataset import Dataset
from custom_resources.errors import CallError, FailedError, NotFoundError, NotYetError
from custom_resources.imported_dataset import ImportedDataset
from custom_resources.imported_model import ImportedModel
from custom_resources.importing import Import
from custom_resources.inference_scheduler import InferenceScheduler
from custom_resources.properties import Properties
from custom_resources.records import Claim
from custom_resources.request import EQUAL_TAG, OWNER_TAG, REQUEST_TAG, PhysicalId, Request
from custom_resources.resource import Context, Done, Found, Outcome, TaggedResource, Wait
from custom_resources.resource_policy import ResourcePolicy
from custom_resources.retraining_scheduler import RetrainingScheduler
from custom_resources.runner import Runner
from tests.lifecycle.cases import CASES, Case, case_of
from tests.lifecycle.play import Play, Scenario
from tests.lifecycle.scenarios import EXHAUSTIVE, SCENARIOS
from tests.lifecycle.world import Wire

Patch = pytest.MonkeyPatch
Event = Mapping[str, Any]


@dataclass(frozen=True)
class Mutation:
    """A bug and the scenario that should notice it, played with every kind of resource, or with one."""

    plant: Callable[[Patch], None]
    caught_by: str
    kind: str | None = None


def on_event_creates(patch: Patch) -> None:
    original = Runner.on_event

    def on_event(self: Runner, event: Event) -> dict[str, Any]:
        result = original(self, event)
        self.is_complete({**event, **result})
        return result

    patch.setattr(Runner, "on_event", on_event)


def random_physical_id(patch: Patch) -> None:
    original = Runner.on_event
    patch.setattr(
        Runner,
        "on_event",
        lambda self, event: (
            original(self, event) | {"PhysicalResourceId": str(uuid.uuid4())}
            if event["RequestType"] != "Delete"
            else original(self, event)
        ),
    )


def delete_by_name_only(patch: Patch) -> None:
    def remove(self: TaggedResource, context: Context, name: str, *, made_by: str | None = None) -> Outcome:
        found = self.find(context, name)
        return self.dismantle(context, name, found) if found else Done(data={})

    patch.setattr(TaggedResource, "remove", remove)


def undo_takes_what_was_finished(patch: Patch) -> None:
    patch.setattr(runner, "finish", lambda *_: None)


def remains_of_cancelled_updates_stay(patch: Patch) -> None:
    patch.setattr(Runner, "_tidy", lambda *_: None)


def no_undo(patch: Patch) -> None:
    original = TaggedResource.remove

    def remove(self: TaggedResource, context: Context, name: str, *, made_by: str | None = None) -> Outcome:
        return Done(data={}) if made_by else original(self, context, name)

    patch.setattr(TaggedResource, "remove", remove)


def no_tombstone(patch: Patch) -> None:
    patch.setattr(runner, "claim", lambda *_: Claim())


def deletes_never_grow_old(patch: Patch) -> None:
    original = records.claim

    def claim(table: Any, request: Request, wanted: PhysicalId | None, now: float) -> Claim:
        granted = original(table, request, wanted, now)
        return granted if wanted else Claim()

    patch.setattr(runner, "claim", claim)


def tombstone_forgets_unseen_creates(patch: Patch) -> None:
    patch.setattr(records, "_OVERTAKING", 0)


def false_is_true(patch: Patch) -> None:
    options = {**properties._OPTIONS, "Wait": ("wait", lambda _, raw: bool(raw))}
    patch.setattr(properties, "_OPTIONS", options)


def desired_state_ignored(patch: Patch) -> None:
    options = {**properties._OPTIONS, "DesiredState": ("running", lambda *_: True)}
    patch.setattr(properties, "_OPTIONS", options)


def unknown_properties_ignored(patch: Patch) -> None:
    original = properties._read
    patch.setattr(
        properties,
        "_read",
        lambda raw, shape, options: original({k: v for k, v in raw.items() if k != "Colour"}, shape, options),
    )


def random_token(patch: Patch) -> None:
    patch.setattr(Request, "client_token", lambda *_: uuid.uuid4().hex)


def token_without_parameters(patch: Patch) -> None:
    patch.setattr(Request, "client_token", lambda self, *_: self.request_id)


def transient_error_is_final(patch: Patch) -> None:
    original = runner._outcome_of
    patch.setattr(runner, "_outcome_of", lambda error: replace(original(error), patience=0))


def denied_is_final(patch: Patch) -> None:
    patch.setattr(runner, "_PROPAGATION_SECONDS", 0)


def denied_is_waited_for(patch: Patch) -> None:
    patch.setattr(runner, "_PROPAGATION_SECONDS", 10**9)


def never_gives_up(patch: Patch) -> None:
    original = Runner._step

    def step(*arguments: Any) -> Outcome:
        outcome = original(*arguments)
        return replace(outcome, patience=10**9) if isinstance(outcome, Wait) else outcome

    patch.setattr(Runner, "_step", step)


def broken_service_is_polled_to_the_end(patch: Patch) -> None:
    patch.setattr(runner, "note_trouble", lambda *_: 0)


def one_internal_error_counts_from_the_first(patch: Patch) -> None:
    original = records.note_trouble

    def note_trouble(table: Any, request: Request, trouble: str | None, now: float) -> float:
        return original(table, request, trouble, now) if trouble else 0

    patch.setattr(runner, "note_trouble", note_trouble)


def missing_on_delete_is_an_error(patch: Patch) -> None:
    original = TaggedResource.remove

    def remove(self: TaggedResource, context: Context, name: str, **made_by: Any) -> Outcome:
        if self.find(context, name) is None:
            raise FailedError(f"{self.kind} {name!r} does not exist. Try again.")
        return original(self, context, name, **made_by)

    patch.setattr(TaggedResource, "remove", remove)


def conflict_is_an_error(patch: Patch) -> None:
    def blocked(_: object, __: Context, ___: Properties, conflict: CallError) -> Outcome:
        raise FailedError(f"'it': {conflict}. Try again.")

    patch.setattr(TaggedResource, "blocked", blocked)


def existing_is_an_error(patch: Patch) -> None:
    def check(self: TaggedResource, context: Context, properties: Properties, found: Found) -> None:
        request = context.request
        mine = found.tags.get(REQUEST_TAG) == request.request_id
        name = PhysicalId(kind=self.kind, name=properties.members[self.name_member])
        if not mine and request.incoming_id != str(name):
            raise FailedError(f"{self.subject(properties)} already exists. Try again.")

    patch.setattr(TaggedResource, "_require_ours", check)


def anybodys_is_adopted(patch: Patch) -> None:
    patch.setattr(TaggedResource, "_require_ours", lambda *_: None)


def clash_is_solved_by_force(patch: Patch) -> None:
    original = TaggedResource._require_ours

    def check(self: TaggedResource, context: Context, properties: Properties, found: Found) -> None:
        try:
            original(self, context, properties, found)
        except FailedError:
            if found.tags.get(OWNER_TAG) != context.request.owner:
                raise
            self.dismantle(context, properties.members[self.name_member], found)
            raise NotYetError("it goes") from None

    patch.setattr(TaggedResource, "_require_ours", check)


def old_properties_instead_of_describe(patch: Patch) -> None:
    def difference(_: object, wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> dict[str, Any]:
        assert actual
        return {key: wanted[key] for key in ("RoleArn",) if key in wanted}

    patch.setattr(InferenceScheduler, "difference", difference)


def removed_delays_stay(patch: Patch) -> None:
    original = InferenceScheduler.difference

    def difference(
        self: InferenceScheduler, wanted: Mapping[str, Any], actual: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {key: value for key, value in original(self, wanted, actual).items() if key in wanted}

    patch.setattr(InferenceScheduler, "difference", difference)


def removed_start_dates_stay(patch: Patch) -> None:
    original = RetrainingScheduler.difference

    def difference(
        self: RetrainingScheduler, wanted: Mapping[str, Any], actual: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {key: value for key, value in original(self, wanted, actual).items() if key in wanted}

    patch.setattr(RetrainingScheduler, "difference", difference)


def removed_labels_stay(patch: Patch) -> None:
    original = model._updatable

    def updatable(context: Context, properties: Properties) -> dict[str, Any]:
        return {key: value for key, value in original(context, properties).items() if value}

    patch.setattr(model, "_updatable", updatable)


def tags_never_taken_away(patch: Patch) -> None:
    original = Context.act
    patch.setattr(
        Context,
        "act",
        lambda self, operation, **p: {} if operation == "UntagResource" else original(self, operation, **p),
    )


def update_forgets_to_start_again(patch: Patch) -> None:
    original = Context.act
    patch.setattr(
        Context,
        "act",
        lambda self, operation, **p: (
            {} if operation == "StartInferenceScheduler" else original(self, operation, **p)
        ),
    )


def deletes_without_stopping(patch: Patch) -> None:
    def dismantle(_: object, context: Context, name: str, __: Found) -> Outcome:
        context.act("DeleteInferenceScheduler", InferenceSchedulerName=name)
        return Done(data={})

    patch.setattr(InferenceScheduler, "dismantle", dismantle)


def start_dates_are_not_cut(patch: Patch) -> None:
    patch.setattr(retraining_scheduler, "_midnight", lambda time: time)


def any_retraining_scheduler_is_ours(patch: Patch) -> None:
    original = RetrainingScheduler.find

    def find(self: RetrainingScheduler, context: Context, name: str) -> Found | None:
        found = original(self, context, name)
        return found and replace(found, tags={OWNER_TAG: context.request.owner})

    patch.setattr(RetrainingScheduler, "find", find)


def marks_of_the_model_are_those_of_its_scheduler(patch: Patch) -> None:
    same = {OWNER_TAG: OWNER_TAG, REQUEST_TAG: REQUEST_TAG}
    patch.setattr(retraining_scheduler, "_MARKS", same)


def retraining_schedulers_are_not_marked(patch: Patch) -> None:
    patch.setattr(retraining_scheduler, "_marks", lambda _: [{"Key": "site", "Value": "north"}])


def active_version_is_set_once(patch: Patch) -> None:
    original = model.Model._activate

    def activate(self: model.Model, context: Context, properties: Properties, found: Found) -> Outcome:
        if "ActiveModelVersion" in found.record:
            return Done(data={})
        return original(self, context, properties, found)

    patch.setattr(model.Model, "_activate", activate)


def retraining_schedulers_never_change(patch: Patch) -> None:
    patch.setattr(RetrainingScheduler, "difference", lambda *_: {})


def failed_training_is_success(patch: Patch) -> None:
    original = model.Model.settle

    def settle(self: model.Model, context: Context, properties: Properties, found: Found) -> Outcome:
        status = found.record["Status"].replace("FAILED", "SUCCESS")
        return original(self, context, properties, replace(found, record={**found.record, "Status": status}))

    patch.setattr(model.Model, "settle", settle)


def ingests_again_on_rollback(patch: Patch) -> None:
    patch.setattr(data_ingestion._History, "finished", lambda *_: None)


def trusts_what_was_ingested_into_another_dataset(patch: Patch) -> None:
    patch.setattr(data_ingestion.DataIngestion, "_dataset_arn", lambda *_: "any")
    patch.setattr(
        data_ingestion.DataIngestion,
        "_describe",
        lambda _, job: {"JobId": job, "Status": "SUCCESS", "DatasetArn": "any"},
    )


def failed_ingestion_is_adopted(patch: Patch) -> None:
    finished, describe = data_ingestion._History.finished, data_ingestion.DataIngestion._describe
    adopted: set[str | None] = set()

    def remembered(history: Any, wanted: str) -> str | None:
        job = finished(history, wanted)
        adopted.add(job)
        return job

    def described(context: Context, job_id: str) -> dict[str, Any] | None:
        job = describe(context, job_id)
        return {**job, "Status": "SUCCESS"} if job and job_id in adopted else job

    patch.setattr(data_ingestion._History, "finished", remembered)
    patch.setattr(data_ingestion.DataIngestion, "_describe", staticmethod(described))


def history_stays(patch: Patch) -> None:
    patch.setattr(data_ingestion._History, "forget", lambda *_: None)


def dataset_deletion_waits_ten_minutes_for_its_ingestion(patch: Patch) -> None:
    original = Dataset.dismantle

    def dismantle(self: Dataset, context: Context, name: str, found: Found) -> Outcome:
        outcome = original(self, context, name, found)
        return replace(outcome, patience=resource.STUCK) if isinstance(outcome, Wait) else outcome

    patch.setattr(Dataset, "dismantle", dismantle)


def deleted_dataset_comes_back_empty(patch: Patch) -> None:
    original = Dataset.create
    patch.setattr(
        Dataset,
        "create",
        lambda self, context, properties: original(
            self, replace(context, request=replace(context.request, incoming_id=None)), properties
        ),
    )


def imports_are_done_when_accepted(patch: Patch) -> None:
    patch.setattr(ImportedDataset, "settle", Dataset.settle)


def imports_make_their_datasets(patch: Patch) -> None:
    patch.setattr(ImportedDataset, "create", ImportedDataset._import)


def revisions_copy_nothing(patch: Patch) -> None:
    original = ImportedDataset.settle
    patch.setattr(
        ImportedDataset,
        "settle",
        lambda self, context, properties, found: original(
            self, context, replace(properties, revision=""), found
        ),
    )


def every_update_copies_again(patch: Patch) -> None:
    patch.setattr(imported_dataset, "digest", lambda text: f"{text} {uuid.uuid4()}")


def failed_imports_are_never_tried_again(patch: Patch) -> None:
    def describe(*, began: float, **members: Any) -> Import:
        return Import(began=max(began, float("inf")), **members)

    patch.setattr(imported_dataset, "Import", describe)


def going_back_imports_again(patch: Patch) -> None:
    original = ImportedModel._version_of

    def version_of(context: Context, properties: Properties) -> int | None:
        found, name = original(context, properties), properties.members["ModelName"]
        copies = context.call("ListModelVersions", ModelName=name, SourceType="IMPORT", Status="SUCCESS")
        return found if found == copies["ModelVersionSummaries"][-1]["ModelVersion"] else None

    patch.setattr(ImportedModel, "_version_of", staticmethod(version_of))


def failed_versions_are_copies(patch: Patch) -> None:
    original = Context.call

    def call(self: Context, operation: str, **parameters: Any) -> dict[str, Any]:
        found = original(self, operation, **parameters)
        if operation == "ListModelVersions":
            failed = original(self, operation, **{**parameters, "Status": "FAILED"})
            found["ModelVersionSummaries"] += failed["ModelVersionSummaries"]
        return found

    patch.setattr(Context, "call", call)


def new_versions_stay_inactive(patch: Patch) -> None:
    original = ImportedModel.learn

    def learn(self: ImportedModel, context: Context, properties: Properties, found: Found) -> Outcome | None:
        request = replace(context.request, old_properties={})
        return original(self, replace(context, request=request), properties, found)

    patch.setattr(ImportedModel, "learn", learn)


def every_update_goes_back_to_the_import(patch: Patch) -> None:
    original = ImportedModel.learn

    def learn(self: ImportedModel, context: Context, properties: Properties, found: Found) -> Outcome | None:
        request = replace(context.request, old_properties={"SourceModelVersionArn": "another"})
        return original(self, replace(context, request=request), properties, found)

    patch.setattr(ImportedModel, "learn", learn)


def refused_imports_are_told_as_missing_rights(patch: Patch) -> None:
    patch.setattr(errors, "_SHARING", re.compile("(?!)"))


def policies_of_others_are_replaced(patch: Patch) -> None:
    original = ResourcePolicy._attached

    def attached(context: Context, arn: str) -> Any:
        found = original(context, arn)
        ours = {"Id": f"{context.request.owner} somebody"}
        return found and replace(found, document={**found.document, **ours})

    patch.setattr(ResourcePolicy, "_attached", staticmethod(attached))


def policies_stay_as_they_were_made(patch: Patch) -> None:
    patch.setattr(resource_policy, "_said", lambda _: {})


def policies_outlive_their_custom_resource(patch: Patch) -> None:
    patch.setattr(ResourcePolicy, "remove", lambda *_, **__: Done(data={}))


def reason_tells_secrets(patch: Patch) -> None:
    patch.setattr(errors, "_URL", re.compile("(?!)"))
    patch.setattr(errors, "_CREDENTIAL", re.compile("(?!)()()"))


def reason_is_a_book(patch: Patch) -> None:
    patch.setattr(errors, "REASON_BYTES", 10**6)


def reason_is_cut_by_characters(patch: Patch) -> None:
    patch.setattr(errors, "_size", len)


def reason_without_next_step(patch: Patch) -> None:
    patch.setattr(CallError, "next_step", property(lambda _: "Bad luck"))


def data_before_completion(patch: Patch) -> None:
    original = Runner.is_complete
    patch.setattr(
        Runner, "is_complete", lambda self, event: {"Data": {"Status": "busy"}} | original(self, event)
    )


def data_of_numbers(patch: Patch) -> None:
    original = data_ingestion._data
    patch.setattr(data_ingestion, "_data", lambda job: original(job) | {"IngestedDataSize": 4711})


def hot_loop(patch: Patch) -> None:
    patch.setattr(runner, "_STEPS", 100)
    original = Runner._step

    def step(*arguments: Any) -> Outcome:
        outcome = original(*arguments)
        return resource.Again() if isinstance(outcome, Wait) else outcome

    patch.setattr(Runner, "_step", step)


def creates_again_while_invisible(patch: Patch) -> None:
    def act(self: Context, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.equipment.call(operation, **parameters)

    patch.setattr(Context, "act", act)
    patch.setattr(Request, "client_token", lambda *_: uuid.uuid4().hex)


def removes_after_a_look_that_failed(patch: Patch) -> None:
    original = TaggedResource.find

    def find(self: TaggedResource, context: Context, name: str) -> Found | None:
        try:
            return original(self, context, name)
        except (NotFoundError, errors.UnavailableError):
            return None

    patch.setattr(TaggedResource, "find", find)


def equals_are_made_again(patch: Patch) -> None:
    patch.setattr(TaggedResource, "_refuse_to_make_again", lambda _, __, ___: None)


def renaming_is_making_again(patch: Patch) -> None:
    patch.setattr(resource, "_generated_alike", lambda one, other: one != other)


def content_of_schemas_ignored(patch: Patch) -> None:
    patch.setattr(resource, "_has_schema", lambda _, __, ___: True)


def places_of_schemas_compared(patch: Patch) -> None:
    patch.setattr(resource, "_has_schema", lambda _, __, ___: False)


def other_form_of_the_schema_is_not_noted(patch: Patch) -> None:
    original = Context.act

    def act(self: Context, operation: str, **parameters: Any) -> dict[str, Any]:
        kept = [pair for pair in parameters.get("Tags", []) if pair["Key"] != EQUAL_TAG]
        return original(self, operation, **parameters | ({"Tags": kept} if "Tags" in parameters else {}))

    patch.setattr(Context, "act", act)


def stack_of_the_same_name_is_taken_for_the_same(patch: Patch) -> None:
    def owner(self: Request) -> str:
        return f"{self.stack_id.rpartition('/')[0]}/{self.logical_id}"

    patch.setattr(Request, "owner", property(owner))


def labels_of_people_are_matched_by_what_they_say(patch: Patch) -> None:
    """Each label of the template that is there already counts as ours."""
    original = group_labels.GroupLabels._create

    def create(self: Any, key: str, label: Any) -> str:
        fake = getattr(self._context.equipment, "_wire").world.service  # noqa: B009  the service behind it
        for found in fake.labels.values():
            if found["Rating"] == label["Rating"] and found["LabelGroupName"] == self._name:
                return str(found["LabelId"])
        return original(self, key, label)

    patch.setattr(group_labels.GroupLabels, "_create", create)


def labels_are_made_without_a_note(patch: Patch) -> None:
    original = group_labels.GroupLabels._write

    def write(self: Any, made: Mapping[str, str]) -> None:
        begun, self._begun = self._begun, {}
        original(self, made)
        self._begun = begun

    patch.setattr(group_labels.GroupLabels, "_write", write)


def labels_are_deleted_without_a_note(patch: Patch) -> None:
    original = group_labels.GroupLabels._write

    def write(self: Any, made: Mapping[str, str]) -> None:
        going, self._going = self._going, []
        self._made |= {f"{at}": label for at, label in enumerate(going)}
        original(self, made)
        self._going = going

    patch.setattr(group_labels.GroupLabels, "_write", write)


def labels_that_changed_stay(patch: Patch) -> None:
    patch.setattr(group_labels.GroupLabels, "_delete", lambda *_: None)


def records_of_labels_stay(patch: Patch) -> None:
    patch.setattr(group_labels.GroupLabels, "forget", staticmethod(lambda *_: None))


def fault_codes_stay(patch: Patch) -> None:
    original = Context.act
    patch.setattr(
        Context,
        "act",
        lambda self, operation, **p: (
            {} if operation == "UpdateLabelGroup" else original(self, operation, **p)
        ),
    )


def rollbacks_trip_over_the_tags_that_were_refused(patch: Patch) -> None:
    patch.setattr(resource, "tag_keys", lambda raw: {pair["Key"] for pair in raw.get("Tags") or ()})


MUTATIONS = (
    Mutation(on_event_creates, "creation_fails"),
    Mutation(random_physical_id, "update_in_place"),
    Mutation(delete_by_name_only, "foreign_name"),
    Mutation(undo_takes_what_was_finished, "update_replaces"),
    Mutation(remains_of_cancelled_updates_stay, "cancelled_update"),
    Mutation(no_undo, "overtaken_creation"),
    Mutation(no_tombstone, "overtaken_creation"),
    Mutation(deletes_never_grow_old, "late_delete"),
    Mutation(tombstone_forgets_unseen_creates, "deletion_before_creation"),
    Mutation(false_is_true, "without_waiting"),
    Mutation(removed_delays_stay, "removed_member"),
    Mutation(removed_start_dates_stay, "removed_member"),
    Mutation(removed_labels_stay, "sibling_fails_after_update", "Model"),
    Mutation(desired_state_ignored, "update_in_place"),
    Mutation(unknown_properties_ignored, "wrong_properties"),
    Mutation(rollbacks_trip_over_the_tags_that_were_refused, "wrong_properties"),
    Mutation(random_token, "single_faults"),
    Mutation(token_without_parameters, "request_id_comes_again"),
    Mutation(transient_error_is_final, "single_faults"),
    Mutation(denied_is_final, "late_rights"),
    Mutation(denied_is_waited_for, "late_rights"),
    Mutation(never_gives_up, "too_slow"),
    Mutation(broken_service_is_polled_to_the_end, "broken_for_good"),
    Mutation(one_internal_error_counts_from_the_first, "broken_now_and_then"),
    Mutation(missing_on_delete_is_an_error, "deleted_outside"),
    Mutation(conflict_is_an_error, "waits_for_what_it_needs"),
    Mutation(existing_is_an_error, "sibling_fails_after_replacement"),
    Mutation(anybodys_is_adopted, "foreign_name"),
    Mutation(stack_of_the_same_name_is_taken_for_the_same, "kept_by_its_stack"),
    Mutation(clash_is_solved_by_force, "clash"),
    Mutation(equals_are_made_again, "made_again"),
    Mutation(renaming_is_making_again, "made_again"),
    Mutation(content_of_schemas_ignored, "schema_written_otherwise"),
    Mutation(places_of_schemas_compared, "schema_written_otherwise"),
    Mutation(other_form_of_the_schema_is_not_noted, "schema_written_otherwise"),
    Mutation(old_properties_instead_of_describe, "drift"),
    Mutation(tags_never_taken_away, "update_in_place"),
    Mutation(update_forgets_to_start_again, "update_in_place"),
    Mutation(deletes_without_stopping, "create_and_delete"),
    Mutation(start_dates_are_not_cut, "rough_weather"),
    Mutation(any_retraining_scheduler_is_ours, "foreign_name"),
    Mutation(marks_of_the_model_are_those_of_its_scheduler, "create_and_delete"),
    Mutation(retraining_schedulers_are_not_marked, "create_and_delete"),
    Mutation(retraining_schedulers_never_change, "update_in_place"),
    Mutation(active_version_is_set_once, "active_version"),
    Mutation(failed_training_is_success, "replacement_fails"),
    Mutation(ingests_again_on_rollback, "replacement_fails"),
    Mutation(trusts_what_was_ingested_into_another_dataset, "create_and_delete"),
    Mutation(failed_ingestion_is_adopted, "without_waiting"),
    Mutation(history_stays, "create_and_delete"),
    Mutation(dataset_deletion_waits_ten_minutes_for_its_ingestion, "deletion_beside_a_long_ingestion"),
    Mutation(deleted_dataset_comes_back_empty, "deleted_outside"),
    Mutation(imports_are_done_when_accepted, "replacement_fails"),
    Mutation(imports_make_their_datasets, "made_meanwhile"),
    Mutation(revisions_copy_nothing, "copied_again"),
    Mutation(every_update_copies_again, "create_and_delete"),
    Mutation(failed_imports_are_never_tried_again, "corrected_and_sent_again"),
    Mutation(going_back_imports_again, "another_source"),
    Mutation(failed_versions_are_copies, "import_fails_in_place"),
    Mutation(new_versions_stay_inactive, "update_in_place"),
    Mutation(every_update_goes_back_to_the_import, "retrained_version_stays"),
    Mutation(refused_imports_are_told_as_missing_rights, "not_shared"),
    Mutation(policies_of_others_are_replaced, "foreign_name"),
    Mutation(policies_stay_as_they_were_made, "update_in_place"),
    Mutation(policies_outlive_their_custom_resource, "create_and_delete"),
    Mutation(reason_tells_secrets, "creation_fails"),
    Mutation(reason_is_a_book, "long_message"),
    Mutation(reason_is_cut_by_characters, "long_message"),
    Mutation(reason_without_next_step, "quota"),
    Mutation(data_before_completion, "create_and_delete"),
    Mutation(data_of_numbers, "create_and_delete"),
    Mutation(hot_loop, "create_and_delete"),
    Mutation(creates_again_while_invisible, "single_faults"),
    Mutation(removes_after_a_look_that_failed, "single_faults"),
    Mutation(labels_of_people_are_matched_by_what_they_say, "create_and_delete"),
    Mutation(labels_are_made_without_a_note, "update_fails_and_rolls_back", "LabelGroup"),
    Mutation(labels_are_deleted_without_a_note, "update_fails_and_rolls_back", "LabelGroup"),
    Mutation(labels_that_changed_stay, "update_in_place"),
    Mutation(records_of_labels_stay, "create_and_delete"),
    Mutation(fault_codes_stay, "update_in_place"),
)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.plant.__name__)
def test_the_suite_catches(wire: Wire, mutation: Mutation, monkeypatch: Patch) -> None:
    mutation.plant(monkeypatch)
    scenario = next(known for known in (*SCENARIOS, *EXHAUSTIVE) if known.__name__ == mutation.caught_by)
    cases = CASES if mutation.kind is None else [case_of(mutation.kind)]
    assert _caught(wire, scenario, cases), "nothing noticed"


def _caught(wire: Wire, scenario: Scenario, cases: Iterable[Case]) -> bool:
    ways: tuple[dict[str, bool], ...] = (
        {},
        {"duplicates": True, "late_come_first": False},
        {"duplicates": True},
    )
    for way, case in itertools.product(ways, cases):
        try:
            scenario(Play(wire, case, short=True, **way))
        except AssertionError:
            return True
    return False
