"""Files that people bring and the service does not take, made of the same rows, and words of the answer."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Reading:
    """A row of two sensors."""

    time: datetime
    flow: float
    pressure: float


def readings(start: str = "2026-01-05T10:01", count: int = 5) -> list[Reading]:
    begin = datetime.fromisoformat(start)
    return [Reading(begin + at * timedelta(minutes=1), 1010.25 + at, 4.5 + at / 100) for at in range(count)]


def table(
    rows: Sequence[Reading],
    *,
    head: str = "Timestamp,flow,pressure",
    line: str = "{time},{flow},{pressure}",
    time: str = "%Y-%m-%dT%H:%M:%S",
) -> str:
    lines = [
        line.format(time=row.time.strftime(time), flow=row.flow, pressure=row.pressure, at=at)
        for at, row in enumerate(rows)
    ]
    return "\n".join([head, *lines]) + "\n"


def with_commas(rows: Sequence[Reading], line: str, **how: str) -> str:
    """Decimal commas in place of points."""
    cells = [
        line.format(
            time=f"{row.time:%Y-%m-%d %H:%M:%S}",
            flow=f"{row.flow:.2f}".replace(".", ","),
            pressure=f"{row.pressure:.2f}".replace(".", ","),
        )
        for row in rows
    ]
    return "\n".join([how.get("head", "Timestamp,flow,pressure"), *cells]) + "\n"


def long_layout(rows: Sequence[Reading]) -> str:
    lines = [
        f"{row.time.isoformat()},{tag},{value}"
        for row in rows
        for tag, value in (("flow", row.flow), ("pressure", row.pressure))
    ]
    return "\n".join(["Timestamp,Tag,Value", *lines]) + "\n"


BAD_FILES: Mapping[str, tuple[Callable[[Sequence[Reading]], str | bytes], Sequence[str]]] = {
    "semicolons and decimal commas": (
        lambda rows: with_commas(rows, "{time};{flow};{pressure}", head="Timestamp;flow;pressure"),
        ("separated by semicolons", "separated by commas", "l4e prepare"),
    ),
    "decimal commas without quotation marks": (
        lambda rows: with_commas(rows, "{time},{flow},{pressure}"),
        ("5 of 5 rows have more cells than the header (line 1), which has 3: line 2 has 5", "decimal comma"),
    ),
    "decimal commas in quotation marks": (
        lambda rows: with_commas(rows, '{time},"{flow}","{pressure}"'),
        ("decimal comma ('1010,25' in line 2)", "decimal point"),
    ),
    "a header that is one name short": (
        lambda rows: table(rows, head="flow,pressure"),
        ("more cells than the header", "lack the name of the first column", "begin it with 'Timestamp,'"),
    ),
    "a fraction after a comma": (
        lambda rows: table(rows, time="%Y-%m-%d %H:%M:%S,123"),
        ("split at the comma before its fraction", "write a point"),
    ),
    "months by name": (
        lambda rows: table(rows, time="%d-%b-%y %H:%M:%S"),
        ("05-Jan-26 10:01:00", "accepted are", "line 2"),
    ),
    "am and pm": (
        lambda rows: table(rows, time="%m/%d/%Y %I:%M:%S %p"),
        ("01/05/2026 10:01:00 AM", "accepted are", "line 2"),
    ),
    "nanoseconds since 1970": (
        lambda rows: table(rows, time="17676%H%M%S000000000"),
        ("accepted are", "line 2"),
    ),
    "UTF-16": (lambda rows: table(rows).encode("utf-16"), ("UTF-16", "UTF-8")),
    "gzip without .gz": (
        lambda rows: gzip.compress(table(rows).encode()),
        ("compressed by gzip, but its name does not end in .gz",),
    ),
    "an index column": (
        lambda rows: table(rows, head=",Timestamp,flow,pressure", line="{at},{time},{flow},{pressure}"),
        ("the first column must hold the timestamps", "line 2 begins with '0'", "column 2 ('Timestamp'"),
    ),
    "the long layout": (long_layout, ("long layout", "'Tag'", "one column per sensor", "l4e prepare")),
    "date and time apart": (
        lambda rows: table(rows, head="Date,Time,flow,pressure", time="%Y-%m-%d,%H:%M:%S"),
        ("date and time stand in two columns: 'Date' and 'Time'", "join them"),
    ),
    "carriage returns only": (
        lambda rows: table(rows).replace("\n", "\r"),
        ("carriage return (CR) alone", "LF or CRLF"),
    ),
    "a report before the header": (
        lambda rows: "Report,Pump 1\nFrom,2026-01-05\n\n" + table(rows),
        ("line 1 ('Report,Pump 1') is not the header: line 4 looks like it",),
    ),
    "no header": (
        lambda rows: table(rows).partition("\n")[2],
        ("line 1 starts with the timestamp '2026-01-05T10:01:00': a header row is missing",),
    ),
    "a row per sensor": (
        lambda rows: "\n".join(
            [
                ",".join(["Tag", *(row.time.isoformat() for row in rows)]),
                ",".join(["flow", *(str(row.flow) for row in rows)]),
                ",".join(["pressure", *(str(row.pressure) for row in rows)]),
            ]
        ),
        ("the columns of the header (line 1) are times, from '2026-01-05T10:01:00'", "a row is a sensor"),
    ),
    "a name with a line break": (
        lambda rows: table(rows, head='Timestamp,"flow\n",pressure'),
        ("the name 'flow' of the header (line 1) has a line break", "l4e prepare"),
    ),
    "Latin-1": (
        lambda rows: table(rows, head="Timestamp,flow,pressure,Temp °C").encode("latin-1"),
        ("line 1 is not UTF-8 text", "'°'", "Save the file as CSV in UTF-8"),
    ),
    "an Excel workbook": (
        lambda rows: b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml",
        ("Excel workbook (xlsx), not CSV",),
    ),
}


GOOD_FILES: Mapping[str, Callable[[Sequence[Reading]], str | bytes]] = {
    "plain": table,
    "Excel's line about the separator": lambda rows: "sep=,\n" + table(rows),
    "a byte order mark": lambda rows: table(rows).encode("utf-8-sig"),
    "commas at the ends": lambda rows: table(
        rows, head="Timestamp,flow,pressure,", line="{time},{flow},{pressure},"
    ),
    "carriage returns and line feeds": lambda rows: table(rows).replace("\n", "\r\n"),
    "the month first": lambda rows: table(rows, time="%m/%d/%Y %H:%M"),
}
"""Files that are taken, some after a repair, and give the same values as the plain one."""
