"""The slow channel: faults that grow over days and weeks, held against what training held.

On a grid of time, each sensor is predicted from all others by a model that is frozen at training. The
residuals are averaged over a day and compared with those that blocked cross-validation left of healthy
training. Nothing is subtracted and nothing is forgotten: a pattern that training did not show alarms until
it ends.

How far the channel counts is the owner's choice, `adaptation`, and changes without training:

- `auto`: as far as training vouches for it, `SlowDrift.trust`: in full where levels held through two weeks of
  training or more, not at all where they drifted;
- `hold`: in full. Whatever left training alarms until it comes back;
- `follow`: not at all. The fast views adapt to whatever lasts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.additive_model import Additive, Columns, smoothed, unbounded
from engine.detect.artefact import Arrays, BadArtefact, check_arrays, check_finite
from engine.detect.cross_prediction import Float32
from engine.detect.slow_alarm import JudgedBins, SlowAlarm
from engine.detect.slow_state import SlowState
from engine.detect.smoothing import ewma
from engine.detect.time_bins import Grid, Sums
from engine.detect.trained_states import TrainedStates, confirmed_states
from engine.detect.view import CAP, older_row_scores, row_scores
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Adaptation = Literal["auto", "hold", "follow"]
ADAPTATIONS: tuple[Adaptation, ...] = ("auto", "hold", "follow")

GENTLE = 0.2
"""How far the channel counts beside the fast views. Above the limit its ratio grows as this times its
logarithm: it ranks behind faults that come fast. Below, it lifts quiet rows by up to this part of their way
to the limit: these rank higher, but never alarm."""
_TINY = 1e-12
_CHUNK = 4096
"""Rows that are judged at once: their bins take much more memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Times of the channel, in bins: of the average, for opening, and of silence after a break."""

    average: int
    opening: int
    settling: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowRatios:
    """What the channel says of consecutive rows.

    Attributes:
        ratio: score over limit, shape (rows,); 0 with the machine off.
        bins: for each row, the place of its bin in `shares`, shape (rows,).
        shares: share of each sensor in the ratio, shape (bins, sensors); 0 where the ratio is small.

    """

    ratio: Floats
    bins: NDArray[np.intp]
    shares: Float32

    @classmethod
    def silent(cls, rows: int, sensors: int) -> Self:
        """Return what a detector without a channel has."""
        shares = np.zeros((1, sensors), np.float32)
        return cls(ratio=np.zeros(rows), bins=np.zeros(rows, np.intp), shares=shares)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return what the channel says of the rows of all parts."""
        starts = np.cumsum([0, *(len(part.shares) for part in parts[:-1])])
        return cls(
            ratio=np.concatenate([part.ratio for part in parts]),
            bins=np.concatenate([part.bins + start for part, start in zip(parts, starts, strict=True)]),
            shares=np.concatenate([part.shares for part in parts]),
        )

    @property
    def known(self) -> Mask:
        """Mark the bins with shares, shape (bins,)."""
        found: Mask = self.shares.sum(axis=1) > 0
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDrift:
    """The fitted channel.

    Attributes:
        grid: the bins.
        columns: how the columns of the model are made.
        model: predicts each sensor from all others.
        spans: times of the channel.
        units: 99 % quantiles of the held-out residuals of single bins and of their average, shape (2,
            sensors).
        limits: scores of single bins and of the average from which they count for an alarm, shape (2,).
        largest: whether the score of a single bin is its largest square; in models of older releases it is
            that of their rows.
        fourth_powers: whether the score of the average is `row_scores`, as of rows; in models of older
            releases it is `older_row_scores`.
        effect: what the shift of each sensor by one scale does to the residuals of all, shape (sensors,
            sensors).
        trained: states that training held; far from them, residuals count less.
        axes: the operating point of a bin is its means, from those of training, times these; shape (sensors,
            axes). Models of older releases have no axes: any quiet bin is then like any other.
        reach: lowest and highest average of confirmed states in training on each axis, shape (2, axes).
        growth: by how much squared errors grow with the squared distance beyond, shape (axes,); 0 in models
            of older releases.
        held: how far levels held in training, 0 to 1.
        trust: how far training vouches for the channel: the same, and less for a short one.
        steady: how far it vouches for each sensor, shape (sensors,).
        drift: how far the level of each residual may have moved from that of training when training ended,
            in scales, shape (sensors,); 0 in models of older releases.
        end: the last bin of training.
        walk: growth of the square of `drift` with each bin after that, over what it was; 0 if it stays.

    """

    grid: Grid
    columns: Columns
    model: Additive
    spans: Spans
    units: Floats
    limits: Floats
    largest: bool
    fourth_powers: bool
    effect: Floats
    trained: TrainedStates
    axes: Floats
    reach: Floats
    growth: Floats
    held: float
    trust: float
    steady: Floats
    drift: Floats
    end: int
    walk: float

    def start(self) -> SlowState:
        """Return the state before the first row."""
        return SlowState.start(self.grid.knots.shape, self.axes.shape[1])

    def to_meta(self) -> dict[str, Any]:
        """Return what is not an array, as a JSON document."""
        spans = self.spans
        return {
            "width": self.grid.width,
            "average": spans.average,
            "opening": spans.opening,
            "largest": self.largest,
            "fourth_powers": self.fourth_powers,
            "settling": spans.settling,
            "held": self.held,
            "trust": self.trust,
            "end": self.end,
            "walk": self.walk,
        }

    def to_arrays(self) -> Arrays:
        """Return the arrays by name."""
        return {
            "slow.knots": self.grid.knots,
            "slow.slopes": self.columns.slopes,
            "slow.mean": self.model.mean,
            "slow.weights": self.model.weights,
            "slow.precision": self.model.precision,
            "slow.bounds": self.model.bounds,
            "slow.units": self.units,
            "slow.limits": self.limits,
            "slow.effect": self.effect,
            "slow.axes": self.axes,
            "slow.reach": self.reach,
            "slow.growth": self.growth,
            "slow.steady": self.steady,
            "slow.drift": self.drift,
            **self.trained.to_arrays("slow"),
        }

    @classmethod
    def read(cls, meta: Mapping[str, Any], arrays: Arrays, sensors: int) -> Self:
        """Read what `to_meta` and `to_arrays` gave.

        Raises:
            BadArtefact: when they are malformed, or of other sensors.

        """
        hinges = len(arrays["slow.knots"])
        size, bends = (2 + hinges) * sensors, hinges * sensors
        older: Arrays = {
            "slow.axes": np.zeros((sensors, 0)),
            "slow.bounds": unbounded(bends),
            "slow.drift": np.zeros(sensors),
        }
        arrays = older | dict(arrays)
        axes = arrays["slow.axes"].shape[-1]
        arrays = {"slow.reach": np.zeros((2, axes)), "slow.growth": np.zeros(axes)} | arrays
        shapes: dict[str, tuple[int, ...]] = {
            "knots": (hinges, sensors),
            "slopes": (hinges, sensors),
            "mean": (size,),
            "weights": (size, sensors),
            "precision": (size, size),
            "bounds": (2, bends),
            "units": (2, sensors),
            "limits": (2,),
            "effect": (sensors, sensors),
            "axes": (sensors, axes),
            "reach": (2, axes),
            "growth": (axes,),
            "steady": (sensors,),
            "drift": (sensors,),
        }
        check_arrays(arrays, {f"slow.{name}": ("f8", shape) for name, shape in shapes.items()})
        part = {name: arrays[f"slow.{name}"] for name in shapes}
        check_finite(*part.values())
        spans = Spans(**{name: int(meta[name]) for name in ("average", "opening", "settling")})
        width, held, trust = int(meta["width"]), float(meta["held"]), float(meta["trust"])
        walk = float(meta.get("walk", 0.0))
        least = min(width, spans.average, spans.opening, spans.settling + 1)
        positive = min(part["units"].min(), part["limits"].min()) > 0
        grows = walk >= 0 and (part["growth"] >= 0).all()
        if least < 1 or not 0 <= trust <= held <= 1 or not positive or not grows:
            raise BadArtefact(f"the slow channel is malformed: bins of {width} us, {spans}, trust {trust}")
        halved = "largest" not in meta  # alarms of older models counted single bins from half of the limit
        return cls(
            grid=Grid(width=width, knots=part["knots"]),
            columns=Columns(slopes=part["slopes"]),
            model=Additive(**{name: part[name] for name in ("mean", "weights", "precision", "bounds")}),
            spans=spans,
            units=part["units"],
            limits=part["limits"] * (0.5 if halved else 1.0, 1.0),
            largest=not halved and bool(meta["largest"]),
            fourth_powers=bool(meta.get("fourth_powers", False)),
            effect=part["effect"],
            trained=TrainedStates.read(arrays, "slow", sensors) or TrainedStates.unknown(sensors),
            axes=part["axes"],
            reach=part["reach"],
            growth=part["growth"],
            held=held,
            trust=trust,
            steady=part["steady"],
            drift=part["drift"],
            end=int(meta.get("end", 0)),
            walk=walk,
        )

    @property
    def doubt(self) -> float:
        """How far relations may end beyond training, 0 to 1: in full where errors double within a spread."""
        return float(np.minimum(self.growth.max(initial=0.0), 1.0))

    def weight(self, adaptation: Adaptation) -> float:
        """Return how far the channel counts."""
        return {"auto": self.trust, "hold": 1.0, "follow": 0.0}[adaptation]

    def run(self, frame: Frame, scaling: Scaling, grace: np.timedelta64, state: SlowState) -> SlowRatios:
        """Judge the rows of a frame and move the state behind them.

        Args:
            frame: the rows.
            scaling: of the sensors.
            grace: time after a restart that is not judged.
            state: what is known of the rows before.

        """
        if len(frame.times) <= _CHUNK:
            return self._run(frame, scaling, grace, state)
        starts = range(0, len(frame.times), _CHUNK)
        parts = [self._run(frame.part(at, at + _CHUNK), scaling, grace, state) for at in starts]
        return SlowRatios.joined(parts)

    def _run(self, frame: Frame, scaling: Scaling, grace: np.timedelta64, state: SlowState) -> SlowRatios:
        """Judge some rows of a frame."""
        use, state.rested = running(frame, grace, state.rested)
        sums = Sums.joined(
            [state.sums, self.grid.sums(frame, use, scaling, state.outside)], self.grid.knots.shape
        )
        bins = self.grid.of(frame.times)
        last = int(np.searchsorted(sums.bins, bins[-1])) if len(bins) else 0
        finished, state.sums = sums.part(slice(0, last)), sums.part(slice(last, None))
        before, shares_before = state.ratio, state.shares
        ratios, shares = self.judged(finished, frame.step, state)
        place = np.searchsorted(finished.bins, bins)  # a row has what the last bin before its own says
        ratio = np.concatenate([[before], ratios])[place]
        ratio[frame.off] = 0
        known: Float32 = np.concatenate([shares_before[None], shares]).astype(np.float32)
        return SlowRatios(ratio=ratio, bins=place, shares=known)

    def judged(self, bins: Sums, step: np.timedelta64, state: SlowState) -> tuple[Floats, Floats]:
        """Return the ratio after each finished bin, and the shares of the sensors in it."""
        if not len(bins.bins):
            return np.zeros(0), np.zeros((0, len(self.steady)))
        residuals, valid, points = self.residuals(bins, step, state)
        judged = self.ratios(residuals[valid], bins.bins[valid], state)
        ratios = SlowAlarm(self.spans.opening, state, judged, points).follow(valid, bins.rows > 0)
        shares = np.zeros((len(valid), len(self.steady)))
        shares[valid & (ratios > 1)] = self.shares(judged.units[ratios[valid] > 1])
        state.shares = shares[-1].copy()
        return ratios, shares

    def residuals(self, bins: Sums, step: np.timedelta64, state: SlowState) -> tuple[Floats, Mask, Floats]:
        """Return the residuals of bins, which of them are judged, and the operating points of these.

        A bin is judged if it is complete, and settled after a break.
        """
        complete, settling = self.grid.complete(bins, step), self.spans.settling
        before = bins.bins[:1] - 1 if state.last_bin is None else np.array([state.last_bin])
        gap = bins.bins - np.concatenate([before, bins.bins[:-1]]) > max(1, settling)
        valid = np.zeros(len(gap), bool)
        settled = settling if state.settled is None else state.settled
        for at, whole in enumerate(complete):
            settled = settled + 1 if whole and not gap[at] else 0
            valid[at] = settled > settling
        means = bins.means()
        means[~complete] = np.nan
        smooth = smoothed(means[:, 0], gap, state.smooth)
        state.settled, state.last_bin, state.smooth = settled, int(bins.bins[-1]), smooth[-1]
        result = np.zeros((len(gap), len(self.steady)))
        found = self.model.residuals(self.columns.made(means[valid], smooth[valid]))
        variance = self.variance(confirmed_states(means[valid, 0], found), state)
        result[valid] = found / np.sqrt(variance)[:, None]
        usual = self.model.mean[: len(self.axes)]
        away = means[valid, 0] - usual
        return result, valid, np.where(np.isnan(away), 0, away) @ self.axes

    def variance(self, states: Floats, state: SlowState) -> Floats:
        """Return how many times as large as in the centre squared errors are in consecutive bins."""
        places = ewma(states @ self.axes, state.place, self.spans.average)
        if len(places):
            state.place = places[-1]
        low, high = self.reach
        beyond = places - np.minimum(np.maximum(places, low), high)
        result: Floats = self.trained.variance(states) + beyond**2 @ self.growth
        return result

    def units_at(self, bins: NDArray[np.int64]) -> Floats:
        """Return the units in some bins, shape (2, bins, sensors): what drifted in training drifts on.

        The units of training contain what drifted there, so the larger of both counts.
        """
        drift = self.drift * np.sqrt(1 + self.walk * np.maximum(bins - self.end, 0))[:, None]
        result: Floats = np.maximum(self.units[:, None], drift)
        return result

    def ratios(self, residuals: Floats, bins: NDArray[np.int64], state: SlowState) -> JudgedBins:
        """Judge bins by themselves, from their residuals (bins x sensors) and their numbers."""
        if not len(residuals):
            none = np.zeros(0)
            return JudgedBins(ratio=none, average=none, strength=none, units=residuals)
        average = ewma(residuals, state.average, self.spans.average)
        state.average = average[-1]
        relative = self.steady / self.units_at(bins)
        units = average * relative[1]
        singles = residuals * relative[0]
        newest = (bin_scores if self.largest else older_row_scores)(np.abs(singles))
        averages = (row_scores if self.fourth_powers else older_row_scores)(np.abs(units)) / self.limits[1]
        return JudgedBins(
            ratio=np.minimum(averages, newest / self.limits[0]),
            average=averages,
            strength=along(singles, units) / np.sqrt(self.limits[0]),
            units=units,
        )

    def shares(self, units: Floats) -> Floats:
        """Return what the shift of each sensor explains of averages in units, as shares: (bins, sensors)."""
        if not len(units):
            return units
        effect = self.effect * (self.steady / self.units[1])
        shifted = (units @ effect.T) ** 2 / np.maximum((effect**2).sum(axis=1), _TINY)
        # Where relations bend, a shift may move its own residual alone.
        explained = np.maximum(shifted, units**2)
        result: Floats = explained / np.maximum(explained.sum(axis=1, keepdims=True), _TINY)
        return result


def bin_scores(residuals: Floats) -> Floats:
    """Return the largest square of each bin: a fault of one sensor counts as much among many.

    Args:
        residuals: absolute residuals in units, shape (bins, sensors).

    """
    result: Floats = np.minimum(residuals.max(axis=1), CAP) ** 2
    return result


def along(residuals: Floats, averages: Floats) -> Floats:
    """Return how far each bin lies in the direction of its average, in units; negative on the other side.

    Args:
        residuals: of bins, in units, shape (bins, sensors).
        averages: at the same bins, in units.

    """
    capped, direction = (np.minimum(np.maximum(each, -CAP), CAP) for each in (residuals, averages))
    length = np.sqrt((direction * direction).sum(axis=1, keepdims=True))
    result: Floats = (capped * (direction / np.maximum(length, _TINY))).sum(axis=1)
    return result


def running(frame: Frame, grace: np.timedelta64, rested: int | None) -> tuple[Mask, int | None]:
    """Return the rows with the machine on for longer than `grace`, and when it was last off, in us."""
    stamps = frame.times.astype("datetime64[us]").astype(np.int64)
    never = -(2**62)  # long before any time
    rests = np.maximum.accumulate(np.where(frame.off, stamps, never if rested is None else rested))
    if len(rests) and rests[-1] > never:
        rested = int(rests[-1])
    return ~frame.off & (stamps - rests > int(grace / np.timedelta64(1, "us"))), rested


def fuse(fast: Floats, slow: Floats, *, held: float, weight: float) -> tuple[Floats, Mask]:
    """Return the ratio of fast views and slow channel together, and where the slow channel leads.

    Args:
        fast: ratio of the fast views, shape (rows,).
        slow: ratio of the channel, shape (rows,).
        held: how far levels held in training.
        weight: how far the channel counts.

    """
    weighted = weight * slow
    alarm = np.where(weighted > 1, 1 + GENTLE * np.log(np.maximum(weighted, 1)), 0)
    lifted = fast + held * GENTLE * np.minimum(np.maximum(slow, 0), 1) * np.maximum(1 - fast, 0)
    return np.maximum(lifted, alarm), alarm > fast
