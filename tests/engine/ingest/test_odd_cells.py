"""Cells with text that are taken out of the bytes: the result is that of reading all of them as text."""

import io
from dataclasses import asdict
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import RepairLimits, convert_csv
from engine.ingest import cells
from engine.ingest.odd_cells import take_out_odd_cells

BLOCK = b"2024-01-01T00:00:00,1.5,Bad Input,NaN\n2024-01-01T00:01:00,I/O,2e-3,x\n"


def test_only_cells_with_text_are_taken_out() -> None:
    tidy = b"2024-01-01T00:00:00,1,2,3\n" * 60
    found = take_out_odd_cells(tidy + BLOCK, {1, 2, 3})
    assert found is not None
    assert (found.rows.tolist(), found.columns.tolist()) == ([60, 61, 61], [2, 1, 3])
    assert found.texts == ["Bad Input", "I/O", "x"]
    assert found.data == tidy + b"2024-01-01T00:00:00,1.5,,NaN\n2024-01-01T00:01:00,,2e-3,\n"
    assert found.lines == 62


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (b"2024-01-01,1\n", {1}),
        (b'2024-01-01,"x"\n', {1}),
        (b"2024-01-01,x\r2024-01-02,1\r\n", {1}),
        (b"2024-01-01,\xff\n", {1}),
        (b"2024-01-01,1,x\n", {1}),
        (b"2024-01-01Z,1\n", {1}),
        (b"2024-01-01,x\n" * 100, {1}),
        (b"", {1}),
    ],
    ids=["none", "marks", "lone CR", "no UTF-8", "another column", "a stamp", "too many", "nothing"],
)
def test_other_blocks_are_left_alone(rows: bytes, columns: set[int]) -> None:
    assert take_out_odd_cells(rows, columns) is None


def read(data: bytes, *, block_bytes: int) -> tuple[Any, ...]:
    sink = io.BytesIO()
    report = convert_csv(
        io.BytesIO(data), sink, columns=None, block_bytes=block_bytes, limits=RepairLimits.lifted()
    )
    return asdict(report), pq.read_table(sink).to_pydict()


NUMBERS = st.floats(-1e9, 1e9).map(repr)
TEXTS = st.sampled_from(
    [
        "Bad Input",
        "NA",
        "nan",
        "NAN",
        "inf",
        "5\u00a0",
        " 7",
        "+1",
        "1e999",
        "30 %",
        "é",
        "T",
        "0x1",
        "1-2",
        "\0",
    ]
)


@settings(max_examples=150)
@given(
    st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=2, max_size=60),
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 2), TEXTS), max_size=8),
    st.lists(st.integers(0, 59), max_size=2),
    st.sampled_from(["2024-01-01T00:00:{:02d}", "1/13/2024 10:{:02d}"]),
    st.sampled_from([200, 2_000, 1 << 20]),
)
def test_the_way_does_not_show(
    rows: list[list[str]], texts: list[tuple[int, int, str]], unread: list[int], form: str, block_bytes: int
) -> None:
    grid = [[form.format(at), *row] for at, row in enumerate(rows)]
    for row, column, text in texts:
        grid[row % len(grid)][1 + column] = text
    for row in unread:
        grid[1 + row % (len(grid) - 1)][0] = "yesterday"
    data = "\n".join(",".join(row) for row in [["t", "a", "b", "c"], *grid]).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "take_out_odd_cells", lambda *_: None)
        expected = read(data, block_bytes=block_bytes)
    assert read(data, block_bytes=block_bytes) == expected
