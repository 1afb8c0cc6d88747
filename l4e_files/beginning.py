"""Recognise from its first bytes and lines what kind of file one has."""

from dataclasses import dataclass

from l4e_files.header import decode_header, parse_header
from l4e_files.repairs import Repair

HEAD_BYTES = 64 << 10
"""How much of a file is looked at; a longer first line is looked at as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is decided about a file from its first lines.

    Attributes:
        header: The names of the columns, that of the timestamps first.
        width: Number of cells of a row; columns beyond the header have no name.
        offset: Number of bytes before the first row.
        lines: Number of lines before the first row.
        repairs: What was put right.
        notes: Readings that were taken where another one was possible.
    """

    header: tuple[str, ...]
    width: int
    offset: int
    lines: int
    repairs: tuple[Repair, ...] = ()
    notes: tuple[str, ...] = ()


def recognise(
    head: bytes, *, gzip: bool = False, max_columns: int | None = None, detected: bool = False
) -> Beginning:
    """Return what the first lines of a file say about all of it.

    Args:
        head: The first bytes of the file, uncompressed, 64 KiB or more unless it is shorter.
        gzip: Whether the name of the file says that it is compressed.
        max_columns: Most columns that the header may have, that of the timestamps included.
        detected: Whether the schema is made from this header: then no name may hold a blank.

    Raises:
        UnusableFile: When this is not a file that the service takes. The message says what it is, names the
            line, the rule and the fix.
        IllegalHeader: When a name in the header is illegal.
    """
    del gzip, max_columns, detected
    first = head[: head.find(b"\n") + 1 or len(head)]
    header = parse_header(decode_header(first))
    return Beginning(header=header, width=len(header), offset=len(first), lines=1)
