"""Rows of many Parquet files in order of time, the last of equal stamps kept, in bounded memory.

Row groups are read in the order of their first stamp. Rows before the first stamp of all groups still to come
are complete and leave; files in order of time, also many at once, need no more than that. Where too many rows
wait (the groups all cover the same time), the rest goes through a temporary file, sorted into ranges of time.
"""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.ingest.header import TIMESTAMP
from engine.ingest.timestamps import Times

_WRITE_BYTES = 32 << 20
_SAMPLE = 100_000
_BUCKETS = 1_000
_OPEN_AT_ONCE = 8

Order = tuple[int, int]
"""File and row group that rows come from: of equal stamps the last in this order counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    order: Order
    file: Any
    low: np.datetime64
    rows: int

    def read(self) -> "_Run":
        table = self.file.read_row_group(self.order[1])
        return _Run.sorted(self.order, table)

    def stamps(self) -> Times:
        column = self.file.read_row_group(self.order[1], columns=[TIMESTAMP]).column(0)
        return np.sort(_times(column))


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows of one group, their stamps strictly increasing."""

    order: Order
    table: Any

    @classmethod
    def sorted(cls, order: Order, table: Any) -> "_Run":
        return cls(order, _in_order(table))

    @property
    def times(self) -> Times:
        return _times(self.table.column(0))

    def split(self, at: np.datetime64) -> tuple["_Run", "_Run"]:
        """The rows before and from an instant; few rows left of many are copied, to let the others go."""
        cut = int(np.searchsorted(self.times, at))
        left = self.table.num_rows - cut
        rest = self.table.slice(cut)
        if 0 < left < self.table.num_rows // 2:
            rest = rest.take(pa.array(np.arange(left)))
        return _Run(self.order, self.table.slice(0, cut)), _Run(self.order, rest)


def opened(parts: Sequence[BinaryIO]) -> list[Any]:
    """Open Parquet files, some at once: each may be an object far away."""
    with ThreadPoolExecutor(_OPEN_AT_ONCE) as pool:
        return list(pool.map(lambda part: pq.ParquetFile(part, pre_buffer=True), parts))


def merged(files: Sequence[Any], *, memory_bytes: int) -> Iterator[Any]:
    """Yield tables of a time-ordered whole; ``memory_bytes`` is about what they and the waiting rows need."""
    groups = _groups(files)
    waiting: list[_Run] = []
    limit = max(1, memory_bytes // 8)  # waiting, joined, sorted, and two tables that are being written
    for at, group in enumerate(groups):
        waiting.append(group.read())
        held = _bytes(waiting)
        if at + 1 == len(groups):
            yield _joined(waiting)
        elif held >= min(_WRITE_BYTES, limit):
            pairs = [run.split(groups[at + 1].low) for run in waiting]
            ready = [before for before, _ in pairs if before.table.num_rows]
            waiting = [after for _, after in pairs if after.table.num_rows]
            if ready:
                yield _joined(ready)
            if _bytes(waiting) > limit:
                yield from _spilled(waiting, groups[at + 1 :], bucket_bytes=limit)
                return


def _groups(files: Sequence[Any]) -> list[_Group]:
    found = []
    for part, file in enumerate(files):
        for index in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(index)
            low = np.datetime64(group.column(0).statistics.min_raw, "us")
            found.append(_Group(order=(part, index), file=file, low=low, rows=group.num_rows))
    return sorted(found, key=lambda group: (group.low, group.order))


def _spilled(waiting: list[_Run], groups: Sequence[_Group], *, bucket_bytes: int) -> Iterator[Any]:
    """Yield the same rows by way of a temporary file, range of time by range of time."""
    rows = sum(run.table.num_rows for run in waiting) + sum(group.rows for group in groups)
    per_row = max(1, _bytes(waiting) // max(1, sum(run.table.num_rows for run in waiting)))
    cuts = _cuts(waiting, groups, rows=rows, buckets=min(_BUCKETS, -(-rows * per_row // bucket_bytes)))
    places: list[list[tuple[Order, int]]] = [[] for _ in range(len(cuts) + 1)]
    schema = waiting[0].table.schema
    with tempfile.TemporaryFile() as scratch:
        batches = 0
        with pa.ipc.new_file(pa.PythonFile(scratch, "w"), schema) as writer:
            for run in _emptied(waiting, groups):
                ends = [0, *np.searchsorted(run.times, cuts), run.table.num_rows]
                for bucket, (start, end) in enumerate(pairwise(ends)):
                    if start < end:
                        writer.write_batch(_batch(run.table.slice(start, end - start)))
                        places[bucket].append((run.order, batches))
                        batches += 1
        scratch.seek(0)
        reader = pa.ipc.open_file(pa.PythonFile(scratch, "r"))
        for place in places:
            runs = [_Run(order, pa.Table.from_batches([reader.get_batch(at)])) for order, at in place]
            if runs:
                yield _joined(runs)


def _emptied(waiting: list[_Run], groups: Sequence[_Group]) -> Iterator[_Run]:
    while waiting:
        yield waiting.pop()
    for group in groups:
        yield group.read()


def _cuts(waiting: Sequence[_Run], groups: Sequence[_Group], *, rows: int, buckets: int) -> Times:
    """Instants that part the rows into ranges of about equal size, judged by evenly spaced stamps."""
    every = max(1, rows // _SAMPLE)
    stamps = [run.times[every // 2 :: every] for run in waiting]
    stamps += [group.stamps()[every // 2 :: every] for group in groups]
    sample = np.sort(np.concatenate(stamps))
    return np.unique(sample[len(sample) * np.arange(1, buckets) // buckets]) if len(sample) else sample


def _joined(runs: list[_Run]) -> Any:
    runs.sort(key=lambda run: run.order)
    if len(runs) == 1:
        return runs[0].table
    return _in_order(pa.concat_tables([run.table for run in runs]))


def _in_order(table: Any) -> Any:
    """Sort rows by time and keep the last of equal stamps."""
    stamps = _times(table.column(0))
    if np.all(stamps[1:] > stamps[:-1]):
        return table
    order: NDArray[np.intp] = np.argsort(stamps, kind="stable")
    ordered = stamps[order]
    last = np.append(ordered[1:] != ordered[:-1], [True])
    return table.combine_chunks().take(pa.array(order[last]))


def _times(column: Any) -> Times:
    times: Times = column.to_numpy()
    return times


def _batch(table: Any) -> Any:
    return table.combine_chunks().to_batches()[0]


def _bytes(runs: Sequence[_Run]) -> int:
    return sum(run.table.get_total_buffer_size() for run in runs)
