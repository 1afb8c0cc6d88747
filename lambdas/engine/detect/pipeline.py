"""From raw rows to features, row after row: scaling, imputation, slow baseline, restarts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.baseline import Baseline
from engine.detect.features import (
    GAP_STEPS,
    LONGEST_MEMORY,
    TRACKED,
    VIEWS,
    WARM_UP,
    Features,
    ViewName,
    compute_features,
)
from engine.detect.imputation import impute
from engine.detect.smoothing import ewma_end
from engine.detect.state import State
from engine.detect.view import View
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling
from engine.frame.segments import segments

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

GRACE_SECONDS = 7200
"""Shortest time, in seconds, that is not judged after the machine was off."""


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """Features of the consecutive rows `start:stop` of a frame.

    Attributes:
        start: first row.
        stop: row after the last one.
        features: feature blocks of the static views.
        missing: where values were missing, shape (rows, sensors); None if nowhere.
        grace: rows after the last start that are not judged.
        level: the baseline after each row, shape (rows, sensors); None without a baseline.
        speed: share of the usual speed at which levels may be taken over at each row, shape (rows,); None
            for full speed throughout, without a baseline.

    """

    start: int
    stop: int
    features: Features
    missing: Mask | None
    grace: int
    level: Floats | None = None
    speed: Floats | None = None

    def blocks(self, view: ViewName) -> tuple[Floats, ...]:
        """Return the feature blocks of a view, each of shape (rows, sensors)."""
        if view not in TRACKED or self.level is None:
            return self.features.blocks[view]
        blocks = self.features.blocks[TRACKED[view]]
        if TRACKED[view] == "window":  # a standard deviation has no level
            return blocks[0] - self.level, blocks[1]
        return tuple(block - self.level for block in blocks)

    def ready(self, *views: ViewName) -> Mask:
        """Mark the rows with enough rows before them for all views, and after the grace of a restart."""
        return self.features.seen > max(self.grace, *(WARM_UP[view] for view in views))


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
        wanted: Mask | None = None,
        predictor: View | None = None,
    ) -> Iterator[FeatureRows]:
        """Yield the features of the rows with the machine on, in chunks.

        Args:
            frame: raw rows.
            state: where scoring stands; moved on behind each chunk.
            views: static views to compute features for.
            wanted: rows that are needed, for samples of long data; None for all. Chunks without any are
                skipped, and the next one starts afresh, but the baseline follows them.
            predictor: the lag view, whose predictions replace missing values; None to repeat the last values.

        """
        grace = grace_rows(frame.step)
        for start, stop, fresh in segments(frame.times, frame.off, GAP_STEPS * frame.step, state.last):
            if fresh:
                after_off = frame.off[start - 1] if start else not state.memory.seen and state.grace > 0
                state.restart(grace if after_off else 0)
            skipped = wanted is not None and not wanted[start:stop].any()
            if skipped:
                state.forget_rows()
                if not self.baseline.span:
                    continue
            scaled = self.scaling.follow(frame.values[start:stop], state.outside)
            missing = state.fill(scaled)
            state.last = frame.times[stop - 1]
            if missing is not None and predictor is not None:
                impute(scaled, missing, predictor)
            level = speed = None
            if self.baseline.span:
                before = self._level(scaled, state, frame.times[start])
                if skipped:
                    state.level = ewma_end(scaled, before, self.baseline.span)
                    continue
                level, speed = self.baseline.follow(scaled, before)
                state.level = level[-1]
            features = compute_features(scaled, state.memory, views)
            yield FeatureRows(start, stop, features, missing, state.grace, level, speed)
        if len(frame.off) and frame.off[-1]:
            state.restart(grace)

    def _level(self, scaled: Floats, state: State, now: np.datetime64) -> Floats:
        """Return the baseline before the rows."""
        if state.level is not None:
            return state.level
        first: Floats = scaled[0].copy()
        return self.baseline.level if now > self.baseline.end else first


def grace_rows(step: np.timedelta64) -> int:
    """Return how many rows are not judged after the machine was off: two hours, or what views remember."""
    return max(LONGEST_MEMORY, int(GRACE_SECONDS / max(1.0, float(step / np.timedelta64(1, "s")))))
