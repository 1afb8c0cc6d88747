"""What `l4e validate` shows on the terminal."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from l4e_cli import words
from l4e_cli.files.labels import fault_periods
from l4e_cli.interval import Interval
from l4e_cli.reader import SensorStatistics
from l4e_cli.terminal import Terminal
from l4e_cli.validate.coverage import SensorCoverage
from l4e_cli.validate.result import ComponentResult, Finding, Result, Severity

_MOST_SENSORS = 40
"""Sensors of a component that are listed; of more, only those with a remark."""
_MOST_FINDINGS = 20
"""Findings of a severity that are listed."""
_ONE_MISSING = 2
_STYLES: dict[Severity, str] = {"error": "red", "warning": "yellow", "note": "dim"}
_REMARKS = {
    "no-value": "no number",
    "few-rows": "few rows",
    "constant": "constant",
    "monotonic": "monotonic",
    "categorical": "few values",
    "large-gap": "large gap",
    "missing": "sparse",
    "late-start": "starts late",
    "early-end": "ends early",
    "absent-column": "no column",
}


def show(terminal: Terminal, result: Result) -> None:
    """Show components, sensors, labels, then all findings and their count."""
    for component in result.components:
        _show_component(terminal, component, result.findings)
    _show_labels(terminal, result)
    for severity in ("error", "warning", "note"):
        _show_findings(terminal, severity, result.of(severity))
    terminal.line()
    counts = ", ".join(words.count(len(result.of(kind)), kind) for kind in ("error", "warning"))
    if result.of("error"):
        terminal.line(counts, style="bold red")
    else:
        terminal.done(f"the service takes these files: {counts}")


def remarks(findings: Iterable[Finding], sensor: str) -> str:
    r"""Return a few words about a sensor (`component\sensor`)."""
    found = (_REMARKS.get(finding.rule) for finding in findings if finding.where == sensor)
    return ", ".join(word for word in found if word)


def _show_component(terminal: Terminal, component: ComponentResult, findings: Sequence[Finding]) -> None:
    terminal.heading(component.name)
    sizes = sum(outcome.file.size for outcome in component.files)
    refused = sum(outcome.report is None for outcome in component.files)
    lost = f", {refused} refused" if refused else ""
    terminal.line(f"  files    {words.count(len(component.files), 'file')}, {words.size(sizes)}{lost}")
    report, coverage, span = component.report, component.coverage, component.span
    if report is None or coverage is None or span is None:
        return
    every = "" if coverage.step is None else f", one every {words.step(coverage.step)}"
    terminal.line(f"  rows     {report.rows:,}{every}")
    terminal.line(
        f"  span     {words.moment(span.start)} to {words.moment(span.end)} UTC, {words.step(span.length)}"
    )
    terminal.line(f"  gaps     {_gaps(coverage.gaps, coverage.step)}")
    dropped = [
        f"{words.count(number, 'row')} {what}"
        for number, what in (
            (report.duplicates, "with a repeated time"),
            (report.unsupported_timestamps, "without a usable time"),
        )
        if number
    ]
    if dropped:
        terminal.line(f"  dropped  {', '.join(dropped)}")
    _show_sensors(terminal, component, findings)


def _show_sensors(terminal: Terminal, component: ComponentResult, findings: Sequence[Finding]) -> None:
    report, coverage = component.report, component.coverage
    if report is None or coverage is None:
        return
    every = [(sensor, remarks(findings, f"{component.name}\\{sensor.sensor}")) for sensor in report.sensors]
    listed = every if len(every) <= _MOST_SENSORS else [each for each in every if each[1]][:_MOST_SENSORS]
    width = max((len(sensor.sensor) for sensor, _ in listed), default=6)
    terminal.line(f"  {'sensor':<{width}}   values  invalid  every     longest gap")
    for sensor, text in listed:
        own = coverage.sensors[sensor.sensor]
        step = "" if own.step is None else words.step(own.step)
        gap = _longest(own)
        values = words.percent(own.values, report.rows)
        line = f"  {sensor.sensor:<{width}}  {values:>7}  {_invalid(sensor):>7}  {step:<8}  {gap:<12}  {text}"
        terminal.line(line.rstrip(), style=_style(findings, f"{component.name}\\{sensor.sensor}"))
    if len(listed) < len(every):
        terminal.line(f"  and {words.count(len(every) - len(listed), 'sensor')} more")


def _show_labels(terminal: Terminal, result: Result) -> None:
    files, group = result.labels, result.label_group
    if not files.names and group is None:
        return
    terminal.heading("labels")
    if files.names:
        periods = fault_periods(files.found)
        total = sum((period.length for period in periods), np.timedelta64(0, "us"))
        terminal.line(
            f"  {words.count(len(periods), 'fault')} in {words.count(len(files.names), 'file')}, "
            f"{words.step(total)} in all"
        )
    if group is not None:
        ratings = Counter(label.rating for label in group.labels)
        listed = ", ".join(f"{number:,} {rating}" for rating, number in sorted(ratings.items()))
        terminal.line(
            f"  {words.count(len(group.labels), 'label')} for a label group in {group.name}"
            f"{listed and f': {listed}'}"
        )


def _show_findings(terminal: Terminal, severity: Severity, findings: Sequence[Finding]) -> None:
    if not findings:
        return
    terminal.heading(words.count(len(findings), severity))
    for found in findings[:_MOST_FINDINGS]:
        terminal.line(f"  {found.where}", style=_STYLES[severity])
        terminal.line(f"    {found.text}")
    if len(findings) > _MOST_FINDINGS:
        terminal.line(f"  and {len(findings) - _MOST_FINDINGS} more, all of them with --json")


def _gaps(gaps: Sequence[Interval], step: np.timedelta64 | None) -> str:
    if not gaps or step is None:
        return "none"
    total = sum((gap.length for gap in gaps), np.timedelta64(0, "us"))
    longest = max(gaps, key=lambda gap: gap.length)
    return (
        f"{len(gaps):,} of more than {words.step(10 * step)}, {words.step(total)} in all; the longest "
        f"{words.step(longest.length)} from {words.moment(longest.start)}"
    )


def _longest(sensor: SensorCoverage) -> str:
    """Return the longest gap of a sensor, if it is more than one value that is not there."""
    gap = sensor.longest_gap
    if gap is None or (sensor.step is not None and gap.length <= _ONE_MISSING * sensor.step):
        return ""
    return words.step(gap.length)


def _invalid(sensor: SensorStatistics) -> str:
    return f"{sensor.invalid:,}" if sensor.invalid else ""


def _style(findings: Iterable[Finding], sensor: str) -> str | None:
    severities = {finding.severity for finding in findings if finding.where == sensor}
    return next((_STYLES[kind] for kind in ("error", "warning") if kind in severities), None)
