"""A good file whose meaning is changed: other numbers never come out with the same counts.

What is reported of a file are its rows, its columns, the counts of its cells, repairs and notes. A change
that puts other numbers at the same times shows in one of them, or the file is refused.
"""

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import FileReport, UnusableFile, convert_csv

Cells = list[list[str]]


@dataclass(frozen=True)
class Read:
    """The numbers of a file by sensor and time, and what is reported of it."""

    numbers: dict[str, dict[Any, float]]
    reported: tuple[Any, ...]


def read(data: bytes) -> Read | None:
    """Return what comes out of a file, `None` when it is refused."""
    sink = io.BytesIO()
    try:
        report = convert_csv(io.BytesIO(data), sink, columns=None)
    except UnusableFile:
        return None
    sink.seek(0)
    table = pq.read_table(sink).to_pydict()
    times = table.pop("Timestamp")
    numbers = {
        name: {time: value for time, value in zip(times, values, strict=True) if value is not None}
        for name, values in table.items()
    }
    return Read(numbers, reported(report))


def reported(report: FileReport) -> tuple[Any, ...]:
    repairs = sorted((repair.kind, repair.count, repair.column or "") for repair in report.repairs)
    return (
        report.rows,
        report.header,
        report.unsupported_timestamps,
        dict(report.missing),
        dict(report.invalid),
        report.start,
        report.end,
        repairs,
        report.notes,
        report.day_month,
    )


def text(cells: Cells) -> str:
    return "".join(",".join(row) + "\n" for row in cells)


def rows(change: Callable[[list[str], int], list[str]], *, every: int = 1) -> Callable[[Cells, int], bytes]:
    """A change of the rows after the header, from a place on, of every so many."""

    def changed(cells: Cells, at: int) -> bytes:
        body = [
            change(row, at) if number % every == 0 else row for number, row in enumerate(cells[1:], start=at)
        ]
        return text([cells[0], *body]).encode()

    return changed


def column(row: list[str], at: int) -> int:
    return 1 + at % (len(row) - 1)


def inserted(row: list[str], at: int, cell: str) -> list[str]:
    return [*row[: column(row, at)], cell, *row[column(row, at) :]]


def removed(row: list[str], at: int) -> list[str]:
    return [*row[: column(row, at)], *row[column(row, at) + 1 :]]


def decimal_commas(row: list[str], at: int) -> list[str]:
    return [row[0], *(cell.replace(".", ",") for cell in row[1:])]


def quoted_commas(row: list[str], at: int) -> list[str]:
    return [row[0], *(f'"{cell.replace(".", ",")}"' for cell in row[1:])]


def unit(row: list[str], at: int) -> list[str]:
    return [*row[:-1], f"{row[-1]} bar"]


def stamped(form: str) -> Callable[[list[str], int], list[str]]:
    def change(row: list[str], at: int) -> list[str]:
        return [datetime.fromisoformat(row[0]).strftime(form), *row[1:]]

    return change


def header(change: Callable[[list[str], int], list[str]]) -> Callable[[Cells, int], bytes]:
    return lambda cells, at: text([change(cells[0], at), *cells[1:]]).encode()


def long_layout(cells: Cells, at: int) -> bytes:
    names = cells[0][1:]
    lines = [[row[0], name, value] for row in cells[1:] for name, value in zip(names, row[1:], strict=True)]
    return text(
        [["Timestamp", "Tag", "Value"], *(sorted(lines, key=lambda line: line[1]) if at % 2 else lines)]
    ).encode()


CHANGES: dict[str, Callable[[Cells, int], bytes]] = {
    "cut at any byte": lambda cells, at: text(cells).encode()[: at % len(text(cells))],
    "the first rows cut": lambda cells, at: text([cells[0], *cells[1 + at % len(cells) :]]).encode(),
    "a row left out": lambda cells, at: text(
        cells[: 1 + at % (len(cells) - 1)] + cells[2 + at % (len(cells) - 1) :]
    ).encode(),
    "rows in another order": lambda cells, at: text([cells[0], *cells[1:][::-1]]).encode(),
    "columns in another order": lambda cells, at: text([[row[0], *row[1:][::-1]] for row in cells]).encode(),
    "written twice": lambda cells, at: text([*cells, *cells[1:]]).encode(),
    "appended with its header": lambda cells, at: text([*cells, *cells]).encode(),
    "a cell more in every row": rows(lambda row, at: inserted(row, at, "7")),
    "a cell more in every third row": rows(lambda row, at: inserted(row, at, "7"), every=3),
    "an empty cell more": rows(lambda row, at: inserted(row, at, ""), every=2),
    "a cell less in every row": rows(removed),
    "a cell less in every fourth row": rows(removed, every=4),
    "decimal commas": rows(decimal_commas),
    "decimal commas in some rows": rows(decimal_commas, every=5),
    "decimal commas in quotation marks": rows(quoted_commas),
    "decimal commas in quotation marks in some rows": rows(quoted_commas, every=2),
    "a unit": rows(unit),
    "a unit in some rows": rows(unit, every=3),
    "a name less": header(removed),
    "a name more": header(lambda names, at: inserted(names, at, "New")),
    "the timestamp's name missing": header(lambda names, at: names[1:]),
    "an empty name at the end": header(lambda names, at: [*names, ""]),
    "another name": header(lambda names, at: [*names[:-1], "Other"]),
    "semicolons": lambda cells, at: text(cells).replace(",", ";").encode(),
    "tabs": lambda cells, at: text(cells).replace(",", "\t").encode(),
    "sep=": lambda cells, at: b"sep=,\n" + text(cells).encode(),
    "day first": rows(stamped("%d/%m/%Y %H:%M:%S")),
    "month first": rows(stamped("%m/%d/%Y %H:%M:%S")),
    "day first in some rows": rows(stamped("%d/%m/%Y %H:%M:%S"), every=2),
    "PI's dates": rows(stamped("%d-%b-%y %H:%M:%S")),
    "am and pm": rows(stamped("%m/%d/%Y %I:%M:%S %p")),
    "fractions behind a comma": rows(stamped("%Y-%m-%d %H:%M:%S,%f")),
    "the date alone": rows(stamped("%Y-%m-%d")),
    "no seconds": rows(stamped("%Y-%m-%d %H:%M")),
    "the time of day alone": rows(stamped("%H:%M:%S")),
    "date and time apart": rows(stamped("%Y-%m-%d,%H:%M:%S")),
    "hours in ten digits": rows(stamped("%Y%m%d%H")),
    "an index": lambda cells, at: text([[str(number), *row] for number, row in enumerate(cells)]).encode(),
    "long layout": long_layout,
    "units under the header": lambda cells, at: text(
        [cells[0], ["", "m3/h", "bar", "mm/s"], *cells[1:]]
    ).encode(),
    "a report before the header": lambda cells, at: b"Report,Pump 1\n\n" + text(cells).encode(),
    "a byte order mark": lambda cells, at: text(cells).encode("utf-8-sig"),
    "UTF-16": lambda cells, at: text(cells).encode("utf-16"),
    "UTF-16 without a mark": lambda cells, at: text(cells).encode("utf-16-be"),
    "gzip": lambda cells, at: gzip.compress(text(cells).encode()),
    "carriage returns": lambda cells, at: text(cells).replace("\n", "\r").encode(),
    "Windows line ends": lambda cells, at: text(cells).replace("\n", "\r\n").encode(),
    "blank lines": lambda cells, at: text(cells).replace("\n", "\n\n").encode(),
}
HARMLESS = {
    "rows in another order",
    "columns in another order",
    "written twice",
    "an empty name at the end",
    "sep=",
    "day first",
    "month first",
    "units under the header",
    "a byte order mark",
    "Windows line ends",
    "blank lines",
}
"""Changes after which the same numbers come out."""


@st.composite
def good_files(draw: st.DrawFn) -> Cells:
    count = draw(st.integers(12, 60))
    step = timedelta(seconds=draw(st.sampled_from([1, 60, 3600, 7200])))
    start = datetime(2026, 3, draw(st.integers(1, 28)), draw(st.integers(0, 23)))  # noqa: DTZ001 - UTC
    number = st.floats(-1e4, 1e4).map(lambda value: f"{value:.2f}")
    return [
        ["Timestamp", "Flow", "Press", "Vib"],
        *([(start + at * step).isoformat(), *draw(st.tuples(number, number, number))] for at in range(count)),
    ]


@pytest.mark.parametrize("change", CHANGES)
@settings(max_examples=12)
@given(cells=good_files(), at=st.integers(0, 5000))
def test_other_numbers_never_come_with_the_same_counts(change: str, cells: Cells, at: int) -> None:
    before, after = read(text(cells).encode()), read(CHANGES[change](cells, at))
    assert before is not None
    if after is not None and after.numbers != before.numbers:
        assert after.reported != before.reported


@pytest.mark.parametrize("change", sorted(HARMLESS))
def test_harmless_changes_change_no_number(change: str) -> None:
    start = datetime(2026, 3, 12)  # noqa: DTZ001 - UTC
    cells = [
        ["Timestamp", "Flow", "Press", "Vib"],
        *([(start + at * timedelta(hours=5)).isoformat(), f"{at}.5", f"{at / 3}", "7"] for at in range(60)),
    ]
    before, after = read(text(cells).encode()), read(CHANGES[change](cells, 1))
    assert before is not None
    assert after is not None
    assert after.numbers == before.numbers
