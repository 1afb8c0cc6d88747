"""From raw rows to features, row after row: scaling, filling, slow baseline, restarts; and their state."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.alarm import Alarm
from engine.detect.artefact import Arrays, BadArtefact, check_arrays, check_finite, pack, reading, unpack
from engine.detect.baseline import follow
from engine.detect.features import (
    CONTEXT,
    SPANS,
    TRACKED,
    VIEWS,
    WARM_UP,
    Features,
    Memory,
    ViewName,
    ewma_end,
    features,
)
from engine.detect.imputation import stand_in
from engine.detect.notices import Watch
from engine.detect.view import OUTPUTS, View
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling
from engine.frame.segments import segments

Floats = NDArray[np.float64]
STATE_KIND = "scoring-state"

GRACE_ROWS = 32
_MOST_ROWS = 2**53
GRACE_SECONDS = 7200
REACH = 3
"""Spans of the baseline before a sampled row that it is followed through: more than 99 % of its weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The slow level of scaled sensors, an exponential mean, that the tracked views look over.

    ``span`` is its span in rows, 0 for none. ``level`` is where it stood at ``end``, the end of training:
    scoring that starts later without a state starts from there. ``reach`` is half of the range of each sensor
    in training, infinite where nothing holds the baseline up: the plant did not hold its levels in training.
    """

    span: int
    level: Floats
    end: np.datetime64
    reach: Floats

    @property
    def steady(self) -> bool:
        """Tell whether the plant held its levels in training."""
        return bool(np.isfinite(self.reach).any())

    @classmethod
    def of(cls, span: int, sensors: int) -> Self:
        """Return the baseline of this span, its level and reach not known yet."""
        nowhere = np.datetime64("NaT", "us")
        return cls(span=span, level=np.zeros(sensors), end=nowhere, reach=np.full(sensors, np.inf))


@dataclass(frozen=True, slots=True)
class Rows:
    """Features of consecutive rows ``start:stop`` of a frame.

    ``missing`` marks values that were missing, None when there is none; ``level`` is the baseline behind each
    row; ``free`` how fast levels may move at each row, as far as sensors are within reach, None for full
    speed; ``ready`` says per view which rows it may judge.
    """

    start: int
    stop: int
    features: Features
    missing: NDArray[np.bool_] | None
    quiet: int
    level: Floats | None = None
    free: Floats | None = None

    def blocks(self, view: ViewName) -> tuple[Floats, ...]:
        """Return the feature blocks of a view."""
        if view not in TRACKED or self.level is None:
            return self.features.blocks[view]
        blocks = self.features.blocks[TRACKED[view]]
        if TRACKED[view] == "window":  # a standard deviation has no level
            return blocks[0] - self.level, blocks[1]
        return tuple(block - self.level for block in blocks)

    def ready(self, view: ViewName) -> NDArray[np.bool_]:
        """Return the rows whose past suffices for the view and that lie behind the grace after a restart."""
        return self.features.seen > max(WARM_UP[view], self.quiet)


@dataclass(slots=True, kw_only=True)
class State:
    """What scoring carries from row to row and from window to window.

    ``values`` are the last known scaled values, ``level`` the baseline (None before the first row), ``alarm``
    what the rules of alarms remember, ``last`` the time of the last row with the machine on, ``quiet`` the
    rows to be silent after the last start. ``watch`` is what noticing carries. ``moved`` are the averages of
    ``engine.detect.level_shift`` per view, empty before the first row, after ``judged`` rows.
    """

    memory: Memory
    values: Floats
    watch: Watch
    level: Floats | None = None
    alarm: Alarm = field(default_factory=Alarm.closed)
    last: np.datetime64 | None = None
    quiet: int = 0
    moved: dict[ViewName, Floats] = field(default_factory=dict)
    judged: int = 0

    @classmethod
    def start(cls, sensors: int) -> Self:
        """Return the state before the first row."""
        return cls(memory=Memory.empty(sensors), values=np.zeros(sensors), watch=Watch.start(sensors))

    def restart(self, quiet: int) -> None:
        """Forget the past except levels and the last values; stay silent for ``quiet`` rows."""
        self.memory = Memory.empty(len(self.values))
        self.alarm, self.quiet = Alarm.closed(), quiet

    def fill(self, scaled: Floats) -> NDArray[np.bool_] | None:
        """Replace missing values by the last known ones, in place, and return where that was done."""
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
            "ratio": self.alarm.level,
            "open": self.alarm.open,
            "seen": self.memory.seen,
            "last": micros,
            "quiet": self.quiet,
            "judged": self.judged,
        }
        meta["watch"] = self.watch.to_meta()
        arrays: Arrays = {
            "rows": self.memory.rows,
            "means": self.memory.means,
            "values": self.values,
            "heard": self.watch.heard.view(np.int64),
            "lag": self.alarm.lag,
            "fused": self.alarm.fused,
        }
        if self.level is not None:
            arrays["level"] = self.level
        moved = {f"moved {view}": means for view, means in self.moved.items()}
        return pack(STATE_KIND, meta, arrays | moved)

    @classmethod
    def from_bytes(cls, data: bytes, sensors: int) -> Self:
        """Read a state.

        Raises:
            BadArtefact: no state of a readable version, damaged, or of a detector with other sensors.

        """
        meta, arrays = unpack(data, STATE_KIND)
        with reading("state"):
            seen, quiet, judged = (int(meta.get(name, 0)) for name in ("seen", "quiet", "judged"))
            if not 0 <= min(seen, quiet, judged) <= max(seen, quiet, judged) < _MOST_ROWS:
                raise BadArtefact(f"the state is malformed: it counts {seen}, {quiet} and {judged} rows")
            _check_arrays(arrays, seen, sensors)
            return cls(
                memory=Memory(rows=arrays["rows"], means=arrays["means"], seen=seen),
                values=arrays["values"],
                watch=Watch.from_meta(meta.get("watch"), arrays.get("heard"), sensors),
                level=arrays.get("level"),
                alarm=_alarm(meta, arrays),
                last=None if meta["last"] is None else np.datetime64(int(meta["last"]), "us"),
                quiet=quiet,
                moved={view: arrays[f"moved {view}"] for view in VIEWS if f"moved {view}" in arrays},
                judged=judged,
            )


def _check_arrays(arrays: Arrays, seen: int, sensors: int) -> None:
    """Refuse arrays of other sensors or none; those that format version 1 lacks may be missing."""
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
        "lag": alarm.lag.shape,
        "fused": alarm.fused.shape,
        **{f"moved {view}": (OUTPUTS[view] * sensors,) for view in VIEWS},
    }
    expected |= {name: shape for name, shape in later.items() if name in arrays}
    check_arrays(arrays, {name: ("f8", shape) for name, shape in expected.items()})
    check_finite(*(arrays[name] for name in expected))


def _alarm(meta: dict[str, Any], arrays: Arrays) -> Alarm:
    """Return the alarm's memory; a state of format version 1 knows its smoothed ratio only."""
    level = float(meta["ratio"])
    opened = float(meta.get("open", level > 1))
    if not (math.isfinite(level) and 0 <= opened <= 1):
        raise BadArtefact(f"the state is malformed: its alarm stands at {level}, open by {opened}")
    start = Alarm.closed()
    return Alarm(
        lag=arrays.get("lag", start.lag),
        fused=arrays.get("fused", np.full_like(start.fused, level)),
        level=level,
        open=opened,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The fixed part of the way from raw rows to features."""

    scaling: Scaling
    baseline: Baseline

    def run(
        self,
        frame: Frame,
        state: State,
        views: tuple[ViewName, ...] = VIEWS,
        wanted: NDArray[np.bool_] | None = None,
        predictor: View | None = None,
    ) -> Iterator[Rows]:
        """Yield the features of the rows with the machine on, moving ``state`` along.

        Chunks without any ``wanted`` row are passed over, and what follows starts afresh: for samples of long
        data. The baseline moves on in those shortly before a wanted row. What ``predictor``, a lag view,
        predicts stands in for missing values; else the last ones.
        """
        grace = grace_rows(frame.step)
        for start, stop, fresh in segments(frame.times, frame.off, frame.step, state.last):
            if fresh:
                after_off = frame.off[start - 1] if start else not state.memory.seen and state.quiet > 0
                state.restart(grace if after_off else 0)
            passed = wanted is not None and not wanted[start:stop].any()
            if passed:
                state.memory = Memory.empty(len(state.values))
                if not wanted[start : stop + REACH * self.baseline.span].any():  # type: ignore[index]
                    continue
            scaled = self.scaling.apply(frame.values[start:stop])
            missing = state.fill(scaled)
            state.last = frame.times[stop - 1]
            if missing is not None and predictor is not None:
                stand_in(scaled, missing, predictor)
            level = free = None
            if self.baseline.span:
                before = self._level(scaled, state, frame.times[start])
                if passed:
                    state.level = ewma_end(scaled, before, self.baseline.span)
                    continue
                level, free = follow(scaled, before, self.baseline.span, self.baseline.reach)
                state.level = level[-1]
            yield Rows(start, stop, features(scaled, state.memory, views), missing, state.quiet, level, free)
        if len(frame.off) and frame.off[-1]:
            state.restart(grace)

    def _level(self, scaled: Floats, state: State, now: np.datetime64) -> Floats:
        """Return the baseline before the rows."""
        if state.level is not None:
            return state.level
        first: Floats = scaled[0].copy()
        return self.baseline.level if now > self.baseline.end else first


def grace_rows(step: np.timedelta64) -> int:
    """Return the rows of silence after the machine restarts: two hours, at least 32 rows."""
    return max(GRACE_ROWS, int(GRACE_SECONDS / max(1.0, float(step / np.timedelta64(1, "s")))))
