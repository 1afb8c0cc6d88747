"""The picture of a demo: scores, labels, predicted ranges, the sensors behind them, the live result."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from l4e_cli.demo.findings import Evaluation, PredictedRange, Scored, combined_shares
from l4e_cli.demo.recording import Recording, Times, Values
from l4e_cli.interval import Interval
from l4e_cli.whole_file import whole_file

# Okabe and Ito's palette, which colour-blind readers and grey prints distinguish.
_TRACE, _LABEL, _PREDICTED, _SCORE = "#0072B2", "#E69F00", "#D55E00", "#333333"
_THRESHOLD = 0.5
_MOST_TRACES = 4
_MOST_BARS = 8
_MOST_LIVE_BARS = 5
_FEW_ROWS = 100
_LEAST_BAR = 0.003  # of the width of the axes
_MOST_POINTS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveInference:
    """Inference on new data."""

    recording: Recording
    """What was uploaded; its labels say where the anomaly is."""
    result: Scored
    window: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResults:
    """Everything that the picture shows."""

    asset: str
    recording: Recording
    window: Interval
    """The evaluation window."""
    evaluation: Evaluation
    scores: Scored | None
    """Scores over the evaluation window, if known."""
    live: LiveInference | None
    """None when inference failed."""
    step: np.timedelta64
    """Step of the model."""


def draw(results: DemoResults, path: Path) -> None:
    """Draw `results` into the PNG file `path`."""
    mpl.use("Agg")
    event = results.evaluation.main_event() or results.window
    shares = combined_shares(results.evaluation.ranges_in(event))
    live = results.live
    live_shares = [] if live is None else combined_shares(live.result.ranges(results.step))
    traces = [sensor for sensor, _ in shares[:_MOST_TRACES]] or list(
        results.recording.sensor_ids[:_MOST_TRACES]
    )
    live_trace = next(iter(live_shares or shares), (traces[0], 0.0))[0]

    heights = [1.4, *[1.0] * len(traces), *([] if live is None else [1.0, 1.2])]
    figure = Figure(figsize=(14, 1.1 + 1.45 * sum(heights)), dpi=110, layout="constrained")
    grid = GridSpec(len(heights), 2, figure=figure, width_ratios=[3.2, 1], height_ratios=heights)
    figure.suptitle(
        f"{results.asset}: {_summary(results)}", fontsize=14, fontweight="bold", x=0.01, ha="left"
    )

    _draw_scores(figure.add_subplot(grid[0, 0]), results)
    _draw_legend(figure.add_subplot(grid[0, 1]))
    rows = [figure.add_subplot(grid[row, 0]) for row in range(1, len(traces) + 1)]
    _draw_event(rows, results, traces, _around(event, results))
    _draw_bars(figure.add_subplot(grid[1 : len(traces) + 1, 1]), shares, "Share of each sensor in that fault")
    if live is not None:
        pair = (figure.add_subplot(grid[-2, 0]), figure.add_subplot(grid[-1, 0]))
        _draw_live(pair, live, live_trace, results.step)
        beside = figure.add_subplot(grid[-2:, 1])
        _draw_bars(beside, live_shares[:_MOST_LIVE_BARS], "Share in the live anomaly")
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        figure.savefig(partial, format=path.suffix[1:] or "png")


def _summary(results: DemoResults) -> str:
    evaluation = results.evaluation
    if not evaluation.labels:
        count = len(evaluation.ranges) + evaluation.ranges_left_out
        return f"{count} anomalous periods found in the evaluation window"
    return (
        f"{evaluation.identified} of {evaluation.all_labels} labelled faults found in the evaluation window"
    )


def _draw_scores(axes: Axes, results: DemoResults) -> None:
    if results.scores is not None:
        times, values = _thinned_peaks(results.scores)
        axes.plot(times, values, color=_SCORE, linewidth=0.7)
    axes.axhline(_THRESHOLD, color=_PREDICTED, linewidth=0.9, linestyle="--")
    axes.set_xlim(*_drawn(results.window))
    axes.set_ylim(0, 1.12)
    axes.set_ylabel("anomaly score")
    axes.set_title("Evaluation window", loc="left", fontsize=10)
    _shade(axes, results.evaluation.labels)
    _mark_ranges(axes, results.evaluation.ranges)
    _dates(axes)


def _draw_event(rows: Sequence[Axes], results: DemoResults, sensors: Sequence[str], zoom: Interval) -> None:
    known = results.evaluation.main_event() is not None
    what = "The fault it is surest of" if known else "Evaluation window"
    rows[0].set_title(f"{what}, sensor by sensor", loc="left", fontsize=10)
    for axes, sensor in zip(rows, sensors, strict=True):
        _draw_trace(axes, results.recording, sensor, zoom)
        _mark_ranges(axes, results.evaluation.ranges)
    for axes in rows[:-1]:
        axes.tick_params(labelbottom=False)


def _draw_trace(axes: Axes, recording: Recording, sensor: str, zoom: Interval) -> None:
    times, values = recording.sensor(sensor)
    inside = (times >= zoom.start) & (times <= zoom.end)
    few = int(inside.sum()) < _FEW_ROWS
    axes.plot(times[inside], values[inside], color=_TRACE, linewidth=0.8, marker="." if few else None)
    axes.set_xlim(*_drawn(zoom))
    axes.set_ylabel(_short(sensor), rotation=0, ha="right", va="center")
    axes.margins(y=0.15)
    _shade(axes, recording.labels)
    _dates(axes)


def _draw_live(rows: tuple[Axes, Axes], live: LiveInference, sensor: str, step: np.timedelta64) -> None:
    trace, score = rows
    window, result = live.window, live.result
    length = window.end - window.start
    zoom = Interval(start=window.start - length, end=window.end)
    trace.set_title("Live: scheduled inference of fresh sensor files", loc="left", fontsize=10)
    _draw_trace(trace, live.recording, sensor, zoom)
    _mark_ranges(trace, result.ranges(step))
    trace.tick_params(labelbottom=False)
    score.plot(result.times, result.scores, color=_SCORE, linewidth=0.9, zorder=2)
    size = 22 if result.times.size < _FEW_ROWS else 6
    for chosen, color, marker in ((result.anomalous, _PREDICTED, "D"), (~result.anomalous, _TRACE, "o")):
        score.scatter(
            result.times[chosen], result.scores[chosen], color=color, marker=marker, s=size, zorder=3
        )
    score.axhline(_THRESHOLD, color=_PREDICTED, linewidth=0.9, linestyle="--")
    score.set_xlim(*_drawn(zoom))
    score.set_ylim(0, 1.12)
    score.set_ylabel("anomaly score")
    _shade(score, live.recording.labels)
    _dates(score)


def _draw_bars(axes: Axes, shares: Sequence[tuple[str, float]], title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    if not shares:
        axes.set_axis_off()
        axes.text(0, 0.8, "no anomaly", transform=axes.transAxes)
        return
    shown = list(reversed(shares[:_MOST_BARS]))
    bars = axes.barh([_short(sensor) for sensor, _ in shown], [share for _, share in shown], color=_TRACE)
    axes.bar_label(bars, labels=[f"{share:.0%}" for _, share in shown], padding=3, fontsize=9)
    axes.set_xlim(0, max(share for _, share in shown) * 1.25)
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def _draw_legend(axes: Axes) -> None:
    axes.set_axis_off()
    axes.legend(
        handles=[
            Line2D([], [], color=_SCORE, label="anomaly score"),
            Line2D([], [], color=_PREDICTED, linestyle="--", label="threshold, 0.5"),
            Line2D([], [], color=_TRACE, label="sensor"),
            Patch(color=_LABEL, alpha=0.3, label="labelled fault"),
            Line2D([], [], color=_PREDICTED, linewidth=5, label="predicted anomalous"),
        ],
        loc="upper left",
        frameon=False,
    )


def _shade(axes: Axes, labels: Sequence[Interval]) -> None:
    for label in labels:
        start, end = _drawn(label)
        axes.axvspan(start, end, color=_LABEL, alpha=0.3, linewidth=0, zorder=0)


def _mark_ranges(axes: Axes, ranges: Sequence[PredictedRange]) -> None:
    """Draw a bar along the upper edge for each predicted range, wide enough to see if it is one row."""
    left, right = axes.get_xlim()
    for found in ranges:
        start, end = _drawn(found.period)
        end = max(end, start + _LEAST_BAR * (right - left))
        axes.axvspan(start, end, ymin=0.95, ymax=1.0, color=_PREDICTED, linewidth=0)


def _around(event: Interval, results: DemoResults) -> Interval:
    """Return `event` with its surroundings, inside the evaluation window."""
    margin = max((event.end - event.start) // 2, 10 * results.step)
    return Interval(start=event.start - margin, end=event.end + margin).clipped_to(results.window)


def _thinned_peaks(scored: Scored) -> tuple[Times, Values]:
    """Return at most 20,000 points; each is the highest of its block, so that no peak is lost."""
    block = -(-scored.times.size // _MOST_POINTS)
    if block <= 1:
        return scored.times, scored.scores
    rows = scored.times.size // block * block
    scores = scored.scores[:rows].reshape(-1, block)
    peaks = np.where(np.isnan(scores), -1.0, scores).max(axis=1)
    return scored.times[:rows:block], np.where(peaks < 0, np.nan, peaks)


def _dates(axes: Axes) -> None:
    locator = AutoDateLocator()  # type: ignore[no-untyped-call] # matplotlib's dates have no annotations
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.grid(visible=True, axis="x", color="#DDDDDD", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _drawn(interval: Interval) -> tuple[float, float]:
    """Return both ends in matplotlib's own unit of time."""
    start, end = date2num(np.array([interval.start, interval.end]))  # type: ignore[no-untyped-call]
    return float(start), float(end)


def _short(sensor: str) -> str:
    return sensor.partition("\\")[2]
