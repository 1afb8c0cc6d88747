"""From raw rows to features, row after row: scaling, filling, slow baseline, restarts; and their state."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.artefact import BadArtefact, pack, unpack
from engine.frame import Frame
from engine.notices import Watch
from engine.scaling import Scaling
from engine.segments import segments
from engine.standin import stand_in
from engine.transform import (
    CONTEXT,
    SPANS,
    VIEWS,
    WARM_UP,
    Features,
    Memory,
    ViewName,
    ewma,
    ewma_end,
    features,
)
from engine.view import View

Floats = NDArray[np.float64]
STATE_KIND = "scoring-state"

GRACE_ROWS = 32
GRACE_SECONDS = 7200


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The slow level that is subtracted from scaled sensors whose healthy operation drifts.

    ``span`` is its span in rows, 0 for none; ``drifting`` marks the sensors it is for. ``level`` is where it
    stood at ``end``, the end of training: scoring that starts later without a state starts from there.
    """

    span: int
    drifting: NDArray[np.bool_]
    level: Floats
    end: np.datetime64

    @classmethod
    def none(cls, sensors: int) -> Self:
        """Return the baseline of operation that does not drift."""
        return cls(
            span=0, drifting=np.zeros(sensors, bool), level=np.zeros(sensors), end=np.datetime64("NaT", "us")
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """Features of consecutive rows ``start:stop`` of a frame.

    ``missing`` marks values that were missing, None when there is none; ``ready`` says per view which rows it
    may judge.
    """

    start: int
    stop: int
    features: Features
    missing: NDArray[np.bool_] | None
    quiet: int

    def ready(self, view: ViewName) -> NDArray[np.bool_]:
        """Return the rows whose past suffices for the view and that lie behind the grace after a restart."""
        return self.features.seen > max(WARM_UP[view], self.quiet)


@dataclass(slots=True, kw_only=True)
class State:
    """What scoring carries from row to row and from window to window.

    ``values`` are the last known scaled values, ``level`` the baseline (None before the first row), ``ratio``
    the smoothed score, ``last`` the time of the last row with the machine on, ``quiet`` the rows to be silent
    after the last start. ``watch`` is what noticing carries.
    """

    memory: Memory
    values: Floats
    watch: Watch
    level: Floats | None = None
    ratio: float = 0.0
    last: np.datetime64 | None = None
    quiet: int = 0

    @classmethod
    def start(cls, sensors: int) -> Self:
        """Return the state before the first row."""
        return cls(memory=Memory.empty(sensors), values=np.zeros(sensors), watch=Watch.start(sensors))

    def restart(self, quiet: int) -> None:
        """Forget the past except the baseline and the last values; stay silent for ``quiet`` rows."""
        self.memory = Memory.empty(len(self.values))
        self.ratio, self.quiet = 0.0, quiet

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
            "ratio": self.ratio,
            "seen": self.memory.seen,
            "last": micros,
            "quiet": self.quiet,
        }
        meta["watch"] = self.watch.to_meta()
        arrays = {"rows": self.memory.rows, "means": self.memory.means, "values": self.values}
        arrays["heard"] = self.watch.heard.view(np.int64)
        if self.level is not None:
            arrays["level"] = self.level
        return pack(STATE_KIND, meta, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, sensors: int) -> Self:
        """Read a state.

        Raises:
            BadArtefact: no state of a readable version, damaged, or of a detector with other sensors.

        """
        meta, arrays = unpack(data, STATE_KIND)
        try:
            seen = int(meta["seen"])
            rows = (CONTEXT if seen else 0, sensors)
            shapes = {"values": (sensors,), "rows": rows, "means": (len(SPANS), sensors)}
            for name, shape in shapes.items():
                if arrays[name].shape != shape:
                    raise BadArtefact(
                        f"the state's {name} are for {arrays[name].shape[-1]} sensors, not {sensors}"
                    )
            return cls(
                memory=Memory(rows=arrays["rows"], means=arrays["means"], seen=seen),
                values=arrays["values"],
                watch=Watch.from_meta(meta.get("watch"), arrays.get("heard"), sensors),
                level=arrays.get("level"),
                ratio=float(meta["ratio"]),
                last=None if meta["last"] is None else np.datetime64(int(meta["last"]), "us"),
                quiet=int(meta["quiet"]),
            )
        except (KeyError, TypeError) as error:
            raise BadArtefact(f"the state is malformed: {error}") from error


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
        data. What ``predictor``, a lag view, predicts stands in for missing values; else the last ones.
        """
        grace = grace_rows(frame.step)
        for start, stop, fresh in segments(frame.times, frame.off, frame.step, state.last):
            if fresh:
                after_off = frame.off[start - 1] if start else not state.memory.seen and state.quiet > 0
                state.restart(grace if after_off else 0)
            passed = wanted is not None and not wanted[start:stop].any()
            if passed:
                state.memory = Memory.empty(len(state.values))
                if not self.baseline.span:
                    continue
            scaled = self.scaling.apply(frame.values[start:stop])
            missing = state.fill(scaled)
            state.last = frame.times[stop - 1]
            if self.baseline.span:
                level = self._level(scaled, state, frame.times[start])
                if passed:  # nobody wants to see the rows, only the baseline has to move on
                    moved = ewma_end(scaled, level, self.baseline.span)
                    state.level = np.where(self.baseline.drifting, moved, level)
                    continue
                state.level = self._drift_free(scaled, level)
            if missing is not None and predictor is not None:
                stand_in(scaled, missing, predictor)
            yield Rows(start, stop, features(scaled, state.memory, views), missing, state.quiet)
        if len(frame.off) and frame.off[-1]:
            state.restart(grace)

    def with_baseline(self, span: int, drifting: NDArray[np.bool_]) -> "Pipeline":
        """Return the pipeline with a baseline of this span for these sensors, its level not known yet."""
        return replace(self, baseline=replace(Baseline.none(len(drifting)), span=span, drifting=drifting))

    def narrow(self, columns: NDArray[np.intp]) -> "Pipeline":
        """Return the pipeline of these sensors alone, without a baseline."""
        return Pipeline(scaling=self.scaling.narrow(columns), baseline=Baseline.none(len(columns)))

    def _level(self, scaled: Floats, state: State, now: np.datetime64) -> Floats:
        """Return the baseline before the rows."""
        if state.level is not None:
            return state.level
        first: Floats = scaled[0].copy()
        return self.baseline.level if now > self.baseline.end else first

    def _drift_free(self, scaled: Floats, before: Floats) -> Floats:
        """Subtract the baseline from the rows, in place, and return it behind them."""
        drifting = self.baseline.drifting
        columns = slice(None) if drifting.all() else drifting
        level = ewma(scaled[:, columns], before[columns], self.baseline.span)
        scaled[:, columns] -= level
        after = before.copy()
        after[columns] = level[-1]
        return after


def grace_rows(step: np.timedelta64) -> int:
    """Return the rows of silence after the machine restarts: two hours, at least 32 rows."""
    return max(GRACE_ROWS, int(GRACE_SECONDS / max(1.0, float(step / np.timedelta64(1, "s")))))
