"""Recognise a column that goes on under another name in the files of a component from some time on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.ingest.file_levels import UNKNOWN, alike, levels_of_columns
from engine.ingest.file_report import FileReport


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamedColumn:
    """Two columns that are likely one sensor.

    Attributes:
        old: Name of the one that ends.
        new: Name of the one that begins after it.
        last: Place of the last file of the old name.
        first: Place of the first file of the new name.
    """

    old: str
    new: str
    last: int
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """The first and the last file of a column, by their places, and the time between."""

    first: int
    last: int
    start: str
    end: str


def renamed_columns(reports: Sequence[FileReport]) -> list[RenamedColumn]:
    """Return the columns that end where another one begins, at their place in the header, with like values.

    A column that the schema does not list has no values: then the headers must be the same but for the names.
    Of columns whose values are all alike, none is told: they are of one kind, as in files of several tests.

    Args:
        reports: The files of a component.
    """
    pairs = list(_one_after_the_other(reports))
    files = {file for pair in pairs for file in (pair.last, pair.first)}
    levels = {file: levels_of_columns(reports[file].columns, reports[file].levels) for file in files}
    before = np.array([levels[pair.last].get(pair.old, UNKNOWN) for pair in pairs])
    then = np.array([levels[pair.first].get(pair.new, UNKNOWN) for pair in pairs])
    pauses = [(reports[pair.last].end or "", reports[pair.first].start or "") for pair in pairs]
    found = []
    for at, pair in enumerate(pairs):
        if pair.old in reports[pair.last].columns and pair.new in reports[pair.first].columns:
            end, start = pauses[at]
            here = [other for other, pause in enumerate(pauses) if pause[0] <= start and end <= pause[1]]
            like = alike(before[at], then[here]), alike(then[at], before[here])
            is_one = all([here[each] for each in np.flatnonzero(some)] == [at] for some in like)
        else:
            is_one = _same_but_for(pair, reports)
        if is_one:
            found.append(pair)
    return found


def _one_after_the_other(reports: Sequence[FileReport]) -> Iterator[RenamedColumn]:
    """Yield the columns one of which begins in the files after the other ends, at its place in the header."""
    spans = _spans(reports)
    times = [(report.start, report.end) for report in reports if report.start and report.end]
    latest_start = max((start for start, _ in times), default="")
    earliest_end = min((end for _, end in times), default="")
    begins: dict[int, list[tuple[str, _Span]]] = {}
    for new, began in spans.items():
        if began.start >= earliest_end:
            begins.setdefault(reports[began.first].header.index(new), []).append((new, began))
    for old, ended in spans.items():
        if ended.end <= latest_start:
            next_end = min(end for start, end in times if start >= ended.end)
            for new, began in begins.get(reports[ended.last].header.index(old), ()):
                if ended.end <= began.start < next_end:
                    yield RenamedColumn(old=old, new=new, last=ended.last, first=began.first)


def _spans(reports: Sequence[FileReport]) -> dict[str, _Span]:
    """Return when each column of the headers begins and ends."""
    found: dict[str, _Span] = {}
    for place, report in enumerate(reports):
        if report.start is None or report.end is None:
            continue
        own = _Span(first=place, last=place, start=report.start, end=report.end)
        for name in report.header[1:]:
            known = found.get(name, own)
            begin = min(known, own, key=lambda span: span.start)
            finish = max(known, own, key=lambda span: span.end)
            found[name] = _Span(first=begin.first, last=finish.last, start=begin.start, end=finish.end)
    return found


def _same_but_for(pair: RenamedColumn, reports: Sequence[FileReport]) -> bool:
    """Return whether the headers are the same but for two names, one of which is listed in the schema."""
    last, first = reports[pair.last], reports[pair.first]
    renamed = [pair.new if name == pair.old else name for name in last.header[1:]]
    listed = pair.old in last.columns or pair.new in first.columns
    return listed and renamed == [*first.header[1:]]
