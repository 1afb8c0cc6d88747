"""Which files of an ingestion are read a second time, once all of them are known. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine import FileReport


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReading:
    """How a file is read again; `day_first` is None when the file itself shows the order of its dates."""

    day_first: bool | None


def is_day_first(reports: Iterable[FileReport]) -> bool:
    """Return whether the files whose dates show the order of day and month all have the day first."""
    orders = {report.day_month for report in reports}
    return "day-first" in orders and "month-first" not in orders


def second_reading(report: FileReport, names: tuple[str, ...], *, day_first: bool) -> SecondReading | None:
    """Return how a file is read again, None when it need not be.

    A file is read again when it was read before all columns of its component were known, or when its dates
    allow both orders of day and month and the other files show that the day is first.

    Args:
        report: the report of the file.
        names: the columns of its component.
        day_first: what `is_day_first` says of all files of the job.
    """
    other_order = day_first and report.day_month == "ambiguous"
    if report.columns == names and not other_order:
        return None
    return SecondReading(day_first=True if other_order else None)
