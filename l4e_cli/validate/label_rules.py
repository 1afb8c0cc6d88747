"""Findings about labels: files that cannot be read, and faults outside of what a model sees."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from l4e_cli.files.labels import LabelFiles, fault_periods
from l4e_cli.files.service_rules import ALL_OF_TRAINING, Labels, TimeSpan
from l4e_cli.interval import Interval
from l4e_cli.validate.asset import Asset
from l4e_cli.validate.result import Finding, Severity


def label_file_findings(files: LabelFiles, asset: Asset | None) -> Iterator[Finding]:
    """Yield what is wrong with label files.

    Args:
        files: The files.
        asset: The asset that they belong to, if one is known.
    """
    for name, reason in files.refused:
        yield Finding(severity="error", rule="refused-labels", where=name, text=reason)
    expected = files.expected or files.names or (asset is not None and asset.labelled)
    if expected and not files.found.labels and not files.refused:
        yield Finding(
            severity="error",
            rule="no-label",
            where="labels",
            text="no label is there, so the training would fail: upload a file with start and end of a fault "
            "per line, or train without label files (labelled = false)",
        )
    for note in files.found.notes:
        yield Finding(severity="note", rule="reading", where="labels", text=note)


def period_findings(labels: Labels, span: Interval, asset: Asset | None) -> Iterator[Finding]:
    """Yield which labels overlap, contradict each other, or lie outside of what a model sees.

    Args:
        labels: All labels.
        span: Time from the first to the last row of the data.
        asset: The asset that they belong to, if one is known.
    """
    windows = [span] if asset is None else asset.windows
    for remark in labels.remarks(data=_time_span(span), windows=[_time_span(window) for window in windows]):
        severity: Severity = "error" if remark.rule == ALL_OF_TRAINING else "warning"
        yield Finding(severity=severity, rule=remark.rule, where="labels", text=remark.text)
    evaluation = None if asset is None else asset.evaluation
    if evaluation is not None and labels.labels and not any(map(evaluation.overlaps, fault_periods(labels))):
        yield Finding(
            severity="note",
            rule="labels-outside",
            where="evaluation",
            text="no fault lies in it, so nothing shows whether the model finds known faults",
        )


def _time_span(period: Interval) -> TimeSpan:
    start, end = (
        Decimal(int(time.astype("datetime64[us]").astype(np.int64))) / 1_000_000
        for time in (period.start, period.end)
    )
    return TimeSpan(start=start, end=end)
