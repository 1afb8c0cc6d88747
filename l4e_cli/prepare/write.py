"""Write what was decided: one row per time in UTC, one column per sensor, every number with its digits."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from l4e_cli.prepare.decision import Answers, Decision, Question, UndecidedExport
from l4e_cli.prepare.merge import Merged, Merger
from l4e_cli.prepare.names import distinct_names
from l4e_cli.prepare.numbers import clean_numbers
from l4e_cli.prepare.rows import BadLines, read_tables
from l4e_cli.prepare.sort import in_order, sorted_rows
from l4e_cli.prepare.survey import Plan
from l4e_cli.prepare.times import NO_TIME, SECOND, Micros, parse_times

TIME_NAME = "Timestamp"
_MANY = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that was written.

    Attributes:
        rows: Its rows.
        names: Per sensor, its name in the export and its name in the file.
        values: How many values each sensor has.
        decisions: What was decided while it was written.
    """

    rows: int
    names: tuple[tuple[str, str], ...]
    values: tuple[int, ...]
    decisions: tuple[Decision, ...]


def write(
    plan: Plan, path: Path, answers: Answers, *, progress: Callable[[int], None] = lambda _: None
) -> Written:
    """Write a file that the service takes.

    Args:
        plan: What was decided about the export.
        path: The file to write.
        answers: What the user decided.
        progress: Receives the number of rows of the export that were read.

    Raises:
        UndecidedExport: When rows of the same time contradict each other.
    """
    originals = (
        plan.layout.tags if plan.layout.tag is not None else tuple(value.name for value in plan.layout.values)
    )
    names = distinct_names(originals, taken=(TIME_NAME,))
    merger = Merger(names=names, long=plan.layout.tag is not None)
    rows = 0
    with (
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".l4e-prepare-") as folder,
        pa.OSFile(str(path), "wb") as sink,
    ):
        sink.write((",".join([TIME_NAME, *names]) + "\n").encode())
        for part in _ordered(plan, Path(folder), progress):
            for times, columns in merger.merge(part):
                _write_rows(sink, times, columns, plan.times.fraction)
                rows += len(times)
    decisions = _merge_decisions(plan, merger.merged, sum(merger.values), answers)
    if names != list(originals):
        changed = [(old, new) for old, new in zip(originals, names, strict=True) if old != new]
        decisions.append(
            Decision(
                what="names",
                value="changed",
                evidence=(
                    "the service allows 0-9 A-Z a-z . _ : # $ - and each name once; see the file of names"
                ),
                count=len(changed),
                example=f"{changed[0][0] or '(no name)'} is now {changed[0][1]}",
            )
        )
    return Written(
        rows=rows,
        names=tuple(zip(originals, names, strict=True)),
        values=tuple(merger.values),
        decisions=tuple(decisions),
    )


def _ordered(plan: Plan, folder: Path, progress: Callable[[int], None]) -> Iterator[Any]:
    tables = _clean_tables(plan, progress)
    if plan.times.ordered:
        return in_order(tables)
    return sorted_rows(tables, samples=plan.times.samples, size=plan.source.size, folder=folder)


def _clean_tables(plan: Plan, progress: Callable[[int], None]) -> Iterator[Any]:
    """Yield the rows that have a time: the time in UTC, then all numbers, or a sensor and its number."""
    localiser = plan.localiser()
    tags = pa.array(plan.layout.tags, pa.string())
    constant = _ConstantTexts(plan)
    done = 0
    for read_table in read_tables(plan.source, plan.sheet, BadLines()):
        table = read_table
        done += table.num_rows
        progress(done)
        times = localiser.to_utc(parse_times(plan.time.texts(table), plan.times.form))
        read = times != NO_TIME
        if not read.all():
            table, times = table.filter(read), times[read]
        columns = [_values(plan, table, value.column, value.unit) for value in plan.layout.values]
        if plan.layout.tag is None:
            yield pa.table([pa.array(times), *columns], names=[str(at) for at in range(len(columns) + 1)])
            continue
        constant.add(table)
        sensors = pc.index_in(pc.utf8_trim_whitespace(table.column(plan.layout.tag)), value_set=tags)
        rows = pa.table([pa.array(times), sensors, columns[0]], names=["time", "sensor", "value"])
        yield rows.filter(pc.and_(pc.is_valid(rows["sensor"]), pc.is_valid(rows["value"])))


class _ConstantTexts:
    """Checks that in a long layout the other texts of a row are the same wherever a sensor is named."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.texts: dict[tuple[int, str], str] = {}

    def add(self, table: Any) -> None:
        """Check the next rows.

        Raises:
            UndecidedExport: When a sensor appears with two texts, as if there were two sensors of that name.
        """
        tag = self.plan.layout.tag
        for at in self.plan.layout.texts:
            pairs = pa.table([table.column(tag), table.column(at)], names=["tag", "text"]).drop_null()
            for pair in pairs.group_by(["tag", "text"]).aggregate([]).to_pylist():
                first = self.texts.setdefault((at, pair["tag"].strip()), pair["text"])
                if first != pair["text"]:
                    name = self.plan.sheet.names[at]
                    raise UndecidedExport(
                        Question(
                            key="drop",
                            text=f"{pair['tag']!r} has {first!r} and {pair['text']!r} in {name!r}: if it "
                            "tells two sensors apart, split the export; if not, leave the column out",
                            choices=(name,),
                        )
                    )


def _values(plan: Plan, table: Any, column: int, unit: str | None) -> Any:
    values = clean_numbers(table.column(column).combine_chunks(), plan.decimal, unit)
    for quality in plan.layout.quality:
        if column in quality.of:
            values = pc.if_else(quality.keep(table), values, pa.scalar(None, pa.string()))
    return values


def _write_rows(sink: Any, times: Micros, columns: list[Any], fraction: int) -> None:
    unit = {SECOND: "s", 1_000: "ms", 1: "us"}[fraction]
    stamps = pa.array(times // fraction, pa.int64()).cast(pa.timestamp(unit)).cast(pa.string())
    table = pa.table(
        [pc.replace_substring(stamps, " ", "T"), *columns], names=[str(at) for at in range(len(columns) + 1)]
    )
    options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
    pa_csv.write_csv(table, sink, options)


def _merge_decisions(plan: Plan, merged: Merged, values: int, answers: Answers) -> list[Decision]:
    zone_is_known = answers.time_zone is not None or plan.times.localiser.names_zone
    if merged.conflicts and merged.conflicts == merged.at_clock_change and not zone_is_known:
        raise UndecidedExport(
            Question(
                key="--time-zone",
                text=f"{merged.conflicts:,} values contradict others of the same time ({merged.example}), "
                "all when clocks change",
                choices=("UTC", "+01:00", "Europe/Berlin"),
            )
        )
    if merged.conflicts > _MANY * values and answers.choose("duplicates", ("last",)) is None:
        raise UndecidedExport(
            Question(
                key="duplicates",
                text=f"{merged.conflicts:,} values contradict others of the same sensor and time "
                f"({merged.example}): a part of the time, or a column that tells rows apart, may be missing; "
                "or name the columns of sensors and of values with `--set tag=` and `--set value=`",
                choices=("last",),
            )
        )
    decisions = []
    if not plan.times.ordered:
        evidence = f"{plan.times.falls:,} rows were before the one above"
        decisions.append(Decision(what="order of the rows", value="sorted by time", evidence=evidence))
    if merged.repeated:
        decisions.append(
            Decision(
                what="duplicates",
                value="the last value of each time is kept",
                evidence=f"{merged.conflicts:,} of them were different",
                count=merged.repeated,
                example=merged.example,
            )
        )
    return decisions
