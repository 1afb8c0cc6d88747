"""The labels of a training: periods that people have rated, and what a user should know of them. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any, Self

from engine import Interval, merge_intervals
from l4e_files.label_periods import FORM, LabelPeriod, read_labels
from l4e_files.unusable import UnusableFile
from service.clock import moment
from service.jobs.failure import JobFailed
from service.jobs.times import instant_of
from service.members.locations import prefix_mistake
from service.members.training_windows import TimeSpan, covered_days

ANOMALY, NO_ANOMALY, NEUTRAL = "ANOMALY", "NO_ANOMALY", "NEUTRAL"
"""Ratings: a fault, surely none, and nobody knows. Those of label files are faults."""

_INSTANT = timedelta(microseconds=1)
"""What a label of one row lasts: periods that only touch do not overlap."""

_MOST = 0.5
"""Share of the training window that labels may cover without a remark."""

_BEYOND = timedelta(days=30)
"""How far a label may reach beyond all data without a remark: a wrong year or month takes it farther."""

_MOST_BYTES = 64 << 20
"""The largest label file: half a million lines and more."""

OVERLAPPING, CONTRADICTING = "labels-overlap", "labels-contradict"
OUTSIDE_DATA, OUTSIDE_WINDOWS = "labels-outside", "labels-unused"
BEYOND_DATA = "labels-beyond"
MOST_OF_TRAINING, ALL_OF_TRAINING = "labels-cover-most", "labels-cover-all"
"""Rules of remarks about labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A period of a label file or of a label group.

    Attributes:
        place: where it stands, for messages.
        start: its start in UTC.
        end: its end in UTC, not before the start.
        rating: `ANOMALY`, `NO_ANOMALY` or `NEUTRAL`.
        fault_code: its fault code, if it has one.
        swapped: start and end with day and month the other way round, where a file allows both readings.
    """

    place: str
    start: datetime
    end: datetime
    rating: str = ANOMALY
    fault_code: str | None = None
    swapped: tuple[datetime, datetime] | None = None

    @classmethod
    def of_file(
        cls, file: str, period: LabelPeriod, *, rating: str = ANOMALY, fault_code: str | None = None
    ) -> Self:
        """Return the label that a line of a file stands for."""
        return cls(
            place=f"line {period.line} of '{file}', '{period.text}'",
            start=period.start,
            end=period.end,
            rating=rating,
            fault_code=fault_code,
            swapped=period.swapped,
        )

    @classmethod
    def of_group(cls, group: str, label: Mapping[str, Any]) -> Self:
        """Return a label of a label group, from members of the API."""
        return cls(
            place=f"label {label['LabelId']} of the label group '{group}'",
            start=moment(label["StartTime"]),
            end=moment(label["EndTime"]),
            rating=label["Rating"],
            fault_code=label.get("FaultCode"),
        )

    @property
    def interval(self) -> Interval:
        """The period as the engine takes it."""
        return instant_of(self.start), instant_of(self.end)

    def lies_in(self, span: TimeSpan) -> bool:
        """Return whether any of the period lies in a span."""
        return _overlaps(self.start, self.end, span)

    def lies_in_when_swapped(self, span: TimeSpan) -> bool:
        """Return whether any of it would, if day and month were read the other way round."""
        return self.swapped is not None and _overlaps(*self.swapped, span)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRemark:
    """What a user should know of labels: name of the rule, number of labels it is about, a sentence."""

    rule: str
    count: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """All labels of a training, and notes about how they were read."""

    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()

    def plus(self, others: "Labels") -> "Labels":
        """Return these labels and others."""
        return Labels(labels=self.labels + others.labels, notes=self.notes + others.notes)

    def rated(self, rating: str) -> list[Interval]:
        """Return the periods with a rating, overlapping ones joined."""
        return merge_intervals(label.interval for label in self.labels if label.rating == rating)

    @property
    def by_fault_code(self) -> dict[str, list[Interval]]:
        """The periods of faults by their code, of those that have one; overlapping ones joined."""
        codes = sorted({label.fault_code for label in self.labels if label.fault_code is not None})
        return {
            code: merge_intervals(
                label.interval
                for label in self.labels
                if label.fault_code == code and label.rating == ANOMALY
            )
            for code in codes
        }

    def report(self, *, data: TimeSpan, windows: Sequence[TimeSpan]) -> dict[str, Any] | None:
        """Return what a user should know: labels that count for nothing, and readings that were taken.

        Args:
            data: the extent of all data of the model's sensors.
            windows: the windows that the model is trained and evaluated on, that of the training first.

        Returns:
            Members of a document; None when there is nothing to say.
        """
        remarks = list(self.remarks(data=data, windows=windows))
        counts = {remark.rule: remark.count for remark in remarks}
        notes = [*self.notes, *(remark.text for remark in remarks)]
        ratings = Counter(label.rating for label in self.labels)
        if not notes and not ratings.keys() - {ANOMALY}:
            return None
        return {
            "num_labels": len(self.labels),
            "num_no_anomaly": ratings[NO_ANOMALY],
            "num_neutral": ratings[NEUTRAL],
            "num_outside_data": counts.get(OUTSIDE_DATA, 0),
            "num_outside_windows": counts.get(OUTSIDE_WINDOWS, 0),
            "notes": notes,
        }

    def remarks(self, *, data: TimeSpan, windows: Sequence[TimeSpan]) -> Iterator[LabelRemark]:
        """Yield what is to be said about labels that count for nothing, or not as they stand there.

        Args:
            data: as of `report`.
            windows: as of `report`.
        """
        outside = [label for label in self.labels if not label.lies_in(data)]
        unused = [
            label
            for label in self.labels
            if label.lies_in(data) and not any(label.lies_in(window) for window in windows)
        ]
        yield from _overlap_remarks(self.labels)
        yield from _contradiction_remarks(self.labels)
        yield from _outside_remarks(outside, len(self.labels), data)
        yield from _unused_remarks(unused)
        if windows:
            covering = list(_covering_remarks(self.labels, windows[0].shared(data)))
            yield from covering or _reaching_remarks(self.labels, data)


def too_large(size: int) -> str | None:
    """Return why a label file of `size` bytes is not read, None if it is."""
    if size <= _MOST_BYTES:
        return None
    return (
        f"has {size:,} bytes, more than the {_MOST_BYTES:,} that a label file may have: if it holds sensor "
        "data, move it out of the label prefix"
    )


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
        labels=tuple(Label.of_file(name, period) for period in found.periods),
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


def _end(label: Label) -> datetime:
    """Return the end of a label, a moment after its start if it is of one row."""
    return max(label.end, label.start + _INSTANT)


def _later_end(one: Label, other: Label) -> Label:
    return other if other.end > one.end else one


def _overlap_remarks(labels: Sequence[Label]) -> Iterator[LabelRemark]:
    """Say that labels with one rating share time: they count as one."""
    found: list[tuple[Label, Label]] = []
    reaching: dict[str, Label] = {}
    for label in sorted(labels, key=lambda each: each.start):
        before = reaching.get(label.rating)
        if before is not None and _end(before) > label.start:
            found.append((before, label))
        reaching[label.rating] = label if before is None else _later_end(before, label)
    if found:
        one, other = found[0]
        yield LabelRemark(
            rule=OVERLAPPING,
            count=len(found),
            text=f"{_labels(len(found))} {_verb(found, 'begins', 'begin')} before another one of the same "
            f"rating ends, and each pair counts as one: {_example([other])}, and {_example([one])}. If they "
            "are two events, end the first before the second begins; if they are one, keep one",
        )


def _contradiction_remarks(labels: Sequence[Label]) -> Iterator[LabelRemark]:
    """Say that a fault and no fault were seen at one time, and which of them counts."""
    faults = sorted((label for label in labels if label.rating == ANOMALY), key=lambda label: label.start)
    starts = [fault.start for fault in faults]
    last_to_end = list(accumulate(faults, _later_end))
    found: list[tuple[Label, Label]] = []
    for label in labels:
        begun = bisect_left(starts, _end(label))
        if label.rating == NO_ANOMALY and begun:
            fault = last_to_end[begun - 1]
            if _end(fault) > label.start:
                found.append((label, fault))
    if found:
        yield LabelRemark(
            rule=CONTRADICTING,
            count=len(found),
            text=f"{_labels(len(found))} with the rating {NO_ANOMALY} {_verb(found, 'lies', 'lie')} at times "
            f"that others call {ANOMALY}, which override them: {_example([found[0][0]])}, and "
            f"{_example([found[0][1]])}. Delete the wrong ones",
        )


def _outside_remarks(outside: Sequence[Label], total: int, data: TimeSpan) -> Iterator[LabelRemark]:
    if not outside:
        return
    swapped = sum(label.lies_in_when_swapped(data) for label in outside)
    hint = (
        f" {swapped:,} of them would lie in it with the day read first: write dates as 2020-02-01"
        if swapped
        else " Correct their dates, or ingest the data of that time"
    )
    yield LabelRemark(
        rule=OUTSIDE_DATA,
        count=len(outside),
        text=f"{len(outside):,} of {total:,} labels lie outside all data, which is from {data}, and count "
        f"for nothing: {_example(outside)}.{hint}",
    )


def _unused_remarks(unused: Sequence[Label]) -> Iterator[LabelRemark]:
    if unused:
        yield LabelRemark(
            rule=OUTSIDE_WINDOWS,
            count=len(unused),
            text=f"{_labels(len(unused))} in the data {_verb(unused, 'lies', 'lie')} neither in the training "
            f"nor in the evaluation window, and {_verb(unused, 'counts', 'count')} for nothing: "
            f"{_example(unused)}. Choose windows that hold them",
        )


def _covering_remarks(labels: Sequence[Label], training: TimeSpan) -> Iterator[LabelRemark]:
    """Say that labels keep most of the training window from being learned: often a date is wrong."""
    inside = [label for label in labels if label.rating != NO_ANOMALY and label.lies_in(training)]
    covered = covered_days(training, map(_span, inside))
    if covered <= _MOST * training.days:
        return
    everything = covered >= training.days
    longest = max(inside, key=lambda label: label.end - label.start)
    yield LabelRemark(
        rule=ALL_OF_TRAINING if everything else MOST_OF_TRAINING,
        count=len(inside),
        text=f"{_labels(len(inside))} {_verb(inside, 'covers', 'cover')} "
        f"{'all' if everything else f'{covered / training.days:.0%}'} of the training window, and nothing is "
        f"learned from what they cover{', so the training fails' if everything else ''}. The longest: "
        f"{_example([longest])}. If its dates are wrong, correct them; if not, train on a longer time",
    )


def _reaching_remarks(labels: Sequence[Label], data: TimeSpan) -> Iterator[LabelRemark]:
    """Say that labels reach far beyond all data, and so cover all up to its start or end."""
    start, end = moment(data.start) - _BEYOND, moment(data.end) + _BEYOND
    found = [
        label
        for label in labels
        if label.rating != NO_ANOMALY and label.lies_in(data) and (label.start < start or label.end > end)
    ]
    if found:
        yield LabelRemark(
            rule=BEYOND_DATA,
            count=len(found),
            text=f"{_labels(len(found))} {_verb(found, 'reaches', 'reach')} more than {_BEYOND.days} days "
            f"beyond all data, which is from {data}, and nothing is learned up to its start or end: "
            f"{_example(found)}. If a year or month is wrong, correct it; the end of a fault that goes on is "
            "the end of the data",
        )


def _span(label: Label) -> TimeSpan:
    return TimeSpan(start=Decimal(label.start.timestamp()), end=Decimal(label.end.timestamp()))


def _labels(count: int) -> str:
    return f"{count:,} label{'' if count == 1 else 's'}"


def _verb(those: Sequence[object], of_one: str, of_many: str) -> str:
    return of_one if len(those) == 1 else of_many


def _example(labels: Sequence[Label]) -> str:
    first = labels[0]
    return f"{first.place}, read as {first.start:%Y-%m-%dT%H:%M:%SZ} to {first.end:%Y-%m-%dT%H:%M:%SZ}"
