"""The picture of `l4e validate`: when each sensor has values, gaps, labels and windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.transforms import blended_transform_factory

from l4e_cli import words
from l4e_cli.interval import Interval
from l4e_cli.validate.coverage import Grid
from l4e_cli.validate.report import remarks
from l4e_cli.validate.result import ComponentResult, Result
from l4e_cli.whole_file import whole_file

# Okabe and Ito's palette, which colour-blind readers and grey prints distinguish.
_VALUES, _LABEL, _GAP, _TEXT, _NOTHING = "#0072B2", "#E69F00", "#D55E00", "#333333", "#F1F1F1"
_TRAINING, _EVALUATION = "#B5DFD2", "#E9CFDD"  # tints of its green and purple
_QUIET = "#777777"
_WIDTH = 14.0
_ROW, _LEAST_ROW, _COMFORTABLE_ROWS = 0.3, 0.13, 40  # inches
_MARGINS = 1.9
_TOP, _WINDOWS, _LABELS = -2.9, -2.2, -1.1  # places above the first row, whose place is 0
_BESIDE = 1.045  # the column of shares right of the axes, whose width is 1
_LEAST_MARK = 0.0015  # of the width of the axes
_COLOURS = LinearSegmentedColormap.from_list("coverage", [(0, "#D3E5F2"), (1, _VALUES)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row of the picture: a sensor, or the title of a component."""

    component: ComponentResult
    sensor: str | None = None


def draw(result: Result, path: Path) -> None:
    """Draw what was found into the PNG file `path`.

    Args:
        result: What was found, with at least one row of data.
        path: The file.
    """
    mpl.use("Agg")
    if result.grid is None:
        return
    rows = _rows(result)
    height = max(_LEAST_ROW, min(_ROW, _ROW * _COMFORTABLE_ROWS / len(rows)))
    figure = Figure(figsize=(_WIDTH, _MARGINS + height * (len(rows) - _TOP)), dpi=110, layout="constrained")
    figure.suptitle(_title(result), fontsize=14, fontweight="bold", x=0.01, ha="left")
    axes = figure.add_subplot()
    axes.set_xlim(*_drawn(_extent(result, result.grid)))
    axes.set_ylim(len(rows) - 0.4, _TOP)
    _draw_windows(axes, result)
    for at, row in enumerate(rows):
        if row.sensor is None:
            _draw_title(axes, row.component, at)
        else:
            _draw_sensor(axes, result, row.component, row.sensor, at)
    _draw_labels(axes, result.faults)
    _draw_names(axes, rows, labelled=bool(result.faults))
    _draw_legend(figure, result)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        figure.savefig(partial, format=path.suffix[1:] or "png")


def _rows(result: Result) -> list[_Row]:
    rows: list[_Row] = []
    for component in result.components:
        if component.coverage is not None:
            rows.append(_Row(component=component))
            rows += [_Row(component=component, sensor=name) for name in component.coverage.sensors]
    return rows


def _title(result: Result) -> str:
    span = result.grid.span if result.grid is not None else None
    name = result.place if result.asset is None else result.asset.name
    length = "" if span is None else f", {words.step(span.length)}"
    errors, warnings = (words.count(len(result.of(kind)), kind) for kind in ("error", "warning"))
    return f"{name}{length}: {errors}, {warnings}"


def _extent(result: Result, grid: Grid) -> Interval:
    """Return the time to show: all data, and the windows of the asset as far as they are near it."""
    span = grid.span
    margin = span.length // 10
    near = Interval(start=span.start - margin, end=span.end + margin)
    shown = [span, *(period.clipped_to(near) for period in _around(result) if period.overlaps(near))]
    return Interval(start=min(each.start for each in shown), end=max(each.end for each in shown))


def _around(result: Result) -> list[Interval]:
    return [*result.faults, *([] if result.asset is None else result.asset.windows)]


def _draw_sensor(axes: Axes, result: Result, component: ComponentResult, sensor: str, at: int) -> None:
    grid, coverage = result.grid, component.coverage
    if grid is None or coverage is None:
        return
    own = coverage.sensors[sensor]
    left, right = _drawn(grid.span)
    axes.add_patch(_bar(left, right, at, _NOTHING))
    filled = np.ma.masked_equal(own.filled, 0.0)[np.newaxis]
    axes.imshow(
        filled,
        extent=(left, left + (right - left) * _covered(grid), at + 0.36, at - 0.36),
        cmap=_COLOURS,
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
        zorder=2,
    )
    share = words.percent(own.values, component.report.rows) if component.report is not None else ""
    found = text = remarks(result.findings, f"{component.name}\\{sensor}")
    if own.step is not None and coverage.step is not None and own.step > 2 * coverage.step:
        text = f"every {words.step(own.step)}" + (f", {text}" if text else "")
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    size = _font_size(axes)
    axes.text(_BESIDE, at, share, transform=beside, ha="right", va="center", fontsize=size, color=_TEXT)
    colour = _GAP if found else _QUIET
    axes.text(_BESIDE + 0.01, at, text, transform=beside, ha="left", va="center", fontsize=size, color=colour)


def _draw_title(axes: Axes, component: ComponentResult, at: int) -> None:
    """Draw the line of a component: how many rows it has and how often, and its gaps."""
    coverage, report = component.coverage, component.report
    if coverage is None or report is None:
        return
    every = "" if coverage.step is None else f", one every {words.step(coverage.step)}"
    gaps = f", {words.count(len(coverage.gaps), 'gap')}" if coverage.gaps else ""
    text = f"{report.rows:,} rows{every}{gaps}"
    inside = blended_transform_factory(axes.transAxes, axes.transData)
    axes.text(
        0.003, at, text, transform=inside, va="center", fontsize=_font_size(axes), color=_QUIET, zorder=4
    )
    for gap in coverage.gaps:
        start, end = _visible(axes, gap)
        axes.add_patch(_bar(start, end, at + 0.38, _GAP, height=0.14))


def _draw_labels(axes: Axes, labels: Sequence[Interval]) -> None:
    for label in labels:
        start, end = _visible(axes, label)
        axes.add_patch(_bar(start, end, _LABELS, _LABEL, height=0.6))
        bottom = axes.get_ylim()[0]
        below = Rectangle(
            (start, _LABELS), end - start, bottom - _LABELS, color=_LABEL, alpha=0.25, linewidth=0
        )
        axes.add_patch(below).set_zorder(3)


def _visible(axes: Axes, period: Interval) -> tuple[float, float]:
    """Return both ends of a period, far enough apart to be seen."""
    left, right = axes.get_xlim()
    start, end = _drawn(period)
    return start, max(end, start + _LEAST_MARK * (right - left))


def _draw_windows(axes: Axes, result: Result) -> None:
    if result.asset is None:
        return
    windows = {
        "training": (result.asset.training, _TRAINING),
        "evaluation": (result.asset.evaluation, _EVALUATION),
    }
    left, right = axes.get_xlim()
    for name, (window, colour) in windows.items():
        if window is None:
            continue
        start, end = _drawn(window)
        start, end = max(start, left), min(end, right)
        if start < end:
            axes.add_patch(_bar(start, end, _WINDOWS, colour, height=0.9))
            middle = (start + end) / 2
            axes.text(
                middle, _WINDOWS, name, ha="center", va="center", color=_TEXT, fontsize=_font_size(axes)
            )


def _draw_names(axes: Axes, rows: Sequence[_Row], *, labelled: bool) -> None:
    places: list[float] = list(range(len(rows)))
    names = [row.sensor or row.component.name for row in rows]
    if labelled:
        places, names = [*places, _LABELS], [*names, "labelled faults"]
    axes.set_yticks(places, names, fontsize=_font_size(axes))
    for label, row in zip(axes.get_yticklabels(), rows, strict=False):
        if row.sensor is None:
            label.set_fontweight("bold")
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    axes.text(
        _BESIDE,
        0,
        "values",
        transform=beside,
        ha="right",
        va="center",
        fontsize=_font_size(axes),
        color=_QUIET,
    )
    axes.tick_params(axis="y", length=0)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call] # matplotlib's dates have no annotations
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.grid(visible=True, axis="x", color="#E2E2E2", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _font_size(axes: Axes) -> float:
    """Return a size of text that fits into a row."""
    first, last = axes.get_ylim()
    figure = axes.get_figure(root=True)
    inches = 0.0 if figure is None else float(figure.get_size_inches()[1]) - _MARGINS
    return min(9.0, 55 * inches / abs(first - last))


def _draw_legend(figure: Figure, result: Result) -> None:
    handles = [
        Patch(color=_VALUES, label="values as often as usual"),
        Patch(color=_COLOURS(0.0), label="fewer than usual"),
        Patch(color=_NOTHING, label="none"),
        Patch(color=_GAP, label="gap in the rows of a component"),
    ]
    if result.faults:
        handles.append(Patch(color=_LABEL, alpha=0.5, label="labelled fault"))
    figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), frameon=False, fontsize=9)


def _bar(start: float, end: float, middle: float, colour: str, *, height: float = 0.72) -> Rectangle:
    return Rectangle((start, middle - height / 2), end - start, height, color=colour, linewidth=0, zorder=1)


def _covered(grid: Grid) -> float:
    """Return the share of the span that the bins cover: they are cut to whole microseconds."""
    return float(grid.bin_length * grid.bins / max(grid.span.length, np.timedelta64(1, "us")))


def _drawn(interval: Interval) -> tuple[float, float]:
    """Return both ends in matplotlib's own unit of time."""
    start, end = date2num(np.array([interval.start, interval.end]))  # type: ignore[no-untyped-call]
    return float(start), float(end)
