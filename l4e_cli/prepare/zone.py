"""From the times as they are written to UTC."""

import re
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from l4e_cli.errors import CliError
from l4e_cli.prepare.decision import Question, UndecidedExport, UnfitExport
from l4e_cli.prepare.times import NO_TIME, Micros, ParsedTimes

_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):?([0-5]\d)?")
_UTC = frozenset({"Z", "z", "UTC", "GMT"})
_MINUTE = 60_000_000
_LEAST_DROP = 30 * _MINUTE
"""By how much times fall back when a clock is put back: at least so much, or the shift less one step."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: an offset in microseconds, or a name of the time zone database."""

    offset: int = 0
    name: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Zone":
        """Read `--time-zone`.

        Raises:
            CliError: When it is neither an offset nor a known name.
        """
        if text in _UTC:
            return cls()
        match = _OFFSET.fullmatch(text)
        if match:
            return cls(_offset(text))
        try:
            ZoneInfo(text)
            pc.assume_timezone(pa.array([0], pa.timestamp("us")), text)
        except (ZoneInfoNotFoundError, ValueError, pa.ArrowInvalid, OSError):
            raise CliError(
                f"--time-zone {text} is neither an offset such as +01:00 nor a name such as Europe/Berlin"
            ) from None
        return cls(name=text)


@dataclass(slots=True, kw_only=True)
class Localiser:
    """Turns times of one file into UTC, block by block in the order of the file.

    Attributes:
        zone: The zone of times that do not name theirs; `None` takes them as UTC.
        fold: Which hour is meant of one that exists twice: `first`, `second`, `None` by the order of rows.
        descending: Whether the latest rows come first.
        unresolved: Rows whose hour exists twice and whose order does not tell which is meant.
        example: One of them.
        missing: Rows whose time does not exist in the zone.
        missing_example: One of them.
    """

    zone: Zone | None
    fold: str | None = None
    descending: bool = False
    unresolved: int = 0
    example: str = ""
    missing: int = 0
    missing_example: str = ""
    _run: int = 0
    _previous: int | None = None
    _least_drop: int = _LEAST_DROP
    _before: tuple[int, ...] = ()
    _second: bool = False
    _dropped: bool = False
    _with_zone: int = field(default=0)
    _without_zone: int = field(default=0)
    _by_offset: int = 0
    _by_letters: bool = False

    def to_utc(self, times: ParsedTimes) -> Micros:
        """Return times in UTC; `NO_TIME` where there is none.

        Raises:
            UndecidedExport: When times name a zone only now and then, or by letters that several zones have.
        """
        read = times.micros != NO_TIME
        if times.zones is None:
            self._without_zone += int(np.count_nonzero(read))
            self._require_one_way()
            return self._local(times.micros, read)
        named = pc.is_valid(times.zones).to_numpy(zero_copy_only=False)
        self._with_zone += int(np.count_nonzero(read & named))
        self._without_zone += int(np.count_nonzero(read & ~named))
        self._require_one_way()
        return self._offsets(times, read)

    @property
    def names_zone(self) -> bool:
        """Whether all times name their zone by an offset."""
        return bool(self._with_zone) and not self._by_letters and not self._without_zone

    @property
    def own_zones(self) -> int:
        """How many times name their zone by an offset."""
        return self._by_offset

    def finish(self) -> None:
        """Say what could not be decided, after the last block.

        Raises:
            UndecidedExport: When an hour that exists twice is not told apart.
            UnfitExport: When times do not exist in the zone.
        """
        self._end_run()
        if self.missing:
            raise UnfitExport(
                f"{self.missing:,} times such as {self.missing_example} do not exist in this time zone: "
                "clocks skip them. Name the zone that the times are in; an offset such as +01:00 has no "
                "summer time"
            )
        if self.unresolved:
            raise UndecidedExport(
                Question(
                    key="fold",
                    text=f"{self.unresolved:,} times such as {self.example} exist twice in this time zone; "
                    "the order of the rows does not tell which is meant (an export in UTC would)",
                    choices=("first", "second"),
                )
            )

    def _require_one_way(self) -> None:
        if self._with_zone and self._without_zone and self.zone is None:
            raise UndecidedExport(
                Question(
                    key="--time-zone",
                    text="some times name their zone and some do not",
                    choices=("UTC", "+01:00", "Europe/Berlin"),
                )
            )

    def _offsets(self, times: ParsedTimes, read: Any) -> Micros:
        encoded = pc.dictionary_encode(pc.fill_null(times.zones, ""))
        texts = encoded.dictionary.to_pylist()
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        unclear = [text for text in texts if text and text not in _UTC and not _OFFSET.fullmatch(text)]
        if unclear and self.zone is None:
            raise UndecidedExport(
                Question(
                    key="--time-zone",
                    text=f"the times name their zone {unclear[0]!r}, which several places use differently",
                    choices=("+01:00", "Europe/Berlin"),
                )
            )
        known = np.array([_offset(text) if text and text not in unclear else 0 for text in texts], np.int64)
        is_local = np.array([not text or text in unclear for text in texts])[codes]
        utc = np.where(read & ~is_local, times.micros - known[codes], NO_TIME)
        self._by_offset += int(np.count_nonzero(read & ~is_local))
        if is_local.any():
            self._by_letters = self._by_letters or bool(unclear)
            local = self._local(np.where(is_local, times.micros, NO_TIME), read & is_local)
            self._check_letters(local, texts, codes, unclear)
            utc = np.where(is_local, local, utc)
        return utc

    def _check_letters(self, utc: Micros, texts: list[str], codes: Any, unclear: list[str]) -> None:
        """Refuse a zone whose letters at these times are others than those of the file."""
        if self.zone is None or self.zone.name is None:
            return
        zone = ZoneInfo(self.zone.name)
        for letters in unclear:
            where = np.flatnonzero((codes == texts.index(letters)) & (utc != NO_TIME))
            for at in where[:: max(1, len(where) // 50)]:
                moment = utc[at].astype("datetime64[us]").item()
                own = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).tzname()
                if own != letters:
                    raise UnfitExport(
                        f"a time names its zone {letters!r}, but {self.zone.name} calls it {own!r} then: "
                        "name "
                        "another --time-zone"
                    )

    def _local(self, micros: Micros, read: Any) -> Micros:
        if self.zone is None:
            return micros
        if self.zone.name is None:
            return np.where(read, micros - self.zone.offset, NO_TIME)
        times = pa.array(np.where(read, micros, 0), pa.timestamp("us"))
        first = self._assume(times, "earliest", "earliest")
        missing = read & (first != self._assume(times, "earliest", "latest"))
        if missing.any():
            self.missing += int(np.count_nonzero(missing))
            self.missing_example = self.missing_example or _shown(micros[missing][0])
        second = self._assume(times, "latest", "earliest")
        twice = np.flatnonzero(read & (first != second))
        utc = np.where(read, first, NO_TIME)
        if len(twice) or self._run:
            self._fold(micros, read, twice, second, utc)
        self._before = self._rows_before(micros, read, len(micros))
        return utc

    def _assume(self, times: Any, ambiguous: str, nonexistent: str) -> Micros:
        zone = self.zone.name if self.zone else None
        found = pc.assume_timezone(times, zone, ambiguous=ambiguous, nonexistent=nonexistent)
        return np.asarray(found.cast(pa.int64()).to_numpy(zero_copy_only=False))

    def _fold(self, micros: Micros, read: Any, twice: Any, second: Micros, utc: Micros) -> None:
        """Put rows of an hour that exists twice into the hour that the order of the rows means."""
        if self.fold is not None:
            if self.fold == "second":
                utc[twice] = second[twice]
            return
        last = -1
        for at in twice:
            if read[last + 1 : at].any():
                self._end_run()
            local = int(micros[at])
            if not self._run:
                self._second, self.example = self.descending, self.example or _shown(local)
                before = self._rows_before(micros, read, at)
                step = abs(before[1] - before[0]) if len(before) == 2 else 0
                self._least_drop = min(_LEAST_DROP, max(0, int(second[at] - utc[at]) - step))
            elif self._previous is not None:
                drop = (local - self._previous) if self.descending else (self._previous - local)
                if drop >= self._least_drop and not self._dropped:
                    self._dropped, self._second = True, not self._second
            self._run, self._previous = self._run + 1, local
            if self._second:
                utc[at] = second[at]
            last = at
        if read[last + 1 :].any():
            self._end_run()

    def _rows_before(self, micros: Micros, read: Any, end: int) -> tuple[int, ...]:
        """Return the last two times that were read before a row of the block."""
        return (*self._before, *micros[:end][read[:end]][-2:].tolist())[-2:]

    def _end_run(self) -> None:
        if self._run and not self._dropped:
            self.unresolved += self._run
        self._run, self._previous, self._second, self._dropped = 0, None, False, False


def _offset(text: str) -> int:
    """Return an offset in microseconds."""
    match = _OFFSET.fullmatch(text)
    if match is None:
        return 0
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return (-1 if match[1] == "-" else 1) * minutes * _MINUTE


def _shown(micros: int) -> str:
    return str(np.int64(micros).astype("datetime64[us]").astype("datetime64[s]"))
