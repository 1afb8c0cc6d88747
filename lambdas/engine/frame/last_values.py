"""The last value that each sensor of a component had up to a point in time."""

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import pyarrow.parquet as pq

from engine.frame.component_reader import right_edges
from engine.frame.filling import LastValue
from engine.ingest.parquet import TIMESTAMP


def last_values(
    component: BinaryIO, names: Sequence[str], *, end: np.datetime64, step_seconds: int | None
) -> dict[str, LastValue]:
    """Return the last value of each sensor in the rows up to `end`, inclusive.

    A sensor without a value there is left out.

    Args:
        component: A merged Parquet file, rows in order of time.
        names: Sensors of the component; those that the file lacks are left out.
        end: The latest time to look at.
        step_seconds: Width of the buckets that rows are resampled to: the value is then the mean of the
            bucket in which the sensor was last seen, as in a frame. `None` takes the value of the last row.
    """
    component.seek(0)
    file = pq.ParquetFile(component)
    known = set(file.schema_arrow.names)
    table = file.read(columns=[TIMESTAMP, *(name for name in names if name in known)])
    times = table.column(0).to_numpy()
    times = times[: int(np.searchsorted(times, end, "right"))]
    found: dict[str, LastValue] = {}
    for name, column in zip(table.column_names[1:], table.columns[1:], strict=True):
        values = column.to_numpy()[: len(times)]
        places = np.flatnonzero(np.isfinite(values))
        if not len(places):
            continue
        last = places[-1]
        if step_seconds is not None:
            edges = right_edges(times[places], step_seconds)
            places = places[int(np.searchsorted(edges, edges[-1])) :]
        value = float(values[places].mean() if step_seconds is not None else values[last])
        found[name] = LastValue(value, times[last])
    return found
