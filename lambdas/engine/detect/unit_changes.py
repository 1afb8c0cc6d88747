"""Recognising a sensor that changed its unit: its readings fit after one of the usual conversions.

A real fault must not be excused, so a conversion is named only when everything speaks for it. The readings
left the range of training in one jump. Converted, they lie inside that range, continue where the sensor
was, move as much as in training from row to row, and agree with what the *other* sensors predict as well as
healthy ones do. Scores do not change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.notices import Notice, UnitTrace
from engine.detect.pipeline import Pipeline, State
from engine.detect.view import View
from engine.frame.frame import Frame

Floats = NDArray[np.float64]

ROWS = 10
"""Readings outside of the range before a conversion is named."""
MOVES = 5
"""So many of them must differ from the one before: a stuck sensor fits many conversions."""
FIT_SHARE = 0.9
"""Share of them that must be as close to what the other sensors predict as 99 % of healthy rows."""
_HOPELESS_SHARE = 0.7
_MARGIN = 0.25
_NEAR = 2.0
"""How far the first converted reading may be from the last usual one, in scales of the sensor."""
_JUMP = 3.0
"""How much farther it must have been before it was converted."""
_RESTLESS = 5.0
"""How much more or less than in training converted readings may move from row to row."""
_CHUNK = 1024
_ROUNDS = 2
_FAR = 10.0
_SAMPLE_ROWS = 20_000
_TAILS = (0.001, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Reading ``factor * value + offset`` where training had ``value``; ``words`` are such units."""

    factor: float
    offset: float
    words: str

    def undone(self, readings: Floats) -> Floats:
        """Return the readings in the unit of training."""
        original: Floats = (readings - self.offset) / self.factor
        return original

    def __str__(self) -> str:
        by = f"times {self.factor:.4g}" if self.factor != 1 else ""
        plus = f"{'plus' if self.offset > 0 else 'minus'} {abs(self.offset):.5g}" if self.offset else ""
        return f"{' '.join(filter(None, (by, plus)))} ({self.words}?)"


def _both_ways(new: str, old: str, factor: float, offset: float = 0.0) -> Iterator[Conversion]:
    yield Conversion(factor=factor, offset=offset, words=f"{new} instead of {old}")
    yield Conversion(factor=1 / factor, offset=-offset / factor, words=f"{old} instead of {new}")


CONVERSIONS: tuple[Conversion, ...] = tuple(
    conversion
    for pair in (
        ("m3/h", "l/s", 3.6),
        ("bar", "MPa", 10.0),
        ("kPa or %", "bar or a fraction", 100.0),
        ("thousandths", "the whole unit", 1_000.0),
        ("Pa", "bar", 100_000.0),
        ("millionths", "the whole unit", 1_000_000.0),
        ("°F", "°C", 1.8, 32.0),
        ("K", "°C", 1.0, 273.15),
        ("K", "°F", 1 / 1.8, 273.15 - 32 / 1.8),
        ("psi", "bar", 14.503774),
        ("kPa", "psi", 6.894757),
        ("l/min", "m3/h", 1000 / 60),
        ("per minute", "per second", 60.0),
        ("per hour", "per second", 3600.0),
        ("gpm", "m3/h", 4.402868),
        ("gpm", "l/s", 15.850323),
        ("l/min", "gpm", 3.785412),
        ("1/min", "rad/s", 30 / np.pi),
        ("degrees", "radians", 180 / np.pi),
        ("feet", "metres", 3.28084),
        ("mm", "inches", 25.4),
        ("mph", "m/s", 2.236936),
    )
    for conversion in _both_ways(*pair)
)
"""What a trained unit turns into by common mistakes and changes of configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Healthy training rows of each sensor: range without the outermost thousandths, usual move per row."""

    low: Floats
    high: Floats
    move: Floats

    @classmethod
    def of(cls, values: Floats, rows: NDArray[np.bool_]) -> Self:
        """Measure the marked rows, or evenly spaced ones of very many."""
        picks = np.flatnonzero(rows)
        picks = picks[:: max(1, len(picks) // _SAMPLE_ROWS)]
        sample = np.ascontiguousarray(values[picks].T)
        low, high = np.nanquantile(sample, _TAILS, axis=1)
        steps = np.abs(sample - values[np.maximum(picks - 1, 0)].T)
        steps[~(steps > 0)] = np.nan
        still = ~np.isfinite(steps).any(axis=1)
        steps[still] = 0
        move = np.where(still, np.inf, np.nanmedian(steps, axis=1))
        return cls(low=low, high=high, move=move.astype(np.float64))  # the median of float32 is float32

    @classmethod
    def unknown(cls, sensors: int) -> Self:
        """Return a range that nothing lies outside of."""
        return cls(
            low=np.full(sensors, -np.inf), high=np.full(sensors, np.inf), move=np.full(sensors, np.inf)
        )

    def reach(self, scale: Floats) -> Floats:
        """Return half of the range of each sensor in these scales; infinite where it is not known or none."""
        half = (self.high - self.low) / 2
        result: Floats = np.where(half > 0, half / scale, np.inf)
        return result

    def outside(self, values: Floats) -> NDArray[np.bool_]:
        """Mark values that are clearly outside; missing ones are not."""
        with np.errstate(invalid="ignore"):
            width = np.where(np.isfinite(self.low), self.high - self.low, 0)
        low, high = self.low - _MARGIN * width, self.high + _MARGIN * width
        marked: NDArray[np.bool_] = (values < low) | (values > high)
        return marked

    def holds(self, values: Floats, at: int) -> bool:
        """Whether nearly all values lie in the range of a sensor."""
        return float(((values >= self.low[at]) & (values <= self.high[at])).mean()) >= FIT_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Looks for changed units. ``level`` is the view whose first outputs are the levels of the sensors."""

    span: Span
    pipeline: Pipeline
    level: View

    def look(
        self, frame: Frame, known: Floats, traces: Mapping[int, UnitTrace]
    ) -> tuple[list[Notice], dict[int, UnitTrace]]:
        """Return the sensors that look converted, and the traces to continue from in the next window.

        Args:
            frame: the rows to score.
            known: the last reading of every sensor before them, scaled; NaN when there was none.
            traces: of the window before.

        """
        found: dict[int, Notice] = {}
        after = dict(traces)
        rows = np.flatnonzero(~frame.off)
        for start in range(0, len(rows), _CHUNK):
            part = _part(frame, rows[start : start + _CHUNK])
            after = self._followed(part, known, after)
            known = self._last(part.values, known)
            for at, trace in after.items():
                text = self._told(trace, at)
                if text is not None:
                    name = frame.sensors[at]
                    found[at] = Notice(kind="unit", sensor=name, text=f"{name} {text}")
        return [found[at] for at in sorted(found)], after

    def _last(self, values: Floats, before: Floats) -> Floats:
        """Return the last scaled reading of every sensor."""
        known = np.isfinite(values)
        at = len(values) - 1 - known[::-1].argmax(axis=0)
        last = self.pipeline.scaling.apply(values[at, np.arange(values.shape[1])][None])[0]
        return np.where(known.any(axis=0), last, before)

    def _followed(self, part: Frame, before: Floats, traces: Mapping[int, UnitTrace]) -> dict[int, UnitTrace]:
        """Return the traces after some rows: those that go on, and those that begin in them."""
        known = np.isfinite(part.values)
        usual = known & ~self.span.outside(part.values)
        tails = np.where(usual.any(axis=0), len(usual) - usual[::-1].argmax(axis=0), 0)
        quiet = {at: trace for at, trace in traces.items() if not known[:, at].any()}
        choices: dict[int, list[int]] = {}
        for at in np.flatnonzero(~usual[-1] & known.any(axis=0)).tolist():
            readings = _known(part.values[tails[at] :, at])
            if not len(readings):
                continue
            if at in traces and not tails[at]:
                numbers = list(traces[at].fits)
            else:
                last = before[at] if not tails[at] else self._scaled(part.values[tails[at] - 1, at], at)
                numbers = self._continuing(float(readings[0]), float(last), at)
            if held := self._held(numbers, readings, at):
                choices[at] = held
        return quiet | self._judged(part, tails, choices, traces) if choices else quiet

    def _held(self, numbers: list[int], readings: Floats, at: int) -> list[int]:
        """Return the conversions that put the readings into the range of training, the most central first."""
        middle = (self.span.low[at] + self.span.high[at]) / 2
        converted = {number: CONVERSIONS[number].undone(readings) for number in numbers}
        held = [number for number in numbers if self.span.holds(converted[number], at)]
        return sorted(held, key=lambda number: abs(float(np.median(converted[number])) - middle))

    def _continuing(self, reading: float, last: float, at: int) -> list[int]:
        """Return the conversions after which the first reading outside continues the last usual one."""
        if np.isnan(last):
            return list(range(len(CONVERSIONS)))
        jump = abs(self._scaled(reading, at) - last)
        far = [abs(self._scaled(each.undone(np.array(reading)), at) - last) for each in CONVERSIONS]
        return [number for number, each in enumerate(far) if each <= _NEAR and each <= jump / _JUMP]

    def _scaled(self, reading: Any, at: int) -> float:
        scaling = self.pipeline.scaling
        return float((reading - scaling.center[at]) / scaling.scale[at])

    def _judged(
        self,
        part: Frame,
        tails: NDArray[np.int64],
        choices: Mapping[int, list[int]],
        traces: Mapping[int, UnitTrace],
    ) -> dict[int, UnitTrace]:
        """Let the other sensors judge the conversions that are left of each sensor.

        Several sensors may have changed at once: each is judged by the others as converted so far.
        """
        scale = self.pipeline.scaling.scale
        best = {at: numbers[0] for at, numbers in choices.items()}
        units: dict[tuple[int, int], Floats] = {}
        for _ in range(_ROUNDS):
            values = part.values.copy()
            for at, number in best.items():
                tail = slice(tails[at], None)
                values[tail, at] = CONVERSIONS[number].undone(values[tail, at])
            residuals = self._residuals(replace(part, values=values), list(choices))
            for column, (at, numbers) in enumerate(choices.items()):
                tail, own = slice(tails[at], None), float(self.level.weights[at, at]) / scale[at]
                for number in numbers:
                    other = CONVERSIONS[number].undone(part.values[tail, at]) - values[tail, at]
                    units[at, number] = _known(np.abs(residuals[tail, column] + own * other))
            best = {at: _nearest(numbers, units, at) for at, numbers in choices.items()}
        after = {}
        for at, numbers in choices.items():
            before = traces.get(at) if not tails[at] else None
            judged = {number: units[at, number] for number in numbers}
            trace = _continued(before, _known(part.values[tails[at] :, at]), judged)
            if trace.fits:
                after[at] = trace
        return after

    def _residuals(self, frame: Frame, columns: list[int]) -> Floats:
        """Return the signed residuals of the levels of some sensors, in units."""
        level = self.level
        result = np.full((len(frame.times), len(columns)), np.nan)
        for rows in self.pipeline.run(frame, State.start(len(frame.sensors)), (level.name,)):
            stacked = np.concatenate(rows.features.blocks[level.name], axis=1)
            result[rows.start : rows.stop] = stacked @ level.weights[:, columns] - level.offset[columns]
        return result

    def _told(self, trace: UnitTrace, at: int) -> str | None:
        """Return what the readings say of the unit; None while they do not say enough."""
        if trace.rows < ROWS or trace.moves < MOVES:
            return None
        number, (count, _) = min(trace.fits.items(), key=lambda each: each[1][1])
        conversion = CONVERSIONS[number]
        move = trace.moved / trace.moves / self.span.move[at]
        if count < FIT_SHARE * trace.rows or not _moves_like(move, conversion):
            return None
        return f"reads like its training values {conversion}; its score is unchanged"


def _moves_like(move: float, conversion: Conversion) -> bool:
    """Whether converted readings move from row to row as in training, and more so than they do as they are.

    ``move`` is how many times as much as in training they move as they are. A bias moves them as before.
    """
    converted = move / conversion.factor
    if not 1 / _RESTLESS < converted < _RESTLESS:
        return False
    return conversion.factor == 1 or abs(np.log(converted)) < abs(np.log(move))


def _part(frame: Frame, rows: NDArray[np.int64]) -> Frame:
    return replace(frame, times=frame.times[rows], values=frame.values[rows], off=frame.off[rows])


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _nearest(numbers: list[int], units: Mapping[tuple[int, int], Floats], at: int) -> int:
    return min(numbers, key=lambda number: float(units[at, number].mean()))


def _continued(before: UnitTrace | None, readings: Floats, units: Mapping[int, Floats]) -> UnitTrace:
    """Return the trace after more readings; conversions that the other sensors gainsay are dropped."""
    if before is None:
        none = dict.fromkeys(units, (0, 0.0))
        before = UnitTrace(rows=0, moves=0, moved=0.0, last=float(readings[0]), fits=none)
    steps = np.abs(np.diff(np.append(before.last, readings)))
    rows = before.rows + len(readings)
    fits = {}
    for number, far in units.items():
        count, total = before.fits[number]
        counted = count + int((far <= 1).sum())
        if counted >= _HOPELESS_SHARE * rows:
            fits[number] = counted, total + float(np.minimum(far, _FAR).sum())
    return UnitTrace(
        rows=rows,
        moves=before.moves + int((steps > 0).sum()),
        moved=before.moved + float(steps.sum()),
        last=float(readings[-1]),
        fits=fits,
    )
