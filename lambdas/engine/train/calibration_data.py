"""What one pass over the training rows keeps of each view: enough for every fit and test that follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
        moments = {name: tuple(Moments(size) for _ in range(FOLDS)) for name, size in sizes.items()}
        samples: dict[ViewName, list[list[Float32]]] = {
            name: [[np.empty((0, size), np.float32)] for _ in range(FOLDS)] for name, size in sizes.items()
        }
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
                    moments[name][fold].add(stacked if part.all() else stacked[part])
                    kept = part & kept_rows
                    if kept.any():
                        samples[name][fold].append(stacked[kept])
        return [
            cls(
                name=name,
                sensors=sensors,
                moments=moments[name],
                samples=tuple(np.concatenate(each) for each in samples[name]),
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
        total = Moments(len(self.moments[0].sums))
        for each in self.moments[folds]:
            total = total.plus(each)
        return total

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

    def held_out(self, folds: slice) -> tuple[Float32, Float32]:
        """Return the sampled rows of some folds and their residuals, each fold predicted from the other ones.

        Returns:
            The values of the first block of features, shape (rows, sensors), and the residuals, shape (rows,
            outputs); a single row of ones each if there is nothing to predict or to predict from.

        """
        total = self.total_moments(folds)
        chosen = [
            fold
            for fold in range(FOLDS)[folds]
            if len(self.samples[fold]) and total.count > self.moments[fold].count + 1
        ]
        if not chosen:
            return np.ones((1, self.sensors), np.float32), np.ones((1, self._outputs), np.float32)
        residuals = [
            self.residual_function(total.without(self.moments[fold]))(self.samples[fold]) for fold in chosen
        ]
        values = [self.samples[fold][:, : self.sensors] for fold in chosen]
        return np.concatenate(values), np.concatenate(residuals)

    def forward_residuals(self) -> Float32:
        """Return the residuals of the second half of the folds, predicted from the first half.

        Returns:
            Shape (rows, outputs), without rows if there is nothing to predict from.

        """
        half = FOLDS // 2
        first = self.total_moments(slice(half))
        later = np.concatenate(self.samples[half:])
        if first.count <= 1:
            return np.zeros((0, self._outputs), np.float32)
        return self.residual_function(first)(later)

    @property
    def _outputs(self) -> int:
        return OUTPUTS[self.name] * self.sensors
