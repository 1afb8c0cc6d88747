"""The slow channel: faults that grow over days and weeks, held against what training held.

On a grid of time, each sensor is predicted from all others by a model that is frozen at training. What is left
is averaged over hours to days and compared with what blocked cross-validation left of healthy training. Nothing
is subtracted and nothing forgets: a pattern that training did not show alarms until it ends.

How far it counts is the owner's choice, ``adaptation``, and can change without training:

- ``auto``: as far as training vouches for it (``trust``): in full where levels held through two weeks of training
  or more, not at all where they drifted;
- ``hold``: in full. Whatever left training alarms until it comes back;
- ``follow``: not at all. The fast views adapt to whatever lasts.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.detect.additive_model import Additive, Columns, smoothed
from engine.detect.features import ewma
from engine.detect.time_bins import Grid, Sums
from engine.detect.view import row_scores
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Adaptation = Literal["auto", "hold", "follow"]

CLIP = 3.0
"""A bin's residual counts as at most so many times its 99 % quantile in the averages: a short one is soon over."""
LONGER = 1.5
"""A longer average counts as at most so many times the shortest one: it ends with its fault."""
NOW = 2.0
"""The ratio is at most so many times that of the newest bin alone."""
CLOSING_BINS = 2
"""An open alarm closes when so many bins in a row lie below the limit, or more where it came back before."""
COMES_BACK = 1.2
"""It also stays open for so many times the longest such spell that it has outlasted: faults may show by day only."""
FORGET = 4
"""Opening times after which that spell counts half."""
GENTLE = 0.3
"""Above the limit, the ratio grows as this times its logarithm: it ranks behind faults that come fast."""
LIFT = 0.3
LIFTED = 3.0
"""What the channel alone says, trusted or not, lifts quiet rows by up to this part of their way to the limit (in full
from so many times its own limit): they rank higher, and never alarm for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Times of the channel, in bins: of the averages, for opening, and of silence after a break."""

    averages: tuple[int, ...]
    opening: int
    settling: int


@dataclass(slots=True, kw_only=True)
class SlowState:
    """What the channel carries from window to window.

    ``sums`` are those of the unfinished bin, ``smooth`` and ``averages`` the exponential means of values and
    residuals, ``ratios`` the newest ratios. ``quiet`` counts bins below the limit, ``spell`` those since the
    alarm was open, ``longest`` what it has outlasted; ``shares`` are the sensors' shares in the newest ratio.
    """

    sums: Sums
    smooth: Floats
    averages: Floats
    shares: Floats
    ratios: list[float] = field(default_factory=list)
    ratio: float = 0.0
    open: bool = False
    quiet: int = 0
    spell: int = 0
    longest: float = 0.0
    settled: int | None = None
    last_bin: int | None = None
    rested: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowRatios:
    """Per row: ``ratio`` is the score over the limit; ``shares`` what each sensor has in it, 0 where it is small."""

    ratio: Floats
    shares: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDrift:
    """The fitted channel.

    ``units`` are the 99 % quantiles of the residuals of a single bin and of each average (1 + averages x
    sensors), ``limits`` the scores that are their thresholds. ``trust`` is how far training vouches for the
    channel, 0 to 1, ``steady`` the same for each sensor.
    """

    grid: Grid
    columns: Columns
    model: Additive
    spans: Spans
    units: Floats
    limits: Floats
    trust: float
    steady: Floats

    def start(self) -> SlowState:
        """Return the state before the first row."""
        sensors = len(self.steady)
        return SlowState(
            sums=Sums.empty(self.grid.knots.shape),
            smooth=np.full(sensors, np.nan),
            averages=np.zeros((len(self.spans.averages), sensors)),
            shares=np.zeros(sensors),
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
        use = running(frame, grace, state)
        sums = Sums.joined([state.sums, self.grid.sums(frame, use, scaling)], self.grid.knots.shape)
        bins = self.grid.of(frame.times)
        last = int(np.searchsorted(sums.bins, bins[-1])) if len(bins) else 0
        finished, state.sums = sums.part(slice(0, last)), sums.part(slice(last, None))
        before, shares_before = state.ratio, state.shares
        ratios, shares = self.judged(finished, frame.step, state)
        place = np.searchsorted(finished.bins, bins)  # a row has what the last bin before its own says
        ratio = np.concatenate([[before], ratios])[place]
        ratio[frame.off] = 0
        return SlowRatios(ratio=ratio, shares=np.concatenate([shares_before[None], shares])[place])

    def judged(self, bins: Sums, step: np.timedelta64, state: SlowState) -> tuple[Floats, Floats]:
        """Return the ratio after each finished bin, and the shares of the sensors in it."""
        residuals, valid = self.residuals(bins, step, state)
        now, units = self.ratios(residuals[valid], state)
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
        shares[valid] = units / np.maximum(units.sum(axis=1, keepdims=True), 1e-12)
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
        """Return the ratio of consecutive judged bins as it is now, and the squared units per sensor behind it."""
        relative = self.steady / self.units
        scores = [row_scores(np.abs(residuals * relative[0])) / self.limits[0]]
        clipped = np.clip(residuals, -CLIP * self.units[0], CLIP * self.units[0])
        squares = np.zeros_like(residuals)
        for at, span in enumerate(self.spans.averages):
            average = ewma(clipped, state.averages[at], span) if len(clipped) else clipped
            if len(average):
                state.averages[at] = average[-1]
            units = np.abs(average * relative[1 + at])
            scores.append(row_scores(units) / self.limits[1 + at] if len(units) else np.zeros(0))
            np.maximum(squares, units**2, out=squares)
        bin_now, short, *longer = scores
        ratio = short
        for each in longer:
            ratio = np.maximum(ratio, np.minimum(each, LONGER * short))
        return np.minimum(ratio, NOW * bin_now), squares


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


def running(frame: Frame, grace: np.timedelta64, state: SlowState) -> Mask:
    """Return the rows with the machine on, ``grace`` after its last rest or later; the state keeps that rest."""
    stamps = frame.times.astype("datetime64[us]").astype(np.int64)
    never = np.iinfo(np.int64).min // 2
    rests = np.maximum.accumulate(np.where(frame.off, stamps, never if state.rested is None else state.rested))
    if len(rests) and rests[-1] > never:
        state.rested = int(rests[-1])
    use: Mask = ~frame.off & (stamps - rests > int(grace / np.timedelta64(1, "us")))
    return use


def fused(ratio: Floats, slow: Floats, weight: float) -> Floats:
    """Return the ratio of the fast views together with that of the slow channel, which counts by this weight."""
    lifted = ratio + LIFT * np.clip(slow / LIFTED, 0, 1) * np.maximum(1 - ratio, 0)
    held = weight * slow
    return np.maximum(lifted, np.where(held > 1, 1 + GENTLE * np.log(np.maximum(held, 1)), 0))
