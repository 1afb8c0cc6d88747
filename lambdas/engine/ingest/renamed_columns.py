"""Recognise a column that goes on under another name in the files of a component from some time on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.ingest.file_levels import are_alike, levels_of_columns
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
    Where several columns fit, none is told: they are sensors of one kind, as in files of several tests.

    Args:
        reports: The files of a component.
    """
    pairs = [pair for pair in _one_after_the_other(reports) if _may_be_one(pair, reports)]
    olds, news = Counter(pair.old for pair in pairs), Counter(pair.new for pair in pairs)
    return [
        pair
        for pair in pairs
        if olds[pair.old] == news[pair.new] == 1
        and reports[pair.last].header.index(pair.old) == reports[pair.first].header.index(pair.new)
    ]


def _one_after_the_other(reports: Sequence[FileReport]) -> Iterator[RenamedColumn]:
    """Yield the columns one of which begins in the next files after the other ends."""
    spans = _spans(reports)
    times = [(report.start, report.end) for report in reports if report.start and report.end]
    latest_start = max((start for start, _ in times), default="")
    earliest_end = min((end for _, end in times), default="")
    begins = {name: span for name, span in spans.items() if span.start > earliest_end}
    for old, ended in spans.items():
        if ended.end < latest_start:
            next_end = min(end for start, end in times if start > ended.end)
            for new, began in begins.items():
                if ended.end < began.start <= next_end:
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


def _may_be_one(pair: RenamedColumn, reports: Sequence[FileReport]) -> bool:
    """Return whether two columns have like values, or headers that are the same but for their names."""
    last, first = reports[pair.last], reports[pair.first]
    if pair.old in last.columns and pair.new in first.columns:
        before = levels_of_columns(last.columns, last.levels).get(pair.old)
        then = levels_of_columns(first.columns, first.levels).get(pair.new)
        return before is not None and then is not None and are_alike(before, then)
    renamed = [pair.new if name == pair.old else name for name in last.header[1:]]
    listed = pair.old in last.columns or pair.new in first.columns
    return listed and renamed == [*first.header[1:]]
