"""Means over bins of time: the grid on which slow changes are judged, whatever the rate of the rows."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.frame.frame import Frame
from engine.frame.scaling import Scaling

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ENOUGH_ROWS = 10
"""Rows of a bin that are averaged; of more, evenly spaced ones are taken."""
KNOWN = 0.5
"""Share of the rows of a bin that must count, and of the sensors that must have a value, to judge it."""
CHUNK = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Bins of absolute time, `width` microseconds each, and what is averaged in them.

    Per sensor: the scaled value, and its hinges, how far the value of a row lies above each of the `knots`
    (hinges x sensors). A hinge is averaged per row: the mean of a curve, not the curve of a mean.
    """

    width: int
    knots: Floats

    def of(self, times: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Return the bin of each row; a row at the edge belongs to the bin that it ends."""
        result: NDArray[np.int64] = (times.astype("datetime64[us]").astype(np.int64) - 1) // self.width
        return result

    def stride(self, step: np.timedelta64) -> int:
        """Return one in how many rows is averaged."""
        return max(1, int(self.width / (step / np.timedelta64(1, "us"))) // ENOUGH_ROWS)

    def sums(self, frame: Frame, use: Mask, scaling: Scaling, outside: Floats) -> "Sums":
        """Return the sums of the marked rows per bin that has any row.

        Args:
            frame: the rows.
            use: which of them count, shape (rows,).
            scaling: of the sensors.
            outside: for how many averaged rows each sensor has been far outside before them; moved on.

        """
        stride, step = self.stride(frame.step), int(frame.step / np.timedelta64(1, "us"))
        stamps = frame.times.astype("datetime64[us]").astype(np.int64)
        taken = np.flatnonzero(stamps // step % stride == 0) if stride > 1 else np.arange(len(stamps))
        parts = [
            self._sums(frame, use, scaling, taken[start : start + CHUNK], outside)
            for start in range(0, len(taken), CHUNK)
        ]
        return Sums.joined(parts, self.knots.shape)

    def _sums(
        self, frame: Frame, use: Mask, scaling: Scaling, rows: NDArray[np.intp], outside: Floats
    ) -> "Sums":
        bins, used = self.of(frame.times[rows]), use[rows]
        scaled = scaling.follow(frame.values[rows], outside, spike=np.nan)
        known = np.isfinite(scaled) & used[:, None]
        unknown = None if known.all() else ~known
        if unknown is not None:
            scaled[unknown] = 0
        starts = _starts(bins)
        sums = np.empty((len(starts), 1 + len(self.knots), scaled.shape[1]))
        sums[:, 0] = np.add.reduceat(scaled, starts, axis=0)
        for at, knot in enumerate(self.knots, start=1):
            above = scaled - knot
            np.maximum(above, 0, out=above)
            if unknown is not None:
                above[unknown] = 0
            sums[:, at] = np.add.reduceat(above, starts, axis=0)
        counted = np.add.reduceat(used.astype(float), starts)
        if unknown is None:
            counts = np.repeat(counted[:, None], scaled.shape[1], axis=1)
        else:
            counts = np.add.reduceat(known.astype(float), starts, axis=0)
        return Sums(bins=bins[starts], rows=counted, values=sums, counts=counts)

    def complete(self, sums: "Sums", step: np.timedelta64) -> Mask:
        """Return which bins hold enough of what they could hold."""
        expected = self.width / (step / np.timedelta64(1, "us")) / self.stride(step)
        known = np.count_nonzero(sums.counts, axis=1)
        enough: Mask = (sums.rows >= KNOWN * expected) & (known >= KNOWN * sums.counts.shape[1])
        return enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Per bin: its number, rows that count, sums per quantity and sensor, and values per sensor."""

    bins: NDArray[np.int64]
    rows: Floats
    values: Floats
    counts: Floats

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Self:
        """Return no bins, for `shape` hinges and sensors."""
        return cls(
            bins=np.zeros(0, np.int64),
            rows=np.zeros(0),
            values=np.zeros((0, 1 + shape[0], shape[1])),
            counts=np.zeros((0, shape[1])),
        )

    @classmethod
    def joined(cls, parts: list["Sums"], shape: tuple[int, int]) -> "Sums":
        """Return the bins of all parts, in order of time; a bin that parts share is added up."""
        parts = [part for part in parts if len(part.bins)]
        if not parts:
            return cls.empty(shape)
        if len(parts) == 1:
            return parts[0]
        bins = np.concatenate([part.bins for part in parts])
        starts = _starts(bins)
        return cls(
            bins=bins[starts],
            rows=np.add.reduceat(np.concatenate([part.rows for part in parts]), starts),
            values=np.add.reduceat(np.concatenate([part.values for part in parts]), starts, axis=0),
            counts=np.add.reduceat(np.concatenate([part.counts for part in parts]), starts, axis=0),
        )

    def part(self, rows: slice) -> "Sums":
        """Return some of the bins."""
        return Sums(
            bins=self.bins[rows], rows=self.rows[rows], values=self.values[rows], counts=self.counts[rows]
        )

    def means(self) -> Floats:
        """Return the means, bins x quantities x sensors; NaN where a sensor had no value."""
        counts = np.where(self.counts > 0, self.counts, np.nan)
        result: Floats = self.values / counts[:, None, :]
        return result


def _starts(bins: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the places at which another bin begins than at the place before."""
    begins = np.ones(len(bins), bool)
    np.not_equal(bins[1:], bins[:-1], out=begins[1:])
    return begins.nonzero()[0]
