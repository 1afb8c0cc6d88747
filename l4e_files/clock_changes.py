"""When clocks are put forward or back somewhere: on Sundays of few weeks of the year, at night."""

_WEEKS = (
    (3, 8),  # North America
    (3, 25),  # Europe
    (4, 1),  # Australia, New Zealand; North America before 2007
    (4, 2),  # Chile
    (9, 2),  # Chile
    (9, 24),  # New Zealand
    (10, 1),  # Australia
    (10, 25),  # Europe; North America before 2007
    (11, 1),  # North America
)
CHANGE_DAYS = frozenset((month, first + at) for month, first in _WEEKS for at in range(7))
"""Month and day of the days on which clocks change, if they are Sundays."""
