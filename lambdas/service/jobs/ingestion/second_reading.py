"""Which files of a component are read a second time, once all of them are known. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine import FileReport


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReading:
    """How a file is read again; `day_first` is None when the file itself shows the order of its dates."""

    day_first: bool | None


def second_readings(reports: Sequence[FileReport], names: tuple[str, ...]) -> list[SecondReading | None]:
    """Return for each file of a component how it is read again, None when it need not be.

    A file is read again when it was read before all columns of the component were known, or when its dates
    allow both orders of day and month and those of the other files all have the day first.

    Args:
        reports: the reports of all files of the component.
        names: the columns of the component.
    """
    orders = {report.day_month for report in reports}
    day_first = "day-first" in orders and "month-first" not in orders
    readings: list[SecondReading | None] = []
    for report in reports:
        other_order = day_first and report.day_month == "ambiguous"
        again = other_order or report.columns != names
        readings.append(SecondReading(day_first=True if other_order else None) if again else None)
    return readings
