"""Label files, read as a training reads them, and files of label groups, read as the constructs do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from l4e_cli.files.layout import DataFile
from l4e_cli.files.service_rules import ANOMALY, Label, Labels, too_large
from l4e_cli.interval import Interval
from l4e_cli.reader import UnusableFile
from l4e_files.label_periods import read_labels
from l4e_files.rated_labels import RatedLabel, read_rated_labels


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFiles:
    """What some label files hold.

    Attributes:
        names: Names of the files.
        found: Their labels, and notes about how they were read.
        refused: Names of the files that cannot be read, and why.
        expected: Whether somebody said where they are.
    """

    names: tuple[str, ...] = ()
    found: Labels = field(default_factory=Labels)
    refused: tuple[tuple[str, str], ...] = ()
    expected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelGroupFile:
    """The file of a label group.

    Attributes:
        name: Name of the file.
        labels: Its labels as they stand there.
        remarks: How they were read where other readings were possible; the constructs take no such file.
        refused: Why it cannot be read, if it cannot.
    """

    name: str
    labels: tuple[RatedLabel, ...] = ()
    remarks: tuple[str, ...] = ()
    refused: str | None = None

    @property
    def found(self) -> Labels:
        """The labels as a training takes them."""
        return Labels(
            labels=tuple(
                Label.of_file(self.name, each.period, rating=each.rating, fault_code=each.fault_code)
                for each in self.labels
            )
        )


def fault_periods(labels: Labels) -> list[Interval]:
    """Return the periods of the labels that are faults, in order of time."""
    periods = [
        Interval(start=_instant(label.start), end=_instant(label.end))
        for label in labels.labels
        if label.rating == ANOMALY
    ]
    return sorted(periods, key=lambda period: period.start)


def read_label_files(files: Sequence[DataFile], *, expected: bool = False) -> LabelFiles:
    """Return the labels in some files, which somebody said where to find if they are `expected`."""
    labels: list[Label] = []
    notes: list[str] = []
    refused: list[tuple[str, str]] = []
    for file in files:
        if problem := too_large(file.size):
            refused.append((file.name, problem))
            continue
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
        expected=expected,
    )


def read_label_group_file(file: DataFile) -> LabelGroupFile:
    """Return the labels of the file of a label group."""
    with file.open() as stream:
        data = stream.read()
    try:
        found = read_rated_labels(data)
    except UnusableFile as error:
        return LabelGroupFile(name=file.name, refused=str(error))
    return LabelGroupFile(name=file.name, labels=found.labels, remarks=found.remarks)


def looks_like_labels(file: DataFile) -> bool:
    """Return whether a file that lies among sensor files can be read as a label file."""
    if too_large(file.size):
        return False
    with file.open() as stream:
        data = stream.read()
    try:
        return bool(read_rated_labels(data).labels)
    except UnusableFile:
        return False


def _instant(time: datetime) -> np.datetime64:
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")
