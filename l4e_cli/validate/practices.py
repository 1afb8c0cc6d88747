"""Findings about data that can be read: what the service would stop at, and the practices of L4E's guide."""

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from l4e_cli import words
from l4e_cli.files.labels import Labels
from l4e_cli.files.service_rules import FileLimits, JobFailed, Settings, SourceFile, check_limits
from l4e_cli.interval import Interval
from l4e_cli.reader import Repair, SensorStatistics
from l4e_cli.validate.asset import Asset
from l4e_cli.validate.coverage import SensorCoverage
from l4e_cli.validate.result import ComponentResult, Finding, Severity

_LEAST_DAYS, _ADVISED_DAYS = 90, 180
"""History below which the guide expects poor results, and the one that it asks for."""
_LEAST_EVALUATION_DAYS, _LEAST_EVALUATION_SHARE = 14, 0.1
_MISSING_SHARE = 0.3
"""Share of missing or invalid cells that a warning names."""
_DAY = np.timedelta64(1, "D")
_SHOWN = 3
_HARMLESS = frozenset({"byte-order-mark", "separator-line", "dropped-columns"})


def file_findings(component: ComponentResult) -> Iterator[Finding]:
    """Yield which files of a component would be refused, and what would be repaired in the others."""
    for outcome in component.files:
        if outcome.refusal is not None:
            effect = "the ingestion would fail" if outcome.fails_job else "the file would be left out"
            yield Finding(
                severity="error",
                rule="refused-file",
                where=str(outcome.file),
                text=f"{effect}: {outcome.refusal}",
            )
    if component.report is None:
        yield Finding(
            severity="error",
            rule="no-usable-file",
            where=component.name,
            text="none of its files can be used: correct them, or leave the component out",
        )
    yield from _repairs(component)


def limit_findings(components: Sequence[ComponentResult], settings: Settings) -> Iterator[Finding]:
    """Yield the quota that an ingestion of the components would exceed, if one."""
    files = tuple(
        SourceFile(key=outcome.file.name, size=outcome.file.size, component=component.name)
        for component in components
        for outcome in component.files
    )
    limits = FileLimits(
        files_per_component=settings.files_per_component,
        file_bytes=settings.file_bytes,
        dataset_bytes=settings.dataset_bytes,
        components=settings.components_per_dataset,
    )
    try:
        check_limits(files, limits)
    except JobFailed as failed:
        yield Finding(severity="error", rule="quota", where="dataset", text=failed.reason)
    sensors = sum(len(component.report.sensors) for component in components if component.report)
    of_dataset, of_model = settings.columns_per_dataset, settings.columns_per_model
    if of_dataset is not None and sensors > of_dataset:
        yield _too_many(sensors, of_dataset, "dataset", severity="error")
    elif of_model is not None and sensors > of_model:
        yield _too_many(sensors, of_model, "model", severity="warning")


def sensor_findings(component: ComponentResult) -> Iterator[Finding]:
    """Yield what the service would stop at, and what the guide advises against, sensor by sensor."""
    report, coverage = component.report, component.coverage
    if report is None or coverage is None:
        return
    if not any(sensor.data_exists for sensor in report.sensors):
        yield Finding(
            severity="error",
            rule="no-value",
            where=component.name,
            text=f"no cell of any sensor is a number{_example(component)}: the ingestion would fail; write "
            "numbers with a decimal point and without units, or leave the component out",
        )
        return
    for sensor in report.sensors:
        where = f"{component.name}\\{sensor.sensor}"
        for rule, text in _of_sensor(sensor, coverage.sensors[sensor.sensor]):
            severity: Severity = "error" if rule == "no-value" else "warning"
            yield Finding(severity=severity, rule=rule, where=where, text=text)


def history_findings(span: Interval, asset: Asset | None) -> Iterator[Finding]:
    """Yield what the length of the history, or of the windows of an asset, means for a model."""
    if asset is None:
        yield from _history(span, "history", minimum=Settings().minimum_training_days)
        return
    cut = {}
    for name, window in (("training", asset.training), ("evaluation", asset.evaluation)):
        if window is None:
            continue
        if not window.overlaps(span):
            yield Finding(
                severity="error",
                rule="empty-window",
                where=name,
                text=f"no data lies in the window {_from_to(window)}; the data goes from {_from_to(span)}: "
                "choose another window, or upload the data of this one",
            )
            continue
        cut[name] = window.clipped_to(span)
        if _misses(window, cut[name]):
            yield Finding(
                severity="warning",
                rule="window-beyond-data",
                where=name,
                text=f"the window {_from_to(window)} is longer than the data, {_from_to(span)}",
            )
    if "training" in cut:
        yield from _history(cut["training"], "training", minimum=asset.settings.minimum_training_days)
    if len(cut) == 2:
        yield from _evaluation(cut["training"], cut["evaluation"])


def rate_findings(components: Iterable[ComponentResult], asset: Asset | None) -> Iterator[Finding]:
    """Yield what the rates of the components mean for each other and for the rate of a model."""
    steps = {
        component.name: component.coverage.step
        for component in components
        if component.coverage is not None and component.coverage.step is not None
    }
    if asset is not None and asset.step is not None:
        for name, step in steps.items():
            if step > asset.step:
                yield Finding(
                    severity="note",
                    rule="rate",
                    where=name,
                    text=f"a row every {words.step(step)}, but the model samples every {words.step(asset.step)}: "
                    "each row is repeated until the next one",
                )


def label_findings(
    labels: Labels, span: Interval | None, asset: Asset | None, *, looked_for: bool
) -> Iterator[Finding]:
    """Yield what is wrong with labels: files that cannot be read, periods outside all data or windows."""
    for _, reason in labels.refused:
        yield Finding(severity="error", rule="labels", where="labels", text=reason)
    if looked_for and not labels.periods and not labels.refused:
        yield Finding(
            severity="error",
            rule="labels",
            where="labels",
            text="no label is there, so the training would fail: upload a file with start and end of a fault "
            "per line, or set labelled = false",
        )
    if span is None:
        return
    outside = [label for label in labels.periods if not label.overlaps(span)]
    if outside:
        yield Finding(
            severity="warning",
            rule="labels-outside",
            where="labels",
            text=f"{len(outside)} of {words.count(len(labels.periods), 'label')} outside all data, which goes "
            f"from {_from_to(span)}: {_periods(outside)}. Check the order of day and month and the time zone",
        )
    if asset is not None:
        yield from _labels_of_windows(labels, asset, span)


def _repairs(component: ComponentResult) -> Iterator[Finding]:
    """Yield what would be put right in the files of a component, each kind once with its first example."""
    first: dict[tuple[str, str | None], tuple[str, Repair]] = {}
    files: Counter[tuple[str, str | None]] = Counter()
    for outcome in component.files:
        for repair in outcome.report.repairs if outcome.report is not None else ():
            key = (repair.kind, repair.column)
            name, known = first.get(key, (str(outcome.file), replace(repair, count=0)))
            first[key] = (name, replace(known, count=known.count + repair.count))
            files[key] += 1
    for key, (name, repair) in first.items():
        yield Finding(
            severity="note" if repair.kind in _HARMLESS else "warning",
            rule=repair.kind,
            where=component.name if repair.column is None else f"{component.name}\\{repair.column}",
            text=f"{repair} of {name}" + (f"; {files[key]} files in all" if files[key] > 1 else ""),
        )
    for outcome in component.files:
        for note in outcome.report.notes if outcome.report is not None else ():
            yield Finding(severity="note", rule="reading", where=str(outcome.file), text=note)


def _of_sensor(sensor: SensorStatistics, coverage: SensorCoverage) -> Iterator[tuple[str, str]]:
    if not sensor.data_exists:
        yield "no-value", "no cell is a number: a model with this sensor could not be trained; leave it out"
        return
    absent = sensor.missing + sensor.invalid
    if absent > _MISSING_SHARE * sensor.rows:
        yield (
            "missing",
            f"{words.percent(absent, sensor.rows)} of its cells have no number; gaps are filled with the last "
            "value. If it reports on change only, that is as it should be",
        )
    if sensor.monotonicity == "STATIC":
        yield "constant", "it never changes: a model learns nothing from it; leave it out"
    elif sensor.monotonicity is not None:
        way = "rises" if sensor.monotonicity == "INCREASING" else "falls"
        yield (
            "monotonic",
            f"it only ever {way}, as a counter of hours does: tomorrow's values are unlike all that were "
            "learned; leave it out, or use its change per time",
        )
    elif sensor.categories is not None:
        yield (
            "categorical",
            f"it has {words.count(sensor.categories, 'value')} only, as a switch or a set point does; L4E advises "
            "measurements that vary",
        )
    gap = coverage.longest_gap
    if sensor.large_gaps:
        longest = "" if gap is None else f", the longest {_lasting(gap)}"
        yield (
            "large-gap",
            f"{words.count(sensor.large_gaps, 'gap')} of more than 30 days{longest}: the last value stands for all "
            "of it; train on one side of it",
        )


def _history(span: Interval, where: str, *, minimum: float | None) -> Iterator[Finding]:
    days = span.days
    if minimum is not None and days < minimum:
        yield Finding(
            severity="error",
            rule="short-history",
            where=where,
            text=f"{days:.3g} days of data, less than the {minimum:g} that a training needs: add history, or lower "
            "minimum_training_days in the settings of the service",
        )
    elif days < _LEAST_DAYS:
        yield Finding(
            severity="warning",
            rule="short-history",
            where=where,
            text=f"{days:.3g} days of data. Below {_LEAST_DAYS} days a model rarely knows all that is normal; L4E "
            f"asks for {_ADVISED_DAYS}",
        )
    elif days < _ADVISED_DAYS:
        yield Finding(
            severity="warning",
            rule="short-history",
            where=where,
            text=f"{days:.3g} days of data; L4E asks for {_ADVISED_DAYS}, and for a year of a machine with seasons",
        )


def _evaluation(training: Interval, evaluation: Interval) -> Iterator[Finding]:
    if training.overlaps(evaluation) and training.end > evaluation.start:
        yield Finding(
            severity="warning",
            rule="evaluation",
            where="evaluation",
            text="it overlaps the training window: a model seems better on data that it has learned",
        )
    days = evaluation.days
    if days < _LEAST_EVALUATION_DAYS or days < _LEAST_EVALUATION_SHARE * training.days:
        yield Finding(
            severity="warning",
            rule="short-evaluation",
            where="evaluation",
            text=f"{days:.3g} days of data after {training.days:.3g} of training: false alarms and faults are too "
            f"rare in it to judge the model; give it {_LEAST_EVALUATION_DAYS} days and a tenth of the training",
        )


def _labels_of_windows(labels: Labels, asset: Asset, span: Interval) -> Iterator[Finding]:
    inside = [label for label in labels.periods if label.overlaps(span)]
    unused = [label for label in inside if not any(label.overlaps(window) for window in asset.windows)]
    if unused:
        yield Finding(
            severity="warning",
            rule="labels-outside",
            where="labels",
            text=f"{words.count(len(unused), 'label')} in neither window: {_periods(unused)}",
        )
    evaluation = asset.evaluation
    if inside and evaluation is not None and not any(label.overlaps(evaluation) for label in inside):
        yield Finding(
            severity="note",
            rule="short-evaluation",
            where="evaluation",
            text="no label lies in it, so nothing tells whether the model finds known faults",
        )


def absent_findings(components: Iterable[ComponentResult], asset: Asset) -> Iterator[Finding]:
    """Yield the components and columns of an asset that no file has."""
    by_name = {component.name: component for component in components}
    for name, columns in asset.columns.items():
        if name not in by_name:
            yield Finding(
                severity="error",
                rule="absent-component",
                where=name,
                text=f"no file is there: upload CSV files to {asset.name}/history/{name}/",
            )
            continue
        headers = [out.report.header[1:] for out in by_name[name].files if out.report is not None]
        found = list(dict.fromkeys(column for header in headers for column in header))
        for column in columns if headers else ():
            if column not in found:
                yield Finding(
                    severity="error",
                    rule="absent-column",
                    where=f"{name}\\{column}",
                    text=f"no file has this column{_meant(column, found)}; the files have "
                    f"{', '.join(map(repr, found[:10]))}: names must match exactly, case included",
                )


def _meant(column: str, found: Sequence[str]) -> str:
    lower = {name.lower(): name for name in found}
    close = difflib.get_close_matches(column.lower(), lower, n=1)
    return f" (did you mean {lower[close[0]]!r}?)" if close else ""


def _misses(window: Interval, cut: Interval) -> bool:
    return bool(window.start < cut.start - _DAY or cut.end + _DAY < window.end)


def _too_many(sensors: int, most: int, what: str, *, severity: Severity) -> Finding:
    return Finding(
        severity=severity,
        rule="quota",
        where=what,
        text=f"{sensors:,} sensors, more than the limit of {most:,} per {what}: leave out columns, or raise the "
        f"setting columns_per_{what} of the service",
    )


def _example(component: ComponentResult) -> str:
    """Return a cell that is not a number, and where it stands."""
    for outcome in component.files:
        for repair in outcome.report.repairs if outcome.report is not None else ():
            if repair.kind == "invalid-cells":
                line = "" if repair.line is None else f" in line {repair.line} of {outcome.file}"
                return f", for example {repair.example!r}{line}"
    return ""


def _from_to(span: Interval) -> str:
    return f"{words.moment(span.start)} to {words.moment(span.end)}"


def _lasting(span: Interval) -> str:
    return f"{words.step(span.length)}, {_from_to(span)}"


def _periods(labels: Sequence[Interval]) -> str:
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return ", ".join(_from_to(label) for label in labels[:_SHOWN]) + more
