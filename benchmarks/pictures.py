"""Draw faults with scores, alarms and moved levels, for docs/images.

    python -m benchmarks.pictures adaptation|slow-faults FILE

`adaptation`: one fault under each adaptation, on a linear machine of `benchmarks.wear`: two of its 14 sensors
wear for 16 days and are repaired. `slow-faults`: one fault of each kind of the families "wear" and "abrupt",
of seed 3. Both have a row in five minutes.
"""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
from matplotlib.figure import Figure

from benchmarks.datasets import Case
from benchmarks.wear import FAMILIES, Fault, machine
from engine import ADAPTATIONS, EventRules, Interval, Scores, fit, ranges

FAULT = Fault(kind="pair", start=44, days=16, size=4)
BAND = 24
"""Rows in one point of the curves, of which the highest score counts: two hours."""
AROUND = np.timedelta64(5, "D")
"""Time shown before and after a fault."""
SEED, STEP, ACROSS = 3, 300, 3


def adaptation() -> Figure:
    """Draw one fault under each adaptation."""
    case = machine("picture", 2, "linear", train=40, evaluated=34, faults=(FAULT,), step=STEP)
    detector, frame = fit(case.part(0, case.train)), case.part(case.train, None)
    figure, axes = plt.subplots(
        len(ADAPTATIONS), sharex=True, sharey=True, figsize=(10, 6), layout="constrained"
    )
    for axis, each in zip(axes, ADAPTATIONS, strict=True):
        scores = replace(detector, adaptation=each).score(frame)
        _panel(axis, scores, case.labels[0], (scores.times[0], scores.times[-1]))
        axis.set(title=each)
    return _with_legend(figure)


def slow_faults() -> Figure:
    """Draw one fault of each kind."""
    panels = [
        (f"{family.removesuffix(', linear').removesuffix(', curved')}: {case.roots[at][0]}", scores, label)
        for family in ("wear, curved", "wear, linear", "abrupt, linear")
        for case, scores in (_scored(FAMILIES[family](SEED, STEP)),)
        for at, label in enumerate(case.labels)
    ]
    rows = -(-len(panels) // ACROSS)
    figure, axes = plt.subplots(rows, ACROSS, sharey=True, figsize=(12, 2 * rows), layout="constrained")
    for axis, (title, scores, label) in zip(axes.flat, panels, strict=True):
        _panel(axis, scores, label, (label[0] - AROUND, label[1] + AROUND))
        axis.set(title=title)
    return _with_legend(figure)


def _scored(case: Case) -> tuple[Case, Scores]:
    return case, fit(case.part(0, case.train)).score(case.part(case.train, None))


def _panel(axis: Axes, scores: Scores, fault: Interval, shown: Interval) -> None:
    """Draw the scores in the time shown, with the fault, alarms, the events of a report and moved levels."""
    rows = len(scores.times) // BAND * BAND
    highest = scores.score[:rows].reshape(-1, BAND).max(axis=1)
    alarmed = scores.prediction[:rows].reshape(-1, BAND).max(axis=1) == 1
    times = scores.times[:rows:BAND]
    axis.axvspan(*_dates(fault), color="0.9", label="fault, until its repair")
    axis.plot(times, highest, color="0.3", linewidth=0.8, label="score")
    axis.fill_between(times, 0, 1, where=alarmed, color="tab:red", alpha=0.35, label="alarm")
    step = np.timedelta64(STEP, "s")
    for event in EventRules.for_reports(step).apply(ranges(scores, step=step)):
        axis.plot(_dates((event.start, event.end)), (0.97, 0.97), color="tab:red", linewidth=3, label="event")
    for moved in scores.level_events:
        axis.axvline(*_dates((moved.since,)), color="tab:blue", label="a level moved")
    axis.axhline(0.5, color="0.6", linewidth=0.6)
    axis.set(ylim=(0, 1), xlim=_dates(shown))
    # Evenly spaced: a tick at the first of a month as well would be written over its neighbour.
    locator = AutoDateLocator(maxticks=7, interval_multiples=False)  # type: ignore[no-untyped-call]  # as below
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(DateFormatter("%d %b"))  # type: ignore[no-untyped-call]  # as below


def _dates(times: Iterable[np.datetime64]) -> list[float]:
    return [float(date2num(time)) for time in times]  # type: ignore[no-untyped-call]  # has no types in matplotlib


def _with_legend(figure: Figure) -> Figure:
    found = (axis.get_legend_handles_labels() for axis in figure.axes)
    handles = {label: handle for pair in found for handle, label in zip(*pair, strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5)
    return figure


PICTURES = {"adaptation": adaptation, "slow-faults": slow_faults}

if __name__ == "__main__":
    PICTURES[sys.argv[1]]().savefig(Path(sys.argv[2]), dpi=110)
