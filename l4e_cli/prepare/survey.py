"""Decide everything about a file: what it looks like from its first lines, what it is from all rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from l4e_cli.prepare.all_rows import AllRows
from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport
from l4e_cli.prepare.head import read_head, times_in
from l4e_cli.prepare.layout import Layout, decide_layout
from l4e_cli.prepare.numbers import decide_decimal
from l4e_cli.prepare.rows import read_tables
from l4e_cli.prepare.separator import decide_separator, split
from l4e_cli.prepare.source import Source, open_source
from l4e_cli.prepare.structure import Sheet, find_sheet
from l4e_cli.prepare.time_column import TimeColumn, decide_time_column
from l4e_cli.prepare.time_survey import TimeSurvey, decide_form, decide_zone
from l4e_cli.prepare.times import EXCEL
from l4e_cli.prepare.zone import Localiser, Zone

_FIRST_CELLS = 300
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that was decided about a file.

    Attributes:
        source: Its bytes.
        sheet: Its lines.
        time: Its time column.
        times: What the times of all rows show, in the form that was decided.
        decimal: Its decimal mark.
        layout: Its columns.
        decisions: All decisions.
        rows: Rows of the body that have a time.
        localiser: Makes a new converter of its times to UTC.
    """

    source: Source
    sheet: Sheet
    time: TimeColumn
    times: TimeSurvey
    decimal: str
    layout: Layout
    decisions: tuple[Decision, ...]
    localiser: Callable[[], Localiser]

    @property
    def rows(self) -> int:
        """Rows of the body that have a time."""
        return self.times.read


def survey(path: Path, answers: Answers, *, progress: Callable[[int], None] = lambda _: None) -> Plan:
    """Decide everything about a file.

    Args:
        path: The file.
        answers: What the user decided.
        progress: Receives the number of rows that were looked at.

    Raises:
        UnfitExport: When the file cannot be turned into one that the service takes.
        UndecidedExport: When it can be read in several ways, with all questions that can be asked at once.
    """
    source = open_source(path, answers)
    looks = _look_at_head(source, answers)
    localiser = _localisers(looks.time, answers)
    surveys = [TimeSurvey(form=form, localiser=localiser()) for form in looks.time.forms]
    rows = AllRows(sheet=looks.sheet, time=looks.time, surveys=surveys, tag=answers.get("tag"))
    for table in read_tables(source, looks.sheet, rows.bad):
        rows.add(table)
        progress(surveys[0].rows)
    return _decide(source, looks, rows, answers, localiser)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looks:
    """What the first lines show."""

    sheet: Sheet
    time: TimeColumn
    columns: Sequence[Sequence[str]]
    decisions: tuple[Decision, ...]


def _look_at_head(source: Source, answers: Answers) -> _Looks:
    lines = read_head(source)
    separator, decision = decide_separator(lines, answers)
    rows = [split(line, separator) for line in lines]
    is_time = times_in(rows)
    sheet = find_sheet(lines, separator, is_time=is_time, answers=answers)
    body = [
        row
        for row, times in zip(rows[sheet.body :], is_time[sheet.body :], strict=True)
        if len(row) == sheet.width and any(times)
    ]
    columns = [[row[at] for row in body] for at in range(sheet.width)]
    time = decide_time_column(sheet.names, columns, answers)
    decisions = (*source.decisions, decision, *sheet.decisions, time.decision)
    return _Looks(sheet=sheet, time=time, columns=columns, decisions=decisions)


def _localisers(time: TimeColumn, answers: Answers) -> Callable[[], Localiser]:
    """Return what makes a new converter of times to UTC."""
    zone = None if answers.time_zone is None or _is_utc(time) else Zone.parse(answers.time_zone)
    fold = answers.choose("fold", ("first", "second"))
    return lambda: Localiser(zone=zone, fold=fold, descending=time.descending)


def _is_utc(time: TimeColumn) -> bool:
    """Return whether the times count from 1970, which is so in UTC."""
    return time.forms[0].shape is None and time.forms[0].name != EXCEL


def _decide(
    source: Source, looks: _Looks, rows: AllRows, answers: Answers, localiser: Callable[[], Localiser]
) -> Plan:
    questions: list[Question] = []

    def unless_asked(decide: Callable[[], _T]) -> _T | None:
        try:
            return decide()
        except UndecidedExport as error:
            questions.extend(error.questions)
            return None

    decisions = [*looks.decisions]
    formed = unless_asked(lambda: decide_form(rows.surveys, answers))
    times = formed[0] if formed else rows.surveys[0]
    decisions += formed[1] if formed else []
    if formed:
        decisions += unless_asked(lambda: _decide_times(times, looks.time, answers)) or []
        decisions += unless_asked(lambda: rows.left_out(times, answers)) or []
    layout = unless_asked(lambda: _decide_layout(looks, rows, times, answers))
    decimal = unless_asked(lambda: _decide_decimal(layout, looks, rows, answers)) if layout else None
    if questions or layout is None or decimal is None:
        raise UndecidedExport(*questions)
    mark, decision = decimal
    return Plan(
        source=source,
        sheet=looks.sheet,
        time=looks.time,
        times=times,
        decimal=mark,
        layout=layout,
        decisions=(*decisions, *([decision] if decision else []), *layout.decisions),
        localiser=localiser,
    )


def _decide_times(times: TimeSurvey, time: TimeColumn, answers: Answers) -> list[Decision]:
    decision = decide_zone(times, answers, named=_is_utc(time) or times.localiser.names_zone)
    times.localiser.finish()
    return [decision]


def _decide_layout(looks: _Looks, rows: AllRows, times: TimeSurvey, answers: Answers) -> Layout:
    return decide_layout(
        looks.sheet.names,
        rows.cells,
        first_cells={at: [cell for cell in looks.columns[at] if cell][:_FIRST_CELLS] for at in rows.cells},
        repeated=times.repeated / max(1, times.read),
        answers=answers,
    )


def _decide_decimal(
    layout: Layout, looks: _Looks, rows: AllRows, answers: Answers
) -> tuple[str, Decision | None]:
    cells = [rows.cells[value.column] for value in layout.values]
    cells += [column.before_units for column in cells if column.before_units and column.unit()]
    return decide_decimal(cells, separator=looks.sheet.separator, answers=answers)
