"""The detector: several closed-form views of the same rows, fused; how it scores, and its bytes."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.artefact import Arrays, BadArtefact, pack, unpack
from engine.bank import judge
from engine.fewvalues import FewValues
from engine.frame import Frame, SensorId
from engine.level import SPAN
from engine.notices import Notice, Watch, input_notices, last_heard, late_rows
from engine.pipeline import Baseline, Pipeline, State
from engine.scaling import Scaling
from engine.scores import Scores
from engine.timestamps import Times
from engine.transform import BLOCKS, TRACKED, VIEWS
from engine.units import Span, Watcher
from engine.view import OUTPUTS, View

Floats = NDArray[np.float64]

KIND = "detector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A fitted detector. Scores above 0.5 are anomalous; bytes are equal for equal training data.

    ``forward_false_alarms`` is the share of alarms when the first half of training judged the second, and
    ``widening`` the factor this added to the limits: both tell how far healthy operation repeats itself.
    ``few_values`` are the values of sensors that had at most five; empty for all if that is not known.
    """

    sensors: tuple[SensorId, ...]
    step: np.timedelta64
    pipeline: Pipeline
    views: tuple[View, ...]
    forward_false_alarms: float
    widening: float
    trimmed: float
    span: Span
    few_values: FewValues = ()

    def score(self, frame: Frame, *, state: bytes | None = None) -> Scores:
        """Score the rows of a frame, continuing from the state of the window before, if given.

        Rows that are not newer than those scored before are late: their score and prediction are 0, and they
        leave the state alone.

        Raises:
            ValueError: the frame has other sensors than the detector.
            BadArtefact: the state is damaged or belongs to another detector.

        """
        if frame.sensors != self.sensors:
            raise ValueError(
                f"the frame has the sensors {frame.sensors}; the detector was trained on {self.sensors}"
            )
        now = State.start(len(self.sensors)) if state is None else State.from_bytes(state, len(self.sensors))
        late = late_rows(frame.times, now.watch.newest)
        timely = _rows(frame, ~late) if late.any() else frame
        notices = self._notice(timely, frame.times[late], now, fresh=state is None)
        scores = replace(self._scored(timely, now), notices=notices)
        return scores if timely is frame else _with_late(scores, frame, late)

    @property
    def _levels(self) -> View:
        """The view whose first residuals are those of the sensors' levels."""
        return next(view for view in self.views if view.name == "lag")

    def _notice(self, frame: Frame, late: Times, now: State, *, fresh: bool) -> tuple[Notice, ...]:
        """Return what there is to say about the rows, and move the watch of the state behind them."""
        heard = last_heard(frame, now.watch.heard)
        found = input_notices(frame, late, None if fresh else now.watch, heard, self.step)
        known = np.where(np.isnat(now.watch.heard), np.nan, now.values)
        watcher = Watcher(span=self.span, pipeline=self.pipeline, level=self._levels)
        converted, traces = watcher.look(frame, known, now.watch.units)
        newest = frame.times[-1] if len(frame.times) else now.watch.newest
        now.watch = Watch(heard=heard, newest=newest, units=traces)
        return (*found, *converted)

    def _scored(self, frame: Frame, now: State) -> Scores:
        rows, count = len(frame.times), len(self.sensors)
        moved = np.zeros(count)
        ratio, shares = np.zeros(rows), np.full((rows, count), 1 / count, np.float32)
        for part in self.pipeline.run(frame, now, predictor=self._levels):
            judged = judge(self.views, part, now, count)
            ratio[part.start : part.stop] = now.alarm.fuse(judged.ratios)
            total = judged.excess.sum(axis=1, keepdims=True)
            np.divide(judged.excess, total, out=shares[part.start : part.stop], where=total > 0)
            if judged.moved is not None:
                moved += judged.moved.sum(axis=0)
        score = np.round(ratio / (1 + ratio), 5)
        return Scores(
            times=frame.times,
            off=frame.off,
            score=score,
            prediction=((score > 0.5) & ~frame.off).astype(np.int8),
            contributions=shares,
            moved=moved / max(1, int((~frame.off).sum())),
            state=now.to_bytes(),
        )

    def to_bytes(self) -> bytes:
        """Return the detector as a versioned artefact."""
        baseline, scaling = self.pipeline.baseline, self.pipeline.scaling
        meta = {
            "sensors": list(self.sensors),
            "step": int(self.step / np.timedelta64(1, "s")),
            "limits": {view.name: view.limit for view in self.views},
            "memory": max(view.memory for view in self.views),
            "span": baseline.span,
            "forward_false_alarms": self.forward_false_alarms,
            "widening": self.widening,
            "trimmed": self.trimmed,
            "few_values": self.few_values,
        }
        arrays: dict[str, NDArray[Any]] = {
            "center": scaling.center,
            "scale": scaling.scale,
            "constant": scaling.constant,
            "low": self.span.low,
            "high": self.span.high,
            "move": self.span.move,
            "level": baseline.level,
            "end": np.array(baseline.end.astype("datetime64[us]")).reshape(1).view(np.int64),
        }
        for view in self.views:
            for name in (*_VIEW_PARTS, "moved"):
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
            sensors = tuple(str(name) for name in meta["sensors"])
            scaling = Scaling(center=arrays["center"], scale=arrays["scale"], constant=arrays["constant"])
            end = arrays["end"].view("datetime64[us]")[0]
            if "drifting" in arrays and meta["span"]:
                raise BadArtefact("the detector subtracts a baseline, as earlier releases did: train again")
            baseline = Baseline(span=int(meta["span"]), level=arrays["level"], end=end)
            views = tuple(
                View(
                    name=name,
                    limit=float(meta["limits"][name]),
                    **{part: arrays[f"{name}.{part}"] for part in _VIEW_PARTS},
                    memory=int(meta.get("memory", SPAN)),
                    moved=arrays.get(f"{name}.moved", np.zeros(len(arrays[f"{name}.offset"]))),
                )
                for name in (*VIEWS, *TRACKED)
                if name in meta["limits"]
            )
            span = _span(arrays, len(sensors))
            _check_shapes(len(sensors), scaling, baseline, span, views)
            return cls(
                sensors=sensors,
                step=np.timedelta64(int(meta["step"]), "s"),
                pipeline=Pipeline(scaling=scaling, baseline=baseline),
                views=views,
                forward_false_alarms=float(meta["forward_false_alarms"]),
                widening=float(meta["widening"]),
                trimmed=float(meta["trimmed"]),
                span=span,
                few_values=_few_values(meta.get("few_values", []), len(sensors)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadArtefact(f"the artefact is malformed: {error}") from error


_VIEW_PARTS = ("offset", "weights", "usual")


def _span(arrays: Arrays, sensors: int) -> Span:
    """Return the training range; artefacts of format version 1 have none."""
    if "low" not in arrays:
        return Span.unknown(sensors)
    return Span(low=arrays["low"], high=arrays["high"], move=arrays["move"])


def _few_values(found: Any, sensors: int) -> FewValues:
    """Return the values of few-valued sensors; artefacts of format version 1 have none."""
    values = tuple(tuple(float(value) for value in each) for each in found)
    if len(values) not in {0, sensors}:
        raise BadArtefact(f"the artefact has values of {len(values)} sensors, not {sensors}")
    return values


def _rows(frame: Frame, rows: NDArray[np.bool_]) -> Frame:
    return replace(frame, times=frame.times[rows], values=frame.values[rows], off=frame.off[rows])


def _with_late(scores: Scores, frame: Frame, late: NDArray[np.bool_]) -> Scores:
    """Return the scores of all rows of the frame: 0 for late ones, without a leading sensor."""
    count = len(frame.sensors)
    contributions = np.full((len(late), count), 1 / count, np.float32)
    contributions[~late] = scores.contributions
    score, prediction = np.zeros(len(late)), np.zeros(len(late), np.int8)
    score[~late], prediction[~late] = scores.score, scores.prediction
    return replace(
        scores,
        times=frame.times,
        off=frame.off,
        score=score,
        prediction=prediction,
        contributions=contributions,
    )


def _check_shapes(
    sensors: int, scaling: Scaling, baseline: Baseline, span: Span, views: tuple[View, ...]
) -> None:
    expected: list[tuple[NDArray[Any], tuple[int, ...]]] = [
        (each, (sensors,)) for each in (scaling.center, scaling.scale, scaling.constant, baseline.level)
    ]
    expected += [(each, (sensors,)) for each in (span.low, span.high, span.move)]
    for view in views:
        inputs, outputs = BLOCKS[view.name] * sensors, OUTPUTS[view.name] * sensors
        expected.append((view.weights, (inputs, outputs)))
        expected += [(each, (outputs,)) for each in (view.offset, view.usual, view.moved)]
    for array, shape in expected:
        if array.shape != shape:
            raise BadArtefact(f"an array of the artefact has the shape {array.shape}, not {shape}")
