"""Which stretch of a recording is played as the new data of a demo."""

from collections.abc import Iterator, Sequence

import numpy as np

from l4e_cli.demo.findings import Evaluation
from l4e_cli.demo.recording import ComponentRecording, Recording, Times
from l4e_cli.interval import Interval

_FEW_ROWS = 10  # in a window: too few to show how a fault begins
_MOST_TRIED = 500
_SECOND = np.timedelta64(1, "s")


def sensors_without_values(recording: Recording, windows: Sequence[Interval]) -> tuple[str, ...]:
    """Return the sensors that have no value in one of the windows, which could not be trained or judged."""
    return tuple(
        f"{part.name}\\{sensor}"
        for part in recording.components
        for sensor, values in zip(part.sensors, part.values.T, strict=True)
        if not all(_any_value(part.times, values, window) for window in windows)
    )


def shift_to(
    window: Interval, history: Recording, evaluation: Evaluation, evaluated: Interval, step: np.timedelta64
) -> np.timedelta64:
    """Return by how much later the recording is played, so that an anomaly begins inside `window`.

    The event that the model is surest of begins after a third of the window, or is in the middle of it at its
    end if the window has few rows. Where a component has no row or a sensor no value by then, another event
    takes its place, else the nearest time at which all of them have.

    Args:
        window: The window of inference.
        history: The recording.
        evaluation: What the model found.
        evaluated: The evaluation window.
        step: Step of the model.
    """
    best, found = None, -1
    for moved in _candidates(window, history, evaluation, evaluated, step):
        known = _known(history, Interval(start=window.start - moved, end=window.end - moved))
        if known == len(history.sensor_ids):
            return moved
        if known > found:
            best, found = moved, known
    return window.end - history.span.end if best is None else best


def with_last_values(part: ComponentRecording, source: Interval, until: np.datetime64) -> ComponentRecording:
    """Return the rows in `source`, and before them a row of last values.

    The row holds the values of sensors that have none between the start of `source` and `until`: those that
    report on change, or seldom.
    """
    rows = part.between(source)
    recent = part.between(Interval(start=source.start, end=until))
    silent = ~np.isfinite(recent.values).any(axis=0)
    earlier = part.times < source.start
    last = np.full(len(part.sensors), np.nan)
    for at in np.flatnonzero(silent):
        values = part.values[earlier, at]
        known = values[np.isfinite(values)]
        last[at] = known[-1] if known.size else np.nan
    if np.isnan(last).all():
        return rows
    return ComponentRecording(
        name=part.name,
        sensors=part.sensors,
        times=np.concatenate([[source.start - _SECOND], rows.times]),
        values=np.vstack([last, rows.values]),
    )


def _candidates(
    window: Interval, history: Recording, evaluation: Evaluation, evaluated: Interval, step: np.timedelta64
) -> Iterator[np.timedelta64]:
    """Yield shifts, the best first."""
    third = window.start + window.length // 3
    main = evaluation.main_event()
    ranges = sorted((found.period for found in evaluation.ranges), key=lambda period: -period.length)
    labels = [label for label in history.labels if label.overlaps(evaluated)]
    events = [*([] if main is None else [main]), *labels, *ranges]
    for event in events:
        if window.length / step < _FEW_ROWS:
            yield window.end - (event.start + event.length // 2)
        else:
            inside = [found.period.start for found in evaluation.ranges_in(event)]
            yield third - min(inside, default=event.start)
    nearest = events[0].start if events else history.span.end
    if not events:
        yield window.end - history.span.end
    for time in _rows_of_sparsest(history, evaluated, nearest):
        yield third - time


def _rows_of_sparsest(history: Recording, evaluated: Interval, nearest: np.datetime64) -> Times:
    """Return times at which the component with the fewest rows has one, those near an instant first."""
    sparsest = min(history.components, key=lambda part: part.between(evaluated).times.size)
    times = sparsest.between(evaluated).times
    return times[np.argsort(np.abs(times - nearest), kind="stable")][:_MOST_TRIED]


def _known(history: Recording, window: Interval) -> int:
    """Return how many sensors have a value by the end of `window`, of components that have a row in it."""
    known = 0
    for part in history.components:
        if ((part.times > window.start) & (part.times <= window.end)).any():
            known += int(np.isfinite(part.values[part.times <= window.end]).any(axis=0).sum())
    return known


def _any_value(times: Times, values: np.ndarray[tuple[int], np.dtype[np.float64]], window: Interval) -> bool:
    inside = (times >= window.start) & (times <= window.end)
    return bool(np.isfinite(values[inside]).any())
