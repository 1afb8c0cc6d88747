"""Read the rows of many Parquet files in order of time, in bounded memory.

Of rows with equal timestamps the last one is kept; in a column that its file does not have, the value is that
of the last file that has it. Row groups are read in the order of their first timestamp,
and rows before the first timestamp of the next group are handed on. Files in order of time, also many side by
side, need no more than that. Where too many rows have to wait, because the groups all cover the same time,
the rest goes through a temporary file, sorted into ranges of time.
"""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.ingest.parquet import TIMESTAMP
from engine.ingest.timestamps import Times

_MIN_TABLE_BYTES = 32 << 20
_SAMPLED_ROWS = 100_000
_MAX_RANGES = 1_000
_OPENED_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """A timestamp that rows of two files have.

    Attributes:
        time: The timestamp.
        dropped_file: Place of the file whose row is dropped.
        kept_file: Place of the file whose row comes later, and is kept.
    """

    time: np.datetime64
    dropped_file: int
    kept_file: int


_Order = tuple[int, int]
"""File and row group of rows: of rows with equal timestamps, the last in this order is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowGroup:
    order: _Order
    file: Any
    first: np.datetime64
    rows: int

    def read(self) -> "_Run":
        table = self.file.read_row_group(self.order[1])
        return _Run.of(self.order, table)

    def times(self) -> Times:
        column = self.file.read_row_group(self.order[1], columns=[TIMESTAMP]).column(0)
        return np.sort(_times(column))


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows of one row group, their timestamps strictly increasing."""

    order: _Order
    table: Any

    @classmethod
    def of(cls, order: _Order, table: Any) -> "_Run":
        return cls(order, _sort_and_deduplicate(table))

    @property
    def times(self) -> Times:
        return _times(self.table.column(0))

    def split(self, at: np.datetime64) -> tuple["_Run", "_Run"]:
        """Return the rows before an instant and the rows from it on.

        When few of many rows remain, they are copied, so that the memory of the others can be freed.
        """
        cut = int(np.searchsorted(self.times, at))
        left = self.table.num_rows - cut
        rest = self.table.slice(cut)
        if 0 < left < self.table.num_rows // 2:
            rest = rest.take(pa.array(np.arange(left)))
        return _Run(self.order, self.table.slice(0, cut)), _Run(self.order, rest)


@dataclass(slots=True, kw_only=True)
class Overlap:
    """Rows of several files with one timestamp.

    Attributes:
        named: Which file (axis 0) has which of the columns after the timestamps (axis 1).
        repetition: The first timestamp found of which a row of one file is dropped for that of another.
        contradicting: Number of rows dropped for one of another file that has another value.
        joined: Number of rows that became one with the row of another file, as each has columns of its own.
        lacking: Per column, number of the rows handed on of which no file has it.
        turns: Per file, number of its rows behind which a row of another file with the same columns comes.
        other: Per file, place of such another file.
    """

    named: NDArray[np.bool_]
    repetition: Repetition | None = None
    contradicting: int = 0
    joined: int = 0
    lacking: NDArray[np.int64] = field(init=False)
    turns: NDArray[np.int64] = field(init=False)
    other: NDArray[np.int64] = field(init=False)
    _newest: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Count from zero."""
        self.lacking = np.zeros(self.named.shape[1], np.int64)
        self.turns = np.zeros(len(self.named), np.int64)
        self.other = np.zeros(len(self.named), np.int64)

    def pass_on(self, runs: Sequence[_Run]) -> None:
        """Count rows that are handed on as they are."""
        for run in runs:
            self.lacking += run.table.num_rows * ~self.named[run.order[0]]
        self._count_turns(np.array([run.order[0] for run in runs if run.table.num_rows], np.intp))

    def take(self, table: Any, order: NDArray[np.intp], files: NDArray[np.intp]) -> Any:
        """Return one row per timestamp.

        Args:
            table: The rows of some files, the last file of equal timestamps last.
            order: The order of the rows by time.
            files: Place of the file of each row, in that order.
        """
        times = _times(table.column(0))[order]
        last = np.append(times[1:] != times[:-1], [True])
        used = last.copy()
        if len(np.unique(self.named[np.unique(files)], axis=0)) == 1:
            taken = _take_last(table, order)
            self.lacking += len(taken) * ~self.named[files[0]]
        else:
            taken = self._join(table.combine_chunks(), order, self.named[files], used)
        self._count_turns(files[last])
        dropped = np.flatnonzero((times[1:] == times[:-1]) & (files[1:] != files[:-1]) & ~used[:-1])
        if len(dropped):
            at = int(dropped[0])
            self.repetition = self.repetition or Repetition(
                time=times[at], dropped_file=int(files[at]), kept_file=int(files[at + 1])
            )
            self.contradicting += _count_different(table, order[dropped], order[dropped + 1])
        return taken

    def _count_turns(self, files: NDArray[np.intp]) -> None:
        """Count the changes of the file from row to row, of which these are the next in order of time."""
        if self._newest is not None:
            files = np.append(self._newest, files)
        ends = np.flatnonzero(files[1:] != files[:-1])
        before, behind = files[ends], files[ends + 1]
        alike = (self.named[before] == self.named[behind]).all(axis=1)
        np.add.at(self.turns, before[alike], 1)
        self.other[before[alike]] = behind[alike]
        self._newest = int(files[-1]) if len(files) else None

    def _join(
        self, table: Any, order: NDArray[np.intp], named: NDArray[np.bool_], used: NDArray[np.bool_]
    ) -> Any:
        """Return each value of the last file that has its column, and mark the rows that are used."""
        ends = np.flatnonzero(used)
        starts = np.append(0, ends[:-1] + 1)
        columns = [table.column(0).take(pa.array(order[ends]))]
        for at, column in enumerate(table.columns[1:]):
            has = named[:, at]
            places = np.maximum.reduceat(np.where(has, np.arange(len(has)), -1), starts)
            found = places >= 0
            used[places[found]] = True
            self.lacking[at] += np.count_nonzero(~found)
            columns.append(column.take(pa.array(order[np.where(found, places, ends)])))
        self.joined += int(np.count_nonzero(used)) - len(ends)
        return pa.table(columns, schema=table.schema)


def open_parquet_files(parts: Sequence[BinaryIO]) -> list[Any]:
    """Open Parquet files, several at a time, because each may be in remote storage.

    Args:
        parts: Files that can seek.
    """
    with ThreadPoolExecutor(_OPENED_AT_ONCE) as pool:
        return list(pool.map(lambda part: pq.ParquetFile(part, pre_buffer=True), parts))


def read_in_order(
    files: Sequence[Any], *, memory_bytes: int, overlap: Overlap | None = None
) -> Iterator[Any]:
    """Yield the rows of all files as tables, one after the other in order of time.

    Args:
        files: Open Parquet files with the same columns.
        memory_bytes: About what the tables and the waiting rows may take together.
        overlap: Which columns the files have, all of them without it; it gathers what becomes of equal
            timestamps.
    """
    overlap = overlap or Overlap(named=np.ones((len(files), 1), bool))
    groups = _row_groups(files)
    waiting: list[_Run] = []
    limit = max(1, memory_bytes // 8)  # waiting, merged, sorted, and two tables that are being written
    for at, group in enumerate(groups):
        waiting.append(group.read())
        held = _bytes(waiting)
        if at + 1 == len(groups):
            yield _merge(waiting, overlap)
        elif held >= min(_MIN_TABLE_BYTES, limit):
            pairs = [run.split(groups[at + 1].first) for run in waiting]
            ready = [before for before, _ in pairs if before.table.num_rows]
            waiting = [after for _, after in pairs if after.table.num_rows]
            if ready:
                yield _merge(ready, overlap)
            if _bytes(waiting) > limit:
                yield from _through_file(waiting, groups[at + 1 :], limit, overlap)
                return


def _row_groups(files: Sequence[Any]) -> list[_RowGroup]:
    found = []
    for part, file in enumerate(files):
        for index in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(index)
            first = np.datetime64(group.column(0).statistics.min_raw, "us")
            found.append(_RowGroup(order=(part, index), file=file, first=first, rows=group.num_rows))
    return sorted(found, key=lambda group: (group.first, group.order))


def _through_file(
    waiting: list[_Run], groups: Sequence[_RowGroup], range_bytes: int, overlap: Overlap
) -> Iterator[Any]:
    """Yield the rows that wait and those of further groups, by way of a temporary file."""
    rows = sum(run.table.num_rows for run in waiting) + sum(group.rows for group in groups)
    per_row = max(1, _bytes(waiting) // max(1, sum(run.table.num_rows for run in waiting)))
    limits = _range_limits(
        waiting, groups, rows=rows, ranges=min(_MAX_RANGES, -(-rows * per_row // range_bytes))
    )
    places: list[list[tuple[_Order, int]]] = [[] for _ in range(len(limits) + 1)]
    schema = waiting[0].table.schema
    with tempfile.TemporaryFile() as file:
        batches = 0
        with pa.ipc.new_file(pa.PythonFile(file, "w"), schema) as writer:
            for run in _drain(waiting, groups):
                ends = [0, *np.searchsorted(run.times, limits), run.table.num_rows]
                for at, (start, end) in enumerate(pairwise(ends)):
                    if start < end:
                        writer.write_batch(_batch(run.table.slice(start, end - start)))
                        places[at].append((run.order, batches))
                        batches += 1
        file.seek(0)
        reader = pa.ipc.open_file(pa.PythonFile(file, "r"))
        for place in places:
            runs = [_Run(order, pa.Table.from_batches([reader.get_batch(batch)])) for order, batch in place]
            if runs:
                yield _merge(runs, overlap)


def _drain(waiting: list[_Run], groups: Sequence[_RowGroup]) -> Iterator[_Run]:
    while waiting:
        yield waiting.pop()
    for group in groups:
        yield group.read()


def _range_limits(waiting: Sequence[_Run], groups: Sequence[_RowGroup], *, rows: int, ranges: int) -> Times:
    """Return the instants between ranges of about equally many rows, estimated from a sample of the times."""
    every = max(1, rows // _SAMPLED_ROWS)
    times = [run.times[every // 2 :: every] for run in waiting]
    times += [group.times()[every // 2 :: every] for group in groups]
    sample = np.sort(np.concatenate(times))
    return np.unique(sample[len(sample) * np.arange(1, ranges) // ranges]) if len(sample) else sample


def _merge(runs: list[_Run], overlap: Overlap) -> Any:
    runs.sort(key=lambda run: run.order)
    if len(runs) == 1:
        overlap.pass_on(runs)
        return runs[0].table
    table = pa.concat_tables([run.table for run in runs])
    order = _order_of_times(table)
    if order is None:
        overlap.pass_on(runs)
        return table
    files = np.repeat([run.order[0] for run in runs], [run.table.num_rows for run in runs])
    return overlap.take(table, order, files[order])


def _count_different(table: Any, some: NDArray[np.intp], others: NDArray[np.intp]) -> int:
    """Return how many rows have another value than those they are compared with, where both have one."""
    different = np.zeros(len(some), bool)
    for column in table.columns[1:]:
        ones, twos = column.take(pa.array(some)).to_numpy(), column.take(pa.array(others)).to_numpy()
        different |= (ones != twos) & ~np.isnan(ones) & ~np.isnan(twos)
    return int(np.count_nonzero(different))


def _sort_and_deduplicate(table: Any) -> Any:
    """Sort rows by time, and of rows with equal timestamps keep the last."""
    order = _order_of_times(table)
    return table if order is None else _take_last(table, order)


def _order_of_times(table: Any) -> NDArray[np.intp] | None:
    """Return the order of the rows by time; `None` when they are in it, without equal ones."""
    times = _times(table.column(0))
    return None if np.all(times[1:] > times[:-1]) else np.argsort(times, kind="stable")


def _take_last(table: Any, order: NDArray[np.intp]) -> Any:
    """Return the rows in an order of their times, the last of those with equal timestamps."""
    ordered = _times(table.column(0))[order]
    last = np.append(ordered[1:] != ordered[:-1], [True])
    return table.combine_chunks().take(pa.array(order[last]))


def _times(column: Any) -> Times:
    times: Times = column.to_numpy()
    return times


def _batch(table: Any) -> Any:
    return table.combine_chunks().to_batches()[0]


def _bytes(runs: Sequence[_Run]) -> int:
    return sum(run.table.get_total_buffer_size() for run in runs)
