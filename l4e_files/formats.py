"""Recognise files that are not plain text in UTF-8, by their bytes."""

import codecs
import re

from l4e_files.unusable import UnusableFile

PREPARE = "or let `l4e prepare` turn it into files that the service takes"

_AS_CSV = "save it as CSV (comma delimited, UTF-8)"
_ORC = b"ORC"
_OTHER_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook of an old Excel (.xls)", _AS_CSV),
    (b"PAR1", "a Parquet file", "export it as CSV"),
    (b"ARROW1", "an Arrow file", "export it as CSV"),
    (b"Obj\x01", "an Avro file", "export it as CSV"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "export it as CSV"),
    (b"SQLite format 3\0", "an SQLite database", "export its table as CSV"),
    (_ORC, "an ORC file", "export it as CSV"),
    (b"FEA1", "a Feather file", "export it as CSV"),
    (b"MATLAB 5.0", "a file of MATLAB", "export it as CSV"),
    (b"\x93NUMPY", "an array of numpy", "export it as CSV"),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS, not the file itself",
        "upload what `git lfs pull` fetches",
    ),
    (b"BZh", "compressed by bzip2", "unpack it, or compress it by gzip and end its name in .csv.gz"),
    (b"\xfd7zXZ\0", "compressed by xz", "unpack it, or compress it by gzip and end its name in .csv.gz"),
    (
        b"\x28\xb5\x2f\xfd",
        "compressed by Zstandard",
        "unpack it, or compress it by gzip and end its name in .csv.gz",
    ),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and upload the CSV files in it"),
    (b"Rar!", "a RAR archive", "unpack it and upload the CSV files in it"),
    (b"%PDF", "a PDF document", "export the data as CSV"),
)
_MARKUP = re.compile(rb"\s*(<(\?xml|!doctype|html|table|[a-z]+[ >])|\{\s*[\"}]|\[\s*[\[{])", re.IGNORECASE)
_TAR_AT = 257
_GZIP = b"\x1f\x8b"
_ZERO_SHARE = 0.3
"""Share of zeros from which bytes are text in UTF-16: half of them in Latin text, at every second place.
Zeros at all places are what a disk leaves of a file that was not written to its end."""
_PROBED = 4096


def refuse_other_formats(head: bytes, *, gzip: bool) -> None:
    """Refuse what is not text in UTF-8.

    Args:
        head: The first bytes, uncompressed.
        gzip: Whether they were compressed by gzip.

    Raises:
        UnusableFile: Naming what it is, and what to do.
    """
    if head.startswith(_GZIP):
        if gzip:
            raise UnusableFile("the file is compressed by gzip twice: unpack it once")
        raise UnusableFile(
            "the file is compressed by gzip, but its name does not end in .gz: end it in .csv.gz, or unpack "
            "the file"
        )
    refuse_containers(head)
    encoding = _wide_encoding(head)
    if encoding:
        raise UnusableFile(f"the file is text in {encoding}, not UTF-8: save it as CSV in UTF-8, {PREPARE}")


def refuse_containers(head: bytes) -> None:
    """Refuse archives, compressed files and what other programs write, by their first bytes.

    Raises:
        UnusableFile: Naming what it is, and what to do.
    """
    if head.startswith(b"PK\x03\x04"):
        raise UnusableFile(_zip(head))
    for magic, name, fix in _OTHER_FORMATS:
        if head.startswith(magic) and not (magic == _ORC and _is_text(head)):
            raise UnusableFile(f"the file is {name}, not CSV: {fix}")
    if head[_TAR_AT:].startswith(b"ustar"):
        raise UnusableFile("the file is a tar archive: unpack it and upload the CSV files in it")
    if _MARKUP.match(head):
        raise UnusableFile(
            f"the file begins with {head.lstrip()[:20].decode('utf-8', 'replace')!r}: this is HTML, XML or "
            "JSON, not CSV; export the data as CSV"
        )


def refuse_uncompressed(head: bytes) -> None:
    """Refuse the content of a file with a name in .gz that is not compressed by gzip.

    Args:
        head: The first bytes of the file as it is.

    Raises:
        UnusableFile: Naming what it is, and what to do.
    """
    if head and not head.startswith(_GZIP[: len(head)]):
        refuse_other_formats(head, gzip=False)
        raise UnusableFile(
            "the name of the file ends in .gz, but it is not compressed by gzip: it begins with "
            f"{head[:20]!r}. End the name in .csv, or compress the file"
        )


def decode(line: bytes, *, number: int) -> str:
    """Return the text of a line.

    Raises:
        UnusableFile: When it is not UTF-8, or holds NUL bytes.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        wrong = line[error.start : error.start + 1]
        guess = wrong.decode("cp1252", "replace")
        raise UnusableFile(
            f"line {number} is not UTF-8 text: byte {wrong.hex().upper()} at place {error.start + 1} of the "
            f"line (in Latin-1 or Windows-1252 it is {guess!r}). Save the file as CSV in UTF-8, {PREPARE}"
        ) from error
    if "\0" in text:
        raise UnusableFile(
            f"line {number} holds NUL bytes: this is not a CSV file; export the data as CSV in UTF-8"
        )
    return text


def _is_text(head: bytes) -> bool:
    """Return whether bytes are text: "ORC" may also begin the title of a plant."""
    return all(character.isprintable() or character.isspace() for character in head.decode("latin-1"))


def _zip(head: bytes) -> str:
    if b"[Content_Types].xml" in head or b"xl/" in head:
        return f"the file is an Excel workbook (xlsx), not CSV: {_AS_CSV}"
    return (
        "the file is a zip archive: unpack it and upload the CSV files in it; a single file may be "
        "compressed by gzip (.csv.gz)"
    )


def _wide_encoding(head: bytes) -> str | None:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    probed = head[:_PROBED]
    fewer, most = sorted((probed[::2].count(0), probed[1::2].count(0)))
    is_wide = most > max(4, _ZERO_SHARE * len(probed)) and fewer < most / 4
    return "UTF-16" if is_wide else None
