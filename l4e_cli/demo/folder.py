"""Recordings from a folder of CSV files, read as the service reads them."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow.parquet as pq

from l4e_cli.demo.recording import ComponentRecording, Recording
from l4e_cli.errors import CliError
from l4e_cli.files.labels import read_label_files
from l4e_cli.files.layout import DataFile, demo_layout
from l4e_cli.files.places import folder_of
from l4e_cli.files.reading import convert_component, merge

_ILLEGAL = re.compile(r"[^0-9A-Za-z:#$._-]+")


def read_folder(folder: Path) -> Recording:
    """Read a folder of sensor files, laid out as `demo_layout` says.

    Characters that the service does not allow in the names of sensors become `_`.

    Raises:
        CliError: when a file cannot be used; the message names the file, what was found and what to change.
    """
    layout = demo_layout(folder_of(folder))
    if not layout.components:
        raise CliError(f"no .csv or .csv.gz file in {str(folder)!r}, nor in the folders inside it")
    labels = read_label_files(layout.labels)
    for name, reason in labels.refused:
        raise CliError(f"{folder / name}: {reason}")
    with TemporaryDirectory(prefix="l4e-demo-") as work:
        components = tuple(
            _component(name, files, Path(work)) for name, files in sorted(layout.components.items())
        )
    return Recording(components=components, labels=tuple(labels.periods))


def _component(name: str, files: Sequence[DataFile], work: Path) -> ComponentRecording:
    converted = convert_component(name, [_with_legal_names(file) for file in files], work)
    for outcome in converted.outcomes:
        if outcome.refusal is not None:
            raise CliError(f"{outcome.file.place}/{outcome.file}: {outcome.refusal}")
    merged = work / f"{name}.parquet"
    with merged.open("wb") as sink:
        merge(converted, sink)
    table = pq.read_table(merged)
    merged.unlink()
    times, *columns = (column.to_numpy() for column in table.columns)
    return ComponentRecording(
        name=name, sensors=converted.columns, times=times, values=np.column_stack(columns).astype(np.float64)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _RenamedFile(DataFile):
    """A file with another first line."""

    header: bytes

    @property
    def gzip(self) -> bool:
        return False

    def open(self) -> BinaryIO:
        stream = _plain(self.place.open(self.name), packed=self.name.lower().endswith(".gz"))
        stream.readline()
        return cast("BinaryIO", io.BufferedReader(_Joined(self.header, stream), 1 << 20))


class _Joined(io.RawIOBase):
    """Some bytes, then the rest of a stream."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first, self._rest = first, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._first[: len(buffer)] or self._rest.read(len(buffer))
        self._first = self._first[len(data) :]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._rest.close()
        super().close()


def _with_legal_names(file: DataFile) -> DataFile:
    """Return a file whose sensors have names that the service allows.

    Raises:
        CliError: when two sensors would have the same one.
    """
    try:
        with _plain(file.open(), packed=file.gzip) as stream:
            names = next(csv.reader([stream.readline().decode("utf-8-sig")]), [])
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error):
        return file  # the service's reader says what is wrong with it
    legal = [*names[:1], *(_ILLEGAL.sub("_", name.strip()) for name in names[1:])]
    origins: dict[str, str] = {}
    for name, given in zip(legal[1:], names[1:], strict=True):
        if name and origins.get(name, given) != given:
            raise CliError(
                f"{file.place}/{file}: the columns {origins[name]!r} and {given!r} would both become "
                f"{name!r}, since names may hold letters, digits and . _ - : # $ only: rename one of them"
            )
        origins[name] = given
    if legal == names:
        return file
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(legal)
    return _RenamedFile(place=file.place, name=file.name, size=file.size, header=text.getvalue().encode())


class _Unpacked(gzip.GzipFile):
    """A compressed stream, which is closed together with this one."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(fileobj=packed)
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


def _plain(stream: BinaryIO, *, packed: bool) -> BinaryIO:
    return cast("BinaryIO", _Unpacked(stream)) if packed else stream
