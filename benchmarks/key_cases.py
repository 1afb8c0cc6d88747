"""The series that constants of the engine are judged by."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np

from benchmarks.datasets import Case, shared_cases
from benchmarks.generator import broken, dirty, late, plant
from benchmarks.kind_cases import case as machine_of_a_kind
from benchmarks.lasting import lasting
from benchmarks.wear import FAMILIES, Fault, machine

SEED = 3
STEP = 900
WEAR = ("wear, linear", "wear, curved")
REPORTED_SEEDS = (3, 4, 5, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Labelled series of others, simulated ones with faults of minutes to hours, machines that wear."""

    public: Sequence[Case]
    pump: Sequence[Case]
    simulated: Sequence[Case]
    drifting: Sequence[Case]
    worn: Sequence[Case]
    reported: Sequence[Case]
    young: Sequence[Case]
    short: Sequence[Case]
    healthy: Sequence[Case]
    in_units: Sequence[Case]
    season: Sequence[Case]

    @classmethod
    def made(cls, data: Path) -> Self:
        """Read and simulate them. Of the faults of TEP, whose 52 sensors take long, every third."""
        groups: dict[str, list[Case]] = {}
        for case in shared_cases(data):
            groups.setdefault(case.group, []).append(case)
        return cls(
            public=[*groups["skab"], *groups["tep"][::3], *groups["nab_machine_temperature"]],
            pump=groups["synthpump"],
            simulated=[
                plant(1, "none", modes=True, with_gaps=True),
                late(601, "walk", rows=25_000),
                until(lasting(1, "steps", "several"), 30_000),
                dirty(801),
                broken(901),
            ],
            drifting=[slower(plant(201, "walk", modes=False, rows=24000, sensors=9))],
            worn=[FAMILIES[name](SEED, STEP) for name in WEAR],
            reported=[FAMILIES[name](seed, STEP) for name in WEAR for seed in REPORTED_SEEDS],
            young=[FAMILIES[name](SEED, STEP) for name in ("young, linear", "young, curved")],
            short=[short(SEED)],
            healthy=[FAMILIES["healthy, curved"](SEED, STEP)],
            in_units=[
                in_a_unit(each) for each in (plant(1, "none", modes=True), lasting(1, "none", "large"))
            ],
            season=[machine_of_a_kind("batch reactor", seed) for seed in (1, 2)],
        )

    def all(self) -> list[Case]:
        """Return all of them."""
        return [case for each in fields(self) for case in getattr(self, each.name)]


def until(case: Case, rows: int) -> Case:
    """Return the first rows of a case, and the faults that end in them."""
    frame = case.part(0, rows)
    count = sum(end <= frame.times[-1] for _, end in case.labels)
    return replace(case, frame=frame, labels=case.labels[:count], roots=case.roots[:count])


def slower(case: Case) -> Case:
    """Return the case with a row in five minutes, where it had one a minute: days become weeks."""
    start = case.frame.times[0]

    def moved(time: np.datetime64) -> np.datetime64:
        later: np.datetime64 = start + 5 * (time - start)
        return later

    frame = replace(case.frame, times=start + 5 * (case.frame.times - start), step=5 * case.frame.step)
    labels = tuple((moved(first), moved(last)) for first, last in case.labels)
    return replace(case, frame=frame, labels=labels)


def short(seed: int) -> Case:
    """Return a machine of a row in five minutes that was trained for 12 days, and two faults of it."""
    faults = [Fault(kind=kind, start=start, days=10, size=4.0) for kind, start in (("one", 20), ("pair", 40))]
    return machine(
        "short, linear", seed, "linear", train=12, evaluated=48, faults=faults, step=300, phase=0.3
    )


def in_a_unit(case: Case) -> Case:
    """Return the case with its sensors around 60, with a spread of 5, as temperatures or pressures are."""
    values, training = case.frame.values, case.frame.values[: case.train]
    scaled = 60 + 5 * (values - np.nanmean(training, axis=0)) / np.nanstd(training, axis=0)
    return replace(case, name=f"{case.name}, in units", frame=replace(case.frame, values=scaled))
