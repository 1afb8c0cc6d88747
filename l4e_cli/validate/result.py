"""What `l4e validate` found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from l4e_cli.files.labels import LabelFiles, LabelGroupFile, fault_periods
from l4e_cli.files.reading import FileOutcome
from l4e_cli.files.service_rules import FilePart, Labels, MergedComponent
from l4e_cli.interval import Interval
from l4e_cli.reader import ComponentReport
from l4e_cli.validate.asset import Asset
from l4e_cli.validate.coverage import ComponentCoverage, Grid

Severity = Literal["error", "warning", "note"]
"""An error stops the service or loses a file; a warning is about quality; a note says how data was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    r"""Something that a person should know.

    Attributes:
        severity: How bad it is.
        rule: A short name of the rule that found it.
        where: The component, sensor (`component\sensor`), file or window that it is about.
        text: What was found, the rule, and what to do.
    """

    severity: Severity
    rule: str
    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentResult:
    """A component: its files and, if one of them is usable, what its rows hold and when it has rows."""

    name: str
    files: tuple[FileOutcome, ...]
    report: ComponentReport | None = None
    coverage: ComponentCoverage | None = None

    @property
    def merged(self) -> MergedComponent | None:
        """The component as the service judges it."""
        if self.report is None:
            return None
        parts = tuple(
            FilePart(index=index, source=outcome.source_of(self.name), report=outcome.report)
            for index, outcome in enumerate(self.files)
            if outcome.report is not None
        )
        return MergedComponent(report=self.report, parts=parts)

    @property
    def span(self) -> Interval | None:
        """Time from the first to the last row."""
        if self.report is None or self.report.start is None:
            return None
        return Interval(start=np.datetime64(self.report.start), end=np.datetime64(self.report.end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything that was found.

    Attributes:
        place: Where the files are.
        asset: The asset that they belong to, if one was named.
        components: The components, in order of their names.
        labels: The label files.
        label_group: The file of a label group, if there is one.
        grid: The bins of the coverage; None without a row.
        findings: What a person should know: errors first.
    """

    place: str
    asset: Asset | None
    components: tuple[ComponentResult, ...]
    labels: LabelFiles
    label_group: LabelGroupFile | None
    grid: Grid | None
    findings: tuple[Finding, ...]

    @property
    def all_labels(self) -> Labels:
        """The labels of all files, as a training takes them."""
        files = self.labels.found
        return files if self.label_group is None else files.plus(self.label_group.found)

    @property
    def faults(self) -> list[Interval]:
        """The periods of the labels that are faults, in order of time."""
        return fault_periods(self.all_labels)

    def of(self, severity: Severity) -> Sequence[Finding]:
        """Return the findings of a severity."""
        return [found for found in self.findings if found.severity == severity]
