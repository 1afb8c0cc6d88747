"""What must hold after every sequence, whatever went wrong in it."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from custom_resources.handler import RESOURCES
from custom_resources.request import OWNER_TAG, REQUEST_TAG, TAG_PREFIX, PhysicalId, Request
from tests.lifecycle.cloudformation import Live, Properties, Stack, stringify
from tests.lifecycle.world import World

KINDS = {resource.resource_type: resource.kind for resource in RESOURCES}
NAMES = {resource.resource_type: resource.name_member for resource in RESOURCES}
_SECRET = re.compile(r"https?://|canary|X-Amz|Traceback|ClientToken=(?!\*)", re.IGNORECASE)
_MEMBERS = {
    "dataset": (),
    "model": ("LabelsInputConfiguration", "RoleArn"),
    "label-group": ("FaultCodes",),
    "inference-scheduler": (
        "ModelName",
        "DataUploadFrequency",
        "DataDelayOffsetInMinutes",
        "DataInputConfiguration",
        "DataOutputConfiguration",
        "RoleArn",
    ),
    "retraining-scheduler": ("RetrainingFrequency", "LookbackWindow", "PromoteMode"),
}


def check(world: World, *stacks: Stack, foreign: dict[str, Any]) -> None:
    """Raise AssertionError on the first violation. `foreign`: the snapshot before the first event."""
    world.service.settle()
    assert not world.violations, world.violations
    _nothing_foreign_touched(world, foreign)
    _only_deletes_destroy(world)
    _one_job_per_request(world)
    for stack in stacks:
        _believed_is_real(world, stack)
        _reasons_help(stack)
        if not stack.stuck:
            for logical, live in stack.live.items():
                _as_desired(world, stack, logical, live)
    if not any(stack.stuck for stack in stacks):
        _records_drain(world, stacks)


def owned(world: World, stack: Stack) -> set[str]:
    """Physical ids of what the stack's tag is on."""
    found = set()
    for arn, thing in world.service.everything().items():
        if thing.tags.get(OWNER_TAG, "").startswith(f"{stack.id}/"):
            kind, name, _ = arn.split(":", 5)[5].split("/")
            found.add(str(PhysicalId(kind=kind, name=name)))
    return found


def _believed_is_real(world: World, stack: Stack) -> None:
    """I2, I4: what exists is what CloudFormation believes in, plus what it gave up after a failed Delete."""
    believed = {live.physical_id for live in stack.live.values() if KINDS[live.type] != "ingestion"}
    # A Create that never answered and whose Delete failed: the next Delete finds it by its properties.
    believed |= {
        f"l4e/v1/{KINDS[live.type]}/{live.properties[NAMES[live.type]]}"
        for live in stack.live.values()
        if stack.stuck and not PhysicalId.parse(live.physical_id)
    }
    abandoned = {live.physical_id for live in (*stack.abandoned, *stack.kept)}
    real = owned(world, stack)
    leaked = real - believed - abandoned
    assert not leaked, f"I2: leaked {sorted(leaked)}"
    if not stack.stuck:
        lost = {identity for identity in believed - real if PhysicalId.parse(identity)}
        assert not lost, f"I3: lost {sorted(lost)}"


def _nothing_foreign_touched(world: World, foreign: dict[str, Any]) -> None:
    now = world.snapshot()["things"]
    for arn, (_, labels) in foreign["things"].items():
        assert arn in now, f"I3: {arn} belongs to somebody else and is gone"
        assert _users(now[arn][1]) == _users(labels), f"I3: {arn} belongs to somebody else and has other tags"


def _users(tags: dict[str, str]) -> dict[str, str]:
    """The tags of a resource without the marks of a retraining scheduler, which are on its model."""
    return {key: value for key, value in tags.items() if not key.startswith(f"{TAG_PREFIX}retraining-")}


def _only_deletes_destroy(world: World) -> None:
    first_request = next((change.event["RequestId"] for change in world.changes if change.event), None)
    for change in world.changes:
        if not change.operation.startswith("Delete"):
            continue
        event = change.event
        assert event is not None, f"I3: {change.operation} outside any event"
        request = Request.parse(event)
        if change.operation == "DeleteLabel":
            maker = world.label_makers.get(change.parameters["LabelId"])
            assert maker == request.owner, "I3: a label that somebody else made was deleted"
            continue
        mine = change.target_tags.get(OWNER_TAG) == request.owner
        assert mine, f"I3: {change.operation} of {change.parameters} that is not tagged as ours"
        if request.type == "Delete":
            identity = PhysicalId.parse(request.physical_id)
            same = identity is None or identity.name in _named(change.parameters)
            assert same, f"I3: Delete of {request.physical_id} removed {change.parameters}"
        else:
            # What it made itself and was cancelled for, or what the update made that it takes back.
            believed = {
                identity.name for text in (request.incoming_id,) if (identity := PhysicalId.parse(text))
            }
            made_by = change.target_tags.get(REQUEST_TAG)
            undone = made_by == request.request_id or (request.type == "Update" and made_by != first_request)
            assert undone, f"I3: {request.type} destroyed {change.parameters}"
            assert not believed & _named(change.parameters), f"I3: destroyed {change.parameters}"


def _named(parameters: Mapping[str, Any]) -> set[str]:
    """The names in the parameters of a deletion: as such, or in an ARN."""
    return {part for value in parameters.values() for part in str(value).split("/")}


def _one_job_per_request(world: World) -> None:
    jobs: dict[str, set[str | None]] = {}
    for change in world.changes:
        if change.operation == "StartDataIngestionJob" and change.event:
            what = ("StackId", "LogicalResourceId", "RequestId", "ResourceProperties")
            jobs.setdefault(json.dumps([change.event[key] for key in what]), set()).add(change.job_id)
    for request, made in jobs.items():
        assert len(made) == 1, f"I4: {request} started {len(made)} jobs"


def _as_desired(world: World, stack: Stack, logical: str, live: Live) -> None:
    """I5, I6: the id is what it should be, and the service holds what the template says."""
    kind, wanted = KINDS[live.type], live.properties
    name = wanted[NAMES[live.type]]
    assert live.physical_id == f"l4e/v1/{kind}/{name}", f"I5: {live.physical_id} for {name}"
    if kind == "ingestion":
        _ingestion_as_desired(world, name, wanted)
    elif kind.endswith("-policy"):
        _policy_as_desired(world, f"{stack.id}/{logical}", f"{kind}/{name}", wanted)
    else:
        _thing_as_desired(world, f"{stack.id}/{logical}", kind, wanted)
        _copy_as_desired(world, name, wanted)
    if kind == "label-group":
        _labels_as_desired(world, stack, logical, wanted)


def _ingestion_as_desired(world: World, dataset: str, wanted: Properties) -> None:
    if wanted.get("Wait") != "false":
        record = world.service.datasets[dataset].record
        assert record["IngestionInputConfiguration"] == wanted["IngestionInputConfiguration"], (
            "I6: other data"
        )


def _policy_as_desired(world: World, owner: str, key: str, wanted: Properties) -> None:
    policy = world.service.policies[key]
    assert policy.tags[OWNER_TAG] == owner, "I6: another owner"
    said = json.loads(policy.record["ResourcePolicy"])
    assert {**wanted["ResourcePolicy"], "Id": said["Id"]} == said, f"I6: the policy says {said}"


def _thing_as_desired(world: World, owner: str, kind: str, wanted: Properties) -> None:
    things = {
        "dataset": world.service.datasets,
        "model": world.service.models,
        "inference-scheduler": world.service.schedulers,
        "label-group": world.service.label_groups,
        "retraining-scheduler": world.service.retrainings,
    }
    name_member = next(member for type_, member in NAMES.items() if KINDS[type_] == kind)
    thing = things[kind][wanted[name_member]]
    assert thing.tags[OWNER_TAG] == owner, "I6: another owner"
    users = {key: value for key, value in thing.tags.items() if not key.startswith(TAG_PREFIX)}
    assert users == {tag["Key"]: tag["Value"] for tag in wanted.get("Tags", ())}, f"I6: tags {users}"
    for member in _MEMBERS[kind]:
        if member in wanted:
            actual = stringify(thing.record.get(member))
            assert actual == wanted[member], f"I6: {member} is {actual}"
    if kind == "model" and "LabelsInputConfiguration" not in wanted:
        assert "LabelsInputConfiguration" not in thing.record, "I6: labels that nobody asks for"
    status = thing.record.get("Status")
    if "RetrainingStartDate" in wanted:
        day = datetime.fromisoformat(wanted["RetrainingStartDate"]).replace(hour=0, minute=0)
        assert thing.record["RetrainingStartDate"] == day.timestamp(), "I6: another start date"
    if kind.endswith("-scheduler"):
        assert status == wanted.get("DesiredState", "RUNNING"), f"I6: the scheduler is {status}"
    if kind == "model" and wanted.get("Wait") != "false":
        assert status == "SUCCESS", f"I6: the model is {status}"
    if kind == "dataset" and "Schema" in wanted:
        assert "Schema" in thing.record, "I6: no schema"


def _copy_as_desired(world: World, name: str, wanted: Properties) -> None:
    if "SourceDatasetArn" in wanted:
        actual = world.service.datasets[name].record.get("SourceDatasetArn")
        assert actual == wanted["SourceDatasetArn"], f"I6: a copy of {actual}"
    if "SourceModelVersionArn" in wanted:
        model = world.service.models[name].record
        active = world.service.copies[f"{model['ModelArn']}/model-version/{model['ActiveModelVersion']}"]
        actual = active.record["SourceModelVersionArn"]
        assert actual == wanted["SourceModelVersionArn"], f"I6: the active version is a copy of {actual}"


def _labels_as_desired(world: World, stack: Stack, logical: str, wanted: Properties) -> None:
    group = world.service.label_groups[wanted["LabelGroupName"]]
    ours = [
        {
            name: value
            for name, value in label.items()
            if name not in {"LabelId", "LabelGroupName", "LabelGroupArn"}
        }
        for label in world.service.labels_in(group)
        if world.label_makers.get(label["LabelId"]) == f"{stack.id}/{logical}"
    ]
    documents = wanted.get("Labels", [])
    described = [label for document in documents for label in json.loads(document["InlineLabels"])]

    def comparable(labels: Sequence[Any]) -> list[str]:
        return sorted(
            json.dumps({name: _seconds(value) for name, value in label.items()}, sort_keys=True)
            for label in labels
        )

    assert comparable(ours) == comparable(described), f"I6: labels {ours}"


def _seconds(value: Any) -> Any:
    """A time as the service has it, be it a text of the template."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+Z", value):
        return int(datetime.fromisoformat(value).timestamp())
    return value


def _reasons_help(stack: Stack) -> None:
    """I8: a reason names the resource and what to do, and gives nothing away."""
    for reason in stack.reasons:
        if "Runtime exited" in reason or not reason:
            continue  # killed, or given up: not our words
        assert not _SECRET.search(reason), f"I8: {reason}"
        assert re.search(r"again|to deploy|in the next", reason), f"I8: no next step: {reason}"
        assert re.search(r"'[\w -]+'|Thing|l4e/v1", reason), f"I8: no resource: {reason}"


def _records_drain(world: World, stacks: Sequence[Stack]) -> None:
    """I11: a record either expires or belongs to a resource that lives."""
    alive = {
        (_recorded_name(live), f"{stack.id}/{logical}")
        for stack in stacks
        for logical, live in stack.live.items()
    }
    lingering = {
        (_recorded_name(live), stack.id) for stack in stacks for live in (*stack.abandoned, *stack.kept)
    }
    for key, (_, _, expires) in world.records.items.items():
        if expires is None:
            _, name, owner = key.split("/", 2)
            kept = (name, owner) in alive or (name, owner.rpartition("/")[0]) in lingering
            assert kept, f"I11: record {key} stays for ever"


def _recorded_name(live: Live) -> str | None:
    return live.properties.get("DatasetName") or live.properties.get("LabelGroupName")
