"""From blocks of lines to tables of text cells, with a count of the lines that do not fit."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from l4e_cli.prepare.source import Source
from l4e_cli.prepare.structure import Sheet


@dataclass(slots=True)
class BadLines:
    """Lines that were left out because of their form.

    Attributes:
        wide: Lines with more cells than the others.
        short: Lines with fewer.
        quotes: Lines with a quotation mark that is not closed in the line.
        examples: The first of each, as text.
    """

    wide: int = 0
    short: int = 0
    quotes: int = 0
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return self.wide + self.short + self.quotes

    def note(self, kind: str, text: str) -> None:
        """Count a line."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.examples.setdefault(kind, text[:120])


def read_tables(source: Source, sheet: Sheet, bad: BadLines) -> Iterator[Any]:
    """Yield the body of a file as tables of strings, with the columns of the sheet; empty cells are null.

    Args:
        source: The file.
        sheet: How it is laid out.
        bad: Receives the lines that are left out.
    """
    for block in body_blocks(source, sheet):
        table = _table(_closed_quotes(block, bad), sheet, bad)
        if table is not None and table.num_rows:
            yield table


def body_blocks(source: Source, sheet: Sheet) -> Iterator[bytes]:
    """Yield the lines of the body."""
    skip = sheet.body
    for block in source.blocks():
        rest = block
        while skip and rest:
            rest = rest[rest.find(b"\n") + 1 :]
            skip -= 1
        if rest:
            yield rest


def _closed_quotes(block: bytes, bad: BadLines) -> bytes:
    """Leave out lines in which a quotation mark is not closed."""
    if b'"' not in block:
        return block
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    marks = np.searchsorted(np.flatnonzero(data == ord('"')), ends)
    odd = np.flatnonzero(np.diff(marks, prepend=0) % 2)
    if not len(odd):
        return block
    starts = np.concatenate(([0], ends[:-1] + 1))
    kept = []
    at = 0
    for line in odd:
        kept.append(block[at : starts[line]])
        at = int(ends[line]) + 1
        bad.note("quotes", block[starts[line] : at].decode("utf-8", "replace").strip())
    return b"".join([*kept, block[at:]])


def _table(block: bytes, sheet: Sheet, bad: BadLines) -> Any | None:
    if not block.strip():
        return None
    names = [str(at) for at in range(sheet.width)]

    def note(row: Any) -> str:
        surplus = row.actual_columns > row.expected_columns
        bad.note("wide" if surplus else "short", row.text or "")
        return "skip"

    table = pa_csv.read_csv(
        pa.BufferReader(block),
        read_options=pa_csv.ReadOptions(column_names=names, block_size=len(block) + 1),
        parse_options=pa_csv.ParseOptions(delimiter=sheet.separator, invalid_row_handler=note),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    return table.combine_chunks()
