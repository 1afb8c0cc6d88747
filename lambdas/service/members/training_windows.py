"""The time windows that a model is trained and evaluated on: in what of them its sensors have data.

What is wrong with a window is said by exceptions that carry the facts; API and jobs put them into words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Self

from service.clock import iso_seconds

WindowKind = Literal["Training", "Evaluation"]
"""As in the names of the API's members: `TrainingDataStartTime`."""

LEAST_DAYS, ADVISED_DAYS = 90, 180
"""Training below which a model is rarely useful, and what the user guide of L4E asks for."""

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan:
    """A stretch of time. `start` and `end` are epoch seconds, as requests and records have them."""

    start: Decimal
    end: Decimal

    @property
    def days(self) -> float:
        """Length in days."""
        return float((self.end - self.start) / _DAY)

    def joined(self, other: "TimeSpan") -> "TimeSpan":
        """Return the span from the earlier start to the later end."""
        return TimeSpan(start=min(self.start, other.start), end=max(self.end, other.end))

    def shared(self, other: "TimeSpan") -> "TimeSpan":
        """Return the time that is in both spans; without any, an empty span where the later one starts."""
        start = max(self.start, other.start)
        return TimeSpan(start=start, end=max(start, min(self.end, other.end)))

    def __str__(self) -> str:
        return f"{iso_seconds(self.start)} to {iso_seconds(self.end)}"

    @classmethod
    def of_data(cls, record: Mapping[str, Any]) -> Self:
        """Return what the data of a dataset or of an ingestion job covers."""
        return cls(start=record["DataStartTime"], end=record["DataEndTime"])


def covered_days(window: TimeSpan, spans: Iterable[TimeSpan]) -> float:
    """Return how many days of a window lie in any of the spans."""
    total, reached = Decimal(0), window.start
    for span in sorted(spans, key=lambda each: each.start):
        start, end = max(span.start, reached), min(span.end, window.end)
        total += max(end - start, Decimal(0))
        reached = max(reached, end)
    return float(total / _DAY)


class WindowError(Exception):
    """A window that a model cannot be trained or evaluated on."""


class WindowWithoutDataError(WindowError):
    """No data lies in a window."""

    def __init__(self, kind: WindowKind, window: TimeSpan) -> None:
        """Keep which window it is, uncut."""
        super().__init__(kind, window)
        self.kind = kind
        self.window = window


class WindowTooShortError(WindowError):
    """The data in the training window covers less time than a model needs."""

    def __init__(self, window: TimeSpan) -> None:
        """Keep the window, cut to the data."""
        super().__init__(window)
        self.window = window


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWindows:
    """The windows of a training, cut to the data. `evaluation` is None when none was asked for."""

    training: TimeSpan
    evaluation: TimeSpan | None

    @property
    def whole(self) -> TimeSpan:
        """The time from the start of the training to the end of the evaluation, if there is one."""
        return self.training if self.evaluation is None else self.training.joined(self.evaluation)

    @classmethod
    def of(cls, record: Mapping[str, Any], *, data: TimeSpan, minimum_days: float | None) -> Self:
        """Return the windows that a request or the record of a version asks for, as far as there is data.

        Where a start or an end is missing, training uses all data before the evaluation.

        Args:
            record: has the members `TrainingDataStartTime` and so on, or some of them.
            data: when the sensors of the model have data.
            minimum_days: least length of the training window; None is no limit.

        Raises:
            WindowWithoutDataError: when no data lies in one of the windows.
            WindowTooShortError: when the training window is shorter than `minimum_days`.
        """
        start, end = _requested(record, "Evaluation")
        evaluation = None
        if start is not None or end is not None:
            evaluation = _cut("Evaluation", start, end, data)
        first, last = _requested(record, "Training")
        training = _cut("Training", first, start if last is None else last, data)
        if minimum_days is not None and training.days < minimum_days:
            raise WindowTooShortError(training)
        return cls(training=training, evaluation=evaluation)


def _requested(record: Mapping[str, Any], kind: WindowKind) -> tuple[Decimal | None, Decimal | None]:
    return record.get(f"{kind}DataStartTime"), record.get(f"{kind}DataEndTime")


def _cut(kind: WindowKind, start: Decimal | None, end: Decimal | None, data: TimeSpan) -> TimeSpan:
    asked = TimeSpan(
        start=data.start if start is None else start,
        end=data.end if end is None else end,
    )
    found = asked.shared(data)
    if found.start >= found.end:
        raise WindowWithoutDataError(kind, asked)
    return found
