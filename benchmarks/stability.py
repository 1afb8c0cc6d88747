"""Change training a little, and measure how much the alarms change.

    python -m benchmarks.stability [--seeds 3] [--step 900] [--plants "wear, linear;walk"] [--changes start]

Each change means nothing to an owner: a day more or less at either end of training, a sensor left out or
recorded twice, a hundredth of the rows lost, noise of a hundredth of a spread, other units, a budget of .14
instead of .15 hours. Plants are those of `benchmarks.wear`, and two of `benchmarks.generator`, a row a
minute. A frozen Mahalanobis model under the same changes tells how much of the difference nobody can help.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import baseline
from benchmarks.datasets import Case
from benchmarks.generator import plant
from benchmarks.judged import SEEN, judge
from benchmarks.wear import CREEPING, FAMILIES, creeping
from engine import Detector, FitSettings, Frame, fit

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

DAY = np.timedelta64(24 * 3600 * 10**6, "us")
SHIFTS = (1, 2, 3, 5, 7)
"""Days by which an end of training is moved; hours where training is shorter than LONG."""
LONG = 20 * DAY
LENGTHS = (range(6, 16), (30, 32), (60, 62, 64))
"""Days of training, each compared with the one before it in its row."""
BUDGETS = (0.14, 0.16)
JUMP = (2.0, 0.3)
"""False hours jump if they are so many times as many, and more than this a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of training: its kind, how much of it, what it makes of a case; settings of the fit.

    It is to be compared with the change of the same kind by `beside`, or with the unchanged case.
    """

    kind: str
    amount: str
    made: Callable[[Case], Case]
    beside: str | None = None
    settings: FitSettings = field(default_factory=FitSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a detector did after a change of training.

    Attributes:
        plant: name of the case.
        kind: kind of the change.
        amount: how much of it.
        beside: the amount that it is compared with; None for no change.
        late: alarmed share of the last two fifths of each fault, in percent.
        false_hours: hours of false alarm a day.
        f1: of the rows.
        differs: share of the rows with the machine on whose alarm is another one than before, in percent.
        chosen: what training chose.

    """

    plant: str
    kind: str
    amount: str
    beside: str | None
    late: tuple[float, ...]
    false_hours: float
    f1: float
    differs: float
    chosen: dict[str, float]

    @property
    def seen(self) -> tuple[bool, ...]:
        """Whether each fault has an alarm on half of its last two fifths."""
        return tuple(share >= SEEN for share in self.late)


def plants(seeds: Sequence[int], step: int) -> dict[str, list[Callable[[], Case]]]:
    """Return makers of the plants, by family; `step` in seconds."""
    makers: dict[str, list[Callable[[], Case]]] = {
        name: [partial(make, seed, step) for seed in seeds]
        for name, make in FAMILIES.items()
        if name not in {"abrupt, linear", "healthy, linear"}
    }
    makers["creeping"] = [partial(creeping, seed, *CREEPING[0]) for seed in seeds]
    walking = partial(plant, modes=False, rows=24000, faults=30, lengths=(20, 200), sensors=9)
    makers["walk"] = [partial(walking, 200 + seed, "walk") for seed in seeds]
    makers["modes"] = [partial(plant, seed, "none", modes=True) for seed in seeds]
    return makers


def changes(case: Case) -> Iterator[Change]:
    """Yield the changes that a case allows, none at all first."""
    times, train = case.frame.times, case.train
    length = times[train - 1] - times[0]
    unit, name = (DAY, "d") if length > LONG else (DAY // 24, "h")
    yield Change(kind="none", amount="", made=lambda same: same)
    for shift in SHIFTS:
        first = int(np.searchsorted(times, times[0] + shift * unit))
        yield Change(kind="start", amount=f"{shift} {name}", made=partial(_between, first=first, last=train))
        last = int(np.searchsorted(times, times[train - 1] - shift * unit, side="right"))
        yield Change(kind="end", amount=f"{shift} {name}", made=partial(_between, first=0, last=last))
    for at, sensor in enumerate(case.frame.sensors):
        others = [each for each in range(len(case.frame.sensors)) if each != at]
        yield Change(kind="sensor left out", amount=sensor, made=partial(_sensors, columns=others))
    every = list(range(len(case.frame.sensors)))
    for at in (0, len(every) // 2):
        yield Change(
            kind="sensor twice", amount=case.frame.sensors[at], made=partial(_sensors, columns=[*every, at])
        )
    for seed in (1, 2, 3):
        yield Change(kind="rows lost", amount=f"1 %, {seed}", made=partial(_thinned, seed=seed))
        yield Change(kind="noise", amount=f"0.01, {seed}", made=partial(_noisy, seed=seed))
    yield Change(kind="units", amount="x 1000, + 5000", made=_converted)
    yield Change(kind="order", amount="reversed", made=partial(_sensors, columns=every[::-1]))
    for hours in BUDGETS:
        yield Change(
            kind="budget",
            amount=str(hours),
            made=lambda same: same,
            settings=FitSettings(false_alarm_hours=hours),
        )
    for lengths in LENGTHS:
        shorter = None
        for days in lengths:
            if days * DAY >= length:
                break
            first = int(np.searchsorted(times, times[train - 1] - days * DAY, side="right"))
            made, amount = partial(_between, first=first, last=train), f"{days} d"
            yield Change(kind="length", amount=amount, made=made, beside=shorter or amount)
            shorter = amount


def _with(case: Case, training: Frame, later: Frame) -> Case:
    """Return the case with other rows of training, and these to judge."""
    frame = Frame(
        times=np.concatenate([training.times, later.times]),
        values=np.concatenate([training.values, later.values]),
        sensors=training.sensors,
        off=np.concatenate([training.off, later.off]),
        step=training.step,
    )
    return replace(case, frame=frame, train=len(training.times))


def _between(case: Case, *, first: int, last: int) -> Case:
    """Return the case trained on some of its rows; those after are judged, too."""
    return _with(case, case.part(first, last), case.part(last, None))


def _sensors(case: Case, *, columns: list[int]) -> Case:
    whole = case.frame
    seen = [columns[:at].count(each) for at, each in enumerate(columns)]
    names = tuple(whole.sensors[each] + "'" * again for each, again in zip(columns, seen, strict=True))
    frame = Frame(
        times=whole.times, values=whole.values[:, columns], sensors=names, off=whole.off, step=whole.step
    )
    return replace(case, frame=frame)


def _thinned(case: Case, *, seed: int) -> Case:
    kept = np.random.default_rng(seed).random(case.train) >= 0.01
    return _with(case, case.part(0, case.train).select(kept), case.part(case.train, None))


def _noisy(case: Case, *, seed: int) -> Case:
    training = case.part(0, case.train)
    values, rng = training.values, np.random.default_rng(seed)
    values = values + 0.01 * np.nanstd(values[~training.off], axis=0) * rng.normal(size=values.shape)
    return _with(case, replace(training, values=values), case.part(case.train, None))


def _converted(case: Case) -> Case:
    """Return the case with its first sensor in other units."""
    values = case.frame.values.copy()
    values[:, 0] = 1000 * values[:, 0] + 5000
    return replace(case, frame=replace(case.frame, values=values))


def engine_alarms(case: Case, settings: FitSettings) -> tuple[Mask, dict[str, float]]:
    """Return the alarmed rows after training, and what training chose."""
    detector = fit(case.part(0, case.train), labels=case.training_labels(), settings=settings)
    return detector.score(case.part(case.train, None)).score > 0.5, _chosen(detector)


def _chosen(detector: Detector) -> dict[str, float]:
    slow, rare = detector.slow, detector.rare
    return {
        "widening": detector.widening,
        "trimmed": detector.trimmed,
        "rare": 1.0 if rare is None else rare.widening,
        "span": detector.pipeline.baseline.span,
        "trust": 0.0 if slow is None else slow.trust,
        "held": 0.0 if slow is None else slow.held,
        "steady": 0.0 if slow is None else float(slow.steady.mean()),
    }


def frozen_alarms(case: Case, _: FitSettings) -> tuple[Mask, dict[str, float]]:
    """Return the alarmed rows of a Mahalanobis model, which has no settings."""
    return baseline("Mahalanobis LW")(case) > 1, {}


DETECTORS: dict[str, Callable[[Case, FitSettings], tuple[Mask, dict[str, float]]]] = {
    "engine": engine_alarms,
    "Mahalanobis": frozen_alarms,
}


def examined(case: Case, detector: str, kinds: Sequence[str]) -> list[Outcome]:
    """Return the outcome of every change of these kinds, all if there are none, the unchanged case first."""
    case = replace(case, sizes=case.sizes or (1.0,) * len(case.labels))
    on, found, alarms = ~case.frame.off[case.train :], [], dict[tuple[str, str], Mask]()
    for change in changes(case):
        if kinds and change.kind not in {"none", *kinds}:
            continue
        alarm, chosen = DETECTORS[detector](change.made(case), change.settings)
        alarm = alarms[change.kind, change.amount] = alarm[-len(on) :]
        before = alarms["none", ""] if change.beside is None else alarms[change.kind, change.beside]
        faults, figures = judge(case, alarm)
        found.append(
            Outcome(
                plant=case.name,
                kind=change.kind,
                amount=change.amount,
                beside=change.beside,
                late=tuple(float(np.mean(each.fifths[3:])) for each in faults),
                false_hours=figures.false_hours_per_day,
                f1=figures.f1,
                differs=100 * float((alarm != before)[on].mean()),
                chosen=chosen,
            )
        )
        print(_line(detector, found[-1]), flush=True)
    return found


def _line(detector: str, one: Outcome) -> str:
    shares = " ".join(f"{share:3.0f}" for share in one.late[:12])
    chosen = " ".join(f"{name} {value:.3g}" for name, value in one.chosen.items())
    return (
        f"{one.plant:24} {detector:12} {one.kind + ' ' + one.amount:26} late {np.mean(one.late or [0]):5.1f} "
        f"seen {sum(one.seen):2d}/{len(one.late):2d} false {one.false_hours:5.2f} f1 {one.f1:.3f} "
        f"differs {one.differs:5.2f}  [{shares}]  {chosen}"
    )


def pairs(outcomes: Sequence[Outcome]) -> Iterator[tuple[Outcome, Outcome]]:
    """Yield each outcome after the one that it is compared with."""
    known = {(each.kind, each.amount): each for each in outcomes}
    for each in outcomes:
        before = known["none", ""] if each.beside is None else known[each.kind, each.beside]
        if before is not each:
            yield before, each


def summary(found: dict[str, dict[str, list[list[Outcome]]]]) -> None:
    """Print a line for each family, detector and kind of change."""
    print(f"\n{'family':18} {'detector':12} {'change':16} changes  late: mean, worst  lost found", end="  ")
    print("false h/day: before, worst  F1: worst  differs: mean, worst  jumps")
    for family, detectors in found.items():
        for detector, cases in detectors.items():
            every = [pair for outcomes in cases for pair in pairs(outcomes)]
            for kind in dict.fromkeys(after.kind for _, after in every):
                line = _summed([pair for pair in every if pair[1].kind == kind])
                print(f"{family:18} {detector:12} {kind:16} {line}")


def _summed(chosen: Sequence[tuple[Outcome, Outcome]]) -> str:
    moved = [abs(np.mean(after.late or [0]) - np.mean(before.late or [0])) for before, after in chosen]
    lost = sum(was and not is_ for one, two in chosen for was, is_ in zip(one.seen, two.seen, strict=True))
    gained = sum(is_ and not was for one, two in chosen for was, is_ in zip(one.seen, two.seen, strict=True))
    worst = max(chosen, key=lambda pair: abs(pair[1].false_hours - pair[0].false_hours))
    differs = [after.differs for _, after in chosen]
    return (
        f"{len(chosen):7d}  {np.mean(moved):10.1f} {max(moved):6.1f}  {lost:4d} {gained:5d}  "
        f"{worst[0].false_hours:19.2f} {worst[1].false_hours:6.2f}  "
        f"{max(abs(after.f1 - before.f1) for before, after in chosen):9.3f}  "
        f"{np.mean(differs):13.2f} {max(differs):6.2f}  {sum(jumps(*pair) for pair in chosen):5d}"
    )


def jumps(before: Outcome, after: Outcome) -> bool:
    """Return whether a fault was lost or found, or false hours at least doubled or halved."""
    low, high = sorted((before.false_hours, after.false_hours))
    return before.seen != after.seen or (high >= JUMP[0] * low and high - low > JUMP[1])


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="3")
    parser.add_argument("--step", type=int, default=900, help="seconds between rows of machines that wear")
    parser.add_argument("--plants", default="", help="separated by semicolons")
    parser.add_argument("--changes", default="", help="kinds, separated by semicolons")
    parser.add_argument("--detectors", default=";".join(DETECTORS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    known = plants([int(seed) for seed in options.seeds.split(",")], options.step)
    kinds = [kind for kind in options.changes.split(";") if kind]
    found: dict[str, dict[str, list[list[Outcome]]]] = {}
    for family in options.plants.split(";") if options.plants else known:
        for make in known[family]:
            case = make()
            for detector in options.detectors.split(";"):
                found.setdefault(family, {}).setdefault(detector, []).append(examined(case, detector, kinds))
    summary(found)
    if options.json:
        rows: dict[str, Any] = {
            family: {name: [[asdict(one) for one in each] for each in cases] for name, cases in by.items()}
            for family, by in found.items()
        }
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
