"""Label files: headerless CSV of two columns, start and end of a period of abnormal behaviour. Pure."""

import csv
import io
from collections.abc import Sequence

from engine import Interval, parse_timestamps
from service.jobs.failure import JobFailed

_FORM = "each line is '<start>,<end>', for example '2020-02-01T20:00:00.000000,2020-02-03T00:00:00.000000'"
_AGAIN = "correct the file and create the model again"


def read_label_file(name: str, text: str) -> list[Interval]:
    """Return the periods of one label file; one header line is allowed.

    Raises:
        JobFailed: naming the file, the line, the rule and the fix.
    """
    rows = enumerate(csv.reader(io.StringIO(text.removeprefix("\ufeff"))), start=1)
    lines = [(number, [cell.strip() for cell in row]) for number, row in rows if any(map(str.strip, row))]
    for number, cells in lines:
        if len(cells) != 2:
            raise JobFailed(
                f"label file '{name}', line {number}: '{','.join(cells)[:200]}' has {len(cells)} "
                f"{'column' if len(cells) == 1 else 'columns'}, but a label file has exactly two: {_FORM}; "
                f"{_AGAIN}"
            )
    starts = parse_timestamps([cells[0] for _, cells in lines])
    ends = parse_timestamps([cells[1] for _, cells in lines])
    known = [
        (start is not None, end is not None)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    periods: list[Interval] = []
    for position, (number, cells) in enumerate(lines):
        if position == 0 and not any(known[0]):
            continue
        for cell, valid in zip(cells, known[position], strict=True):
            if not valid:
                raise JobFailed(
                    f"label file '{name}', line {number}: '{cell[:200]}' is not a timestamp: {_FORM}; "
                    f"{_AGAIN}"
                )
        if ends[position] < starts[position]:
            raise JobFailed(
                f"label file '{name}', line {number}: the end '{cells[1]}' lies before the start "
                f"'{cells[0]}': {_FORM}; {_AGAIN}"
            )
        periods.append((starts[position], ends[position]))
    return periods


def none_found(location: str, keys: Sequence[str]) -> JobFailed:
    """Return the failure for a label location without a single label."""
    found = f"{len(keys)} files there hold no label" if keys else "no file is there"
    return JobFailed(
        f"no labels in '{location}': {found}; {_FORM}. Upload label files there, or leave out "
        "LabelsInputConfiguration"
    )
