"""Rows that inference keeps for the retrainings of a model: one object for each scheduler and day.

A window is rewritten as a whole, so one that is inferred again changes nothing. The keys begin with the day,
in order; the day of a window is that of its start.
"""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from engine import ObservedRows
from service.clock import timestamp
from service.jobs.times import instant
from service.members.training_windows import TimeSpan
from service.schedulers.inference_windows import InferenceWindow
from service.storage.names import accumulated_day, accumulated_prefix
from service.storage.service_bucket import ServiceBucket

_DAY = 86_400
_AT_ONCE = 8


def accumulated_span(key: str) -> TimeSpan:
    """Return the day of an object."""
    day = datetime.fromisoformat(key.rsplit("/", 2)[1]).replace(tzinfo=UTC)
    return TimeSpan(start=timestamp(day), end=timestamp(day) + _DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccumulatedRows:
    """The kept rows of a model; `model` is its uuid, and the bucket has its key."""

    service_bucket: ServiceBucket
    model: str

    def put(self, scheduler: str, window: InferenceWindow, rows: ObservedRows) -> None:
        """Keep the rows of a window in place of what was kept of it; `scheduler` is a uuid."""
        key = f"{accumulated_day(self.model, window.start)}{scheduler}.parquet"
        before = self.service_bucket.find(key)
        if before is not None:
            earlier = ObservedRows.read(io.BytesIO(before))
            rows = rows.replacing(earlier, instant(window.start), instant(window.end))
        body = io.BytesIO()
        rows.write(body)
        self.service_bucket.put(key, body.getvalue())

    def sizes(self, start: float, end: float) -> dict[str, int]:
        """Return the bytes of the objects with rows of a time (epoch seconds), by key in order of days."""
        first, after = accumulated_day(self.model, start - _DAY), accumulated_day(self.model, end + _DAY)
        found = self.service_bucket.sizes(accumulated_prefix(self.model))
        return {key: size for key, size in found.items() if first <= key < after}

    def read(self, keys: Sequence[str]) -> Iterator[BinaryIO]:
        """Yield objects, the next ones on their way; one that was removed meanwhile is left out."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for at in range(0, len(keys), _AT_ONCE):
                for body in pool.map(self.service_bucket.find, keys[at : at + _AT_ONCE]):
                    if body is not None:
                        yield io.BytesIO(body)
