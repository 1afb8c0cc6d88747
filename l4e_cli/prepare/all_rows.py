"""What all rows of a file show, and what is left out of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport, UnfitExport
from l4e_cli.prepare.layout import followed
from l4e_cli.prepare.numbers import Cells
from l4e_cli.prepare.rows import BadLines
from l4e_cli.prepare.structure import TIME_NAME, Sheet
from l4e_cli.prepare.time_column import TimeColumn
from l4e_cli.prepare.time_survey import TimeSurvey
from l4e_cli.prepare.times import NO_TIME, parse_times

_LOST_ROWS = 100
_FEW_SHARE, _FEW_ROWS, _SMALL_SHARE = 0.01, 10, 0.25
"""Rows may be left out without a question up to a hundredth, in small files up to ten or a quarter."""


class AllRows:
    """What all rows of the body show."""

    def __init__(self, *, sheet: Sheet, time: TimeColumn, surveys: list[TimeSurvey], tag: str | None) -> None:
        self.sheet, self.time, self.surveys = sheet, time, surveys
        self.bad = BadLines()
        self.headers = 0
        self.lost = ""
        self.cells = {
            at: Cells(follow=followed(name) or name == tag)
            for at, name in enumerate(sheet.names)
            if at not in time.columns
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
