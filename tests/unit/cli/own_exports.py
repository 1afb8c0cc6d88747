"""Twenty days of a pump as ten historians, spreadsheets and programs would export them."""

import csv
import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

START = datetime(2026, 3, 10, tzinfo=UTC)
"""The twenty days hold the change to summer time."""
TIMES = tuple(START + timedelta(hours=at) for at in range(20 * 24))
LABEL = (START + timedelta(days=12), START + timedelta(days=12, hours=6))

Row = tuple[datetime, Mapping[str, Decimal | None]]


def _flow(at: int) -> Decimal:
    return Decimal(1500 + at * 37 % 900) / 100


def _press(at: int) -> Decimal | None:
    return None if at % 97 == 5 else Decimal(1_234_500 + at * 7919 % 5000) / 1000


def _total(at: int) -> Decimal:
    return Decimal(123_456_784 + 6 * at) / 10


CONTENT: Mapping[str, tuple[Decimal | None, ...]] = {
    "Flow": tuple(_flow(at) for at in range(len(TIMES))),
    "Press": tuple(_press(at) for at in range(len(TIMES))),
    "Total": tuple(_total(at) for at in range(len(TIMES))),
}
"""Per sensor, a value for each of the times. The totaliser has nine digits, and some values are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnExport:
    """An export of the pump.

    Attributes:
        files: The files of its component, by name.
        names: What becomes of the names of the sensors, in order of the columns.
        options: What a person has to tell `l4e prepare`.
    """

    files: Mapping[str, bytes]
    names: tuple[str, str, str] = ("Flow", "Press", "Total")
    options: tuple[str, ...] = ()


def _table(
    header: list[str],
    time: Callable[[datetime], list[str]],
    number: Callable[[Decimal], str] = str,
    *,
    separator: str = ",",
    line_end: str = "\n",
    absent: str = "",
    among: slice = slice(None),
) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end)
    if header:
        writer.writerow(header)
    for at, stamp in list(enumerate(TIMES))[among]:
        values = [column[at] for column in CONTENT.values()]
        writer.writerow([*time(stamp), *(absent if value is None else number(value) for value in values)])
    return text.getvalue()


def _iso(time: datetime) -> list[str]:
    return [f"{time:%Y-%m-%d %H:%M:%S}"]


def _german(value: Decimal) -> str:
    return f"{value:,f}".translate({ord(","): ".", ord("."): ","})


def _long() -> str:
    lines = ["Timestamp,TagName,Value,Quality"]
    for at, time in enumerate(TIMES):
        for name, column in CONTENT.items():
            value = column[at]
            shown, quality = ("0", "Bad") if value is None else (str(value), "Good")
            lines.append(f"{time:%Y-%m-%d %H:%M:%S},{name},{shown},{quality}")
    return "\n".join([*lines, ""])


def _report() -> str:
    head = "Report\tPump 1\nFrom\t2026-03-10\n\n"
    body = _table(["Date", "Clock", "Flow", "Press", "Total"], _apart, separator="\t")
    names, rows = body.split("\n", 1)
    return f"{head}{names}\n\t\tm³/h\tkPa\tm³\n{rows}Average\t\t19.5\t1234.9\t\n"


def _apart(time: datetime) -> list[str]:
    return [f"{time:%Y-%m-%d}", f"{time:%H:%M:%S}"]


def _twelve_hours(time: datetime) -> list[str]:
    half = "AM" if time.hour < 12 else "PM"
    return [f"{time.month}/{time.day}/{time.year} {time.hour % 12 or 12}:{time:%M:%S} {half}"]


def _berlin(time: datetime) -> list[str]:
    return [f"{time.astimezone(ZoneInfo('Europe/Berlin')):%d.%m.%Y %H:%M}"]


def _excel_days(time: datetime) -> list[str]:
    since = time.replace(tzinfo=None) - datetime(1899, 12, 30)  # noqa: DTZ001 - as Excel counts
    return [f"{Decimal(since // timedelta(seconds=1)) / 86_400:.10f}"]


def _indexed() -> str:
    lines = _table(["unix_time", *CONTENT], lambda time: [str(int(time.timestamp() * 1000))]).splitlines()
    return "\n".join([f",{lines[0]}", *(f"{at},{line}" for at, line in enumerate(lines[1:])), ""])


def _pi(time: datetime) -> list[str]:
    return [f"{time:%d-%b-%y %H:%M:%S}"]


OWN_EXPORTS: Mapping[str, OwnExport] = {
    "comma-separated, ISO times, two files": OwnExport(
        files={
            "1.csv": _table(["Timestamp", *CONTENT], _iso, among=slice(250)).encode(),
            "2.csv": _table(["Timestamp", *CONTENT], _iso, among=slice(250, None)).encode(),
        }
    ),
    "a German spreadsheet: semicolons, decimal commas, thousands, cp1252": OwnExport(
        files={
            "März.csv": _table(
                ["Zeit", "Öldurchfluss [l/h]", "Druck %", "Summe m³"],
                lambda time: [f"{time:%d.%m.%Y %H:%M}"],
                _german,
                separator=";",
                line_end="\r\n",
            ).encode("cp1252")
        },
        names=("Oeldurchfluss_l_h", "Druck_pct", "Summe_m3"),
    ),
    "PI: month by name, status texts, tabs": OwnExport(
        files={
            "pi.txt": _table(["Time", *CONTENT], _pi, separator="\t", absent="I/O Timeout").encode(),
        }
    ),
    "long: one row per value, with a quality": OwnExport(files={"long.csv": _long().encode()}),
    "a report: preamble, date and clock, units, an average, UTF-16": OwnExport(
        files={"report.txt": _report().encode("utf-16")}
    ),
    "local time of Berlin over the change to summer": OwnExport(
        files={"local.csv": _table(["Zeit", *CONTENT], _berlin, separator=";").encode()},
        options=("--time-zone", "Europe/Berlin"),
    ),
    "epoch milliseconds, an index, gzip without .gz": OwnExport(
        files={"epoch.csv": gzip.compress(_indexed().encode())}
    ),
    "am and pm, carriage returns, a line sep=": OwnExport(
        files={
            "us.csv": ("sep=,\r" + _table(["Time", *CONTENT], _twelve_hours, line_end="\r")).encode(),
        }
    ),
    "days as Excel counts them, an empty last column": OwnExport(
        files={
            "days.csv": _table(["Time", *CONTENT], _excel_days).replace("\n", ",\n").encode(),
        }
    ),
    "R: a header one name short, NA": OwnExport(
        files={
            "r.csv": ("Flow,Press,Total\n" + _table([], _iso, absent="NA")).encode(),
        },
        options=("--set", "columns=Timestamp,Flow,Press,Total"),
    ),
}
