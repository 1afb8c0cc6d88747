"""What one pass over the training rows keeps of each view: enough for every fit and test that follows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.cross_prediction import Float32, Moments, product, residual_map, stack
from engine.detect.features import BLOCKS, VIEWS, ViewName
from engine.detect.pipeline import Pipeline
from engine.detect.state import State
from engine.detect.view import OUTPUTS
from engine.frame.frame import Frame
from engine.train.sampling import FOLDS, STRIP_ROWS, sample_strips, time_folds

Mask = NDArray[np.bool_]

SAMPLE_CELLS = 12_000_000
"""Feature values to keep per view, over the sampled rows of all folds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationData:
    """Moments and sampled rows of one view, per fold.

    Moments are mergeable, so a fit without some fold needs no second pass. The sampled rows of views that
    were collected together are the same.

    Attributes:
        name: the view.
        sensors: number of sensors.
        moments: moments of the learned feature rows, one per fold.
        samples: feature rows to predict, one array of shape (rows, features) per fold.
        training_rows: rows that may be learned, of which the samples are some.

    """

    name: ViewName
    sensors: int
    moments: tuple[Moments, ...]
    samples: tuple[Float32, ...]
    training_rows: int

    @classmethod
    def collect(
        cls, frame: Frame, pipeline: Pipeline, normal: Mask, views: Sequence[ViewName], max_rows: int
    ) -> list[Self]:
        """Collect the data of every view in one pass over the frame.

        Args:
            frame: the training rows.
            pipeline: from raw rows to features.
            normal: mask of the rows that may be learned, shape (rows,).
            views: views to collect, in the order of the result.
            max_rows: normal rows to learn from, about, at most; see `sample_strips`.

        """
        sensors = len(frame.sensors)
        use = normal & sample_strips(normal, max_rows)
        fold_of = time_folds(normal)
        sizes = {name: BLOCKS[name] * sensors for name in views}
        sampled = use & sample_strips(
            normal, min(max_rows, max(STRIP_ROWS, SAMPLE_CELLS // max(sizes.values())))
        )
        moments = {name: tuple(Moments.none(size) for _ in range(FOLDS)) for name, size in sizes.items()}
        room = np.bincount(fold_of[sampled], minlength=FOLDS)
        samples = {
            name: [np.empty((most, size), np.float32) for most in room] for name, size in sizes.items()
        }
        filled = {name: [0] * FOLDS for name in views}
        for rows in pipeline.run(frame, State.start(sensors), VIEWS, use):
            at = slice(rows.start, rows.stop)
            kept_rows = sampled[at] & rows.ready(*views)
            for name in views:
                chosen = use[at] & rows.ready(name)
                if not chosen.any():
                    continue
                stacked = stack(rows.blocks(name))
                for fold in np.unique(fold_of[at][chosen]):
                    part = chosen & (fold_of[at] == fold)
                    moments[name][fold].add(taken(stacked, part))
                    kept = taken(stacked, part & kept_rows)
                    start = filled[name][fold]
                    filled[name][fold] += len(kept)
                    samples[name][fold][start : filled[name][fold]] = kept
        return [
            cls(
                name=name,
                sensors=sensors,
                moments=moments[name],
                samples=tuple(rows[:count] for rows, count in zip(samples[name], filled[name], strict=True)),
                training_rows=int(normal.sum()),
            )
            for name in views
        ]

    @property
    def sampled_share(self) -> float:
        """The share of the training rows that are sampled."""
        return sum(len(fold) for fold in self.samples) / self.training_rows

    def total_moments(self, folds: slice = slice(None)) -> Moments:
        """Return the moments of some folds together, of all by default."""
        return Moments.total(self.moments[folds])

    def residual_function(self, moments: Moments) -> Callable[[Float32], Float32]:
        """Return the function from feature rows to signed residuals, predicted with these moments.

        Returns:
            A function from shape (rows, features) to (rows, outputs), residuals in scaled values.

        """
        exact = residual_map(moments.covariance(), self.sensors, OUTPUTS[self.name])
        offset, weights = (moments.mean() @ exact).astype(np.float32), exact.astype(np.float32)

        def residuals(rows: Float32) -> Float32:
            result = product(rows, weights)
            result -= offset
            return result

        return residuals

    def residuals(
        self, parts: Sequence[Float32], functions: Iterable[Callable[[Float32], Float32]]
    ) -> Float32:
        """Return the residuals of all parts of rows, each by its function, shape (rows, outputs)."""
        result, at = np.empty((sum(map(len, parts)), self._outputs), np.float32), 0
        for rows, function in zip(parts, functions, strict=False):
            result[at : at + len(rows)] = function(rows)
            at += len(rows)
        return result

    def held_out(self, folds: slice) -> Float32:
        """Return the residuals of the sampled rows of some folds, each predicted from the other ones.

        Returns:
            Shape (rows, outputs); a single row of ones if there is nothing to predict or to predict from.

        """
        chosen, total = self._predicted(folds), self.total_moments(folds)
        if not chosen:
            return np.ones((1, self._outputs), np.float32)
        others = (total.without(self.moments[fold]) for fold in chosen)
        return self.residuals([self.samples[fold] for fold in chosen], map(self.residual_function, others))

    def held_out_values(self, folds: slice) -> Float32:
        """Return the first block of features of the rows of `held_out`, shape (rows, sensors)."""
        values = [self.samples[fold][:, : self.sensors] for fold in self._predicted(folds)]
        return np.concatenate(values) if values else np.ones((1, self.sensors), np.float32)

    def _predicted(self, folds: slice) -> list[int]:
        """Return the folds with sampled rows that the other ones of them can predict."""
        numbers = range(FOLDS)[folds]
        total = sum(self.moments[fold].count for fold in numbers)
        return [fold for fold in numbers if len(self.samples[fold]) and total > self.moments[fold].count + 1]

    def forward_residuals(self) -> Float32:
        """Return the residuals of the second half of the folds, predicted from the first half.

        Returns:
            Shape (rows, outputs), without rows if there is nothing to predict from.

        """
        half = FOLDS // 2
        first = self.total_moments(slice(half))
        if first.count <= 1:
            return np.zeros((0, self._outputs), np.float32)
        return self.residuals(self.samples[half:], repeat(self.residual_function(first)))

    @property
    def _outputs(self) -> int:
        return OUTPUTS[self.name] * self.sensors


def taken(rows: Float32, mask: Mask) -> Float32:
    """Return the marked rows; without a copy if they follow each other."""
    places = np.flatnonzero(mask)
    if len(places) and places[-1] - places[0] == len(places) - 1:
        return rows[places[0] : places[-1] + 1]
    return rows[places]
