"""Findings about labels: files that cannot be read, and faults outside of what a model sees."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from l4e_cli.files.labels import LabelFiles
from l4e_cli.files.service_rules import TimeSpan
from l4e_cli.interval import Interval
from l4e_cli.validate.asset import Asset
from l4e_cli.validate.result import Finding


def label_findings(labels: LabelFiles, span: Interval | None, asset: Asset | None) -> Iterator[Finding]:
    """Yield what is wrong with labels.

    Args:
        labels: All labels.
        span: Time from the first to the last row of the data; None without rows.
        asset: The asset that they belong to, if one is known.
    """
    for name, reason in labels.refused:
        yield Finding(severity="error", rule="refused-labels", where=name, text=reason)
    found = labels.found
    if asset is not None and asset.labelled and not found.labels and not labels.refused:
        yield Finding(
            severity="error",
            rule="no-label",
            where="labels",
            text="no label is there, so the training would fail: upload a file with start and end of a fault "
            "per line, or set labelled = false",
        )
    for note in found.notes:
        yield Finding(severity="note", rule="reading", where="labels", text=note)
    if span is None:
        return
    windows = [span] if asset is None else asset.windows
    report = found.report(data=_time_span(span), windows=[_time_span(window) for window in windows])
    for note in report["notes"] if report is not None else ():
        if note not in found.notes:
            yield Finding(severity="warning", rule="labels-outside", where="labels", text=note)
    evaluation = None if asset is None else asset.evaluation
    if evaluation is not None and labels.periods and not any(map(evaluation.overlaps, labels.periods)):
        yield Finding(
            severity="note",
            rule="labels-outside",
            where="evaluation",
            text="no label lies in it, so nothing shows whether the model finds known faults",
        )


def _time_span(period: Interval) -> TimeSpan:
    start, end = (
        Decimal(int(time.astype("datetime64[us]").astype(np.int64))) / 1_000_000
        for time in (period.start, period.end)
    )
    return TimeSpan(start=start, end=end)
