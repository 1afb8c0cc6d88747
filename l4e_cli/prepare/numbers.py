"""The decimal mark: one per file, from the cells that can be read in one way only; numbers stay text."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport

MAX_TEXTS = 3000
"""Distinct texts of a column that are told apart; the others are counted together."""

OTHER_TEXTS = "(further texts)"

_SIGN, _EXPONENT = "[+-]?", "(?:[eE][+-]?\\d+)?"
_SPACE = "[ \u00a0\u2009\u202f'\u2019]"
_INTEGER = rf"^{_SIGN}\d+{_EXPONENT}$"
_AMBIGUOUS = {".": rf"^{_SIGN}[1-9]\d{{0,2}}\.\d{{3}}$", ",": rf"^{_SIGN}[1-9]\d{{0,2}},\d{{3}}$"}
"""`1.234` and `1,234`: a mark of thousands, or a decimal mark with three digits behind it."""

_CERTAIN = (
    (".", rf"^{_SIGN}(?:\d+\.\d*|\.\d+){_EXPONENT}$"),
    (",", rf"^{_SIGN}(?:\d+,\d*|,\d+){_EXPONENT}$"),
    (".", rf"^{_SIGN}\d{{1,3}}(?:(?:,\d{{3}})+\.\d*|(?:,\d{{3}}){{2,}})$"),
    (",", rf"^{_SIGN}\d{{1,3}}(?:(?:\.\d{{3}})+,\d*|(?:\.\d{{3}}){{2,}})$"),
    (".", rf"^{_SIGN}\d{{1,3}}(?:{_SPACE}\d{{3}})+\.\d*$"),
    (",", rf"^{_SIGN}\d{{1,3}}(?:{_SPACE}\d{{3}})+,\d*$"),
)
_SPACED = rf"^{_SIGN}\d{{1,3}}(?:{_SPACE}\d{{3}})+$"
_POWER = "[mM][23]|[sS]2|[hH]2[oO]|[oO]2"
"""Digits in units: other ones may be an exponent, as in `1.62D2` and `1.62x10^2`."""
_WITH_UNIT = (
    rf"^(?P<number>{_SIGN}\d[\d.,]*{_EXPONENT})\s*(?P<unit>(?:{_POWER}|[^\d\s.,+\-(])(?:{_POWER}|[^\d])*)$"
)
_NUMBER_LIKE = re.compile(r"[^\w\s]{0,3}\s?\d")


def _valid(mark: str, group: str) -> str:
    """Return the pattern of numbers with a decimal mark; thousands may have a mark or a blank."""
    plain = rf"(?:\d+{mark}?\d*|{mark}\d+){_EXPONENT}"
    grouped = "|".join(rf"\d{{1,3}}(?:{one}\d{{3}})+(?:{mark}\d*)?" for one in (group, _SPACE))
    return rf"^{_SIGN}(?:{plain}|{grouped})$"


_VALID = {".": _valid(r"\.", ","), ",": _valid(",", r"\.")}
_LEAST_SHARE = 0.9
"""A column is numbers followed by a unit if this share of what is in it is one, with the same unit."""


@dataclass(slots=True)
class Cells:
    """What the cells of a column, or of a file, are.

    Attributes:
        total: Cells that are not empty.
        empty: Cells that are.
        numbers: Cells that are numbers in some way.
        certain: Cells whose decimal mark is certain, by mark.
        open: Cells such as `1.234`, by mark.
        examples: One cell of each kind.
        units: Cells that are a number and a unit, by unit.
        before_units: The numbers of these cells; `None` when there is none.
        texts: All other cells, by text.
        values: All cells by text while there are few, `None` once there were many.
        follow: Whether `values` is wanted even if all cells are numbers.
    """

    total: int = 0
    empty: int = 0
    numbers: int = 0
    certain: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    units: Counter[str] = field(default_factory=Counter)
    before_units: "Cells | None" = None
    texts: Counter[str] = field(default_factory=Counter)
    values: Counter[str] | None = field(default_factory=Counter)
    follow: bool = False

    def add(self, column: Any) -> None:
        """Count the cells of the next part of a column; empty ones are null."""
        present = pc.drop_null(column)
        self.total += len(present)
        self.empty += len(column) - len(present)
        if not len(present):
            return
        mark = _only_mark(present)
        if mark is None:
            self._add_one_by_one(trimmed(present))
        else:
            self.numbers += len(present)
            self._add_marks(present, mark)
            self._follow(present, wanted=self.follow)

    def _add_marks(self, texts: Any, mark: str) -> None:
        """Count numbers that have a mark, the same in all of them."""
        marked = texts.filter(pc.match_substring(texts, mark))
        if not len(marked):
            return
        ambiguous = pc.match_substring_regex(marked, _AMBIGUOUS[mark])
        self._note(self.open, mark, marked.filter(ambiguous))
        self._note(self.certain, mark, marked.filter(pc.invert(ambiguous)))

    def _add_one_by_one(self, texts: Any) -> None:
        full = texts.filter(pc.not_equal(texts, ""))
        self.total -= len(texts) - len(full)
        self.empty += len(texts) - len(full)
        texts = full
        self._follow(texts, wanted=True)
        rest = self._take(texts, _INTEGER, None, "")
        for mark, pattern in _AMBIGUOUS.items():
            rest = self._take(rest, pattern, self.open, mark)
        for mark, pattern in _CERTAIN:
            rest = self._take(rest, pattern, self.certain, mark)
        rest = self._take(rest, _SPACED, None, "")
        rest = self._take_units(rest)
        for entry in pc.value_counts(rest).to_pylist():
            text = entry["values"]
            if text not in self.texts and len(self.texts) >= MAX_TEXTS:
                self.examples.setdefault(OTHER_TEXTS, text)
                text = OTHER_TEXTS
            self.texts[text] += entry["counts"]

    def _follow(self, texts: Any, *, wanted: bool) -> None:
        if not wanted or self.values is None:
            self.values = None
            return
        self.values.update({entry["values"]: entry["counts"] for entry in pc.value_counts(texts).to_pylist()})
        if len(self.values) > MAX_TEXTS:
            self.values = None

    def _take_units(self, texts: Any) -> Any:
        """Count the numbers that a unit follows, and return the other texts."""
        if not len(texts):
            return texts
        parts = pc.extract_regex(texts, _WITH_UNIT)
        matches = pc.is_valid(parts)
        found = parts.filter(matches)
        if not len(found):
            return texts
        for entry in pc.value_counts(found.field("unit")).to_pylist():
            unit = entry["values"] if len(self.units) < MAX_TEXTS else OTHER_TEXTS
            self.units[unit] += entry["counts"]
        self.examples.setdefault("unit", texts.filter(matches)[0].as_py())
        self.before_units = self.before_units or Cells()
        self.before_units.add(found.field("number"))
        return texts.filter(pc.invert(matches))

    def _take(self, texts: Any, pattern: str, counter: Counter[str] | None, mark: str) -> Any:
        """Count the texts that match, and return the others."""
        if not len(texts):
            return texts
        matches = pc.match_substring_regex(texts, pattern)
        found = self._finite(texts.filter(matches))
        self.numbers += len(found)
        if counter is not None:
            self._note(counter, mark, found)
        return texts.filter(pc.invert(matches))

    def _finite(self, numbers: Any) -> Any:
        """Count numbers that are too large as texts, and return the others."""
        exponents = pc.match_substring_regex(numbers, "[eE]")
        if not pc.any(exponents).as_py():
            return numbers
        values = pc.cast(pc.if_else(exponents, pc.replace_substring(numbers, ",", "."), "0"), pa.float64())
        finite = pc.is_finite(values)
        for text in numbers.filter(pc.invert(finite)).to_pylist():
            self.texts[text if len(self.texts) < MAX_TEXTS else OTHER_TEXTS] += 1
        return numbers.filter(finite)

    def _note(self, counter: Counter[str], mark: str, found: Any) -> None:
        if len(found):
            counter[mark] += len(found)
            self.examples.setdefault(
                f"{'open' if counter is self.open else 'certain'} {mark}", found[0].as_py()
            )

    def unit(self) -> str | None:
        """Return the unit that follows the numbers of this column; `None` unless nearly all have the same."""
        if self.numbers or len(self.units) != 1:
            return None
        unit, count = next(iter(self.units.items()))
        return unit if count >= _LEAST_SHARE * self.total else None

    def number_like(self) -> tuple[int, str]:
        """Return how many of the cells that are no numbers begin like one, and one of them."""
        found = [text for text in self.texts if text == OTHER_TEXTS or _NUMBER_LIKE.match(text)]
        examples = [self.examples["unit"]] if self.units else []
        examples += [self.examples.get(text, text) for text in found]
        return sum(self.units.values()) + sum(self.texts[text] for text in found), (examples or [""])[0]


def _only_mark(texts: Any) -> str | None:
    """Return the decimal mark that makes all texts plain numbers; `None` when neither does."""
    if _are_numbers(texts):
        return "."
    if pc.any(pc.match_substring(texts, ".")).as_py():
        return None
    return "," if _are_numbers(pc.replace_substring(texts, ",", ".")) else None


def _are_numbers(texts: Any) -> bool:
    try:
        return pc.all(pc.is_finite(pc.cast(texts, pa.float64()))).as_py() is not False
    except pa.ArrowInvalid:
        return False


def trimmed(column: Any) -> Any:
    """Return texts without blanks around them, and with ASCII signs."""
    texts = pc.utf8_trim_whitespace(column)
    if pc.all(pc.string_is_ascii(texts)).as_py():
        return texts
    return pc.replace_substring(texts, "\u2212", "-")


def decide_decimal(
    columns: Iterable[Cells], *, separator: str, answers: Answers
) -> tuple[str, Decision | None]:
    """Return the decimal mark of a file.

    Args:
        columns: The cells of the columns that hold numbers.
        separator: The separator of the cells.
        answers: What the user decided.

    Returns:
        The mark, and the decision unless no number of the file has one.

    Raises:
        UndecidedExport: When both marks are in use, or none of them for certain.
    """
    certain: Counter[str] = Counter()
    open_: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for cells in columns:
        certain.update(cells.certain)
        open_.update(cells.open)
        examples = {**cells.examples, **examples}
    answered = answers.choose("decimal", ("comma", "dot"))
    if answered:
        mark = {"comma": ",", "dot": "."}[answered]
        return mark, _decision(mark, "--set", certain, open_, examples)
    marks = [mark for mark in ".," if certain[mark]]
    if len(marks) == 2:
        raise _undecided(
            f"{certain[',']:,} cells have a decimal comma, such as {examples['certain ,']!r}, and "
            f"{certain['.']:,} a decimal point, such as {examples['certain .']!r}; cells with the mark not "
            "chosen will have no value"
        )
    if marks:
        evidence = f"{certain[marks[0]]:,} cells can be read in no other way"
        return marks[0], _decision(marks[0], evidence, certain, open_, examples)
    if open_[","] or (open_["."] and separator != ","):
        mark = "," if open_[","] else "."
        raise _undecided(
            f"{open_[mark]:,} cells are like {examples[f'open {mark}']!r}: a decimal mark with three digits "
            "behind it, or thousands; no cell of the file tells which"
        )
    if open_["."]:
        return ".", _decision(".", "no cell is separated by anything but commas", certain, open_, examples)
    return ".", None


def _undecided(text: str) -> UndecidedExport:
    return UndecidedExport(Question(key="decimal", text=text, choices=("comma", "dot")))


def _decision(
    mark: str, evidence: str, certain: Counter[str], open_: Counter[str], examples: dict[str, str]
) -> Decision:
    other = "." if mark == "," else ","
    grouped = open_[other]
    if grouped:
        evidence += f"; {grouped:,} cells such as {examples[f'open {other}']!r} have marks of thousands"
    return Decision(
        what="decimal mark",
        value={",": "comma", ".": "dot"}[mark],
        evidence=evidence,
        count=certain[mark] + open_[mark],
        example=examples.get(f"certain {mark}", examples.get(f"open {mark}", "")),
    )


def clean_numbers(column: Any, mark: str, unit: str | None = None) -> Any:
    """Return the numbers of a column as texts with a decimal point; null where there is none.

    Every digit stays. Only marks of thousands, blanks and `unit` go.

    Args:
        column: Texts, null where a cell is empty.
        mark: The decimal mark of the file.
        unit: A text that follows each number.
    """
    ready = _ready(column, mark) if unit is None else None
    if ready is not None:
        return ready
    texts = trimmed(column)
    if unit is not None:
        texts = pc.utf8_rtrim_whitespace(pc.replace_substring_regex(texts, re.escape(unit) + "$", ""))
    valid = pc.fill_null(pc.match_substring_regex(texts, _VALID[mark]), False)  # noqa: FBT003
    numbers = pc.replace_substring_regex(texts, "," if mark == "." else r"\.", "")
    numbers = pc.replace_substring_regex(numbers, _SPACE, "")
    if mark == ",":
        numbers = pc.replace_substring(numbers, ",", ".")
    numbers = pc.if_else(valid, numbers, pa.scalar(None, pa.string()))
    finite = pc.is_finite(pc.cast(numbers, pa.float64()))
    return pc.if_else(pc.fill_null(finite, False), numbers, pa.scalar(None, pa.string()))  # noqa: FBT003


def _ready(column: Any, mark: str) -> Any | None:
    """Return the column when it is numbers throughout that need at most a point for a comma."""
    if mark == ",":
        if pc.any(pc.match_substring(column, ".")).as_py():
            return None
        column = pc.replace_substring(column, ",", ".", max_replacements=1)
    return column if _are_numbers(column) else None
