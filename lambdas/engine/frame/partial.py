"""Frames of machines of which a part is silent, and rows that came after their time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

import numpy as np
import pyarrow.parquet as pq

from engine.frame.frame import Frame, SensorId
from engine.ingest.header import TIMESTAMP


def with_silent(frame: Frame, sensors: Sequence[SensorId]) -> Frame:
    """Return the frame with the columns of all ``sensors``, those it lacks without any value."""
    place = {sensor: at for at, sensor in enumerate(frame.sensors)}
    values = np.full((len(frame.times), len(sensors)), np.nan)
    for at, sensor in enumerate(sensors):
        if sensor in place:
            values[:, at] = frame.values[:, place[sensor]]
    return replace(frame, values=values, sensors=tuple(sensors))


def rows_between(component: BinaryIO, start: np.datetime64, end: np.datetime64) -> int:
    """Count the rows of a merged Parquet file in (start, end]."""
    component.seek(0)
    stamps = pq.ParquetFile(component).read(columns=[TIMESTAMP]).column(0).to_numpy()
    return int(((stamps > start) & (stamps <= end)).sum())
