"""What was read from one file: counts, repairs, and whether there were too many of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np

from engine.ingest.cells import MAX_EXAMPLES, Found, ParsedRows
from engine.ingest.clock_columns import ClockColumn, ClockColumns
from engine.ingest.duplicates import DuplicateCount
from engine.ingest.far_rows import PeriodCount, PeriodRows
from engine.ingest.file_levels import RowSample
from engine.ingest.local_time import SkippedHours
from engine.ingest.passes import Passes
from engine.ingest.timestamp_columns import TimestampReader
from engine.ingest.timestamps import isoformat
from l4e_files.beginning import Beginning
from l4e_files.layout import PREPARE, long_layout, why_wide
from l4e_files.repairs import Repair, RepairKind, RepairLimits
from l4e_files.times import ACCEPTED, DayMonthOrder, unaccepted_form
from l4e_files.unusable import UnusableFile

DayMonth = Literal["none", "month-first", "day-first", "ambiguous"]
"""How dates like `1/2/2026` were read; `ambiguous` ones as L4E documents, the month first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What was read from one file.

    Attributes:
        rows: Number of rows with a usable timestamp, the only ones written.
        header: All names in the file, that of the timestamps first.
        columns: The sensors written.
        bytes_read: Size of the file, uncompressed.
        unsupported_timestamps: Number of rows without a usable timestamp.
        unsupported_examples: Up to five of these timestamps.
        missing: Cells of the rows written that are empty or a spelling of NaN, per sensor.
        invalid: Cells of these rows with any other text ("NULL" and "NA" too) or an infinity, per sensor.
        start: The earliest timestamp, ISO 8601 in UTC with microseconds; `None` without rows.
        end: The latest timestamp, likewise.
        repairs: What was put right, with the first line and an example of each.
        notes: Readings that were taken where another one was possible.
        day_month: The dates that show the order of day and month, and whether the day was read first.
        periods: How the rows spread over time.
        shifted: Number of timestamps with an offset that is not zero.
        bare: Number of timestamps without an offset, which were read as UTC.
        clocks: The columns that count time or rows.
        levels: Between which values each of the sensors written mostly is; see `levels_of_columns`.
    """

    rows: int
    header: tuple[str, ...]
    columns: tuple[str, ...]
    bytes_read: int
    unsupported_timestamps: int
    unsupported_examples: tuple[str, ...]
    missing: Mapping[str, int]
    invalid: Mapping[str, int]
    start: str | None
    end: str | None
    repairs: tuple[Repair, ...] = ()
    notes: tuple[str, ...] = ()
    day_month: DayMonth = "none"
    periods: tuple[PeriodRows, ...] = ()
    shifted: int = 0
    bare: int = 0
    clocks: tuple[ClockColumn, ...] = ()
    levels: str = ""

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Return the report that `dataclasses.asdict` turned into JSON, which has lists for tuples."""
        lists = ("header", "columns", "unsupported_examples", "notes")
        return cls(
            **{
                **members,
                **{name: tuple(members[name]) for name in lists if name in members},
                "repairs": tuple(Repair.from_json(repair) for repair in members.get("repairs", ())),
                "periods": tuple(PeriodRows(**one) for one in members.get("periods", ())),
                "clocks": tuple(ClockColumn(**one) for one in members.get("clocks", ())),
            }
        )


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of one conversion, filled block by block."""

    beginning: Beginning
    columns: Sequence[str]
    limits: RepairLimits
    timestamps: TimestampReader
    bytes_read: int = 0
    rows: int = 0
    dropped: int = 0
    blank: int = 0
    wide: int = 0
    short: int = 0
    examples: list[str] = field(default_factory=list)
    first_dropped: Found | None = None
    first_wide: Found | None = None
    first_short: Found | None = None
    missing: dict[str, int] = field(default_factory=dict)
    invalid: dict[str, int] = field(default_factory=dict)
    first_invalid: dict[str, Found] = field(default_factory=dict)
    unfinished: Found | None = None
    duplicates: DuplicateCount = field(default_factory=DuplicateCount)
    periods: PeriodCount = field(default_factory=PeriodCount)
    passes: Passes = field(default_factory=Passes)
    skipped: SkippedHours = field(default_factory=SkippedHours)
    clocks: ClockColumns = field(default_factory=ClockColumns)
    sample: RowSample = field(default_factory=RowSample)
    first: np.datetime64 | None = None
    last: np.datetime64 | None = None

    def add(self, block: bytes, rows: ParsedRows, *, first_line: int, next_line: int) -> None:
        """Add what was read from a block, and the numbers of its first line and of the line after it."""
        count = len(rows.times)
        self.bytes_read += len(block)
        if not block.endswith((b"\n", b"\r")):
            row = block[block.rfind(b"\n") + 1 :]
            self.unfinished = (next_line - 1, row[:_EXAMPLE_BYTES].decode(errors="replace"))
        self.rows += count
        self.dropped += rows.dropped
        self.blank += rows.blank
        self.wide += rows.wide
        self.short += rows.short
        self.first_dropped = self.first_dropped or rows.first_dropped
        self.first_wide = self.first_wide or rows.first_wide
        self.first_short = self.first_short or rows.first_short
        self.examples.extend(rows.examples[: MAX_EXAMPLES - len(self.examples)])
        if not count:
            return
        low, high = rows.times.min(), rows.times.max()
        self.first = low if self.first is None else min(self.first, low)
        self.last = high if self.last is None else max(self.last, high)
        self.duplicates.add(rows.times, rows.lines)
        self.periods.add(rows.times, rows.lines)
        self.passes.add(block, rows.times, rows.lines, first_line)
        self.skipped.add(rows.times, rows.lines)
        self.clocks.add(rows.times, rows.lines, rows.columns)
        for name in self.columns:
            invalid = rows.invalid.get(name, 0)
            self.invalid[name] = self.invalid.get(name, 0) + invalid
            self.missing[name] = self.missing.get(name, 0) + rows.absent.get(name, count) - invalid
        for name, found in rows.first_invalid.items():
            self.first_invalid.setdefault(name, found)

    @property
    def filled(self) -> int:
        """Rows that hold anything."""
        return self.rows + self.dropped - self.blank


def report_of(tally: Tally) -> FileReport:
    """Return the report of a file that was read to its end.

    Raises:
        UnusableFile: When no row can be used, or more was put right than the limits allow.
    """
    _require_width(tally)
    _require_rows(tally)
    _require_order(tally)
    _require_wide(tally)
    repeated = tally.duplicates.result()
    duplicates = (
        None if repeated is None else _repair("duplicates", repeated[0], (repeated[1], str(repeated[2])))
    )
    _require_few(tally, duplicates)
    day_month, order_notes = _day_month(tally)
    return FileReport(
        rows=tally.rows,
        header=tally.beginning.header,
        columns=tuple(tally.columns),
        bytes_read=tally.beginning.offset + tally.bytes_read,
        unsupported_timestamps=tally.dropped,
        unsupported_examples=tuple(tally.examples),
        missing=tally.missing,
        invalid=tally.invalid,
        start=isoformat(tally.first),
        end=isoformat(tally.last),
        repairs=(*tally.beginning.repairs, *_repairs(tally, duplicates, ambiguous=day_month == "ambiguous")),
        notes=(*tally.beginning.notes, *order_notes),
        day_month=day_month,
        periods=tally.periods.result(),
        shifted=tally.timestamps.shifted,
        bare=max(0, tally.rows - tally.timestamps.shifted - tally.timestamps.absolute),
        clocks=tally.clocks.result(),
        levels=tally.sample.levels(),
    )


def _repair(kind: RepairKind, count: int, found: Found | None, column: str | None = None) -> Repair:
    line, example = found or (None, "")
    return Repair(kind=kind, count=count, line=line, example=example, column=column)


def _repairs(tally: Tally, duplicates: Repair | None, *, ambiguous: bool) -> list[Repair]:
    found = [
        _repair("unusable-timestamps", tally.dropped, tally.first_dropped),
        _repair("wide-rows", tally.wide, tally.first_wide),
        _repair("short-rows", tally.short, tally.first_short),
        *([] if duplicates is None else [duplicates]),
        *_local_time(tally, duplicates),
        *(
            _repair("invalid-cells", count, tally.first_invalid.get(name), name)
            for name, count in tally.invalid.items()
        ),
    ]
    if tally.unfinished is not None:
        found.append(_repair("unfinished-line", 1, tally.unfinished))
    if ambiguous:
        found.append(_repair("day-month-order", tally.timestamps.order.open, tally.beginning.first_timestamp))
    return [repair for repair in found if repair.count]


def _local_time(tally: Tally, duplicates: Repair | None) -> Iterator[Repair]:
    """Yield the hours that local clocks repeat or skip."""
    repeated, skipped = tally.duplicates.local_hours(), tally.skipped.result()
    if duplicates is not None and repeated:
        count = repeated + (0 if skipped is None else skipped[0])
        yield replace(duplicates, kind="local-time", count=count)
    elif skipped is not None:
        count, line, time = skipped
        yield _repair("local-time", count, (line, str(time)))


def _require_width(tally: Tally) -> None:
    """Require that few rows have values beyond the header."""
    if tally.first_wide is None or not _above(tally.wide, tally, tally.limits.wide_rows):
        return
    line, text = tally.first_wide
    cells = text.split(",")
    names = len(tally.beginning.header)
    raise UnusableFile(
        f"{_of(tally.wide, tally)} have more cells than the header (line {tally.beginning.lines}), which "
        f"has {names}: line {line} has {max(len(cells), names + 1)} ({text!r}). "
        f"{why_wide(tally.beginning.header, cells)}"
    )


def _require_rows(tally: Tally) -> None:
    """Require that some row has a usable timestamp."""
    if tally.rows:
        return
    if not tally.dropped:
        raise UnusableFile(
            "no row has a usable timestamp: no row follows the header; add rows, or remove the file"
        )
    raise UnusableFile(
        f"no row has a usable timestamp ({tally.dropped} unusable{_timestamp_example(tally)}): "
        f"{_TIMESTAMP_FIX}"
    )


def _require_order(tally: Tally) -> None:
    """Require that the dates of the file have day and month in one order."""
    reversed_dates = tally.timestamps.year_day_month
    if reversed_dates > _CONTRARY_SHARE * tally.filled:
        raise UnusableFile(
            f"{_of(reversed_dates, tally)} have dates that exist only as year, day, month"
            f"{_timestamp_example(tally)}: write dates as '2026-03-31 14:05:00', the month after the year"
        )
    order = tally.timestamps.order
    against = order.month_first if tally.timestamps.day_first else order.day_first
    if against > _CONTRARY_SHARE * (order.month_first + order.day_first):
        raise UnusableFile(
            f"the dates have two orders: {order.month_first:,} exist only with the month first, "
            f"{order.day_first:,} only with the day first{_timestamp_example(tally)}. A file must have one "
            f"order: write dates as '2026-03-31 14:05:00', {PREPARE}"
        )


def _require_wide(tally: Tally) -> None:
    """Require that the times do not start again for each sensor."""
    found = tally.passes.sorted_by_sensor()
    if found is not None and found.column < len(tally.beginning.header):
        raise UnusableFile(
            long_layout(found.column, tally.beginning.header[found.column], found.text, found.line)
        )


def _require_few(tally: Tally, duplicates: Repair | None) -> None:
    """Require that the other repairs stay within their limits."""
    names = len(tally.beginning.header)
    if tally.first_short is not None and _above(tally.short, tally, tally.limits.short_rows):
        line, text = tally.first_short
        raise UnusableFile(
            f"{_of(tally.short, tally)} have fewer cells than the header (line {tally.beginning.lines}), "
            f"which has {names}: line {line} has {text.count(',') + 1} ({text!r}). Write every cell of a "
            f"row, empty ones too, and one name per column in the header, {PREPARE}"
        )
    unusable = tally.dropped - tally.blank
    if _above(unusable, tally, tally.limits.unusable_timestamps):
        raise UnusableFile(
            f"{_of(unusable, tally)} have no usable timestamp{_timestamp_example(tally)}: {_TIMESTAMP_FIX}"
        )
    if (
        duplicates is not None
        and _above(duplicates.count, tally, _HALF_DAYS)
        and tally.duplicates.lacks_half_the_day()
    ):
        raise UnusableFile(
            f"{_of(duplicates.count, tally)} repeat a timestamp ({duplicates.example!r} again in line "
            f"{duplicates.line}), and all hours are from 1 to 12: this is a clock of twelve hours that has "
            "lost its am and pm. Export the time with 24 hours"
        )
    if duplicates is not None and _above(duplicates.count, tally, tally.limits.duplicates):
        where = "" if duplicates.line is None else f" in line {duplicates.line}"
        raise UnusableFile(
            f"{_of(duplicates.count, tally)} repeat a timestamp ({duplicates.example!r} again{where}), and "
            "only the last row of each would be kept: write the whole time, with its seconds, into the "
            f"first column, and one row per timestamp with a column per sensor, {PREPARE}"
        )


def _day_month(tally: Tally) -> tuple[DayMonth, list[str]]:
    """Return how dates with the year last were read, and what is to say about it."""
    order = tally.timestamps.order
    line, text = tally.beginning.first_timestamp or (tally.beginning.lines + 1, "")
    if order == DayMonthOrder():
        return "none", []
    if tally.timestamps.day_first:
        return "day-first", [f"dates were read with the day first, for example {text!r} in line {line}"]
    if not order.ambiguous:
        return "month-first", []
    note = (
        f"the {order.open:,} dates of the file fit both orders of day and month, and were read with the "
        f"month first, as documented, for example {text!r} in line {line}; if the day stands first, write "
        "'2026-03-31 14:05:00'"
    )
    return "ambiguous", [note]


_EXAMPLE_BYTES = 100

_CONTRARY_SHARE = 0.01
"""Share of dates that may have the other order: they are slips, and count as unusable."""

_HALF_DAYS = 0.25
"""Share of rows that repeat a timestamp, from which on a clock of twelve hours may be the cause."""

_TIMESTAMP_FIX = f"accepted are {ACCEPTED}; write one of these forms into the first column, {PREPARE}"


def _above(count: int, tally: Tally, limit: float | None) -> bool:
    return limit is not None and count > limit * tally.filled


def _of(count: int, tally: Tally) -> str:
    return f"{count:,} of {tally.filled:,} rows"


def _timestamp_example(tally: Tally) -> str:
    if not tally.examples:
        return ""
    text = next((example for example in tally.examples if example), "")
    form = unaccepted_form(text)
    line = "" if tally.first_dropped is None else f" in line {tally.first_dropped[0]}"
    return f", for example {text[:80]!r}{line}{f', {form}' if form else ''}"
