"""Findings about files and columns: what the service would refuse, leave out or repair."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from l4e_cli.files.labels import looks_like_labels
from l4e_cli.files.service_rules import (
    FileLimits,
    JobFailed,
    Settings,
    check_limits,
    notes_of,
    repairs_of,
    require_values,
)
from l4e_cli.validate.asset import Asset
from l4e_cli.validate.result import ComponentResult, Finding, Severity

_HARMLESS = frozenset({"byte-order-mark", "separator-line", "dropped-columns"})
_SHOWN_COLUMNS = 10
_LABELS = ". It reads as labels: move it out of the sensor files, and name it with --labels or --label-group"


def file_findings(component: ComponentResult) -> Iterator[Finding]:
    """Yield which files of a component would be refused, and what would be repaired in the others."""
    for outcome in component.files:
        if outcome.refusal is not None:
            effect = "the ingestion would fail" if outcome.fails_job else "the file would be left out"
            hint = _LABELS if looks_like_labels(outcome.file) else ""
            yield Finding(
                severity="error",
                rule="refused-file",
                where=str(outcome.file),
                text=f"{effect}: {outcome.refusal}{hint}",
            )
    if component.report is None:
        yield Finding(
            severity="error",
            rule="no-usable-file",
            where=component.name,
            text="none of its files can be used: correct them, or leave the component out",
        )
        return
    merged = component.merged
    if merged is None:
        return
    for found in repairs_of(merged):
        repair = found.repair
        yield Finding(
            severity="note" if repair.kind in _HARMLESS else "warning",
            rule=repair.kind,
            where=component.name if repair.column is None else f"{component.name}\\{repair.column}",
            text=str(found),
        )
    for note in notes_of(merged, now=datetime.now(UTC)):
        yield Finding(severity="note", rule="reading", where=component.name, text=note)
    try:
        require_values(component.name, merged)
    except JobFailed as failed:
        hint = _LABELS if any(looks_like_labels(outcome.file) for outcome in component.files) else ""
        yield Finding(severity="error", rule="no-value", where=component.name, text=f"{failed.reason}{hint}")


def limit_findings(components: Sequence[ComponentResult], settings: Settings) -> Iterator[Finding]:
    """Yield the quotas that the files of all components exceed."""
    files = [outcome.source_of(component.name) for component in components for outcome in component.files]
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
                listed = ", ".join(map(repr, found[:_SHOWN_COLUMNS]))
                yield Finding(
                    severity="error",
                    rule="absent-column",
                    where=f"{name}\\{column}",
                    text=f"no file has this column{_meant(column, found)}; the files have {listed}. Names "
                    "must match exactly, case included",
                )


def _too_many(sensors: int, most: int, what: str, *, severity: Severity) -> Finding:
    return Finding(
        severity=severity,
        rule="quota",
        where=what,
        text=f"{sensors:,} sensors, more than the limit of {most:,} per {what}: leave out columns, or raise "
        f"the setting columns_per_{what} of the service",
    )


def _meant(column: str, found: Sequence[str]) -> str:
    lower = {name.lower(): name for name in found}
    close = difflib.get_close_matches(column.lower(), lower, n=1)
    return f" (did you mean {lower[close[0]]!r}?)" if close else ""
