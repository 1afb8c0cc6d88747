"""Findings about labels: files that cannot be read, and faults outside of what a model sees."""

from collections.abc import Iterator, Sequence

from l4e_cli import words
from l4e_cli.files.labels import Labels
from l4e_cli.interval import Interval
from l4e_cli.validate.asset import Asset
from l4e_cli.validate.result import Finding

_SHOWN = 3


def label_findings(labels: Labels, span: Interval | None, asset: Asset | None) -> Iterator[Finding]:
    """Yield what is wrong with labels.

    Args:
        labels: All labels.
        span: Time from the first to the last row of the data; None without rows.
        asset: The asset that they belong to, if one is known.
    """
    for _, reason in labels.refused:
        yield Finding(severity="error", rule="labels", where="labels", text=reason)
    if asset is not None and asset.labelled and not labels.periods and not labels.refused:
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
            text=f"{len(outside)} of {words.count(len(labels.periods), 'label')} outside all data, which "
            f"goes from {words.period(span)}: {_listed(outside)}. Check the order of day and month, and the "
            "time zone",
        )
    if asset is not None:
        yield from _of_windows(labels, asset, span)


def _of_windows(labels: Labels, asset: Asset, span: Interval) -> Iterator[Finding]:
    inside = [label for label in labels.periods if label.overlaps(span)]
    unused = [label for label in inside if not any(label.overlaps(window) for window in asset.windows)]
    if unused:
        yield Finding(
            severity="warning",
            rule="labels-outside",
            where="labels",
            text=f"{words.count(len(unused), 'label')} in neither window: {_listed(unused)}",
        )
    evaluation = asset.evaluation
    if inside and evaluation is not None and not any(label.overlaps(evaluation) for label in inside):
        yield Finding(
            severity="note",
            rule="labels-outside",
            where="evaluation",
            text="no label lies in it, so nothing shows whether the model finds known faults",
        )


def _listed(labels: Sequence[Interval]) -> str:
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return ", ".join(words.period(label) for label in labels[:_SHOWN]) + more
