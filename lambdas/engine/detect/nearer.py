"""Of two estimates, what both agree on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def nearer(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Return of two values the one nearer to 0, and 0 where they lie on different sides."""
    near = np.where(np.abs(one) < np.abs(other), one, other)
    return np.where(one * other > 0, near, 0.0)
