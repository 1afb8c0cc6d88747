"""Columns that tell which values are good."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from l4e_cli.prepare.decision import Answers, Question, UndecidedExport, UnfitExport
from l4e_cli.prepare.numbers import Cells

QUALITY_NAME = re.compile(
    r"(?:^|[\s._:\-/(\[])(?:quality|qual|qualität|qualitaet|qualité|qualite|calidad|kwaliteit|status|sts|stat|flags?|"
    r"validity|q|ok|valid|zustand|good)[)\]]?$|(?:Quality|Qual|Status|Flag|Qualität)$|"
    r"^(?:quality|status|qual|qualität|flag|validity)(?:[\s._:\-/]|$)",
    re.IGNORECASE,
)
_GOOD_WORDS = "good ok gut valid bon bonne bueno buena goed g normal 192 0xc0 0x000000c0"
_BAD_WORDS = (
    "bad uncertain questionable invalid schlecht unsicher ungültig ungueltig fehler error fault b u stale "
    "substituted "
    "mauvais malo slecht onzeker nodata"
)
_GOOD = frozenset(_GOOD_WORDS.split())
_BAD = frozenset(_BAD_WORDS.split()) | {"no data", "not good", "comm fail", "bad input", "i/o timeout"}
_OPC_GOOD = 192
_OPC = frozenset({0, 4, 8, 12, 16, 20, 24, 28, 32, 64, 68, 80, 84, 88, 192, 196, 200, 204, 208, 212, 216})
"""Qualities of OPC as numbers."""

_SHORT_NAME = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityColumn:
    """A column that tells which values are good.

    Attributes:
        column: Its position.
        of: Positions of the columns whose values it is about.
        good: The marks that keep a value, as they stand in the file.
        bad: How many rows have another mark.
        example: One of these marks.
    """

    column: int
    of: tuple[int, ...]
    good: frozenset[str]
    bad: int
    example: str

    def keep(self, table: Any) -> Any:
        """Return which rows of a table have a good mark."""
        marks = pc.utf8_trim_whitespace(pc.fill_null(table.column(self.column), ""))
        return pc.is_in(marks, value_set=pa.array(sorted(self.good), pa.string()))


def find_quality(
    names: Sequence[str], cells: Mapping[int, Cells], answers: Answers
) -> tuple[QualityColumn, ...]:
    """Return the quality columns of a file.

    Args:
        names: Names of all columns.
        cells: The cells of the columns that are not times, by position.
        answers: What the user decided.

    Raises:
        UndecidedExport: When it cannot be told what a mark means, or which values it is about.
        UnfitExport: When an answer names no column.
    """
    answered = answers.get("quality")
    if answered == "none":
        return ()
    pairs = _answered(names, answers) if answered else {}
    found = [at for at in cells if at in pairs or _is_quality(at, names, cells)]
    values = [at for at in cells if at not in found and cells[at].numbers + sum(cells[at].units.values())]
    return tuple(
        _quality(at, pairs.get(at) or _subject(at, names, values, found), names, cells[at], answers)
        for at in found
    )


def _answered(names: Sequence[str], answers: Answers) -> dict[int, tuple[int, ...]]:
    pairs: dict[int, tuple[int, ...]] = {}
    for pair in answers.names("quality"):
        quality, _, sensor = pair.partition("=")
        for name in (quality, sensor):
            if name not in names:
                raise UnfitExport(f"--set quality={pair}: there is no column {name!r}")
        pairs[names.index(quality)] = (names.index(sensor),)
    return pairs


def _is_quality(at: int, names: Sequence[str], cells: Mapping[int, Cells]) -> bool:
    column = cells[at]
    values = {value.lower() for value in column.values or ()}
    if not values:
        return False
    named = QUALITY_NAME.search(names[at]) is not None
    if not column.numbers:
        return values <= _GOOD | _BAD or (named and bool(values & (_GOOD | _BAD)))
    if not named:
        return False
    if _same_stem(at, names, [other for other in cells if other != at]) is not None:
        return True
    return _are_opc(values) and len(names[at]) >= _SHORT_NAME


def _are_opc(values: set[str]) -> bool:
    return str(_OPC_GOOD) in values and all(
        value.isascii() and value.isdigit() and int(value[:6]) in _OPC for value in values
    )


def _same_stem(at: int, names: Sequence[str], others: Sequence[int]) -> int | None:
    """Return the column that a quality column is named after."""
    stem = QUALITY_NAME.sub("", names[at]).strip(" ._:-/([").lower()
    if not stem:
        return None
    matches = [other for other in others if _stem(names[other]) == stem]
    return matches[0] if len(matches) == 1 else None


def _stem(name: str) -> str:
    return re.sub(r"[\s._:\-/]+(?:value|val|wert|pv)$", "", name.strip().lower()).strip(" ._:-/")


def _subject(at: int, names: Sequence[str], values: Sequence[int], found: Sequence[int]) -> tuple[int, ...]:
    same = _same_stem(at, names, values)
    if same is not None:
        return (same,)
    if len(found) == 1 and (len(values) == 1 or (names[at] and not _stem(QUALITY_NAME.sub("", names[at])))):
        return tuple(values)
    if len(found) == len(values) and all(
        value + 1 == quality for value, quality in zip(values, found, strict=True)
    ):
        return (at - 1,)
    raise UndecidedExport(
        Question(
            key="quality",
            text=f"column {names[at] or at + 1!r} holds marks of quality, but of which values does not show",
            choices=(f"{names[at]}=SENSOR", "none"),
        )
    )


def _quality(
    at: int, of: tuple[int, ...], names: Sequence[str], cells: Cells, answers: Answers
) -> QualityColumn:
    values: Mapping[str, int] = cells.values or {}
    good = frozenset(value for value in values if value.lower() in _GOOD)
    known = {value for value in values if value.lower() in _GOOD | _BAD}
    if _are_opc(set(values)):
        good = frozenset(value for value in values if int(value) >= _OPC_GOOD)
        known = set(values)
    answered = answers.names("good")
    if answered:
        good, known = frozenset(answered), set(values)
    unknown = sorted(set(values) - known)
    if unknown:
        raise UndecidedExport(
            Question(
                key="good",
                text=f"column {names[at]!r} looks like a quality, but {unknown[0]!r} is not known; it has "
                + ", ".join(f"{value!r} {count:,} times" for value, count in sorted(values.items())[:6])
                + ". Name the marks that keep a value, or say that it is none with `--set quality=none`",
                choices=(",".join(sorted(good)) or unknown[0],),
            )
        )
    bad = {value: count for value, count in values.items() if value not in good}
    if cells.empty:
        bad[""] = cells.empty
    example = max(bad, key=lambda value: bad[value]) if bad else ""
    return QualityColumn(column=at, of=of, good=good, bad=sum(bad.values()), example=example)
