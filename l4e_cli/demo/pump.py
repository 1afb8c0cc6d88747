"""A simulated centrifugal pump: eight sensors, two operating modes, and an impeller that wears out.

The fault is that of an example in the L4E user guide: flow no longer follows speed. Every sensor stays inside
the range of its healthy operation, so no threshold on a single sensor can detect it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from l4e_cli.demo.recording import ComponentRecording, Times, Values
from l4e_cli.interval import Interval

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

_BEFORE, _REPAIR = np.timedelta64(2, "h"), np.timedelta64(3, "h")
_STEP = np.timedelta64(1, "m")
_LOW, _HIGH = 1450.0, 2900.0  # rpm of the two operating modes
_WEAR = 0.32  # share of flow a worn impeller loses in the end
_PACE = 60.0  # rpm a minute
_OFF_CHANCE = 0.08  # at each change of mode
_MOTOR_LAG, _BEARING_LAG = 12.0, 15.0  # minutes
_MINUTES_A_DAY = 1440
_DECIMALS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An impeller that loses flow over `ramp_minutes`, until it is repaired at the end of `period`."""

    period: Interval
    ramp_minutes: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pump:
    """The pump as a deterministic source of data; another `seed` is another pump of the same kind."""

    seed: int = 7
    component: str = "pump"

    def record(
        self, span: Interval, faults: Sequence[Fault] = (), *, high_from: np.datetime64 | None = None
    ) -> ComponentRecording:
        """Return one row a minute over `span`, its end excluded.

        The pump runs in its fast mode during `faults`, for two hours before them, and after `high_from`.
        After a fault it is off for three hours.
        """
        times = np.arange(span.start, span.end, _STEP).astype("datetime64[s]")
        day = times.astype("datetime64[D]").astype(np.int64)[0]
        random = np.random.default_rng([self.seed, int(day)])
        wear = _wear(times, faults)
        target = _modes(random, times)
        if high_from is not None:
            target[times >= high_from] = _HIGH
        for fault in faults:
            target[(times >= fault.period.start - _BEFORE) & (times <= fault.period.end)] = _HIGH
            target[(times > fault.period.end) & (times <= fault.period.end + _REPAIR)] = 0.0
        speed = _speed(random, target)
        values = np.round(_sensors(random, times, speed, wear), _DECIMALS)
        return ComponentRecording(name=self.component, sensors=SENSORS, times=times, values=values)


def _wear(times: Times, faults: Sequence[Fault]) -> Values:
    """Return the share of flow that is lost, for each row."""
    wear = np.zeros(times.size)
    for fault in faults:
        inside = (times >= fault.period.start) & (times <= fault.period.end)
        minutes = (times[inside] - fault.period.start) / np.timedelta64(1, "m")
        wear[inside] = _WEAR * np.minimum(1, (minutes + 1) / (fault.ramp_minutes + 1))
    return wear


def _modes(random: np.random.Generator, times: Times) -> Values:
    """Return the set speed for each row: hours in one mode, then in the other, sometimes off."""
    target = np.empty(times.size)
    row, high = 0, True
    while row < times.size:
        length = int(random.integers(240, 900))
        target[row : row + length] = (_HIGH if high else _LOW) * random.uniform(0.97, 1.03)
        row, high = row + length, not high
        if random.random() < _OFF_CHANCE:
            pause = int(random.integers(60, 240))
            target[row : row + pause] = 0.0
            row += pause
    return target


def _speed(random: np.random.Generator, target: Values) -> Values:
    """Return the speed for each row: the drive follows at its own pace, and stops within a minute."""
    speed = np.empty(target.size)
    now = float(target[0])
    for row, wanted in enumerate(target.tolist()):
        now = now + float(np.clip(wanted - now, -_PACE, _PACE)) if wanted else 0.0
        speed[row] = now
    return np.clip(speed + random.normal(0, 4, target.size), 0, None)


def _sensors(random: np.random.Generator, times: Times, speed: Values, wear: Values) -> Values:
    def noise(scale: float) -> Values:
        return random.normal(0, scale, times.size)

    minute = times.astype("datetime64[m]").astype(np.int64)
    weather = np.sin(2 * np.pi * minute / _MINUTES_A_DAY)
    share = speed / _HIGH
    running = share > 0.02
    demand = 1 + 0.03 * _wander(random, times.size)  # a valve downstream that somebody turns
    healthy = share * demand  # flow as a share of the rated one
    flow = healthy * (1 - wear)
    current = running * (3 + 14 * share + 24 * healthy * (1 - 0.4 * wear))  # a worn impeller wastes power
    suction = 1.9 - 0.25 * flow
    columns = (
        speed,
        240 * flow + noise(1.6),
        suction + noise(0.02),
        suction + running * (1.5 + 8.2 * share - 1.6 * healthy) + noise(0.05),
        current + noise(0.35),
        24 + 2 * weather + _lagged(46 * current / 41, minutes=_MOTOR_LAG) + noise(0.3),
        22 + 2 * weather + _lagged(26 * share, minutes=_BEARING_LAG) + noise(0.25),
        running * (0.5 + 1.8 * share + 0.1 * wear) + np.abs(noise(0.05)),
    )
    return np.column_stack(columns)


def _lagged(signal: Values, *, minutes: float) -> Values:
    """Return `signal` behind a first-order lag."""
    keep = float(np.exp(-1 / minutes))
    follows = np.empty(signal.size)
    state = float(signal[0])
    for row, value in enumerate(signal.tolist()):
        state = keep * state + (1 - keep) * value
        follows[row] = state
    return follows


def _wander(random: np.random.Generator, size: int) -> Values:
    """Return a slow random movement around 0, of about unit size."""
    keep = float(np.exp(-1 / 240))
    steps = random.normal(0, np.sqrt(1 - keep**2), size)
    moved = np.empty(size)
    state = 0.0
    for row, step in enumerate(steps.tolist()):
        state = keep * state + step
        moved[row] = state
    return np.clip(moved, -2.0, 2.0)
