"""Recordings from a folder of CSV files."""

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from l4e_cli.demo.recording import ComponentRecording, Interval, Recording, Times, Values
from l4e_cli.errors import CliError

_LABELS = "labels.csv"
_DATA = re.compile(r"\.csv(\.gz)?$", re.IGNORECASE)
_ILLEGAL = re.compile(r"[^0-9A-Za-z._-]+")
_GENERIC_NAME = "data"


def read_folder(folder: Path) -> Recording:
    """Read a folder of sensor files.

    Each `.csv` or `.csv.gz` directly in it is a component named after the file (after the folder when
    the file is called `data`); each folder in it is a component made of all the files inside. The first
    column is the time, the others are sensors. `labels.csv` holds start and end of one fault per line.
    Characters that the service does not allow in names become `_`.

    Raises:
        CliError: when a file cannot be used; the message names file, line and what to change.
    """
    if not folder.is_dir():
        raise CliError(f"{str(folder)!r} is not a folder: name a folder that holds CSV files")
    components = tuple(_component(name, files) for name, files in sorted(_files_by_component(folder).items()))
    if not components:
        raise CliError(f"no .csv or .csv.gz file in {str(folder)!r}, nor in the folders inside it")
    labels = folder / _LABELS
    return Recording(components=components, labels=_labels(labels) if labels.is_file() else ())


def _files_by_component(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            files = [file for file in sorted(path.iterdir()) if _DATA.search(file.name)]
            if files:
                found[_legal(path.name)] = files
        elif _DATA.search(path.name) and path.name != _LABELS:
            stem = _DATA.sub("", path.name)
            found[_legal(folder.resolve().name if stem == _GENERIC_NAME else stem)] = [path]
    return found


def _component(name: str, files: Sequence[Path]) -> ComponentRecording:
    parts = [_read_file(file) for file in files]
    sensors = parts[0][0]
    for file, (other, _, _) in zip(files, parts, strict=True):
        if other != sensors:
            raise CliError(
                f"{file} has the columns {', '.join(other)}, but {files[0]} has {', '.join(sensors)}: "
                "all files of one component need the same columns"
            )
    return ComponentRecording(
        name=name,
        sensors=sensors,
        times=np.concatenate([times for _, times, _ in parts]),
        values=np.vstack([values for _, _, values in parts]),
    )


def _read_file(file: Path) -> tuple[tuple[str, ...], Times, Values]:
    rows = _rows(file)
    header = next(rows, None)
    if header is None or len(header[1]) < 2:
        raise CliError(f"{file} needs a header line: the time column and at least one sensor")
    sensors = tuple(_legal(column.strip()) for column in header[1][1:])
    stamps: list[str] = []
    values: list[list[float]] = []
    for number, row in rows:
        if len(row) != len(sensors) + 1:
            raise CliError(f"{file} line {number} has {len(row)} columns, its header has {len(sensors) + 1}")
        stamps.append(_iso(row[0], file, number))
        values.append([_number(text) for text in row[1:]])
    if not stamps:
        raise CliError(f"{file} has a header but no data row")
    return sensors, np.array(stamps, dtype="datetime64[ms]"), np.array(values, dtype=np.float64)


def _labels(file: Path) -> tuple[Interval, ...]:
    found = []
    for number, row in _rows(file):
        if len(row) != 2:
            raise CliError(f"{file} line {number} has {len(row)} columns: a label is its start and its end")
        start, end = (np.datetime64(_iso(text, file, number), "ms") for text in row)
        if end < start:
            raise CliError(f"{file} line {number} ends at {row[1]}, before it starts: swap the two")
        found.append(Interval(start=start, end=end))
    return tuple(sorted(found, key=lambda label: label.start))


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    opener = gzip.open if file.suffix.lower() == ".gz" else open
    with opener(file, "rt", encoding="utf-8-sig", newline="") as text:
        for number, row in enumerate(csv.reader(text), start=1):
            if row:
                yield number, row


def _iso(text: str, file: Path, number: int) -> str:
    stamp = text.strip().replace("/", "-").removesuffix("Z")
    try:
        np.datetime64(stamp, "ms")
    except ValueError:
        raise CliError(
            f"{file} line {number}: {text!r} is not a time: write it like 2026-01-31T23:59:00 in UTC"
        ) from None
    return stamp


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _legal(name: str) -> str:
    return _ILLEGAL.sub("_", name)
