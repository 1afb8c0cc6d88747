"""What was put right in the files of an ingestion, and components without a single value. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine import (
    ComponentReport,
    Repair,
    SensorStatistics,
    changed_units,
    common_clock,
    decade_gap,
    renamed_columns,
)
from service.jobs.failure import JobFailed
from service.jobs.ingestion.parts import FilePart

_AHEAD = timedelta(days=1)
"""Local time taken as UTC is ahead by less."""
_CLOCKS_BEGIN = "1991"
"""Clocks that were not set, or lost their battery, begin in 1900, 1970, 1980, 1984 or 1990."""
_QUALITY = re.compile(r"(?P<of>.+?)[._:#$-]?(quality|qual|qc|validity)([._:-]?code)?", re.IGNORECASE)
"""The name of a column that says of another one, named the same without the ending, which values are good."""
_FEWEST_COUNTED = 50
"""Rows in which a column counts time or rows, at least, which are no chance."""
_SHOWN = 3
"""Sensors that a message describes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedComponent:
    """The rows of a component, and the files that they came from."""

    report: ComponentReport
    parts: tuple[FilePart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRepair:
    """What was put right in the files of a component: all of one kind, with the first file that needed it."""

    repair: Repair
    file: str
    files: int

    def __str__(self) -> str:
        more = f", in {self.files:,} files" if self.files > 1 else ""
        return f"{self.repair} in '{self.file}'{more}"


def repairs_of(merged: MergedComponent) -> list[FoundRepair]:
    """Return the repairs of all files of a component: counts added up, line and example of the first file."""
    found: dict[tuple[str, str | None], FoundRepair] = {}
    for part in merged.parts:
        for repair in part.report.repairs:
            key = (repair.kind, repair.column)
            known = found.get(key)
            if known is None:
                found[key] = FoundRepair(repair=repair, file=part.source.key, files=1)
            else:
                found[key] = FoundRepair(
                    repair=replace(known.repair, count=known.repair.count + repair.count),
                    file=known.file,
                    files=known.files + 1,
                )
    return [*_shown_by_all(merged), *found.values()]


def _shown_by_all(merged: MergedComponent) -> Iterator[FoundRepair]:
    """Yield what only all files of the component together show."""
    far, found = merged.report.far, merged.report.repetition
    if far is not None:
        file = merged.parts[far.file].source.key
        yield FoundRepair(repair=far.as_repair("far-timestamps"), file=file, files=far.files)
    kept = decade_gap([part.report.periods for part in merged.parts], far)
    if kept is not None:
        file = merged.parts[kept.file].source.key
        yield FoundRepair(repair=kept.as_repair("decade-gap"), file=file, files=kept.files)
    if found is not None and merged.report.contradicting:
        repair = Repair(
            kind="contradictions", count=merged.report.contradicting, line=None, example=str(found.time)
        )
        yield FoundRepair(repair=repair, file=merged.parts[found.dropped_file].source.key, files=1)
    turns = merged.report.turns
    if turns is not None:
        other = merged.parts[turns.other].source.key
        repair = Repair(kind="files-in-turns", count=turns.files, line=None, example=other)
        yield FoundRepair(repair=repair, file=merged.parts[turns.file].source.key, files=1)
    bare = [part for part in merged.parts if part.report.bare]
    if bare and any(part.report.shifted for part in merged.parts):
        count = sum(part.report.bare for part in bare)
        repair = Repair(kind="mixed-offsets", count=count, line=None, example="")
        yield FoundRepair(repair=repair, file=bare[0].source.key, files=len(bare))
    yield from _clock_columns(merged)
    yield from _changed_units(merged)
    yield from _renamed_columns(merged)


def _clock_columns(merged: MergedComponent) -> Iterator[FoundRepair]:
    """Yield the columns that count time or rows in all of their files."""
    parts = [part for part in merged.parts if part.report.start != part.report.end]
    for sensor in merged.report.sensors:
        name = sensor.sensor
        files = [part for part in parts if name in part.report.header]
        clocks = [each for part in files for each in part.report.clocks if each.name == name]
        clock = common_clock(clocks) if len(clocks) == len(files) else None
        rows = sum(part.report.rows for part in files)
        if clock is not None and rows >= _FEWEST_COUNTED:
            example = f"{clock.unit}, {clock.first:.15g} in the first row"
            repair = Repair(kind="clock-column", count=rows, line=None, example=example, column=name)
            yield FoundRepair(repair=repair, file=files[0].source.key, files=len(files))


def _changed_units(merged: MergedComponent) -> Iterator[FoundRepair]:
    """Yield the sensors that are in another unit from one file on."""
    varying = {sensor.sensor for sensor in merged.report.sensors if sensor.monotonicity is None}
    for found in changed_units([part.report for part in merged.parts], varying):
        repair = Repair(
            kind="changed-unit",
            count=found.files,
            line=None,
            example=f"mostly {_range(found.before)} before, then {_range(found.then)}: {found.conversion}",
            column=found.sensor,
        )
        yield FoundRepair(repair=repair, file=merged.parts[found.file].source.key, files=1)


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.4g} to {ends[1]:.4g}"


def _renamed_columns(merged: MergedComponent) -> Iterator[FoundRepair]:
    """Yield the columns that go on under another name."""
    for found in renamed_columns([part.report for part in merged.parts]):
        count = sum(found.new in part.report.header for part in merged.parts)
        repair = Repair(kind="renamed-column", count=count, line=None, example=found.new, column=found.old)
        yield FoundRepair(repair=repair, file=merged.parts[found.first].source.key, files=1)


def notes_of(merged: MergedComponent, *, now: datetime) -> list[str]:
    """Return the readings that were taken where others were possible, and rows that several files have.

    Args:
        merged: The component.
        now: The present time: times that are later were likely meant otherwise.
    """
    notes = [f"'{part.source.key}': {note}" for part in merged.parts for note in part.report.notes]
    between = merged.report.duplicates - sum(
        repair.count for part in merged.parts for repair in part.report.repairs if repair.kind == "duplicates"
    )
    if between > 0:
        notes.append(
            f"{_count(between, 'row')} repeat{'s' if between == 1 else ''} a timestamp of another file"
            f"{_repetition(merged)}; the later file was kept"
        )
    end = merged.report.end
    if end is not None and datetime.fromisoformat(end).replace(tzinfo=UTC) > now + _AHEAD:
        notes.append(
            f"the last time is {end[:19]}, in the future: a year, a calendar or the start of a count of "
            "seconds may be another one than that of UTC since 1970"
        )
    start = merged.report.start
    if start is not None and start < _CLOCKS_BEGIN:
        notes.append(
            f"the first time is {start[:19]}, before {_CLOCKS_BEGIN}: a clock that was not set, or a year "
            "that was written short; correct such times, or leave their rows out"
        )
    notes += [
        f"sensor '{sensor.sensor}' has {sensor.stand_in[0]:.10g} in {sensor.stand_in[1]:,} cells, as a mark "
        "of missing values or an overflow: it is learned as a number; leave such cells empty"
        for sensor in merged.report.sensors
        if sensor.stand_in is not None
    ]
    names = {name: None for part in merged.parts for name in part.report.header[1:]}
    marks = [name for name in names if (found := _QUALITY.fullmatch(name)) and found["of"] in names]
    if marks:
        notes.append(
            f"{_listed(marks)} by the name marks of quality, which the service does not look at: values that "
            "they call bad are learned as numbers; 'l4e prepare' leaves such values out"
        )
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(name.casefold(), []).append(name)
    notes += [
        f"the columns {', '.join(map(repr, same))} differ in upper and lower case alone, and are sensors of "
        "their own: if they are one sensor, write its name in one way"
        for same in alike.values()
        if len(same) > 1
    ]
    return notes


def _listed(columns: Sequence[str]) -> str:
    """Return some columns as the beginning of a sentence, with its verb."""
    more = f" and {len(columns) - _SHOWN:,} more" if len(columns) > _SHOWN else ""
    shown = ", ".join(map(repr, columns[:_SHOWN]))
    return f"the column {shown} is" if len(columns) == 1 else f"the columns {shown}{more} are"


def _repetition(merged: MergedComponent) -> str:
    found = merged.report.repetition
    if found is None:
        return ""
    files = (merged.parts[found.dropped_file].source.key, merged.parts[found.kept_file].source.key)
    return f", first {found.time} in '{files[0]}' and again in '{files[1]}'"


def findings(
    components: Mapping[str, MergedComponent], discarded: Sequence[tuple[str, str]], *, now: datetime
) -> dict[str, Any]:
    """Return what was put right in the files, per component, and which were left out, as a document."""
    return {
        "Components": [
            {
                "ComponentName": name,
                "Files": len(merged.parts),
                "Rows": merged.report.rows,
                "Repairs": [
                    {**asdict(found.repair), "file": found.file, "files": found.files, "text": str(found)}
                    for found in repairs_of(merged)
                ],
                "Notes": notes_of(merged, now=now),
            }
            for name, merged in components.items()
        ],
        "Discarded": [{"Key": key, "Reason": reason} for key, reason in discarded],
    }


def require_values(component: str, merged: MergedComponent) -> None:
    """Require that any sensor of a component with rows has a value.

    Raises:
        JobFailed: saying what the cells hold instead.
    """
    report = merged.report
    if not report.rows or any(sensor.data_exists for sensor in report.sensors):
        return
    invalid = {
        found.repair.column: found for found in repairs_of(merged) if found.repair.kind == "invalid-cells"
    }
    told = sorted(report.sensors, key=lambda sensor: -sensor.invalid)
    cells = "; ".join(_cells(sensor, invalid.get(sensor.sensor)) for sensor in told[:_SHOWN])
    more = f"; and {len(told) - _SHOWN:,} more sensors" if len(told) > _SHOWN else ""
    raise JobFailed(
        f"component '{component}' has {_count(report.rows, 'row')} in {_count(len(merged.parts), 'file')}, "
        f"but no sensor has a single valid value: {cells}{more}. A number has a decimal point, and neither a "
        "unit nor a mark for thousands, as 1234.5: correct the files (the command 'l4e prepare' does it) and "
        "ingest again"
    )


def _cells(sensor: SensorStatistics, found: FoundRepair | None) -> str:
    """Return what the cells of a sensor without a value hold."""
    return f"'{sensor.sensor}' has {' and '.join(_kinds(sensor, found)) or 'no cells'}"


def _kinds(sensor: SensorStatistics, found: FoundRepair | None) -> Iterator[str]:
    if sensor.invalid:
        example = "" if found is None else f", for example {found.repair.example!r}{_place(found)}"
        wrong = "cell that is not a number" if sensor.invalid == 1 else "cells that are not numbers"
        yield f"{sensor.invalid:,} {wrong}{example}"
    if sensor.missing:
        yield _count(sensor.missing, "empty cell")


def _place(found: FoundRepair) -> str:
    line = "" if found.repair.line is None else f"line {found.repair.line:,} of "
    return f" in {line}'{found.file}'"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
