"""Of two estimates, what both agree on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def nearer(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Return of two values the one nearer to 0, and 0 where they lie on different sides, or one is NaN."""
    above: NDArray[Any] = np.minimum(one, other)
    below = np.maximum(one, other)
    np.fmax(above, 0, out=above)  # the nearer one where both are positive; `fmax` and `fmin` pass over NaN
    above += np.fmin(below, 0, out=below)
    return above
