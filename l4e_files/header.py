"""The header row of a data file, and which names it may hold."""

import csv
import re
from collections.abc import Sequence

from l4e_files.unusable import IllegalHeader, UnusableFile

NAME_RULE = "letters, digits and . _ : # $ -"
"""The characters of the name of a sensor, in words."""

MOST_CHARACTERS = 200
"""Length of the longest name."""

_LEGAL = re.compile(r"[0-9A-Za-z._:#$-]+")
_ILLEGAL_CHARACTER = re.compile(r"[^0-9A-Za-z ._:#$-]")
_WAY_OUT = "rename it in the export, or let `l4e prepare` clean the names"


def split_header(line: str, *, number: int = 1) -> tuple[str, ...]:
    """Return the names in a header line, without blanks around them.

    Args:
        line: The text of the line.
        number: Its number in the file.

    Raises:
        UnusableFile: When the line is not CSV.
    """
    try:
        return tuple(
            name.strip() for name in next(csv.reader([line.strip("\r\n")], skipinitialspace=True), [])
        )
    except csv.Error as error:  # a lone carriage return, or a name above the csv module's limit
        raise UnusableFile(
            f"the header (line {number}) {line[:80]!r} is not a line of CSV ({error}): lines must end with "
            "LF or CRLF, and quotation marks must be closed"
        ) from error


def without_empty_end(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names without the empty ones at the end."""
    last = len(names)
    while last and not names[last - 1]:
        last -= 1
    return tuple(names[:last])


def require_legal(names: Sequence[str], *, number: int = 1, detected: bool = False) -> None:
    """Require that columns can be told apart, and that their names may be those of sensors.

    Args:
        names: The names of the header, that of the timestamps first. That one may be anything.
        number: The line of the header.
        detected: Whether the schema is made from these names. Then a name with a blank is refused too, since
            no schema can have it; a column that a given schema does not have may bear it.

    Raises:
        IllegalHeader: When a sensor name has an illegal character, is empty or longer than 200 characters.
        UnusableFile: When a name is repeated.
    """
    for position, name in enumerate(names[1:], start=2):
        if not _LEGAL.fullmatch(name) or len(name) > MOST_CHARACTERS:
            _refuse(name, position, number, detected=detected)
    repeated = first_repeated(names)
    if repeated is not None:
        raise UnusableFile(
            f"the name {repeated!r} is repeated in the header (line {number}): every column needs a name of "
            "its own; rename one in the export, or let `l4e prepare` number them"
        )


def timestamp_name(names: Sequence[str]) -> str:
    """Return the name of the timestamp column in a schema made from a header.

    A file may call it anything: one that no schema may have becomes `Timestamp`.

    Args:
        names: The names of the header, that of the timestamps first.
    """
    legal = _LEGAL.fullmatch(names[0]) and len(names[0]) <= MOST_CHARACTERS and names[0] not in names[1:]
    return names[0] if legal else "Timestamp"


def first_repeated(names: Sequence[str]) -> str | None:
    """Return the first name that occurred before, `None` when each occurs once."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _refuse(name: str, position: int, number: int, *, detected: bool) -> None:
    """Raise for a name that is not legal; one with blanks only when the schema is made from it."""
    where = f"column {position} of the header (line {number})"
    illegal = _ILLEGAL_CHARACTER.search(name)
    if illegal:
        raise IllegalHeader(
            f"the name {name[:MOST_CHARACTERS]!r} of {where} has the illegal character {illegal[0]!r}: "
            f"names may hold {NAME_RULE}; {_WAY_OUT}"
        )
    if not name:
        raise IllegalHeader(f"{where} has no name: name it or remove the column, or run `l4e prepare`")
    if len(name) > MOST_CHARACTERS:
        raise IllegalHeader(
            f"the name of {where} has {len(name)} characters: 1 to {MOST_CHARACTERS} are allowed; {_WAY_OUT}"
        )
    if detected:
        raise IllegalHeader(
            f"the name {name!r} of {where} has a blank: names may hold {NAME_RULE}; write it as "
            f"{name.replace(' ', '_')!r} in the export, or let `l4e prepare` clean the names"
        )
