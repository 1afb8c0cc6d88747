"""The header row of a data file: which names are legal, and what makes a whole file unusable."""

import csv
import re
from collections.abc import Sequence

import numpy as np

from engine.ingest.timestamps import parse_timestamps

TIMESTAMP = "Timestamp"
"""Name of the first column of every Parquet file the engine writes."""

_ILLEGAL = re.compile(r"[^0-9A-Za-z ._:#$-]")
_MAX_NAME = 200


class UnusableFile(ValueError):  # noqa: N818 - a name of the engine's published interface
    """The file as a whole cannot be used; the message says why."""


class IllegalHeader(UnusableFile):
    """A header holds a character, or has a form, that fails the whole ingestion job."""


def decode_header(line: bytes) -> str:
    """Return the text of the header line. Raises UnusableFile when it is empty or no UTF-8 text."""
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableFile(f"the header is not UTF-8 text: {error}") from error
    if "\0" in text:
        raise UnusableFile("the header holds NUL bytes: this is no CSV file")
    if not text.strip():
        raise UnusableFile("the file is empty")
    return text.strip("\r\n")


def parse_header(line: str) -> tuple[str, ...]:
    """Return the column names of the header line, the timestamp column first.

    Raises:
        IllegalHeader: a name holds a character outside ``0-9 A-Z a-z . _ : # $ -`` and blank, is empty or too
            long.
        UnusableFile: fewer than two columns, a repeated name, or a first line that already is data.

    """
    try:
        names = tuple(name.strip() for name in next(csv.reader([line]), []))
    except csv.Error as error:  # a lone carriage return, or a name beyond all limits
        raise UnusableFile(f"the header {line[:80]!r} is no line of CSV: {error}") from error
    if len(names) < 2:
        raise UnusableFile(
            f"the header {line[:80]!r} has {len(names)} column(s); a file needs a timestamp and a sensor"
        )
    if not np.isnat(parse_timestamps(names[:1])[0]):
        raise UnusableFile(f"the first line starts with the timestamp {names[0]!r}: a header row is missing")
    for position, name in enumerate(names[1:], start=2):
        _check(name, position)
    repeated = _first_repeated(names)
    if repeated is not None:
        raise UnusableFile(f"the header name {repeated!r} is repeated; every column needs its own name")
    return names


def _check(name: str, position: int) -> None:
    illegal = _ILLEGAL.search(name)
    if illegal:
        raise IllegalHeader(
            f"column {name!r} has the illegal character {illegal[0]!r}; "
            "headers may hold letters, digits, blanks and . _ : # $ -"
        )
    if not 1 <= len(name) <= _MAX_NAME:
        raise IllegalHeader(
            f"column {position} has a name of {len(name)} characters; 1 to {_MAX_NAME} are allowed"
        )


def _first_repeated(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
