"""Which column is the time: found by reading the cells, not by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport, UnfitExport
from l4e_cli.prepare.structure import TIME_NAME
from l4e_cli.prepare.times import (
    CLOCK_ONLY,
    DATE_ONLY,
    EXCEL,
    NO_TIME,
    SHAPES,
    Shape,
    TimeForm,
    find_epoch,
    find_shape,
    is_surely_excel,
    may_be_excel,
    parse_times,
)

_DIGITS = SHAPES[-1]
_SHARE = 0.8
_PROBED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumn:
    """The column of the times, or the two of date and clock, and the forms that they may have.

    Attributes:
        columns: Positions.
        forms: One form, or one per order of day, month and year that is possible for the shape.
        descending: Whether the first rows are the latest.
        decision: What decided it.
    """

    columns: tuple[int, ...]
    forms: tuple[TimeForm, ...]
    descending: bool
    decision: Decision

    def texts(self, table: Any) -> Any:
        """Return the texts of the times of a table, date and clock joined."""
        parts = [table.column(at) for at in self.columns]
        if len(parts) == 1:
            return parts[0]
        return pc.binary_join_element_wise(*(pc.utf8_trim_whitespace(part) for part in parts), " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    stamp: bool
    date: bool
    clock: bool
    number: bool


def decide_time_column(
    names: Sequence[str], columns: Sequence[Sequence[str]], answers: Answers
) -> TimeColumn:
    """Return the time column.

    Args:
        names: Names of the columns.
        columns: The first cells of each column.
        answers: What the user decided.

    Raises:
        UnfitExport: When no column holds times.
        UndecidedExport: When several do.
    """
    probed = [[cell for cell in column if cell][:_PROBED] for column in columns]
    answered = answers.get("time")
    chosen = _by_name(answered, names) if answered is not None else _by_reading(names, probed)
    texts = [" ".join(cells) for cells in zip(*(columns[at] for at in chosen), strict=False) if all(cells)]
    forms = _forms(texts, ", ".join(names[at] for at in chosen), answers)
    read = parse_times(pa.array(texts, pa.string()), forms[0]).micros
    steps = np.diff(read[read != NO_TIME])
    if forms[0].shape is None:
        form = forms[0].name
    else:
        form = f"{forms[0].shape.name}, as in {forms[0].shape.example!r}"
    return TimeColumn(
        columns=chosen,
        forms=forms,
        descending=bool(np.count_nonzero(steps < 0) > np.count_nonzero(steps > 0)),
        decision=Decision(
            what="time column",
            value=" and ".join(names[at] or f"column {at + 1}" for at in chosen) + f": {form}",
            evidence="--set" if answered else "read as times, whatever their name",
            example=texts[0] if texts else "",
        ),
    )


def _by_name(answer: str, names: Sequence[str]) -> tuple[int, ...]:
    wanted = (answer,) if answer in names else tuple(part.strip() for part in answer.split("+"))
    for name in wanted:
        if name not in names:
            raise UnfitExport(
                f"--set time={answer}: there is no column {name!r}; there are {', '.join(names)[:200]}"
            )
    return tuple(names.index(name) for name in wanted)


def _by_reading(names: Sequence[str], columns: Sequence[Sequence[str]]) -> tuple[int, ...]:
    kinds = [_kind(name, cells) for name, cells in zip(names, columns, strict=True)]
    stamps = [at for at, kind in enumerate(kinds) if kind.stamp]
    dates = [at for at, kind in enumerate(kinds) if kind.date]
    clocks = [at for at, kind in enumerate(kinds) if kind.clock]
    if not stamps and dates and clocks:
        if len(dates) == len(clocks) == 1:
            return dates[0], clocks[0]
        choices = tuple(f"{names[date]}+{names[clock]}" for date in dates for clock in clocks)
        raise _undecided("dates and clock times stand in several columns", choices)
    found = stamps or dates or _numeric(names, kinds)
    if len(found) > 1:
        shown = ", ".join(f"{names[at] or at + 1} ({columns[at][0]})" for at in found)
        text = (
            f"several columns hold times: {shown}. All values are taken at the time that you name; if each "
            "column of "
            "values has a time of its own, export one time for all"
        )
        raise _undecided(text, tuple(names[at] for at in found))
    if not found:
        first = ", ".join(cells[0] if cells else "" for cells in columns)[:100]
        hint = "the clock times have no date" if clocks else "no column can be read as times"
        raise UnfitExport(
            f"{hint}; the first row is {first!r}. Export full times such as 2026-03-01T00:00:00, or name the "
            "column with --set time=NAME"
        )
    return (found[0],)


def _numeric(names: Sequence[str], kinds: Sequence[_Kind]) -> list[int]:
    found = [at for at, kind in enumerate(kinds) if kind.number]
    named = [at for at in found if TIME_NAME.search(names[at])]
    if not named and found:
        raise _undecided(
            "numbers of these columns can be times, but no name says so", tuple(names[at] for at in found)
        )
    return named


def _kind(name: str, cells: Sequence[str]) -> _Kind:
    named = TIME_NAME.search(name) is not None
    shape = find_shape(cells)[0] if cells else None
    textual = shape is not None and shape is not _DIGITS
    dates = sum(DATE_ONLY.fullmatch(cell) is not None for cell in cells)
    clocks = sum(":" in cell and CLOCK_ONLY.fullmatch(cell) is not None for cell in cells)
    is_date = (textual or (shape is _DIGITS and named)) and dates == len(cells)
    number = (
        not textual
        and bool(cells)
        and (shape is _DIGITS or find_epoch(cells) is not None or (named and may_be_excel(cells)))
    )
    return _Kind(
        stamp=textual and not is_date,
        date=is_date,
        clock=bool(cells) and clocks >= _SHARE * len(cells),
        number=number and not is_date,
    )


def _forms(texts: Sequence[str], name: str, answers: Answers) -> tuple[TimeForm, ...]:
    if answers.choose("time-form", ("excel",)):
        return (TimeForm(name=EXCEL),)
    probed = texts[:_PROBED]
    shape = find_shape(probed)[0] if probed else None
    if shape is not None:
        return tuple(_ordered(shape, order) for order in shape.orders)
    epoch = find_epoch(probed) if probed else None
    if epoch is not None:
        return (TimeForm(name=epoch),)
    if probed and may_be_excel(probed):
        if not is_surely_excel(probed):
            text = f"the numbers of column {name!r}, such as {probed[0]!r}, can be days of Excel, or no times"
            raise UndecidedExport(Question(key="time-form", text=text, choices=("excel",)))
        return (TimeForm(name=EXCEL),)
    raise UnfitExport(
        f"the times of column {name!r} have no form that is known, or several: "
        f"{', '.join(sorted(set(probed))[:3])!r}. Export them like 2026-03-01T00:00:00"
    )


def _ordered(shape: Shape, order: str) -> TimeForm:
    return TimeForm(name=shape.name, shape=shape, order=order)


def _undecided(text: str, choices: tuple[str, ...]) -> UndecidedExport:
    return UndecidedExport(Question(key="time", text=text, choices=choices))
