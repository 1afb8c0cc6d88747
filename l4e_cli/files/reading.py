"""Read the files of a component as the service does: to columns on disk, and to reports of what was found."""

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from l4e_cli.files.layout import DataFile
from l4e_cli.files.service_rules import (
    SecondReading,
    Settings,
    SourceFile,
    is_day_first,
    read_csv,
    second_reading,
)
from l4e_cli.reader import (
    ComponentReport,
    FileReport,
    IllegalHeader,
    UnusableFile,
    far_rows,
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


def convert_components(
    components: Mapping[str, Sequence[DataFile]],
    folder: Path,
    *,
    columns: Mapping[str, tuple[str, ...]] | None = None,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    on_component: Callable[[str], None] = lambda _name: None,
    on_bytes: OnBytes = lambda _count: None,
) -> list[ConvertedComponent]:
    """Convert the files of all components of an ingestion, in order of their names.

    Args:
        components: The files of each component, in the order of the service.
        folder: Receives the columns.
        columns: The sensors of each component in the schema; None takes those of all headers.
        settings: The limits of the service.
        on_component: Called with the name of the component that is read next.
        on_bytes: Called as files are read.
    """
    converter = _Converter(folder=folder, settings=settings, on_bytes=on_bytes)
    first: dict[str, list[FileOutcome]] = {}
    for name, files in sorted(components.items()):
        on_component(name)
        known = None if columns is None else columns[name]
        first[name] = [converter.convert(file, f"{name}-{at}", known) for at, file in enumerate(files)]
    day_first = is_day_first(out.report for outs in first.values() for out in outs if out.report is not None)
    return [
        converter.finish(name, outcomes, None if columns is None else columns[name], day_first=day_first)
        for name, outcomes in first.items()
    ]


def merge(component: ConvertedComponent, sink: BinaryIO) -> ComponentReport:
    """Merge the files of a component, at least one of which is usable, and remove their columns."""
    with ExitStack() as stack:
        sources = [stack.enter_context(part.open("rb")) for part in component.parts]
        far = far_rows([report.periods for report in component.reports])
        report = merge_component(sources, component.reports, sink, far=far)
    for part in component.parts:
        part.unlink()
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Converter:
    """Converts files under the limits of a service."""

    folder: Path
    settings: Settings
    on_bytes: OnBytes

    def convert(
        self,
        file: DataFile,
        name: str,
        columns: tuple[str, ...] | None,
        reading: SecondReading | None = None,
    ) -> FileOutcome:
        """Convert a file to the part `name`; only what is read of it for the first time is progress."""
        fresh = reading is None

        def open_source() -> BinaryIO:
            nonlocal fresh
            counted, fresh = fresh, False
            return _counted(file.open(), self.on_bytes) if counted else file.open()

        try:
            with self.part(name).open("wb") as sink:
                report = read_csv(
                    open_source,
                    sink,
                    columns=columns,
                    gzip=file.gzip,
                    settings=self.settings,
                    day_first=None if reading is None else reading.day_first,
                )
        except IllegalHeader as error:
            return FileOutcome(file=file, refusal=str(error), fails_job=True)
        except UnusableFile as error:
            return FileOutcome(file=file, refusal=str(error))
        return FileOutcome(file=file, report=report)

    def finish(
        self, name: str, first: Sequence[FileOutcome], columns: tuple[str, ...] | None, *, day_first: bool
    ) -> ConvertedComponent:
        """Read again the files of a component that others show to be meant otherwise."""
        headers = (outcome.report.header[1:] for outcome in first if outcome.report is not None)
        names = columns or tuple(dict.fromkeys(sensor for header in headers for sensor in header))
        outcomes = [
            self._again(outcome, f"{name}-{at}", names, day_first=day_first)
            for at, outcome in enumerate(first)
        ]
        usable = [self.part(f"{name}-{at}") for at, out in enumerate(outcomes) if out.report is not None]
        return ConvertedComponent(name=name, columns=names, outcomes=tuple(outcomes), parts=tuple(usable))

    def part(self, name: str) -> Path:
        """Return the file for the columns of a part."""
        return self.folder / f"{name}.parquet"

    def _again(
        self, outcome: FileOutcome, name: str, columns: tuple[str, ...], *, day_first: bool
    ) -> FileOutcome:
        if outcome.report is None:
            return outcome
        reading = second_reading(outcome.report, columns, day_first=day_first)
        return outcome if reading is None else self.convert(outcome.file, name, columns, reading)


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
