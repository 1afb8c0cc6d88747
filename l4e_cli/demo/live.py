"""The fresh half of a demo: sensor files for the coming windows, and what inference makes of them."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from l4e_cli.demo.recording import ComponentRecording, Interval
from l4e_cli.errors import CliError

if TYPE_CHECKING:
    from mypy_boto3_lookoutequipment import LookoutEquipmentClient
    from mypy_boto3_lookoutequipment.type_defs import InferenceExecutionSummaryTypeDef
    from mypy_boto3_s3 import S3Client

_LEAST_NOTICE = dt.timedelta(seconds=30)
"""A window that ends sooner is left to the next one: files must be there, and the schedule armed, in time."""
_WINDOWS_BEFORE, _WINDOWS_AFTER = 1, 2
_ROWS_BEFORE = 60
_POLL_SECONDS = 2.0
_PATIENCE = dt.timedelta(seconds=90)
"""How long after its wake an execution may take: the emulator looks at schedules every ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A bucket and a prefix."""

    bucket: str
    prefix: str

    def uri(self, name: str = "") -> str:
        """The ``s3://`` address of the object ``name`` below it."""
        return f"s3://{self.bucket}/{self.prefix}{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One segment of the day that inference looks at: after ``start``, up to ``end``."""

    start: dt.datetime
    length: dt.timedelta

    @property
    def end(self) -> dt.datetime:
        """Its last instant, and the wake of the scheduler."""
        return self.start + self.length

    @classmethod
    def coming(cls, now: dt.datetime, length: dt.timedelta) -> "Window":
        """The first window whose wake leaves time to write its files."""
        since_midnight = now - now.replace(hour=0, minute=0, second=0, microsecond=0)
        window = cls(start=now - since_midnight % length, length=length)
        return window if window.end - now >= _LEAST_NOTICE else cls(start=window.end, length=length)

    @property
    def interval(self) -> Interval:
        """The window for numpy."""
        return Interval(start=_numpy(self.start), end=_numpy(self.end))

    def neighbours(self) -> list["Window"]:
        """The windows that get files: this one, one before it and some after it, should a wake be missed."""
        numbers = range(-_WINDOWS_BEFORE, _WINDOWS_AFTER + 1)
        return [Window(start=self.start + number * self.length, length=self.length) for number in numbers]


def covered(window: Window, step: np.timedelta64) -> Interval:
    """The time files are written for: the neighbours, and rows every ``step`` before them to look back."""
    windows = window.neighbours()
    return Interval(start=windows[0].interval.start - _ROWS_BEFORE * step, end=windows[-1].interval.end)


def write_files(s3: "S3Client", where: Location, window: Window, part: ComponentRecording) -> list[str]:
    """Write the files of one component for ``window`` and its neighbours; returns their names.

    The first file also holds the rows before it: the model looks back when it has no memory yet.
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
    """Wait until inference of ``window`` has ended; ``show`` is told the seconds to its wake all the while.

    Raises:
        CliError: it did not end in time.
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


def _numpy(time_: dt.datetime) -> np.datetime64:
    return np.datetime64(time_.replace(tzinfo=None), "ms")
