"""Alarm ranges of a scored frame and their evaluation against labelled events."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.scores import Scores

Interval = tuple[np.datetime64, np.datetime64]
"""Start and end of a labelled event, both inclusive."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Range:
    """A run of ``rows`` anomalous rows; ``contributions`` is their mean per sensor, summing to one."""

    start: np.datetime64
    end: np.datetime64
    contributions: NDArray[np.float32]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """How the alarms of a window meet its labels.

    ``identified`` labels hold at least one alarm; ``warning_seconds`` sums label end minus first alarm inside
    over them. ``unknown`` ranges touch no label and last ``unknown_seconds`` together (end minus start).
    ``precision`` is the share of ranges that touch a label, ``recall`` of labels identified,
    ``mean_fractional_lead_time`` the mean of warning over label length of identified labels, ``auc`` the ROC
    area of row scores. The last four are None when no label lies in the window, and ``precision`` and lead
    time also when nothing was predicted or identified.
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


def ranges(scores: Scores, *, step: np.timedelta64) -> list[Range]:
    """Join neighbouring anomalous rows; a normal row, an off row, or a gap above one step ends a range."""
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


def merge_intervals(labels: Sequence[Interval]) -> list[Interval]:
    """Sort the labels and join those that overlap."""
    merged: list[Interval] = []
    for start, end in sorted(labels):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def inside(times: NDArray[np.datetime64], labels: Sequence[Interval]) -> NDArray[np.bool_]:
    """Mark the rows inside any label, both ends included."""
    mask = np.zeros(len(times), bool)
    for start, end in labels:
        mask[np.searchsorted(times, start, "left") : np.searchsorted(times, end, "right")] = True
    return mask


def evaluate(scores: Scores, labels: Sequence[Interval], *, step: np.timedelta64) -> Evaluation:
    """Compare the alarms with the labels that lie inside the scored window."""
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
    unknown = [
        each
        for each in predicted
        if not any(each.start <= end and each.end >= start for start, end in touching)
    ]
    return Evaluation(
        labeled=tuple(labeled),
        predicted=tuple(predicted),
        identified=len(warnings),
        warning_seconds=float(sum(warnings)),
        unknown=len(unknown),
        unknown_seconds=float(sum(_seconds(each.end - each.start) for each in unknown)),
        precision=(len(predicted) - len(unknown)) / len(predicted) if labeled and predicted else None,
        recall=len(warnings) / len(labeled) if labeled else None,
        mean_fractional_lead_time=float(np.mean(fractions)) if fractions else None,
        auc=_auc(scores, inside(scores.times, labeled)) if labeled else None,
    )


def _touching(labels: Sequence[Interval], times: NDArray[np.datetime64]) -> list[Interval]:
    if not len(times):
        return []
    return [(start, end) for start, end in merge_intervals(labels) if start <= times[-1] and end >= times[0]]


def _auc(scores: Scores, positive: NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve over rows with the machine on; ties count half."""
    score, positive = scores.score[~scores.off], positive[~scores.off]
    count = int(positive.sum())
    if count in {0, len(positive)}:
        return None
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))


def _seconds(delta: np.timedelta64) -> float:
    return float(delta / np.timedelta64(1, "s"))
