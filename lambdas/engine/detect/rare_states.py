"""States that the machine is rarely in, and how much wider the limits are there.

The limits of the views are quantiles of all held-out rows, so rows of rare states (hot days, when a cooler's
valve opens wide) hardly move them: all of these may alarm within the budget. In a season full of such days,
that is every day.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.artefact import BadArtefact
from engine.detect.cross_prediction import Float32
from engine.detect.ramp import ramp
from engine.detect.trained_states import confirmed_states

Floats = NDArray[np.float64]

RARE = 2.0
"""A state is rare from this many times the distance of the outermost usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RareStates:
    """How much wider limits are where the machine is in a rare state.

    Attributes:
        usual: distance of the outermost usual state; beyond it limits begin to widen.
        widening: factor for the limits from RARE times that distance on.

    """

    usual: float
    widening: float

    def factor(self, distance: Floats) -> Floats:
        """Return the factor for the limits at each row, from its distance from the usual state: (rows,)."""
        return 1 + (self.widening - 1) * ramp(distance, self.usual, RARE * self.usual)

    def to_meta(self) -> dict[str, float]:
        """Return it as a JSON document."""
        return {"usual": self.usual, "widening": self.widening}

    @classmethod
    def read(cls, meta: dict[str, Any]) -> Self:
        """Read what `to_meta` gave.

        Raises:
            BadArtefact: when it is malformed.

        """
        usual, widening = float(meta["usual"]), float(meta["widening"])
        if not (0 < usual < np.inf and 1 <= widening < np.inf):
            raise BadArtefact(
                f"the detector is malformed: rare states beyond {usual}, limits times {widening}"
            )
        return cls(usual=usual, widening=widening)


def state_distance(values: Float32, residuals: Float32) -> Floats:
    """Return how far each row is from the usual state: the largest distance that the other sensors confirm.

    Args:
        values: scaled values, shape (rows, sensors).
        residuals: what is left of them when the other sensors predict them, shape (rows, sensors).

    """
    result: Floats = np.abs(confirmed_states(values, residuals)).max(axis=1)
    return result
