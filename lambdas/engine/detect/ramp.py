"""The ramp from 0 to 1 by which every graded rule acts."""

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@overload
def ramp(value: float, zero: float, one: float) -> float: ...
@overload
def ramp(value: Floats, zero: float, one: float) -> Floats: ...
def ramp(value: Any, zero: float, one: float) -> Any:
    """Return 0 for values up to `zero`, 1 from `one` on, and the proportion of the way in between.

    A rule with a ramp instead of a threshold is continuous: a small change of a row changes the result a
    little. With `one` below `zero` the ramp falls from 1 to 0.
    """
    part = (value - zero) / (one - zero)
    if isinstance(part, float):  # the loops over single rows: numpy takes ten times as long for one number
        return min(max(part, 0.0), 1.0)
    return np.minimum(np.maximum(part, 0), 1)  # np.clip takes longer for few rows
