"""Reading a CSV file in blocks of whole lines, in memory that does not depend on the file."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from engine.ingest.header import UnusableFile

LINE_BYTES = 4 << 20
"""The longest line; a file with a longer one is refused."""

_PACKED_BYTES = 1 << 20
_QUOTE, _END = b'"', b"\n"


def blocks(source: BinaryIO, *, gzip: bool, block_bytes: int) -> Iterator[bytes]:
    """Yield the header line, then blocks of whole lines of about ``block_bytes`` (more for a longer line).

    A block ends outside quotation marks, unless one stays open for longer than any line.

    Raises:
        UnusableFile: damaged gzip, or a line that does not end.

    """
    chunks = _inflated(source, block_bytes) if gzip else iter(lambda: source.read(block_bytes), b"")
    rest, header_due = b"", True
    for chunk in chunks:
        if not header_due and _QUOTE not in chunk and _QUOTE not in rest and (end := chunk.rfind(_END) + 1):
            yield b"".join((rest, memoryview(chunk)[:end]))  # the usual case: one copy
            rest = chunk[end:]
            continue
        rest += chunk
        if header_due and (end := rest.find(_END) + 1):
            yield rest[:end]
            rest, header_due = rest[end:], False
        if not header_due and (end := _last_end(rest)):
            yield rest[:end]
            rest = rest[end:]
        if len(rest) > LINE_BYTES:
            raise UnusableFile(
                f"no line ends within {LINE_BYTES >> 20} MiB after {rest[:40]!r}: this is no CSV file"
            )
    if rest:
        yield rest


def _last_end(data: bytes) -> int:
    """Return the offset behind the last line end outside quotation marks, 0 when there is none.

    Of more than a line that holds no such end, any end will do: some quotation mark is none.
    """
    at = newest = data.rfind(_END)
    before = data.count(_QUOTE, 0, at + 1)
    while at >= 0 and before % 2:
        opened = data.rfind(_QUOTE, 0, at)
        end, at = at, data.rfind(_END, 0, opened)
        before -= data.count(_QUOTE, at + 1, end)
    return (newest if at < 0 and len(data) > LINE_BYTES else at) + 1


def _inflated(source: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the uncompressed bytes of all gzip members, at least ``size`` at a time save for the last."""
    gathered: list[bytes] = []
    have = 0
    for data in _members(source, size):
        gathered.append(data)
        have += len(data)
        if have >= size:
            yield b"".join(gathered)
            gathered, have = [], 0
    if gathered:
        yield b"".join(gathered)


def _members(source: BinaryIO, size: int) -> Iterator[bytes]:
    member, packed = zlib.decompressobj(zlib.MAX_WBITS | 16), source.read(_PACKED_BYTES)
    while packed:
        try:
            data = member.decompress(packed, size)
        except zlib.error as error:
            raise UnusableFile(f"the file is not readable as gzip: {error}") from error
        if data:
            yield data
        packed = (member.unused_data if member.eof else member.unconsumed_tail) or source.read(_PACKED_BYTES)
        if member.eof:
            while packed and not (packed := packed.lstrip(b"\0")):  # zeros may pad a file
                packed = source.read(_PACKED_BYTES)
            if packed:
                member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    if not member.eof:
        raise UnusableFile("the file is not readable as gzip: it ends early")
