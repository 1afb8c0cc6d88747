"""What was put right while a file was read, and how much of that a file may need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from l4e_files.times import unaccepted_form

RepairKind = Literal[
    "byte-order-mark",
    "separator-line",
    "dropped-columns",
    "unusable-timestamps",
    "far-timestamps",
    "decade-gap",
    "wide-rows",
    "short-rows",
    "invalid-cells",
    "duplicates",
    "contradictions",
    "files-in-turns",
    "local-time",
    "mixed-offsets",
    "day-month-order",
    "unfinished-line",
    "clock-column",
    "changed-unit",
    "renamed-column",
]

_SHOWN = 120
"""Characters of an example in a message; a byte that cannot be shown takes four."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What was put right in a file.

    Attributes:
        kind: What was found.
        count: How often.
        line: Number of the first line where it was found, from 1; `None` where that is not known.
        example: What stood there.
        column: The sensor that it is about; `None` for what is about rows or files.
    """

    kind: RepairKind
    count: int
    line: int | None
    example: str
    column: str | None = None

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Return the repair that `dataclasses.asdict` turned into JSON."""
        return cls(**members)

    def __str__(self) -> str:
        """Return a sentence about the repair, without a full stop."""
        where = "" if self.line is None else f", first in line {self.line}"
        shown = repr(self.example)
        if len(shown) > _SHOWN:
            shown = f"{shown[: _SHOWN - 4]} ..."
        found = f" ({shown}{self._form})" if self.example else ""
        return f"{_MEANINGS[self.kind].format(count=self.count, column=self.column)}{where}{found}"

    @property
    def _form(self) -> str:
        """What form the time of an example has that cannot be used, if that is known."""
        time = self.example.split(",")[0].strip('" ') if self.kind == "unusable-timestamps" else ""
        form = unaccepted_form(time)
        return "" if form is None else f", {form}"


_MEANINGS: Mapping[RepairKind, str] = {
    "byte-order-mark": "a byte order mark at the start of the file was skipped",
    "separator-line": "a line that names the separator was skipped",
    "dropped-columns": "{count:,} column(s) without a name, at the end of the header, were left out",
    "unusable-timestamps": "{count:,} row(s) without a usable timestamp were left out",
    "far-timestamps": "{count:,} row(s) far in time from all others, as of a clock that was not set or of a "
    "slip in the date, were left out and are no history: correct or remove them",
    "decade-gap": "{count:,} row(s) are more than ten years from most, as of a clock that was not set, "
    "but are too many to leave out: correct or remove them, or train on one side",
    "wide-rows": "{count:,} row(s) have values beyond the last column of the header, which were ignored",
    "short-rows": "{count:,} row(s) have fewer cells than the header; the rest count as missing",
    "invalid-cells": "{count:,} cell(s) of sensor '{column}' are not numbers and count as missing",
    "duplicates": "{count:,} row(s) repeat a timestamp of the same file; the last of them is kept",
    "contradictions": "{count:,} row(s) have the time of a row of a later file and other values, and were "
    "left out: keep one of the files, or name the columns of other sensors otherwise",
    "files-in-turns": "{count:,} file(s) have most of their rows between those of another file with the same "
    "columns, and were read as one: give other sensors columns of other names, and other machines a "
    "component each",
    "local-time": "{count:,} hour(s) repeated or skipped, as local clocks do in autumn and spring, but times "
    "are read as UTC: write an offset, or let `l4e prepare --time-zone` turn them into UTC",
    "clock-column": "sensor '{column}' counts time or rows in all of its {count:,} rows, and measures "
    "nothing: leave the column out of the files or the schema",
    "changed-unit": "sensor '{column}' is in another range in {count:,} file(s), as in another unit, so that "
    "both are learned: write one unit into all files",
    "renamed-column": "column '{column}' ends where another one begins, in its place in {count:,} file(s): "
    "if they are one sensor, write its name in one way; as two, each lacks the rows of the other",
    "mixed-offsets": "{count:,} timestamp(s) have no offset and were read as UTC, while others have one: "
    "give all of them one",
    "unfinished-line": "the last line has no line end, so that it may be cut off",
    "day-month-order": "{count:,} date(s) fit both orders of day and month, and were read with the month "
    "first",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairLimits:
    """Shares of the rows of a file, 0 to 1, above which a repair is an error. `None` lifts a limit.

    Attributes:
        wide_rows: Rows with values beyond the header. A row that is too wide has cells in wrong columns.
        short_rows: Rows with fewer cells than the header. Some writers leave out empty cells at the end.
        unusable_timestamps: Rows without a usable timestamp.
        duplicates: Rows that repeat a timestamp of the same file.
    """

    wide_rows: float | None = 0.01
    short_rows: float | None = 0.5
    unusable_timestamps: float | None = 0.5
    duplicates: float | None = 0.5

    @classmethod
    def lifted(cls) -> Self:
        """Return no limits at all."""
        return cls(wide_rows=None, short_rows=None, unusable_timestamps=None, duplicates=None)
