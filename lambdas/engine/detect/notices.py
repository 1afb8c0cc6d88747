"""What scoring noticed about its input: a lost state, late rows, silent sensors, levels that moved.

A notice never changes a score. It says what was left out, or what a person should look at.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.detect.features import GAP_STEPS, WARM_UP, WINDOW
from engine.detect.level_events import MOVED_SHARE, LevelMoved
from engine.frame.frame import Frame, SensorId
from engine.ingest.timestamps import Times

Kind = Literal["no-state", "gap", "late-rows", "no-values", "unusable-file", "unit", "level", "level-moved"]
"""What a notice is about.

- `no-state`: scoring began without the state of earlier rows;
- `gap`: rows are missing before the first one, so that scoring starts afresh;
- `late-rows`: rows that are not newer than what was scored before; they are not scored;
- `no-values`: a sensor or a component is silent and left out of score and contributions, or goes on with its
  last value although its files have rows;
- `unusable-file`: a file could not be read;
- `unit`: a sensor reads as if it had changed its unit;
- `level`: the level of a sensor has moved for long;
- `level-moved`: the level of a sensor just stopped counting as an anomaly.
"""

SILENT_ROWS = WINDOW
"""A sensor without values in so many of the latest rows (or in all of a shorter frame) is silent: repeated
for longer, its last value would look like a sensor that is stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that was noticed.

    Attributes:
        kind: what it is about.
        sensor: the sensor it is about; None when it is not about a single one.
        text: a sentence for people.

    """

    kind: Kind
    sensor: SensorId | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was known before a frame.

    Attributes:
        rows: rows since the last start.
        newest: time of the last row; None before the first.
        resting: whether the machine was off: then first rows are left out on purpose, without a notice.

    """

    rows: int
    newest: np.datetime64 | None
    resting: bool


def input_notices(
    frame: Frame, *, late: Times, past: Past, last_seen: Times, step: np.timedelta64
) -> list[Notice]:
    """Return what is wrong with the rows of a frame.

    Args:
        frame: the rows to score, without late ones.
        late: times of the rows left out as late.
        past: what was known before the frame.
        last_seen: when each sensor last had a value, after the frame, shape (sensors,).
        step: the usual distance of rows.

    """
    return [*_start(frame, past, step), *_late(late, past.newest), *_silent(frame, last_seen)]


def _start(frame: Frame, past: Past, step: np.timedelta64) -> list[Notice]:
    """Return the notice that first rows are not judged."""
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
    """Return the notice that rows came late."""
    if not len(late):
        return []
    count = f"{len(late)} row{'' if len(late) == 1 else 's'}"
    than = f"rows up to {_stamp(known)} were scored before" if known is not None else "newer rows came first"
    text = f"{count} up to {_stamp(late.max())} came late and are not scored: {than}"
    return [Notice(kind="late-rows", sensor=None, text=text)]


def _silent(frame: Frame, last_seen: Times) -> list[Notice]:
    """Return a notice for each sensor without a value at the end of the frame."""
    tail = frame.values[-SILENT_ROWS:]
    if not len(tail):
        return []
    silent = ~np.atleast_1d(np.isfinite(tail).any(axis=0))
    if not silent.any():
        return []
    seen = {
        sensor: None if np.isnat(time) else time
        for sensor, time in zip(frame.sensors, last_seen, strict=True)
    }
    return silence_notices(
        frame.sensors, [each for each, is_ in zip(frame.sensors, silent, strict=True) if is_], seen
    )


def silence_notices(
    sensors: Sequence[SensorId],
    silent: Collection[SensorId],
    last_seen: Mapping[SensorId, np.datetime64 | None],
) -> list[Notice]:
    """Return a notice for each silent sensor, or one for a component of which all sensors are.

    Args:
        sensors: all sensors.
        silent: those without values.
        last_seen: when each sensor last had a value; None or absent for never.

    """
    if not silent:
        return []
    notices, components = [], {sensor.rpartition("\\")[0]: list[SensorId]() for sensor in sensors}
    for sensor in sensors:
        components[sensor.rpartition("\\")[0]].append(sensor)
    for component, members in components.items():
        without = [sensor for sensor in members if sensor in silent]
        if component and len(members) > 1 and without == members:
            text = f"component {component} has no values{_since(members, last_seen)}: {_LEFT_OUT}"
            notices.append(Notice(kind="no-values", sensor=None, text=text))
            continue
        for sensor in without:
            text = f"{sensor} has no values{_since([sensor], last_seen)}: {_LEFT_OUT}"
            notices.append(Notice(kind="no-values", sensor=sensor, text=text))
    return notices


def level_notices(sensors: Sequence[SensorId], shares: NDArray[np.float64] | None) -> list[Notice]:
    """Return a notice for each sensor whose level counts as moved on most rows.

    Args:
        sensors: all sensors.
        shares: `Scores.moved`, shape (sensors,); None when it is unknown.

    """
    if shares is None:
        return []
    moved = [sensor for sensor, share in zip(sensors, shares.tolist(), strict=True) if share > MOVED_SHARE]
    after = "has moved for long and hardly counts any more: if this is how it is now, train again"
    return [Notice(kind="level", sensor=sensor, text=f"the level of {sensor} {after}") for sensor in moved]


def moved_notices(events: Sequence[LevelMoved]) -> list[Notice]:
    """Return a notice for each level that stopped counting."""
    return [
        Notice(
            kind="level-moved",
            sensor=event.sensor,
            text=(
                f"the level of {event.sensor} moved and no longer counts as an anomaly since "
                f"{_stamp(event.since)}: it reads about {event.reads:.4g} where the other sensors say "
                f"{event.expected:.4g}"
            ),
        )
        for event in events
    ]


_LEFT_OUT = "left out of score and contributions"


def _since(sensors: Sequence[SensorId], last_seen: Mapping[SensorId, np.datetime64 | None]) -> str:
    known = [time for time in (last_seen.get(sensor) for sensor in sensors) if time is not None]
    return f" since {_stamp(max(known))}" if known else " in any row so far"


def _stamp(time: Any) -> str:
    return f"{time.astype('datetime64[s]')}Z"
