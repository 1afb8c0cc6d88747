"""Count what an engineer is told of slow faults while inference goes on, and what a report says later.

    python -m benchmarks.live_faults [--seeds 5,6,7,8] [--steps 900]

Every hour of a machine is a window. Per family, of the faults that a report knows: events of
`ListInferenceEvents`, events of reports, and faults that began (the metric `FaultBegan`); in brackets those
outside of all faults, a week.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.datasets import Case
from benchmarks.wear import wear_cases
from engine import EventRules, Faults, Interval, Range, Scores, fit, ranges

WINDOW = np.timedelta64(3600 * 10**6, "us")
LISTED = np.timedelta64(5, "m")
"""Events of the API are longer, or of rows as far apart."""
WEEK = np.timedelta64(7, "D")


@dataclass(frozen=True, slots=True)
class Told:
    """Counts of events of the API, events of reports, and faults that began live."""

    listed: int = 0
    reported: int = 0
    began: int = 0

    def __add__(self, other: "Told") -> "Told":
        return Told(self.listed + other.listed, self.reported + other.reported, self.began + other.began)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """What was told of the faults that a report knows, how many they are, and what was told beside faults."""

    faults: int = 0
    of_faults: Told = Told()
    false: Told = Told()
    weeks: float = 0.0

    def __add__(self, other: "LiveFigures") -> "LiveFigures":
        return LiveFigures(
            faults=self.faults + other.faults,
            of_faults=self.of_faults + other.of_faults,
            false=self.false + other.false,
            weeks=self.weeks + other.weeks,
        )


def judge(case: Case) -> LiveFigures:
    """Return the figures of a machine."""
    detector = fit(case.part(0, case.train), labels=case.training_labels())
    frame = case.part(case.train, None)
    scores = detector.score(frame)
    found = ranges(scores, step=frame.step)
    listed = [each for each in found if frame.step >= LISTED or each.end - each.start > LISTED]
    reported = EventRules.for_reports(frame.step).apply(found)
    began = list(_began(scores, Faults(sensors=frame.sensors, step=frame.step)))
    labels = [label for label in case.labels if label[0] > frame.times[0]]

    def inside(events: Sequence[Range], label: Interval) -> int:
        return sum(bool(each.start <= label[1] and each.end >= label[0]) for each in events)

    def beside(events: Sequence[Range]) -> int:
        return sum(not any(inside([each], label) for label in labels) for each in events)

    known = [label for label in labels if inside(reported, label)]
    of_faults = [sum(inside(events, label) for label in known) for events in (listed, reported, began)]
    return LiveFigures(
        faults=len(known),
        of_faults=Told(*of_faults),
        false=Told(*map(beside, (listed, reported, began))),
        weeks=float((~frame.off & ~case.truth()).sum() * frame.step / WEEK),
    )


def _began(scores: Scores, faults: Faults) -> Iterator[Range]:
    """Yield of each fault the first alarm range from which it counted, window by window."""
    windows = (scores.times - np.timedelta64(1, "us")).astype("datetime64[h]")
    for rows in np.split(np.arange(len(windows)), np.flatnonzero(np.diff(windows)) + 1):
        part = slice(rows[0], rows[-1] + 1)
        found = ranges(
            Scores(
                times=scores.times[part],
                off=scores.off[part],
                score=scores.score[part],
                prediction=scores.prediction[part],
                contributions=scores.contributions[part],
                state=b"",
            ),
            step=faults.step,
        )
        after = faults.followed(found)
        yield from found[-1:] * len(after.began_since(faults))
        faults = after


def main() -> None:
    """Measure the families."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="5,6,7,8")
    parser.add_argument("--steps", default="900", help="seconds between rows")
    options = parser.parse_args()
    seeds, steps = ([int(each) for each in text.split(",")] for text in (options.seeds, options.steps))
    figures: dict[str, LiveFigures] = {}
    for make in wear_cases(seeds, steps):
        case = make()
        figures[case.group] = figures.get(case.group, LiveFigures()) + judge(case)
    print(f"{'family':28}{'faults':>8}{'listed':>16}{'reported':>16}{'began':>16}")
    for group, sum_ in figures.items():
        cells = (
            f"{getattr(sum_.of_faults, name) / max(1, sum_.faults):.1f} "
            f"({getattr(sum_.false, name) / sum_.weeks:.2f})"
            for name in ("listed", "reported", "began")
        )
        print(f"{group:28}{sum_.faults:>8}" + "".join(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    main()
