"""Read a CSV file in blocks of whole lines, in memory that does not grow with the file."""

import zlib
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from l4e_files.beginning import HEAD_BYTES
from l4e_files.formats import refuse_uncompressed
from l4e_files.unusable import UnusableFile

LINE_BYTES = 4 << 20
"""Length of the longest line; a file with a longer one is refused."""

_COMPRESSED_BYTES = 1 << 20
_QUOTE, _NEWLINE = b'"', b"\n"


def read_chunks(source: BinaryIO, *, gzip: bool, block_bytes: int) -> Iterator[bytes]:
    """Yield the uncompressed bytes of a file.

    Args:
        source: The file.
        gzip: Whether it is compressed; it may consist of several gzip members.
        block_bytes: About the size of a chunk.

    Raises:
        UnusableFile: When the gzip data is damaged.
    """
    return _decompress(source, block_bytes) if gzip else iter(lambda: source.read(block_bytes), b"")


def read_head(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first lines, with the whole header unless it is too long, and all chunks again.

    Args:
        chunks: What `read_chunks` yields.
    """
    taken: list[bytes] = []
    head = b""
    for chunk in chunks:
        taken.append(chunk)
        head += chunk[: max(HEAD_BYTES, LINE_BYTES + 1 - len(head))]
        end = head.rfind(_NEWLINE, 0, HEAD_BYTES)
        if len(head) >= HEAD_BYTES and (end >= 0 or len(head) > LINE_BYTES):
            break
    cut = HEAD_BYTES if _NEWLINE in head[:HEAD_BYTES] else head.find(_NEWLINE) + 1 or len(head)
    return head[:cut], chain(taken, chunks)


def skip_bytes(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Yield the chunks without the first bytes."""
    for chunk in chunks:
        if count < len(chunk):
            yield chunk[count:] if count else chunk
        count = max(0, count - len(chunk))


def read_blocks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield blocks of whole lines.

    A block ends outside quotation marks, unless a mark stays open for longer than the longest line.

    Args:
        chunks: The bytes after the header. A block is about as large as a chunk; one that holds a longer line
            is larger.

    Raises:
        UnusableFile: When a line is longer than 4 MiB.
    """
    rest = b""
    for chunk in chunks:
        if _QUOTE not in chunk and _QUOTE not in rest and (end := chunk.rfind(_NEWLINE) + 1):
            yield b"".join((rest, memoryview(chunk)[:end]))  # the usual case: one copy
            rest = chunk[end:]
            continue
        rest += chunk
        if end := _last_line_end(rest):
            yield rest[:end]
            rest = rest[end:]
        require_line_end(rest)
    if rest:
        yield rest


def require_line_end(data: bytes) -> None:
    """Require that a line ends within 4 MiB.

    Raises:
        UnusableFile: When none does.
    """
    if len(data) > LINE_BYTES:
        raise UnusableFile(
            f"no line ends within {LINE_BYTES >> 20} MiB after {data[:40]!r}: this is not a CSV file; lines "
            "must end with LF or CRLF"
        )


def _last_line_end(data: bytes) -> int:
    """Return the offset behind the last line end outside quotation marks, 0 when there is none.

    When more data than the longest line holds no such end, a quotation mark was not meant as one, and the
    last line end of all is returned.
    """
    at = last = data.rfind(_NEWLINE)
    before = data.count(_QUOTE, 0, at + 1)
    while at >= 0 and before % 2:
        opened = data.rfind(_QUOTE, 0, at)
        end, at = at, data.rfind(_NEWLINE, 0, opened)
        before -= data.count(_QUOTE, at + 1, end)
    return (last if at < 0 and len(data) > LINE_BYTES else at) + 1


def _decompress(source: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the uncompressed bytes of all gzip members, at least `size` at a time except for the last."""
    gathered: list[bytes] = []
    length = 0
    for data in _decompress_members(source, size):
        gathered.append(data)
        length += len(data)
        if length >= size:
            yield b"".join(gathered)
            gathered, length = [], 0
    if gathered:
        yield b"".join(gathered)


def _decompress_members(source: BinaryIO, size: int) -> Iterator[bytes]:
    member, compressed = zlib.decompressobj(zlib.MAX_WBITS | 16), source.read(_COMPRESSED_BYTES)
    refuse_uncompressed(compressed)
    while compressed:
        try:
            data = member.decompress(compressed, size)
        except zlib.error as error:
            raise UnusableFile(f"the file is not readable as gzip ({error}): upload it again") from error
        if data:
            yield data
        rest = member.unused_data if member.eof else member.unconsumed_tail
        compressed = rest or source.read(_COMPRESSED_BYTES)
        if member.eof:
            while compressed and not (compressed := compressed.lstrip(b"\0")):  # zeros may pad a file
                compressed = source.read(_COMPRESSED_BYTES)
            if compressed:
                member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    if not member.eof:
        raise UnusableFile("the file is not readable as gzip: it ends early; upload it again")
