"""A centrifugal pump that never existed: eight sensors, operating modes, and an impeller that wears out.

The fault is the one of the user guide's example: flow no longer follows speed. Every sensor stays inside the
range it has in healthy operation, so that no threshold on a single sensor can see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from constructs_l4e.cli.demo.recording import ComponentRecording, Interval, Times, Values

SENSORS = (
    "Speed",
    "Flow",
    "SuctionPressure",
    "DischargePressure",
    "MotorCurrent",
    "MotorTemperature",
    "BearingTemperature",
    "Vibration",
)
OFF_BELOW = 100.0
"""Speed in rpm below which the pump is off."""

_STEP = np.timedelta64(1, "m")
_LOW, _HIGH = 1450.0, 2900.0  # rpm of the two operating modes
_WEAR = 0.32  # share of flow a worn impeller loses in the end
_MINUTES_A_DAY = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An impeller that loses flow over ``ramp_minutes``, until the pump is repaired when ``period`` ends."""

    period: Interval
    ramp_minutes: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pump:
    """The pump as a deterministic source of data; ``seed`` makes another one of the same kind."""

    seed: int = 7
    component: str = "pump"

    def record(
        self, span: Interval, faults: Sequence[Fault] = (), *, high_from: np.datetime64 | None = None
    ) -> ComponentRecording:
        """One row a minute over ``span``, its end left out.

        During ``faults``, and after ``high_from``, it runs in the high mode.
        """
        times = np.arange(span.start, span.end, _STEP).astype("datetime64[s]")
        day = times.astype("datetime64[D]").astype(np.int64)[0]
        random = np.random.default_rng([self.seed, int(day)])
        wear = _wear(times, faults)
        high = wear > 0 if high_from is None else times >= high_from
        speed = _speed(random, _modes(random, times, high))
        values = _sensors(random, times, speed, wear)
        return ComponentRecording(name=self.component, sensors=SENSORS, times=times, values=values)


def _wear(times: Times, faults: Sequence[Fault]) -> Values:
    """Share of flow that is lost, per row."""
    wear = np.zeros(times.size)
    for fault in faults:
        inside = (times >= fault.period.start) & (times <= fault.period.end)
        minutes = (times[inside] - fault.period.start) / np.timedelta64(1, "m")
        wear[inside] = _WEAR * np.minimum(1, (minutes + 1) / (fault.ramp_minutes + 1))
    return wear


def _modes(random: np.random.Generator, times: Times, forced_high: NDArray[np.bool_]) -> Values:
    """The speed the operator asks for, per row: hours in one mode, then in the other, sometimes off."""
    target = np.empty(times.size)
    row, high = 0, True
    while row < times.size:
        length = int(random.integers(180, 720))
        target[row : row + length] = (_HIGH if high else _LOW) * random.uniform(0.97, 1.03)
        row, high = row + length, not high
        if random.random() < 0.12:
            pause = int(random.integers(60, 300))
            target[row : row + pause] = 0.0
            row += pause
    target[forced_high] = _HIGH
    return target


def _speed(random: np.random.Generator, target: Values) -> Values:
    return np.clip(_lagged(target, minutes=3) + random.normal(0, 4, target.size), 0, None)


def _sensors(random: np.random.Generator, times: Times, speed: Values, wear: Values) -> Values:
    def noise(scale: float) -> Values:
        return random.normal(0, scale, times.size)

    minute = times.astype("datetime64[m]").astype(np.int64)
    weather = np.sin(2 * np.pi * minute / _MINUTES_A_DAY) + 0.7 * np.sin(
        2 * np.pi * minute / (9.3 * _MINUTES_A_DAY)
    )
    share = speed / _HIGH
    demand = 1 + 0.04 * _wander(random, times.size)  # a valve downstream that somebody turns
    flow = 240 * share * demand * (1 - wear)
    suction = 1.9 + 0.05 * weather - 0.25 * (flow / 240) ** 2
    head = 9.5 * share**2 - 1.5 * (flow / 240) ** 2 - 2.0 * wear * share**2
    load = share * (0.35 + 0.65 * flow / 240)
    current = 3.0 * (share > 0.02) + 38.0 * load
    running = share > 0.02
    columns = (
        speed,
        flow + noise(1.6),
        suction + noise(0.012),
        suction + head + noise(0.05),
        current + noise(0.35),
        24 + 3 * weather + _lagged(46 * (current / 41) ** 2, minutes=45) + noise(0.25),
        22 + 3 * weather + _lagged(26 * share, minutes=60) + noise(0.2),
        running * (0.6 + 1.7 * share**2 + 0.2 * wear) + np.abs(noise(0.06)),
    )
    return np.column_stack(columns)


def _lagged(signal: Values, *, minutes: float) -> Values:
    """``signal`` behind a first-order lag."""
    keep = float(np.exp(-1 / minutes))
    follows = np.empty(signal.size)
    state = float(signal[0])
    for row, value in enumerate(signal.tolist()):
        state = keep * state + (1 - keep) * value
        follows[row] = state
    return follows


def _wander(random: np.random.Generator, size: int) -> Values:
    """A slow random movement of about unit size that always comes back."""
    keep = float(np.exp(-1 / 240))
    steps = random.normal(0, np.sqrt(1 - keep**2), size)
    moved = np.empty(size)
    state = 0.0
    for row, step in enumerate(steps.tolist()):
        state = keep * state + step
        moved[row] = state
    return np.clip(moved, -2.0, 2.0)
