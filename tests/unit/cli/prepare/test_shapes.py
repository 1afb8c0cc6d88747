"""Ten shapes of exports, what comes out of them, what is asked, and what is refused."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from l4e_cli.main import run

SHAPES = {
    "comma-separated, ISO times": (
        b"Timestamp,Flow,Press\n2026-03-01T00:00:00,1.50,2\n2026-03-01T00:05:00,1.25,\n",
        [],
        "Timestamp,Flow,Press\n2026-03-01T00:00:00,1.50,2\n2026-03-01T00:05:00,1.25,\n",
    ),
    "a German spreadsheet: semicolons, decimal commas, thousands, cp1252": (
        (
            "Zeit;Öldruck [bar];Leistung %\r\n13.03.2026 00:00:00;1.234,50;99,5\r\n"
            "13.03.2026 00:10;7,25;1\r\n"
        ).encode("cp1252"),
        [],
        "Timestamp,Oeldruck_bar,Leistung_pct\n2026-03-13T00:00:00,1234.50,99.5\n2026-03-13T00:10:00,7.25,1\n",
    ),
    "PI: month by name, status texts": (
        b"Time\tFIC-1.PV\tTI-7\n01-Mar-26 00:00:00\t10.5\tBad Input\n01-Mar-26 00:01:00\tI/O Timeout\t55.1\n",
        [],
        "Timestamp,FIC-1.PV,TI-7\n2026-03-01T00:00:00,10.5,\n2026-03-01T00:01:00,,55.1\n",
    ),
    "long: one row per value, with a quality": (
        (
            b"Timestamp,Tag,Value,Quality\n2026-03-01 00:00:00,Flow,1.5,Good\n"
            b"2026-03-01 00:00:00,Press,2.5,Bad\n"
            b"2026-03-01 00:01:00,Flow,1.6,Good\n2026-03-01 00:01:00,Press,2.6,Good\n"
        ),
        [],
        "Timestamp,Flow,Press\n2026-03-01T00:00:00,1.5,\n2026-03-01T00:01:00,1.6,2.6\n",
    ),
    "a report: preamble, units, a footer, UTF-16": (
        "Report\tPump 1\nFrom\t2026-03-01\n\nDate\tClock\tFlow\tVibration\n\t\tm³/h\tmm/s\n"
        "2026-03-01\t00:00:00\t10\t0.5\n2026-03-01\t00:01:00\t11\t0.6\n"
        "2026-03-01\t00:02:00\t12\t0.7\nAverage\t\t10.5\t0.55\n".encode("utf-16"),
        [],
        "Timestamp,Flow,Vibration\n2026-03-01T00:00:00,10,0.5\n2026-03-01T00:01:00,11,0.6\n2026-03-01T00:02:00,12,0.7\n",
    ),
    "units under the names, that of the times too": (
        b"Timestamp,Flow,Level\nUTC,m3/h,bar\n\n2026-03-04 00:00:00,10.5,2\n2026-03-04 00:01:00,11.5,3\n",
        [],
        "Timestamp,Flow,Level\n2026-03-04T00:00:00,10.5,2\n2026-03-04T00:01:00,11.5,3\n",
    ),
    "units with digits": (
        b"Time,Flow,Level\n2026-03-04 00:00,10.5 m3/h,2 mmH2O\n2026-03-04 00:01,11.5 m3/h,3 mmH2O\n",
        [],
        "Timestamp,Flow,Level\n2026-03-04T00:00:00,10.5,2\n2026-03-04T00:01:00,11.5,3\n",
    ),
    "sensors that are named as units are": (
        b"Timestamp,A,V\n2026-03-04 00:00:00,10.5,2\n2026-03-04 00:01:00,11.5,3\n",
        [],
        "Timestamp,A,V\n2026-03-04T00:00:00,10.5,2\n2026-03-04T00:01:00,11.5,3\n",
    ),
    "local time over the change to winter, newest row first": (
        (
            b"Time;Flow\n2026-10-25 02:30;4,5\n2026-10-25 02:00;3,5\n"
            b"2026-10-25 02:30;2,5\n2026-10-25 02:00;1,5\n"
            b"2026-10-25 01:30;0,5\n"
        ),
        ["--time-zone", "Europe/Berlin"],
        (
            "Timestamp,Flow\n2026-10-24T23:30:00,0.5\n2026-10-25T00:00:00,1.5\n2026-10-25T00:30:00,2.5\n"
            "2026-10-25T01:00:00,3.5\n2026-10-25T01:30:00,4.5\n"
        ),
    ),
    "a date with an hour, which is no count of seconds": (
        b"Time,Flow\n2026030105,1.5\n2026030106,1.6\n2026030107,1.7\n",
        [],
        "Timestamp,Flow\n2026-03-01T05:00:00,1.5\n2026-03-01T06:00:00,1.6\n2026-03-01T07:00:00,1.7\n",
    ),
    "a title that begins like an ORC file": (
        b"ORC plant 1,,\nTimestamp,Flow,Press\n2026-03-01T00:00:00,1.50,2\n2026-03-01T00:05:00,1.25,\n",
        [],
        "Timestamp,Flow,Press\n2026-03-01T00:00:00,1.50,2\n2026-03-01T00:05:00,1.25,\n",
    ),
    "epoch milliseconds, an index, gzip without .gz": (
        gzip.compress(
            b",unix_time,Total\n0,1772323200000,12345678.4\n1,1772323200500,12345679.0\n2,1772323201000,12345679.6\n"
        ),
        [],
        (
            "Timestamp,Total\n2026-03-01T00:00:00.000,12345678.4\n2026-03-01T00:00:00.500,12345679.0\n"
            "2026-03-01T00:00:01.000,12345679.6\n"
        ),
    ),
    "am/pm, units in cells, carriage returns": (
        b"sep=;\rTime;Load;Valve\r3/13/2026 12:00:00 AM;30 %;OPEN\r3/13/2026 1:00:00 PM;45 %;CLOSED\r",
        [],
        "Timestamp,Load\n2026-03-13T00:00:00,30\n2026-03-13T13:00:00,45\n",
    ),
    "days as Excel counts them, an empty last column": (
        b"Time,Flow,\n46082.0006944444,1.5,\n46082.0013888889,1.6,\n",
        [],
        "Timestamp,Flow\n2026-03-01T00:01:00,1.5\n2026-03-01T00:02:00,1.6\n",
    ),
    "names with line breaks and groups": (
        b'Pump 1,,Pump 2\n"Time","Flow\n[l/s]","Flow\n[l/s]"\n2026-03-04 00:00,1,2\n2026-03-04 00:01,1.6,3\n',
        [],
        "Timestamp,Pump_1_Flow_l_s,Pump_2_Flow_l_s\n2026-03-04T00:00:00,1,2\n2026-03-04T00:01:00,1.6,3\n",
    ),
    "R: the header is one name short": (
        b"Flow,Press\n2026-03-01 00:00:00,10.00,11.00\n2026-03-01 00:01:00,10.50,11.50\n",
        ["--set", "columns=Timestamp,Flow,Press"],
        "Timestamp,Flow,Press\n2026-03-01T00:00:00,10.00,11.00\n2026-03-01T00:01:00,10.50,11.50\n",
    ),
}


def prepare(tmp_path: Path, data: bytes, options: list[str]) -> int:
    export = tmp_path / "Pump 1.csv"
    export.write_bytes(data)
    return run(["prepare", str(export), str(tmp_path / "out"), *options])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape(tmp_path: Path, shape: str) -> None:
    data, options, expected = SHAPES[shape]

    assert prepare(tmp_path, data, options) == 0

    assert (tmp_path / "out" / "Pump_1" / "Pump_1.csv").read_text(encoding="utf-8") == expected


@pytest.mark.parametrize("minutes", [40, 59])
def test_sensors_below_each_other_are_no_clock_that_was_put_back(tmp_path: Path, minutes: int) -> None:
    """On the night in which clocks are put back, each sensor begins again at the first time."""
    rows = [f"2026-10-25 01:{at:02d},{tag},{at}\n" for tag in ("Flow", "Press") for at in range(minutes)]
    assert prepare(tmp_path, ("Time,Tag,Value\n" + "".join(rows)).encode(), ()) == 0
    prepared = (tmp_path / "out" / "Pump_1" / "Pump_1.csv").read_text(encoding="utf-8").splitlines()
    assert prepared[:2] == ["Timestamp,Flow,Press", "2026-10-25T01:00:00,0,0"]
    assert len(prepared) == minutes + 1


BODY = b"2026-03-01 00:00:00,1.5,2.5\n2026-03-01 00:01:00,1.6,2.6\n"
ASKED = {
    "no names": (BODY, "--set columns="),
    "decimal commas without quotes (C43)": (
        b"Timestamp,Flow,Press\n2026-03-01 00:00:00,10,50,10,51\n2026-03-01 00:01:00,11,50,11,51\n",
        "decimal commas",
    ),
    "a header one name short (C44)": (b"Flow,Press\n" + BODY, "2 names"),
    "a time that splits at a comma (C47)": (
        b"Timestamp,Flow,Press\n2026-03-01 00:00:00,123,1,2\n2026-03-01 00:01:00,123,1,2\n",
        "4 cells",
    ),
    "day or month": (b"Time,Flow\n03/02/2026 00:00,1.5\n03/02/2026 01:00,1.6\n", "--set date-order=dmy"),
    "thousands or decimals": (
        b"Time;Flow\n2026-03-01 00:00;1,234\n2026-03-01 00:01;2,345\n",
        "--set decimal=comma",
    ),
    "two decimal marks": (
        b"Time;A;B\n2026-03-01 00:00;1,5;1.5\n2026-03-01 00:01;1,6;1.6\n",
        "--set decimal=comma",
    ),
    "two times": (
        b"Time UTC,Local time,Flow\n2026-03-01 00:00,2026-03-01 01:00,1\n2026-03-01 01:00,2026-03-01 02:00,2",
        "--set time=Time UTC",
    ),
    "a clock put back": (
        b"Time,Flow\n2026-10-25 02:30,1\n2026-10-25 02:45,2\n2026-10-25 02:00,3\n2026-10-25 02:15,4\n",
        "--time-zone Europe/Berlin",
    ),
    "letters of a zone": (b"Time,Flow\n2026-03-01 00:00 EST,1\n2026-03-01 00:01 EST,2\n", "--time-zone"),
    "marks of quality that are not known": (
        b"Time,Flow,Flow Quality\n2026-03-01 00:00,1,A7\n2026-03-01 00:01,2,Good\n",
        "--set good=Good",
    ),
    "a text beside one sensor": (
        b"Time,Flow,Mode\n"
        + b"".join(b"2026-03-01 00:%02d,1.5,%s\n" % (at, (b"AUTO", b"HAND")[at % 2]) for at in range(8)),
        "--set layout=wide",
    ),
    "rows that repeat a time": (
        b"Time,Flow,Press\n" + b"".join(b"2026-03-04 00:%02d,%d,1\n" % (at // 2, at) for at in range(8)),
        "--set duplicates=last",
    ),
    "Cyrillic in an encoding of its own": (
        "Time,Давление\n2026-03-01 00:00,1\n2026-03-01 00:01,2\n".encode("cp1251"),
        "--set encoding=cp1251",
    ),
    "rows of several machines": (
        b"Time,Asset,Flow,Press\n"
        + b"".join(b"2026-03-04 00:%02d,P%d,1.5,2.5\n" % (at, at % 2) for at in range(8)),
        "--set drop=Asset",
    ),
    "sensors of one name on several machines": (
        b"Time,Plant,Tag,Value\n"
        + b"".join(b"2026-03-04 00:%02d,P%d,Flow,1.5\n" % (at, at % 2) for at in range(8)),
        "'Flow' has 'P0' and 'P1' in 'Plant'",
    ),
    "seconds that could be days": (b"Time,Flow\n40000.5,1\n40001.0,2\n", "--set time-form=excel"),
    "limits of detection": (
        b"Time,Ammonia\n2026-03-01 00:00,<0.01\n2026-03-01 00:01,0.5\n",
        "--set texts=blank",
    ),
    **{
        f"exponents as in {text}": (
            f"Time,Power\n2026-03-01 00:00,{text}\n2026-03-01 00:01,{text}\n".encode(),
            "--set drop=Power",
        )
        for text in ("1.62D2", "1.62D+02", "1.62x10^2", "0xa6")
    },
    "numbers in several units": (
        b"Time,Power\n2026-03-01 00:00,1.5 kW\n2026-03-01 00:01,900 W\n",
        "--set drop=Power",
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_cannot_be_known_is_asked(tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    data, text = ASKED[case]

    assert prepare(tmp_path, data, []) == 1

    assert text in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


REFUSED = {
    "years of two digits without separators": (
        b"Time,Flow\n260301060000,1.5\n260301070000,1.6\n260301080000,1.7\n",
        "the first line is 'Time,Flow', and the one below it '260301060000,1.5'",
    ),
    "days of the year": (
        b"Time,Flow\n2026-060 00:00,1.5\n2026-060 01:00,1.6\n",
        "no line holds a time that can be read: line 2 begins with '2026-060 00:00', a day of the year",
    ),
    "a row per sensor": (
        b"Tag,2026-03-01 00:00,2026-03-01 00:05,2026-03-01 00:10\nFlow,1.5,1.6,1.7\nPress,2.5,2.6,2.7\n",
        "most cells of line 1 are times",
    ),
    "a form that nobody knows": (
        b"Time,Flow\nat noon,1.5\nat one,1.6\n",
        "the first line is 'Time,Flow', and the one below it 'at noon,1.5'",
    ),
    "an Excel workbook": (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "an Excel workbook (xlsx)"),
    "a zip archive": (b"PK\x03\x04" + bytes(40), "a zip archive: unpack it"),
    "a tar archive": (b"a.csv" + bytes(252) + b"ustar" + bytes(40), "a tar archive: unpack it"),
    "an HDF5 file": (b"\x89HDF\r\n\x1a\n" + bytes(40), "an HDF5 file, not CSV: export it as CSV"),
    "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    "gzip twice": (gzip.compress(gzip.compress(b"Time,Flow\n" + BODY)), "compressed by gzip twice"),
    "a Parquet file": (b"PAR1" + bytes(40), "Parquet"),
    "a gzip file that was cut": (gzip.compress(b"Time,Flow\n" + BODY * 200)[:60], "cut"),
    "nothing": (b"", "empty"),
    "NUL bytes": (b"Time,Flow,Press\n" + BODY + bytes(40) + BODY, "line 4 holds NUL bytes"),
    "clock times without a date": (b"Time,Flow\n00:00:00,1\n00:01:00,2\n", "no line holds a time"),
    "texts only": (b"Time,Valve\n2026-03-01 00:00,OPEN\n2026-03-01 00:01,SHUT\n", "no column holds numbers"),
    "a second table below": (
        b"Time,Flow,Press\n" + BODY + b"Time,Press,Flow\n" + BODY,
        "the file holds several tables",
    ),
    "a second table with other names": (
        b"Time,Flow,Press\n" + BODY + b"Timestamp,Load,Speed\n" + BODY,
        "names of a second table",
    ),
    "a web page": (b"<html><table></table></html>", "this is HTML, XML or JSON, not CSV"),
    "times that clocks skip": (
        b"Time,Flow\n2026-03-29 02:30,1\n2026-03-29 02:40,2\n",
        "do not exist in this time zone",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_is_refused(tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    data, text = REFUSED[case]

    assert prepare(tmp_path, data, ["--time-zone", "Europe/Berlin"]) == 1

    assert text in capsys.readouterr().err


@pytest.mark.parametrize("zone", ["Mars/Olympus", "+25:00", "+01:75", "1"])
def test_a_time_zone_that_is_none(tmp_path: Path, zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare(tmp_path, b"Time,Flow,Press\n" + BODY, ["--time-zone", zone]) == 1

    assert f"--time-zone {zone} is neither an offset such as +01:00 nor a name" in capsys.readouterr().err


def test_a_question_is_answered_by_its_own_words(tmp_path: Path) -> None:
    data, _ = ASKED["day or month"]

    assert prepare(tmp_path, data, ["--set", "date-order=dmy"]) == 0

    output = (tmp_path / "out" / "Pump_1" / "Pump_1.csv").read_text(encoding="utf-8")
    assert output == "Timestamp,Flow\n2026-02-03T00:00:00,1.5\n2026-02-03T01:00:00,1.6\n"


def test_all_that_can_be_asked_is_asked_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare(tmp_path, b"Time;Flow\n03/02/2026 00:00;1,234\n03/02/2026 01:00;2,345\n", []) == 1

    error = capsys.readouterr().err
    assert "--set date-order=dmy" in error
    assert "--set decimal=comma" in error


def test_decisions_and_names_stand_beside_the_output(tmp_path: Path) -> None:
    prepare(tmp_path, "Time;压力;Давление;Level %;Level #\n2026-03-01 00:00;1,5;2;3;4\n".encode(), [])

    report = json.loads((tmp_path / "out.report.json").read_text(encoding="utf-8"))
    decisions = {decision["what"]: decision for decision in report["files"][0]["decisions"]}
    assert decisions["decimal mark"]["value"] == "comma"
    assert decisions["decimal mark"]["example"] == "1,5"
    assert (tmp_path / "out.names.csv").read_text(encoding="utf-8").splitlines() == [
        "component,sensor,name in the export",
        "Pump_1,Davlenie,Давление",
        "Pump_1,Level_#,Level #",
        "Pump_1,Level_pct,Level %",
        "Pump_1,sensor_1,压力",
    ]


@pytest.mark.parametrize("order", ["oldest first", "newest first"])
@pytest.mark.parametrize(
    ("zone", "start", "minutes"),
    [
        *(("Europe/Berlin", "2026-10-24T20:00", minutes) for minutes in (1, 5, 15, 20, 30, 60)),
        *(("Australia/Lord_Howe", "2026-04-04T13:10", minutes) for minutes in (1, 5, 10, 15, 20, 30)),
    ],
)
def test_rows_of_an_hour_that_exists_twice_are_told_apart_at_every_step(
    tmp_path: Path, zone: str, start: str, minutes: int, order: str
) -> None:
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    times = [first + at * timedelta(minutes=minutes) for at in range(600 // minutes)]
    local = [f"{time.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M},{at}.5\n" for at, time in enumerate(times)]
    rows = reversed(local) if order == "newest first" else local

    assert prepare(tmp_path, ("Time,Flow\n" + "".join(rows)).encode(), ["--time-zone", zone]) == 0

    written = (tmp_path / "out" / "Pump_1" / "Pump_1.csv").read_text().splitlines()[1:]
    assert written == [f"{time:%Y-%m-%dT%H:%M:%S},{at}.5" for at, time in enumerate(times)]


def test_a_folder_of_components(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "exports"
    (folder / "fan").mkdir(parents=True)
    (folder / "pump.csv").write_bytes(b"Time,Flow,Press\n" + BODY)
    (folder / "Labels.csv").write_bytes(b"2026-03-01,2026-03-02\n")
    (folder / "fan" / "2026-03.txt").write_bytes(b"Time,Flow,Press\n" + BODY)
    (folder / "broken.csv").write_bytes(b"PAR1")

    assert run(["prepare", str(folder), str(tmp_path / "out")]) == 1

    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert written == {"pump/pump.csv", "fan/2026-03.csv"}
    assert "1 of 3 files were not prepared" in capsys.readouterr().err


def test_two_files_of_one_component_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Pump 1.csv", "Pump_1.csv"):
        (tmp_path / name).write_bytes(b"Time,Flow,Press\n" + BODY)

    assert run(["prepare", str(tmp_path), str(tmp_path / "out")]) == 1

    error = capsys.readouterr().err
    assert "Pump 1.csv" in error
    assert "Pump_1.csv" in error


def test_an_unknown_key_shows_the_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare(tmp_path, b"Time,Flow,Press\n" + BODY, ["--set", "colour=red"]) == 1

    assert "date-order: dmy, mdy or ymd" in capsys.readouterr().err
