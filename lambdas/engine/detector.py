"""The detector: several closed-form views of the same rows, calibrated on held-out blocks and fused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.artefact import BadArtefact, pack, unpack
from engine.frame import Frame, SensorId
from engine.intervals import Interval, inside
from engine.linear import Moments, residual_map
from engine.scaling import Scaling
from engine.scores import Scores
from engine.segments import segments
from engine.transform import BLOCKS, VIEWS, WARM_UP, Features, Memory, ViewName, features

Floats = NDArray[np.float64]

KIND, STATE_KIND = "detector", "scoring-state"
FOLDS = 5
CAP, ATTRIBUTION_CAP = 6.0, 30.0
QUANTILE, MARGIN = 0.995, 1.3
RESIDUAL_QUANTILE = 0.99
TOP_SHARE = 0.15
SMOOTHING_SPAN = 3
LABEL_MARGIN_ROWS = 30
MIN_ROWS = 50
_SAMPLE_CELLS = 20_000_000
OUTPUTS: dict[ViewName, int] = {"lag": 1, "window": 2, "scale": 3}
"""Feature blocks that are predicted; the others only predict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One linear view: residuals ``(features - mean) @ weights``, their scale, and its score limit."""

    name: ViewName
    mean: Floats
    weights: Floats
    scale: Floats
    usual: Floats
    limit: float

    def residuals(self, blocks: Sequence[Floats], mask: NDArray[np.bool_] | None) -> Floats:
        """Return |residual| in units of its held-out 99 % quantile; zero where the sensor has no value."""
        units: Floats = np.abs((np.concatenate(blocks, axis=1) - self.mean) @ self.weights) / self.scale
        if mask is not None:
            units[np.tile(mask, (1, OUTPUTS[self.name]))] = 0.0
        return units


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A fitted detector. Scores above 0.5 are anomalous; bytes are equal for equal training data."""

    sensors: tuple[SensorId, ...]
    step: np.timedelta64
    scaling: Scaling
    views: tuple[View, ...]

    def score(self, frame: Frame, *, state: bytes | None = None) -> Scores:
        """Score the rows of a frame, continuing from the state of the window before, if given.

        Raises:
            ValueError: the frame has other sensors than the detector.
            BadArtefact: the state is damaged or belongs to another detector.

        """
        if frame.sensors != self.sensors:
            raise ValueError(
                f"the frame has the sensors {frame.sensors}; the detector was trained on {self.sensors}"
            )
        memory = _Continuation.read(state, len(self.sensors))
        rows, count = len(frame.times), len(self.sensors)
        ratio, excess = np.zeros(rows), np.zeros((rows, count))
        for start, stop, fresh in segments(frame.times, frame.off, frame.step, memory.last):
            if fresh:
                memory.restart()
            scaled = self.scaling.apply(frame.values[start:stop])
            mask = memory.fill(scaled)
            ratio[start:stop], excess[start:stop] = self._rows(
                features(scaled, memory.features), mask, memory
            )
            memory.last = frame.times[stop - 1]
        if rows and frame.off[-1]:
            memory.restart()
        score = np.round(ratio / (1 + ratio), 5)
        total = excess.sum(axis=1, keepdims=True)
        shares = np.where(total > 0, excess / np.where(total > 0, total, 1), 1 / count)
        return Scores(
            times=frame.times,
            off=frame.off,
            score=score,
            prediction=((score > 0.5) & ~frame.off).astype(np.int8),
            contributions=shares.astype(np.float32),
            state=memory.to_bytes(),
        )

    def _rows(
        self, feats: Features, mask: NDArray[np.bool_] | None, memory: "_Continuation"
    ) -> tuple[Floats, Floats]:
        count = len(self.sensors)
        ratio, excess = np.zeros(len(feats.seen)), np.zeros((len(feats.seen), count))
        for view in self.views:
            units = view.residuals(feats.blocks[view.name], mask)
            ready = feats.seen > WARM_UP[view.name]
            ratio = np.maximum(ratio, np.where(ready, row_scores(units) / view.limit, 0))
            over = np.maximum(np.minimum(units, ATTRIBUTION_CAP) ** 2 - view.usual, 0)
            folded = over.reshape(len(over), -1, count).sum(axis=1) / OUTPUTS[view.name]
            excess += np.where(ready[:, None], folded, 0)
        return memory.smooth(ratio), excess

    def to_bytes(self) -> bytes:
        """Return the detector as a versioned artefact."""
        meta = {
            "sensors": list(self.sensors),
            "step": int(self.step / np.timedelta64(1, "s")),
            "limits": {view.name: view.limit for view in self.views},
        }
        arrays: dict[str, NDArray[Any]] = {
            "center": self.scaling.center,
            "scale": self.scaling.scale,
            "constant": self.scaling.constant,
        }
        for view in self.views:
            for name in ("mean", "weights", "scale", "usual"):
                arrays[f"{view.name}.{name}"] = getattr(view, name)
        return pack(KIND, meta, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a detector.

        Raises:
            BadArtefact: not a detector of a readable version, or damaged.

        """
        meta, arrays = unpack(data, KIND)
        try:
            return cls(
                sensors=tuple(str(name) for name in meta["sensors"]),
                step=np.timedelta64(int(meta["step"]), "s"),
                scaling=Scaling(center=arrays["center"], scale=arrays["scale"], constant=arrays["constant"]),
                views=tuple(
                    View(
                        name=name,
                        limit=float(meta["limits"][name]),
                        **{part: arrays[f"{name}.{part}"] for part in ("mean", "weights", "scale", "usual")},
                    )
                    for name in VIEWS
                    if name in meta["limits"]
                ),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadArtefact(f"the artefact is malformed: {error}") from error


def row_scores(units: Floats) -> Floats:
    """Return one score per row: mean of the capped squares plus the mean of their largest 15 %."""
    squares = np.minimum(units, CAP) ** 2
    width = squares.shape[1]
    top = max(1, round(TOP_SHARE * width))
    largest = np.partition(squares, width - top, axis=1)[:, width - top :]
    result: Floats = squares.mean(axis=1) + largest.mean(axis=1)
    return result


def fit(frame: Frame, *, labels: Sequence[Interval] = ()) -> Detector:
    """Fit a detector to the rows with the machine on and outside the labels (plus 30 rows on both sides).

    Raises:
        ValueError: fewer than 50 such rows.

    """
    margin = LABEL_MARGIN_ROWS * frame.step
    normal = ~frame.off & ~inside(frame.times, [(start - margin, end + margin) for start, end in labels])
    if normal.sum() < MIN_ROWS:
        raise ValueError(
            f"{int(normal.sum())} normal rows with the machine on; training needs at least {MIN_ROWS}"
        )
    scaling = Scaling.of(frame.values, normal)
    views = tuple(_fit_view(frame, scaling, normal, name) for name in VIEWS)
    return Detector(sensors=frame.sensors, step=frame.step, scaling=scaling, views=views)


def _fit_view(frame: Frame, scaling: Scaling, normal: NDArray[np.bool_], name: ViewName) -> View:
    count, outputs = len(frame.sensors), OUTPUTS[name]
    size = BLOCKS[name] * count
    picks = np.cumsum(normal) - 1
    fold_of = np.minimum(picks * FOLDS // (picks[-1] + 1), FOLDS - 1)
    every = max(1, int(normal.sum()) * size // _SAMPLE_CELLS)
    folds = [Moments(size) for _ in range(FOLDS)]
    held: list[list[Floats]] = [[] for _ in range(FOLDS)]
    for rows, stacked in _training_rows(frame, scaling, normal, name):
        for fold in np.unique(fold_of[rows]):
            part = fold_of[rows] == fold
            folds[fold].add(stacked[part])
            held[fold].append(stacked[part][rows[part] % every == 0])
    total = Moments(size)
    for moments in folds:
        total = total.plus(moments)
    residuals = []
    for moments, rows_held in zip(folds, held, strict=True):
        rest = total.plus(moments, -1.0) if total.count > moments.count else total
        if rows_held:
            weights = residual_map(rest.covariance(), count, outputs)
            residuals.append(np.abs((np.concatenate(rows_held) - rest.mean()) @ weights))
    absolute = np.concatenate(residuals) if residuals else np.ones((1, outputs * count))
    scale = np.maximum(np.quantile(absolute, RESIDUAL_QUANTILE, axis=0), 1e-6)
    units = absolute / scale
    return View(
        name=name,
        mean=total.mean(),
        weights=residual_map(total.covariance(), count, outputs),
        scale=scale,
        usual=(np.minimum(units, ATTRIBUTION_CAP) ** 2).mean(axis=0),
        limit=max(MARGIN * float(np.quantile(row_scores(units), QUANTILE)), 1e-9),
    )


def _training_rows(
    frame: Frame, scaling: Scaling, normal: NDArray[np.bool_], name: ViewName
) -> Iterator[tuple[NDArray[np.intp], Floats]]:
    memory = _Continuation.start(len(frame.sensors))
    for start, stop, fresh in segments(frame.times, frame.off, frame.step, None):
        if fresh:
            memory.restart()
        scaled = scaling.apply(frame.values[start:stop])
        memory.fill(scaled)
        feats = features(scaled, memory.features, (name,))
        use = normal[start:stop] & (feats.seen > WARM_UP[name])
        if use.any():
            yield np.flatnonzero(use) + start, np.concatenate(feats.blocks[name], axis=1)[use]


@dataclass(slots=True)
class _Continuation:
    """What scoring carries from row to row and window to window."""

    features: Memory
    values: Floats
    ratio: float = 0.0
    last: np.datetime64 | None = None

    @classmethod
    def start(cls, sensors: int) -> Self:
        return cls(features=Memory.empty(sensors), values=np.zeros(sensors))

    def restart(self) -> None:
        self.features = Memory.empty(len(self.values))
        self.ratio = 0.0

    def fill(self, scaled: Floats) -> NDArray[np.bool_] | None:
        """Replace missing values by the last known ones, in place, and return where that was done."""
        missing = ~np.isfinite(scaled)
        if missing.any():
            known = np.where(missing, -1, np.arange(len(scaled))[:, None])
            last = np.maximum.accumulate(known, axis=0)
            filled = np.where(last < 0, self.values, np.take_along_axis(scaled, np.maximum(last, 0), axis=0))
            scaled[:] = filled
        self.values = scaled[-1].copy()
        return missing if missing.any() else None

    def smooth(self, ratio: Floats) -> Floats:
        """Return the running mean (span 3) of the score ratio."""
        gain = 2 / (SMOOTHING_SPAN + 1)
        result = np.empty_like(ratio)
        level = self.ratio
        for at, value in enumerate(ratio.tolist()):
            level += gain * (value - level)
            result[at] = level
        self.ratio = level
        return result

    def to_bytes(self) -> bytes:
        micros = None if self.last is None else int(self.last.astype("datetime64[us]").astype(np.int64))
        arrays = {"rows": self.features.rows, "means": self.features.means, "values": self.values}
        return pack(STATE_KIND, {"ratio": self.ratio, "seen": self.features.seen, "last": micros}, arrays)

    @classmethod
    def read(cls, data: bytes | None, sensors: int) -> Self:
        if data is None:
            return cls.start(sensors)
        meta, arrays = unpack(data, STATE_KIND)
        try:
            if arrays["values"].shape != (sensors,):
                raise BadArtefact(f"the state has {arrays['values'].size} sensors, the detector {sensors}")
            last = None if meta["last"] is None else np.datetime64(int(meta["last"]), "us")
            memory = Memory(rows=arrays["rows"], means=arrays["means"], seen=int(meta["seen"]))
            return cls(features=memory, values=arrays["values"], ratio=float(meta["ratio"]), last=last)
        except (KeyError, TypeError) as error:
            raise BadArtefact(f"the state is malformed: {error}") from error
