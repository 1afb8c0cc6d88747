"""The detector: several closed-form views of the same rows, fused; how it scores, and its bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.artefact import (
    VERSION,
    Arrays,
    BadArtefact,
    check_arrays,
    check_finite,
    pack,
    reading,
    unpack,
)
from engine.detect.discrete import FewValues
from engine.detect.ensemble import judge
from engine.detect.features import BLOCKS, TRACKED, VIEWS, ViewName
from engine.detect.level_shift import SPAN
from engine.detect.notices import Notice, Past, Watch, input_notices, last_heard, late_rows, moved_levels
from engine.detect.pipeline import Baseline, Pipeline, State
from engine.detect.scores import Scores
from engine.detect.unit_changes import Span, Watcher
from engine.detect.view import OUTPUTS, View
from engine.frame.frame import Frame, SensorId
from engine.frame.scaling import Scaling
from engine.ingest.timestamps import Times

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
        notices = self._notice(timely, frame.times[late], now)
        scores = self._scored(timely, now)
        scores = replace(scores, notices=(*notices, *moved_levels(self.sensors, scores.moved)))
        return scores if timely is frame else _with_late(scores, frame, late)

    def check_state(self, state: bytes) -> None:
        """Raise BadArtefact if scoring cannot continue from a state: damaged, or of another detector."""
        State.from_bytes(state, len(self.sensors))

    @property
    def levels(self) -> View:
        """The view whose first residuals are those of the sensors' levels."""
        return next(view for view in self.views if view.name == "lag")

    def _notice(self, frame: Frame, late: Times, now: State) -> tuple[Notice, ...]:
        """Return what there is to say about the rows, and move the watch of the state behind them."""
        heard = last_heard(frame, now.watch.heard)
        past = Past(rows=now.memory.seen, newest=now.watch.newest, resting=now.quiet > 0)
        found = input_notices(frame, late=late, past=past, heard=heard, step=self.step)
        known = np.where(np.isnat(now.watch.heard), np.nan, now.values)
        watcher = Watcher(span=self.span, pipeline=self.pipeline, level=self.levels)
        converted, traces = watcher.look(frame, known, now.watch.units)
        newest = frame.times[-1] if len(frame.times) else now.watch.newest
        now.watch = Watch(heard=heard, newest=newest, units=traces)
        return (*found, *converted)

    def _scored(self, frame: Frame, now: State) -> Scores:
        rows, count = len(frame.times), len(self.sensors)
        moved = np.zeros(count)
        ratio, shares = np.zeros(rows), np.full((rows, count), 1 / count, np.float32)
        for part in self.pipeline.run(frame, now, predictor=self.levels):
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
            "steady": baseline.steady,
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
        with reading("detector"):
            sensors = tuple(str(name) for name in meta["sensors"])
            if "drifting" in arrays and meta["span"]:
                raise BadArtefact(
                    f"the detector has format version 1 and subtracts a baseline; version {VERSION} has none "
                    "of the kind: train again"
                )
            names = [name for name in (*VIEWS, *TRACKED) if name in meta["limits"]]
            _check_arrays(arrays, names, len(sensors))
            memory = int(meta.get("memory", SPAN))
            views = tuple(_view(name, float(meta["limits"][name]), memory, arrays) for name in names)
            scaling = Scaling(center=arrays["center"], scale=arrays["scale"], constant=arrays["constant"])
            end = arrays["end"].view("datetime64[us]")[0]
            span = _span(arrays, len(sensors))
            reach = span.reach(scaling.scale) if meta.get("steady") else np.full(len(sensors), np.inf)
            baseline = Baseline(span=int(meta["span"]), level=arrays["level"], end=end, reach=reach)
            step = int(meta["step"])
            if step <= 0 or baseline.span < 0 or memory <= 0 or "lag" not in names:
                raise BadArtefact(
                    f"the detector is malformed: step {step} s, baseline of {baseline.span} rows, "
                    f"memory of {memory} rows, views {names}"
                )
            return cls(
                sensors=sensors,
                step=np.timedelta64(step, "s"),
                pipeline=Pipeline(scaling=scaling, baseline=baseline),
                views=views,
                forward_false_alarms=float(meta["forward_false_alarms"]),
                widening=float(meta["widening"]),
                trimmed=float(meta["trimmed"]),
                span=span,
                few_values=_few_values(meta.get("few_values", []), len(sensors)),
            )


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


def _check_arrays(arrays: Arrays, views: Sequence[ViewName], sensors: int) -> None:
    """Refuse arrays of other sensors or none; those that format version 1 lacks may be missing."""
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "constant": ("b1", (sensors,)),
        "end": ("i8", (1,)),
        **dict.fromkeys(("center", "scale", "level"), ("f8", (sensors,))),
    }
    if "low" in arrays:
        expected |= dict.fromkeys(("low", "high", "move"), ("f8", (sensors,)))
    for view in views:
        inputs, outputs = BLOCKS[view] * sensors, OUTPUTS[view] * sensors
        expected[f"{view}.weights"] = ("f4", (inputs, outputs))
        expected |= {f"{view}.{name}": ("f4", (outputs,)) for name in ("offset", "usual")}
        if f"{view}.moved" in arrays:
            expected[f"{view}.moved"] = ("f8", (outputs,))
    check_arrays(arrays, expected)


def _view(name: ViewName, limit: float, memory: int, arrays: Arrays) -> View:
    """Return a view; in artefacts of format version 1 no level has moved."""
    if not 0 < limit < math.inf:
        raise BadArtefact(f"the artefact is malformed: the limit of the {name} view is {limit}")
    parts = {part: arrays[f"{name}.{part}"] for part in _VIEW_PARTS}
    moved = arrays.get(f"{name}.moved", np.zeros(len(parts["offset"])))
    check_finite(*parts.values(), moved)
    return View(name=name, limit=limit, **parts, memory=memory, moved=moved)
