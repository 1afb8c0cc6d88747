"""What must hold after every sequence, whatever went wrong in it."""

import json
import re
from collections.abc import Sequence
from typing import Any

from custom_resources.handler import RESOURCES
from custom_resources.properties import Properties, tags
from custom_resources.request import OWNER_TAG, REQUEST_TAG, TAG_PREFIX, PhysicalId, Request
from tests.lifecycle.cloudformation import Live, Stack
from tests.lifecycle.fake_service import Thing
from tests.lifecycle.world import World

KINDS = {resource.resource_type: resource.kind for resource in RESOURCES}
_SECRET = re.compile(r"https?://|canary|X-Amz|Traceback|ClientToken=(?!\*)", re.IGNORECASE)
_MEMBERS = {
    "dataset": (),
    "model": ("LabelsInputConfiguration", "RoleArn"),
    "inference-scheduler": (
        "ModelName",
        "DataUploadFrequency",
        "DataDelayOffsetInMinutes",
        "DataInputConfiguration",
        "DataOutputConfiguration",
        "RoleArn",
    ),
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
    abandoned = {live.physical_id for live in stack.abandoned}
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
        assert now[arn][1] == labels, f"I3: {arn} belongs to somebody else and has other tags"


def _only_deletes_destroy(world: World) -> None:
    for change in world.changes:
        if not change.operation.startswith("Delete"):
            continue
        event = change.event
        assert event is not None, f"I3: {change.operation} outside any event"
        request = Request.parse(event)
        mine = change.target_tags.get(OWNER_TAG) == request.owner
        assert mine, f"I3: {change.operation} of {change.parameters} that is not tagged as ours"
        if request.type == "Delete":
            identity = PhysicalId.parse(request.physical_id)
            same = identity is None or identity.name in change.parameters.values()
            assert same, f"I3: Delete of {request.physical_id} removed {change.parameters}"
        else:
            undone = change.target_tags.get(REQUEST_TAG) == request.request_id
            assert undone, f"I3: {request.type} destroyed {change.parameters}"


def _one_job_per_request(world: World) -> None:
    requests = {
        json.dumps(
            [change.event[key] for key in ("StackId", "LogicalResourceId", "RequestId", "ResourceProperties")]
        )
        for change in world.changes
        if change.operation == "StartDataIngestionJob" and change.event
    }
    made = len(world.service.jobs)
    assert made <= len(requests), f"I4: {made} jobs for {len(requests)} requests"


def _as_desired(world: World, stack: Stack, logical: str, live: Live) -> None:
    """I6: the service holds what the template says."""
    kind = KINDS[live.type]
    resource = next(known for known in world.runner.resources if known.kind == kind)
    properties = resource.parse(world.runner.equipment, live.properties)
    name = properties.members[resource.name_member]
    assert live.physical_id == str(PhysicalId(kind=kind, name=name)), f"I5: {live.physical_id} for {name}"
    if kind == "ingestion":
        dataset = world.service.datasets[name].record
        wanted = properties.members["IngestionInputConfiguration"]
        assert dataset["IngestionInputConfiguration"] == wanted, f"I6: {name} holds other data"
        return
    things = {
        "dataset": world.service.datasets,
        "model": world.service.models,
        "inference-scheduler": world.service.schedulers,
    }
    thing = things[kind][name]
    assert thing.tags[OWNER_TAG] == f"{stack.id}/{logical}", "I6: another owner"
    _fields_as_desired(kind, properties, thing)


def _fields_as_desired(kind: str, properties: Properties, thing: Thing) -> None:
    users = {key: value for key, value in thing.tags.items() if not key.startswith(TAG_PREFIX)}
    assert users == tags(properties.members.get("Tags", ())), f"I6: tags {users}"
    for member in _MEMBERS[kind]:
        if member in properties.members:
            actual = thing.record.get(member)
            assert actual == properties.members[member], f"I6: {member} is {actual}"
    if kind == "inference-scheduler":
        running = thing.record["Status"] == "RUNNING"
        assert running == properties.running, f"I6: the scheduler is {thing.record['Status']}"
    if kind == "model" and properties.wait:
        assert thing.record["Status"] == "SUCCESS", f"I6: the model is {thing.record['Status']}"
    if kind == "dataset" and properties.schema:
        assert "Schema" in thing.record, "I6: no schema"


def _reasons_help(stack: Stack) -> None:
    """I8: a reason names the resource and what to do, and gives nothing away."""
    for reason in stack.reasons:
        if "Runtime exited" in reason or not reason:
            continue  # killed, or given up: not our words
        assert not _SECRET.search(reason), f"I8: {reason}"
        assert re.search(r"again|next deployment|in the next", reason), f"I8: no next step: {reason}"
        assert re.search(r"'[\w -]+'|Thing|l4e/v1", reason), f"I8: no resource: {reason}"


def _records_drain(world: World, stacks: Sequence[Stack]) -> None:
    """I11: a record either expires or belongs to a resource that lives."""
    alive = {
        (live.properties.get("DatasetName"), f"{stack.id}/{logical}")
        for stack in stacks
        for logical, live in stack.live.items()
    }
    lingering = {
        (live.properties.get("DatasetName"), stack.id) for stack in stacks for live in stack.abandoned
    }
    for key, (_, _, expires) in world.records.items.items():
        if expires is None:
            _, dataset, owner = key.split("/", 2)
            kept = (dataset, owner) in alive or (dataset, owner.rpartition("/")[0]) in lingering
            assert kept, f"I11: record {key} stays for ever"
