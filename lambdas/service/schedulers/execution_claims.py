"""How long a call of the inference function holds the window that it infers."""

LEASE_SECONDS = 16 * 60
"""An older claim is of a call that has ended: Lambda ends them after 15 minutes."""


def is_abandoned(claimed_at: float, *, now: float) -> bool:
    """Return whether the call that claimed a window cannot live any more; both in epoch seconds.

    A claim from the future was made before the clock was set back.
    """
    return abs(now - claimed_at) >= LEASE_SECONDS
