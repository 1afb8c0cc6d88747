"""The separator of the cells: the one that gives rows of one width, typed cells and a time in each."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport, UnfitExport
from l4e_cli.prepare.times import CLOCK_ONLY, is_numeric_time, is_textual_time
from l4e_files.times import unaccepted_form

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_NUMBER = re.compile(r"[+\-\u2212]?[\d.,'\u00a0\u202f]*\d[\d.,]*(?:[eE][+-]?\d+)?")
_ANNOUNCED = re.compile(r"\ufeff?\"?sep=(.)\"?", re.IGNORECASE)
_CLEARLY_BETTER = 1.5
_SCORED_LINES, _SCORED_CHARACTERS = 400, 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well a separator fits.

    Attributes:
        width: The number of cells that most lines with a time have.
        constant: The share of lines of that width.
        typed: The share of cells in them that are empty, a number or a time.
        timed: The share of them that hold a time.
    """

    width: int
    constant: float
    typed: float
    timed: float

    @property
    def total(self) -> float:
        """All shares in one number from 0 to 1."""
        return self.constant * self.typed * self.timed


def decide_separator(lines: Sequence[str], answers: Answers) -> tuple[str, Decision]:
    """Return the separator of a file.

    Args:
        lines: The first lines of the file.
        answers: What the user decided.

    Raises:
        UnfitExport: When no separator gives rows with a time.
        UndecidedExport: When several do.
    """
    answered = answers.choose("separator", tuple(SEPARATORS))
    if answered:
        return SEPARATORS[answered], Decision(what="separator", value=answered, evidence="--set")
    announced = _ANNOUNCED.fullmatch(lines[0].strip(" ")) if lines else None
    if announced:
        name = _name(announced[1])
        return announced[1], Decision(
            what="separator", value=name, evidence="the first line", example=lines[0]
        )
    scores = {name: score_separator(lines, mark) for name, mark in SEPARATORS.items()}
    ranked = sorted(scores, key=lambda name: scores[name].total, reverse=True)
    best, second = ranked[0], ranked[1]
    score = scores[best]
    if not score.total:
        raise UnfitExport(_without_time(lines))
    if scores[second].total * _CLEARLY_BETTER > score.total:
        text = f"the lines can be separated by {best} or by {second}, such as {lines[-1][:80]!r}"
        raise UndecidedExport(Question(key="separator", text=text, choices=(best, second)))
    return SEPARATORS[best], Decision(
        what="separator",
        value=best,
        evidence=f"{score.constant:.0%} of the first lines have {score.width} cells with it, "
        f"{score.typed:.0%} of which are numbers, times or empty",
    )


def _without_time(lines: Sequence[str]) -> str:
    """Return why no line of a file has a time, and what to do."""
    for number, line in enumerate(lines[:_SCORED_LINES], start=1):
        for cell in (cells[0] for mark in SEPARATORS.values() if len(cells := split(line, mark)) > 1):
            form = unaccepted_form(cell)
            if form is not None:
                return (
                    f"no line holds a time that can be read: line {number} begins with {cell[:80]!r}, "
                    f"{form}. Export times such as 2026-03-01T00:00:00"
                )
    below = f", and the one below it {lines[1][:80]!r}" if len(lines) > 1 else ""
    return (
        "no line holds a time beside other cells, whether separated by commas, semicolons, tabs or pipes: "
        f"the first line is {lines[0][:80]!r}{below}. Export one row per time, with a date in it, such as "
        "2026-03-01T00:00:00"
    )


def score_separator(lines: Sequence[str], mark: str) -> Score:
    """Return how well a separator fits the lines."""
    rows = [cells for line in _sample(lines) if (cells := split(line, mark))]
    timed = [row for row in rows if any(map(is_textual_time, row))]
    if 2 * len(timed) < len(rows):
        timed += [row for row in rows if any(map(is_numeric_time, row)) and row not in timed]
    widths = Counter(len(row) for row in timed if len(row) > 1)
    if not widths:
        return Score(width=0, constant=0, typed=0, timed=0)
    width = widths.most_common(1)[0][0]
    fitting = [row for row in rows if len(row) == width]
    cells = [cell for row in fitting for cell in row]
    return Score(
        width=width,
        constant=len(fitting) / len(rows),
        typed=sum(map(_is_typed, cells)) / len(cells),
        timed=sum(len(row) == width for row in timed) / len(fitting),
    )


def split(line: str, mark: str) -> list[str]:
    """Return the cells of a line without blanks around them; none for an empty line."""
    if not line.strip():
        return []
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])]
    except csv.Error:
        return [cell.strip() for cell in line.split(mark)]


def _sample(lines: Sequence[str]) -> Sequence[str]:
    """Return so many of the lines that scoring them takes a fraction of a second."""
    average = sum(map(len, lines)) // max(1, len(lines)) + 1
    return lines[:: max(1, len(lines) // _SCORED_LINES, len(lines) * average // _SCORED_CHARACTERS)]


def _is_typed(cell: str) -> bool:
    return (
        not cell
        or _NUMBER.fullmatch(cell) is not None
        or is_textual_time(cell)
        or CLOCK_ONLY.fullmatch(cell) is not None
    )


def _name(mark: str) -> str:
    return next((name for name, other in SEPARATORS.items() if other == mark), repr(mark))
