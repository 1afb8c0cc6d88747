"""Events for people: joining and dropping ranges by rules, and a sentence about each."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.detector import Detector
from engine.frame import Frame, SensorId
from engine.intervals import Range
from engine.pipeline import State

_CALM = 0.5
"""Mean residual, in units, from which a direction or a change of noise is worth a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """When ranges become events. The defaults change nothing.

    Ranges at most ``join`` apart are one event, from the first row to the last one of the ranges joined.
    Events with fewer than ``min_rows`` anomalous rows are dropped.
    """

    join: np.timedelta64 = field(default_factory=lambda: np.timedelta64(0, "s"))
    min_rows: int = 1

    def apply(self, found: Sequence[Range]) -> list[Range]:
        """Return the events of ranges in time order; contributions are weighted by rows."""
        events: list[Range] = []
        for each in found:
            if events and each.start - events[-1].end <= self.join:
                events[-1] = _joined(events[-1], each)
            else:
                events.append(each)
        return [event for event in events if event.rows >= self.min_rows]


def _joined(first: Range, second: Range) -> Range:
    rows = first.rows + second.rows
    mean = (first.rows * first.contributions + second.rows * second.contributions) / rows
    return Range(start=first.start, end=second.end, contributions=mean.astype(np.float32), rows=rows)


def describe(detector: Detector, frame: Frame, event: Range) -> str:
    """Return one sentence: the leading sensor, what it did, and for how long.

    Args:
        detector: the detector that found the event.
        frame: rows around the event; some before it give the views their past.
        event: the event.

    """
    leader = int(event.contributions.argmax())
    duration = _duration(event.end - event.start + frame.step)
    share = round(100 * float(event.contributions[leader]))
    return (
        f"{_name(detector.sensors[leader])} {_what(detector, frame, event, leader)}, {duration} ({share} %)"
    )


def _what(detector: Detector, frame: Frame, event: Range, sensor: int) -> str:
    """Return what the sensor did: above, below, stuck or noisier than the other sensors predict."""
    count = len(detector.sensors)
    level, noise = _mean_residuals(detector, frame, event, sensor, sensor + count)
    if abs(noise) > max(abs(level), _CALM):
        return "varied more than usual" if noise > 0 else "varied less than usual"
    if abs(level) < _CALM:
        return "departed from its usual pattern"
    other = "the other sensors predict" if count > 1 else "usual"
    return f"rose above what {other}" if level > 0 else f"fell below what {other}"


def _mean_residuals(
    detector: Detector, frame: Frame, event: Range, level: int, noise: int
) -> tuple[float, float]:
    """Return the mean signed residuals of a sensor's level (lag view) and noise (window view), in units."""
    views = {view.name: view for view in detector.views}
    sums: dict[str, list[NDArray[np.float64]]] = {"lag": [], "window": []}
    for rows in detector.pipeline.run(frame, State.start(len(detector.sensors))):
        times = frame.times[rows.start : rows.stop]
        inside = (times >= event.start) & (times <= event.end)
        for name, column in (("lag", level), ("window", noise)):
            if name in views and inside.any():
                view = views[name]
                stacked = np.concatenate(rows.features.blocks[view.name], axis=1)[inside]
                sums[name].append(stacked @ view.weights[:, column] - view.offset[column])
    return tuple(float(np.concatenate(each).mean()) if each else 0.0 for each in sums.values())  # type: ignore[return-value]


def _name(sensor: SensorId) -> str:
    return sensor.rpartition("\\")[2]


def _duration(length: np.timedelta64) -> str:
    minutes = float(length / np.timedelta64(1, "m"))
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} d"
