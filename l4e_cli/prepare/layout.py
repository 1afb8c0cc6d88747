"""What each column is: a sensor, the names or values of a long layout, or nothing that the service takes."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport, UnfitExport
from l4e_cli.prepare.numbers import MAX_TEXTS, OTHER_TEXTS, Cells
from l4e_cli.prepare.quality import QUALITY_NAME, QualityColumn, find_quality
from l4e_cli.prepare.times import find_epoch, find_shape

TAG_NAME = re.compile(
    r"tag|point|sensor|variable|param|signal|channel|measur|messstelle|messpunkt|kanal|item|name|metric|series|"
    r"bezeichnung|merkmal|attribute|mnemonic|^id$|topic|field|nombre|variable|étiquette|位号|测点|тег|名",
    re.IGNORECASE,
)
_VALUE_NAME = re.compile(
    r"value|wert|valor|valeur|reading|^val$|waarde|^pv$|^y$|^v$|valore|数值|^值$|знач", re.IGNORECASE
)
_INDEX_NAME = re.compile(
    r"(?:unnamed: 0|index|idx|row|row ?n(?:o|r|um(?:ber)?)?\.?|no\.?|nr\.?|#|lfd\.? ?nr\.?|)", re.IGNORECASE
)
_NUMBERED_TAG = re.compile(
    r"(?:tag|sensor|point|signal|channel|variable|item)[\s_]*(?:id|no|nr|number)?|id", re.IGNORECASE
)
_STATE_NAME = re.compile(r"stat[eu]|mode|comment|remark|alarm|text|betriebsart", re.IGNORECASE)
_ENTITY_NAME = re.compile(
    r"asset|machine|device|equipment|\bunit\b|component|station|plant|\bsite\b|line\b|anlage|maschine|gerät|aggregat|turbine",
    re.IGNORECASE,
)
_ENTITY_NUMBER = re.compile(
    rf"(?:{_ENTITY_NAME.pattern}|pump|engine|motor)[\s_]*(?:id|no|nr|number|#)\.?", re.IGNORECASE
)
_FEW_ENTITIES = 200
_COUNTING = 0.8
_OFTEN = 0.3
_LEAST_NUMBER_LIKE, _FEW = 0.01, 3
"""Cells that begin like a number and are none are counted as texts up to this share, or this many in "
"small files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueColumn:
    """A column of numbers; `unit` follows each of them when it is not `None`."""

    column: int
    name: str
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the columns are.

    Attributes:
        values: The columns of numbers: the sensors, or in a long layout the one that holds all values.
        tag: In a long layout, the column that names the sensor.
        tags: The names in it, in the order in which they were found.
        quality: Columns that tell which values are good.
        texts: In a long layout, further columns of texts, which must say the same wherever a sensor is named.
        decisions: What was decided, and why.
    """

    values: tuple[ValueColumn, ...]
    tag: int | None
    tags: tuple[str, ...]
    quality: tuple[QualityColumn, ...]
    texts: tuple[int, ...]
    decisions: tuple[Decision, ...]


def decide_layout(
    names: Sequence[str],
    cells: Mapping[int, Cells],
    *,
    first_cells: Mapping[int, Sequence[str]],
    repeated: float,
    answers: Answers,
) -> Layout:
    """Return what the columns are.

    Args:
        names: Names of all columns.
        cells: The cells of all columns but those of the time, by position.
        first_cells: The first of these cells, in order.
        repeated: The share of rows with the same time as the row above.
        answers: What the user decided.

    Raises:
        UndecidedExport: When a column can be several things.
        UnfitExport: When no column holds numbers, or an answer names no column.
    """
    decisions: list[Decision] = []
    rest = _without(names, cells, first_cells, answers, decisions)
    quality = find_quality(names, rest, answers)
    decisions += [_told(names, column) for column in quality]
    marks = {column.column for column in quality}
    rest = {at: column for at, column in rest.items() if at not in marks}
    tag, value = _long(names, rest, repeated, answers)
    if tag is not None:
        tags = tuple(rest[tag].values or ())
        if not tags:
            raise UnfitExport(
                f"column {names[tag]!r} names more than {MAX_TEXTS:,} sensors: split the export"
            )
        decisions.append(
            Decision(
                what="layout",
                value="long",
                evidence=(
                    f"{names[tag]!r} names the sensor of the value in {names[value]!r}; each gets a column"
                ),
                count=len(tags),
                example=tags[0],
            )
        )
        decisions += _without_sensor(rest[tag], names[tag], answers)
        texts = tuple(at for at in rest if at not in {tag, value})
        _left_out(names, texts, rest, decisions)
        rest = {value: rest[value]}
    else:
        tags, texts = (), ()
        _require_one_entity(names, rest)
        rest = _numbers(names, rest, first_cells, answers, decisions)
    values = []
    for at, column in rest.items():
        unit = column.unit()
        if unit is not None:
            decisions.append(
                Decision(
                    what="unit in cells",
                    value=f"{unit!r} left out",
                    evidence=f"it follows each number of {names[at]!r}",
                    count=column.units[unit],
                    example=column.examples["unit"],
                )
            )
        _refuse_half_numbers(names[at], column, unit, answers)
        values.append(ValueColumn(column=at, name=names[at], unit=unit))
        decisions += _status_texts(names[at], column, unit)
    if not values:
        raise UnfitExport("no column holds numbers beside the time: the service needs a sensor")
    kept = {value.column for value in values}
    quality = tuple(column for column in quality if kept & set(column.of))
    return Layout(
        values=tuple(values), tag=tag, tags=tags, quality=quality, texts=texts, decisions=tuple(decisions)
    )


def _without(
    names: Sequence[str],
    cells: Mapping[int, Cells],
    first_cells: Mapping[int, Sequence[str]],
    answers: Answers,
    decisions: list[Decision],
) -> dict[int, Cells]:
    """Leave out what the user names, what is an index, and what is empty and has no name."""
    dropped = answers.names("drop")
    for name in dropped:
        if name not in names:
            raise UnfitExport(
                f"--set drop={name}: there is no column {name!r}; there are {', '.join(names)[:200]}"
            )
    rest = {}
    for at, column in cells.items():
        if names[at] in dropped:
            decisions.append(Decision(what="column left out", value=names[at], evidence="--set drop"))
        elif not column.total and not names[at]:
            decisions.append(
                Decision(what="column left out", value=f"column {at + 1}", evidence="no name and no cell")
            )
        elif _INDEX_NAME.fullmatch(names[at]) and _counts_rows(first_cells[at]):
            decisions.append(
                Decision(
                    what="column left out",
                    value=names[at] or f"column {at + 1}",
                    evidence="it counts the rows",
                    example=", ".join(first_cells[at][:3]),
                )
            )
        else:
            rest[at] = column
    return rest


def _counts_rows(cells: Sequence[str]) -> bool:
    """Return whether cells are whole numbers one apart, nearly everywhere: rows may be lost or moved."""
    if len(cells) < 3 or not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    steps = [abs(int(after) - int(before)) for before, after in itertools.pairwise(cells)]
    return steps.count(1) >= _COUNTING * len(steps)


def _told(names: Sequence[str], column: QualityColumn) -> Decision:
    about = ", ".join(names[at] for at in column.of)[:80]
    return Decision(
        what="quality column",
        value=f"{names[column.column] or column.column + 1}, about {about}",
        evidence=f"values are kept with {', '.join(sorted(column.good)) or 'no mark'}; others are left out",
        count=column.bad,
        example=column.example,
    )


def _long(
    names: Sequence[str], cells: Mapping[int, Cells], repeated: float, answers: Answers
) -> tuple[int | None, int]:
    """Return the columns of the sensors' names and of the values, or `None` and 0 when the layout is wide."""
    layout = answers.choose("layout", ("wide", "long"))
    if layout == "wide":
        return None, 0
    tag, value = (_named(names, answers.get(key), key) for key in ("tag", "value"))
    tags = [tag] if tag is not None else [at for at in cells if _may_be_tags(names[at], cells[at])]
    values = [value] if value is not None else [at for at in cells if at not in tags and cells[at].numbers]
    if tag is not None and value is not None:
        return tag, value
    if not tags or not values:
        if layout == "long":
            raise UnfitExport(
                "--set layout=long: no column names sensors, or none holds values; name them with --set "
                "tag and "
                "--set value"
            )
        return None, 0
    named_tags = [at for at in tags if TAG_NAME.search(names[at])] or tags
    named_values = [at for at in values if _VALUE_NAME.search(names[at])] or values
    first = named_tags[0]
    generic = bool(
        TAG_NAME.search(names[first])
        and not _STATE_NAME.search(names[first])
        and not cells[first].numbers
        and _VALUE_NAME.search(names[named_values[0]])
    )
    certain = (
        layout == "long"
        or tag is not None
        or (generic and len(values) == 1)
        or (repeated >= _OFTEN and len(values) == 1)
    )
    if certain and len(named_tags) == 1 and len(named_values) == 1:
        return named_tags[0], named_values[0]
    if not certain and len(values) > 1 and repeated < _OFTEN:
        return None, 0
    shown = ", ".join(repr(names[at]) for at in tags)
    text = (
        f"column {shown} can name the sensor whose value stands in {names[values[0]]!r} (long layout), or be "
        "a text of the row (wide layout)"
    )
    if certain:
        which = "tag" if len(named_tags) > 1 else "value"
        options = named_tags if which == "tag" else named_values
        raise UndecidedExport(Question(key=which, text=text, choices=tuple(names[at] for at in options)))
    raise UndecidedExport(Question(key="layout", text=text, choices=("long", "wide")))


def _without_sensor(tags: Cells, name: str, answers: Answers) -> list[Decision]:
    """Return that rows name no sensor, or ask when they are many."""
    if not tags.empty:
        return []
    text = f"{tags.empty:,} rows name no sensor in {name!r}"
    if tags.empty > _LEAST_NUMBER_LIKE * tags.total and answers.choose("damaged-rows", ("drop",)) is None:
        raise UndecidedExport(Question(key="damaged-rows", text=text, choices=("drop",)))
    return [
        Decision(
            what="rows left out",
            value="rows without a sensor",
            evidence=f"{name!r} is empty",
            count=tags.empty,
        )
    ]


def _named(names: Sequence[str], name: str | None, key: str) -> int | None:
    if name is None:
        return None
    if name not in names:
        raise UnfitExport(
            f"--set {key}={name}: there is no column {name!r}; there are {', '.join(names)[:200]}"
        )
    return names.index(name)


def _may_be_tags(name: str, cells: Cells) -> bool:
    """Return whether a column can name sensors: few different texts, each of them in several rows."""
    if not cells.values or cells.total < len(cells.values):
        return False
    if cells.numbers or cells.units:
        if not _NUMBERED_TAG.fullmatch(name):
            return False
    elif len(cells.values) < 2 and not TAG_NAME.search(name):
        return False
    shape, _ = find_shape(list(cells.values)[:50])
    return shape is None and 2 * len(cells.values) <= max(cells.total, 3)


def _numbers(
    names: Sequence[str],
    cells: Mapping[int, Cells],
    first_cells: Mapping[int, Sequence[str]],
    answers: Answers,
    decisions: list[Decision],
) -> dict[int, Cells]:
    """Return the columns that hold numbers, and the empty ones that have a name."""
    kept = {}
    texts = []
    for at, column in cells.items():
        if column.numbers or column.unit() is not None:
            kept[at] = column
        elif not column.total:
            kept[at] = column
            decisions.append(
                Decision(
                    what="empty column",
                    value=names[at],
                    evidence="no cell has a value; kept as a sensor without values",
                )
            )
        elif _are_times(first_cells[at]):
            decisions.append(
                Decision(
                    what="column left out",
                    value=names[at] or f"column {at + 1}",
                    evidence="further times",
                    count=column.total,
                    example=first_cells[at][0],
                )
            )
        else:
            texts.append(at)
            _refuse_half_numbers(names[at], column, None, answers)
    _left_out(names, texts, cells, decisions)
    return kept


def _require_one_entity(names: Sequence[str], cells: Mapping[int, Cells]) -> None:
    """Ask about a column that seems to tell which machine a row is about."""
    for at, column in cells.items():
        several = 1 < len(column.values or ()) <= min(_FEW_ENTITIES, column.total // 2)
        named = _ENTITY_NUMBER.search(names[at]) if column.numbers else _ENTITY_NAME.search(names[at])
        if several and named:
            examples = ", ".join(list(column.values or ())[:3])
            raise UndecidedExport(
                Question(
                    key="drop",
                    text=f"column {names[at]!r} ({examples}) seems to tell which machine a row is about: "
                    "split the export, one file for each, or leave the column out if all rows are about one",
                    choices=(names[at],),
                )
            )


def _are_times(cells: Sequence[str]) -> bool:
    return bool(cells) and (find_shape(cells)[0] is not None or find_epoch(cells) is not None)


def _left_out(
    names: Sequence[str], columns: Sequence[int], cells: Mapping[int, Cells], decisions: list[Decision]
) -> None:
    for at in columns:
        texts = cells[at].texts
        example = next(iter(texts), "")
        decisions.append(
            Decision(
                what="column left out",
                value=names[at] or f"column {at + 1}",
                evidence="it holds texts, the service takes numbers",
                count=cells[at].total,
                example=example,
            )
        )


def _refuse_half_numbers(name: str, cells: Cells, unit: str | None, answers: Answers) -> None:
    count, example = cells.number_like()
    count -= cells.units[unit] if unit is not None else 0
    allowed = max(_LEAST_NUMBER_LIKE * cells.total, min(_FEW, cells.total // 10))
    if count > allowed and answers.choose("texts", ("blank",)) is None:
        raise UndecidedExport(
            Question(
                key="texts",
                text=f"{count:,} cells of column {name!r} begin like a number and are none, such as "
                f"{example!r}. Export plain numbers, leave the column out with `--set drop={name}`, or have "
                "no value there",
                choices=("blank",),
            )
        )


def _status_texts(name: str, cells: Cells, unit: str | None) -> list[Decision]:
    found = {
        **cells.texts,
        **{cells.examples.get("unit", other): n for other, n in cells.units.items() if other != unit},
    }
    if not found:
        return []
    shown = sorted(found, key=lambda text: -found[text])
    listed = ", ".join(
        f"{cells.examples.get(text, text) if text == OTHER_TEXTS else text!r}: {found[text]:,}"
        for text in shown[:5]
    )
    return [
        Decision(
            what="status texts",
            value=f"no value in {name!r}",
            evidence=f"texts among the numbers ({listed}{', ...' if len(shown) > 5 else ''})",
            count=sum(found.values()),
            example=shown[0],
        )
    ]


def followed(name: str) -> bool:
    """Return whether all texts of a column are worth counting because of its name."""
    return bool(TAG_NAME.search(name) or QUALITY_NAME.search(name) or _ENTITY_NUMBER.search(name))
