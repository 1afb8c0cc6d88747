"""What a file is, by its first bytes and lines: mistakes, and the words that the text must hold."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4e_files.beginning import recognise
from l4e_files.unusable import IllegalHeader, UnusableFile

ROWS = "2026-03-01 00:00:00,10.5,11\n2026-03-01 00:01:00,11.5,12\n"
GOOD = f"Timestamp,Flow,Press\n{ROWS}"


def stamped(line: str, *, head: str, count: int = 8) -> str:
    return head + "\n" + "".join(line.format(at=at, half=at // 2) + "\n" for at in range(count))


MISTAKES: dict[str, tuple[str | bytes, list[str]]] = {
    "UTF-16 of Windows": (GOOD.encode("utf-16"), ["UTF-16", "UTF-8"]),
    "UTF-16, the other way round": (b"\xfe\xff" + GOOD.encode("utf-16-be"), ["UTF-16"]),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), ["UTF-16"]),
    "UTF-32": (GOOD.encode("utf-32"), ["UTF-32"]),
    "Latin-1 in the header": (
        GOOD.replace("Flow", "Öl").encode("latin-1"),
        ["line 1", "not UTF-8", "D6", "'Ö'"],
    ),
    "gzip without .gz": (gzip.compress(GOOD.encode()), ["gzip", ".csv.gz"]),
    "zip": (b"PK\x03\x04\x14\0\0\0pump.csv", ["zip", "unpack"]),
    "workbook": (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", ["Excel workbook", "CSV"]),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", ["Excel", "CSV"]),
    "Parquet": (b"PAR1\x15\x04\x15", ["Parquet", "CSV"]),
    "bzip2": (b"BZh91AY&SY", ["bzip2", ".csv.gz"]),
    "HTML": (b"<html><body><table>", ["HTML", "CSV"]),
    "JSON": (b'{"Timestamp": "2026-03-01"}\n', ["JSON", "CSV"]),
    "NUL bytes in the header": (b"Timestamp,a\0b\n2026-03-01,1\n", ["line 1", "NUL"]),
    "empty": (b"", ["empty"]),
    "only blank lines": (b"\n \r\n\n", ["empty"]),
    "carriage returns": (GOOD.replace("\n", "\r"), ["carriage return", "LF or CRLF"]),
    "semicolons": (
        "Timestamp;Flow;Press\n2026-03-01 00:00:00;10,5;11,5\n",
        ["line 1", "semicolons", "commas"],
    ),
    "semicolons and a comma in a name": (
        "Timestamp;Flow (m3/h, mean);Press\n2026-03-01 00:00:00;10,5;11,5\n",
        ["semicolons"],
    ),
    "tabs": (GOOD.replace(",", "\t"), ["tabs", "commas"]),
    "bars": (GOOD.replace(",", "|"), ["vertical bars"]),
    "sep=;": ("sep=;\nTimestamp;Flow\n2026-03-01 00:00:00;1\n", ["line 1", "sep=;", "commas"]),
    "one column": ("Timestamp\n2026-03-01\n", ["1 column", "timestamp and a sensor"]),
    "no header": (ROWS, ["line 1", "header row is missing"]),
    "no header, a form that is not accepted": (
        "01-Mar-26 00:00:00,10.5,11\n01-Mar-26 00:01:00,11.5,12\n",
        ["line 1", "header row is missing"],
    ),
    "report before the header": (
        f"Report,Pump 1\nFrom,2026-03-01\n\n{GOOD}",
        ["line 1", "line 4", "Timestamp,Flow,Press"],
    ),
    "report filled up with commas": (f"Report 7,,\n,,\n{GOOD}", ["line 1", "line 3", "first line"]),
    "report as wide as the data": (
        f"Plant,Unit,Shift\nA,B,night\n{GOOD}",
        ["line 3", "Timestamp,Flow,Press"],
    ),
    "one title line": (f"Pump 1\n{GOOD}", ["line 2", "Timestamp,Flow,Press"]),
    "index of pandas": (
        ",Timestamp,Flow\n0,2026-03-01 00:00:00,1.5\n1,2026-03-01 00:01:00,2.5\n",
        ["first column", "'0'", "column 2", "'Timestamp'", "index"],
    ),
    "time in the third column": (
        "Id,Unit,Time,Flow\n7,A,2026-03-01 00:00:00,1.5\n8,A,2026-03-01 00:01:00,2.5\n",
        ["first column", "column 3"],
    ),
    "date and time apart": (
        "Date,Time,Flow\n2026-03-01,00:00:00,10\n2026-03-01,00:01:00,11\n",
        ["two columns", "'Date'", "'Time'", "line 2"],
    ),
    "time and date apart": (
        "Time,Date,Flow\n00:00:00,2026-03-01,10\n00:01:00,2026-03-01,11\n",
        ["two columns"],
    ),
    "year, month and day apart": (
        "Year,Month,Day,Hour,Flow\n2026,3,1,0,10\n2026,3,1,1,11\n",
        ["columns of their own", "'Year'", "'2026,3,1,0,10' in line 2", "join them"],
    ),
    "date and hour apart": (
        stamped("2026-03-01,{at},{half}.5", head="Date,Hour,Flow"),
        ["two columns", "'Date' and 'Hour'", "join them"],
    ),
    "a row per day": (
        stamped(
            "2026-03-{at:02d}" + ",{at}" * 24,
            head="Date," + ",".join(f"{hour:02d}:00" for hour in range(24)),
        ).replace("2026-03-00", "2026-03-09"),
        ["a row is a day", "'00:00' to '23:00'", "one row per time"],
    ),
    "a row per day at midnight": (
        stamped("2026-03-1{at}T00:00:00" + ",{at}" * 24, head="t," + ",".join(f"H{at}" for at in range(24))),
        ["a row is a day", "'H0' to 'H23'"],
    ),
    "long layout": (
        "Timestamp,Tag,Value\n2026-03-01 00:00:00,Flow,10\n2026-03-01 00:00:00,Press,11\n",
        ["long layout", "'Tag'", "'Flow'", "one column per sensor"],
    ),
    "long layout with quality": (
        "time,PointName,Value,Quality\n2026-03-01 00:00:00,P1.F,10,Good\n2026-03-01 00:00:10,P1.F,11,Good\n",
        ["long layout", "'PointName'"],
    ),
    "long layout with odd names": (
        stamped("2026-03-01 00:0{half}:00,T{at},1.5", head="when,what,amount")
        .replace("T2", "T0")
        .replace("T3", "T1")
        .replace("T4", "T0")
        .replace("T5", "T1")
        .replace("T6", "T0")
        .replace("T7", "T1"),
        ["long layout", "'what'"],
    ),
    "long layout with numbers for names": (
        stamped(
            "2026-03-01 00:0{half}:00,7,1.5\n2026-03-01 00:0{half}:00,8,2.5", head="Timestamp,SensorNo,Value"
        ),
        ["long layout", "'SensorNo'", "'7' in line 2"],
    ),
    "long layout, sensors in turns": (
        stamped("2026-03-01 00:0{at}:00,7,1.5\n2026-03-01 00:0{at}:30,8,2.5", head="Timestamp,TagId,Value"),
        ["long layout", "'TagId'"],
    ),
    "long layout, few rows, numbers for names under names of another language": (
        "Zeit,Ort,Wert\n"
        + "".join(f"2026-03-01 00:0{at // 2}:00,{101 + at % 2},1.{at}\n" for at in range(6)),
        ["long layout", "'Ort'", "'101' in line 2"],
    ),
    "long layout of four rows": (
        "Zeit,Ort,Wert\n"
        + "".join(f"2026-03-01 00:0{at // 2}:00,{'AB'[at % 2]},1.{at}\n" for at in range(4)),
        ["long layout", "'Ort'", "'A' in line 2"],
    ),
    "two machines in one file": (
        stamped(
            "2026-03-01 00:{at:02d}:00,1,1.5,3\n2026-03-01 00:{at:02d}:00,2,2.5,4",
            head="time,machine,Flow,Press",
            count=12,
        ),
        ["long layout", "'machine'", "'1' in line 2"],
    ),
    "labels": (
        "start,end\n2026-03-01 00:00,2026-03-02 00:00\n2026-03-05,2026-03-06\n",
        ["as a label file", "'2026-03-01 00:00,2026-03-02 00:00' in line 2", "prefix of the labels"],
    ),
    "two machines with numbers beside many sensors": (
        stamped(
            "2026-03-01 00:0{at}:00,1,2,3,4,5,6,1\n2026-03-01 00:0{at}:00,1,2,3,4,5,6,2",
            head="Timestamp,a,b,c,d,e,f,Machine Id",
        ),
        ["long layout", "column 8 ('Machine Id')", "'1' in line 2"],
    ),
    "two machines beside many sensors": (
        stamped(
            "2026-03-01 00:0{at}:00,1,2,3,4,5,6,P1\n2026-03-01 00:0{at}:00,1,2,3,4,5,6,P2",
            head="Timestamp,a,b,c,d,e,f,which",
        ),
        ["long layout", "column 8 ('which')", "'P1' in line 2", "components of their own"],
    ),
    "two machines at times of their own": (
        stamped(
            "2026-03-01 00:0{at}:00,P1,1,2,3,4\n2026-03-01 00:0{at}:07,P2,1,2,3,4",
            head="Timestamp,Machine,a,b,c,d",
        ),
        ["long layout", "column 2 ('Machine')", "'P1' in line 2"],
    ),
    "decimal commas in quotation marks": (
        'Timestamp,Flow,Press\n2026-03-01 00:00:00,"10,5","1.011,5"\n',
        ["decimal comma", "'10,5'", "line 2"],
    ),
    "names in the second row": (
        "Timestamp,Pump,Pump\n,Flow,Press\n2026-03-01 00:00:00,1,2\n",
        ["header has two rows", "line 1", "line 2"],
    ),
    "merged names in the first row": (
        "Timestamp,Pump,,Motor\nUTC,Flow,Press,Speed\n2026-03-01 00:00:00,1,2,3\n",
        ["header has two rows"],
    ),
    "dates with an hour": ("Timestamp,a\n2026030100,1\n2026030101,2\n", ["yyyyMMddHH", "line 2"]),
    "dates with a year of two digits": (
        "Timestamp,a\n260301060000,1\n260301061500,2\n",
        ["'260301060000' in line 2", "yyMMddHHmmss", "yyyyMMddHHmm"],
    ),
    **{
        f"ten digits with the {first} first": (
            "Timestamp,a\n" + "".join(f"{form.format(d=at // 24 + 1, H=at % 24)},1\n" for at in range(199)),
            [f"{form.format(d=1, H=0)!r} in line 2", "year of two digits", "seconds since 1970"],
        )
        for first, form in (("year", "2603{d:02d}{H:02d}15"), ("day", "{d:02d}0326{H:02d}15"))
    },
    "lines in quotation marks": (
        "".join(f'"{line}"\n' for line in GOOD.splitlines()),
        ["line 1", "in quotation marks as a whole", "leave them out"],
    ),
    "a tar archive": (b"pump.csv".ljust(257, b"\0") + b"ustar\x0000", ["a tar archive", "unpack"]),
    "a pointer of Git LFS": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n",
        ["Git LFS", "git lfs pull"],
    ),
    "a file of MATLAB": (b"MATLAB 5.0 MAT-file\n", ["MATLAB", "export it as CSV"]),
    "blank in a name": (
        "Timestamp,Sensor 3\n2026-03-01,1\n",
        ["'Sensor 3'", "blank", "'Sensor_3'", "column 2"],
    ),
    "per cent in a name": ("Timestamp,Level %\n2026-03-01,1\n", ["'Level %'", "'%'", "letters, digits"]),
    "name that is missing": ("Timestamp,a,,b\n2026-03-01,1,2,3\n", ["column 3", "no name"]),
    "repeated name": ("Timestamp,a,b,a\n2026-03-01,1,2,3\n", ["'a' is repeated", "line 1"]),
    "name of 201 characters": (f"Timestamp,{'a' * 201}\n2026-03-01,1\n", ["201 characters", "200"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_the_way_out(mistake: str) -> None:
    content, words = MISTAKES[mistake]
    with pytest.raises(UnusableFile) as refused:
        recognise(content.encode() if isinstance(content, str) else content, detected=True)
    text = str(refused.value)
    assert [word for word in words if word not in text] == []
    assert "schema" not in text


@pytest.mark.parametrize(
    ("content", "header", "lines", "kinds"),
    [
        (GOOD, ("Timestamp", "Flow", "Press"), 1, []),
        ("\ufeff" + GOOD, ("Timestamp", "Flow", "Press"), 1, ["byte-order-mark"]),
        ("sep=,\n" + GOOD, ("Timestamp", "Flow", "Press"), 2, ["separator-line"]),
        (
            '\ufeff"SEP=,"\r\n\r\n' + GOOD,
            ("Timestamp", "Flow", "Press"),
            3,
            ["byte-order-mark", "separator-line"],
        ),
        ("Timestamp,Flow,,\n2026-03-01,1,,\n", ("Timestamp", "Flow"), 1, ["dropped-columns"]),
        ("Timestamp,Flow\n2026-03-01,1,,\n", ("Timestamp", "Flow"), 1, []),
        ('"Time (UTC)", "Flow"\n2026-03-01,1\n', ("Time (UTC)", "Flow"), 1, []),
        ("Timestamp,1,2\n2026-03-01,1,2\n", ("Timestamp", "1", "2"), 1, []),
        ("Timestamp,Count\n2026/02/30 00:00,1772323200\n", ("Timestamp", "Count"), 1, []),
        ("Timestamp,State,Flow\n2026-03-01,on,1\n2026-03-02,off,2\n", ("Timestamp", "State", "Flow"), 1, []),
        ("Timestamp,a;b\n2026-03-01,1\n".replace(";", "_"), ("Timestamp", "a_b"), 1, []),
        (
            "Timestamp,Item,Flow_value,Press_value\n2026-03-01,Pump 1,1,2\n",
            ("Timestamp", "Item", "Flow_value", "Press_value"),
            1,
            [],
        ),
        (
            stamped("2026-03-01 00:0{half}:00,{at},{half}", head="Timestamp,Speed,Stage"),
            ("Timestamp", "Speed", "Stage"),
            1,
            [],
        ),
        (
            stamped("2026-03-01 00:0{at}:00,1,1.5\n2026-03-01 00:0{at}:00,0,2.5", head="Timestamp,Run,Flow"),
            ("Timestamp", "Run", "Flow"),
            1,
            [],
        ),
        (
            stamped("2026-03-01 00:0{at}:00,{half},1.5", head="Timestamp,Stage,Value"),
            ("Timestamp", "Stage", "Value"),
            1,
            [],
        ),
        *(
            (stamped(line, head=f"Timestamp,{name},a,b,c,d", count=9), ("Timestamp", name, *"abcd"), 1, [])
            for name, line in (
                ("Mode", "2026-03-01 00:0{at}:00,auto,1,2,3,4\n2026-03-01 00:0{at}:07,hand,1,2,3,4"),
                ("Machine", "2026-03-01 00:0{at}:00,P1,1,2,3,4"),
            )
        ),
        ("Date,Flow\n202603010600,1\n202603010615,2\n", ("Date", "Flow"), 1, []),
        ("Date,Flow\n2026-03-01,1\n", ("Date", "Flow"), 1, []),
        (
            "t," + ",".join(map(str, range(24))) + "\n" + f"2026-03-01T00:01:00{',1' * 24}\n",
            ("t", *map(str, range(24))),
            1,
            [],
        ),
        ("Year,Flow\n2026-01-01,8\n2027-01-01,9\n", ("Year", "Flow"), 1, []),
        ("Date,Hours\n2026-03-01,8\n2026-03-02,9\n2026-03-03,8\n", ("Date", "Hours"), 1, []),
        ("Timestamp,Value\n2026-03-01,1\n", ("Timestamp", "Value"), 1, []),
        ("Timestamp,a", ("Timestamp", "a"), 1, []),
    ],
)
def test_what_is_harmless_is_put_right(
    content: str, header: tuple[str, ...], lines: int, kinds: list[str]
) -> None:
    found = recognise(content.encode(), detected=True)
    assert (found.header, found.lines) == (header, lines)
    assert [repair.kind for repair in found.repairs] == kinds
    assert content.encode()[: found.offset].count(b"\n") == lines - (not content.count("\n"))


@pytest.mark.parametrize(
    ("content", "width"),
    [
        (GOOD, 3),
        ("Timestamp,Flow,,\n2026-03-01,1\n", 4),
        ("Timestamp,Flow\n2026-03-01,1,,\n2026-03-02,2,,\n2026-03-03,2\n", 4),
        ("Timestamp,Flow\n2026-03-01,1,\n2026-03-02,2,3\n", 2),
    ],
)
def test_rows_are_as_wide_as_their_empty_cells_reach(content: str, width: int) -> None:
    assert recognise(content.encode()).width == width


def test_units_under_the_header_are_noted() -> None:
    found = recognise(f"Timestamp,Flow,Press\ns,m3/h,bar\n{ROWS}".encode())
    assert found.header == ("Timestamp", "Flow", "Press")
    assert "line 2" in found.notes[0]
    assert "units" in found.notes[0]
    assert found.first_timestamp == (3, "2026-03-01 00:00:00")


def test_a_column_that_no_schema_asks_for_may_have_a_blank() -> None:
    line = b"Timestamp,Flow,Operator note\n"
    assert recognise(line).header[2] == "Operator note"
    with pytest.raises(IllegalHeader, match="has a blank"):
        recognise(line, detected=True)


def test_too_many_columns_are_counted_at_once() -> None:
    head = ",".join(["Timestamp", *(f"s{at}" for at in range(300_000))]).encode()
    with pytest.raises(
        UnusableFile, match=r"300,000 sensor columns but at most 3,000.*'columns_per_dataset'"
    ):
        recognise(head, max_columns=3_000)
    assert len(recognise(b"t,a,b,c,,,\n", max_columns=3).header) == 4


@given(st.binary(max_size=300), st.sampled_from([b"", b"t,a\n", GOOD.encode()[:60]]))
def test_any_bytes_are_recognised_or_refused(data: bytes, start: bytes) -> None:
    try:
        found = recognise(start + data, detected=True)
    except UnusableFile:
        return
    assert found.width >= len(found.header) >= 2
    assert found.offset <= len(start + data)
