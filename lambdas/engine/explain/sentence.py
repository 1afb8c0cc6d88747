"""Describe an event in a sentence: what the leading sensor did and what the others predict, in its unit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.detector import Detector
from engine.detect.features import ViewName
from engine.detect.state import State
from engine.evaluate.evaluation import Range
from engine.evaluate.events import NAMED_SHARE
from engine.evaluate.faults import Departure
from engine.frame.frame import Frame, SensorId
from engine.ingest.timestamps import Times

Floats = NDArray[np.float64]

_NOTABLE = 0.5
"""Median residual, in units of its 99 % quantile, from which a direction or a change of noise is named."""
_GROWN = 1.5
"""How many times as far a sensor is at last as at first, from which its event has grown."""
_MAX_OTHERS = 2
_LEAST_ROWS = 25
"""Anomalous rows of an event from which its first and its last fifth say whether it grew."""
_STILL_ROWS = 5
"""Equal values from which a sensor stood still."""
_HUGE = 1e300
"""Values are clipped here, so that no sum of them overflows."""
_ROWS_BEFORE = 200
"""Rows before the event that show where the level of a drifting sensor stood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deviation:
    """What one sensor did: medians over the rows of the event in a frame.

    Attributes:
        observed: value in the sensor's unit.
        expected: value that the other sensors predict, in the same unit.
        level: residual of the level, in units of its held-out 99 % quantile.
        noise: residual of the log standard deviation, likewise; None without enough rows.
        noise_ratio: how many times as much as predicted the sensor varied; None without enough rows.
        values: the values themselves, shape (rows,).

    """

    observed: float
    expected: float
    level: float
    noise: float | None
    noise_ratio: float | None
    values: Floats

    @property
    def distance(self) -> float:
        """The absolute difference between observed and expected."""
        return abs(self.observed - self.expected)


def describe(detector: Detector, frame: Frame, event: Range, *, state: bytes | None = None) -> str:
    """Return one sentence: what the leading sensor did and by how much, for how long, and who moved with it.

    Args:
        detector: the detector that found the event.
        frame: rows of the event, all or some; rows before them give the views their past.
        event: the event, which may have begun before the frame.
        state: the state of scoring before the frame, in place of rows there; none by default.

    Raises:
        BadArtefact: when the state is damaged or belongs to another detector.

    """
    leader = int(event.contributions.argmax())
    deviation = _deviation(detector, frame, event, leader, state)
    if deviation is None:
        predicate = "departed from its usual pattern"
    else:
        predicate = _predicate(detector, leader, deviation)
    duration = _duration(event.end - event.start + frame.step)
    others = _others(detector.sensors, event, leader)
    return f"{_short_name(detector.sensors, leader)} {predicate}, {duration}{others}"


def growth(detector: Detector, first: Frame, last: Frame, event: Range) -> str:
    """Return the clause about how the departure of the leading sensor grew or shrank, nothing if it did not.

    Args:
        detector: the detector that found the event.
        first: rows of the first fifth of the event; rows before them give the views their past.
        last: the same of its last fifth.
        event: the event.

    """
    if event.rows < _LEAST_ROWS:
        return ""
    leader, fifth = int(event.contributions.argmax()), (event.end - event.start) / 5
    early = _departed(detector, first, leader, event.start, event.start + fifth)
    late = _departed(detector, last, leader, event.end - fifth, event.end)
    if early is None or late is None:
        return ""
    return grown(detector, *(Departure(sensor=leader, by=by) for by in (early, late)))


def grown(detector: Detector, before: Departure, now: Departure) -> str:
    """Return the clause about how a departure grew or shrank, nothing if it did not, or is of another sensor.

    Args:
        detector: the detector that found both.
        before: the departure at first.
        now: the departure at last.

    """
    if detector.discrete_values and detector.discrete_values[now.sensor]:
        return ""
    low, high = sorted((abs(before.by), abs(now.by)))
    unit = _unit(detector, now.sensor)
    if before.sensor != now.sensor or high < max(_NOTABLE * unit, _GROWN * low):
        return ""
    grew = "grew" if abs(now.by) > abs(before.by) else "shrank"
    first, last = (_number(abs(each.by), high - low) for each in (before, now))
    return f"; the departure {grew} from {first} to {last}"


def departure(
    detector: Detector, frame: Frame, event: Range, *, state: bytes | None = None
) -> Departure | None:
    """Return how far the leading sensor of an event was from what the others predict, None without values.

    It takes what `describe` does, and fails as it does.
    """
    leader = int(event.contributions.argmax())
    by = _departed(detector, frame, leader, event.start, event.end, state=state)
    return None if by is None else Departure(sensor=leader, by=by)


def _departed(
    detector: Detector,
    frame: Frame,
    sensor: int,
    start: np.datetime64,
    end: np.datetime64,
    *,
    state: bytes | None = None,
) -> float | None:
    """Return how far a sensor was from what the others predict in a time, in its unit; None if unknown."""
    residuals = _residuals(detector, frame, sensor, state)
    level = _median(residuals.level[(residuals.times >= start) & (residuals.times <= end)])
    return None if level is None else level * _unit(detector, sensor)


def _unit(detector: Detector, sensor: int) -> float:
    """Return how much of a sensor's own unit one unit of its residuals is."""
    return float(detector.pipeline.scaling.scale[sensor]) / _own_weight(detector, "lag", sensor)


def _predicate(detector: Detector, sensor: int, deviation: _Deviation) -> str:
    """Return what the sensor did, without its name."""
    observed, expected = deviation.observed, deviation.expected
    scaling = detector.pipeline.scaling
    usual = detector.discrete_values[sensor] if detector.discrete_values else ()
    if scaling.constant[sensor]:
        usual = (float(scaling.center[sensor]),)
    if usual and (unusual := _unusual_value(deviation, usual)):
        return unusual
    other = "the other sensors predict" if len(detector.sensors) > 1 else "is usual"
    if not usual and len(deviation.values) >= _STILL_ROWS and np.ptp(deviation.values) == 0:
        still = f"stood still at {_exact(observed)}"
        if abs(deviation.level) < _NOTABLE:
            return still
        other = other.replace("is usual", "usual is")
        return f"{still} where {other} {_number(expected, deviation.distance)}"
    if deviation.noise is not None and abs(deviation.noise) > max(abs(deviation.level), _NOTABLE):
        return _noise(deviation)
    if len(usual) > 1:
        return f"was {_exact(_too_often(deviation, usual))} more often than the other sensors speak for"
    return _moved(detector, sensor, deviation, other)


def _moved(detector: Detector, sensor: int, deviation: _Deviation, other: str) -> str:
    """Return how far the sensor lay from what `other` names."""
    distance = deviation.distance
    numbers = f"({_number(deviation.observed, distance)}, expected {_number(deviation.expected, distance)})"
    if abs(deviation.level) < _NOTABLE:
        return f"departed from its usual pattern {numbers}"
    trained = detector.training_range
    by = _percent(deviation, float(trained.low[sensor]), float(trained.high[sensor]))
    return (
        f"rose {by}above what {other} {numbers}"
        if deviation.level > 0
        else f"fell {by}below what {other} {numbers}"
    )


def _unusual_value(deviation: _Deviation, usual: Sequence[float]) -> str:
    """Return what a sensor of few values did if it had another one than usual or expected; else nothing."""
    values, counts = np.unique(deviation.values, return_counts=True)
    new = ~np.isin(values, usual)
    if new.any():
        value = float(values[new][counts[new].argmax()])
        if len(usual) == 1:
            return f"was {_exact(value)}, always {_exact(usual[0])} in training"
        return f"was {_exact(value)}, only ever {_enumeration([_exact(each) for each in usual])} in training"
    nearest = min(usual, key=lambda each: abs(each - deviation.expected))
    value = float(values[counts.argmax()])
    if value != nearest:
        return f"was {_exact(value)} where the other sensors speak for {_exact(nearest)}"
    return ""


def _too_often(deviation: _Deviation, usual: Sequence[float]) -> float:
    """Return which of its values a sensor had too often: the next one on its side of what was expected.

    Others expect what the sensor is on average, which need not be one of its values.
    """
    expected = min(max(deviation.expected, min(usual)), max(usual))
    if deviation.level > 0:
        return min((each for each in usual if each > expected), default=max(usual))
    return max((each for each in usual if each < expected), default=min(usual))


def _noise(deviation: _Deviation) -> str:
    ratio = deviation.noise_ratio or 1.0
    if ratio > 1:
        return f"varied {ratio:.2g} times as much as usual"
    return f"varied only {100 * ratio:.0f} % as much as usual"


def _percent(deviation: _Deviation, low: float, high: float) -> str:
    """Return the deviation in percent of what was expected; nothing for sensors that change sign."""
    if not low * high > 0 or not math.isfinite(low * high) or deviation.expected * high <= 0:
        return ""
    percent = 100 * abs(deviation.observed / deviation.expected - 1)
    return f"{percent:.0f} % " if percent >= 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Residuals:
    """Residuals of one sensor in units, at the rows with the machine on; NaN where there are none.

    Attributes:
        times: times of the rows, shape (rows,).
        level: residuals of its value, shape (rows,).
        noise: residuals of its log standard deviation, shape (rows,).

    """

    times: Times
    level: Floats
    noise: Floats


def _deviation(
    detector: Detector, frame: Frame, event: Range, sensor: int, state: bytes | None
) -> _Deviation | None:
    """Return what the sensor did in the rows of the event, None if the frame has none with a value."""
    residuals = _residuals(detector, frame, sensor, state)
    inside = (residuals.times >= event.start) & (residuals.times <= event.end)
    level, noise = _median(residuals.level[inside]), _median(residuals.noise[inside])
    if level is None:
        return None
    before = _median(residuals.level[residuals.times < event.start][-_ROWS_BEFORE:])
    if before is not None and abs(before) > _NOTABLE:
        level -= before
    times = residuals.times[inside & ~np.isnan(residuals.level)]
    values = frame.values[np.isin(frame.times, times), sensor].astype(np.float64)
    values = np.clip(values[np.isfinite(values)], -_HUGE, _HUGE)
    if not len(values):
        return None
    observed = float(np.median(values))
    noise_ratio = None
    if noise is not None:
        own = _own_weight(detector, "window", sensor + len(detector.sensors))
        noise_ratio = math.exp(np.clip(noise / own, -20, 20))
    return _Deviation(
        observed=observed,
        expected=observed - level * _unit(detector, sensor),
        level=level,
        noise=noise,
        noise_ratio=noise_ratio,
        values=values,
    )


def _residuals(detector: Detector, frame: Frame, sensor: int, state: bytes | None) -> _Residuals:
    count = len(detector.sensors)
    now = State.start(count) if state is None else State.from_bytes(state, count)
    times = [frame.times[:0]]
    found: dict[ViewName, list[Floats]] = {"lag": [np.empty(0)], "window": [np.empty(0)]}
    views = {view.name: view for view in detector.views}
    columns: tuple[tuple[ViewName, int], ...] = (("lag", sensor), ("window", sensor + count))
    for rows in detector.pipeline.run(frame, now, predictor=detector.lag_view):
        times.append(frame.times[rows.start : rows.stop])
        for name, column in columns:
            residuals = np.full(rows.stop - rows.start, np.nan)
            if view := views.get(name):
                stacked = np.concatenate(rows.blocks(name), axis=1)
                residuals = stacked @ view.weights[:, column].astype(np.float64) - float(view.offset[column])
                if name == "window":
                    residuals[~rows.ready(name)] = np.nan
            if rows.missing is not None:
                residuals[rows.missing[:, sensor]] = np.nan
            found[name].append(residuals)
    return _Residuals(
        times=np.concatenate(times), level=np.concatenate(found["lag"]), noise=np.concatenate(found["window"])
    )


def _own_weight(detector: Detector, name: ViewName, column: int) -> float:
    """Return how far a residual moves, in units, when the feature itself moves by one."""
    view = next(view for view in detector.views if view.name == name)
    return max(float(view.weights[column, column]), 1e-12)


def _median(values: Floats) -> float | None:
    """Return the median of the values that are not NaN, None if all are."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def _others(sensors: Sequence[SensorId], event: Range, leader: int) -> str:
    """Return the clause about the other sensors with a large share, nothing if there are none."""
    order = np.argsort(-event.contributions, kind="stable")[: _MAX_OTHERS + 1]
    named = [int(at) for at in order if at != leader and event.contributions[at] >= NAMED_SHARE]
    if not named:
        return ""
    return f"; {_enumeration([_short_name(sensors, at) for at in named[:_MAX_OTHERS]])} moved with it"


def _enumeration(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _short_name(sensors: Sequence[SensorId], at: int) -> str:
    """Return the sensor's name, with its component if another component has a sensor of the same name."""
    short = sensors[at].rpartition("\\")[2]
    return short if [each.rpartition("\\")[2] for each in sensors].count(short) == 1 else sensors[at]


def _number(value: float, difference: float) -> str:
    """Return the value with as many decimals as a difference needs to show two digits."""
    if not 1e-4 <= abs(value) < 1e7 and value:
        return f"{value:.4g}"
    if not difference:
        return _exact(value)
    return f"{value:.{min(max(1 - math.floor(math.log10(difference)), 0), 6)}f}"


def _exact(value: float) -> str:
    return f"{value:.6g}"


def _duration(length: np.timedelta64) -> str:
    """Return a length of time in its largest fitting unit: 40 s, 12 min, 3 h, 2 d."""
    minutes = float(length / np.timedelta64(1, "m"))
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} d"
