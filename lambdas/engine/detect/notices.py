"""What scoring noticed about its input: lost state, late rows, silent sensors; and the memory this takes.

A notice never changes a score. It says what was left out, or what a person should look at.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.artefact import BadArtefact
from engine.detect.features import WARM_UP
from engine.frame.frame import Frame, SensorId
from engine.frame.segments import GAP_STEPS
from engine.ingest.timestamps import Times

Kind = Literal["no-state", "gap", "late-rows", "no-values", "unit", "level"]
"""What a notice is about.

- ``no-state``: scoring began without the state of earlier rows;
- ``gap``: rows are missing before the first one, so that it starts afresh;
- ``late-rows``: rows that are not newer than what was scored before; they are not scored;
- ``no-values``: a sensor or a component is silent; it is left out of score and contributions;
- ``unit``: a sensor reads as if it had changed its unit;
- ``level``: the level of a sensor has moved for long.
"""

SILENT_ROWS = 20
"""A sensor without values in so many of the latest rows (or in all of a shorter frame) is silent."""
MOVED_SHARE = 0.5
"""Share of the rows from which a level that counts as moved is worth a notice."""
_CHUNK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing noticed; ``sensor`` is None when it is not about a single sensor. ``text`` is for people."""

    kind: Kind
    sensor: SensorId | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTrace:
    """Readings of a sensor since they left the training range as a change of unit would.

    ``rows`` readings so far, ``moves`` of them unlike the one before and by ``moved`` together; ``last`` is
    the latest. ``fits`` counts per conversion (its number) the readings that agree with the other sensors,
    and sums how far they are from them.
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
        """Read what ``to_json`` gave."""
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

    ``newest`` is the time of the last row, ``heard`` when each sensor last had a value (NaT: never), and
    ``units`` the traces of sensors that look converted, by column.
    """

    heard: Times
    newest: np.datetime64 | None = None
    units: Mapping[int, UnitTrace] = field(default_factory=dict)

    @classmethod
    def start(cls, sensors: int) -> Self:
        """Return the watch before the first row."""
        return cls(heard=np.full(sensors, "NaT", "datetime64[us]"))

    def to_meta(self) -> dict[str, Any]:
        """Return the watch as JSON members, ``heard`` apart."""
        newest = None if self.newest is None else int(self.newest.astype("datetime64[us]").astype(np.int64))
        units = {str(at): trace.to_json() for at, trace in sorted(self.units.items())}
        return {"newest": newest, "units": units}

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any] | None, heard: NDArray[np.int64] | None, sensors: int) -> Self:
        """Read what ``to_meta`` gave. States of format version 1 have neither: nothing is known then.

        Raises:
            BadArtefact: malformed, or of another number of sensors.

        """
        if meta is None or heard is None:
            return cls.start(sensors)
        if heard.shape != (sensors,):
            raise BadArtefact(f"the state knows when {heard.size} sensors were heard, not {sensors}")
        try:
            newest = meta["newest"]
            return cls(
                heard=heard.view("datetime64[us]"),
                newest=None if newest is None else np.datetime64(int(newest), "us"),
                units={int(at): UnitTrace.from_json(trace) for at, trace in meta["units"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadArtefact(f"the state is malformed: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was known before a frame: ``rows`` since the last start, the time of the ``newest`` row.

    ``resting`` says that the machine was off: the silence after its restart is intended.
    """

    rows: int
    newest: np.datetime64 | None
    resting: bool


def late_rows(times: Times, newest: np.datetime64 | None) -> NDArray[np.bool_]:
    """Mark the rows that are not newer than every row before them, ``newest`` included."""
    if not len(times):
        return np.zeros(0, bool)
    first = times[0] - np.timedelta64(1, "us") if newest is None else newest
    before = np.maximum.accumulate(np.append(first, times[:-1]))
    late: NDArray[np.bool_] = times <= before
    return late


def last_heard(frame: Frame, before: Times) -> Times:
    """Return when each sensor last had a value: in the frame, or ``before``."""
    heard = before.copy()
    open_ = np.ones(len(frame.sensors), bool)
    for stop in range(len(frame.times), 0, -_CHUNK):
        start = max(0, stop - _CHUNK)
        known = np.isfinite(frame.values[start:stop])
        found = open_ & known.any(axis=0)
        heard[found] = frame.times[stop - 1 - known[::-1].argmax(axis=0)[found]]
        open_ &= ~found
        if not open_.any():
            break
    return heard


def input_notices(
    frame: Frame, *, late: Times, past: Past, heard: Times, step: np.timedelta64
) -> list[Notice]:
    """Say what is wrong with the rows of a frame.

    Args:
        frame: the rows to score, without late ones.
        late: times of the rows left out as late.
        past: what was known before the frame.
        heard: when each sensor last had a value, after the frame.
        step: the usual distance of rows.

    """
    return [*_start(frame, past, step), *_late(late, past.newest), *_silent(frame, heard)]


def _start(frame: Frame, past: Past, step: np.timedelta64) -> list[Notice]:
    if not len(frame.times):
        return []
    gap = past.newest is not None and frame.times[0] - past.newest > GAP_STEPS * step
    needed = min(WARM_UP.values()) - (0 if gap else past.rows)
    if past.resting or needed <= 0:
        return []
    silent = min(needed, len(frame.times))
    rows = (
        f"the first {'row is' if silent == 1 else f'{silent} rows are'} not judged, and rows up to "
        f"{max(WARM_UP.values())} only in part"
    )
    if gap:
        text = f"no rows between {_stamp(past.newest)} and {_stamp(frame.times[0])}: {rows}"
        return [Notice(kind="gap", sensor=None, text=text)]
    known = f"only {past.rows} earlier row{'' if past.rows == 1 else 's'}" if past.rows else "no earlier rows"
    return [Notice(kind="no-state", sensor=None, text=f"{known} to look back on: {rows}")]


def _late(late: Times, known: np.datetime64 | None) -> list[Notice]:
    if not len(late):
        return []
    count = f"{len(late)} row{'' if len(late) == 1 else 's'}"
    than = f"rows up to {_stamp(known)} were scored before" if known is not None else "newer rows came first"
    text = f"{count} up to {_stamp(late.max())} came late and are not scored: {than}"
    return [Notice(kind="late-rows", sensor=None, text=text)]


def _silent(frame: Frame, heard: Times) -> list[Notice]:
    """Name the sensors without a value at the end of the frame."""
    tail = frame.values[-SILENT_ROWS:]
    if not len(tail):
        return []
    silent = ~np.atleast_1d(np.isfinite(tail).any(axis=0))
    last = {
        sensor: None if np.isnat(time) else time for sensor, time in zip(frame.sensors, heard, strict=True)
    }
    return silence(
        frame.sensors, [each for each, is_ in zip(frame.sensors, silent, strict=True) if is_], last
    )


def silence(
    sensors: Sequence[SensorId],
    silent: Collection[SensorId],
    heard: Mapping[SensorId, np.datetime64 | None],
) -> list[Notice]:
    """Name the silent ones of all sensors, whole components by their own name, and when they were heard."""
    if not silent:
        return []
    notices, components = [], {sensor.rpartition("\\")[0]: list[SensorId]() for sensor in sensors}
    for sensor in sensors:
        components[sensor.rpartition("\\")[0]].append(sensor)
    for component, members in components.items():
        quiet = [sensor for sensor in members if sensor in silent]
        if component and len(members) > 1 and quiet == members:
            text = f"component {component} has no values{_since(members, heard)}: {_LEFT_OUT}"
            notices.append(Notice(kind="no-values", sensor=None, text=text))
            continue
        for sensor in quiet:
            text = f"{sensor} has no values{_since([sensor], heard)}: {_LEFT_OUT}"
            notices.append(Notice(kind="no-values", sensor=sensor, text=text))
    return notices


def moved_levels(sensors: Sequence[SensorId], shares: NDArray[np.float64] | None) -> list[Notice]:
    """Name the sensors whose level counts as moved on most rows; ``shares`` is ``Scores.moved``."""
    if shares is None:
        return []
    moved = [sensor for sensor, share in zip(sensors, shares.tolist(), strict=True) if share >= MOVED_SHARE]
    after = "has moved for long and hardly counts any more: if this is how it is now, train again"
    return [Notice(kind="level", sensor=sensor, text=f"the level of {sensor} {after}") for sensor in moved]


_LEFT_OUT = "left out of score and contributions"


def _since(sensors: Sequence[SensorId], heard: Mapping[SensorId, np.datetime64 | None]) -> str:
    known = [time for time in (heard.get(sensor) for sensor in sensors) if time is not None]
    return f" since {_stamp(max(known))}" if known else " in any row so far"


def _stamp(time: Any) -> str:
    return f"{time.astype('datetime64[s]')}Z"
