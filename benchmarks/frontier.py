"""Measure what is seen of slow faults against false alarms, over how long an open alarm waits to close.

    python -m benchmarks.frontier [--seeds 1,2]

The setting is ENDED of `engine.detect.slow_alarm`, which acts while scoring. Machines are the curved
ones of `benchmarks.wear`, a row in five minutes.
"""

import argparse
from typing import Any

import numpy as np

import engine.detect.slow_alarm
from benchmarks.quality import without
from benchmarks.slow import VISIBLE, judge
from benchmarks.wear import FAMILIES
from engine import fit

SETTINGS = (0.0, 1.0, 2.0, 3.0, 4.0)
STEP = 300


def main() -> None:
    """Print a line for each setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="1,2")
    options = parser.parse_args()
    judged: dict[float, list[tuple[Any, ...]]] = {each: [] for each in SETTINGS}
    false: dict[float, list[float]] = {each: [] for each in SETTINGS}
    for seed in options.seeds.split(","):
        case = FAMILIES["wear, curved"](int(seed), STEP)
        detector = fit(case.part(0, case.train))
        for setting in SETTINGS:
            with without([(engine.detect.slow_alarm, "ENDED", setting)]):
                faults, whole = judge(case, detector.score(case.part(case.train, None)).score > 0.5)
            false[setting].append(whole.false_hours_per_day)
            judged[setting] += [
                (
                    float(np.mean(each.fifths[3:])),
                    each.size >= VISIBLE,
                    each.lead,
                    each.events,
                    each.quiet_after,
                )
                for each in faults
            ]
    print("setting  last 2/5  seen  visible: last 2/5  seen  lead h  events  quiet h  false h/day")
    for setting, faults in judged.items():
        share, visible, lead, events, quiet = np.array(faults).T
        shown = share[visible == 1]
        print(
            f"{setting:7.2f} {share.mean():9.0f} {(share >= 50).sum():3d}/{len(share)} {shown.mean():18.0f} "
            f"{(shown >= 50).sum():3d}/{len(shown)} {lead.mean():6.0f} {events.mean():7.1f} "
            f"{quiet.mean():8.1f} {np.mean(false[setting]):12.2f}"
        )


if __name__ == "__main__":
    main()
