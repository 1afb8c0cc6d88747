"""The header row of a data file, and which names it may hold."""

import csv
import re
from collections.abc import Sequence

import numpy as np

from engine.ingest.file_errors import IllegalHeader, UnusableFile
from engine.ingest.timestamps import parse_timestamps

_ILLEGAL_CHARACTER = re.compile(r"[^0-9A-Za-z ._:#$-]")
_MAX_NAME_LENGTH = 200


def decode_header(line: bytes) -> str:
    """Return the text of the header line, without byte order mark and line end.

    Args:
        line: The first line of a file.

    Raises:
        UnusableFile: When the line is empty or not UTF-8 text.
    """
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableFile(f"the header is not UTF-8 text: {error}") from error
    if "\0" in text:
        raise UnusableFile("the header holds NUL bytes: this is not a CSV file")
    if not text.strip():
        raise UnusableFile("the file is empty")
    return text.strip("\r\n")


def parse_header(line: str) -> tuple[str, ...]:
    """Return the column names of the header line, the timestamp column first.

    Args:
        line: The text of the header line.

    Raises:
        IllegalHeader: When a sensor name holds a character other than `0-9 A-Z a-z . _ : # $ -` and blank,
            is empty, or has more than 200 characters.
        UnusableFile: When there are fewer than two columns or a name is repeated, when the line is not CSV,
            or when it already holds data.
    """
    try:
        names = tuple(name.strip() for name in next(csv.reader([line]), []))
    except csv.Error as error:  # a lone carriage return, or a name above the csv module's limit
        raise UnusableFile(f"the header {line[:80]!r} is not a line of CSV: {error}") from error
    if len(names) < 2:
        raise UnusableFile(
            f"the header {line[:80]!r} has {len(names)} column(s); a file needs a timestamp and a sensor"
        )
    if not np.isnat(parse_timestamps(names[:1])[0]):
        raise UnusableFile(f"the first line starts with the timestamp {names[0]!r}: a header row is missing")
    for position, name in enumerate(names[1:], start=2):
        _require_legal(name, position)
    repeated = _first_repeated(names)
    if repeated is not None:
        raise UnusableFile(f"the header name {repeated!r} is repeated; every column needs its own name")
    return names


def _require_legal(name: str, position: int) -> None:
    illegal = _ILLEGAL_CHARACTER.search(name)
    if illegal:
        raise IllegalHeader(
            f"column {name!r} has the illegal character {illegal[0]!r}; "
            "headers may hold letters, digits, blanks and . _ : # $ -"
        )
    if not 1 <= len(name) <= _MAX_NAME_LENGTH:
        raise IllegalHeader(
            f"column {position} has a name of {len(name)} characters; 1 to {_MAX_NAME_LENGTH} are allowed"
        )


def _first_repeated(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
