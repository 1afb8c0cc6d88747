"""Label files: the periods of known faults, read as a training reads them."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass

from l4e_cli.files.layout import DataFile
from l4e_cli.files.service_rules import JobFailed, read_label_file
from l4e_cli.interval import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The periods of all label files, in order of time; `refused` are files that cannot be read, and why."""

    files: tuple[str, ...] = ()
    periods: tuple[Interval, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


def read_labels(files: Sequence[DataFile]) -> Labels:
    """Return the labels in some files."""
    periods: list[Interval] = []
    refused: list[tuple[str, str]] = []
    for file in files:
        try:
            periods += _read(file)
        except JobFailed as failed:
            refused.append((file.name, failed.reason))
    return Labels(
        files=tuple(file.name for file in files),
        periods=tuple(sorted(periods, key=lambda period: period.start)),
        refused=tuple(refused),
    )


def _read(file: DataFile) -> list[Interval]:
    with file.open() as stream:
        content = stream.read()
    text = (gzip.decompress(content) if file.gzip else content).decode("utf-8-sig")
    return [Interval(start=start, end=end) for start, end in read_label_file(file.name, text)]
