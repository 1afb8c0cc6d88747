"""What is put right in a file is counted, with first line and example; above a share it is an error."""

import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, BinaryIO

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine import FileReport, Repair, RepairLimits, UnusableFile, convert_file
from engine.ingest.duplicates import DuplicateCount

HEAD = "Timestamp,a,b\n"


def stamp(at: int) -> str:
    return f"2026-03-01 {at // 60:02d}:{at % 60:02d}:00"


def rows(count: int, *, start: int = 0) -> str:
    return "".join(f"{stamp(start + at)},{at}.5,{at}\n" for at in range(count))


class Unseekable(io.RawIOBase):
    """A file like the body of an S3 object: it is read once, from the start."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(size)


def convert(text: str | bytes, **options: Any) -> tuple[FileReport, dict[str, list[Any]]]:
    data = text.encode() if isinstance(text, str) else text
    sink = io.BytesIO()

    @contextmanager
    def open_source() -> Iterator[BinaryIO]:
        yield Unseekable(data)  # type: ignore[misc]

    report = convert_file(open_source, sink, **{"columns": None, "limits": RepairLimits.lifted(), **options})
    sink.seek(0)
    return report, pq.read_table(sink).to_pydict()


def repairs(text: str | bytes, **options: Any) -> dict[tuple[str, str | None], tuple[int, int | None, str]]:
    report, _ = convert(text, **options)
    return {(r.kind, r.column): (r.count, r.line, r.example) for r in report.repairs}


@pytest.mark.parametrize("block_bytes", [40, 1 << 20])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (HEAD + rows(3), {}),
        (
            HEAD + rows(3) + f"{stamp(9)},1,2,3,4\n" + rows(1, start=20) + f"{stamp(10)},1,2,3\n",
            {("wide-rows", None): (2, 5, f"{stamp(9)},1,2,3,4")},
        ),
        (HEAD + rows(3) + f"{stamp(9)},1\n", {("short-rows", None): (1, 5, f"{stamp(9)},1")}),
        (HEAD + rows(3) + f"{stamp(9)},1,2,,\n", {}),
        (
            "Timestamp,a,b,\n" + rows(2) + f"{stamp(9)},1,2,3\n",
            {
                ("dropped-columns", None): (1, 1, "Timestamp,a,b,"),
                ("wide-rows", None): (1, 4, f"{stamp(9)},1,2,3"),
            },
        ),
        (
            HEAD + "\n" + rows(2) + "\r\nnever,7,7\n\nyet,8,8\n",
            {("unusable-timestamps", None): (2, 6, "never,7,7")},
        ),
        (
            HEAD + rows(2) + f"{stamp(9)},Bad,1\n{stamp(10)},NaN,inf\n{stamp(11)},off,\n",
            {("invalid-cells", "a"): (2, 4, "Bad"), ("invalid-cells", "b"): (1, 5, "inf")},
        ),
        (
            HEAD + rows(1) + f'{stamp(9)},1,"1e400"\nnever,1,2\n{stamp(10)},-1e999,5\n',
            {
                ("invalid-cells", "a"): (1, 5, "-1e999"),
                ("invalid-cells", "b"): (1, 3, "1e400"),
                ("unusable-timestamps", None): (1, 4, "never,1,2"),
            },
        ),
        (
            HEAD + f'{stamp(0)},1,"two\nlines"\n{stamp(1)},x,2\n',
            {("invalid-cells", "a"): (1, 4, "x"), ("invalid-cells", "b"): (1, 2, "two\nlines")},
        ),
        (
            HEAD + rows(4) + rows(2, start=1),
            {("duplicates", None): (2, 6, "2026-03-01T00:01:00.000000")},
        ),
        (
            HEAD + rows(2) + f"never,1,2\n{stamp(1)},3,4\n",
            {
                ("unusable-timestamps", None): (1, 4, "never,1,2"),
                ("duplicates", None): (1, 5, "2026-03-01T00:01:00.000000"),
            },
        ),
        (
            "\ufeffsep=,\n" + HEAD + rows(1) + ",x,1\n",
            {
                ("byte-order-mark", None): (1, 1, ""),
                ("separator-line", None): (1, 1, "sep=,"),
                ("unusable-timestamps", None): (1, 4, ",x,1"),
            },
        ),
        ((HEAD + rows(2)).rstrip(), {("unfinished-line", None): (1, 3, f"{stamp(1)},1.5,1")}),
    ],
)
def test_repairs_are_counted_with_line_and_example(
    text: str, found: dict[Any, Any], block_bytes: int
) -> None:
    assert repairs(text, block_bytes=block_bytes) == found
    crlf = repairs(text.replace("\r\n", "\n").replace("\n", "\r\n"), block_bytes=block_bytes)
    assert {key: value[:2] for key, value in crlf.items()} == {key: value[:2] for key, value in found.items()}


@pytest.mark.parametrize(
    ("times", "found"),
    [
        (["2026-03-01 00:00", "2026-03-01T01:00:00.5", "3/1/2026 02:00"], (0, 3)),
        (["2026-03-01T00:00Z", "2026-03-01T01:00+00:00", "1772323200", "1772323200000"], (0, 0)),
        (["2026-03-01T00:00+01:00", "2026-03-01T01:00-0030", "2026-03-01T02:00+05"], (3, 0)),
        (["2026-03-01T00:00+01:00", "2026-03-01 01:00", "2026-03-01 02:00Z", "never"], (1, 1)),
    ],
)
@pytest.mark.parametrize("block_bytes", [30, 1 << 20])
def test_offsets_are_counted(times: list[str], found: tuple[int, int], block_bytes: int) -> None:
    text = HEAD + "".join(f"{time},1,2\n" for time in times)
    report, _ = convert(text, block_bytes=block_bytes)
    assert (report.shifted, report.bare) == found


def test_a_slip_of_day_and_month_is_no_order_of_a_file() -> None:
    text = HEAD + "".join(f"2026-03-{at % 28 + 1:02d} {at // 28:02d}:00,1,2\n" for at in range(300))
    report, _ = convert(f"{text}2026-28-03,1,2\n", limits=RepairLimits())
    assert (report.rows, report.unsupported_timestamps) == (300, 1)


def test_half_a_day_of_rows_is_no_clock_of_twelve_hours() -> None:
    text = HEAD + "".join(f"2026-03-01 {at // 60 + 1:02d}:{at % 60:02d},1,2\n" for at in range(12 * 60))
    assert convert(text, limits=RepairLimits())[0].rows == 720


def test_a_report_survives_json() -> None:
    report, _ = convert(HEAD + rows(2) + f"{stamp(9)},x\n" + "1/2/2026 00:00,1,2\n")
    assert {repair.kind for repair in report.repairs} >= {"short-rows", "invalid-cells", "day-month-order"}
    assert FileReport.from_json(json.loads(json.dumps(asdict(report)))) == report


def test_blank_rows_are_left_out_and_do_not_count_against_the_file() -> None:
    report, _ = convert(HEAD + rows(2) + ",,\n" * 50, limits=RepairLimits())
    assert (report.rows, report.unsupported_timestamps) == (2, 50)


def test_blank_rows_hide_no_share() -> None:
    with pytest.raises(UnusableFile, match="1 of 3 rows have more cells"):
        convert(HEAD + rows(2) + f"{stamp(9)},1,2,3\n" + ",,\n" * 200, limits=RepairLimits())


@pytest.mark.parametrize(
    ("text", "limit", "words"),
    [
        (
            HEAD + rows(98) + f"{stamp(98)},1,2,3\n{stamp(99)},1,2,3\n",
            RepairLimits(wide_rows=0.02),
            ["2 of 100 rows", "header (line 1), which has 3", "line 100 has 4", "l4e prepare"],
        ),
        (HEAD + f"{stamp(0)},10,50,10,51\n", None, ["line 2 has 5", "decimal comma"]),
        ("a,b\n" + rows(2), None, ["line 2 has 3", "lack the name of the first column", "R's write.table"]),
        (
            HEAD + "2026-03-01 00:00:00,123,1.5,2\n",
            None,
            ["line 2 has 4", "split at the comma"],
        ),
        ("Timestamp,a,b,c,d\n" + rows(2), None, ["2 of 2 rows", "fewer cells", "line 2 has 3"]),
        (HEAD + rows(1) + "x,1,2\ny,1,2\n", None, ["2 of 3 rows", "no usable timestamp", "'x' in line 3"]),
        (
            HEAD + "2026-03-01,1,2\n" * 3,
            None,
            ["2 of 3 rows repeat a timestamp", "again in line 3", "the whole time"],
        ),
        (
            HEAD + "".join(f"01-Mar-26 00:{at:02d}:00,1,2\n" for at in range(3)),
            None,
            ["'01-Mar-26 00:00:00' in line 2", "PI", "2026-03-31T14:05:00", "13 digits", "l4e prepare"],
        ),
        (HEAD, None, ["no row follows the header"]),
        (
            HEAD + "".join(f"2026-{day:02d}-03 06:00,1,2\n" for day in range(1, 20)),
            None,
            [
                "7 of 19 rows",
                "only as year, day, month",
                "'2026-13-03 06:00' in line 14",
                "month after the year",
            ],
        ),
        (
            HEAD + "".join(f"03/01/2026 {at % 12 or 12:02d}:{at // 24:02d},1,2\n" for at in range(48)),
            None,
            ["24 of 48 rows", "all hours are from 1 to 12", "lost its am and pm", "with 24 hours"],
        ),
        (
            HEAD + "1/13/2026,1,2\n13/1/2026,1,2\n",
            None,
            ["two orders", "1 exist only with the month first", "'13/1/2026' in line 3"],
        ),
    ],
)
def test_above_a_share_a_repair_is_an_error(text: str, limit: RepairLimits | None, words: list[str]) -> None:
    with pytest.raises(UnusableFile) as refused:
        convert(text, limits=RepairLimits())
    assert [word for word in words if word not in str(refused.value)] == []
    if limit is not None:
        assert convert(text, limits=limit)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((HEAD + rows(2)).encode(), ["ends in .gz", "not compressed", "Timestamp"]),
        (gzip.compress(gzip.compress((HEAD + rows(2)).encode())), ["twice"]),
        (b"PK\x03\x04 [Content_Types].xml", ["Excel workbook"]),
        (gzip.compress((HEAD + rows(2)).encode("utf-16")), ["UTF-16"]),
        (gzip.compress((HEAD + rows(2)).encode())[:-9], ["ends early"]),
    ],
    ids=["not packed", "packed twice", "a workbook", "UTF-16", "cut"],  # gzip writes the time into its output
)
def test_a_name_in_gz_promises_gzip(data: bytes, words: list[str]) -> None:
    with pytest.raises(UnusableFile) as refused:
        convert(data, gzip=True)
    assert [word for word in words if word not in str(refused.value)] == []


def days(count: int, *, first: int = 1, form: str = "{day:02d}/03/2026 {hour:02d}:00") -> str:
    lines = (form.format(day=first + at // 24, hour=at % 24) for at in range(count))
    return "".join(f"{line},{at},{at}\n" for at, line in enumerate(lines))


@pytest.mark.parametrize("block_bytes", [100, 1 << 20])
def test_day_and_month_have_one_order_in_a_file(block_bytes: int) -> None:
    report, table = convert(HEAD + days(24 * 20), block_bytes=block_bytes)
    assert (report.day_month, report.rows) == ("day-first", 480)
    assert [str(time) for time in table["Timestamp"][:2]] == ["2026-03-01 00:00:00", "2026-03-01 01:00:00"]
    assert str(table["Timestamp"][-1]) == "2026-03-20 23:00:00"
    assert "day first" in report.notes[0]
    report, table = convert(
        HEAD + "".join(f"3/{at // 24 + 1}/2026 {at % 24}:00,1,2\n" for at in range(480)),
        block_bytes=block_bytes,
    )
    assert (report.day_month, report.notes) == ("month-first", ())
    assert str(table["Timestamp"][-1]) == "2026-03-20 23:00:00"


@pytest.mark.parametrize("block_bytes", [100, 1 << 20])
def test_an_order_that_nothing_shows_is_the_documented_one_and_reported(block_bytes: int) -> None:
    text = HEAD + days(24 * 3, first=4)
    report, table = convert(text, block_bytes=block_bytes)
    assert report.day_month == "ambiguous"
    assert str(table["Timestamp"][0]) == "2026-04-03 00:00:00"
    assert [(r.kind, r.count, r.line, r.example) for r in report.repairs] == [
        ("day-month-order", 72, 2, "04/03/2026 00:00")
    ]
    assert "month first" in report.notes[0]
    report, table = convert(text, block_bytes=block_bytes, day_first=True)
    assert (report.day_month, str(table["Timestamp"][0])) == ("day-first", "2026-03-04 00:00:00")


def test_a_slip_does_not_turn_the_order_of_a_file() -> None:
    text = HEAD + days(24 * 20) + "3/25/2026 00:00,1,2\n"
    report, _ = convert(text, block_bytes=100)
    assert (report.day_month, report.rows, report.unsupported_timestamps) == ("day-first", 480, 1)


def test_repetitions_far_apart_are_found_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.ingest.duplicates._KEPT", 1000)
    times = np.datetime64("2026-03-01", "us") + np.arange(20_000) * np.timedelta64(1, "s")
    for repeated in (0, 20_000):
        count = DuplicateCount()
        for start in range(0, 20_000, 500):
            count.add(times[start : start + 500], lambda start=start: np.arange(start, start + 500))
        if repeated:
            count.add(times, lambda: np.arange(20_000, 40_000))
        found = count.result()
        assert (found is None) == (not repeated)
        if found is not None:
            assert found[0] == pytest.approx(repeated, rel=0.2)
            assert found[1] is not None
            assert found[1] >= 20_000
        assert sum(map(len, count._times)) <= 1000


def test_the_same_instant_again_and_again_is_counted_in_bounded_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.ingest.duplicates._KEPT", 1000)
    count = DuplicateCount()
    for _ in range(20):
        count.add(np.full(500, np.datetime64("2026-03-01T00:00:01", "us")), lambda: np.arange(500))
    assert sum(map(len, count._times)) <= 1000
    assert count.result() == (9_999, 1, np.datetime64("2026-03-01T00:00:01", "us"))


def test_a_repair_says_how_often_where_and_what() -> None:
    first = Repair(kind="duplicates", count=2, line=5, example="x")
    assert str(first) == (
        "2 row(s) repeat a timestamp of the same file; the last of them is kept, first in line 5 ('x')"
    )


@pytest.mark.parametrize(("limit", "refused"), [(0.25, False), (0.24, True)])
def test_a_share_at_its_limit_is_within_it(limit: float, refused: bool) -> None:  # noqa: FBT001
    text = HEAD + rows(3) + f"{stamp(9)},1\n"
    limits = replace(RepairLimits.lifted(), short_rows=limit)
    if refused:
        with pytest.raises(UnusableFile, match="fewer cells"):
            convert(text, limits=limits)
    else:
        assert convert(text, limits=limits)[0].rows == 4


@pytest.mark.parametrize("block_bytes", [40, 1 << 20])
@pytest.mark.parametrize(
    "names",
    ["Timestamp,b,a", "\ufeffTimestamp,a,c", " Timestamp ,a", 'Timestamp,"b",a', "Timestamp,a,b,c"],
)
def test_files_that_were_joined_under_other_names_are_refused(names: str, block_bytes: int) -> None:
    text = f"{HEAD}{rows(4)}{names}\n{rows(30, start=4)}"
    with pytest.raises(UnusableFile) as refused:
        convert(text, block_bytes=block_bytes)
    for words in ("line 6 (", "has other names than it ('Timestamp,a,b')", "Split the file there"):
        assert words in str(refused.value)


@pytest.mark.parametrize("block_bytes", [40, 1 << 20])
@pytest.mark.parametrize("names", ["Timestamp,a,b", '"Timestamp", "a", b,', "\ufeffTimestamp,a,b"])
def test_files_that_were_joined_with_their_headers_are_read(names: str, block_bytes: int) -> None:
    report, columns = convert(
        f"{HEAD}Timestamp,m,bar\n{rows(4)}{names}\n{rows(4, start=4)}", block_bytes=block_bytes
    )
    assert (report.rows, report.unsupported_timestamps) == (8, 2)
    assert columns["a"] == 2 * [0.5, 1.5, 2.5, 3.5]
