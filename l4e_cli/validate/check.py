"""Read all files of a dataset as the service does, and gather what is to be said about them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from l4e_cli.files.labels import read_label_files, read_label_group_file
from l4e_cli.files.layout import Layout
from l4e_cli.files.places import is_address
from l4e_cli.files.reading import ConvertedComponent, OnBytes, convert_components, merge
from l4e_cli.files.service_rules import Settings
from l4e_cli.interval import Interval
from l4e_cli.validate.asset import Asset
from l4e_cli.validate.coverage import Grid, measure
from l4e_cli.validate.file_rules import absent_findings, file_findings, limit_findings
from l4e_cli.validate.label_group_rules import label_group_findings
from l4e_cli.validate.label_rules import label_file_findings, period_findings
from l4e_cli.validate.practices import history_findings, rate_findings, sensor_findings
from l4e_cli.validate.result import ComponentResult, Finding, Result

_BINS = 480
_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is called while files are read: with the name of a component, and with bytes that were read."""

    component: Callable[[str], None] = lambda _name: None
    on_bytes: OnBytes = lambda _count: None


def check(
    place: str, layout: Layout, *, asset: Asset | None = None, progress: Progress | None = None
) -> Result:
    """Read the files of a layout and judge them.

    Args:
        place: Where they are, for the reader of the result.
        layout: The files.
        asset: The asset that they belong to, whose components and windows are looked at.
        progress: Is called during the work.
    """
    progress = progress or Progress()
    with TemporaryDirectory(prefix="l4e-validate-") as folder:
        converted = convert_components(
            layout.components,
            Path(folder),
            columns=None if asset is None else asset.columns,
            settings=Settings() if asset is None else asset.settings,
            on_component=progress.component,
            on_bytes=progress.on_bytes,
        )
        merged = [_merge(component, Path(folder)) for component in converted]
        grid = _grid(merged)
        components = tuple(_with_coverage(component, Path(folder), grid) for component in merged)
    result = Result(
        place=place,
        asset=asset,
        components=components,
        labels=read_label_files(layout.labels, expected=layout.labels_named),
        label_group=None if layout.label_group is None else read_label_group_file(layout.label_group),
        grid=grid,
        findings=(),
    )
    findings = [*_layout_findings(layout, remote=is_address(place)), *_findings(result)]
    return replace(result, findings=tuple(sorted(findings, key=lambda found: _ORDER[found.severity])))


def _merge(component: ConvertedComponent, folder: Path) -> ComponentResult:
    """Write the rows of a component in order of time, if one of its files is usable."""
    result = ComponentResult(name=component.name, files=component.outcomes)
    if not component.parts:
        return result
    with _merged(component.name, folder).open("wb") as sink:
        return replace(result, report=merge(component, sink))


def _with_coverage(component: ComponentResult, folder: Path, grid: Grid | None) -> ComponentResult:
    """Return a component with its coverage, and remove its rows."""
    if component.report is None or grid is None:
        return component
    path = _merged(component.name, folder)
    with path.open("rb") as columns:
        coverage = measure(columns, grid)
    path.unlink()
    return replace(component, coverage=coverage)


def _merged(name: str, folder: Path) -> Path:
    return folder / f"{name}.merged.parquet"


def _grid(components: Iterable[ComponentResult]) -> Grid | None:
    """Return the bins over all rows of all components."""
    spans = [component.span for component in components if component.span is not None]
    if not spans:
        return None
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    return Grid(span=Interval(start=start, end=end), bins=_BINS)


def _layout_findings(layout: Layout, *, remote: bool) -> Iterator[Finding]:
    for name, reason in layout.ignored:
        yield Finding(severity="warning", rule="ignored-file", where=name, text=f"left out: {reason}")
    if layout.no_ingestion is not None:
        yield Finding(
            severity="error" if remote else "warning",
            rule="layout",
            where="files",
            text=f"an ingestion would take none of the files ({layout.no_ingestion}), so they are read as "
            "`l4e demo --data` reads them. It looks for <component>/<file>.csv, or for a pattern of names: "
            "--key-pattern '{prefix}/{component_name}_*'",
        )


def _findings(result: Result) -> Iterator[Finding]:
    """Yield the findings about everything that was read."""
    asset, span = result.asset, None if result.grid is None else result.grid.span
    settings = Settings() if asset is None else asset.settings
    if asset is not None:
        yield from absent_findings(result.components, asset)
        yield from rate_findings(result.components, asset)
    yield from limit_findings(result.components, settings)
    for component in result.components:
        yield from file_findings(component)
        if span is not None:
            yield from sensor_findings(component, span)
    if span is not None:
        yield from history_findings(span, asset)
    yield from label_file_findings(result.labels, asset)
    if result.label_group is not None:
        yield from label_group_findings(result.label_group, settings)
    if span is not None:
        yield from period_findings(result.all_labels, span, asset)
