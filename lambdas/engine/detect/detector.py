"""The detector: several closed-form views of the same rows, fused; how it scores, and its bytes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from engine.detect.baseline import Baseline
from engine.detect.discrete import DiscreteValues
from engine.detect.ensemble import evaluate_views
from engine.detect.features import BLOCKS, TRACKED, VIEWS, ViewName
from engine.detect.learned_change import LearnedChange
from engine.detect.level_events import LevelMoved, MovedLevels
from engine.detect.level_shift import SPAN
from engine.detect.notices import Notice, Past, input_notices, level_notices, moved_notices
from engine.detect.pipeline import Pipeline, grace_rows
from engine.detect.rare_states import RareStates
from engine.detect.scores import Scores
from engine.detect.slow_drift import ADAPTATIONS, Adaptation, SlowDrift, SlowRatios, fuse
from engine.detect.state import State
from engine.detect.trained_states import TrainedStates
from engine.detect.training_range import TrainingRange
from engine.detect.unit_changes import UnitChangeDetector
from engine.detect.view import OUTPUTS, View
from engine.detect.watch import Watch, last_seen, late_rows
from engine.frame.filling import FillLimits
from engine.frame.frame import Frame, SensorId
from engine.frame.scaling import Scaling
from engine.ingest.timestamps import Times

Floats = NDArray[np.float64]

KIND = "detector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A fitted detector. Scores above 0.5 are anomalous; equal training data gives equal bytes.

    Attributes:
        sensors: names of the sensors, in the order of all columns.
        step: the usual distance of rows.
        pipeline: the way from raw rows to features.
        views: the fitted views.
        forward_false_alarms: share of alarms when the first half of training judged the second half: how
            far healthy operation repeats itself.
        widening: factor by which limits were widened for that.
        trimmed: share of the training rows that were left out because they look like faults.
        left_out: first and last row of the longest of these stretches, in order of time, shape (stretches,
            2); none in models of older releases.
        learned_change: what was learned all the same in a retraining, though nobody confirmed it; None where
            there is nothing of the kind, and in models of older releases.
        training_range: range of each sensor in training.
        fill_limits: how long the last value of a sensor stands in, as in training; empty in models of older
            releases, and where the rows of training were not built from files.
        discrete_values: values of the sensors that had at most five; empty where this is unknown.
        slow: the slow channel; None where training is too short for one, and in models of older releases.
        adaptation: how far the slow channel counts. `dataclasses.replace` changes it without training.
        rare: how much wider limits are in rare states; None where training held none, and in models of older
            releases.
        trained: states that training held, far from which limits are wider; None where levels did not hold in
            training or it was short, and in models of older releases.

    """

    sensors: tuple[SensorId, ...]
    step: np.timedelta64
    pipeline: Pipeline
    views: tuple[View, ...]
    forward_false_alarms: float
    widening: float
    trimmed: float
    training_range: TrainingRange
    discrete_values: DiscreteValues = ()
    slow: SlowDrift | None = None
    adaptation: Adaptation = "auto"
    rare: RareStates | None = None
    trained: TrainedStates | None = None
    left_out: Times = field(default_factory=lambda: np.zeros((0, 2), "datetime64[us]"))
    learned_change: LearnedChange | None = None
    fill_limits: FillLimits = field(default_factory=dict)

    def score(self, frame: Frame, *, state: bytes | None = None) -> Scores:
        """Score the rows of a frame.

        Rows that are not newer than those scored before are late: their score and prediction are 0, and they
        do not change the state.

        Args:
            frame: rows with the sensors of the detector, in its order.
            state: `Scores.state` of the window before; None to start afresh.

        Raises:
            ValueError: when the frame has other sensors than the detector.
            BadArtefact: when the state is damaged or belongs to another detector.

        """
        if frame.sensors != self.sensors:
            raise ValueError(
                f"the frame has the sensors {frame.sensors}; the detector was trained on {self.sensors}"
            )
        now = State.start(len(self.sensors), self.slow) if state is None else self._state(state)
        late = late_rows(frame.times, now.watch.newest)
        timely = frame.select(~late) if late.any() else frame
        notices = self._notice(timely, frame.times[late], now)
        scores = self._scored(timely, now)
        levels = (*moved_notices(scores.level_events), *level_notices(self.sensors, scores.moved))
        scores = replace(scores, notices=(*notices, *levels))
        return scores if timely is frame else _with_late(scores, frame, late)

    def check_state(self, state: bytes) -> None:
        """Check that scoring can continue from a state.

        Raises:
            BadArtefact: when the state is damaged or belongs to another detector.

        """
        self._state(state)

    def _state(self, state: bytes) -> State:
        return State.from_bytes(state, len(self.sensors), self.slow)

    @property
    def lag_view(self) -> View:
        """The view whose residuals are those of the sensors' levels."""
        return next(view for view in self.views if view.name == "lag")

    def _notice(self, frame: Frame, late: Times, now: State) -> tuple[Notice, ...]:
        """Return the notices about the rows, and move the watch of the state behind them."""
        seen = last_seen(frame, now.watch.last_seen)
        past = Past(rows=now.memory.seen, newest=now.watch.newest, resting=now.grace > 0)
        found = input_notices(frame, late=late, past=past, last_seen=seen, step=self.step)
        known = np.where(np.isnat(now.watch.last_seen), np.nan, now.values)
        unit_changes = UnitChangeDetector(
            training_range=self.training_range, pipeline=self.pipeline, lag_view=self.lag_view
        )
        converted, traces = unit_changes.detect(frame, known, now.watch.units)
        newest = frame.times[-1] if len(frame.times) else now.watch.newest
        now.watch = Watch(last_seen=seen, newest=newest, units=traces)
        return (*found, *converted)

    def _scored(self, frame: Frame, now: State) -> Scores:
        """Return the scores of rows without late ones, and move the state behind them."""
        rows, count = len(frame.times), len(self.sensors)
        moved, events = np.zeros(count), list[LevelMoved]()
        ratio, shares = np.zeros(rows), np.full((rows, count), 1 / count, np.float32)
        slow = self._slow(frame, now)
        held, weight = (
            (0.0, 0.0) if self.slow is None else (self.slow.held, self.slow.weight(self.adaptation))
        )
        for part in self.pipeline.run(frame, now, predictor=self.lag_view):
            at = slice(part.start, part.stop)
            found = evaluate_views(
                self.views,
                part,
                now,
                sensors=count,
                widening=self.widening,
                rare=self.rare,
                trained=self.trained,
            )
            fast = now.alarm.fuse(found.ratios)
            ratio[at], leads = fuse(fast, slow.ratio[at], held=held, weight=weight)
            total = found.excess.sum(axis=1, keepdims=True)
            np.divide(found.excess, total, out=shares[at], where=total > 0)
            leading = part.start + (leads & slow.known[slow.bins[at]]).nonzero()[0]
            shares[leading] = slow.shares[slow.bins[leading]]
            if found.moved is not None:
                moved += found.moved.sum(axis=0)
            now.levels.follow(frame.times[at], found.levels)
            if found.levels is not None and ratio[part.stop - 1] <= 1:
                events += self._level_events(frame.values[at], found.levels, now)
        score = np.round(ratio / (1 + ratio), 5)
        return Scores(
            times=frame.times,
            off=frame.off,
            score=score,
            prediction=((score > 0.5) & ~frame.off).astype(np.int8),
            contributions=shares,
            moved=moved / max(1, int((~frame.off).sum())),
            level_events=tuple(events),
            state=now.to_bytes(),
        )

    def _slow(self, frame: Frame, now: State) -> SlowRatios:
        """Return what the slow channel says of the rows."""
        if self.slow is None or now.slow is None:
            return SlowRatios.silent(len(frame.times), len(self.sensors))
        return self.slow.run(frame, self.pipeline.scaling, grace_rows(frame.step) * frame.step, now.slow)

    def _level_events(self, values: Floats, levels: MovedLevels, now: State) -> list[LevelMoved]:
        """Return the levels that stopped counting and were not told yet."""
        events = []
        for at in now.levels.untold(levels):
            known = values[levels.uncounted[:, at], at]
            known = known[np.isfinite(known)]
            if len(known):
                reads = float(known.mean())
                expected = reads - float(levels.away[at] * self.pipeline.scaling.scale[at])
                since = now.levels.since[at]
                events.append(
                    LevelMoved(sensor=self.sensors[at], since=since, expected=expected, reads=reads)
                )
        return events

    def to_bytes(self) -> bytes:
        """Return the detector as a versioned artefact."""
        baseline, scaling = self.pipeline.baseline, self.pipeline.scaling
        meta: dict[str, Any] = {
            "sensors": list(self.sensors),
            "step": int(self.step / np.timedelta64(1, "s")),
            "limits": {view.name: view.limit for view in self.views},
            "fourth_powers": self.views[0].fourth_powers,
            "memory": max(view.average_span for view in self.views),
            "span": baseline.span,
            "forward_false_alarms": self.forward_false_alarms,
            "widening": self.widening,
            "trimmed": self.trimmed,
            "few_values": self.discrete_values,
            "adaptation": self.adaptation,
            "follows": scaling.follows,
        }
        arrays: dict[str, NDArray[Any]] = {
            "center": scaling.center,
            "scale": scaling.scale,
            "constant": scaling.constant,
            "low": self.training_range.low,
            "high": self.training_range.high,
            "move": self.training_range.move,
            "level": baseline.level,
            "end": np.array(baseline.end.astype("datetime64[us]")).reshape(1).view(np.int64),
            "left out": self.left_out.astype("datetime64[us]").view(np.int64),
        }
        for view in self.views:
            arrays |= {f"{view.name}.{part}": getattr(view, part) for part in _VIEW_PARTS}
            arrays[f"{view.name}.moved"] = view.level_averages
        if self.fill_limits:
            arrays["fill limits"] = _limits_array(self.sensors, self.fill_limits)
        if self.rare is not None:
            meta["rare"] = self.rare.to_meta()
        if self.learned_change is not None:
            meta["learned change"] = self.learned_change.to_meta()
        if self.trained is not None:
            arrays |= self.trained.to_arrays("states")
        if self.slow is not None:
            meta["slow"] = self.slow.to_meta()
            arrays |= self.slow.to_arrays()
        return pack(KIND, meta, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a detector.

        Raises:
            BadArtefact: when the bytes are not a detector of a readable version, or are damaged.

        """
        meta, arrays = unpack(data, KIND)
        arrays = {"left out": np.zeros((0, 2), np.int64), **arrays}
        with reading("detector"):
            sensors = tuple(str(name) for name in meta["sensors"])
            if "drifting" in arrays and meta["span"]:
                raise BadArtefact(
                    f"the detector has format version 1 and subtracts a baseline; version {VERSION} has none "
                    "of the kind: train again"
                )
            names = [name for name in (*VIEWS, *TRACKED) if name in meta["limits"]]
            _check_arrays(arrays, names, len(sensors))
            average_span = int(meta.get("memory", SPAN))
            views = tuple(_view(name, meta, average_span, arrays) for name in names)
            scaling = Scaling(
                center=arrays["center"],
                scale=arrays["scale"],
                constant=arrays["constant"],
                follows=bool(meta.get("follows", False)),
            )
            end = arrays["end"].view("datetime64[us]")[0]
            training_range = _training_range(arrays, len(sensors))
            reach = training_range.reach(scaling.scale)
            baseline = Baseline(span=int(meta["span"]), level=arrays["level"], end=end, reach=reach)
            step = int(meta["step"])
            if step <= 0 or baseline.span < 0 or average_span <= 0 or "lag" not in names:
                raise BadArtefact(
                    f"the detector is malformed: step {step} s, baseline of {baseline.span} rows, "
                    f"memory of {average_span} rows, views {names}"
                )
            return cls(
                sensors=sensors,
                step=np.timedelta64(step, "s"),
                pipeline=Pipeline(scaling=scaling, baseline=baseline),
                views=views,
                forward_false_alarms=float(meta["forward_false_alarms"]),
                widening=float(meta["widening"]),
                trimmed=float(meta["trimmed"]),
                training_range=training_range,
                discrete_values=_discrete_values(meta.get("few_values", []), len(sensors)),
                slow=SlowDrift.read(meta["slow"], arrays, len(sensors)) if "slow" in meta else None,
                adaptation=_adaptation(meta),
                rare=RareStates.read(meta["rare"]) if "rare" in meta else None,
                trained=TrainedStates.read(arrays, "states", len(sensors)),
                left_out=arrays["left out"].view("datetime64[us]"),
                learned_change=LearnedChange.read(change) if (change := meta.get("learned change")) else None,
                fill_limits=_fill_limits(arrays, sensors),
            )


def _adaptation(meta: Mapping[str, Any]) -> Adaptation:
    """Return how far the slow channel counts; artefacts of format versions 1 and 2 have none."""
    found = meta.get("adaptation", "auto")
    if found not in ADAPTATIONS:
        raise BadArtefact(f"the detector has the adaptation {found!r}, not one of {', '.join(ADAPTATIONS)}")
    return found  # type: ignore[no-any-return]


def _limits_array(sensors: Sequence[SensorId], limits: FillLimits) -> NDArray[np.int64]:
    """Return how long last values stand in, in microseconds; 0 for no limit."""
    none = np.timedelta64(0, "us")
    return np.array([limits.get(sensor, none) for sensor in sensors], "timedelta64[us]").view(np.int64)


def _fill_limits(arrays: Arrays, sensors: Sequence[SensorId]) -> FillLimits:
    """Return how long last values stand in; artefacts of older releases do not say."""
    found = arrays.get("fill limits", np.zeros(len(sensors), np.int64))
    if (found < 0).any():
        raise BadArtefact(f"the artefact is malformed: a value stands in for {found.min()} us")
    limits = found.view("timedelta64[us]")
    return {sensor: limit for sensor, limit in zip(sensors, limits, strict=True) if limit}


_VIEW_PARTS = ("offset", "weights", "usual")


def _training_range(arrays: Arrays, sensors: int) -> TrainingRange:
    """Return the training range; artefacts of format version 1 have none."""
    if "low" not in arrays:
        return TrainingRange.unknown(sensors)
    return TrainingRange(low=arrays["low"], high=arrays["high"], move=arrays["move"])


def _discrete_values(found: Any, sensors: int) -> DiscreteValues:
    """Return the values of the discrete sensors; artefacts of format version 1 have none."""
    values = tuple(tuple(float(value) for value in each) for each in found)
    if len(values) not in {0, sensors}:
        raise BadArtefact(f"the artefact has values of {len(values)} sensors, not {sensors}")
    return values


def _with_late(scores: Scores, frame: Frame, late: NDArray[np.bool_]) -> Scores:
    """Return the scores of all rows of the frame: 0 for late ones, with equal contributions."""
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
    """Refuse arrays of other sensors, or none; those that format version 1 lacks may be missing."""
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "constant": ("b1", (sensors,)),
        "end": ("i8", (1,)),
        "left out": ("i8", (len(arrays["left out"]), 2)),
        **dict.fromkeys(("center", "scale", "level"), ("f8", (sensors,))),
    }
    if "fill limits" in arrays:
        expected["fill limits"] = ("i8", (sensors,))
    if "low" in arrays:
        expected |= dict.fromkeys(("low", "high", "move"), ("f8", (sensors,)))
    for view in views:
        inputs, outputs = BLOCKS[view] * sensors, OUTPUTS[view] * sensors
        expected[f"{view}.weights"] = ("f4", (inputs, outputs))
        expected |= {f"{view}.{name}": ("f4", (outputs,)) for name in ("offset", "usual")}
        if f"{view}.moved" in arrays:
            expected[f"{view}.moved"] = ("f8", (outputs,))
    check_arrays(arrays, expected)


def _view(name: ViewName, meta: Mapping[str, Any], average_span: int, arrays: Arrays) -> View:
    """Return a view; in artefacts of format version 1 no level has moved."""
    limit = float(meta["limits"][name])
    if not 0 < limit < math.inf:
        raise BadArtefact(f"the artefact is malformed: the limit of the {name} view is {limit}")
    parts = {part: arrays[f"{name}.{part}"] for part in _VIEW_PARTS}
    averages = arrays.get(f"{name}.moved", np.zeros(len(parts["offset"])))
    check_finite(*parts.values(), averages)
    return View(
        name=name,
        limit=limit,
        fourth_powers=bool(meta.get("fourth_powers", False)),
        **parts,
        average_span=average_span,
        level_averages=averages,
    )
