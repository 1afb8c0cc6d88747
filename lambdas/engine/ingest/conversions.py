"""The usual conversions of units: what a trained unit turns into by mistakes and changes of configuration."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The reading `factor * value + offset` where training had `value`.

    Attributes:
        factor: what training values are multiplied by.
        offset: what is added then.
        units: units that differ in this way, for people.

    """

    factor: float
    offset: float
    units: str

    def undone(self, readings: Floats) -> Floats:
        """Return the readings in the unit of training."""
        original: Floats = (readings - self.offset) / self.factor
        return original

    def __str__(self) -> str:
        by = f"times {self.factor:.4g}" if self.factor != 1 else ""
        plus = f"{'plus' if self.offset > 0 else 'minus'} {abs(self.offset):.5g}" if self.offset else ""
        return f"{' '.join(filter(None, (by, plus)))} ({self.units}?)"


def _both_ways(new: str, old: str, factor: float, offset: float = 0.0) -> Iterator[Conversion]:
    """Yield the conversion from the old to the new unit, and back."""
    yield Conversion(factor=factor, offset=offset, units=f"{new} instead of {old}")
    yield Conversion(factor=1 / factor, offset=-offset / factor, units=f"{old} instead of {new}")


CONVERSIONS: tuple[Conversion, ...] = tuple(
    conversion
    for pair in (
        ("m3/h", "l/s", 3.6),
        ("bar", "MPa", 10.0),
        ("kPa or %", "bar or a fraction", 100.0),
        ("thousandths", "the whole unit", 1_000.0),
        ("Pa", "bar", 100_000.0),
        ("millionths", "the whole unit", 1_000_000.0),
        ("°F", "°C", 1.8, 32.0),
        ("K", "°C", 1.0, 273.15),
        ("K", "°F", 1 / 1.8, 273.15 - 32 / 1.8),
        ("psi", "bar", 14.503774),
        ("kPa", "psi", 6.894757),
        ("l/min", "m3/h", 1000 / 60),
        ("per minute", "per second", 60.0),
        ("per hour", "per second", 3600.0),
        ("gpm", "m3/h", 4.402868),
        ("gpm", "l/s", 15.850323),
        ("l/min", "gpm", 3.785412),
        ("1/min", "rad/s", 30 / np.pi),
        ("degrees", "radians", 180 / np.pi),
        ("feet", "metres", 3.28084),
        ("mm", "inches", 25.4),
        ("mph", "m/s", 2.236936),
    )
    for conversion in _both_ways(*pair)
)
"""Every pair in both directions; a conversion is known by its number in this order, also in stored states."""
