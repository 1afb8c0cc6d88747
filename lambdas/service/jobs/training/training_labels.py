"""The labels of a training: periods of abnormal behaviour, and what a user should know of them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine import Interval, merge_intervals
from l4e_files.label_periods import FORM, LabelPeriod, read_labels
from l4e_files.unusable import UnusableFile
from service.clock import moment
from service.jobs.failure import JobFailed
from service.jobs.times import instant_of
from service.locations import prefix_mistake
from service.training_windows import TimeSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A period of a label file."""

    file: str
    period: LabelPeriod

    def lies_in(self, span: TimeSpan) -> bool:
        """Return whether any of the period lies in a span."""
        return _overlaps(self.period.start, self.period.end, span)

    def lies_in_when_swapped(self, span: TimeSpan) -> bool:
        """Return whether any of it would, if day and month were read the other way round."""
        return self.period.swapped is not None and _overlaps(*self.period.swapped, span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """All labels of a training, and notes about how they were read."""

    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def intervals(self) -> list[Interval]:
        """The periods, overlapping ones joined."""
        return merge_intervals(
            [(instant_of(label.period.start), instant_of(label.period.end)) for label in self.labels]
        )

    def report(self, *, data: TimeSpan, windows: Sequence[TimeSpan]) -> dict[str, Any] | None:
        """Return what a user should know: labels that count for nothing, and readings that were taken.

        Args:
            data: the extent of all data of the dataset.
            windows: the windows that the model is trained and evaluated on.

        Returns:
            Members of a document; None when there is nothing to say.
        """
        outside: list[Label] = []
        unused: list[Label] = []
        for label in self.labels:
            if not label.lies_in(data):
                outside.append(label)
            elif not any(label.lies_in(window) for window in windows):
                unused.append(label)
        notes = [*self.notes, *_outside_notes(outside, len(self.labels), data), *_unused_notes(unused)]
        if not notes:
            return None
        return {
            "num_labels": len(self.labels),
            "num_outside_data": len(outside),
            "num_outside_windows": len(unused),
            "notes": notes,
        }


def read_label_file(name: str, data: bytes) -> Labels:
    """Return the labels of one file.

    Raises:
        JobFailed: naming the file, the line, the rule and the fix.
    """
    try:
        found = read_labels(data)
    except UnusableFile as error:
        text = str(error)
        what = f", {text}" if text.startswith("line ") else f": {text}, or move it out of the label prefix"
        raise JobFailed(f"label file '{name}'{what}; correct the file and create the model again") from error
    return Labels(
        labels=tuple(Label(file=name, period=period) for period in found.periods),
        notes=tuple(f"label file '{name}': {note}" for note in found.notes),
    )


def none_found(bucket: str, prefix: str, keys: Sequence[str]) -> JobFailed:
    """Return the failure for a label location without a single label."""
    found = f"{len(keys)} files there hold no label" if keys else "no file is there"
    mistake = None if keys else prefix_mistake(prefix, bucket=bucket)
    fix = "Upload label files there" if mistake is None else f"Correct Prefix ({mistake})"
    return JobFailed(
        f"no labels in 's3://{bucket}/{prefix}': {found}; {FORM}. {fix}, or leave out "
        "LabelsInputConfiguration"
    )


def _overlaps(start: datetime, end: datetime, span: TimeSpan) -> bool:
    return start <= moment(span.end) and end >= moment(span.start)


def _outside_notes(outside: Sequence[Label], total: int, data: TimeSpan) -> Iterator[str]:
    if not outside:
        return
    swapped = sum(label.lies_in_when_swapped(data) for label in outside)
    hint = (
        f" {swapped:,} of them would lie in it with the day read first: write dates as 2020-02-01"
        if swapped
        else " Correct their dates, or ingest the data of that time"
    )
    yield (
        f"{len(outside):,} of {total:,} labels lie outside all data, which is from {data}, and count for "
        f"nothing: {_example(outside)}.{hint}"
    )


def _unused_notes(unused: Sequence[Label]) -> Iterator[str]:
    if unused:
        yield (
            f"{len(unused):,} labels lie in the data, but neither in the training nor in the evaluation "
            f"window, and count for nothing: {_example(unused)}. Choose windows that hold them"
        )


def _example(labels: Sequence[Label]) -> str:
    first = labels[0]
    return (
        f"line {first.period.line} of '{first.file}', '{first.period.text}', read as "
        f"{first.period.start:%Y-%m-%dT%H:%M:%SZ} to {first.period.end:%Y-%m-%dT%H:%M:%SZ}"
    )
