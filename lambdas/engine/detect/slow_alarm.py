"""The alarm of the slow channel: it opens on what lasts, and closes when the fault has ended.

Many faults show at some operating points of a machine only: at full load, in the heat, by day. Elsewhere, a
quiet hour is no sign of a repair. So the alarm remembers at which points the fault lately showed how much. A
quiet bin is a sign that it has ended by how much likelier it is without the fault than with as much of it as
at the most similar points: a fault that was large there ends with two bins, one near its limit with more, and
where it did not show, quiet bins say nothing, however many of them a night has. How much a bin shows of the
fault is how far it lies in the direction of the average. An alarm near its limit would wait for long by that:
once the average is back below its limit, a sign of a repair where the fault showed is a full one.
"""

import numpy as np
from numpy.typing import NDArray

from engine.detect.slow_state import SlowState

Floats = NDArray[np.float64]

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


class SlowAlarm:
    """Opens when the limit was exceeded for half of twice the opening time, and in all of its newest quarter.

    An open alarm keeps its ratio through quiet bins until these say that the fault has ended.
    """

    def __init__(self, opening: int, state: SlowState) -> None:
        """Continue from a state; `opening` is in bins."""
        self._opening, self._state = opening, state

    def move(self, now: float, average: float, strength: float, point: Floats) -> float:
        """Return the ratio after a bin.

        Args:
            now: ratio of the bin.
            average: ratio of the average alone.
            strength: how far it lies along its average, over the root of the limit of single bins.
            point: operating point of the machine in it, shape (axes,).

        """
        state, opening = self._state, self._opening
        state.ratios = [*state.ratios, now][-2 * opening :]
        point = np.round(point, _DECIMALS)
        if state.open:  # noise of sensors that do not show the fault does not show it either
            now = min(now, max(strength, 0.0) ** 2)
        if not state.open:
            state.ratio = self._lasting()
        elif now > 1:
            state.ratio = now
        else:
            state.spell += 1
            state.evidence = max(0.0, state.evidence + self._sign(average, strength, point))
            lately = state.above[-MEMORY * opening :].sum()
            if state.evidence >= ENDED or lately < opening:
                state.ratio = now
        state.open = state.ratio > 1
        if now > 1 or not state.open:
            state.spell, state.evidence = 0, 0.0
        keep = slice(-(MEMORY * opening + state.spell), None)
        state.points = np.concatenate([state.points, point[None]])[keep]
        state.above = np.append(state.above, now > 1)[keep]
        state.strengths = np.append(state.strengths, strength)[keep]
        return state.ratio

    def _lasting(self) -> float:
        """Return the ratio exceeded for the opening time, and throughout its newest half."""
        ratios, opening = self._state.ratios, self._opening
        if len(ratios) < opening:
            return 0.0
        return float(min(sorted(ratios)[-opening], *ratios[-max(1, opening // 2) :]))

    def _sign(self, average: float, strength: float, point: Floats) -> float:
        """Return how far a quiet bin is a sign that the fault has ended, at most 1; negative if it is none.

        It is the logarithm of how much likelier its strength is around 0 than around that of the fault, if
        noise is as large as the limit. Noise is smaller, but neighbouring bins err alike. The fault's is
        surely the mean of the most similar points, less its standard error. They are those before this quiet
        spell, and after the first bin above: bins before it do not say where the fault shows. Where most of
        them were above, and the average is back below its limit, any such sign is a full one.
        """
        state = self._state
        before = slice(int(np.argmax(state.above)), len(state.points) - (state.spell - 1))
        distance = ((state.points[before] - point) ** 2).sum(axis=1)[::-1]  # of equal ones the newest
        nearest = np.argsort(distance, kind="stable")[:NEIGHBOURS]
        if not len(nearest):
            return 1.0
        strengths, above = (each[before][::-1][nearest] for each in (state.strengths, state.above))
        fault = max(0.0, float(strengths.mean() - strengths.std() / len(strengths) ** 0.5))
        sign = min(1.0, fault * (fault / 2 - strength))
        return 1.0 if sign > 0 and average <= 1 and above.mean() > 1 / 2 else sign
