"""Files of every kind against a slow, plain reading of the documented rules."""

import codecs
import csv
import gzip
import io
import math
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import FileReport, RepairLimits, UnusableFile, convert_csv, parse_timestamps

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
MISSING = re.compile(r"([+-]?nan(\([a-z0-9_]*\))?)?", re.ASCII | re.IGNORECASE)
HEADER = ("t", "a", "b", "c.d")


def convert(data: bytes, **options: object) -> tuple[FileReport, dict[str, list[object]]]:
    sink = io.BytesIO()
    report = convert_csv(
        io.BytesIO(data), sink, **{"columns": None, "limits": RepairLimits.lifted(), **options}
    )
    return report, pq.read_table(sink).to_pydict()


def expected(text: str, width: int) -> tuple[list[str], int, list[list[float | None]], list[int], list[int]]:
    """Stamps, unreadable stamps, columns, and missing and invalid cells, by the letter of the rules."""
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    stamps, unread = [], 0
    columns: list[list[float | None]] = [[] for _ in range(width - 1)]
    missing, invalid = [0] * (width - 1), [0] * (width - 1)
    for row in rows:
        time = parse_timestamps(row[:1])[0]
        if np.isnat(time):
            unread += 1
            continue
        stamps.append(str(time))
        for at, cell in enumerate([*row[1:], *[""] * width][: width - 1]):
            stripped = cell.strip()
            value = float(stripped) if NUMBER.fullmatch(stripped) else math.nan
            good = math.isfinite(value)
            columns[at].append(value if good else None)
            missing[at] += bool(MISSING.fullmatch(stripped))
            invalid[at] += not good and not MISSING.fullmatch(stripped)
    return stamps, unread, columns, missing, invalid


STAMPS = st.one_of(
    st.integers(0, 10**9).map(lambda s: str(np.datetime64("2000-01-01T00:00:00") + np.timedelta64(s, "s"))),
    st.sampled_from(
        [
            "2024/02/30 00:00:00",
            "2024/02/28 00:00:00",
            "20240101T00:00:00",
            "2024-01-01T00:00:00Z",
            "1704067200",
        ]
    ),
    st.sampled_from(
        ["", "t", "0000-01-01T00:00:00", "2024-01-01T00:00:00.1234567", " 2024-01-01 00:00", "\ufeff"]
    ),
)
CELLS = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**30), 10**30).map(str),
    st.sampled_from(
        [
            "",
            " ",
            "nan",
            "nAn",
            "-NAN(ind)",
            "NULL",
            "NA",
            "inf",
            "1e999",
            "1e-999",
            "+1",
            " 2\t",
            "1,5",
            "0x1",
            "1.",
        ]
    ),
    st.sampled_from(
        ['""', '"3"', '"1,5"', '" 4 "', '"a\nb"', '"say ""no"""', "5\x00", "1\xa0", ".", "9" * 330]
    ),
)
TIDY = st.lists(st.floats(allow_nan=False, allow_infinity=False).map(repr), min_size=3, max_size=3)
ROWS = st.one_of(
    st.tuples(STAMPS, TIDY),
    st.tuples(STAMPS, st.lists(CELLS, min_size=3, max_size=3)),
    st.tuples(STAMPS, st.lists(CELLS, max_size=5)),
).map(lambda row: ",".join([row[0], *row[1]]))


@settings(max_examples=300)
@given(
    st.lists(st.one_of(ROWS, st.just(""), st.just("t,a,b,c.d")), min_size=1, max_size=30),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.sampled_from([64, 300, 1 << 20]),
    st.booleans(),
)
@example(["2000-01-01T00:00:00", ",0.0,0.0,100000000"], "\n", 64, False)  # noqa: FBT003
def test_files_are_read_by_the_letter(lines: list[str], end: str, block_bytes: int, packed: bool) -> None:  # noqa: FBT001
    text = end.join(lines)
    data = f"{','.join(HEADER)}{end}{text}".encode()
    stamps, unread, columns, missing, invalid = expected(text, len(HEADER))
    source = gzip.compress(data) if packed else data
    try:
        report, table = convert(source, block_bytes=block_bytes, gzip=packed)
    except UnusableFile as error:
        reason = str(error)
        if "decimal comma" in reason:  # in quotation marks, and not one number beside them
            assert '"1,5"' in text
            assert {value for column in columns for value in column} <= {None}
        elif "has other names than it" in reason:
            assert any(line.startswith("t,") and line != ",".join(HEADER) for line in lines)
        else:  # another column may look like the timestamps, which the reason then names
            assert not stamps
            assert "no row has a usable timestamp" in reason or "the first column must hold" in reason
        return
    assert stamps
    assert (report.rows, report.unsupported_timestamps) == (len(stamps), unread)
    assert [str(np.datetime64(stamp, "us")) for stamp in table["Timestamp"]] == stamps
    assert [table[name] for name in HEADER[1:]] == columns
    assert (list(report.missing.values()), list(report.invalid.values())) == (missing, invalid)
    assert (report.start, report.end) == (min(stamps), max(stamps))
    assert report.bytes_read == len(data)
    assert report.header == HEADER


PLAIN = b"t,a\n" + b"".join(b"2024-01-01 00:00:%02d,%d.5\n" % (at, at) for at in range(60))
MARKS = [b"", b'"', b"\0", b"\r", b"\xff", b",", b"\n", b"\xef\xbb\xbf"]


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, len(PLAIN)), st.sampled_from(MARKS), st.integers(0, 9)), max_size=6),
    st.sampled_from([32, 200, 1 << 20]),
)
def test_damaged_files_are_read_or_refused(cuts: list[tuple[int, bytes, int]], block_bytes: int) -> None:
    data = PLAIN
    for at, mark, dropped in cuts:
        data = data[:at] + mark + data[at + dropped :]
    try:
        report, table = convert(data, block_bytes=block_bytes)
    except UnusableFile:
        return
    content = data.removeprefix(codecs.BOM_UTF8).lstrip()
    records = len([line for line in re.split(rb"[\r\n]", content.partition(b"\n")[2]) if line])
    read = report.rows + report.unsupported_timestamps
    assert read == records or (b'"' in data and read < records)
    assert len(table["Timestamp"]) == report.rows > 0


@given(st.integers(0, 200), st.binary(max_size=12), st.sampled_from([16, 1 << 20]))
def test_damaged_gzip_is_read_or_refused(cut: int, tail: bytes, block_bytes: int) -> None:
    packed = gzip.compress(PLAIN)
    try:
        report, _ = convert(packed[: len(packed) - cut] + tail, gzip=True, block_bytes=block_bytes)
    except UnusableFile:
        return
    assert report.rows == 60


def test_gzip_in_members_and_padded() -> None:
    packed = gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:]) + bytes(5000)
    assert convert(packed, gzip=True) == convert(PLAIN)
    with pytest.raises(UnusableFile, match="gzip"):
        convert(packed + b"garbage", gzip=True)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"t,a\n2024-01-01," + b"9" * (5 << 20), "no line ends within 4 MiB"),
        (b"t,a" + b"a" * (5 << 20), "no line ends within 4 MiB"),
    ],
)
def test_lines_without_end_are_refused_in_bounded_memory(data: bytes, reason: str) -> None:
    with pytest.raises(UnusableFile, match=reason):
        convert(data, block_bytes=1 << 20)


@pytest.mark.parametrize("block_bytes", [64, 1 << 20, 1 << 26])
def test_a_stray_quotation_mark_costs_its_own_cell(block_bytes: int) -> None:
    tidy = "2024-01-03T00:00:00,3,2\n" * (300 if block_bytes == 64 else 300_000)
    lines = '2024-01-01,1,"a, b"\n2024-01-02,"2,\n2024-01-02,3,5" pipe\n"2024-01-02","7","x"\n'
    report, table = convert(f"t,a,note\n{lines}{tidy}".encode(), columns=["a"], block_bytes=block_bytes)
    assert table["a"][:6] == [1, None, 3, 7, 3, 3]
    assert report.rows == 4 + tidy.count("\n")
    assert report.invalid == {"a": 1}


def test_long_cells_are_cells() -> None:
    long = "x" * 200_000
    report, table = convert(
        f'Timestamp,a\n2024-01-01,"{long}"\n2024-01-02\n2024-01-03,{long}\n2024-01-04,4\n'.encode()
    )
    assert (report.missing, report.invalid) == ({"a": 1}, {"a": 2})
    assert table["a"] == [None, None, None, 4.0]


def test_one_odd_block_does_not_change_the_others() -> None:
    tidy = [f"2024-01-01T{h:02d}:{m:02d}:00,{h}.{m},{m}" for h in range(24) for m in range(60)]
    odd = [*tidy[:500], "2024-01-01T08:20:30Z,x,1", *tidy[500:]]
    _, plain = convert("\n".join(["t,a,b", *tidy]).encode(), block_bytes=400)
    report, table = convert("\n".join(["t,a,b", *odd]).encode(), block_bytes=400)
    del table["Timestamp"][500], table["a"][500], table["b"][500]
    assert table == plain
    assert (report.invalid, report.unsupported_timestamps) == ({"a": 1, "b": 0}, 0)
