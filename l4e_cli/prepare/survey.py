"""Decide everything about a file: what it looks like from its first lines, what it is from all rows."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport, UnfitExport
from l4e_cli.prepare.layout import Layout, decide_layout, followed
from l4e_cli.prepare.numbers import Cells, decide_decimal
from l4e_cli.prepare.rows import BadLines, read_tables
from l4e_cli.prepare.separator import decide_separator, split
from l4e_cli.prepare.source import Source, open_source
from l4e_cli.prepare.structure import TIME_NAME, Sheet, find_sheet
from l4e_cli.prepare.time_column import TimeColumn, decide_time_column
from l4e_cli.prepare.time_survey import TimeSurvey, decide_form, decide_zone
from l4e_cli.prepare.times import EXCEL, NO_TIME, is_numeric_time, is_textual_time, parse_times
from l4e_cli.prepare.zone import Localiser, Zone

HEAD_LINES, HEAD_BYTES = 2000, 1 << 20
FIRST_CELLS = 300
_LOST_ROWS = 100
_NAME_LINES = 60
_EDGES = re.compile('[,;|\t"]+')
_FEW_SHARE, _FEW_ROWS, _SMALL_SHARE = 0.01, 10, 0.25
"""Rows may be left out without a question up to a hundredth, in small files up to ten or a quarter."""


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
        UndecidedExport: When it can be read in several ways.
    """
    source = open_source(path, answers)
    lines = _head(source)
    separator, separator_decision = decide_separator(lines, answers)
    rows = [split(line, separator) for line in lines]
    is_time = _times_in(rows)
    sheet = find_sheet(lines, separator, is_time=is_time, answers=answers)
    body = [
        row
        for row, times in zip(rows[sheet.body :], is_time[sheet.body :], strict=True)
        if len(row) == sheet.width and any(times)
    ]
    columns = [[row[at] for row in body] for at in range(sheet.width)]
    time = decide_time_column(sheet.names, columns, answers)
    zone = None if answers.time_zone is None else Zone.parse(answers.time_zone)
    fold = answers.choose("fold", ("first", "second"))
    counts = time.forms[0].shape is None and time.forms[0].name != EXCEL

    def localiser() -> Localiser:
        return Localiser(zone=None if counts else zone, fold=fold, descending=time.descending)

    look = _Look(
        sheet=sheet, time=time, surveys=[TimeSurvey(form=form, localiser=localiser()) for form in time.forms]
    )
    for table in read_tables(source, sheet, look.bad):
        look.add(table)
        progress(look.surveys[0].rows)
    times, order = decide_form(look.surveys, answers)
    zone_decision = decide_zone(times, answers, named=counts or times.localiser.names_zone)
    times.localiser.finish()
    decisions = [
        *source.decisions,
        separator_decision,
        *sheet.decisions,
        time.decision,
        *order,
        zone_decision,
    ]
    decisions += look.left_out(times, answers)
    first_cells = {at: [cell for cell in columns[at] if cell][:FIRST_CELLS] for at in look.cells}
    layout = decide_layout(
        sheet.names,
        look.cells,
        first_cells=first_cells,
        repeated=times.repeated / max(1, times.read),
        answers=answers,
    )
    numbers = [look.cells[value.column] for value in layout.values]
    numbers += [column.before_units for column in numbers if column.before_units and column.unit()]
    decimal, decimal_decision = decide_decimal(numbers, separator=separator, answers=answers)
    decisions += [decimal_decision] if decimal_decision else []
    return Plan(
        source=source,
        sheet=sheet,
        time=time,
        times=times,
        decimal=decimal,
        layout=layout,
        decisions=(*decisions, *layout.decisions),
        localiser=localiser,
    )


def _head(source: Source) -> list[str]:
    """Return the first lines."""
    data = b""
    for block in source.blocks():
        data += block
        if len(data) >= HEAD_BYTES or data.count(b"\n") >= HEAD_LINES:
            break
    text = data[:HEAD_BYTES].decode("utf-8", "ignore").removeprefix("\ufeff")
    lines = text.split("\n")
    if len(data) > HEAD_BYTES:
        lines.pop()
        if not lines:
            raise UnfitExport(
                f"the first line is longer than {HEAD_BYTES >> 20} MiB: split the table by columns"
            )
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise UnfitExport("the file has no lines but empty ones")
    return _join_names(lines[:HEAD_LINES])


def _join_names(lines: list[str]) -> list[str]:
    """Join lines of names that line breaks in their cells divide; empty lines keep the count."""
    at = 0
    while at < min(len(lines), _NAME_LINES):
        end = at + 1
        while _is_open(lines[at:end]) and end < len(lines) and end - at < _NAME_LINES:
            end += 1
        joined = " ".join(lines[at:end])
        if end > at + 1 and not _is_open([joined]) and not any(map(is_textual_time, _EDGES.split(joined))):
            lines[at:end] = [joined, *("" for _ in range(end - at - 1))]
        at += 1
    return lines


def _is_open(lines: Sequence[str]) -> bool:
    return sum(line.count('"') for line in lines) % 2 == 1


def _times_in(rows: Sequence[Sequence[str]]) -> list[list[bool]]:
    """Return which cells are times: textual ones, or numbers if few lines have textual ones."""
    textual = [[is_textual_time(cell) for cell in row] for row in rows]
    with_text = sum(map(any, textual))
    if 2 * with_text >= sum(map(bool, rows)):
        return textual
    numeric = [[is_numeric_time(cell) for cell in row] for row in rows]
    return numeric if sum(map(any, numeric)) > 2 * with_text else textual


class _Look:
    """What all rows of the body show."""

    def __init__(self, *, sheet: Sheet, time: TimeColumn, surveys: list[TimeSurvey]) -> None:
        self.sheet, self.time, self.surveys = sheet, time, surveys
        self.bad = BadLines()
        self.headers = 0
        self.lost = ""
        self.cells = {
            at: Cells(follow=followed(name)) for at, name in enumerate(sheet.names) if at not in time.columns
        }

    def add(self, table: Any) -> None:
        """Look at the next rows. Only those with a time count."""
        texts = self.time.texts(table)
        header = " ".join(self.sheet.names[at] for at in self.time.columns)
        is_header = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), header), False)  # noqa: FBT003
        repeats = pc.sum(is_header).as_py() or 0
        if repeats and header:
            self._require_same_names(table.filter(is_header))
            self.headers += repeats
            table = table.filter(pc.invert(is_header))
            texts = self.time.texts(table)
        for survey_ in self.surveys:
            survey_.add(texts)
        form = self.surveys[0]
        if form.unread or form.empty:
            table = self._with_time(table, texts)
        for at, cells in self.cells.items():
            cells.add(table.column(at).combine_chunks())

    def _require_same_names(self, headers: Any) -> None:
        for at, name in enumerate(self.sheet.names):
            others = pc.unique(pc.utf8_trim_whitespace(pc.fill_null(headers.column(at), ""))).to_pylist()
            if others != [name]:
                raise UnfitExport(
                    f"a second line of names has {others[0]!r} where the first one has {name!r}: the file "
                    "holds several tables. Split it there"
                )

    def _with_time(self, table: Any, texts: Any) -> Any:
        read = [parse_times(texts, survey_.form).micros != NO_TIME for survey_ in self.surveys]
        kept = read[0]
        for other in read[1:]:
            kept = kept | other
        if not kept.all():
            self._note_lost(table.filter(~kept).slice(0, _LOST_ROWS).to_pylist())
        return table.filter(kept)

    def _note_lost(self, rows: Sequence[Mapping[str, str | None]]) -> None:
        """Keep an example of rows without a time, and refuse names of another table among them."""
        for row in rows:
            cells = [(cell or "").strip() for cell in row.values()]
            self.lost = self.lost or self.sheet.separator.join(cells)
            texts = [cell for at, cell in enumerate(cells) if cell and at not in self.time.columns]
            named = any(TIME_NAME.search(cells[at]) for at in self.time.columns)
            misplaced = any(cell in self.sheet.names for cell in texts)
            if (
                texts
                and (named or misplaced)
                and not any(character.isdigit() for text in texts for character in text[:1])
            ):
                raise UnfitExport(
                    f"the row {self.sheet.separator.join(cells)[:100]!r} looks like the names of a second "
                    "table: split the file there"
                )

    def left_out(self, times: TimeSurvey, answers: Answers) -> list[Decision]:
        """Return what was left out of the rows.

        Raises:
            UndecidedExport: When it is too much to be left out without a question.
        """
        decisions = []
        rows = times.rows + self.bad.total
        if self.headers:
            decisions.append(
                Decision(
                    what="repeated headers",
                    value="left out",
                    evidence="the names again, between the rows",
                    count=self.headers,
                )
            )
        for kind, text, few in (
            ("wide", "rows with more cells than the others", 2),
            ("short", "rows with fewer cells than the others", _FEW_ROWS),
            ("quotes", "rows with a quotation mark that is not closed", _FEW_ROWS),
        ):
            count = getattr(self.bad, kind)
            if count:
                example = self.bad.examples[kind]
                _ask_if_many(
                    answers,
                    "damaged-rows",
                    f"{count:,} {text}, such as {example!r}",
                    count=count,
                    rows=rows,
                    few=few,
                )
                decisions.append(
                    Decision(
                        what="rows left out",
                        value=text,
                        evidence="they do not fit the others: a footer, or damage",
                        count=count,
                        example=example,
                    )
                )
        lost = times.unread + times.empty
        if lost:
            example = self.lost[:100]
            text = f"{lost:,} rows have no time of the form of the others"
            _ask_if_many(
                answers,
                "rows-without-time",
                f"{text}, such as {example!r}",
                count=lost,
                rows=rows,
                few=_FEW_ROWS,
            )
            decisions.append(
                Decision(
                    what="rows left out",
                    value="rows without a time",
                    evidence="no time of the form of the others: a footer, or damage",
                    count=lost,
                    example=example,
                )
            )
        if not times.read:
            raise UnfitExport("no row has a time")
        return decisions


def _ask_if_many(answers: Answers, key: str, text: str, *, count: int, rows: int, few: int) -> None:
    """Ask before many rows are left out."""
    allowed = max(_FEW_SHARE * rows, min(few, _SMALL_SHARE * rows))
    if count > allowed and answers.choose(key, ("drop",)) is None:
        raise UndecidedExport(Question(key=key, text=text, choices=("drop",)))
