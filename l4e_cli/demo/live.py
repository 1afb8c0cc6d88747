"""Inference in a demo: sensor files for the coming windows, and the execution that reads them."""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from l4e_cli.demo.recording import ComponentRecording
from l4e_cli.errors import CliError
from l4e_cli.interval import Interval

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lookoutequipment import LookoutEquipmentClient
    from mypy_boto3_lookoutequipment.type_defs import InferenceExecutionSummaryTypeDef
    from mypy_boto3_s3 import S3Client

_LEAST_NOTICE = dt.timedelta(seconds=30)
"""A window that ends sooner is skipped, since its files might be written too late."""
_WINDOWS_BEFORE, _WINDOWS_AFTER = 1, 2
_ROWS_BEFORE = 60
_POLL_SECONDS = 2.0
_PATIENCE = dt.timedelta(seconds=90)
"""How long an execution may take; the emulator checks schedules every ten seconds only."""
ALARM_SECONDS = 30
"""How long alarms may take after an execution has ended: its metrics are sent then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A bucket and a prefix."""

    bucket: str
    prefix: str

    def uri(self, name: str = "") -> str:
        """Return the `s3://` address of the object `name` below it."""
        return f"s3://{self.bucket}/{self.prefix}{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A CloudWatch alarm on a metric, and its state."""

    name: str
    metric: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window of inference: after `start`, up to and including `end`."""

    start: dt.datetime
    length: dt.timedelta

    @property
    def end(self) -> dt.datetime:
        """Its last instant, at which the scheduler runs."""
        return self.start + self.length

    @classmethod
    def coming(cls, now: dt.datetime, length: dt.timedelta) -> "Window":
        """Return the first window that leaves time to write its files before the scheduler runs."""
        since_midnight = now - now.replace(hour=0, minute=0, second=0, microsecond=0)
        window = cls(start=now - since_midnight % length, length=length)
        return window if window.end - now >= _LEAST_NOTICE else cls(start=window.end, length=length)

    @property
    def interval(self) -> Interval:
        """The window in numpy's times."""
        return Interval(start=_numpy(self.start), end=_numpy(self.end))

    def neighbours(self) -> list["Window"]:
        """Return the windows to write files for: this one, one before it and two after it."""
        numbers = range(-_WINDOWS_BEFORE, _WINDOWS_AFTER + 1)
        return [Window(start=self.start + number * self.length, length=self.length) for number in numbers]


def covered(window: Window, step: np.timedelta64) -> Interval:
    """Return the time to write files for: the neighbours of `window`, and 60 rows before them."""
    windows = window.neighbours()
    return Interval(start=windows[0].interval.start - _ROWS_BEFORE * step, end=windows[-1].interval.end)


def write_files(s3: "S3Client", where: Location, window: Window, part: ComponentRecording) -> list[str]:
    """Write the files of one component for `window` and its neighbours, and return their names.

    The first file also holds the rows before it, because a new scheduler looks back.
    """
    written: list[str] = []
    for each in window.neighbours():
        start = each.interval.start if written else part.times.min()
        rows = part.between(Interval(start=start, end=each.interval.end - np.timedelta64(1, "ms")))
        if rows.times.size:
            name = f"{part.name}_{each.start:%Y%m%d%H%M%S}.csv"
            s3.put_object(Bucket=where.bucket, Key=where.prefix + name, Body=rows.to_csv())
            written.append(name)
    return written


def wait_for_execution(
    equipment: "LookoutEquipmentClient", scheduler: str, window: Window, *, show: Callable[[float], None]
) -> "InferenceExecutionSummaryTypeDef":
    """Wait until inference of `window` has ended, and return its execution.

    Args:
        equipment: client of the service.
        scheduler: name of the scheduler.
        window: the window.
        show: called again and again with the seconds until the scheduler runs, negative afterwards.

    Raises:
        CliError: when the execution did not end in time.
    """
    deadline = window.end + window.length + _PATIENCE
    while (now := dt.datetime.now(dt.UTC)) < deadline:
        show((window.end - now).total_seconds())
        if now > window.end:
            found = _execution(equipment, scheduler, window)
            if found is not None:
                return found
        time.sleep(_POLL_SECONDS if now > window.end else 0.5)
    raise CliError(
        f"no inference execution for the window from {window.start:%H:%M} to {window.end:%H:%M} UTC: "
        f"look at scheduler {scheduler} with `aws lookoutequipment describe-inference-scheduler`"
    )


def _execution(
    equipment: "LookoutEquipmentClient", scheduler: str, window: Window
) -> "InferenceExecutionSummaryTypeDef | None":
    request: dict[str, Any] = {"InferenceSchedulerName": scheduler, "DataStartTimeAfter": window.start}
    for execution in equipment.list_inference_executions(**request)["InferenceExecutionSummaries"]:
        if execution["DataStartTime"] == window.start and execution["Status"] != "IN_PROGRESS":
            return execution
    return None


def wait_for_alarms(
    cloudwatch: "CloudWatchClient", scheduler: str, expected: Mapping[str, str]
) -> list[Alarm]:
    """Return the alarms of a scheduler, as soon as they have the `expected` states or time is up.

    Args:
        cloudwatch: client of CloudWatch.
        scheduler: name of the scheduler.
        expected: states by the names of metrics; alarms on other metrics are not waited for.
    """
    deadline = time.monotonic() + ALARM_SECONDS
    while True:
        found = list(_alarms(cloudwatch, scheduler))
        as_expected = all(alarm.state == expected.get(alarm.metric, alarm.state) for alarm in found)
        if as_expected or time.monotonic() > deadline:
            return found
        time.sleep(_POLL_SECONDS)


def _alarms(cloudwatch: "CloudWatchClient", scheduler: str) -> Iterator[Alarm]:
    for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"]):
        for alarm in page["MetricAlarms"]:
            if any(dimension["Value"] == scheduler for dimension in alarm.get("Dimensions", [])):
                yield Alarm(name=alarm["AlarmName"], metric=alarm["MetricName"], state=alarm["StateValue"])


def _numpy(time_: dt.datetime) -> np.datetime64:
    return np.datetime64(time_.replace(tzinfo=None), "ms")
