"""How alarms open and close: from the views' ratios of score to limit to one ratio, whose threshold is 1.

All rules act on the ratio itself, so that the score stays graded and an alarm is nothing but a score above
0.5. They are causal and continuous: a small change of a row changes the result a little. Per row:

1. *Forgetting.* Views with a memory (window, scale) still see a fault that has ended. Where a lag view was
   as far out within their memory, and has been within its limit again in the NEWEST_ROWS, they count at most
   MUTED_RATIO.
2. *Fusing.* The largest view counts.
3. *Opening.* A row stays just below the limit unless two of the newest three reach it: a single row does not
   alarm.
4. *Smoothing and closing.* The ratio is smoothed. While an alarm is open it is divided by CLOSING_RATIO, so
   that an alarm closes below the limit and does not flicker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.features import SPANS, WINDOW, ViewName
from engine.detect.ramp import ramp
from engine.detect.smoothing import NEWEST_ROWS, largest_of, smooth

Floats = NDArray[np.float64]

MEMORY_ROWS: dict[ViewName, int] = {"window": WINDOW, "scale": SPANS[-1], "tracked window": WINDOW}
"""Rows, the newest included, in which a view still sees a fault."""
PROMPT_VIEWS: tuple[ViewName, ...] = ("lag", "tracked lag")
"""Views of the newest rows alone: they show when a fault has ended."""
CALM_RATIO = 0.6
"""Ratio up to which the prompt views are calm; from the limit on they are not."""
MUTED_RATIO = 0.7
"""Largest ratio of a view that only remembers a fault: no alarm, but above usual rows."""
SEEN_SHARE = 0.5
"""Share of a view's ratio from which a prompt view has seen the same fault in part; in full at the same
ratio."""
EDGE = 0.05
"""Width of the edge of the limit. Below it, a row that no other confirms stays, and a row there confirms in
part. Above it, an alarm is open in part."""
CLOSING_RATIO = 0.8
"""Smoothed ratio below which an open alarm closes."""

HISTORY_ROWS = max(MEMORY_ROWS.values()) - 1
"""Earlier ratios of the prompt views that the next row needs."""


@dataclass(slots=True, kw_only=True)
class Alarm:
    """What the rules carry from row to row.

    Attributes:
        lag: newest ratios of the prompt views, shape (HISTORY_ROWS,).
        fused: newest fused ratios, shape (NEWEST_ROWS - 1,).
        smoothed: the smoothed ratio.
        open: how far an alarm is open, 0 to 1.

    """

    lag: Floats
    fused: Floats
    smoothed: float = 0.0
    open: float = 0.0

    @classmethod
    def closed(cls) -> Self:
        """Return the rules' memory before the first row."""
        return cls(lag=np.zeros(HISTORY_ROWS), fused=np.zeros(NEWEST_ROWS - 1))

    def fuse(self, ratios: Mapping[ViewName, Floats]) -> Floats:
        """Return one ratio per row; above 1 is an alarm.

        Args:
            ratios: per view the ratio of score to limit of consecutive rows, shape (rows,).

        """
        count = len(next(iter(ratios.values())))
        if not count:
            return np.zeros(0)
        prompt = np.zeros(count)
        for view in PROMPT_VIEWS:
            np.maximum(prompt, ratios.get(view, 0), out=prompt)
        lag = np.concatenate([self.lag, prompt])
        self.lag = lag[-HISTORY_ROWS:].copy()
        calm = 1 - ramp(_largest(lag, NEWEST_ROWS, count), CALM_RATIO, 1)
        fused = np.zeros(count)
        for view, ratio in ratios.items():
            counted = ratio
            if view in MEMORY_ROWS:
                seen = _largest(lag, MEMORY_ROWS[view], count) / np.maximum(ratio, 1e-9)
                counted = _lower(ratio, MUTED_RATIO, calm * ramp(seen, SEEN_SHARE, 1))
            np.maximum(fused, counted, out=fused)
        rows = np.concatenate([self.fused, fused])
        self.fused = rows[-len(self.fused) :].copy()
        return self._hold(_lower(fused, 1 - EDGE, 1 - _confirmed(rows, count)))

    def _hold(self, ratio: Floats) -> Floats:
        """Return the smoothed ratio, raised while an alarm is open."""
        smoothed = smooth(ratio, self.smoothed)
        result, opened = smoothed.copy(), self.open
        spare, edge = 1 - CLOSING_RATIO, (1 + EDGE) - 1
        # a lower row closes the alarm: only these, and the rows after them, need to be taken one by one
        high = smoothed > CLOSING_RATIO
        for at in (high | np.append(True, high[:-1])).nonzero()[0].tolist():
            held = float(smoothed[at]) / (1 - spare * opened)
            opened = min(max((held - 1) / edge, 0.0), 1.0)  # as `ramp`, whose call takes half of the time
            result[at] = held
        self.smoothed, self.open = float(smoothed[-1]), opened
        return result


def _confirmed(ratios: Floats, count: int) -> Floats:
    """Return how far two of the newest rows reach the limit, for each of the last `count`."""
    largest = second = np.zeros(count)
    for back in range(NEWEST_ROWS):
        each = ratios[len(ratios) - count - back : len(ratios) - back]
        second = np.maximum(second, np.minimum(largest, each))
        largest = np.maximum(largest, each)
    return ramp(second, 1 - EDGE, 1)


def _largest(values: Floats, rows: int, count: int) -> Floats:
    """Return for each of the last `count` values the largest of the `rows` newest up to it."""
    return largest_of(values[len(values) - count - rows + 1 :], rows)


def _lower(ratio: Floats, to: float, part: Floats) -> Floats:
    """Return the ratio with this part taken away of what lies above `to`."""
    return ratio - part * np.maximum(ratio - to, 0)
