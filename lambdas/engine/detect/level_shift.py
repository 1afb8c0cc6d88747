"""Levels that have moved for good, and how much the residuals still count then.

A residual that stays on one side for long says less and less about now: a sensor was recalibrated, the plant
has aged, or healthy operation drifts. Its signed values, in units and cut to one, are averaged exponentially.
Where the average is far from zero, the level has moved, and the residual no longer counts until it comes back
by itself; residuals of other sensors count as before. A fault alarms for about 700 rows before it is taken
for the new level.

Two things look like neither drift nor a recalibrated sensor and are taken over at a twentieth of the speed: a
row far above the limit that the shift of no single sensor explains, and a sensor out of reach
(`engine.detect.baseline`).
"""

import numpy as np
from numpy.typing import NDArray

from engine.detect.baseline import SLOW_SPEED
from engine.detect.cross_prediction import Float32
from engine.detect.ramp import ramp
from engine.detect.smoothing import ewma
from engine.detect.view import POWER, View

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SPAN = 2000
"""Span of the averages in rows, where training is long enough (`engine.train.level_spans`)."""
STRIDE = 8
"""One row of so many goes into the averages: neighbouring rows are nearly equal."""
MOVED_AVERAGE = (0.45, 0.55)
"""Absolute average, in units, from which a level has moved in part, and in full."""
FAR_RATIO = 4.0
"""Ratio of score to limit from which a row is far above the limit in part; in full from twice as much."""
SINGLE_SENSOR_SHARE = (0.9, 0.96)
"""Share of the score of a row, its residuals not capped, that goes with the shift of one sensor where that is
the cause in part, and in full. In models of older releases it is a share of the squares."""
_TINY = 1e-12


def level_weights(
    residuals: Float32,
    ready: Mask,
    averages: Floats,
    *,
    evaluated: int,
    span: int,
    view: View | None = None,
    speed: Floats | None = None,
) -> tuple[Float32 | None, Floats]:
    """Return how much each residual counts at each row, and the averages after the rows.

    Args:
        residuals: signed residuals in units, zero where missing, shape (rows, outputs).
        ready: rows that the views judge, shape (rows,); the others change no average.
        averages: the averages before the rows, shape (outputs,).
        evaluated: ready rows before these; every STRIDE-th of all of them goes into the averages.
        span: span of the averages in rows.
        view: the fitted view; None in calibration, where the averages always move at full speed.
        speed: share of the usual speed at each row, from the baseline; None for full speed throughout,
            where training is too short for a baseline.

    Returns:
        Weights from 0 to 1, shape (rows, outputs), None where all are 1; and averages, shape (outputs,).

    """
    picks = ready.nonzero()[0][-evaluated % STRIDE :: STRIDE]
    after = averages[None]
    if len(picks):
        after = np.concatenate([after, _averages(residuals[picks], averages, span)])
        if view is not None and speed is not None:
            _slow_down(after, residuals[picks], span, view, speed[picks])
    weights = _weights(after)
    if (weights == 1).all():
        return None, after[-1]
    place = np.searchsorted(picks, np.arange(len(residuals)))
    return weights[place], after[-1]


def corrected_averages(residuals: Float32, span: int) -> Floats:
    """Return the averages after rows without a past, corrected for their start from zero: (outputs,)."""
    averages = _averages(residuals[::STRIDE], np.zeros(residuals.shape[1]), span)
    decay = 1 - 2 / (span // STRIDE + 1)
    found: Floats = averages[-1] / (1 - decay ** len(averages))
    return found


def _slow_down(after: Floats, residuals: Float32, span: int, view: View, speed: Floats) -> None:
    """Correct the averages, in place, from the first row on at which they move slower.

    Args:
        after: the averages before the first and after each row, shape (rows + 1, outputs).
        residuals: signed residuals in units, shape (rows, outputs).
        span: span of the averages in rows.
        view: the fitted view.
        speed: share of the usual speed at each row, from the baseline.

    """
    # residuals that count in part can only lower a score, so other rows are not far above, whatever counts
    far = view.scores(np.abs(residuals)) > FAR_RATIO * view.limit
    slow, places = speed < 1, np.flatnonzero(far)
    # on a plant that drifts most rows are far by residuals that do not count; up to the first other one, the
    # averages are right
    if len(places):
        slow[places] |= _scores(residuals[places], _weights(after[places]), view) > FAR_RATIO * view.limit
    if not slow.any():
        return
    shifts = view.shifts()
    squares, gain, changed = shifts * shifts, 2 / (span // STRIDE + 1), False
    for at in range(int(slow.argmax()), len(residuals)):
        pace = float(speed[at])
        if far[at]:
            pace = min(pace, _pace(residuals[at], _weights(after[at]), view, shifts, squares))
        changed |= pace < 1
        if changed:
            after[at + 1] = after[at] + pace * gain * (np.clip(residuals[at], -1, 1) - after[at])


def _pace(residuals: Float32, weights: Float32, view: View, shifts: Float32, squares: Float32) -> float:
    """Return the share of the usual speed at one row: slow if far above the limit by no single sensor."""
    ratio = float(_scores(residuals[None], weights, view)[0]) / view.limit
    above = ramp(ratio, FAR_RATIO, 2 * FAR_RATIO)
    if not above:
        return 1.0
    counted = weights * weights
    along, size = shifts @ (counted * residuals), np.maximum(squares @ counted, _TINY)
    sensor = (along * along / size).argmax()
    rest = residuals - along[sensor] / size[sensor] * shifts[sensor]
    power = POWER if view.fourth_powers else 2.0
    whole, left = (float((np.abs(weights * each) ** power).sum()) for each in (residuals, rest))
    single = ramp(1 - float((left / whole) ** (2 / power)), *SINGLE_SENSOR_SHARE)
    return max(SLOW_SPEED, 1 - above * (1 - single))


def _scores(residuals: Float32, weights: Float32, view: View) -> Floats:
    """Return the scores of rows whose residuals count by these weights."""
    return view.scores(np.abs(residuals) * weights)


def _weights(averages: Floats) -> Float32:
    """Return how much residuals with these averages count, 0 to 1."""
    moved_from, moved = MOVED_AVERAGE
    return ramp(np.abs(averages), moved, moved_from).astype(np.float32)


def _averages(residuals: Float32, before: Floats, span: int) -> Floats:
    """Return the averages after each row, in float64, so that the cut into windows changes nothing."""
    return ewma(np.minimum(np.maximum(residuals, -1), 1).astype(np.float64), before, span // STRIDE)
