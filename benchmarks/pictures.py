"""Draw one fault under each adaptation, for docs/images/adaptation.png.

    python -m benchmarks.pictures FILE

A linear machine of `benchmarks.wear`, a row in five minutes: two of its 14 sensors wear for 16 days and are
repaired.
"""

import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from benchmarks.wear import Fault, machine
from engine import ADAPTATIONS, fit

FAULT = Fault(kind="pair", start=44, days=16, size=4)
BAND = 24
"""Rows in one point of the curves, of which the highest score counts: two hours."""


def draw(path: Path) -> None:
    """Draw score, alarms and moved levels under each adaptation, and the time of the fault."""
    mpl.rcParams["date.converter"] = "concise"
    case = machine("picture", 2, "linear", train=40, evaluated=34, faults=(FAULT,), step=300)
    detector, frame = fit(case.part(0, case.train)), case.part(case.train, None)
    figure, axes = plt.subplots(
        len(ADAPTATIONS), sharex=True, sharey=True, figsize=(10, 6), layout="constrained"
    )
    for axis, adaptation in zip(axes, ADAPTATIONS, strict=True):
        scores = replace(detector, adaptation=adaptation).score(frame)
        rows = len(scores.times) // BAND * BAND
        highest = scores.score[:rows].reshape(-1, BAND).max(axis=1)
        alarmed = scores.prediction[:rows].reshape(-1, BAND).max(axis=1) == 1
        times = scores.times[:rows:BAND]
        axis.axvspan(*case.labels[0], color="0.9", label="fault, until its repair")
        axis.plot(times, highest, color="0.3", linewidth=0.8, label="score")
        axis.fill_between(times, 0, 1, where=alarmed, color="tab:red", alpha=0.35, label="alarm")
        for number, event in enumerate(scores.level_events):
            axis.axvline(event.since, color="tab:blue", label=None if number else "a level moved")
        axis.axhline(0.5, color="0.6", linewidth=0.6)
        axis.set(title=adaptation, ylim=(0, 1), xlim=(np.min(times), np.max(times)))
    handles = {
        label: handle
        for axis in axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
