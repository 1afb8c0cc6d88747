"""Alarm ranges of a scored frame and their evaluation against labelled events."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.scores import Scores
from engine.evaluate.intervals import Interval, merge_intervals, rows_inside
from engine.evaluate.roc import roc_auc


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Range:
    """A run of anomalous rows.

    Attributes:
        start: time of its first row.
        end: time of its last row.
        contributions: mean contribution of each sensor, shape (sensors,), summing to one.
        rows: number of anomalous rows.

    """

    start: np.datetime64
    end: np.datetime64
    contributions: NDArray[np.float32]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """The alarms of a window compared with its labels, in the measures of `ModelMetrics`.

    Attributes:
        labeled: labels inside the window, merged.
        predicted: all alarm ranges.
        identified: number of labels with at least one alarm inside.
        warning_seconds: sum over identified labels of label end minus first alarm inside.
        unknown: number of ranges that touch no label and no neutral period.
        unknown_seconds: sum of their lengths (end minus start).
        precision: share of ranges that touch a label, without those that touch neutral periods only; None
            without labels or ranges.
        recall: share of labels identified; None without labels.
        mean_fractional_lead_time: mean over identified labels of warning time over label length; None if no
            label was identified.
        auc: area under the ROC curve of the scores of rows with the machine on; None without labels. Rows of
            neutral periods do not count.
        neutral_seconds: sum of the lengths of the ranges that touch neutral periods only.

    """

    labeled: tuple[Interval, ...]
    predicted: tuple[Range, ...]
    identified: int
    warning_seconds: float
    unknown: int
    unknown_seconds: float
    precision: float | None
    recall: float | None
    mean_fractional_lead_time: float | None
    auc: float | None
    neutral_seconds: float = 0.0


def ranges(scores: Scores, *, step: np.timedelta64) -> list[Range]:
    """Return the runs of neighbouring anomalous rows.

    Args:
        scores: the scored rows.
        step: time between rows. A normal row, a row with the machine off, or a gap longer than this ends a
            range.

    """
    alarm = (scores.prediction == 1) & ~scores.off
    rows = np.flatnonzero(alarm)
    if not len(rows):
        return []
    apart = (np.diff(rows) > 1) | (np.diff(scores.times[rows]) > step)
    result = []
    for run in np.split(rows, np.flatnonzero(apart) + 1):
        mean = scores.contributions[run].mean(axis=0, dtype=np.float64)
        share = mean / mean.sum() if mean.sum() > 0 else np.full(len(mean), 1 / len(mean))
        result.append(
            Range(
                start=scores.times[run[0]],
                end=scores.times[run[-1]],
                contributions=share.astype(np.float32),
                rows=len(run),
            )
        )
    return result


def evaluate(
    scores: Scores, labels: Sequence[Interval], *, step: np.timedelta64, neutral: Sequence[Interval] = ()
) -> Evaluation:
    """Compare the alarms with the labels that lie inside the scored window.

    Args:
        scores: the scored rows.
        labels: labelled events; overlapping ones count as one. Those that lie only partly in the window do
            not count, but a range that touches one is not unknown either.
        step: time between rows.
        neutral: periods of which nobody knows what they were. Alarms in them are neither right nor wrong.

    """
    predicted = ranges(scores, step=step)
    touching = _touching(labels, scores.times)
    labeled = [
        (start, end)
        for start, end in touching
        if start >= scores.times[0] - step and end <= scores.times[-1] + step
    ]
    alarms = scores.times[scores.prediction == 1]
    warnings, fractions = [], []
    for start, end in labeled:
        hits = alarms[(alarms >= start) & (alarms <= end)]
        if len(hits):
            warnings.append(_seconds(end - hits[0]))
            length = _seconds(end - start)
            fractions.append(warnings[-1] / length if length else 1.0)
    unlabeled = [each for each in predicted if not _touches(each, touching)]
    unknown = [each for each in unlabeled if not _touches(each, neutral)]
    judged = len(predicted) - len(unlabeled) + len(unknown)
    inside = rows_inside(scores.times, labeled)
    counted = ~scores.off & (inside | ~rows_inside(scores.times, neutral))
    return Evaluation(
        labeled=tuple(labeled),
        predicted=tuple(predicted),
        identified=len(warnings),
        warning_seconds=float(sum(warnings)),
        unknown=len(unknown),
        unknown_seconds=float(sum(_seconds(each.end - each.start) for each in unknown)),
        precision=(judged - len(unknown)) / judged if labeled and judged else None,
        recall=len(warnings) / len(labeled) if labeled else None,
        mean_fractional_lead_time=float(np.mean(fractions)) if fractions else None,
        auc=roc_auc(inside[counted], scores.score[counted]) if labeled else None,
        neutral_seconds=float(
            sum(_seconds(each.end - each.start) for each in unlabeled if _touches(each, neutral))
        ),
    )


def alarmed(scores: Scores, intervals: Sequence[Interval]) -> list[bool]:
    """Return for each interval whether any of its rows is anomalous."""
    alarms = scores.times[scores.prediction == 1]
    return [bool(((alarms >= start) & (alarms <= end)).any()) for start, end in intervals]


def _touches(found: Range, intervals: Sequence[Interval]) -> bool:
    return any(found.start <= end and found.end >= start for start, end in intervals)


def _touching(labels: Sequence[Interval], times: NDArray[np.datetime64]) -> list[Interval]:
    """Return the merged labels that share any time with the window."""
    if not len(times):
        return []
    return [(start, end) for start, end in merge_intervals(labels) if start <= times[-1] and end >= times[0]]


def _seconds(delta: np.timedelta64) -> float:
    return float(delta / np.timedelta64(1, "s"))
