"""Whatever happens to a scheduler, every row that had a chance is scored once or its window has failed.

Real operations and the real loop of the inference function, on records in memory: updates, stops, starts,
late and repeated wakes, clocks that are set, windows that fail, calls that are killed before any of their
writes.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from service.clock import iso_seconds
from service.context import Context
from service.errors import ApiError
from service.jobs import infer
from service.jobs.failure import JobFailed
from service.jobs.inference import loop
from service.jobs.inference.claim import window_of
from service.jobs.inference.execution import InferenceResult
from service.jobs.runtime import Runtime
from service.members.durations import seconds
from service.operations import inference_executions, schedulers
from service.schedulers.inference_windows import InferenceWindow, inferred_until, is_due, next_window
from service.settings import Environment
from service.storage.names import MODEL, SCHEDULER, executions_of
from service.storage.store import Item
from tests.service.memory import ScheduleGroup, Table
from tests.service.mortal import Fate, Killed, Mortal

ACCOUNT = "000000000000"
FREQUENCIES = ("PT5M", "PT10M", "PT15M", "PT30M", "PT1H")
CELL = 300
NAME = {"InferenceSchedulerName": "watch"}

frequencies = st.sampled_from(FREQUENCIES)
delays = st.sampled_from([0, 1, 5, 17, 60])
writes = st.integers(0, 4)
endings = st.sampled_from(["succeeds", "succeeds", "has no file", "has a bug"])
operations = st.sampled_from(["start", "stop", "update", "describe"])


@dataclass(frozen=True)
class Stop:
    """A time in which the scheduler was stopped, with the settings at its beginning and its end."""

    since: float
    length: int
    delay: int
    until: float = float("inf")
    delay_after: int = 0

    def excuses(self, cell: int) -> bool:
        """Return whether the rows of a cell were not due when it began, and past when it ended."""
        segment_end = (cell // self.length + 1) * self.length
        return segment_end + self.delay > self.since and cell + CELL + self.delay_after <= self.until


class Sequences(RuleBasedStateMachine):
    """A scheduler that all kinds of things happen to."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 3, 1, 9, 2, tzinfo=UTC)
        self.latest = self.now
        self.fate = Fate()
        self.schedules = ScheduleGroup()
        self.stops: list[Stop] = []
        self.results: dict[str, set[InferenceWindow]] = {}
        self.ending = "succeeds"
        self.during: Callable[[], None] | None = None
        self.missed = 0.0
        machine = f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:ingest"
        environment = Environment.read(
            {
                "L4E_ACCOUNT": ACCOUNT,
                "L4E_TABLE": "",
                "L4E_BUCKET": "",
                "L4E_METRIC_NAMESPACE": "",
                "L4E_INGEST_STATE_MACHINE": machine,
                "L4E_SCHEDULE_GROUP": "group",
            }
        )
        self.patches = pytest.MonkeyPatch()
        self.patches.setattr(loop, "infer", self._infer)
        for name in ("service.jobs", loop.__name__, schedulers.__name__):
            self.patches.setattr(logging.getLogger(name), "disabled", True)
        function = SimpleNamespace(invoke=lambda **_: {"Payload": BytesIO(b'{"Refusal": null}')})
        nothing: Any = None
        clients: Mapping[str, Any] = {
            "dynamodb": Mortal(Table(), self.fate),
            "scheduler": Mortal(self.schedules, self.fate),
            "lambda": function,
        }
        self.context = Context.create(environment, clients.get, lambda: self.now)
        self.store = self.context.store
        metrics: Any = SimpleNamespace(put_metric_data=self._count_missed)
        bus: Any = SimpleNamespace(put_events=lambda Entries: {"Entries": [{}] * len(Entries)})  # noqa: N803
        self.runtime = Runtime(
            store=self.store,
            settings=environment.settings,
            s3=nothing,
            sts=nothing,
            cloudwatch=metrics,
            events=bus,
            bucket="",
            metric_namespace="",
            capacity=nothing,
            clock=lambda: self.now,
        )

    @initialize(frequency=frequencies, delay=delays, minutes=st.integers(0, 70), earlier=st.booleans())
    def create(self, frequency: str, delay: int, minutes: int, *, earlier: bool) -> None:
        self.now += timedelta(minutes=minutes)
        self.store.create(
            {
                "pk": MODEL,
                "sk": "wear",
                "uuid": "m",
                "ModelName": "wear",
                "ModelArn": "arn",
                "Status": "SUCCESS",
                "ActiveModelVersion": 1,
            }
        )
        schedulers.create_inference_scheduler(
            self.context,
            {
                **NAME,
                "ModelName": "wear",
                "DataUploadFrequency": frequency,
                "DataDelayOffsetInMinutes": delay,
                "DataInputConfiguration": {"S3InputConfiguration": {"Bucket": "b"}},
                "DataOutputConfiguration": {"S3OutputConfiguration": {"Bucket": "b"}},
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/lookoutequipment/access",
                "ClientToken": "t",
            },
        )
        self.begin = int(self.record["inferredUntil"])
        if earlier:  # as the release before wrote it
            segment_end = self.begin + seconds(frequency)
            self.store.update(SCHEDULER, "watch", {"nextSegmentEnd": segment_end}, remove=["inferredUntil"])

    @rule(by=st.integers(1, 2400))
    def time_passes(self, by: int) -> None:
        self.now += timedelta(seconds=by)

    @rule(hours=st.integers(1, 60))
    def nothing_wakes_it_for_hours(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(minutes=st.integers(1, 45))
    def the_clock_is_set_back(self, minutes: int) -> None:
        self.latest = max(self.latest, self.now)
        self.now -= timedelta(minutes=minutes)

    @rule(ending=endings, seconds_left=st.sampled_from([10.0, 900.0]))
    def wake(self, ending: str, seconds_left: float) -> None:
        self.ending = ending
        uuid = self.record["uuid"]
        infer.run(self.runtime, {**NAME, "Uuid": uuid}, seconds_left=lambda: seconds_left)
        self.ending = "succeeds"

    @rule(ending=endings, left=writes)
    def wake_and_kill(self, ending: str, left: int) -> None:
        self._killed(left, lambda: self.wake(ending, 900.0))

    @rule(ending=endings)
    def wake_and_kill_while_scoring(self, ending: str) -> None:
        def die() -> None:
            raise Killed

        self.during = die
        self._killed(None, lambda: self.wake(ending, 900.0))
        self.during = None

    @rule(operation=operations, frequency=frequencies, delay=delays)
    def operate(self, operation: str, frequency: str, delay: int) -> None:
        with suppress(ApiError):
            self._call(operation, frequency, delay)
        self._note_stops()

    @rule(operation=operations, frequency=frequencies, delay=delays, left=writes)
    def operate_and_kill(self, operation: str, frequency: str, delay: int, left: int) -> None:
        self._killed(left, lambda: self.operate(operation, frequency, delay))
        self._note_stops()

    @rule(operation=operations, frequency=frequencies, delay=delays)
    def operate_while_scoring(self, operation: str, frequency: str, delay: int) -> None:
        def operate() -> None:
            self.during = None
            self.operate(operation, frequency, delay)

        self.during = operate
        self.wake("succeeds", 900.0)
        self.during = None

    @rule()
    def list_executions(self) -> None:
        inference_executions.list_inference_executions(self.context, dict(NAME))

    @rule(ending=endings)
    def wake_twice_at_once(self, ending: str) -> None:
        def again() -> None:
            self.during = None
            self.wake(ending, 900.0)

        self.during = again
        self.wake(ending, 900.0)
        self.during = None

    @rule()
    def the_schedule_disappears(self) -> None:
        self.schedules.schedules.clear()

    @invariant()
    def no_row_is_in_two_executions(self) -> None:
        ends = [window.end for window in self._windows()]
        starts = [window.start for window in self._windows()]
        assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))

    @invariant()
    def a_result_is_of_one_window(self) -> None:
        assert all(len(windows) == 1 for windows in self.results.values())

    def teardown(self) -> None:
        try:
            if self.store.get(SCHEDULER, "watch") is not None:
                self._nothing_sticks_and_nothing_is_lost()
        finally:
            self.patches.undo()

    def _nothing_sticks_and_nothing_is_lost(self) -> None:
        self.now = max(self.now, self.latest)  # it was set right
        self.operate("start", "PT5M", 0)
        described = schedulers.describe_inference_scheduler(self.context, NAME)
        assert described["Status"] == "RUNNING"
        (schedule,) = self.schedules.schedules.values()
        assert schedule["State"] == "ENABLED"
        for _ in range(6):
            self.now += timedelta(minutes=65)
            self.wake("succeeds", 900.0)
        record = self.record
        assert not is_due(record, next_window(record), now=self.now.timestamp())
        executions = self.store.all(executions_of(record["uuid"]))
        assert {one["Status"] for one in executions} <= {"SUCCESS", "FAILED"}
        covered = {cell for window in self._windows() for cell in range(window.start, window.end, CELL)}
        lost = [
            iso_seconds(cell)
            for cell in range(self.begin, inferred_until(record), CELL)
            if cell not in covered and not any(stop.excuses(cell) for stop in self.stops)
        ]
        assert lost == []
        reasons = [one.get("FailedReason", "") for one in self.store.all(executions_of(record["uuid"]))]
        assert sum("missed: nothing inferred" in reason for reason in reasons) == self.missed
        self.operate("stop", "PT5M", 0)
        (schedule,) = self.schedules.schedules.values()
        assert schedule["State"] == "DISABLED"

    @property
    def record(self) -> Item:
        found = self.store.get(SCHEDULER, "watch")
        assert found is not None
        return found

    def _windows(self) -> list[InferenceWindow]:
        scheduler = self.store.get(SCHEDULER, "watch")
        return (
            []
            if scheduler is None
            else [window_of(one) for one in self.store.all(executions_of(scheduler["uuid"]))]
        )

    def _call(self, operation: str, frequency: str, delay: int) -> None:
        if operation == "update":
            request = {**NAME, "DataUploadFrequency": frequency, "DataDelayOffsetInMinutes": delay}
            schedulers.update_inference_scheduler(self.context, request)
        else:
            schedulers.OPERATIONS[f"{operation.title()}InferenceScheduler"](self.context, dict(NAME))

    def _killed(self, left: int | None, work: Callable[[], None]) -> None:
        self.fate.at = None if left is None else len(self.fate.done) + left
        with suppress(Killed):
            work()
        self.fate.at = None
        self.ending = "succeeds"

    def _infer(self, _: Runtime, *, window: InferenceWindow, **__: Any) -> InferenceResult:
        if self.during is not None:
            self.during()
        if self.ending == "has no file":
            raise JobFailed("no file")
        if self.ending == "has a bug":
            raise LookupError("bug")
        key = iso_seconds(window.start)
        self.results.setdefault(key, set()).add(window)
        return InferenceResult(location={"Key": key}, anomalous=False, notices=(), events=(), bus_events=())

    def _count_missed(self, *, MetricData: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803
        self.missed += any(one["MetricName"] == "InferenceMissed" for one in MetricData)

    def _note_stops(self) -> None:
        record, now = self.record, self.now.timestamp()
        stopped = record["Status"] in {"STOPPING", "STOPPED"}
        delay = int(record.get("DataDelayOffsetInMinutes", 0)) * 60
        open_stop = self.stops[-1] if self.stops and self.stops[-1].until == float("inf") else None
        if stopped and open_stop is None:
            self.stops.append(Stop(now, seconds(record["DataUploadFrequency"]), delay))
        elif not stopped and open_stop is not None:
            began = (open_stop.since, open_stop.length, open_stop.delay)
            self.stops[-1] = Stop(*began, until=now, delay_after=delay)


TestSequences = Sequences.TestCase
TestSequences.settings = settings(max_examples=150, stateful_step_count=30)


def test_a_window_that_was_begun_before_the_clock_was_set_back_reaches_its_end() -> None:
    machine = Sequences()
    machine.create("PT30M", 0, 0, earlier=False)
    machine.time_passes(1800)
    machine.wake_and_kill_while_scoring("succeeds")
    machine.the_clock_is_set_back(40)
    machine.operate("stop", "PT5M", 0)
    machine.time_passes(2400)
    machine.operate("start", "PT5M", 0)
    machine.teardown()
