"""Periods of time."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A period of time, both ends included."""

    start: np.datetime64
    end: np.datetime64

    @property
    def length(self) -> np.timedelta64:
        """Time from its start to its end."""
        return self.end - self.start

    @property
    def days(self) -> float:
        """Its length in days."""
        return float(self.length / np.timedelta64(1, "D"))

    def overlaps(self, other: "Interval") -> bool:
        """Return whether the two share an instant."""
        return bool(self.start <= other.end and other.start <= self.end)

    def clipped_to(self, other: "Interval") -> "Interval":
        """Return the part inside `other`, which it must overlap."""
        return Interval(start=max(self.start, other.start), end=min(self.end, other.end))
