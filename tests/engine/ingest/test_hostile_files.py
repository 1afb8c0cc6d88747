"""Files made to break a reader: each is read right, or refused with a reason that a person understands."""

import gzip
import io
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    FileReport,
    IllegalHeader,
    RepairLimits,
    UnusableFile,
    build_frame,
    convert_csv,
    merge_component,
)
from tests.waiting import awaited

MIB = 1 << 20
HEADER = b"Timestamp,a,b\n"
ROW = b"2026-03-01 00:00:00,1.5,2.5\n"
WIDE = b"Timestamp," + b",".join(b"s%d" % at for at in range(300_000)) + b"\n"


@dataclass
class Read:
    """What came out of a file."""

    report: FileReport
    table: dict[str, list[Any]] = field(repr=False)


def convert(data: bytes, **options: Any) -> Read:
    sink = io.BytesIO()
    options = {"columns": None, "limits": RepairLimits.lifted(), "block_bytes": MIB, **options}
    report = convert_csv(io.BytesIO(data), sink, **options)
    return Read(report, pq.read_table(sink).to_pydict())


def bomb(data: bytes, times: int) -> bytes:
    """Return gzip data that unpacks to the same bytes again and again."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    return b"".join([*(packer.compress(data) for _ in range(times)), packer.flush()])


REFUSED: dict[str, tuple[Callable[[], bytes], dict[str, Any], str]] = {
    "a bomb of zeros": (lambda: bomb(bytes(MIB), 200), {"gzip": True}, "NUL|no line ends"),
    "a bomb of zeros after a row": (
        lambda: gzip.compress(HEADER + ROW) + bomb(bytes(MIB), 200),
        {"gzip": True},
        "no line ends within 4 MiB",
    ),
    "a bomb of one letter": (lambda: bomb(b"a" * MIB, 200), {"gzip": True}, "no line ends within 4 MiB"),
    "a bomb in a quotation mark": (
        lambda: gzip.compress(HEADER + ROW + b'2026-03-02,"') + bomb(b"1," * MIB, 100),
        {"gzip": True},
        "no line ends within 4 MiB",
    ),
    "a bomb in a bomb": (lambda: gzip.compress(bomb(bytes(MIB), 20)), {"gzip": True}, "gzip"),
    "a header without end": (lambda: b"Timestamp," + b"a," * 3 * MIB, {}, "no line ends within 4 MiB"),
    "a row without end": (lambda: HEADER + ROW + b"9" * 5 * MIB, {}, "no line ends within 4 MiB"),
    "a name of 4 million letters": (
        lambda: b"Timestamp," + b"a" * 4_000_000 + b"\n" + ROW,
        {},
        "header|column",
    ),
    "300,000 columns": (
        lambda: WIDE + ROW,
        {"max_columns": 3_000},
        "300,000 sensor columns but at most 3,000 are allowed",
    ),
    "300,000 empty names": (
        lambda: b"Timestamp" + b"," * 300_000 + b"\n" + ROW,
        {"max_columns": 3_000},
        r"column",
    ),
    "300,000 times the same name": (
        lambda: b"Timestamp" + b",a" * 300_000 + b"\n" + ROW,
        {},
        "'a' is repeated",
    ),
    "NUL bytes alone": (lambda: bytes(1000), {}, "NUL|UTF-16"),
    "NUL bytes in the header": (lambda: b"Timestamp,a\0b\n" + ROW, {}, "NUL"),
    "a file that was not written to its end": (
        lambda: HEADER + ROW[:12] + bytes(2000),
        {},
        "no row has a usable timestamp",
    ),
    "NUL bytes for rows": (lambda: HEADER + bytes(3 * MIB), {}, "no row has a usable timestamp"),
    "years without four digits": (
        lambda: HEADER + b"0000-01-01 00:00:00,1,2\n10000-01-01 00:00:00,1,2\n-001-01-01 00:00:00,1,2\n",
        {},
        "no row has a usable timestamp",
    ),
}


@contextmanager
def traced() -> Iterator[list[int]]:
    """Measure the peak of memory, in bytes, which is there at the end."""
    peak: list[int] = []
    threads: set[int] = set()

    def begins(*_: object) -> None:
        threads.add(threading.get_native_id())
        sys.setprofile(None)

    threading.setprofile(begins)
    tracemalloc.start()
    try:
        yield peak
        peak.append(tracemalloc.get_traced_memory()[1])
    finally:
        threading.setprofile(None)
        # A thread that was joined may still free memory, and Python crashes if tracing stops meanwhile.
        awaited(lambda: threads & running_threads(), lambda left: not left, pause=0.001)
        tracemalloc.stop()


def running_threads() -> set[int]:
    """Return the native ids of the threads of this process; of none where the system does not tell."""
    tasks = Path("/proc/self/task")
    return {int(task.name) for task in tasks.iterdir()} if tasks.exists() else set()


@pytest.mark.parametrize("kind", REFUSED)
def test_hostile_files_are_refused_in_bounded_memory(kind: str) -> None:
    make, options, reason = REFUSED[kind]
    data = make()
    with traced() as peak, pytest.raises((UnusableFile, IllegalHeader), match=reason) as refused:
        convert(data, **options)
    assert len(str(refused.value)) < 1000
    assert peak[0] < 120 * MIB


def test_a_bomb_of_rows_is_read_in_bounded_memory() -> None:
    rows = 50_000
    data = gzip.compress(HEADER) + bomb(ROW * 1000, rows // 1000)
    assert len(data) < 50_000
    with traced() as peak:
        read = convert(data, gzip=True)
    (repeated,) = [repair for repair in read.report.repairs if repair.kind == "duplicates"]
    assert (read.report.rows, repeated.count, repeated.line) == (rows, rows - 1, 3)
    assert peak[0] < 120 * MIB


def test_two_columns_of_300_000_are_read() -> None:
    row = b"2026-03-01 00:00:00" + b",7" * 299_998 + b",8,x\n"
    read = convert(WIDE + row, columns=["s299998", "s299999", "other"])
    assert (read.table["s299998"], read.table["s299999"], read.table["other"]) == ([8], [None], [None])
    assert read.report.invalid == {"s299998": 0, "s299999": 1, "other": 0}


@pytest.mark.parametrize(
    ("cell", "invalid"),
    [(b"9" * 1_000_000, 1), (b"x" * 1_000_000, 1), (b'"' + b"\n" * 500_000 + b'"', 0)],
    ids=["digits", "letters", "line ends in quotation marks"],
)
def test_a_giant_cell_costs_only_itself(cell: bytes, invalid: int) -> None:
    read = convert(HEADER + ROW + b"2026-03-02," + cell + b",4\n2026-03-03,5,6\n", block_bytes=64 * 1024)
    assert (read.table["a"], read.table["b"]) == ([1.5, None, 5], [2.5, 4, 6])
    assert (read.report.invalid["a"], read.report.missing["a"]) == (invalid, 1 - invalid)


def test_nul_bytes_cost_their_own_rows_and_cells() -> None:
    read = convert(HEADER + ROW + b"\0\0\0\0\n2026-03-02,\0,4\n2026\0-03-03,5,6\n2026-03-04,7\0,8\n")
    assert (read.table["a"], read.table["b"]) == ([1.5, None, None], [2.5, 4, 8])
    assert (read.report.unsupported_timestamps, read.report.invalid) == (2, {"a": 2, "b": 0})


def test_the_first_and_the_last_year_go_through_all_of_the_engine() -> None:
    stamps = ("0001-01-01T00:00:00.000000", "2026-03-01T00:00:00.000000", "9999-12-31T23:59:59.999999")
    part, merged = io.BytesIO(), io.BytesIO()
    text = "t,a\n" + "".join(f"{stamp},{at}\n" for at, stamp in enumerate(stamps))
    read = convert_csv(io.BytesIO(text.encode()), part, columns=None)
    report = merge_component([part], [read], merged)
    (sensor,) = report.sensors
    assert (report.start, report.end, report.rows) == (stamps[0], stamps[-1], 3)
    assert (sensor.max_gap_days, sensor.large_gaps, sensor.short_span) == (2_912_383, 2, False)
    frame = build_frame({"c": merged}, sensors=["c\\a"], start=None, end=None, step_seconds=None, off=None)
    assert frame.times.tolist() == [np.datetime64(stamp, "us").item() for stamp in stamps]
    assert frame.values[:, 0].tolist() == [0, 1, 2]


PIECES = st.one_of(
    st.sampled_from(
        [
            HEADER,
            b"Timestamp,a\n",
            b"sep=,\n",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            bytes(9),
            b'"',
            b'""',
            b"\r",
            b"\n\n",
            b";",
            b"2026-03-01 00:00:00;1,5;2,5\n",
            b"0001-01-01,1,2\n",
            b"9999-12-31 23:59:59.999999,3,4\n",
            b"31/12/9999 23:59,1,2\n",
            b"1/13/0001,1,2\n",
            b"9" * 70_000,
            b"," * 5_000,
            b"a" * 70_000 + b"\n",
            b"2026-03-01" + b",x" * 4_000 + b"\n",
            b'2026-03-01,"' + b"1,\n" * 30_000,
            b"1e999,-1e999,\xe9\n",
            gzip.compress(ROW),
        ]
    ),
    st.binary(max_size=40),
    st.integers(1, 300).map(lambda times: ROW * times),
)


@settings(max_examples=60)
@given(
    st.lists(PIECES, max_size=8).map(b"".join),
    st.booleans(),
    st.sampled_from([64, 4096, MIB]),
    st.sampled_from([None, ["b"], ["other"]]),
)
def test_hostile_pieces_in_any_order_are_read_or_refused(
    data: bytes,
    header: bool,  # noqa: FBT001
    block_bytes: int,
    columns: list[str] | None,
) -> None:
    data = HEADER + data if header else data
    try:
        plain = convert(data, block_bytes=block_bytes, columns=columns, max_columns=3_000)
    except (UnusableFile, IllegalHeader) as error:
        refusal = str(error)
        plain = None
    if plain is None:
        assert 20 < len(refusal) < 1500
        return
    report = plain.report
    assert len(plain.table["Timestamp"]) == report.rows > 0
    for name in report.columns:
        absent = plain.table[name].count(None)
        assert absent == report.missing[name] + report.invalid[name]
    packed = convert(
        gzip.compress(data, 1), block_bytes=block_bytes, columns=columns, max_columns=3_000, gzip=True
    )
    assert packed.table == plain.table
    assert (packed.report.missing, packed.report.invalid) == (report.missing, report.invalid)
