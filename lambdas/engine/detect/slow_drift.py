"""The slow channel: faults that grow over days and weeks, held against what training held.

On a grid of time, each sensor is predicted from all others by a model that is frozen at training. What is left
is averaged over hours to days and compared with what blocked cross-validation left of healthy training. Nothing
is subtracted and nothing forgets: a pattern that training did not show alarms until it ends.

How far it counts is the owner's choice, `adaptation`, and can change without training:

- `auto`: as far as training vouches for it (`trust`): in full where levels held through two weeks of training
  or more, not at all where they drifted;
- `hold`: in full. Whatever left training alarms until it comes back;
- `follow`: not at all. The fast views adapt to whatever lasts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.additive_model import Additive, Columns, smoothed
from engine.detect.artefact import Arrays, BadArtefact, check_arrays, check_finite
from engine.detect.cross_prediction import Float32
from engine.detect.slow_state import SlowState
from engine.detect.smoothing import ewma
from engine.detect.time_bins import Grid, Sums
from engine.detect.view import row_scores
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Adaptation = Literal["auto", "hold", "follow"]
ADAPTATIONS: tuple[Adaptation, ...] = ("auto", "hold", "follow")

CLIP = 3.0
"""A bin's residual counts as at most so many times its 99 % quantile in the averages: a short one is soon over."""
LONGER = 1.5
"""A longer average counts as at most so many times the shortest one: it ends with its fault."""
NOW = 2.0
"""The ratio is at most so many times that of the newest bin alone."""
CLOSING_BINS = 2
"""An open alarm closes when so many bins in a row lie below the limit, or more where it came back before."""
COMES_BACK = 1.5
"""It also stays open for so many times the longest such spell that it has outlasted: faults may show by day only."""
FORGET = 4
"""Opening times after which that spell counts half."""
CAUSES = 1
"""The average that tells the sensors a fault began in: that of a day."""
GENTLE = 0.3
"""Above the limit, the ratio grows as this times its logarithm: it ranks behind faults that come fast."""
LIFT = 0.3
LIFTED = 3.0
"""What the channel alone says, trusted or not, lifts quiet rows by up to this part of their way to the limit (in full
from so many times its own limit): they rank higher, and never alarm for it."""


_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Times of the channel, in bins: of the averages, for opening, and of silence after a break."""

    averages: tuple[int, ...]
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

    @property
    def known(self) -> Mask:
        """Mark the bins with shares, shape (bins,)."""
        found: Mask = self.shares.sum(axis=1) > 0
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDrift:
    """The fitted channel.

    `units` are the 99 % quantiles of the residuals of a single bin and of each average (1 + averages x
    sensors), `limits` the scores that are their thresholds. `effect` is what the shift of each sensor by one scale
    does to the residuals of all (sensors x sensors). `trust` is how far training vouches for the
    channel, 0 to 1, `steady` the same for each sensor.
    """

    grid: Grid
    columns: Columns
    model: Additive
    spans: Spans
    units: Floats
    limits: Floats
    effect: Floats
    trust: float
    steady: Floats

    def start(self) -> SlowState:
        """Return the state before the first row."""
        return SlowState.start(self.grid.knots.shape, len(self.spans.averages))

    def to_meta(self) -> dict[str, Any]:
        """Return what is not an array, as a JSON document."""
        spans = self.spans
        return {
            "width": self.grid.width,
            "averages": list(spans.averages),
            "opening": spans.opening,
            "settling": spans.settling,
            "trust": self.trust,
        }

    def to_arrays(self) -> Arrays:
        """Return the arrays by name."""
        return {
            "slow.knots": self.grid.knots,
            "slow.slopes": self.columns.slopes,
            "slow.mean": self.model.mean,
            "slow.weights": self.model.weights,
            "slow.precision": self.model.precision,
            "slow.units": self.units,
            "slow.limits": self.limits,
            "slow.effect": self.effect,
            "slow.steady": self.steady,
        }

    @classmethod
    def read(cls, meta: Mapping[str, Any], arrays: Arrays, sensors: int) -> Self:
        """Read what `to_meta` and `to_arrays` gave.

        Raises:
            BadArtefact: when they are malformed, or of other sensors.

        """
        averages = tuple(int(span) for span in meta["averages"])
        hinges = len(arrays["slow.knots"])
        size, levels = (2 + hinges) * sensors, 1 + len(averages)
        shapes: dict[str, tuple[int, ...]] = {
            "knots": (hinges, sensors),
            "slopes": (hinges, sensors),
            "mean": (size,),
            "weights": (size, sensors),
            "precision": (size, size),
            "units": (levels, sensors),
            "limits": (levels,),
            "effect": (sensors, sensors),
            "steady": (sensors,),
        }
        check_arrays(arrays, {f"slow.{name}": ("f8", shape) for name, shape in shapes.items()})
        part = {name: arrays[f"slow.{name}"] for name in shapes}
        check_finite(*part.values())
        spans = Spans(averages=averages, opening=int(meta["opening"]), settling=int(meta["settling"]))
        width, trust = int(meta["width"]), float(meta["trust"])
        least = min(width, spans.opening, spans.settling + 1, *averages)
        if least < 1 or not 0 <= trust <= 1 or min(part["units"].min(), part["limits"].min()) <= 0:
            raise BadArtefact(f"the slow channel is malformed: bins of {width} us, {spans}, trust {trust}")
        return cls(
            grid=Grid(width=width, knots=part["knots"]),
            columns=Columns(slopes=part["slopes"]),
            model=Additive(mean=part["mean"], weights=part["weights"], precision=part["precision"]),
            spans=spans,
            units=part["units"],
            limits=part["limits"],
            effect=part["effect"],
            trust=trust,
            steady=part["steady"],
        )

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
        use, state.rested = running(frame, grace, state.rested)
        sums = Sums.joined([state.sums, self.grid.sums(frame, use, scaling)], self.grid.knots.shape)
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
        residuals, valid = self.residuals(bins, step, state)
        now, parts = self.ratios(residuals[valid], state)
        alarm, ratios, at = Opening(self.spans, state), np.zeros(len(valid)), 0
        for place in range(len(valid)):
            if valid[place]:
                ratios[place] = alarm.move(float(now[at]))
                at += 1
            elif bins.rows[place] > 0:  # sensors are silent, or it settles: nothing new is known
                ratios[place] = state.ratio
            else:
                ratios[place] = state.ratio = 0.0
        shares = np.zeros((len(valid), len(self.steady)))
        shares[valid] = parts / np.maximum(parts.sum(axis=1, keepdims=True), _TINY)
        shares[ratios <= LIFT] = 0
        if len(ratios):
            state.shares = shares[-1].copy()
        return ratios, shares

    def residuals(self, bins: Sums, step: np.timedelta64, state: SlowState) -> tuple[Floats, Mask]:
        """Return the residuals of bins, and which of them are judged: complete, and settled after a break."""
        complete, settling = self.grid.complete(bins, step), self.spans.settling
        before = bins.bins[:1] - 1 if state.last_bin is None else np.array([state.last_bin])
        gap = np.diff(np.concatenate([before, bins.bins])) > max(1, settling)
        valid = np.zeros(len(gap), bool)
        settled = settling if state.settled is None else state.settled
        for at, whole in enumerate(complete):
            settled = settled + 1 if whole and not gap[at] else 0
            valid[at] = settled > settling
        means = bins.means()
        means[~complete] = np.nan
        smooth = smoothed(means[:, 0], gap, state.smooth)
        if len(gap):
            state.settled, state.last_bin, state.smooth = settled, int(bins.bins[-1]), smooth[-1]
        result = np.zeros((len(gap), len(self.steady)))
        result[valid] = self.model.residuals(self.columns.made(means[valid], smooth[valid]))
        return result, valid

    def ratios(self, residuals: Floats, state: SlowState) -> tuple[Floats, Floats]:
        """Return the ratio of consecutive judged bins as it is now, and what a shift of each sensor explains of it."""
        relative = self.steady / self.units
        scores = [row_scores(np.abs(residuals * relative[0])) / self.limits[0]]
        clipped = np.clip(residuals, -CLIP * self.units[0], CLIP * self.units[0])
        parts = np.zeros_like(residuals)
        for at, span in enumerate(self.spans.averages):
            average = ewma(clipped, state.averages[at], span) if len(clipped) else clipped
            if len(average):
                state.averages[at] = average[-1]
            units = average * relative[1 + at]
            scores.append(row_scores(np.abs(units)) / self.limits[1 + at] if len(units) else np.zeros(0))
            if at == CAUSES:
                effect = self.effect * relative[1 + at]
                parts = (units @ effect.T) ** 2 / np.maximum((effect**2).sum(axis=1), _TINY)
        bin_now, short, *longer = scores
        ratio = short
        for each in longer:
            ratio = np.maximum(ratio, np.minimum(each, LONGER * short))
        return np.minimum(ratio, NOW * bin_now), parts


class Opening:
    """Opens an alarm on what lasts, and closes it when it has ended.

    It opens when the limit was exceeded for the opening time out of twice that time, and through the newest
    quarter of it. It closes after CLOSING_BINS below the limit; where it came back after longer spells, as faults
    do that show by day only, after a little longer than these.
    """

    def __init__(self, spans: Spans, state: SlowState) -> None:
        self.opening, self.state = spans.opening, state

    def move(self, now: float) -> float:
        """Return the ratio after a bin that has this one."""
        state, opening = self.state, self.opening
        state.ratios = [*state.ratios, now][-2 * opening :]
        state.longest *= 0.5 ** (1 / (FORGET * opening))
        state.quiet = 0 if now > 1 else state.quiet + 1
        if now <= 1 and (state.spell or (state.open and state.quiet == 1)):
            state.spell += 1
        if state.open:
            hold = int(np.clip(COMES_BACK * state.longest, CLOSING_BINS, 2 * opening))
            state.ratio = max(state.ratios[-hold:])
        else:
            state.ratio = self._lasting()
        state.open = state.ratio > 1
        if state.open and now > 1:
            if state.spell <= 2 * opening:
                state.longest = max(state.longest, state.spell)
            state.spell = 0
        return state.ratio

    def _lasting(self) -> float:
        """Return the ratio that was exceeded for the opening time, and ever since the newest quarter of it."""
        ratios, opening = self.state.ratios, self.opening
        if len(ratios) < opening:
            return 0.0
        return float(min(sorted(ratios)[-opening], *ratios[-max(1, opening // 4) :]))


def running(frame: Frame, grace: np.timedelta64, rested: int | None) -> tuple[Mask, int | None]:
    """Return the rows with the machine on for longer than `grace`, and when it last rested, in microseconds."""
    stamps = frame.times.astype("datetime64[us]").astype(np.int64)
    never = np.iinfo(np.int64).min // 2
    rests = np.maximum.accumulate(np.where(frame.off, stamps, never if rested is None else rested))
    if len(rests) and rests[-1] > never:
        rested = int(rests[-1])
    return ~frame.off & (stamps - rests > int(grace / np.timedelta64(1, "us"))), rested


def fuse(fast: Floats, slow: Floats, weight: float) -> tuple[Floats, Mask]:
    """Return the ratio of fast views and slow channel together, and where the slow channel leads.

    Args:
        fast: ratio of the fast views, shape (rows,).
        slow: ratio of the channel, shape (rows,).
        weight: how far the channel counts.

    """
    held = weight * slow
    held = np.where(held > 1, 1 + GENTLE * np.log(np.maximum(held, 1)), 0)
    lifted = fast + LIFT * np.clip(slow / LIFTED, 0, 1) * np.maximum(1 - fast, 0)
    return np.maximum(lifted, held), held > fast
