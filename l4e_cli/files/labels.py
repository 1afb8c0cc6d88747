"""Label files: the periods of known faults, read as a training reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from l4e_cli.files.layout import DataFile
from l4e_cli.files.service_rules import Label, Labels
from l4e_cli.interval import Interval
from l4e_cli.reader import UnusableFile
from l4e_files.label_periods import read_labels


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFiles:
    """What some label files hold.

    Attributes:
        names: Names of the files.
        found: Their labels, and notes about how they were read.
        refused: Names of the files that cannot be read, and why.
    """

    names: tuple[str, ...] = ()
    found: Labels = field(default_factory=Labels)
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def periods(self) -> list[Interval]:
        """The periods of the labels, in order of time."""
        periods = [
            Interval(start=_instant(label.start), end=_instant(label.end)) for label in self.found.labels
        ]
        return sorted(periods, key=lambda period: period.start)


def read_label_files(files: Sequence[DataFile]) -> LabelFiles:
    """Return the labels in some files."""
    labels: list[Label] = []
    notes: list[str] = []
    refused: list[tuple[str, str]] = []
    for file in files:
        with file.open() as stream:
            data = stream.read()
        try:
            found = read_labels(data)
        except UnusableFile as error:
            refused.append((file.name, str(error)))
            continue
        labels += [Label.of_file(file.name, period) for period in found.periods]
        notes += [f"{file.name}: {note}" for note in found.notes]
    return LabelFiles(
        names=tuple(file.name for file in files),
        found=Labels(labels=tuple(labels), notes=tuple(notes)),
        refused=tuple(refused),
    )


def _instant(time: datetime) -> np.datetime64:
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")
