"""Labels with what people say of them: CSV with a header, whose columns have the names of the API.

A file of two columns, start and end, is a label file of the service, and every label in it an anomaly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from l4e_files.label_periods import (
    COLUMNS,
    NAMES,
    LabelPeriod,
    Line,
    cut_off,
    is_header,
    periods_of,
    plain_name,
    read_labels,
    read_lines,
)
from l4e_files.unusable import UnusableFile

RATINGS = ("ANOMALY", "NO_ANOMALY", "NEUTRAL")
MOST_DESCRIBED = 5_000
"""Labels of a label group that an app may describe in a file: the quota of the managed service."""

_NEEDED = COLUMNS[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLabel:
    """A label of a file. What the file leaves out or blank is None, or an anomaly as rating."""

    period: LabelPeriod
    rating: str = RATINGS[0]
    fault_code: str | None = None
    equipment: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLabelFile:
    """The labels of a file, and remarks about readings that were taken where others were possible."""

    labels: tuple[RatedLabel, ...]
    remarks: tuple[str, ...] = ()


def read_rated_labels(data: bytes) -> RatedLabelFile:
    """Return the labels of a file.

    Args:
        data: All bytes of the file.

    Raises:
        UnusableFile: When it is not a file of labels. The message names the lines, what was found, the rule
            and the fix.
    """
    lines = read_lines(data)
    if not lines or (len(lines[0].cells) <= len(_NEEDED) and not _names_more(lines[0])):
        found = read_labels(data)
        labels = tuple(RatedLabel(period=period) for period in found.periods)
        return RatedLabelFile(labels=labels, remarks=found.doubts)
    header, rows = lines[0], lines[1:]
    if not is_header(header):
        raise UnusableFile(
            f"line {header.number} '{header}' has {len(header.cells)} columns and is no header: write "
            f"'{','.join(COLUMNS)}', or some of these, into the first line"
        )
    columns = _columns(header)
    cells = [_cells(row, columns) for row in rows]
    times = [
        Line(number=row.number, cells=tuple(each.get(name, "") for name in _NEEDED))
        for row, each in zip(rows, cells, strict=True)
    ]
    found = periods_of(times)
    labels = tuple(
        RatedLabel(
            period=period,
            rating=_rating(row, each.get("rating") or RATINGS[0]),
            fault_code=each.get("fault_code") or None,
            equipment=each.get("equipment") or None,
            notes=each.get("notes") or None,
        )
        for row, each, period in zip(rows, cells, found.periods, strict=True)
    )
    return RatedLabelFile(labels=labels, remarks=(*found.doubts, *cut_off(data, times)))


def _names_more(first: Line) -> bool:
    """Return whether a line names another column than start and end."""
    return any(NAMES.get(plain_name(cell), "start") not in _NEEDED for cell in first.cells)


def _columns(header: Line) -> Sequence[str]:
    """Return the names of the columns, each one of COLUMNS; blank names at the end are left out."""
    cells = list(header.cells)
    while cells and not cells[-1]:
        cells.pop()
    columns = []
    for cell in cells:
        name = NAMES.get(plain_name(cell))
        if name is None or name in columns:
            what = (
                "is not a column of labels" if name is None else f"stands for '{name}', as another one does"
            )
            raise UnusableFile(f"line {header.number}: '{cell}' {what}: use {', '.join(COLUMNS)}, each once")
        columns.append(name)
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise UnusableFile(f"line {header.number} '{header}' has no column '{missing[0]}': add it")
    return columns


def _cells(row: Line, columns: Sequence[str]) -> Mapping[str, str]:
    beyond = [cell for cell in row.cells[len(columns) :] if cell]
    if beyond:
        raise UnusableFile(
            f"line {row.number}: '{beyond[0]}' lies beyond the {len(columns)} columns of the header: put "
            "cells that hold a comma into quotation marks"
        )
    return dict(zip(columns, row.cells, strict=False))


def _rating(row: Line, rating: str) -> str:
    if rating.upper() not in RATINGS:
        raise UnusableFile(f"line {row.number}: the rating '{rating}' is not one of {', '.join(RATINGS)}")
    return rating.upper()
