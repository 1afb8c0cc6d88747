"""Rows in order of time, in memory that does not grow with their number."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from l4e_cli.prepare.times import Micros

PART_BYTES, MOST_PARTS = 24 << 20, 240


def in_order(tables: Iterator[Any]) -> Iterator[Any]:
    """Yield rows that are in order, each time whole: the rows of the last time wait for the next table."""
    waiting = None
    for table in tables:
        if not table.num_rows:
            continue
        rows = table if waiting is None else pa.concat_tables([waiting, table])
        times = rows.column(0).to_numpy()
        whole = int(np.searchsorted(times, times[-1]))
        waiting = rows.slice(whole)
        if whole:
            yield rows.slice(0, whole)
    if waiting is not None:
        yield waiting


def sorted_rows(
    tables: Iterator[Any], *, samples: Sequence[Micros], size: int, folder: Path
) -> Iterator[Any]:
    """Yield rows in order of time, each time whole, by way of files that each hold a part of the time.

    Args:
        tables: The rows; the first column is the time.
        samples: Some of the times.
        size: About how many bytes the rows have.
        folder: Where the files are put.
    """
    count = min(MOST_PARTS, size // PART_BYTES + 1)
    every = np.concatenate(samples) if samples else np.zeros(0, np.int64)
    borders: Micros = np.zeros(0, np.int64)
    if count > 1:
        borders = np.unique(np.quantile(every, np.arange(1, count) / count, method="nearest"))
    parts = [folder / f"part-{at}.arrow" for at in range(len(borders) + 1)]
    writers: dict[int, Any] = {}
    try:
        for table in tables:
            which = np.searchsorted(borders, table.column(0).to_numpy(), side="right")
            for at in np.unique(which):
                if at not in writers:
                    writers[at] = pa.ipc.new_stream(str(parts[at]), table.schema)
                writers[at].write_table(table.filter(which == at))
    finally:
        for writer in writers.values():
            writer.close()
    for at in sorted(writers):
        with pa.OSFile(str(parts[at])) as file:
            rows = pa.ipc.open_stream(file).read_all()
        parts[at].unlink()
        yield rows.take(pa.array(np.argsort(rows.column(0).to_numpy(), kind="stable")))
