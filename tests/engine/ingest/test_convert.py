import gzip
import io
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import FileReport, IllegalHeader, RepairLimits, UnusableFile, convert_csv


def convert(
    text: str | bytes, columns: list[str] | None = None, **options: object
) -> tuple[FileReport, dict[str, list]]:
    data = text.encode() if isinstance(text, str) else text
    sink = io.BytesIO()
    options = {"columns": columns, "limits": RepairLimits.lifted(), **options}
    report = convert_csv(io.BytesIO(data), sink, **options)
    sink.seek(0)
    return report, pq.read_table(sink).to_pydict()


def test_plain_file() -> None:
    report, table = convert("Timestamp,a,b\n2024-01-01T00:00:00,1,2.5\n2024-01-01T00:01:00,-3e2,.5\n")
    assert list(table) == ["Timestamp", "a", "b"]
    assert table["a"] == [1.0, -300.0]
    assert table["b"] == [2.5, 0.5]
    assert (report.rows, report.columns, report.start) == (2, ("a", "b"), "2024-01-01T00:00:00.000000")
    assert report.end == "2024-01-01T00:01:00.000000"
    assert report.missing == {"a": 0, "b": 0}
    assert report.invalid == {"a": 0, "b": 0}


@pytest.mark.parametrize(
    ("cell", "missing", "invalid"),
    [
        ("", 1, 0),
        (" ", 1, 0),
        ("NaN", 1, 0),
        ("nan", 1, 0),
        ("abc", 0, 1),
        ("NULL", 0, 1),
        ("inf", 0, 1),
        ("-Infinity", 0, 1),
        ("0x10", 0, 1),
        ("1_0", 0, 1),
        ("true", 0, 1),
        ("1e400", 0, 1),
        ("+1.5", 0, 0),
        (" 2 ", 0, 0),
    ],
)
def test_cells_are_numbers_missing_or_invalid(cell: str, missing: int, invalid: int) -> None:
    report, table = convert(f"t,a,b\n2024-01-01 00:00:00,{cell},1\n2024-01-01 00:00:01,7,2\n")
    assert (report.missing["a"], report.invalid["a"]) == (missing, invalid)
    assert (table["a"][0] is None) == bool(missing + invalid)
    assert table["a"][1] == 7
    assert table["b"] == [1, 2]


def test_bad_timestamps_drop_the_row_and_its_cells() -> None:
    report, table = convert("t,a\nnever,x\n2024-01-01 00:00:00,1\n,\n")
    assert (report.rows, report.unsupported_timestamps) == (1, 2)
    assert report.unsupported_examples == ("never", "")
    assert report.invalid == {"a": 0}
    assert table["a"] == [1]


@pytest.mark.parametrize(
    "text",
    [
        "\ufefft,a\r\n2024-01-01 00:00:00,1\r\n",
        't,"a"\n"2024-01-01 00:00:00","1"\n',
        "t,a\n2024-01-01 00:00:00,1",
        "t , a \n1704067200,1\n",
        "t,a\n\n2024-01-01T00:00:00Z,1\n\n",
    ],
)
def test_spellings_of_the_same_file(text: str) -> None:
    _, table = convert(text)
    assert list(table)[1:] == ["a"]
    assert table["a"] == [1]
    assert str(table["Timestamp"][0]) == "2024-01-01 00:00:00"


def test_columns_are_chosen_ordered_and_completed() -> None:
    report, table = convert("t,a,b\n2024-01-01 00:00:00,1,2\n", ["c", "b"])
    assert table["b"] == [2]
    assert table["c"] == [None]
    assert list(table) == ["Timestamp", "c", "b"]
    assert report.missing == {"c": 1, "b": 0}


def test_ragged_rows() -> None:
    report, table = convert("t,a,b\n2024-01-01 00:00:00,1\n2024-01-01 00:00:01,1,2,3\n")
    assert table["b"] == [None, 2]
    assert report.missing == {"a": 0, "b": 1}


def test_gzip_and_bytes_read() -> None:
    text = b"t,a\n2024-01-01 00:00:00,1\n"
    report, table = convert(gzip.compress(text), gzip=True)
    assert table["a"] == [1]
    assert report.bytes_read == len(text)


@pytest.mark.parametrize(
    ("header", "names"), [("t,flow(1)", ["flow(1)", "'('"]), ("t,a\\b", ["\\\\"]), ("t,Tür", ["ü"])]
)
def test_illegal_headers_name_column_and_character(header: str, names: list[str]) -> None:
    with pytest.raises(IllegalHeader) as caught:
        convert(f"{header}\n2024-01-01 00:00:00,1\n")
    assert all(name in str(caught.value) for name in names)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"t\n1\n", "1 column"),
        (b"t,a,a\n2024-01-01 00:00:00,1,2\n", "'a' is repeated"),
        (b"t,a\nx,1\n", "no row has a usable timestamp"),
        (b"t,a\n", "no row"),
        (b"2024-01-01 00:00:00,1\n2024-01-01 00:00:01,1\n", "header row is missing"),
        (b"\xff\xfe\x00,\n", "not UTF-8"),
        (b"PK\x03\x04\x00\x00,\n", "zip archive"),
    ],
)
def test_unusable_files_say_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnusableFile, match=reason):
        convert(data)


def test_damaged_gzip_is_unusable() -> None:
    whole = gzip.compress(b"t,a\n" + b"2024-01-01 00:00:00,1\n" * 1000)
    for data in (whole[:-20], b"t,a\n1,2\n"):
        with pytest.raises(UnusableFile, match="gzip"):
            convert(data, gzip=True)


@pytest.mark.parametrize("block_bytes", [16, 64, 1000, 1 << 20])
def test_the_block_size_changes_nothing(block_bytes: int) -> None:
    rng = random.Random(5)  # noqa: S311 - test data
    odd = ["", "x", "nan", '"4"', "inf"]
    lines = ["t,a,b"]
    lines += [
        f"2024-01-01 00:{i // 60:02d}:{i % 60:02d},{odd[i % 5] if i % 17 == 0 else i},{rng.random()}"
        for i in range(900)
    ]
    text = "\n".join(lines)
    assert convert(text, block_bytes=block_bytes) == convert(text)


def test_fast_and_slow_path_agree() -> None:
    rng = np.random.default_rng(3)
    rows = [
        f"2024-01-01T{h:02d}:{m:02d}:00.5,{v!r}"
        for h in range(24)
        for m in range(60)
        for v in [float(rng.normal())]
    ]
    fast, plain = convert("t,a\n" + "\n".join(rows))
    slow, repaired = convert("t,a\n" + "\n".join([*rows, "2024-01-02T00:00:00.5,odd"]))
    assert repaired["a"][:-1] == plain["a"]
    assert repaired["Timestamp"][:-1] == plain["Timestamp"]
    assert slow.invalid["a"] == fast.invalid["a"] + 1


@settings(max_examples=200)
@given(st.sampled_from([b"", b"t,a\n", b"t,a\n2024-01-01,"]), st.binary(max_size=200))
def test_any_bytes_are_converted_or_refused(start: bytes, data: bytes) -> None:
    try:
        report, table = convert(start + data)
    except UnusableFile:
        return
    assert len(table["Timestamp"]) == report.rows > 0


def test_a_header_that_is_no_line_of_csv_is_refused() -> None:
    with pytest.raises(UnusableFile, match="not a line of CSV"):
        convert(b"Timestamp\rs1\n2025-01-01,1\n")


FORMS = [
    f"%Y{mark}%m{mark}%d{between}%H:%M{seconds}"
    for mark, betweens in (("-", "T -"), ("/", "T "), (" ", "T "), ("", "T "))
    for between in betweens
    for seconds in (":%S", "")
] + ["%Y-%m-%d-%H-%M-%S", "%Y%m%d%H%M%S", "%Y%m%d%H%M"]
TOLERATED = [
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S+00:00",
    "%m/%d/%Y %H:%M",
    "epoch",
]


def written(moment: datetime, form: str) -> str:
    return str(int(moment.timestamp())) if form == "epoch" else moment.strftime(form)


def test_there_are_21_documented_forms() -> None:
    assert len(set(FORMS)) == 21


@pytest.mark.parametrize("form", [*FORMS, *TOLERATED])
def test_files_of_one_form(form: str) -> None:
    moments = [datetime(2024, 2, 27, tzinfo=UTC) + at * timedelta(minutes=37) for at in range(200)]
    report, table = convert(
        "t,a\n" + "\n".join(f"{written(m, form)},{at}" for at, m in enumerate(moments)), block_bytes=700
    )
    assert [moment.replace(tzinfo=UTC) for moment in table["Timestamp"]] == moments
    assert (report.rows, report.unsupported_timestamps) == (200, 0)


def test_files_of_mixed_forms() -> None:
    moment = datetime(2024, 3, 7, 9, 5, tzinfo=UTC)
    forms = [*FORMS, *TOLERATED]
    for block_bytes in (64, 1 << 20):
        _, table = convert(
            "t,a\n" + "\n".join(f"{written(moment, form)},1" for form in forms * 3), block_bytes=block_bytes
        )
        assert [str(each) for each in table["Timestamp"]] == ["2024-03-07 09:05:00"] * 3 * len(forms)


def test_offsets_become_utc_and_what_overflows_is_dropped() -> None:
    report, table = convert(
        "t,a\n2024-03-07T00:30:00+05:30,1\n0001-01-01T00:00:00+01:00,2\n9999-12-31T23:30:00-01:00,3\n"
        "2024/02/30 00:00:00,4\n2024-03-07T23:59:60,5\n10000-01-01T00:00:00,6\n9999-12-31T23:59:59.999999,7\n"
    )
    assert [str(each) for each in table["Timestamp"]] == ["2024-03-06 19:00:00", "9999-12-31 23:59:59.999999"]
    assert (table["a"], report.unsupported_timestamps) == ([1, 7], 5)
    assert report.end == "9999-12-31T23:59:59.999999"
