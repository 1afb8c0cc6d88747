"""Sensors that are silent for hours, or report seldom, as users meet them: in files.

    python -m benchmarks.outages [--seeds 5,6,7,8] [--rules 'usual;a day']

The rows of a machine are written to files and read as a training and an inference read them. Rules for how
long the last value of a sensor stands in: `usual`, for as long as the sensor usually pauses; `a day`, in
training for ever, and while scoring for a day, as in releases before; `never`, as where rows are simulated.
"""

import argparse
import io
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.datasets import Case
from benchmarks.generator import broken
from benchmarks.judged import CaseFigures, FaultFigures, in_words, judge
from benchmarks.quality import average_precision
from benchmarks.wear import FAMILIES
from engine import Frame, Scores, build_frame, fit
from engine.frame.filling import FillLimits
from engine.ingest.parquet import TIMESTAMP

Mask = NDArray[np.bool_]
Lost = Callable[[np.random.Generator, Case], Mask]
"""Marks the values of a case that its files do not have."""
STEP = 300
COMPONENT = "machine"
DAY = np.timedelta64(24, "h")
RULES = ("usual", "a day", "never")
PLANTS = (901, 902, 903, 904)
"""Seeds of plants whose sensors fail for hours, with faults of minutes to hours."""
SELDOM = ((3, 0.1), (6, 0.3), (12, 0.05), (24, 0.5), (6, 0.2))
"""For each of five sensors, from how many rows one reports, and the change that it reports, in spreads."""


def nothing(_: np.random.Generator, case: Case) -> Mask:
    """Lose nothing more than what the machine does: three sensors fail three times."""
    return np.zeros(case.frame.values.shape, bool)


def silent(share: float) -> Lost:
    """Let every sensor be silent for this share of the time, for 2 to 12 hours at once."""

    def lost(rng: np.random.Generator, case: Case) -> Mask:
        marked, per_hour = nothing(rng, case), int(np.timedelta64(1, "h") / case.frame.step)
        for column in marked.T:
            while column.mean() < share:
                start = int(rng.integers(len(column)))
                column[start : start + int(rng.uniform(2, 12) * per_hour)] = True
        return marked

    return lost


def every_few_rows(rng: np.random.Generator, case: Case) -> Mask:
    """Let five sensors report every 15 minutes to two hours only."""
    marked = nothing(rng, case)
    for sensor, (rows, _) in zip(rng.permutation(marked.shape[1]), SELDOM, strict=False):
        marked[:, sensor] = np.arange(len(marked)) % rows != 0
    return marked


def on_change(rng: np.random.Generator, case: Case) -> Mask:
    """Let five sensors report only when they have moved by .05 to .5 spreads."""
    marked = nothing(rng, case)
    for sensor, (_, spreads) in zip(rng.permutation(marked.shape[1]), SELDOM, strict=False):
        column = case.frame.values[:, sensor]
        by, last = spreads * np.nanstd(column[: case.train]), np.inf
        for row, value in enumerate(column.tolist()):
            if abs(value - last) > by:
                last = value
            else:
                marked[row, sensor] = True
    return marked


def by_night(rng: np.random.Generator, case: Case) -> Mask:
    """Let five sensors report from six in the morning to midnight only."""
    marked = nothing(rng, case)
    hours = case.frame.times.astype("datetime64[h]").astype(np.int64) % 24
    marked[:, rng.permutation(marked.shape[1])[: len(SELDOM)]] = (hours < 6)[:, None]
    return marked


SITUATIONS: dict[str, Lost] = {
    "as simulated": nothing,
    "each silent for 1 %": silent(0.01),
    "each silent for 5 %": silent(0.05),
    "five report every 15 min to 2 h": every_few_rows,
    "five report on change": on_change,
    "five silent from 0 to 6": by_night,
}


def through_files(case: Case, rule: str) -> tuple[Frame, Frame]:
    """Return the rows of training and those after it, as they are read from files under a rule."""
    frame = case.frame
    names = [f"{COMPONENT}\\{sensor}" for sensor in frame.sensors]
    columns = {sensor: frame.values[:, at] for at, sensor in enumerate(frame.sensors)}
    file = io.BytesIO()
    pq.write_table(pa.table({TIMESTAMP: frame.times, **columns}), file)
    last = frame.times[case.train - 1]
    for_a_day, never = (dict.fromkeys(names, limit) for limit in (DAY, np.timedelta64(0, "s")))

    def rows(start: np.datetime64 | None, end: np.datetime64 | None, limits: FillLimits | None) -> Frame:
        found = build_frame(
            {COMPONENT: file},
            sensors=names,
            start=start,
            end=end,
            step_seconds=None,
            off=None,
            fill_limits=limits,
        )
        at = np.searchsorted(frame.times, found.times)
        return replace(found, off=frame.off[at], step=frame.step)

    of_training: dict[str, FillLimits | None] = {"usual": None, "a day": {}, "never": never}
    training = rows(None, last, of_training[rule])
    usual = {**for_a_day, **training.fill_limits}
    after: dict[str, FillLimits] = {"usual": usual, "a day": for_a_day, "never": never}
    return training, rows(last, None, after[rule])


def scored(case: Case, rule: str) -> tuple[Case, Scores]:
    """Return the scores of what comes after training, and the case of the rows that have them."""
    training, after = through_files(case, rule)
    whole = replace(
        training,
        times=np.concatenate([training.times, after.times]),
        values=np.concatenate([training.values, after.values]),
        off=np.concatenate([training.off, after.off]),
    )
    return replace(case, frame=whole, train=len(training.times)), fit(training).score(after)


def without(case: Case, lost: Lost, seed: int) -> Case:
    """Return a case without the values that its files do not have."""
    marked = lost(np.random.default_rng([seed, 12]), case)
    return replace(case, frame=replace(case.frame, values=np.where(marked, np.nan, case.frame.values)))


def machines(family: str, seeds: Sequence[int], lost: Lost, rule: str) -> str:
    """Return the cells of a rule: faults seen, hours of lead, false hours a day, F1."""
    faults, whole = list[FaultFigures](), list[CaseFigures]()
    for seed in seeds:
        case, scores = scored(without(FAMILIES[family](seed, STEP), lost, seed), rule)
        found, figures = judge(case, scores.prediction == 1, scores.contributions)
        faults += found
        whole.append(figures)
    return in_words(faults, whole)


def plants(rule: str) -> tuple[float, float, float]:
    """Return AP, F1 and FAR in % of plants with faults of minutes to hours whose sensors fail."""
    precision, hit, false, missed, quiet = list[float](), 0, 0, 0, 0
    for seed in PLANTS:
        case, scores = scored(broken(seed), rule)
        truth, alarm = case.truth(), scores.prediction == 1
        precision.append(average_precision(truth, scores.score))
        hit, false = hit + int((alarm & truth).sum()), false + int((alarm & ~truth).sum())
        missed, quiet = missed + int((~alarm & truth).sum()), quiet + int((~alarm & ~truth).sum())
    f1 = 2 * hit / max(1, 2 * hit + false + missed)
    return float(np.mean(precision)), f1, 100 * false / (false + quiet)


def main() -> None:
    """Print the rows of the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="5,6,7,8", help="of the machines that wear")
    parser.add_argument("--rules", default=";".join(RULES), help="separated by semicolons")
    options = parser.parse_args()
    seeds, rules = [int(each) for each in options.seeds.split(",")], options.rules.split(";")
    print("| | |" + "".join(f" {rule} |" for rule in rules))
    cells = ("{:.3f} / {:.3f} / {:.1f}".format(*plants(rule)) for rule in rules)
    print(f"| plants | sensors fail for hours | {' | '.join(cells)} |", flush=True)
    for family in ("wear, linear", "wear, curved"):
        for name, lost in SITUATIONS.items():
            row = [family, name, *(machines(family, seeds, lost, rule) for rule in rules)]
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
