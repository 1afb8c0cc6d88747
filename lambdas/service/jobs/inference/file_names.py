"""Names of inference input files: which window a file belongs to. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from service.errors import ValidationError
from service.jobs.failure import JobFailed
from service.members.time_zone import offset_seconds
from service.schedulers.inference_windows import InferenceWindow

_DELIMITERS = ("_", "-", " ", "")
_REST = re.compile(r"[^/]*\.csv(\.gz)?\Z", re.IGNORECASE)
"""What follows the timestamp: files lie directly below the prefix."""
_EPOCH = "EPOCH"
# Format of the API, format of strftime, what it looks like at the start of a text. In the order of keys, a
# later stamp of a format comes later.
_STAMPS = {
    "yyyyMMddHHmmss": ("%Y%m%d%H%M%S", re.compile(r"\d{14}")),
    "yyyy-MM-dd-HH-mm-ss": ("%Y-%m-%d-%H-%M-%S", re.compile(r"\d{4}(-\d\d){5}")),
    _EPOCH: ("", re.compile(r"\d{10}(?!\d)")),
}

Naming = tuple[str, str]
"""Timestamp format and delimiter of file names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRange:
    """Names that follow each other in the order of keys: they begin with `prefix`, and come after `after`."""

    prefix: str
    after: str
    last: str

    def holds(self, name: str) -> bool:
        """Return whether a name that comes after `after` is in the range: no later one is if it is not."""
        return name[: len(self.last)] <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class NameStyle:
    """One way to write `<component><delimiter><timestamp>`; `offset` is local minus UTC time in seconds."""

    format: str
    delimiter: str
    offset: int

    def stamp(self, seconds: float) -> str:
        """Return the timestamp of a file name for a point in time (epoch seconds)."""
        if self.format == _EPOCH:
            return str(int(seconds))
        local = datetime.fromtimestamp(int(seconds) + self.offset, UTC)
        return local.strftime(_STAMPS[self.format][0])

    def read(self, name: str, *, component: str) -> int | None:
        """Return the time (epoch seconds) in a file name; None when the name has another form."""
        head = component + self.delimiter
        found = _STAMPS[self.format][1].match(name, len(head)) if name.startswith(head) else None
        if found is None or not _REST.match(name, found.end()):
            return None
        if self.format == _EPOCH:
            return int(found.group())
        try:
            local = datetime.strptime(found.group(), _STAMPS[self.format][0]).replace(tzinfo=UTC)
        except ValueError:
            return None
        return int(local.timestamp()) - self.offset

    def names(self, first: int, last: int, *, component: str) -> NameRange:
        """Return where the names with stamps from `first` to `last` (epoch seconds) are listed."""
        head, begin, end = component + self.delimiter, self.stamp(first), self.stamp(last)
        shared = takewhile(lambda pair: pair[0] == pair[1], zip(begin, end, strict=True))
        common = "".join(character for character, _ in shared)
        return NameRange(prefix=head + common, after=head + begin, last=head + end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The names looked for: stamps from `first` to `last` (epoch seconds, inclusive) in any style."""

    styles: tuple[NameStyle, ...]
    first: int
    last: int

    @classmethod
    def around(cls, window: InferenceWindow, config: Mapping[str, Any], *, reach: int) -> "Search":
        """Return the names for a window: from `reach` seconds before it to as many after, for its last row.

        `config` is a `DataInputConfiguration`; a format or delimiter that is not configured may be any.
        """
        names = config.get("InferenceInputNameConfiguration") or {}
        offset = _offset(config.get("InputTimeZoneOffset"))
        formats = [names["TimestampFormat"]] if names.get("TimestampFormat") else list(_STAMPS)
        delimiter = names.get("ComponentTimestampDelimiter")
        delimiters = _DELIMITERS if delimiter is None else (delimiter,)
        return cls(
            styles=tuple(
                NameStyle(format=form, delimiter=mark, offset=offset)
                for mark in delimiters
                for form in formats
            ),
            first=window.start - reach,
            last=window.end + reach,
        )

    def among(self, naming: Collection[Naming]) -> "Search":
        """Return the search for names of some styles only; for all when none of its styles is among them."""
        styles = tuple(style for style in self.styles if (style.format, style.delimiter) in naming)
        return replace(self, styles=styles or self.styles)

    def ranges(self, component: str) -> Iterator[NameRange]:
        """Yield where the names that can match are listed: one range for each style."""
        for style in self.styles:
            yield style.names(self.first, self.last, component=component)

    def naming(self, names: Iterable[str], *, component: str) -> set[Naming]:
        """Return the naming of names that match."""
        fitting = ((style, style.read(name, component=component)) for name in names for style in self.styles)
        return {(style.format, style.delimiter) for style, stamp in fitting if stamp is not None}

    def stamp(self, name: str, *, component: str) -> int | None:
        """Return the time (epoch seconds) in a name by the first style that fits, in the search or not."""
        stamps = (style.read(name, component=component) for style in self.styles)
        return next((stamp for stamp in stamps if stamp is not None), None)

    def matches(self, names: Iterable[str], *, component: str) -> list[str]:
        """Return the names inside the search, earliest first, so that later files override earlier ones."""
        stamped = ((self.stamp(name, component=component), name) for name in set(names))
        return [
            name
            for _, name in sorted(
                (stamp, name)
                for stamp, name in stamped
                if stamp is not None and self.first <= stamp <= self.last
            )
        ]

    def wanted(self, location: str, component: str) -> str:
        """Return what is looked for, in words: the key pattern with its first and last stamp."""
        shown = self.styles if len(self.styles) == 1 else self.styles[:1]
        texts = [
            f"'{location}{component}{style.delimiter}<{style.format}>*.csv' with a stamp from "
            f"{style.stamp(self.first)} to {style.stamp(self.last)}"
            for style in shown
        ]
        others = (
            "; without a configured format and delimiter, every documented combination"
            if len(self.styles) > 1
            else ""
        )
        return texts[0] + others


def _offset(text: str | None) -> int:
    try:
        return offset_seconds(text)
    except ValidationError as error:
        raise JobFailed(f"{error}: update the inference scheduler") from error
