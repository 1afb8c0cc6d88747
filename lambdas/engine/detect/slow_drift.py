"""The slow channel: faults that grow over days and weeks, held against what training held.

On a grid of time, each sensor is predicted from all others by a model that is frozen at training. What is left
is averaged over hours to days and compared with what blocked cross-validation left of healthy training. Nothing
is subtracted and nothing forgets: a pattern that training did not show alarms until it ends.

Three answers to levels that move in health, ``adaptation``:

- ``hold``: none. Whatever left training alarms until it comes back.
- ``auto``: as far as levels drifted in training, the channel counts less, down to nothing (``trust``). Where they
  did not, an abrupt shift of one sensor that stays is taken for a recalibration, and levels that wander to and
  fro, as training never did, are no fault that grows. Both are told as events, never silent.
- ``follow``: the channel is off, and the fast views adapt to whatever lasts.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.detect.additive_model import Additive, Columns, smoothed
from engine.detect.time_bins import Grid, Sums
from engine.detect.view import row_scores
from engine.frame.frame import Frame, SensorId
from engine.frame.scaling import Scaling

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Adaptation = Literal["auto", "hold", "follow"]
MovedKind = Literal["step", "back", "wander"]

CLIP = 3.0
"""A bin's residual counts as at most so many times its 99 % quantile in the averages."""
LONGER = 1.5
"""A longer average counts as at most so many times the shortest one: it ends with its fault."""
NOW = 2.0
"""The ratio is at most so many times that of the newest bin alone."""
GUARD_BINS = 1
MOST = 3.0
SPELL = 1.2
FORGET = 4
CLOSING_BINS = 2
"""An open alarm closes when so many bins in a row lie below the limit."""
ALONE = 0.85
"""Share of a jump that one sensor explains from which it is that sensor's."""
SUDDEN = 0.7
"""Share of a jump over two windows that must happen between their neighbouring quarters."""
LEAST_JUMP = 0.5
"""Jumps below so many 90 % quantiles of a bin are none."""
STAIRS = 10
"""Windows within which a second jump of a sensor in the same direction is not taken for a recalibration."""
REFINED = 5
"""Windows over which the new level of a recalibrated sensor is measured."""
UNUSUAL = 0.2
"""Share of the day of probation on which what is left may be unusual before a recalibration is taken back."""
BACK = 0.3
"""A level within this share of its shift from the trained one is back."""
INCREMENTS = (4, 10)
"""Increments of the levels that are needed to call their path a wander, and that are looked at."""
EFFICIENT = 2.5
"""Squared way from start to end over the sum of squared increments: about 1 for a wander, their number for a ramp."""
GROWING = 1.5
"""Squared way over three increments over that over one from which levels move at all."""
ONE_STEP = 0.5
"""Share of the squared increments in a single one from which it is a step."""
OFTEN = 0.4
"""Share of the newest three increments above the limit that makes wandering matter."""
LEAST_NOISE = 1e-4
GENTLE = 0.3
"""Above the limit, the ratio grows as this times its logarithm, below as its fourth power: it ranks behind fast ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMoved:
    """A level that no longer counts as an anomaly: ``sensor`` None for levels that wander together.

    ``before`` and ``after`` are in the sensor's own unit.
    """

    kind: MovedKind
    since: np.datetime64
    sensor: SensorId | None
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Spans of the channel, in bins."""

    averages: tuple[int, ...]
    opening: int
    window: int
    increment: int
    settling: int


@dataclass(slots=True, kw_only=True)
class SlowState:
    """What the channel carries from window to window."""

    sums: Sums
    smooth: Floats | None
    averages: Floats
    accepted: Floats
    newest: Floats
    ratios: list[float]
    guards: list[float] = field(default_factory=list)
    levels: list[tuple[Floats, float]] = field(default_factory=list)
    increment: Floats
    in_increment: int = 0
    over: int = 0
    wandering: int = 0
    open: bool = False
    longest: float = 0.0
    quiet: int = 0
    spell: int = 0
    interrupted: bool = False
    candidate: int = 0
    offered: float = 0.0
    probation: int = 0
    unusual: int = 0
    ratio: float = 0.0
    settled: int = 0
    last_bin: int | None = None
    last_off: int | None = None
    seen: int = 0
    shares: Floats | None = None
    refining: dict[int, int] = field(default_factory=dict)
    jumps: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowRatios:
    """Per row: score over limit, and what each sensor has in it (0 where the channel is quiet)."""

    ratio: Floats
    shares: Floats
    moved: tuple[LevelMoved, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDrift:
    """The fitted channel.

    ``units`` are the 99 % quantiles of the residuals of single bins and of each average (1 + averages x
    sensors), ``limits`` the scores that are their thresholds, ``shift`` what a shift of each sensor does to all
    residuals, ``usual`` the 90 % quantile of a bin, ``noise`` that of an increment of the levels. ``trust`` is
    what the channel counts by the drift of training, ``steady`` the same per sensor.
    """

    grid: Grid
    columns: Columns
    model: Additive
    times: Times
    units: Floats
    limits: Floats
    shift: Floats
    usual: Floats
    noise: Floats
    trust: float
    steady: Floats
    widening: float = 1.0

    def start(self) -> SlowState:
        """Return the state before the first row."""
        sensors = len(self.steady)
        return SlowState(
            sums=Sums.empty(self.grid.knots.shape),
            smooth=None,
            averages=np.zeros_like(self.units),
            accepted=np.zeros(sensors),
            newest=np.zeros((0, sensors)),
            ratios=[],
            increment=np.zeros(sensors),
        )

    def run(
        self, frame: Frame, use: Mask, scaling: Scaling, state: SlowState, adaptation: Adaptation = "auto"
    ) -> SlowRatios:
        """Judge the rows of a frame, those marked in ``use``, and move the state behind them."""
        count = len(frame.times)
        quiet = SlowRatios(ratio=np.zeros(count), shares=np.zeros((count, 0)), moved=())
        weight = {"auto": self.trust, "hold": 1.0, "follow": 0.0}[adaptation]
        if not weight or not count:
            return quiet
        sums = Sums.joined([state.sums, self.grid.sums(frame, use, scaling)], self.grid.knots.shape)
        bins = self.grid.of(frame.times)
        finished = sums.part(slice(0, int(np.searchsorted(sums.bins, bins[-1]))))
        state.sums = sums.part(slice(len(finished.bins), None))
        before, shares_before = state.ratio, state.shares
        ratios, shares, moved = self._judged(finished, frame, scaling, state, adaptation)
        place = np.searchsorted(finished.bins, bins)  # the last finished bin before that of the row
        per_row = np.concatenate([[before], ratios])[place] * weight
        first = np.zeros(len(self.steady)) if shares_before is None else shares_before
        row_shares = np.concatenate([first[None], shares])[place]
        gentle = np.where(per_row > 1, 1 + GENTLE * np.log(np.maximum(per_row, 1)), per_row**4)
        gentle[frame.off] = 0
        return SlowRatios(ratio=gentle, shares=row_shares, moved=moved)

    def _judged(
        self, bins: Sums, frame: Frame, scaling: Scaling, state: SlowState, adaptation: Adaptation
    ) -> tuple[Floats, Floats, tuple[LevelMoved, ...]]:
        residuals, valid = self.residuals(bins, frame.step, state)
        ratios, shares, moved = np.zeros(len(valid)), np.zeros((len(valid), len(self.steady))), []
        walk = Walk(self, state, adapting=adaptation == "auto")
        for at, residual in enumerate(residuals):
            found = walk.move(residual) if valid[at] else walk.rest(silent=bins.rows[at] > 0)
            for kind, sensor, size in found:
                since = (int(bins.bins[at]) - (self.times.window if kind == "step" else 0)) * self.grid.width
                moved.append(_told(kind, since, sensor, size, frame, scaling, state))
            ratios[at] = state.ratio
            if state.shares is not None:
                shares[at] = state.shares
        return ratios, shares, tuple(moved)

    def residuals(self, bins: Sums, step: np.timedelta64, state: SlowState) -> tuple[Floats, Mask]:
        """Return the residuals of bins, and which of them may be judged: complete, and settled after a break."""
        complete = self.grid.complete(bins, step)
        numbers = bins.bins
        before = numbers[:1] - 1 if state.last_bin is None else np.array([state.last_bin])
        gap = np.diff(np.concatenate([before, numbers])) > 1
        valid, settled = np.zeros(len(numbers), bool), state.settled
        first = state.last_bin is None
        for at in range(len(numbers)):
            if gap[at] or not complete[at]:
                settled, first = 0, False
            if complete[at]:
                settled += 1
                valid[at] = first or settled > self.times.settling
        if first:
            settled = self.times.settling
        state.settled = settled
        if len(numbers):
            state.last_bin = int(numbers[-1])
        means = bins.means()
        means[~complete] = np.nan
        smooth = smoothed(means[:, 0], gap, state.smooth)
        if len(smooth):
            state.smooth = smooth[-1]
        result = np.zeros((len(numbers), len(self.steady)))
        result[valid] = self.model.residuals(self.columns.made(means[valid], smooth[valid]))
        return result, valid


def _told(
    kind: MovedKind,
    since: int,
    sensor: int | None,
    size: float,
    frame: Frame,
    scaling: Scaling,
    state: SlowState,
) -> LevelMoved:
    moment = np.datetime64(since, "us")
    if sensor is None:
        return LevelMoved(kind=kind, since=moment, sensor=None, before=0.0, after=0.0)
    after = state.accepted[sensor]
    center, scale = scaling.center[sensor], scaling.scale[sensor]
    return LevelMoved(
        kind=kind,
        since=moment,
        sensor=frame.sensors[sensor],
        before=float(center + (after - size) * scale),
        after=float(center + after * scale),
    )


class Walk:
    """Moves the state of the channel from bin to bin."""

    def __init__(self, drift: SlowDrift, state: SlowState, *, adapting: bool) -> None:
        self.drift, self.state, self.adapting = drift, state, adapting
        times = drift.times
        spans = np.array([1, *times.averages])
        self.gains = (2 / (spans + 1))[:, None]
        self.relative = drift.steady / drift.units
        self.bound = CLIP * drift.units[0]
        scaled = drift.shift / drift.usual
        self.scaled, self.size = scaled, np.maximum((scaled**2).sum(axis=1), 1e-12)

    def rest(self, *, silent: bool) -> list[tuple[MovedKind, int | None, float]]:
        """Pass a bin that is not judged; an alarm goes on while sensors are silent, and ends with a stop."""
        if not silent:
            self.state.ratio = 0.0
            self.state.shares = None
        return []

    def move(self, residual: Floats) -> list[tuple[MovedKind, int | None, float]]:
        """Judge a bin; return what stopped counting: kind, sensor and by how much its level moved."""
        state = self.state
        state.seen += 1
        rest = residual - state.accepted @ self.drift.shift
        state.averages += self.gains * (self._clipped(rest) - state.averages)
        np.clip(state.averages, -MOST * self.drift.units, MOST * self.drift.units, out=state.averages)
        now = self._now()
        found: list[tuple[MovedKind, int | None, float]] = []
        if self.adapting:
            found += self._wander(rest, now)
            if state.wandering:
                now = 0.0
        self._open(now)
        if self.adapting:
            self._refine(rest)
            state.newest = np.concatenate([state.newest, rest[None]])[-2 * self.drift.times.window :]
            found += self._step(now)
        return found

    def _clipped(self, rest: Floats) -> Floats:
        return np.clip(rest, -self.bound, self.bound)

    def _now(self) -> float:
        """Return the ratio of the newest bin: the averages over their limits."""
        units = self.state.averages * self.relative
        scores = row_scores(np.abs(units)) / (self.drift.limits * self.drift.widening)
        short = float(scores[1])
        ratio = max(short, *(min(float(score), LONGER * short) for score in scores[2:]), 0.0)
        self.state.guards = [*self.state.guards, float(scores[0])][-GUARD_BINS:]
        return min(ratio, NOW * max(self.state.guards))

    def _open(self, now: float) -> None:
        state, times = self.state, self.drift.times
        state.ratios = [*state.ratios, now][-2 * times.opening :]
        opening = 0.0
        if len(state.ratios) >= times.opening:
            opening = float(np.partition(state.ratios, -times.opening)[-times.opening])
            opening = min(opening, *state.ratios[-times.opening // 4 :])
        state.longest *= 0.5 ** (1 / (FORGET * times.opening))
        if now > 1:
            state.quiet = 0
        else:
            state.quiet += 1
            if state.quiet == 1:
                state.interrupted = state.open
            state.spell = state.quiet if state.interrupted else 0
        hold = int(np.clip(SPELL * state.longest, CLOSING_BINS, 2 * times.opening))
        state.ratio = max(state.ratios[-hold:]) if state.open else opening
        state.open = state.ratio > 1
        if now > 1 and state.open:
            if state.spell <= 2 * times.opening:
                state.longest = max(state.longest, state.spell)
            state.spell = 0
        state.shares = None
        if state.ratio > 0.5:
            squares = (state.averages[1:] * self.relative[1:]).max(axis=0, initial=0) ** 2
            squares = np.maximum(squares, (state.averages[1:] * self.relative[1:]).min(axis=0, initial=0) ** 2)
            state.shares = squares / max(float(squares.sum()), 1e-12)

    def _refine(self, rest: Floats) -> None:
        """Measure the levels of recalibrated sensors further."""
        state, window = self.state, self.drift.times.window
        for sensor in list(state.refining):
            state.refining[sensor] += 1
            if state.refining[sensor] > REFINED * window:
                del state.refining[sensor]
                continue
            off = float(self.scaled[sensor] @ (rest / self.drift.usual)) / self.size[sensor]
            most = abs(state.accepted[sensor])
            state.accepted[sensor] += float(np.clip(off, -most, most)) / state.refining[sensor]

    def _step(self, now: float) -> list[tuple[MovedKind, int | None, float]]:
        """Take a sudden, lasting shift of one sensor for a recalibration, on probation for a day."""
        state, window = self.state, self.drift.times.window
        if state.probation:
            state.probation -= 1
            state.unusual += now > 1
            if state.unusual > UNUSUAL * 2 * window:
                state.probation, state.unusual = 0, 0
                return [("back", state.candidate, self._shift(state.candidate, -state.offered))]
            if not state.probation:
                return [("step", state.candidate, state.offered)]
            return []
        if len(state.newest) < 2 * window:
            return []
        level = state.newest[-window:].mean(axis=0)
        if self._ratio(level) < 1:
            return []
        scaled = state.newest / self.drift.usual
        jump = scaled[window:].mean(axis=0) - scaled[:window].mean(axis=0)
        quarter = max(2, window // 4)
        near = scaled[window : window + quarter].mean(axis=0) - scaled[window - quarter : window].mean(axis=0)
        if near @ jump < SUDDEN * (jump @ jump):
            return []
        place = level / self.drift.usual
        along = self.scaled @ place
        explained = along**2 / self.size
        sensor = int(explained.argmax())
        size = float(along[sensor] / self.size[sensor])
        if explained[sensor] < ALONE * (place @ place) or self._ratio(level - size * self.drift.shift[sensor]) > 1:
            return []
        since, sign = state.jumps.get(sensor, (-(10**9), 0))
        if state.seen - since < STAIRS * window and sign == np.sign(size):
            return []
        state.jumps[sensor] = (state.seen, int(np.sign(size)))
        state.candidate, state.probation, state.unusual = sensor, 2 * window, 0
        state.offered = self._shift(sensor, size)
        state.refining[sensor] = window
        return []

    def _ratio(self, level: Floats) -> float:
        """Return the score of a mean residual over the limit of the middle average."""
        units = np.abs(level * self.relative[2])[None]
        return float(row_scores(units)[0] / self.drift.limits[2] / self.drift.widening)

    def _shift(self, sensor: int, size: float) -> float:
        """Let the accepted level of a sensor move, as if it had done so a window ago."""
        state, window = self.state, self.drift.times.window
        before = float(state.accepted[sensor])
        after = before + size
        if abs(after) < BACK * abs(before):
            after = 0.0
        state.accepted[sensor] = after
        by = (after - before) * self.drift.shift[sensor]
        old = state.newest[-window:]
        new = old - by
        state.newest = np.concatenate([state.newest[:-window], new])
        age = np.arange(len(old) - 1, -1, -1)
        state.averages += (self.gains * (1 - self.gains) ** age) @ (self._clipped(new) - self._clipped(old))
        state.ratios, state.open = [], False
        state.levels, state.increment, state.in_increment, state.over = [], np.zeros_like(by), 0, 0
        return after - before

    def _wander(self, rest: Floats, now: float) -> list[tuple[MovedKind, int | None, float]]:
        """Tell whether levels go to and fro as they did not in training, at the end of each increment."""
        state, length = self.state, self.drift.times.increment
        state.increment = state.increment + np.clip(rest, -self.bound, self.bound)
        state.in_increment += 1
        state.over += now > 1
        if state.in_increment < length:
            return []
        least, most = INCREMENTS
        level = state.increment / length / self.drift.noise * self.drift.steady
        state.levels = [*state.levels, (level, state.over / length)][-(most + 1) :]
        state.increment, state.in_increment, state.over = np.zeros_like(rest), 0, 0
        known = state.wandering > 0
        state.wandering = max(0, state.wandering - 1)
        often = np.mean([over for _, over in state.levels[-3:]]) > OFTEN
        if len(state.levels) <= least or not (often or known) or not self._to_and_fro():
            return []
        state.wandering = most
        return [] if known else [("wander", None, 0.0)]

    def _to_and_fro(self) -> bool:
        levels = np.array([level for level, _ in self.state.levels])
        steps = np.diff(levels, axis=0)
        count = len(steps)
        sums = (steps**2 - 2).sum(axis=0)  # noise adds 2 to each square
        moving = (np.abs(levels[[0, -1]]) > 3).any(axis=0) | (sums > 3 * np.sqrt(8.0 * count))
        if not moving.any():
            return False
        per_step = (steps[:, moving] ** 2 - 2).sum(axis=1)
        total = float(per_step.sum())
        if total <= 3 * np.sqrt(8.0 * count * moving.sum()):
            return False
        way = float(((levels[-1] - levels[0])[moving] ** 2 - 2).sum())
        third = float(((levels[3:] - levels[:-3])[:, moving] ** 2 - 2).mean(axis=0).sum())
        first = float((steps[:, moving] ** 2 - 2).mean(axis=0).sum())
        return (
            way < EFFICIENT * total and third > GROWING * first and float(per_step.max()) < ONE_STEP * total
        )
