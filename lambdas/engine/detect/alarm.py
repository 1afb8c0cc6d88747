"""From the views' scores over their limits to one ratio whose threshold is 1: how alarms open and close.

All rules act on the ratio itself, so that the score stays graded and an alarm is nothing but a score above
0.5. They are causal and continuous: a small change of a row changes the result a little. Per row:

1. *Forgetting.* Views with a memory (window, scale) still see a fault that has ended. Where a lag view
   was as far out as they are within their memory, and is back within its limit for CALM_ROWS rows, they
   count no more than MUTED.
2. *Fusing.* The largest view counts.
3. *Opening.* A row counts more than UNCONFIRMED only if two of the newest three reach the limit: a single row
   does not alarm.
4. *Smoothing and closing.* Exponential mean of span 3. While an alarm is open, the ratio is divided by HOLD,
   so that it closes below the limit and does not flicker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.detect.features import SPANS, WINDOW, ViewName

Floats = NDArray[np.float64]

MEMORY: dict[ViewName, int] = {"window": WINDOW, "scale": SPANS[-1], "tracked window": WINDOW}
"""Rows, this one included, that a view remembers."""
PROMPT: tuple[ViewName, ...] = ("lag", "tracked lag")
"""Views that tell of the newest rows alone."""
CALM_ROWS = 3
CALM = (0.6, 1.0)
"""Ratio of the lag views that is calm, and the one that is not; in between, it is so in part."""
SEEN = (0.5, 1.0)
"""Part of a view's ratio that a lag view must have reached within its memory to have seen the same."""
MUTED = 0.7
UNCONFIRMED = 0.95
CONFIRMED = (0.9, 1.0)
"""Ratio of the second largest of three rows from which the largest counts, in part and in full."""
CONFIRMING_ROWS = 3
SMOOTHING_SPAN = 3
HOLD = 0.8
OPEN = (1.0, 1.05)
"""Ratio above which an alarm is open, and from which it is so in full."""

LAG_ROWS = max(MEMORY.values()) - 1
"""Earlier rows that the next one needs."""


@dataclass(slots=True, kw_only=True)
class Alarm:
    """What the rules carry from row to row.

    ``lag`` and ``fused`` are the newest ratios of the lag views and of all views, ``level`` the smoothed
    ratio, ``open`` how far an alarm is open, 0 to 1.
    """

    lag: Floats
    fused: Floats
    level: float = 0.0
    open: float = 0.0

    @classmethod
    def closed(cls) -> Self:
        """Return what is carried before the first row."""
        return cls(lag=np.zeros(LAG_ROWS), fused=np.zeros(CONFIRMING_ROWS - 1))

    def fuse(self, ratios: Mapping[ViewName, Floats]) -> Floats:
        """Return the ratio of consecutive rows out of the ratios per view; above 1 is an alarm."""
        count = len(next(iter(ratios.values())))
        if not count:
            return np.zeros(0)
        prompt = np.max([ratios.get(view, np.zeros(count)) for view in PROMPT], axis=0)
        lag = np.concatenate([self.lag, prompt])
        self.lag = lag[-LAG_ROWS:].copy()
        calm = 1 - _part(_newest(lag, CALM_ROWS, count).max(axis=1), CALM)
        fused = np.zeros(count)
        for view, ratio in ratios.items():
            if view in MEMORY:
                seen = _newest(lag, MEMORY[view], count).max(axis=1) / np.maximum(ratio, 1e-9)
                ratio = _lower(ratio, MUTED, calm * _part(seen, SEEN))  # noqa: PLW2901 - the same, muted
            np.maximum(fused, ratio, out=fused)
        rows = np.concatenate([self.fused, fused])
        self.fused = rows[-len(self.fused) :].copy()
        second = np.partition(_newest(rows, CONFIRMING_ROWS, count), -2, axis=1)[:, -2]
        return self._smooth(_lower(fused, UNCONFIRMED, 1 - _part(second, CONFIRMED)))

    def _smooth(self, ratio: Floats) -> Floats:
        gain = 2 / (SMOOTHING_SPAN + 1)
        (low, high), spare = OPEN, 1 - HOLD
        result = np.empty_like(ratio)
        level, opened = self.level, self.open
        for at, value in enumerate(ratio.tolist()):
            level += gain * (value - level)
            held = level / (1 - spare * opened)
            opened = min(max((held - low) / (high - low), 0.0), 1.0)
            result[at] = held
        self.level, self.open = level, opened
        return result


def _newest(values: Floats, rows: int, count: int) -> Floats:
    """Return for each of the last ``count`` values itself and those before it, ``rows`` in all."""
    windows: Floats = sliding_window_view(values[len(values) - count - rows + 1 :], rows)
    return windows


def _part(value: Floats, bounds: tuple[float, float]) -> Floats:
    """Return 0 below the bounds, 1 above, and the way in between."""
    low, high = bounds
    return np.clip((value - low) / (high - low), 0, 1)


def _lower(ratio: Floats, to: float, part: Floats) -> Floats:
    """Return the ratio, what lies above ``to`` reduced by this part."""
    return ratio - part * np.maximum(ratio - to, 0)
