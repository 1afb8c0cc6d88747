"""What ingestion, training and inference need of AWS: calls, units and seconds, counted while they work.

Their entry points run on the embedded AWS, in warm processes and for a healthy machine.
"""

import json
import logging
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from service.members.durations import seconds
from service.storage.names import DATASET, executions_of
from service.storage.store import Item
from tests.embedded import EmbeddedAws, embedded_aws
from tests.service.counted import Call, CountedCalls, counted_calls, item_bytes
from tests.service.jobs.conftest import environment, new_world
from tests.service.jobs.world import at, rows, schema

SENSORS = 8
"""Sensors of a component; each has a value a minute."""
HISTORY_DAYS = 15
LATENCY_MS = {
    "AssumeRole": 40,
    "GetItem": 5,
    "Query": 5,
    "UpdateItem": 10,
    "TransactWriteItems": 15,
    "GetObject": 25,
    "PutObject": 40,
    "ListObjectsV2": 40,
    "PutMetricData": 20,
}
"""How long a function waits for an answer, besides its own work."""
OTHER_LATENCY_MS = 30
LOG_LINE_BYTES = 250
"""What Lambda and CloudWatch add to a line of ours."""

_MINUTE = timedelta(minutes=1)
_HISTORY = datetime(2025, 12, 1, tzinfo=UTC)
_FIRST = datetime(2026, 1, 5, 8, tzinfo=UTC)
_SETTLE = 4
"""Windows before those that are counted: the first ones have no earlier rows, and say so."""
_COUNTED = 12
"""An hour of windows of five minutes; as many of longer ones."""
_SERVICE_BUCKET = "service"
_NAMING = {"TimestampFormat": "yyyyMMddHHmmss", "ComponentTimestampDelimiter": "_"}
_TAGS = {
    "constructs-l4e:owner": "arn:aws:cloudformation:us-east-1:111122223333:stack/Pump1/"
    "0f6bb1c0-1b2c-11f0-9c1e-0affd2f4a6b1|AssetScheduler0A1B2C3D",
    "constructs-l4e:request": "6d3a1a5e-3f7f-4a52-9d7e-0c9d5f0e2b11",
    "constructs-l4e:configuration": "3f0c7a1e5b9d2846",
}
"""As long as those that custom resources set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one piece of work needed.

    `cpu_seconds` is processor time, `wait_seconds` the time in which answers are awaited, `key_requests` are
    those to KMS, `table_bytes` what it leaves in the table, `object_bytes` what it writes to S3, `metrics`
    how often it sends each.
    """

    calls: Mapping[str, float]
    read_units: float
    write_units: float
    key_requests: float
    cpu_seconds: float
    wait_seconds: float
    log_bytes: float
    metrics: Mapping[str, float]
    table_bytes: float
    object_bytes: float


class Plant:
    """A customer with some components, of which a history was ingested and a model was trained."""

    ingestion: Usage
    training: Usage

    def __init__(self, aws: EmbeddedAws, components: int) -> None:
        self.files = components
        self._world = new_world(aws)
        self._names = [f"component-{number:02d}" for number in range(1, components + 1)]
        self._text = schema(**{name: [f"sensor-{one:02d}" for one in range(SENSORS)] for name in self._names})
        self._random = random.Random(components)  # noqa: S311 - data of a benchmark
        for name in self._names:
            self._world.upload(f"history/{name}/data.csv", self._rows(_HISTORY, HISTORY_DAYS * 1440))
        dataset = self._world.dataset(self._text)
        with _counting() as counting:
            counting.work(lambda: self._world.ingest(dataset, prefix="history/"))
        self.ingestion = counting.usage(1)
        dataset = self._world.get(DATASET, dataset["DatasetName"])
        with _counting() as counting:
            self._model = counting.work(lambda: self._train(dataset))
        self.training = counting.usage(1)

    def windows(self, frequency: str, *, named: bool) -> Usage:
        """Return what a window needs, the mean of some; `named` is whether a naming is configured."""
        length = timedelta(seconds=seconds(frequency))
        prefix = f"{len(self._names)}-{frequency}-{named}/inference-input/"
        scheduler = self._scheduler(frequency, prefix, first_end=_FIRST + length, named=named)

        def tick() -> None:
            (status,) = self._world.tick(scheduler).values()
            assert status == "SUCCESS", self._world.executions(scheduler)[-1]

        with _counting() as counting:
            for number in range(_SETTLE + _COUNTED):
                start = _FIRST + number * length
                for component in self._names:
                    key = f"{prefix}{component}_{start:%Y%m%d%H%M%S}.csv"
                    self._world.upload(key, self._rows(start + _MINUTE, length // _MINUTE))
                self._world.set_clock(_plain(start + length + timedelta(seconds=20)))
                if number < _SETTLE:
                    tick()
                else:
                    counting.work(tick)
        return counting.usage(_COUNTED, kept=self._records(scheduler))

    def _scheduler(self, frequency: str, prefix: str, *, first_end: datetime, named: bool) -> Item:
        bucket = self._world.bucket
        return self._world.scheduler(
            self._model,
            first_end=_plain(first_end),
            DataUploadFrequency=frequency,
            InferenceSchedulerName=f"Pump{len(self._names)}-Asset-Scheduler-{named}-{frequency}-A1B2C3D4",
            DataInputConfiguration={
                "S3InputConfiguration": {"Bucket": bucket, "Prefix": prefix},
                **({"InferenceInputNameConfiguration": _NAMING} if named else {}),
            },
            DataOutputConfiguration={
                "S3OutputConfiguration": {"Bucket": bucket, "Prefix": prefix.replace("input", "output")}
            },
            tags=_TAGS,
        )

    def _train(self, dataset: Item) -> Item:
        model = self._world.model(
            dataset,
            self._text,
            TrainingDataStartTime=at("2025-12-01"),
            TrainingDataEndTime=at("2026-01-01"),
            DataPreProcessingConfiguration={"TargetSamplingRate": "PT1M"},
        )
        assert model["Status"] == "SUCCESS", model.get("FailedReason")
        return model

    def _rows(self, start: datetime, count: int) -> str:
        header = ["Timestamp", *(f"sensor-{one:02d}" for one in range(SENSORS))]
        lines = []
        for number in range(count):
            load = 100 + 20 * self._random.random()
            values = [f"{load * (1 + one) + self._random.gauss(0, 1):.3f}" for one in range(SENSORS)]
            lines.append([_plain(start + number * _MINUTE), *values])
        return rows(header, lines)

    def _records(self, scheduler: Item) -> list[Mapping[str, Any]]:
        """Return the records of executions as they are in the table."""
        store = self._world.runtime.store
        answer = store.client.query(
            TableName=store.table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": executions_of(scheduler["uuid"])}},
        )
        return list(answer["Items"])


@contextmanager
def plants(components: Sequence[int]) -> Iterator[dict[int, Plant]]:
    """Yield plants with these numbers of components, on an embedded AWS that lasts as long as the block."""
    with tempfile.TemporaryDirectory() as folder, embedded_aws(Path(folder)) as aws, environment(aws):
        aws.create_table("l4e")
        aws.create_bucket(_SERVICE_BUCKET)
        aws.client("iam").create_role(
            RoleName="data",
            Path="/lookoutequipment/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
        )
        yield {count: Plant(aws, count) for count in components}


class _Counting(logging.Handler):
    """Counts the calls, the processor time and the log of pieces of work, and of nothing between them."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = CountedCalls()
        self._cpu_seconds, self._log_bytes, self._working = 0.0, 0, False

    def work(self, work: Callable[[], Any]) -> Any:
        """Do a piece of work and return what it returns."""
        self._working = True
        with counted_calls() as counted:
            begun = time.process_time()
            done = work()
            self._cpu_seconds += time.process_time() - begun
        self._working = False
        self._counted.calls.extend(counted.calls)
        return done

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line of the log."""
        if self._working:
            self._log_bytes += len(record.getMessage().encode()) + LOG_LINE_BYTES

    def usage(self, count: int, *, kept: Sequence[Mapping[str, Any]] = ()) -> Usage:
        """Return what each of `count` pieces needed; `kept` are records that such work has left."""
        counted = self._counted
        written = [call.request.get("Body", b"") for call in counted.calls if call.operation == "PutObject"]
        return Usage(
            calls={name: calls / count for name, calls in counted.by_operation().items()},
            read_units=counted.read_units / count,
            write_units=counted.write_units / count,
            key_requests=_key_requests(counted),
            cpu_seconds=self._cpu_seconds / count,
            wait_seconds=_waits(counted.calls) / count,
            log_bytes=self._log_bytes / count,
            metrics={name: sent / count for name, sent in _metrics(counted).items()},
            table_bytes=sum(map(item_bytes, kept)) / max(1, len(kept)),
            object_bytes=sum(len(body) for body in written if isinstance(body, bytes)) / count,
        )


@contextmanager
def _counting() -> Iterator[_Counting]:
    counting, logger = _Counting(), logging.getLogger("service")
    logger.addHandler(counting)
    try:
        yield counting
    finally:
        logger.removeHandler(counting)


def _key_requests(counted: CountedCalls) -> int:
    """Return the requests to KMS of a piece of work: for each side of the service bucket, and the table."""
    return sum(
        (
            bool(counted.in_bucket("GetObject", _SERVICE_BUCKET)),
            bool(counted.in_bucket("PutObject", _SERVICE_BUCKET)),
            counted.read_units + counted.write_units > 0,
        )
    )


def _waits(calls: Sequence[Call]) -> float:
    """Return the seconds in which answers are awaited: calls that overlap wait together."""
    total, until, longest = 0.0, float("-inf"), 0.0
    for call in sorted(calls, key=lambda each: each.begun):
        wait = LATENCY_MS.get(call.operation, OTHER_LATENCY_MS) / 1000
        if call.begun >= until:
            total, longest, until = total + longest, wait, call.ended
        else:
            longest, until = max(longest, wait), max(until, call.ended)
    return total + longest


def _metrics(counted: CountedCalls) -> Counter[str]:
    """Return how often each metric was sent."""
    return Counter(
        datum["MetricName"]
        for call in counted.calls
        if call.operation == "PutMetricData"
        for datum in call.request["MetricData"]
    )


def _plain(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")
