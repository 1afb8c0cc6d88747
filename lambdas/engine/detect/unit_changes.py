"""Recognition of a sensor that changed its unit: its readings fit after one of the usual conversions.

A real fault must not be excused, so a conversion is named only when all evidence supports it. The readings
left the training range in one jump. Converted, they lie inside that range, continue where the sensor was,
move from row to row as much as in training, and agree with what the *other* sensors predict as well as
healthy ones do. Scores do not change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.detect.notices import Notice
from engine.detect.pipeline import Pipeline
from engine.detect.state import State
from engine.detect.training_range import NEARLY_ALL, TrainingRange
from engine.detect.view import CAP, View
from engine.detect.watch import UnitTrace
from engine.frame.frame import Frame
from engine.ingest.conversions import CONVERSIONS, Conversion

Floats = NDArray[np.float64]

ROWS = 10
"""Readings outside of the range from which a conversion is named, or dropped for good if not nearly all agree
with the other sensors. Half as many must differ from the one before: a stuck sensor fits many conversions."""
_NEAR = 2.0
"""Largest distance of the first converted reading from the last usual one, in scales of the sensor."""
_CHUNK = 1024
"""Rows that are looked at together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChangeDetector:
    """Looks for sensors that changed their unit, and continues from window to window.

    Attributes:
        training_range: range of each sensor in training.
        pipeline: the way from raw rows to features.
        lag_view: the view whose outputs are the levels of the sensors.

    """

    training_range: TrainingRange
    pipeline: Pipeline
    lag_view: View

    def detect(
        self, frame: Frame, known: Floats, traces: Mapping[int, UnitTrace]
    ) -> tuple[list[Notice], dict[int, UnitTrace]]:
        """Return a notice for each sensor that looks converted, and the traces for the next window.

        Args:
            frame: the rows to score.
            known: the last reading of every sensor before them, scaled, shape (sensors,); NaN for none.
            traces: the traces of the window before, by column.

        """
        found: dict[int, Notice] = {}
        after = dict(traces)
        rows = (~frame.off).nonzero()[0]
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            part = frame if len(chunk) == len(frame.times) else frame.select(chunk)
            after = self._continued(part, known, after)
            if start + _CHUNK < len(rows):
                known = self._last(part.values, known)
            for at, trace in after.items():
                conversion = self._conversion(trace, at)
                if conversion is not None:
                    name = frame.sensors[at]
                    text = f"{name} reads like its training values {conversion}; its score is unchanged"
                    found[at] = Notice(kind="unit", sensor=name, text=text)
        return [found[at] for at in sorted(found)], after

    def _last(self, values: Floats, before: Floats) -> Floats:
        """Return the last scaled reading of every sensor."""
        known = np.isfinite(values)
        at = len(values) - 1 - known[::-1].argmax(axis=0)
        last = self.pipeline.scaling.apply(values[at, np.arange(values.shape[1])][None])[0]
        return np.where(known.any(axis=0), last, before)

    def _continued(
        self, part: Frame, before: Floats, traces: Mapping[int, UnitTrace]
    ) -> dict[int, UnitTrace]:
        """Return the traces after some rows: those that continue, and those that begin in them."""
        outside = self.training_range.outside(part.values)
        if not traces and not outside.any():
            return {}
        known = np.isfinite(part.values)
        usual = known & ~outside
        tails = np.where(usual.any(axis=0), len(usual) - usual[::-1].argmax(axis=0), 0)
        silent = {at: trace for at, trace in traces.items() if not known[:, at].any()}
        choices: dict[int, list[int]] = {}
        for at in (~usual[-1] & known.any(axis=0)).nonzero()[0].tolist():
            readings = _known(part.values[tails[at] :, at])
            if not len(readings):
                continue
            if at in traces and not tails[at]:
                numbers = list(traces[at].fits)
            else:
                last = before[at] if not tails[at] else self._scaled(part.values[tails[at] - 1, at], at)
                numbers = self._continuing(float(readings[0]), float(last), at)
            if inside := self._inside(numbers, readings, at):
                choices[at] = inside
        return silent | self._compared(part, tails, choices, traces) if choices else silent

    def _inside(self, numbers: list[int], readings: Floats, at: int) -> list[int]:
        """Return the conversions that put the readings into the training range, the most central first."""
        middle = (self.training_range.low[at] + self.training_range.high[at]) / 2
        converted = {number: CONVERSIONS[number].undone(readings) for number in numbers}
        inside = [number for number in numbers if self.training_range.holds(converted[number], at)]
        return sorted(inside, key=lambda number: abs(float(np.median(converted[number])) - middle))

    def _continuing(self, reading: float, last: float, at: int) -> list[int]:
        """Return the conversions after which the first reading outside continues the last usual one."""
        if np.isnan(last):
            return list(range(len(CONVERSIONS)))
        jump = abs(self._scaled(reading, at) - last)
        far = [abs(self._scaled(each.undone(np.array(reading)), at) - last) for each in CONVERSIONS]
        return [number for number, each in enumerate(far) if each <= _NEAR and each < jump]

    def _scaled(self, reading: Any, at: int) -> float:
        scaling = self.pipeline.scaling
        return float((reading - scaling.center[at]) / scaling.scale[at])

    def _compared(
        self,
        part: Frame,
        tails: NDArray[np.int64],
        choices: Mapping[int, list[int]],
        traces: Mapping[int, UnitTrace],
    ) -> dict[int, UnitTrace]:
        """Compare each sensor's remaining conversions with what the other sensors predict.

        Several sensors may have changed at once: each is compared with the others as most likely converted.

        Args:
            part: some rows.
            tails: per sensor the row from which its readings are outside the training range.
            choices: by column the numbers of the conversions that are left.
            traces: the traces before the rows.

        """
        scale = self.pipeline.scaling.scale
        values, after = part.values.copy(), {}
        for at, (likely, *_) in choices.items():
            values[tails[at] :, at] = CONVERSIONS[likely].undone(values[tails[at] :, at])
        residuals = self._residuals(replace(part, values=values), list(choices))
        for column, (at, numbers) in enumerate(choices.items()):
            tail, own = slice(tails[at], None), float(self.lag_view.weights[at, at]) / scale[at]
            distances = {}
            for number in numbers:
                other = CONVERSIONS[number].undone(part.values[tail, at]) - values[tail, at]
                distances[number] = _known(np.abs(residuals[tail, column] + own * other))
            before = traces.get(at) if not tails[at] else None
            trace = _extended(before, _known(part.values[tail, at]), distances)
            if trace.fits:
                after[at] = trace
        return after

    def _residuals(self, frame: Frame, columns: list[int]) -> Floats:
        """Return the signed residuals of the levels of some sensors in units, shape (rows, columns)."""
        view = self.lag_view
        result = np.full((len(frame.times), len(columns)), np.nan)
        for rows in self.pipeline.run(frame, State.start(len(frame.sensors)), (view.name,)):
            stacked = np.concatenate(rows.features.blocks[view.name], axis=1)
            result[rows.start : rows.stop] = stacked @ view.weights[:, columns] - view.offset[columns]
        return result

    def _conversion(self, trace: UnitTrace, at: int) -> Conversion | None:
        """Return the conversion that all evidence supports; None while there is none."""
        if trace.rows < ROWS or trace.moves < ROWS // 2:
            return None
        conversion = CONVERSIONS[min(trace.fits, key=lambda each: trace.fits[each][1])]
        move = trace.moved / trace.moves / self.training_range.move[at]
        return conversion if _moves_like_training(move, conversion) else None


def _moves_like_training(move: float, conversion: Conversion) -> bool:
    """Return whether converted readings move from row to row closer to training than as read.

    Args:
        move: how many times as much as in training the readings move as read.
        conversion: the conversion; one without a factor leaves moves as they are.

    """
    middle = conversion.factor**0.5
    return conversion.factor == 1 or (move > middle if middle > 1 else 0 < move < middle)


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _extended(before: UnitTrace | None, readings: Floats, distances: Mapping[int, Floats]) -> UnitTrace:
    """Return the trace after more readings, without the conversions that the other sensors contradict.

    Args:
        before: the trace before the readings; None when it begins with them.
        readings: finite readings outside the training range.
        distances: by conversion how far each converted reading is from the prediction, in units.

    """
    if before is None:
        none = dict.fromkeys(distances, (0, 0.0))
        before = UnitTrace(rows=0, moves=0, moved=0.0, last=float(readings[0]), fits=none)
    steps = np.abs(np.diff(np.append(before.last, readings)))
    rows = before.rows + len(readings)
    fits = {}
    for number, far in distances.items():
        count, total = before.fits[number]
        counted = count + int((far <= 1).sum())
        if rows < ROWS or counted >= NEARLY_ALL * rows:
            fits[number] = counted, total + float(np.minimum(far, CAP).sum())
    return UnitTrace(
        rows=rows,
        moves=before.moves + int((steps > 0).sum()),
        moved=before.moved + float(steps.sum()),
        last=float(readings[-1]),
        fits=fits,
    )
