"""Simulated machines that wear over weeks: load by hour and weekday, weather and season, stops, real sensors.

Rows are made a minute apart; slower frames are means of the same rows, as `build_frame` makes them. Faster
ones follow the machine in lines from minute to minute, and have noise and outages of their own. A fault of
`size` 1 moves a sensor by one spread of its healthy training.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Case
from benchmarks.signals import DAY, Floats, ewma, wander
from engine import Frame

Mask = NDArray[np.bool_]
START = np.datetime64("2025-01-06T00:00", "us")  # a Monday
YEAR = 365.25
WARM_UP_DAYS = 7
"""Days that are simulated and left out, so that slow signals have found their level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: its kind, first day, days until the repair, and size at its end."""

    kind: str
    start: float
    days: float
    size: float
    growth: float = 1.0
    """Power of time by which it grows; 0 for an abrupt one that lasts."""

    def course(self, rows: int) -> Floats:
        """Return the size of the fault at every row, a minute each; it is repaired at its end."""
        past = (np.arange(rows) / DAY - self.start) / self.days
        grown = np.clip(past, 0, 1) ** self.growth
        return np.where((past >= 0) & (past < 1), self.size * grown, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """What moves a machine at every minute: `load` (0 to about 1.2), `ambient`, `feed`; `off` rows."""

    load: Floats
    ambient: Floats
    feed: Floats
    off: Mask

    @classmethod
    def of(cls, rng: np.random.Generator, days: int, *, phase: float) -> "Drivers":
        """Draw them; `phase` is the part of the year at the start, 0 the coldest day."""
        rows = days * DAY
        minute = np.arange(rows)
        hour, weekday = minute % DAY / 60, minute // DAY % 7
        early, late = rng.uniform(5, 7), rng.uniform(19, 22)
        busy = np.where((hour > early) & (hour < late), 1.0, rng.uniform(0.55, 0.8))
        busy *= np.where(weekday >= 5, rng.uniform(0.6, 0.8), 1.0)
        order = np.repeat(rng.normal(1, 0.08, rows // 360 + 1), 360)[:rows]
        load = ewma((busy * order)[:, None], 20)[:, 0] + 0.03 * wander(rng, rows, 45)
        season = -np.cos(2 * np.pi * (minute / DAY / YEAR + phase)) * 9
        weather = 2.5 * wander(rng, rows, 3 * DAY)
        ambient = 12 + season + weather - 3.5 * np.cos(2 * np.pi * (hour - 3) / 24)
        return cls(
            load=np.clip(load, 0.2, 1.3),
            ambient=ambient,
            feed=wander(rng, rows, 600) + 0.5 * wander(rng, rows, 4 * DAY),
            off=_stops(rng, rows),
        )


def _stops(rng: np.random.Generator, rows: int) -> Mask:
    """Mark stops of 2 to 40 hours, one in nine days."""
    off = np.zeros(rows, bool)
    at = int(rng.exponential(9 * DAY))
    while at < rows:
        length = int(np.exp(rng.uniform(np.log(120), np.log(2400))))
        off[at : at + length] = True
        at += length + int(rng.exponential(9 * DAY)) + DAY
    return off


Course = Callable[[str], Floats]
"""The size of a kind of fault at every row."""


def linear(rng: np.random.Generator, of: Drivers, course: Course, train: int) -> Floats:
    """Return 14 sensors that follow the drivers in lines, with time constants of up to six hours.

    The kinds of faults move one sensor ("one", "another") or groups of two to four ("pair", "group").
    """
    count = 14
    basis = np.stack([4 * (of.load - 0.8), (of.ambient - 12) / 8, of.feed], axis=1)
    values = basis @ (rng.normal(size=(3, count)) * (rng.random((3, count)) < 0.75) + 0.15)
    values = _slowed(values, rng.choice([1, 5, 30, 120, 360], count))
    own = np.stack([wander(rng, len(values), span) for span in rng.choice([60, 240, 720], count)], axis=1)
    values += own * values[::97].std(axis=0) * rng.uniform(0.15, 0.5, count)
    spread = values[:train][~of.off[:train]].std(axis=0)
    names = rng.permutation(count)
    groups = {"one": names[:1], "another": names[1:2], "pair": names[2:4], "group": names[4:8]}
    for kind, members in groups.items():
        for at in members:
            values[:, at] += rng.choice([-1, 1]) * course(kind) * spread[at]
    return values


def curved(rng: np.random.Generator, of: Drivers, course: Course, train: int) -> Floats:  # noqa: ARG001 - called as `linear` is
    """Return 15 sensors of a pump set whose relations bend: cubes of speed, a valve that saturates, a hump.

    The kinds of wear: "bearing", "cooler", "actuator", "driver" (the reading of the demand), "efficiency",
    "winding" and "filter". Their sizes count in parts that an engineer would know, not in spreads.
    """
    u = rng.uniform
    load, ambient = of.load, of.ambient
    speed = np.sqrt(0.12 + 0.75 * load**2)
    head = u(1.0, 1.4) * speed**2 - u(0.2, 0.4) * load**2
    best = 1 - u(0.3, 0.6) * (load - 0.85) ** 2
    power = (u(0.5, 0.7) * speed**3 + 0.5 * load * head) / (best * (1 - 0.05 * course("efficiency") * load))
    winding = _slow(ambient + u(35, 45) * power**1.5 * (1 + 0.05 * course("winding")), 60)
    bearing = _slow(ambient + u(12, 18) * speed**2 + 2.0 * course("bearing"), 45)
    other = _slow(ambient + u(10, 16) * speed**2, 45)
    vibration = 0.5 + u(1, 1.5) * speed**2 + 0.8 * np.exp(-(((speed - 0.8) / 0.07) ** 2))
    hot = _slow(ambient + u(28, 34) * power, 150)
    wish = (hot - 38 + 0.3 * (ambient - 10)) / (u(18, 22) * (1 - 0.09 * course("cooler")))
    valve = np.clip(wish, 0.05, 1.0)
    oil = hot - valve * u(17, 21) * (1 - 0.09 * course("cooler"))
    suction = 2 + 0.25 * of.feed - 0.15 * load**2
    values = np.stack(
        [
            load * 100 * (1 + 0.03 * course("driver")),
            speed * 1500,
            suction,
            suction + 4 * head,
            power * 90,
            power * 150 / (1 + 0.02 * of.feed),
            winding,
            bearing,
            other,
            vibration * (1 + 0.04 * course("bearing")),
            vibration * u(0.6, 0.9),
            hot,
            oil,
            100 * np.clip(valve + 0.03 * course("actuator"), 0, 1),
            u(0.3, 0.5) * load**2 * (1 + 0.08 * course("filter")),
        ],
        axis=1,
    )
    spread = values[::97].std(axis=0)
    own = np.stack([wander(rng, len(values), 180) for _ in range(values.shape[1])], axis=1)
    result: Floats = values + own * spread * rng.uniform(0.01, 0.04, values.shape[1])
    return result


def _slow(values: Floats, minutes: int) -> Floats:
    return ewma(values[:, None], 2 * minutes)[:, 0]


def _slowed(values: Floats, minutes: NDArray[np.int64]) -> Floats:
    result = values.copy()
    for span in np.unique(minutes[minutes > 1]):
        result[:, minutes == span] = ewma(values[:, minutes == span], 2 * int(span))
    return result


def measured(rng: np.random.Generator, values: Floats, off: Mask, per_minute: int) -> Floats:
    """Return what is recorded: noise, rest, two coarse sensors, two held ones, outages of three."""
    spread = values[::97].std(axis=0)
    count = values.shape[1]
    noise = rng.uniform(0.02, 0.12, count) * spread
    rest = values.min(axis=0) - spread
    values = np.where(off[:, None], rest, values) + rng.normal(size=values.shape) * noise
    order = rng.permutation(count)
    for at in order[:2]:
        values[:, at] = np.round(values[:, at] / (0.2 * spread[at])) * 0.2 * spread[at]
    for at in order[2:4]:  # a historian that keeps a value until it has moved by a tenth of its spread
        values[:, at] = _held(values[:, at], 0.1 * spread[at])
    for at in order[4:7]:
        for _ in range(3):
            start = int(rng.integers(0, len(values) - 4 * DAY * per_minute))
            length = int(np.exp(rng.uniform(np.log(120), np.log(2880)))) * per_minute
            values[start : start + length, at] = np.nan
    return values


def _held(values: Floats, band: float) -> Floats:
    result, last = np.empty_like(values), values[0]
    for at, value in enumerate(values.tolist()):
        if abs(value - last) > band:
            last = value
        result[at] = last
    return result


Make = Literal["linear", "curved"]


def machine(
    name: str,
    seed: int,
    make: Make,
    *,
    train: int,
    evaluated: int,
    faults: Sequence[Fault],
    step: int = 60,
    phase: float = 0.0,
) -> Case:
    """Return a machine with `train` days of training and `evaluated` after, a row in `step` seconds."""
    rng = np.random.default_rng([seed, 8])
    before = WARM_UP_DAYS * DAY
    rows = before + (train + evaluated) * DAY
    of = Drivers.of(rng, rows // DAY, phase=phase)

    def course(kind: str) -> Floats:
        courses = [each.course(rows - before) for each in faults if each.kind == kind]
        return np.concatenate([np.zeros(before), np.sum(courses or [np.zeros(rows - before)], axis=0)])

    simulate = {"linear": linear, "curved": curved}[make]
    start = rng.bit_generator.state
    untouched = simulate(rng, of, lambda _: np.zeros(rows), before + train * DAY)
    rng.bit_generator.state = start
    values = simulate(rng, of, course, before + train * DAY)
    sizes = _sizes((values - untouched)[before:], untouched[before:], of.off[before:], train, faults)
    per_minute = max(1, 60 // step)
    before *= per_minute
    off = np.repeat(of.off, per_minute)
    values = measured(rng, _finer(values, per_minute), off, per_minute)[before:]
    width = max(1, step // 60)
    with np.errstate(invalid="ignore"):
        means = values.reshape(-1, width, values.shape[1]).mean(axis=1) if width > 1 else values
    off = np.any(off[before:].reshape(-1, width), axis=1)
    times = START + (np.arange(len(means)) + 1) * np.timedelta64(step, "s")
    names = tuple(f"s{at}" for at in range(means.shape[1]))
    frame = Frame(times=times, values=means, sensors=names, off=off, step=np.timedelta64(step, "s"))
    day = np.timedelta64(24 * 3600 * 10**6, "us")
    labels = tuple((START + each.start * day, START + (each.start + each.days) * day) for each in faults)
    return Case(
        name=f"{name} {seed} at {step} s",
        group=name,
        frame=frame,
        labels=labels,
        train=train * DAY * per_minute // width,
        roots=tuple((each.kind,) for each in faults),
        sizes=sizes,
    )


def _finer(values: Floats, per_minute: int) -> Floats:
    """Return rows between those of the minutes, in lines from one to the next."""
    if per_minute == 1:
        return values
    minutes = np.arange(len(values))
    rows = np.arange(len(values) * per_minute) / per_minute
    return np.stack([np.interp(rows, minutes, column) for column in values.T], axis=1)


def _sizes(
    moved: Floats, untouched: Floats, off: Mask, train: int, faults: Sequence[Fault]
) -> tuple[float, ...]:
    """Return how far each fault moves the sensor that it moves most, in spreads of healthy training."""
    spread = untouched[: train * DAY][~off[: train * DAY]].std(axis=0)
    sizes = []
    for each in faults:
        late = slice(int((each.start + 0.6 * each.days) * DAY), int((each.start + each.days) * DAY))
        sizes.append(float((np.abs(moved[late][~off[late]]).mean(axis=0) / spread).max()))
    return tuple(sizes)


KINDS: dict[Make, tuple[str, ...]] = {
    "linear": ("one", "pair", "group", "another"),
    "curved": ("bearing", "cooler", "actuator", "driver", "efficiency", "winding", "filter"),
}
TRAIN_DAYS = 180


def worn(seed: int, step: int, make: Make, days: tuple[float, float], *, at_once: bool = False) -> Case:
    """Return a machine that has one fault of each kind after the other, repaired, with healthy days between.

    Args:
        seed: of everything.
        step: seconds between rows.
        make: the machine.
        days: bounds of the length of a fault.
        at_once: whether faults come at once and stay, instead of growing.

    """
    rng = np.random.default_rng([seed, 9])
    faults, at = [], TRAIN_DAYS + rng.uniform(10, 20)
    for kind in KINDS[make]:
        length = float(np.exp(rng.uniform(*np.log(days))))
        growth = 0.0 if at_once else float(rng.choice([1.0, 1.0, 1.7]))
        size = float(rng.uniform(1.5, 3) if at_once else rng.uniform(2, 5)) * (1.6 if make == "curved" else 1)
        faults.append(Fault(kind=kind, start=at, days=length, size=size, growth=growth))
        at += length + rng.uniform(8, 15)
    evaluated = int(faults[-1].start + faults[-1].days + 12 - TRAIN_DAYS) + 1
    name = f"{'abrupt' if at_once else 'wear'}, {make}"
    return machine(
        name, seed, make, train=TRAIN_DAYS, evaluated=evaluated, faults=faults, step=step, phase=0.1 * seed
    )


def healthy(seed: int, step: int, make: Make) -> Case:
    """Return 61 healthy days of a machine, in a season that its 240 days of training do not hold."""
    return machine(f"healthy, {make}", seed, make, train=240, evaluated=61, faults=(), step=step, phase=0.62)


def young(seed: int, step: int, make: Make, train: int = 40) -> Case:
    """Return a machine trained on some days at the end of winter, and its first 90 days after: until summer.

    Two faults of two weeks come in weather that training did not hold; the other days are healthy. Training
    ends in the same season, whatever its length.
    """
    size = 6.4 if make == "curved" else 4.0
    faults = [
        Fault(kind=kind, start=start, days=14, size=size)
        for kind, start in zip(KINDS[make], (train + 30, train + 54), strict=False)
    ]
    phase = 0.12 + (40 - train) / YEAR
    return machine(
        f"young, {make}", seed, make, train=train, evaluated=90, faults=faults, step=step, phase=phase
    )


def creeping(seed: int, sensors: int, rows: int) -> Case:
    """Return the smallest case: eight sensors on three drivers, a ramp of five spreads on some of them."""
    rng = np.random.default_rng([seed, 10])
    train, total = 20_000, 20_000 + rows + 4_000
    drivers = np.stack([wander(rng, total, span) for span in (60, 300, 1000)], axis=1)
    values = drivers @ rng.normal(size=(3, 8)) + 0.2 * rng.normal(size=(total, 8))
    values += np.stack([wander(rng, total, 300) for _ in range(8)], axis=1) * 0.6
    spread = values[:train].std(axis=0)
    begin = train + 2_000
    values[begin : begin + rows, :sensors] += np.linspace(0, 5, rows)[:, None] * spread[:sensors]
    times = START + np.arange(total) * np.timedelta64(60, "s")
    return Case(
        name=f"creeping {seed}: {sensors} of 8, {rows} rows",
        group=CREEPS,
        frame=Frame(
            times=times,
            values=values,
            sensors=tuple(f"s{at}" for at in range(8)),
            off=np.zeros(total, bool),
            step=np.timedelta64(60, "s"),
        ),
        labels=((times[begin], times[begin + rows - 1]),),
        train=train,
        roots=((f"{sensors} of 8",),),
        sizes=(4.0,),
    )


FAMILIES: dict[str, Callable[[int, int], Case]] = {
    "wear, linear": partial(worn, make="linear", days=(5, 35)),
    "wear, curved": partial(worn, make="curved", days=(10, 30)),
    "abrupt, linear": partial(worn, make="linear", days=(5, 20), at_once=True),
    "healthy, linear": partial(healthy, make="linear"),
    "healthy, curved": partial(healthy, make="curved"),
    "young, linear": partial(young, make="linear"),
    "young, curved": partial(young, make="curved"),
}
"""Makers of a case from a seed and the seconds between rows."""
CREEPS = "creeping"
"""The family of which all cases have a row a minute."""
CREEPING = ((1, 15_000), (3, 30_000))
"""Sensors that creep, and for how many minutes."""


def wear_cases(
    seeds: Sequence[int], steps: Sequence[int], families: Sequence[str] | None = None
) -> list[Callable[[], Case]]:
    """Return makers of all cases: one per family, seed and step (in seconds); of some families, if given."""
    wanted = families or (*FAMILIES, CREEPS)
    makers: list[Callable[[], Case]] = [
        partial(make, seed, step)
        for seed in seeds
        for step in steps
        for name, make in FAMILIES.items()
        if name in wanted
    ]
    creeps = CREEPING if CREEPS in wanted else ()
    return makers + [partial(creeping, seed, *each) for seed in seeds for each in creeps]
