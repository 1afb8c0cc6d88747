"""The state that scoring carries from row to row and from window to window, and its bytes."""

import math
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.alarm import HISTORY_ROWS, Alarm
from engine.detect.artefact import Arrays, BadArtefact, check_arrays, check_finite, pack, reading, unpack
from engine.detect.features import CONTEXT, SPANS, VIEWS, FeatureMemory, ViewName
from engine.detect.level_events import LevelMemory
from engine.detect.slow_drift import SlowDrift
from engine.detect.slow_state import SlowState
from engine.detect.view import OUTPUTS
from engine.detect.watch import Watch

Floats = NDArray[np.float64]

KIND = "scoring-state"
_MOST_ROWS = 2**53
"""Counts of rows stay exact in float64 up to here; a larger one is a forged state."""


@dataclass(slots=True, kw_only=True)
class State:
    """What scoring carries on; changed in place, row by row.

    Attributes:
        memory: what the features need of earlier rows.
        values: last known scaled value of each sensor, shape (sensors,).
        outside: for how many rows each sensor has been far outside, shape (sensors,), negative below.
        watch: what noticing remembers.
        level: the baseline, shape (sensors,); None before the first row.
        alarm: what the rules of alarms remember.
        factors: newest factors for the limits of the views, shape (HISTORY_ROWS,).
        last: time of the last row with the machine on.
        grace: rows after the last start that are not judged.
        level_averages: per view the averages of `engine.detect.level_shift`; empty before the first row.
        evaluated: rows so far that the static views judged; every eighth goes into the averages.
        levels: which levels do not count.
        slow: where the slow channel stands; None without one.

    """

    memory: FeatureMemory
    values: Floats
    outside: Floats
    watch: Watch
    levels: LevelMemory
    level: Floats | None = None
    alarm: Alarm = field(default_factory=Alarm.closed)
    factors: Floats = field(default_factory=lambda: np.ones(HISTORY_ROWS))
    last: np.datetime64 | None = None
    grace: int = 0
    level_averages: dict[ViewName, Floats] = field(default_factory=dict)
    evaluated: int = 0
    slow: SlowState | None = None

    @classmethod
    def start(cls, sensors: int, slow: SlowDrift | None = None) -> Self:
        """Return the state before the first row, of a detector with this slow channel."""
        return cls(
            memory=FeatureMemory.empty(sensors),
            values=np.zeros(sensors),
            outside=np.zeros(sensors),
            watch=Watch.start(sensors),
            levels=LevelMemory.start(sensors),
            slow=None if slow is None else slow.start(),
        )

    def restart(self, grace: int) -> None:
        """Forget the past except for levels and last values; do not judge the next `grace` rows."""
        self.forget_rows()
        self.alarm, self.factors, self.grace = Alarm.closed(), np.ones(HISTORY_ROWS), grace

    def forget_rows(self) -> None:
        """Forget what features need of earlier rows, and how long sensors have been outside."""
        self.memory = FeatureMemory.empty(len(self.values))
        self.outside = np.zeros(len(self.values))

    def fill(self, scaled: Floats) -> NDArray[np.bool_] | None:
        """Replace missing values, shape (rows, sensors), by the last known ones, in place.

        Returns:
            Where values were missing; None if nowhere.

        """
        missing = ~np.isfinite(scaled)
        if missing.any():
            known = np.where(missing, -1, np.arange(len(scaled))[:, None])
            last = np.maximum.accumulate(known, axis=0)
            past = np.take_along_axis(scaled, np.maximum(last, 0), axis=0)
            scaled[:] = np.where(last < 0, self.values, past)
        self.values = scaled[-1].copy()
        return missing if missing.any() else None

    def to_bytes(self) -> bytes:
        """Return the state as a versioned artefact."""
        micros = None if self.last is None else int(self.last.astype("datetime64[us]").astype(np.int64))
        meta: dict[str, Any] = {
            "ratio": self.alarm.smoothed,
            "open": self.alarm.open,
            "seen": self.memory.seen,
            "last": micros,
            "quiet": self.grace,
            "judged": self.evaluated,
            "watch": self.watch.to_meta(),
        }
        arrays: Arrays = {
            "rows": self.memory.rows,
            "means": self.memory.means,
            "values": self.values,
            "outside": self.outside,
            "heard": self.watch.last_seen.view(np.int64),
            "lag": self.alarm.lag,
            "fused": self.alarm.fused,
            "factors": self.factors,
            "levels since": self.levels.since.view(np.int64),
            "levels told": self.levels.told,
        }
        if self.level is not None:
            arrays["level"] = self.level
        arrays |= {f"moved {view}": averages for view, averages in self.level_averages.items()}
        if self.slow is not None:
            meta["slow"] = self.slow.to_meta()
            arrays |= self.slow.to_arrays()
        return pack(KIND, meta, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, sensors: int, slow: SlowDrift | None = None) -> Self:
        """Read a state, of a detector with so many sensors and this slow channel.

        States of format versions 1 and 2 have no slow channel: it starts afresh.

        Raises:
            BadArtefact: when the bytes are not a state of a readable version, are damaged, or belong to a
                detector with other sensors.

        """
        meta, arrays = unpack(data, KIND)
        with reading("state"):
            seen, grace, evaluated = (int(meta.get(name, 0)) for name in ("seen", "quiet", "judged"))
            if not 0 <= min(seen, grace, evaluated) <= max(seen, grace, evaluated) < _MOST_ROWS:
                raise BadArtefact(f"the state is malformed: it counts {seen}, {grace} and {evaluated} rows")
            _check_arrays(arrays, seen, sensors)
            return cls(
                memory=FeatureMemory(rows=arrays["rows"], means=arrays["means"], seen=seen),
                values=arrays["values"],
                outside=arrays.get("outside", np.zeros(sensors)).copy(),
                watch=Watch.from_meta(meta.get("watch"), arrays.get("heard"), sensors),
                levels=_levels(arrays, sensors),
                level=arrays.get("level"),
                alarm=_alarm(meta, arrays),
                factors=arrays.get("factors", np.ones(HISTORY_ROWS)),
                last=None if meta["last"] is None else np.datetime64(int(meta["last"]), "us"),
                grace=grace,
                level_averages={view: arrays[f"moved {view}"] for view in VIEWS if f"moved {view}" in arrays},
                evaluated=evaluated,
                slow=_slow(meta, arrays, slow),
            )


def _check_arrays(arrays: Arrays, seen: int, sensors: int) -> None:
    """Refuse arrays of other sensors, or none; those that format version 1 lacks may be missing."""
    values = arrays.get("values")
    if values is not None and values.shape != (sensors,):
        raise BadArtefact(f"the state's values are for {values.size} sensors, not {sensors}")
    alarm = Alarm.closed()
    expected = {
        "values": (sensors,),
        "rows": (CONTEXT if seen else 0, sensors),
        "means": (len(SPANS), sensors),
    }
    later = {
        "level": (sensors,),
        "outside": (sensors,),
        "lag": alarm.lag.shape,
        "fused": alarm.fused.shape,
        "factors": (HISTORY_ROWS,),
        **{f"moved {view}": (OUTPUTS[view] * sensors,) for view in VIEWS},
    }
    expected |= {name: shape for name, shape in later.items() if name in arrays}
    check_arrays(arrays, {name: ("f8", shape) for name, shape in expected.items()})
    check_finite(*(arrays[name] for name in expected))


def _levels(arrays: Arrays, sensors: int) -> LevelMemory:
    """Return which levels do not count; states of format versions 1 and 2 do not know it."""
    if "levels since" not in arrays:
        return LevelMemory.start(sensors)
    check_arrays(arrays, {"levels since": ("i8", (sensors,)), "levels told": ("b1", (sensors,))})
    since = arrays["levels since"].view("datetime64[us]").copy()
    return LevelMemory(since=since, told=arrays["levels told"].copy())


def _slow(meta: dict[str, Any], arrays: Arrays, slow: SlowDrift | None) -> SlowState | None:
    """Return where the slow channel stands."""
    if slow is None:
        return None
    if "slow" not in meta:
        return slow.start()
    return SlowState.read(meta["slow"], arrays, slow.grid.knots.shape, slow.axes.shape[1])


def _alarm(meta: dict[str, Any], arrays: Arrays) -> Alarm:
    """Return what the rules of alarms remember; a state of format version 1 has the smoothed ratio alone."""
    smoothed = float(meta["ratio"])
    opened = float(meta.get("open", smoothed > 1))
    if not (math.isfinite(smoothed) and 0 <= opened <= 1):
        raise BadArtefact(f"the state is malformed: its alarm stands at {smoothed}, open by {opened}")
    start = Alarm.closed()
    return Alarm(
        lag=arrays.get("lag", start.lag),
        fused=arrays.get("fused", np.full_like(start.fused, smoothed)),
        smoothed=smoothed,
        open=opened,
    )
