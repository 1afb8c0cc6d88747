"""From the bytes of a file to blocks of lines in UTF-8: container, encoding, line ends."""

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport, UnfitExport
from l4e_files.formats import refuse_containers
from l4e_files.unusable import UnusableFile

BLOCK_BYTES = 4 << 20
"""What is read at a time. The memory of everything behind it is a multiple of this."""

MAX_LINE_BYTES = 4 << 20
_HEAD_BYTES = 4096
_SOME_ZEROS, _FEW_ZEROS = 0.25, 0.02
_GZIP = b"\x1f\x8b"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPED = re.compile(r"[\udc80-\udcff]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_FOREIGN_RUN = re.compile(r"[^\x00-\x7f]{2,}")
"""In Western text, letters beyond ASCII stand alone or in pairs; in text of another encoding they do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file whose bytes are understood.

    Attributes:
        path: The file.
        gzip: Whether it is compressed by gzip.
        encoding: The codec of its text.
        errors: What the codec does about bytes that do not belong to it.
        size: Bytes, uncompressed.
        ends_with_line: Whether the last line has an end.
        decisions: What was decided about the bytes.
    """

    path: Path
    gzip: bool
    encoding: str
    errors: str = "strict"
    size: int = 0
    ends_with_line: bool = True
    decisions: tuple[Decision, ...] = ()

    def blocks(self) -> Iterator[bytes]:
        """Yield the text as blocks of whole lines in UTF-8 that end with line feeds.

        Raises:
            UnfitExport: When a line is longer than 4 MiB.
        """
        decode = codecs.getincrementaldecoder(self.encoding)(self.errors)
        rest = b""
        plain = self.encoding == "utf-8" and self.errors == "strict"
        for chunk in _chunks(self.path, gzip=self.gzip):
            data = chunk if plain else decode.decode(chunk).encode("utf-8")
            rest += _line_feeds(data)
            end = rest.rfind(b"\n") + 1
            if end:
                yield rest[:end]
                rest = rest[end:]
            if len(rest) > MAX_LINE_BYTES:
                raise UnfitExport(f"no line ends within {MAX_LINE_BYTES >> 20} MiB after {_shown(rest)}")
        rest += _line_feeds(b"" if plain else decode.decode(b"", final=True).encode("utf-8"))
        if rest:
            yield rest + b"\n"


def open_source(path: Path, answers: Answers) -> Source:
    """Find out how the bytes of a file are to be read. All of them are looked at.

    Raises:
        UnfitExport: When the file is not text.
        UndecidedExport: When its encoding cannot be told.
    """
    head = _first_bytes(path, gzip=False)
    gzip = head.startswith(_GZIP)
    decisions = []
    if gzip:
        decisions.append(Decision(what="container", value="gzip, unpacked", evidence="its first bytes"))
        head = _first_bytes(path, gzip=True)
    _refuse_containers(head)
    look = _look_through(path, gzip=gzip, encoding=answers.get("encoding") or _marked_encoding(head))
    encoding, errors, decision = _encoding(look, answers)
    if decision.value != "ASCII":
        decisions.append(decision)
    if not look.ends_with_line:
        decisions.append(
            Decision(
                what="end of the file",
                value="read as it is",
                evidence="the last line has no end: if the file was cut, so is its last cell",
                example=look.tail,
            )
        )
    return Source(
        path=path,
        gzip=gzip,
        encoding=encoding,
        errors=errors,
        size=look.size,
        ends_with_line=look.ends_with_line,
        decisions=tuple(decisions),
    )


@dataclass(slots=True)
class _Look:
    """What all bytes of a file show, decoded with `encoding`, or as UTF-8 when that is `None`."""

    encoding: str | None
    size: int = 0
    not_ascii: int = 0
    bad: int = 0
    bad_line: int = 0
    bad_example: str = ""
    western: bool = True
    foreign: str = ""
    ends_with_line: bool = True
    tail: str = ""
    _lines: int = 0
    _bad_parts: list[bytes] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Count what is in the next piece of text, in which bad bytes are escaped as surrogates."""
        if not text:
            return
        if (at := text.find("\0")) >= 0:
            line = self._lines + text.count("\n", 0, at) + 1
            raise UnfitExport(
                f"line {line} holds NUL bytes: the file is not text, or part of it was lost. "
                "Export it again, or remove what is damaged"
            )
        self.ends_with_line = text[-1] in "\r\n"
        self.tail = text[-200:].splitlines()[-1]
        if not text.isascii():
            self._count(text)
        self._lines += text.count("\n")

    def _count(self, text: str) -> None:
        bad = _ESCAPED.findall(text)
        if bad and not self.bad:
            at = text.find(bad[0])
            self.bad_line = self._lines + text.count("\n", 0, at) + 1
            self.bad_example = (
                text[max(0, at - 20) : at + 20].encode("utf-8", "surrogateescape").decode("cp1252", "replace")
            )
        self.bad += len(bad)
        self.not_ascii += len(_NOT_ASCII.findall(text)) - len(bad)
        if bad:
            self._western(text.encode("utf-8", "surrogateescape"))

    def _western(self, data: bytes) -> None:
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            self.western = False
            return
        for run in _FOREIGN_RUN.findall(text):
            if len(run) > 2 or not run.isalpha():
                self.foreign = self.foreign or run


def _look_through(path: Path, *, gzip: bool, encoding: str | None) -> _Look:
    look = _Look(encoding)
    strict = encoding is not None and not encoding.startswith("utf-8")
    try:
        decoder = codecs.getincrementaldecoder(encoding or "utf-8")("strict" if strict else "surrogateescape")
    except LookupError:
        raise UnfitExport(f"--set encoding={encoding} is not an encoding that Python knows") from None
    try:
        for chunk in _chunks(path, gzip=gzip):
            look.size += len(chunk)
            look.add(decoder.decode(chunk))
        look.add(decoder.decode(b"", final=True))
    except UnicodeError as error:
        raise UnfitExport(f"the text is not {encoding} throughout: {error}") from error
    if not look.size:
        raise UnfitExport("the file is empty")
    return look


def _encoding(look: _Look, answers: Answers) -> tuple[str, str, Decision]:
    """Return codec, what it does about errors, and the decision."""
    answered = answers.get("encoding")
    if answered is not None:
        errors = "replace" if look.bad else "strict"
        decision = Decision(
            what="encoding",
            value=answered,
            evidence="--set",
            count=look.bad or None,
            example=look.bad_example,
        )
        return answered, errors, decision
    if look.encoding is not None and not (look.bad and look.encoding == "utf-8-sig"):
        return (
            look.encoding,
            "strict",
            Decision(what="encoding", value=look.encoding, evidence="its first bytes"),
        )
    if not look.bad:
        value = "UTF-8" if look.not_ascii else "ASCII"
        return "utf-8", "strict", Decision(what="encoding", value=value, evidence="every byte of the file")
    where = f"{look.bad} bytes that are not UTF-8, the first in line {look.bad_line}: {look.bad_example!r}"
    if look.not_ascii >= look.bad or look.encoding == "utf-8-sig":
        text = f"the text is UTF-8 but for {where}. They can be replaced"
        raise UndecidedExport(Question(key="encoding", text=text, choices=("utf-8",)))
    if not look.western or look.foreign:
        text = f"there are {where}; as Western European text they make no sense"
        choices = ("cp1251", "gbk", "shift_jis", "cp1252")
        raise UndecidedExport(Question(key="encoding", text=text, choices=choices))
    return (
        "cp1252",
        "strict",
        Decision(
            what="encoding",
            value="cp1252, a guess",
            evidence="not UTF-8; each of these bytes makes sense in Western European text",
            count=look.bad,
            example=look.bad_example.strip(),
        ),
    )


def _marked_encoding(head: bytes) -> str | None:
    """Return the encoding that the first bytes show, `None` when they show none."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2], head[1::2]
    zeros = (even.count(0) / max(1, len(even)), odd.count(0) / max(1, len(odd)))
    if zeros[1] > _SOME_ZEROS and zeros[0] < _FEW_ZEROS:
        return "utf-16-le"
    if zeros[0] > _SOME_ZEROS and zeros[1] < _FEW_ZEROS:
        return "utf-16-be"
    return None


def _refuse_containers(head: bytes) -> None:
    if head.startswith(_GZIP):
        raise UnfitExport("the file is compressed by gzip twice: unpack it once")
    try:
        refuse_containers(head)
    except UnusableFile as error:
        raise UnfitExport(str(error)) from error


def _first_bytes(path: Path, *, gzip: bool) -> bytes:
    return next(_chunks(path, gzip=gzip, size=_HEAD_BYTES), b"")[:_HEAD_BYTES]


def _chunks(path: Path, *, gzip: bool, size: int | None = None) -> Iterator[bytes]:
    size = size or BLOCK_BYTES
    with path.open("rb") as file:
        if not gzip:
            while data := file.read(size):
                yield data
            return
        yield from _unpacked(iter(lambda: file.read(1 << 20), b""), size)


def _unpacked(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield what gzip members hold, at most `size` bytes at a time."""
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    rest = next(chunks, b"")
    try:
        while rest:
            data = member.decompress(rest, size)
            if data:
                yield data
            rest = (member.unused_data if member.eof else member.unconsumed_tail) or next(chunks, b"")
            if member.eof and (rest := rest.lstrip(b"\0") or next(chunks, b"").lstrip(b"\0")):
                member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    except zlib.error as error:
        raise UnfitExport(f"the gzip data is damaged: {error}. Compress or copy the file again") from error
    if not member.eof:
        raise UnfitExport("the gzip data ends early: the file was cut. Copy it again")


def _line_feeds(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _shown(data: bytes) -> str:
    return repr(data[:40].decode("utf-8", "replace"))
