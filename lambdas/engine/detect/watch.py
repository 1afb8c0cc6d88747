"""What noticing remembers from window to window: when each sensor was last seen, and which look converted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.artefact import BadArtefact
from engine.frame.frame import Frame
from engine.ingest.timestamps import Times

_CHUNK = 4096
"""Rows that are searched at once for the last values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTrace:
    """Readings of a sensor since they left the training range as a change of unit would.

    Attributes:
        rows: readings so far.
        moves: readings that differ from the one before.
        moved: sum of the absolute differences, in the sensor's unit.
        last: the latest reading.
        fits: by number of the conversion, how many readings agree with the other sensors after it, and the
            sum of their distances, in units of the residuals.

    """

    rows: int
    moves: int
    moved: float
    last: float
    fits: Mapping[int, tuple[int, float]]

    def to_json(self) -> list[Any]:
        """Return the trace as JSON."""
        fits = [[number, count, far] for number, (count, far) in sorted(self.fits.items())]
        return [self.rows, self.moves, self.moved, self.last, fits]

    @classmethod
    def from_json(cls, members: list[Any]) -> Self:
        """Read the result of `to_json`."""
        rows, moves, moved, last, fits = members
        return cls(
            rows=int(rows),
            moves=int(moves),
            moved=float(moved),
            last=float(last),
            fits={int(number): (int(count), float(far)) for number, count, far in fits},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What noticing carries from window to window.

    Attributes:
        last_seen: time at which each sensor last had a value, shape (sensors,); NaT for never.
        newest: time of the last row; None before the first.
        units: traces of the sensors that look converted, by column.

    """

    last_seen: Times
    newest: np.datetime64 | None = None
    units: Mapping[int, UnitTrace] = field(default_factory=dict)

    @classmethod
    def start(cls, sensors: int) -> Self:
        """Return the watch before the first row."""
        return cls(last_seen=np.full(sensors, "NaT", "datetime64[us]"))

    def to_meta(self) -> dict[str, Any]:
        """Return the watch as JSON members, without `last_seen`, which is stored as an array."""
        newest = None if self.newest is None else int(self.newest.astype("datetime64[us]").astype(np.int64))
        units = {str(at): trace.to_json() for at, trace in sorted(self.units.items())}
        return {"newest": newest, "units": units}

    @classmethod
    def from_meta(
        cls, meta: Mapping[str, Any] | None, last_seen: NDArray[np.int64] | None, sensors: int
    ) -> Self:
        """Read the result of `to_meta`; states of format version 1 have neither, and start afresh.

        Raises:
            BadArtefact: when it is malformed, or of another number of sensors.

        """
        if meta is None or last_seen is None:
            return cls.start(sensors)
        if last_seen.shape != (sensors,):
            raise BadArtefact(f"the state is for {last_seen.size} sensors, not {sensors}")
        try:
            newest = meta["newest"]
            return cls(
                last_seen=last_seen.view("datetime64[us]"),
                newest=None if newest is None else np.datetime64(int(newest), "us"),
                units={int(at): UnitTrace.from_json(trace) for at, trace in meta["units"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadArtefact(f"the state is malformed: {error}") from error


def late_rows(times: Times, newest: np.datetime64 | None) -> NDArray[np.bool_]:
    """Mark the rows that are not newer than every row before them, `newest` included."""
    if not len(times):
        return np.zeros(0, bool)
    first = times[0] - np.timedelta64(1, "us") if newest is None else newest
    before = np.maximum.accumulate(np.append(first, times[:-1]))
    late: NDArray[np.bool_] = times <= before
    return late


def last_seen(frame: Frame, before: Times) -> Times:
    """Return when each sensor last had a value: in the frame, else as in `before`; shape (sensors,)."""
    result = before.copy()
    unseen = np.ones(len(frame.sensors), bool)
    for stop in range(len(frame.times), 0, -_CHUNK):
        start = max(0, stop - _CHUNK)
        known = np.isfinite(frame.values[start:stop])
        found = unseen & known.any(axis=0)
        result[found] = frame.times[stop - 1 - known[::-1].argmax(axis=0)[found]]
        unseen &= ~found
        if not unseen.any():
            break
    return result
