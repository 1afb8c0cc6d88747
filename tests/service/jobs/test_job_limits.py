"""Records of inference within what a table and the API take, however many sensors and notices there are."""

import json
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from engine import LevelMoved, Notice
from service.clock import iso_seconds
from service.jobs.inference.event_records import mark_moved_levels
from service.jobs.inference.event_tracking import InferenceEvent, event_members
from service.jobs.inference.execution import InferenceResult
from service.jobs.inference.execution_end import ExecutionEnd
from service.members.shortening import longest
from service.storage.names import events_of, new_uuid
from service.storage.store import Create, _encoded
from tests.aws_limits import (
    ITEM_BYTES,
    STATE_BYTES,
    VARIABLES_BYTES,
    OverLimitError,
    item_bytes,
    require_deployed,
)
from tests.embedded import ACCOUNT, EmbeddedAws
from tests.service.jobs.world import World
from tests.waiting import ended_execution

START = datetime(2026, 1, 1)  # noqa: DTZ001 - naive UTC, as events have it
SENSORS = tuple(f"{'c' * 200}\\{'s' * 190}{number}" for number in range(300))


def ended(notices: int, letters: int) -> ExecutionEnd:
    found = [
        Notice(kind="level", sensor=SENSORS[number % 300], text=f"{number} {'t' * letters}")
        for number in range(notices)
    ]
    result = InferenceResult(
        location={"Bucket": "b", "Key": "k"}, anomalous=False, notices=tuple(found), events=(), bus_events=()
    )
    return ExecutionEnd(result=result)


@pytest.mark.parametrize(("notices", "letters"), [(300, 600), (5000, 40), (3, 200_000)])
def test_a_record_has_as_many_notices_as_fit_and_counts_the_others(notices: int, letters: int) -> None:
    end = ended(notices, letters)
    *kept, last = end.record["notices"]
    assert kept == end.notices[: len(kept)]
    assert last["kind"] == "left-out"
    assert last["text"] == f"{notices - len(kept):,} more notices are in the log of the inference function"
    assert item_bytes(_encoded(end.record)) < ITEM_BYTES / 2
    assert len(end.notices) == notices  # metrics and log have all


def test_a_record_of_few_notices_has_them_all() -> None:
    end = ended(100, 100)
    assert end.record["notices"] == end.notices


def event() -> dict[str, Any]:
    sums = tuple(float(number) for number in range(1, 301))
    found = InferenceEvent(start=START, end=START + timedelta(hours=1), rows=60, sums=sums)
    return event_members(found, sensors=SENSORS, step=timedelta(minutes=1), fault=None)


def test_an_event_of_many_sensors_with_long_names_keeps_the_largest_shares() -> None:
    found = event()
    shares = json.loads(found["Diagnostics"])
    assert len(found["Diagnostics"]) <= longest()
    assert [share["name"] for share in shares] == list(SENSORS[-len(shares) :])
    assert 100 < len(shares) < 300


@pytest.mark.parametrize("number", [0, 299], ids=["a sensor left out", "a sensor with a share"])
@pytest.mark.parametrize("stored", [False, True], ids=["new event", "stored event"])
def test_a_level_that_moves_is_marked_whatever_is_left_out(
    world: World, number: int, *, stored: bool
) -> None:
    scheduler = {"uuid": new_uuid()}
    item = {"pk": events_of(scheduler["uuid"]), **event()}
    item["sk"] = iso_seconds(item["EventStartTime"])
    if stored:
        world.runtime.store.create(item)
    since = START + timedelta(minutes=30)
    moved = LevelMoved(sensor=SENSORS[number], since=np.datetime64(since, "us"), expected=1.0, reads=2.0)
    (write,) = mark_moved_levels(world.runtime, scheduler, [] if stored else [Create(item)], [moved])
    text = (write.item if isinstance(write, Create) else write.set)["Diagnostics"]
    assert len(text) <= longest()
    marked = [share["name"] for share in json.loads(text) if "level_moved_since" in share]
    assert marked == [SENSORS[number]]


def test_a_state_that_hands_on_too_much_is_seen_afterwards(jobs_aws: EmbeddedAws) -> None:
    """What end-to-end tests look at when all is done."""
    functions, machines = jobs_aws.client("lambda"), jobs_aws.client("stepfunctions")
    require_deployed(functions, machines)
    state = {"Type": "Pass", "Result": "x" * STATE_BYTES, "End": True}
    made = machines.create_state_machine(
        name=f"large-{new_uuid()}",
        definition=json.dumps({"StartAt": "Large", "States": {"Large": state}}),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine",
    )
    try:
        started = machines.start_execution(stateMachineArn=made["stateMachineArn"], input="{}")
        ended_execution(machines, started["executionArn"])
        with pytest.raises(OverLimitError, match=r"bytes of the output of a state of .*large-"):
            require_deployed(functions, machines)
    finally:
        machines.delete_state_machine(stateMachineArn=made["stateMachineArn"])


def test_variables_that_do_not_fit_are_seen_afterwards() -> None:
    class Functions:
        def get_paginator(self, _: str) -> "Functions":
            return self

        def paginate(self) -> list[dict[str, Any]]:
            variables = {"Variables": {"L4E_SETTINGS": "x" * VARIABLES_BYTES}}
            return [{"Functions": [{"FunctionName": "api", "Environment": variables}]}]

    with pytest.raises(OverLimitError, match="bytes of the variables of api: 4,116,"):
        require_deployed(Functions(), None)
