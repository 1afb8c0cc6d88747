"""Read the files of a component as the service does: to columns on disk, and to reports of what was found."""

import io
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from l4e_cli.files.layout import DataFile
from l4e_cli.files.service_rules import Settings, SourceFile
from l4e_cli.reader import (
    ComponentReport,
    FileReport,
    IllegalHeader,
    UnusableFile,
    convert_file,
    merge_component,
)

OnBytes = Callable[[int], None]
"""Called with the number of bytes of a file that were just read, compressed if it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """What became of a file.

    Attributes:
        file: The file.
        report: What was found in it; None when it was refused.
        refusal: Why it was refused; None when it was not.
        fails_job: Whether such a file fails the whole ingestion, and not only itself.
    """

    file: DataFile
    report: FileReport | None = None
    refusal: str | None = None
    fails_job: bool = False

    def source_of(self, component: str) -> SourceFile:
        """Return the file as the service lists it."""
        return SourceFile(key=self.file.name, size=self.file.size, component=component)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedComponent:
    """The files of a component after reading, each usable one with its columns in a file on disk.

    Attributes:
        name: Name of the component.
        columns: The sensors: those of the schema, else those of all headers.
        outcomes: One for each file, in the order of the service.
        parts: The columns of the files with a report, in the same order.
    """

    name: str
    columns: tuple[str, ...]
    outcomes: tuple[FileOutcome, ...]
    parts: tuple[Path, ...]

    @property
    def reports(self) -> list[FileReport]:
        """The reports of the files that were not refused."""
        return [outcome.report for outcome in self.outcomes if outcome.report is not None]


def convert_component(
    name: str,
    files: Sequence[DataFile],
    folder: Path,
    *,
    columns: tuple[str, ...] | None = None,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    on_bytes: OnBytes = lambda _count: None,
) -> ConvertedComponent:
    """Convert the files of a component.

    Args:
        name: Name of the component.
        files: Its files, in the order of the service.
        folder: Receives the columns.
        columns: The sensors of the schema; None takes those of all headers.
        settings: The limits of the service.
        on_bytes: Called as the files are read.
    """
    outcomes: list[FileOutcome] = []
    parts: list[Path] = []
    for index, file in enumerate(files):
        part = folder / f"{name}-{index}.parquet"
        outcome = _convert(file, part, columns, settings, on_bytes)
        outcomes.append(outcome)
        if outcome.report is not None:
            parts.append(part)
    names = columns
    if names is None:
        headers = (outcome.report.header[1:] for outcome in outcomes if outcome.report is not None)
        names = tuple(dict.fromkeys(sensor for header in headers for sensor in header))
        for index, outcome in enumerate(outcomes):
            if outcome.report is not None and outcome.report.columns != names:
                part = folder / f"{name}-{index}.parquet"
                outcomes[index] = _convert(outcome.file, part, names, settings, lambda _count: None)
    return ConvertedComponent(name=name, columns=names, outcomes=tuple(outcomes), parts=tuple(parts))


def merge(component: ConvertedComponent, sink: BinaryIO) -> ComponentReport:
    """Merge the files of a component, at least one of which is usable, and remove their columns."""
    with ExitStack() as stack:
        sources = [stack.enter_context(part.open("rb")) for part in component.parts]
        report = merge_component(sources, component.reports, sink)
    for part in component.parts:
        part.unlink()
    return report


def _convert(
    file: DataFile, part: Path, columns: tuple[str, ...] | None, settings: Settings, on_bytes: OnBytes
) -> FileOutcome:
    most = settings.columns_per_dataset
    opened = 0

    def open_source() -> BinaryIO:
        """Open the file; only what is read the first time is progress."""
        nonlocal opened
        opened += 1
        return _counted(file.open(), on_bytes) if opened == 1 else file.open()

    try:
        with part.open("wb") as sink:
            report = convert_file(
                open_source,
                sink,
                columns=columns,
                gzip=file.gzip,
                max_columns=None if most is None else most + 1,
            )
    except IllegalHeader as error:
        return FileOutcome(file=file, refusal=str(error), fails_job=True)
    except UnusableFile as error:
        return FileOutcome(file=file, refusal=str(error))
    return FileOutcome(file=file, report=report)


class _Counted(io.RawIOBase):
    """A stream that says how much of it was read."""

    def __init__(self, stream: BinaryIO, on_bytes: OnBytes) -> None:
        self._stream, self._on_bytes = stream, on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._on_bytes(len(data))
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _counted(stream: BinaryIO, on_bytes: OnBytes) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_Counted(stream, on_bytes), 1 << 20))
