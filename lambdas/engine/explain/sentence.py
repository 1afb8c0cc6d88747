"""An event in a sentence: what the leading sensor did against what the others predict, in its own unit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.detector import Detector
from engine.detect.features import ViewName
from engine.detect.state import State
from engine.evaluate.evaluation import Range
from engine.frame.frame import Frame, SensorId
from engine.ingest.timestamps import Times

Floats = NDArray[np.float64]

_CALM = 0.5
"""Median residual, in units, from which a direction or a change of noise is worth a word."""
_WITH_IT = 0.15
"""Share of the contributions from which another sensor is named."""
_MOST_OTHERS = 2
_STILL_ROWS = 5
_HUGE = 1e300
"""Values are cut here, so that no sum of them overflows."""
_BEFORE_ROWS = 200
"""Rows before the event that tell where the level of a drifting sensor stood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deed:
    """What one sensor did: medians over the rows of the event in a frame.

    ``seen`` and ``expected`` are in the sensor's unit, ``level`` and ``noise`` are residuals in units;
    ``noise`` and ``times``, how many times as much as predicted it varied, are None without enough rows.
    """

    seen: float
    expected: float
    level: float
    noise: float | None
    times: float | None
    values: Floats

    @property
    def away(self) -> float:
        """Return how far it was from what was expected."""
        return abs(self.seen - self.expected)


def describe(detector: Detector, frame: Frame, event: Range, *, state: bytes | None = None) -> str:
    """Return one sentence: what the leading sensor did and by how much, for how long, and who moved with it.

    Args:
        detector: the detector that found the event.
        frame: rows of the event, all or some; rows before them give the views their past.
        event: the event, which may have begun before the frame.
        state: the state of scoring before the frame, in place of rows there.

    Raises:
        BadArtefact: the state is damaged or belongs to another detector.

    """
    leader = int(event.contributions.argmax())
    deed = _deed(detector, frame, event, leader, state)
    what = "departed from its usual pattern" if deed is None else _what(detector, leader, deed)
    length = duration_words(event.end - event.start + frame.step)
    return f"{_name(detector.sensors, leader)} {what}, {length}{_others(detector.sensors, event, leader)}"


def _what(detector: Detector, sensor: int, deed: _Deed) -> str:
    scaling = detector.pipeline.scaling
    usual = detector.discrete_values[sensor] if detector.discrete_values else ()
    if scaling.constant[sensor]:
        usual = (float(scaling.center[sensor]),)
    if usual and (odd := _odd_value(deed, usual)):
        return odd
    other = "the other sensors predict" if len(detector.sensors) > 1 else "is usual"
    if not usual and len(deed.values) >= _STILL_ROWS and np.ptp(deed.values) == 0:
        still = f"stood still at {_exact(deed.seen)}"
        if abs(deed.level) < _CALM:
            return still
        return f"{still} where {other.replace('is usual', 'usual is')} {_number(deed.expected, deed.away)}"
    if deed.noise is not None and abs(deed.noise) > max(abs(deed.level), _CALM):
        return _noise(deed)
    numbers = f"({_number(deed.seen, deed.away)}, expected {_number(deed.expected, deed.away)})"
    if abs(deed.level) < _CALM:
        return f"departed from its usual pattern {numbers}"
    by = _by(deed, float(detector.training_range.low[sensor]), float(detector.training_range.high[sensor]))
    return (
        f"rose {by}above what {other} {numbers}"
        if deed.level > 0
        else f"fell {by}below what {other} {numbers}"
    )


def _odd_value(deed: _Deed, usual: Sequence[float]) -> str:
    """Return the words for a sensor of few values that has another one, empty if it has not."""
    values, counts = np.unique(deed.values, return_counts=True)
    new = ~np.isin(values, usual)
    if new.any():
        value = float(values[new][counts[new].argmax()])
        if len(usual) == 1:
            return f"was {_exact(value)}, always {_exact(usual[0])} in training"
        return f"was {_exact(value)}, only ever {_list([_exact(each) for each in usual])} in training"
    nearest = min(usual, key=lambda each: abs(each - deed.expected))
    value = float(values[counts.argmax()])
    if value != nearest:
        return f"was {_exact(value)} where the other sensors speak for {_exact(nearest)}"
    return ""


def _noise(deed: _Deed) -> str:
    times = deed.times or 1.0
    if times > 1:
        return f"varied {times:.2g} times as much as usual"
    return f"varied only {100 * times:.0f} % as much as usual"


def _by(deed: _Deed, low: float, high: float) -> str:
    """Return the deviation in percent of what was expected; empty for sensors that change sign."""
    if not low * high > 0 or not math.isfinite(low * high) or deed.expected * high <= 0:
        return ""
    percent = 100 * abs(deed.seen / deed.expected - 1)
    return f"{percent:.0f} % " if percent >= 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trace:
    """Residuals of one sensor in units, NaN where there are none, at the rows with the machine on."""

    times: Times
    level: Floats
    noise: Floats


def _deed(detector: Detector, frame: Frame, event: Range, sensor: int, state: bytes | None) -> _Deed | None:
    """Return what the sensor did in the rows of the event, None if the frame has none with a value."""
    trace = _trace(detector, frame, sensor, state)
    inside = (trace.times >= event.start) & (trace.times <= event.end)
    level, noise = _median(trace.level[inside]), _median(trace.noise[inside])
    if level is None:
        return None
    moved = _median(trace.level[trace.times < event.start][-_BEFORE_ROWS:])
    if moved is not None and abs(moved) > _CALM:
        level -= moved
    heard = trace.times[inside & ~np.isnan(trace.level)]
    values = frame.values[np.isin(frame.times, heard), sensor].astype(np.float64)
    values = np.clip(values[np.isfinite(values)], -_HUGE, _HUGE)
    if not len(values):
        return None
    seen = float(np.median(values))
    scale = float(detector.pipeline.scaling.scale[sensor]) / _own_weight(detector, "lag", sensor)
    times = None
    if noise is not None:
        times = math.exp(
            np.clip(noise / _own_weight(detector, "window", sensor + len(detector.sensors)), -20, 20)
        )
    return _Deed(
        seen=seen, expected=seen - level * scale, level=level, noise=noise, times=times, values=values
    )


def _trace(detector: Detector, frame: Frame, sensor: int, state: bytes | None) -> _Trace:
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
    return _Trace(
        times=np.concatenate(times), level=np.concatenate(found["lag"]), noise=np.concatenate(found["window"])
    )


def _own_weight(detector: Detector, name: ViewName, column: int) -> float:
    """Return how many units of residual one scale of the feature itself makes; the others only predict it."""
    view = next(view for view in detector.views if view.name == name)
    return max(float(view.weights[column, column]), 1e-12)


def _median(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def _others(sensors: Sequence[SensorId], event: Range, leader: int) -> str:
    order = np.argsort(-event.contributions, kind="stable")[: _MOST_OTHERS + 1]
    named = [int(at) for at in order if at != leader and event.contributions[at] >= _WITH_IT]
    if not named:
        return ""
    return f"; {_list([_name(sensors, at) for at in named[:_MOST_OTHERS]])} moved with it"


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _name(sensors: Sequence[SensorId], at: int) -> str:
    """Return the sensor's name, with its component where another one has the same."""
    short = sensors[at].rpartition("\\")[2]
    return short if [each.rpartition("\\")[2] for each in sensors].count(short) == 1 else sensors[at]


def _number(value: float, away: float) -> str:
    """Return the value with as many decimals as a difference of ``away`` needs for two digits."""
    if not 1e-4 <= abs(value) < 1e7 and value:
        return f"{value:.4g}"
    if not away:
        return _exact(value)
    return f"{value:.{min(max(1 - math.floor(math.log10(away)), 0), 6)}f}"


def _exact(value: float) -> str:
    return f"{value:.6g}"


def duration_words(length: np.timedelta64) -> str:
    """Return a length of time as people say it: 40 s, 12 min, 3 h, 2 d."""
    minutes = float(length / np.timedelta64(1, "m"))
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} d"
