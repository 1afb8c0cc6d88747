"""Where the body of a file begins, and which line above it holds the names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport, UnfitExport
from l4e_cli.prepare.separator import split

TIME_NAME = re.compile(
    r"time|date|stamp|zeit|datum|fecha|hora|heure|horodat|tijd|uhr|epoch|unix|\butc|^ts$|^t$|"
    r"时间|時間|日期|日時|日付|时刻|время|дата|час|시간|일시",
    re.IGNORECASE,
)
_UNIT_WORDS = (
    "% ppm ppb °c °f c f k degc degf deg bar mbar barg bara pa hpa kpa mpa psi psig mmhg inhg mmh2o m mm "
    "cm µm um in "
    "ft mil mils m/s mm/s cm/s in/s ips ft/s m/s2 m/s² mm/s2 g rms hz khz rpm 1/min u/min min-1 min⁻¹ 1/s "
    "v mv kv a "
    "ma ka w kw mw mwh kwh wh gwh va kva mva var kvar mvar l l/min l/h l/s lpm gpm m3 m³ m3/h m³/h m3/s "
    "m³/s nm3/h "
    "nm³/h kg kg/h kg/s kg/m3 kg/m³ t t/h lb lb/h n kn nm knm j kj s sec min h hr d ms µs us db dba ohm "
    "kohm ph ntu "
    "µs/cm ms/cm mg/l g/l cst none - -- n/a na bool on/off degree degrees celsius fahrenheit kelvin "
    "percent volt "
    "ampere watt timestamp datetime date/time yyyy-mm-dd hh:mm:ss"
)
_UNITS = frozenset(_UNIT_WORDS.split())
_UNIT_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """How a file is laid out.

    Attributes:
        separator: Between cells.
        names: One name per column; may be empty or repeated.
        body: Index of the first line of the body.
        decisions: What was decided, and why.
    """

    separator: str
    names: tuple[str, ...]
    body: int
    decisions: tuple[Decision, ...]

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.names)


def find_sheet(
    lines: Sequence[str], separator: str, *, is_time: Sequence[Sequence[bool]], answers: Answers
) -> Sheet:
    """Return where names and body are.

    Args:
        lines: The first lines of the file.
        separator: Between cells.
        is_time: Per line and cell, whether the cell is a time.
        answers: What the user decided.

    Raises:
        UnfitExport: When there is no body.
        UndecidedExport: When the names are missing, do not fit the rows, or can be in several lines.
    """
    rows = [split(line, separator) for line in lines]
    body, width = _body(rows, is_time)
    example = lines[body]
    if 2 * sum(is_time[body]) > width > 3:
        raise UnfitExport(
            f"most cells of line {body + 1} are times ({example[:80]!r}): the table is turned, a row is a "
            "sensor. Export one row per time, with a column per sensor"
        )
    if answers.get("columns") is not None:
        given = answers.names("columns")
        if len(given) != width:
            raise UnfitExport(
                f"--set columns has {len(given)} names, the rows have {width} cells, such as "
                f"{example[:100]!r}"
            )
        decision = Decision(what="names", value=", ".join(given), evidence="--set", count=width)
        return Sheet(
            separator=separator, names=given, body=body, decisions=(decision, *_above(lines, range(body)))
        )
    at, names = _names(rows, body, width, example, answers)
    decisions = [
        Decision(
            what="names",
            value=f"line {at + 1}",
            evidence="the line of names above the first time",
            count=width,
            example=lines[at][:100],
        )
    ]
    decisions += _above(lines, range(at))
    names, more = _second_names(rows, at, body, names)
    decisions += more
    decisions.append(
        Decision(
            what="body",
            value=f"from line {body + 1}",
            evidence="the first line with a time in its place",
            example=example[:100],
        )
    )
    return Sheet(separator=separator, names=tuple(names), body=body, decisions=tuple(decisions))


def _body(rows: Sequence[Sequence[str]], is_time: Sequence[Sequence[bool]]) -> tuple[int, int]:
    """Return the index of the first line of the body, and the width of its rows."""
    widths: dict[int, int] = {}
    for row, times in zip(rows, is_time, strict=True):
        if any(times) and len(row) > 1:
            widths[len(row)] = widths.get(len(row), 0) + 1
    if not widths:
        raise UnfitExport("no line has a time and another cell: export one row per time")
    width = max(widths, key=lambda key: widths[key])
    fitting = [at for at, row in enumerate(rows) if len(row) == width]
    shares = [sum(is_time[at][column] for at in fitting) for column in range(width)]
    column = max(range(width), key=lambda at: shares[at])
    return next(at for at in fitting if is_time[at][column]), width


def _names(
    rows: Sequence[Sequence[str]], body: int, width: int, example: str, answers: Answers
) -> tuple[int, list[str]]:
    """Return the index of the line of names, and the names."""
    given = answers.get("header")
    if given is not None:
        if not given.isdigit() or not 0 < int(given) <= body or not rows[int(given) - 1]:
            raise UnfitExport(
                f"--set header={given} is not the number of a line above the first time, line {body + 1}"
            )
        at = int(given) - 1
        return at, _fitted(rows[at], width, at, example)
    above = [at for at in range(body) if rows[at]]
    candidates = [at for at in above if width - 1 <= len(rows[at]) <= width + 1 and len(rows[at]) > 1]
    named = [at for at in candidates if any(TIME_NAME.search(cell) for cell in rows[at])]
    named = [at for at in named if not _is_units(rows[at])] or named  # the unit of the times may be UTC
    if not above or (not candidates and all(len(rows[at]) < 2 for at in above)):
        text = f"no line above {example[:100]!r} in line {body + 1} holds names of its {width} columns"
        raise UndecidedExport(Question(key="columns", text=text, choices=(_numbered(width),)))
    if len(named) == 1 or (named and named[-1] == above[-1]):
        return named[-1], _fitted(rows[named[-1]], width, named[-1], example)
    plain = [at for at in candidates if not _is_units(rows[at])]
    if len(plain) == 1 and not named:
        return plain[0], _fitted(rows[plain[0]], width, plain[0], example)
    if not candidates:
        at = above[-1]
        return at, _fitted(rows[at], width, at, example)
    text = "the names can stand in lines " + ", ".join(f"{at + 1} ({_line(rows[at])})" for at in candidates)
    raise UndecidedExport(
        Question(key="header", text=text, choices=tuple(str(at + 1) for at in (named or candidates)))
    )


def _fitted(row: Sequence[str], width: int, at: int, example: str) -> list[str]:
    """Return the names of a row, as many as the body is wide."""
    names = list(row)
    while len(names) > width and not names[-1]:
        names.pop()
    if len(names) == width - 1 and example.rstrip()[-1:] in {";", ",", "\t", "|"}:
        names.append("")
    if len(names) == width:
        return names
    text = (
        f"line {at + 1} has {len(names)} names ({_line(row)}), but the rows have {width} cells, such as "
        f"{example[:100]!r}. If decimal commas separate cells here, export with another separator or a "
        "decimal point; if a name is missing, name all columns"
    )
    raise UndecidedExport(Question(key="columns", text=text, choices=(_numbered(width),)))


def _second_names(
    rows: Sequence[Sequence[str]], at: int, body: int, names: list[str]
) -> tuple[list[str], list[Decision]]:
    """Return the names with what the lines around them add, and what these lines are."""
    decisions = []
    for below in range(at + 1, body):
        if rows[below]:
            what = "units" if _is_units(rows[below]) else "second line of names"
            evidence = "above the first time, below the names; not part of the names"
            decisions.append(
                Decision(what=what, value=f"line {below + 1}", evidence=evidence, example=_line(rows[below]))
            )
    filled = [name for name in names if name]
    if len(set(filled)) == len(filled) or at == 0 or len(rows[at - 1]) not in {len(names), len(names) + 1}:
        return names, decisions
    above, group = rows[at - 1], ""
    groups = []
    for name in above[: len(names)]:
        group = name or group
        groups.append(group)
    joined = [
        name if TIME_NAME.search(name) or not first else f"{first} {name}"
        for first, name in zip(groups, names, strict=True)
    ]
    if len(set(joined)) <= len(set(names)):
        return names, decisions
    decisions.append(
        Decision(
            what="two lines of names",
            value=f"lines {at} and {at + 1}",
            evidence="names repeat, and the line above tells them apart",
            example=next(name for name in joined if name),
        )
    )
    return joined, decisions


def _above(lines: Sequence[str], where: range) -> list[Decision]:
    found = [lines[at] for at in where if lines[at].strip()]
    if not found:
        return []
    evidence = "above the names, no row of the table"
    return [
        Decision(
            what="preamble", value="left out", evidence=evidence, count=len(found), example=found[0][:100]
        )
    ]


def _is_units(row: Sequence[str]) -> bool:
    cells = [cell.strip("[]()").strip().lower() for cell in row if cell.strip()]
    return bool(cells) and sum(cell in _UNITS for cell in cells) >= _UNIT_SHARE * len(cells)


def _line(row: Sequence[str]) -> str:
    return ", ".join(row)[:80]


def _numbered(width: int) -> str:
    if width > 4:
        return "Timestamp,NAME,NAME,..."
    return ",".join(["Timestamp", *("NAME" for _ in range(width - 1))])
