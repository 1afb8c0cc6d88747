"""The alarm of the slow channel: it opens on what lasts, and closes when the fault has ended.

Many faults show at some operating points of a machine only: at full load, in the heat, by day. Elsewhere, a
quiet hour is no sign of a repair. So the alarm remembers at which points the fault lately showed how much. A
quiet bin is a sign that it has ended by how much likelier it is without the fault than with as much of it as
at the most similar points: a fault that was large there ends with two bins, one near its limit with more, and
where it did not show, quiet bins say nothing, however many of them a night has. How much a bin shows of the
fault is how far it lies in the direction of the average. An alarm near its limit would wait for long by that:
once the average is back below its limit, a sign of a repair where the fault showed is a full one.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.slow_state import SlowState

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

OPENING = np.timedelta64(12, "h")
"""Time above the limit that opens an alarm: the fast views see shorter faults."""
NEIGHBOURS = 9
"""Bins at the most similar operating points that say how much of a fault would show."""
MEMORY = 5
"""Opening times that bins are remembered for, two and a half days: before, the fault was smaller. An alarm
that was above its limit for less than one of them closes, whatever the operating points."""
ENDED = 1.5
"""Quiet bins, each counted as far as it speaks for a repair and none as more than one, after which the fault
has ended."""
_DECIMALS = 4
"""Points are rounded, so that equal ones are equal however rows are cut into windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBins:
    """What consecutive bins say by themselves.

    Attributes:
        ratio: of each bin, shape (bins,).
        average: ratio of its average alone, shape (bins,).
        strength: how far it lies along its average, over the root of the limit of single bins, shape (bins,).
        units: its average in units, shape (bins, sensors).

    """

    ratio: Floats
    average: Floats
    strength: Floats
    units: Floats


class SlowAlarm:
    """Opens when the limit was exceeded for half of twice the opening time, and in all of its newest quarter.

    An open alarm keeps its ratio through quiet bins until these say that the fault has ended.
    """

    def __init__(self, opening: int, state: SlowState, bins: JudgedBins, points: Floats) -> None:
        """Continue from a state.

        Args:
            opening: opening time in bins.
            state: moved on by `follow`.
            bins: the bins that come.
            points: operating points of the machine in them, shape (bins, axes).

        """
        self._opening, self._state = opening, state
        self._bins = zip(bins.ratio.tolist(), bins.average.tolist(), bins.strength.tolist(), strict=True)
        self._ordered = sorted(state.ratios)
        # Bins that are remembered, from `first` on, and those that come, from `next` on.
        self._first, self._next = 0, len(state.points)
        self._points = np.concatenate([state.points, np.round(points, _DECIMALS)])
        self._above = np.concatenate([state.above, np.zeros(len(points), bool)])
        self._strengths = np.concatenate([state.strengths, bins.strength])

    def follow(self, judged: Mask, known: Mask) -> Floats:
        """Return the ratio after each bin of the grid.

        Args:
            judged: which of them are those that come, shape (bins,); the others tell nothing.
            known: which have any row with the machine on, shape (bins,); in the others nothing alarms.

        """
        state = self._state
        ratios = np.empty(len(judged))
        for place, (is_judged, is_known) in enumerate(zip(judged.tolist(), known.tolist(), strict=True)):
            if is_judged:
                self._move(*next(self._bins))
            elif not is_known:
                state.ratio = 0.0
            ratios[place] = state.ratio
        kept = slice(self._first, self._next)
        state.points, state.above = self._points[kept].copy(), self._above[kept].copy()
        state.strengths = self._strengths[kept].copy()
        return ratios

    def _move(self, now: float, average: float, strength: float) -> None:
        """Move behind the next bin: its ratio, that of its average, and how far it lies along that."""
        state, opening = self._state, self._opening
        state.ratios.append(now)
        insort(self._ordered, now)
        while len(state.ratios) > 2 * opening:
            del self._ordered[bisect_left(self._ordered, state.ratios.pop(0))]
        if state.open:  # noise of sensors that do not show the fault does not show it either
            now = min(now, max(strength, 0.0) ** 2)
        if not state.open:
            state.ratio = self._lasting()
        elif now > 1:
            state.ratio = now
        else:
            state.spell += 1
            state.evidence = max(0.0, state.evidence + self._sign(average, strength))
            lately = self._above[max(self._first, self._next - MEMORY * opening) : self._next].sum()
            if state.evidence >= ENDED or lately < opening:
                state.ratio = now
        state.open = state.ratio > 1
        if now > 1 or not state.open:
            state.spell, state.evidence = 0, 0.0
        self._above[self._next] = now > 1
        self._next += 1
        self._first = max(self._first, self._next - (MEMORY * opening + state.spell))

    def _lasting(self) -> float:
        """Return the ratio exceeded for the opening time, and throughout its newest half."""
        ratios, opening = self._state.ratios, self._opening
        if len(ratios) < opening:
            return 0.0
        return min(self._ordered[-opening], *ratios[-max(1, opening // 2) :])

    def _sign(self, average: float, strength: float) -> float:
        """Return how far a quiet bin is a sign that the fault has ended, at most 1; negative if it is none.

        It is the logarithm of how much likelier its strength is around 0 than around that of the fault, if
        noise is as large as the limit. Noise is smaller, but neighbouring bins err alike. The fault's is
        surely the mean of the most similar points, less its standard error. They are those before this quiet
        spell, and after the first bin above: bins before it do not say where the fault shows. Where most of
        them were above, and the average is back below its limit, any such sign is a full one.
        """
        first = self._first + int(np.argmax(self._above[self._first : self._next]))
        before = slice(first, self._next - (self._state.spell - 1))
        away = self._points[before] - self._points[self._next]
        distance = (away**2).sum(axis=1)[::-1]  # of equal ones the newest
        nearest = np.argsort(distance, kind="stable")[:NEIGHBOURS]
        if not len(nearest):
            return 1.0
        strengths, above = (each[before][::-1][nearest] for each in (self._strengths, self._above))
        fault = max(0.0, float(strengths.mean() - strengths.std() / len(strengths) ** 0.5))
        sign = min(1.0, fault * (fault / 2 - strength))
        return 1.0 if sign > 0 and average <= 1 and above.mean() > 1 / 2 else sign
