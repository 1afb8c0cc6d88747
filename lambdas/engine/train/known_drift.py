"""The slow channel of a model that is trained again: which sensors drift, the detector in use knows better.

What is left out of such a training is most of all what moved, so that a sensor that drifts looks steady and
counts in full. And a sensor that had held and now drifts may be wearing, too slowly yet for a lasting alarm:
if it counted as one that drifts, its fault would never alarm.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.detect.detector import Detector
from engine.detect.slow_drift import SlowDrift
from engine.train.known_faults import HELD, UnconfirmedChange

Mask = NDArray[np.bool_]


def with_known_drift(
    fit_slow: Callable[[Mask], SlowDrift | None], healthy: Mask, confirmed: Mask, prior: Detector
) -> SlowDrift | None:
    """Return the slow channel, which vouches for no sensor more than that of the detector in use.

    Where that does not hold the plant to its training, as under `follow`, the channel is as it was fitted.

    Args:
        fit_slow: fits a channel to the rows of a mask.
        healthy: mask of the rows to learn, shape (rows,).
        confirmed: mask of the rows that people called normal, shape (rows,): they may have drifted.
        prior: the detector in use, with the adaptation of its owner.

    Raises:
        UnconfirmedChange: when a sensor drifts that the prior holds to its training.

    """
    slow = fit_slow(healthy)
    if slow is None or prior.slow is None or prior.slow.weight(prior.adaptation) <= HELD:
        return slow
    drifted = (prior.slow.steady > HELD) & (slow.steady <= HELD)
    if drifted.any() and (healthy & confirmed).any():
        unsaid = fit_slow(healthy & ~confirmed)
        drifted &= unsaid is not None and unsaid.steady <= HELD
    if drifted.any():
        names = ", ".join(f"'{prior.sensors[at]}'" for at in np.flatnonzero(drifted))
        raise UnconfirmedChange(
            f"the model in use holds {names} to its training, and the rows drift there: what nobody has "
            "confirmed is not learned"
        )
    return replace(slow, steady=np.minimum(slow.steady, prior.slow.steady))
