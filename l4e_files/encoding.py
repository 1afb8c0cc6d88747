"""Recognise by its first bytes a file that is not plain UTF-8 text, and say how to make it so."""

import codecs

from l4e_files.unusable import UnusableFile

_AS_CSV = "save it as CSV in UTF-8"
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", f"an Excel workbook (.xlsx) or another zip archive: open it and {_AS_CSV}"),
    (b"\xd0\xcf\x11\xe0", f"an old Excel workbook (.xls): open it and {_AS_CSV}"),
    (b"PAR1", f"a Parquet file: {_AS_CSV}"),
    (b"\x1f\x8b", "compressed by gzip, which its name does not say: unpack it, or end its name in .csv.gz"),
    (codecs.BOM_UTF16_LE, f"UTF-16 text, as Excel's 'Unicode text': {_AS_CSV}"),
    (codecs.BOM_UTF16_BE, f"UTF-16 text: {_AS_CSV}"),
)


def decode_text(data: bytes) -> str:
    """Return the text of a whole file, without a byte order mark.

    Args:
        data: All bytes of the file.

    Raises:
        UnusableFile: When it is not UTF-8 text. The message says what it is and what to do.
    """
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise UnusableFile(f"this is {what}")
    if b"\0" in data:
        raise UnusableFile(f"it holds NUL bytes, as UTF-16 text and binary files do: {_AS_CSV}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnusableFile(
            f"line {line} is not UTF-8 text: byte 0x{data[error.start]:02x} in "
            f"{_around(data, error.start)!r}, as in the encodings of Windows (cp1252, Latin-1): {_AS_CSV}"
        ) from error


def _around(data: bytes, at: int) -> str:
    """Return the text around a byte, read as Windows writes it."""
    start = max(data.rfind(b"\n", 0, at) + 1, at - 20)
    return data[start : at + 10].split(b"\n")[0].decode("cp1252", "replace").strip()
