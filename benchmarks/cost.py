"""What the service costs: calls counted while the deployed code works, at list prices.

    python -m benchmarks.cost [--json FILE]

Functions, alarms, keys and schedules are those of the templates. The calls of a window, of an ingestion and
of a training are counted while their entry points work on the embedded AWS, with warm functions and a healthy
machine; what cannot be counted there is assumed, and the output names each assumption. It ends with the price
of a scheduler for a month, with windows of five minutes, one component, the default alarms and no naming.
"""

import argparse
import json
import logging
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

from benchmarks import prices
from constructs_l4e import (
    AssetStorage,
    DatasetSchema,
    EquipmentService,
    InputNaming,
    MonitoredAsset,
    TimeRange,
    TimestampFormat,
)
from service.durations import seconds
from service.names import DATASET, executions_of
from service.store import Item
from tests.embedded import EmbeddedAws, embedded_aws
from tests.service.counted import Call, CountedCalls, counted_calls, item_bytes
from tests.service.jobs.conftest import environment, new_world
from tests.service.jobs.world import World, at, rows, schema

SENSORS = 8
"""Sensors of a component; each has a value a minute."""
HISTORY_DAYS = 15
FREQUENCIES = ("PT5M", "PT15M", "PT1H")
COMPONENTS = (1, 10)
FLEETS = (10, 100, 1000)
FIRST = datetime(2026, 1, 5, 8, tzinfo=UTC)
COUNTED_WINDOWS = 12
"""An hour of windows of five minutes; the same number of the longer ones."""
SETTLE = 4
"""Windows before those that are counted: the first ones have no earlier rows, and say so."""

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
FULL_CPU_MIB = 1769
"""Memory with which a function has a whole processor.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
COLD = {"PT5M": 0.05, "PT15M": 0.5, "PT1H": 1.0}
"""Share of the wakes that start a function anew, when one scheduler alone keeps it warm."""
START_SECONDS = 0.5
"""What the start of a function takes besides the work of importing, to load code and layer."""
OTHER_STATES = 4
"""States of an ingestion and a training besides the reading of each file: plan, map, finish and train."""
TRAINING_REQUESTS = 20
"""Requests to the API for an ingestion and a training: to create, and to ask whether it is done."""
LOG_FRAME_BYTES = 900
"""What Lambda itself logs of an invocation."""
LOG_LINE_BYTES = 250
"""What Lambda and CloudWatch add to a line of ours."""

ASSUMPTIONS = (
    f"list prices of {prices.REGION}, {prices.AS_OF}, without free tiers; a month has {prices.HOURS} hours",
    f"{SENSORS} sensors in a component, a row a minute, one file for each component and window",
    "a healthy machine: a metric of what went wrong costs 0.30 USD / 730 for each hour in which it is sent",
    f"Lambda: processor time as measured here, at memory / {FULL_CPU_MIB} MiB of a processor, plus waits of "
    + ", ".join(f"{name} {value} ms" for name, value in LATENCY_MS.items())
    + f", others {OTHER_LATENCY_MS} ms; calls that overlap wait together",
    "cold starts of a lone scheduler: "
    + ", ".join(f"{share:.0%} with {name}" for name, share in COLD.items())
    + f"; each takes the processor time of the imports and {START_SECONDS} s",
    "KMS: in a window, S3 asks once to read and once to write with a bucket key, DynamoDB once",
    "customer data is in a bucket with S3's own key, as AssetStorage makes it by default",
    "storage: what a month adds, kept for a month; the sender's uploads of input files are not included",
    "executions are kept for half a year, so after half a year the table holds six months of them",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What the templates say."""

    memory_mib: Mapping[str, int]
    disk_gib: Mapping[str, float]
    alarm_metrics: int
    keys: int
    service_alarms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one piece of work needed; `seconds` is how long the function worked, waits included."""

    calls: Mapping[str, float]
    read_units: float
    write_units: float
    key_requests: float
    seconds: float
    cpu_seconds: float
    log_bytes: float
    metrics: Mapping[str, float]
    table_bytes: float
    object_bytes: float


def look_up() -> Deployed:
    """Return what a service and an asset with default alarms are deployed with."""
    app = cdk.App(analytics_reporting=False, context={"aws:cdk:bundling-stacks": []})
    stack = cdk.Stack(app, "Service", env=cdk.Environment(region="us-east-1"))
    service, storage = EquipmentService(stack, "Service"), AssetStorage(stack, "Data")
    asset = cdk.Stack(app, "Pump1", env=cdk.Environment(region="us-east-1"))
    MonitoredAsset(
        asset,
        "Asset",
        service=service,
        locations=storage.for_asset("Pump1"),
        schema=DatasetSchema.from_sensors({"pump": ["Speed", "Flow"]}),
        training=TimeRange.between("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        input_naming=InputNaming(timestamp_format=TimestampFormat.COMPACT, delimiter="_"),
    )
    of_service, of_asset = (Template.from_stack(each).to_json() for each in (stack, asset))
    functions = {
        found["Handler"].split(".")[-2]: found for found in _resources(of_service, "AWS::Lambda::Function")
    }
    return Deployed(
        memory_mib={name: found.get("MemorySize", 128) for name, found in functions.items()},
        disk_gib={
            name: found.get("EphemeralStorage", {"Size": 512})["Size"] / 1024 - 0.5
            for name, found in functions.items()
        },
        alarm_metrics=_alarm_metrics(of_asset),
        keys=len(_resources(of_service, "AWS::KMS::Key")),
        service_alarms=_alarm_metrics(of_service),
    )


def _resources(template: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


def _alarm_metrics(template: Mapping[str, Any]) -> int:
    """Return how many metrics the alarms of a template look at: each is paid for."""
    alarms = _resources(template, "AWS::CloudWatch::Alarm")
    return sum(
        sum("MetricStat" in each for each in alarm["Metrics"]) if "Metrics" in alarm else 1
        for alarm in alarms
    )


class Plant:
    """A customer with some components, and a model of them."""

    def __init__(self, aws: EmbeddedAws, components: int, deployed: Deployed) -> None:
        self._deployed = deployed
        self._world = new_world(aws)
        self._names = [f"component-{number:02d}" for number in range(1, components + 1)]
        self.files = components
        self._text = schema(**{name: [f"sensor-{at:02d}" for at in range(SENSORS)] for name in self._names})
        self._random = random.Random(components)  # noqa: S311 - data of a benchmark
        start = datetime(2025, 12, 1, tzinfo=UTC)
        for name in self._names:
            self._world.upload(f"history/{name}/data.csv", self._rows(start, HISTORY_DAYS * 1440))
        dataset = self._world.dataset(self._text)
        self.ingestion = self._counted(
            "ingest", lambda: self._world.ingest(dataset, prefix="history/"), windows=1
        )
        dataset = self._world.get(DATASET, dataset["DatasetName"])
        made: list[Item] = []
        self.training = self._counted("train", lambda: made.append(self._trained(dataset)), windows=1)
        self._model = made[0]

    def windows(self, frequency: str, *, named: bool) -> Usage:
        """Return what a window needs: the mean of an hour of windows, after a few that are not counted."""
        world, length = self._world, timedelta(seconds=seconds(frequency))
        prefix = f"plant-1/{frequency}-{named}/"
        naming = {"TimestampFormat": "yyyyMMddHHmmss", "ComponentTimestampDelimiter": "_"}
        name = (
            f"Pump{len(self._names)}-Asset-Scheduler-{'named' if named else 'unnamed'}-{frequency}-A1B2C3D4"
        )
        scheduler = world.scheduler(
            self._model,
            first_end=(FIRST + length).replace(tzinfo=None).isoformat(),
            DataUploadFrequency=frequency,
            InferenceSchedulerName=name,
            DataInputConfiguration={
                "S3InputConfiguration": {"Bucket": world.bucket, "Prefix": f"{prefix}inference-input/"},
                **({"InferenceInputNameConfiguration": naming} if named else {}),
            },
            DataOutputConfiguration={
                "S3OutputConfiguration": {"Bucket": world.bucket, "Prefix": f"{prefix}inference-output/"}
            },
        )
        start = FIRST

        def work(count: int) -> None:
            nonlocal start
            for _ in range(count):
                for component in self._names:
                    key = f"{prefix}inference-input/{component}_{start:%Y%m%d%H%M%S}.csv"
                    world.upload(key, self._rows(start + timedelta(minutes=1), int(length.seconds / 60)))
                start += length
                world.set_clock((start + timedelta(seconds=20)).replace(tzinfo=None).isoformat())
                (status,) = world.tick(scheduler).values()
                assert status == "SUCCESS", world.executions(scheduler)[-1]

        work(SETTLE)
        return self._counted(
            "infer", lambda: work(COUNTED_WINDOWS), windows=COUNTED_WINDOWS, executions=scheduler
        )

    def _rows(self, start: datetime, count: int) -> str:
        header = ["Timestamp", *(f"sensor-{at:02d}" for at in range(SENSORS))]
        lines = []
        for at_row in range(count):
            load = 100 + 20 * self._random.random()
            values = [f"{load * (1 + at) + self._random.gauss(0, 1):.3f}" for at in range(SENSORS)]
            moment = start + timedelta(minutes=at_row)
            lines.append([moment.replace(tzinfo=None).isoformat(timespec="microseconds"), *values])
        return rows(header, lines)

    def _trained(self, dataset: Item) -> Item:
        model = self._world.model(
            dataset,
            self._text,
            TrainingDataStartTime=at("2025-12-01"),
            TrainingDataEndTime=at("2026-01-01"),
            DataPreProcessingConfiguration={"TargetSamplingRate": "PT1M"},
        )
        assert model["Status"] == "SUCCESS", model.get("FailedReason")
        return model

    def _counted(
        self, function: str, work: Callable[[], object], *, windows: int, executions: Item | None = None
    ) -> Usage:
        memory = self._deployed.memory_mib[function]
        with counted_calls() as counted, _log_bytes() as logged:
            begun = time.process_time()
            work()
            cpu = time.process_time() - begun
        of_service = _of_the_service(counted, work_bucket=self._world.bucket)
        share = min(1.0, memory / FULL_CPU_MIB)
        kept = [] if executions is None else _raw_items(self._world, executions)
        return Usage(
            calls={name: count / windows for name, count in of_service.by_operation().items()},
            read_units=of_service.read_units / windows,
            write_units=of_service.write_units / windows,
            key_requests=_key_requests(of_service, windows),
            seconds=(cpu / share + _waits(of_service.calls)) / windows,
            cpu_seconds=cpu / windows,
            log_bytes=logged[0] / windows,
            metrics={name: count / windows for name, count in _metrics(of_service).items()},
            table_bytes=sum(map(item_bytes, kept)) / max(1, len(kept)),
            object_bytes=sum(
                len(call.request.get("Body", b""))
                for call in of_service.calls
                if call.operation == "PutObject" and isinstance(call.request.get("Body"), bytes)
            )
            / windows,
        )


def _of_the_service(counted: CountedCalls, *, work_bucket: str) -> CountedCalls:
    """Return the calls without those that only play the customer: uploads of files."""
    return CountedCalls(
        [
            call
            for call in counted.calls
            if not (
                call.operation == "PutObject"
                and call.request["Bucket"] == work_bucket
                and call.request["Key"].endswith(".csv")
            )
        ]
    )


def _key_requests(counted: CountedCalls, windows: int) -> float:
    """Return the requests to KMS: once for each side of the service bucket, and for the table."""
    names = counted.by_operation()
    sides = (
        bool(counted.in_bucket("GetObject", "service")),
        bool(counted.in_bucket("PutObject", "service")),
        names["GetItem"] + names["TransactWriteItems"] > 0,
    )
    return float(sum(sides)) if windows else 0.0


def _waits(calls: Sequence[Call]) -> float:
    """Return the seconds that a function waits for answers: calls that overlap wait together."""
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


def _raw_items(world: World, scheduler: Item) -> list[Mapping[str, Any]]:
    answer = world.runtime.store.client.query(
        TableName=world.runtime.store.table,
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": executions_of(scheduler["uuid"])}},
    )
    return list(answer["Items"])


@contextmanager
def _log_bytes() -> Iterator[list[int]]:
    """Count the bytes of the lines that are logged in the block."""
    logged = [0]

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged[0] += len(record.getMessage().encode()) + LOG_LINE_BYTES

    handler, logger = Handler(), logging.getLogger("service")
    logger.addHandler(handler)
    try:
        yield logged
    finally:
        logger.removeHandler(handler)


def _start_seconds(module: str, memory_mib: int) -> float:
    """Return how long a function of this memory takes to start: its imports, in a new process."""
    code = f"import time, {module}; print(time.process_time())"
    path = [*sys.path, "lambdas"]
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {code}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout) / min(1.0, memory_mib / FULL_CPU_MIB) + START_SECONDS


def _function(deployed: Deployed, usage: Usage, function: str, *, cold: float) -> float:
    memory = deployed.memory_mib[function]
    busy = usage.seconds + cold * _start_seconds(f"service.jobs.{function}", memory)
    gib = memory / 1024 * prices.FUNCTION_GIB_SECOND + deployed.disk_gib[function] * prices.DISK_GIB_SECOND
    return busy * gib + prices.FUNCTION_REQUEST


def _work(deployed: Deployed, usage: Usage, function: str, *, cold: float) -> dict[str, float]:
    """Return what one piece of work costs, by kind."""
    calls = usage.calls
    return {
        "Lambda": _function(deployed, usage, function, cold=cold),
        "S3 LIST": calls.get("ListObjectsV2", 0) * prices.S3_LIST,
        "S3 GET": (calls.get("GetObject", 0) + calls.get("HeadObject", 0)) * prices.S3_GET,
        "S3 PUT": sum(
            calls.get(name, 0)
            for name in ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
        )
        * prices.S3_PUT,
        "DynamoDB": usage.read_units * prices.TABLE_READ_UNIT + usage.write_units * prices.TABLE_WRITE_UNIT,
        "KMS": usage.key_requests * prices.KEY_REQUEST,
        "PutMetricData": calls.get("PutMetricData", 0) * prices.PUT_METRIC_DATA,
        "logs": (usage.log_bytes + LOG_FRAME_BYTES) * prices.LOG_BYTE,
    }


def scheduler_month(deployed: Deployed, usage: Usage, frequency: str) -> dict[str, float]:
    """Return what a scheduler costs in a month, by kind."""
    windows = prices.HOURS * 3600 / seconds(frequency)
    per_hour = 3600 / seconds(frequency)
    metrics = sum(min(1.0, share * per_hour) for share in usage.metrics.values())
    costs = {
        name: value * windows for name, value in _work(deployed, usage, "infer", cold=COLD[frequency]).items()
    }
    return {
        "metrics": metrics * prices.METRIC,
        "alarms": deployed.alarm_metrics * prices.ALARM_METRIC,
        **costs,
        "EventBridge Scheduler": windows * prices.SCHEDULE_CALL,
        "storage": windows
        * (usage.table_bytes * 6 * prices.TABLE_BYTE_MONTH + usage.object_bytes * prices.S3_BYTE_MONTH),
    }


def training(deployed: Deployed, plant: Plant) -> dict[str, float]:
    """Return what it costs to ingest a history and train a model once, by kind."""
    ingestion = _work(deployed, plant.ingestion, "ingest", cold=1.0)
    learning = _work(deployed, plant.training, "train", cold=1.0)
    return {
        **{name: ingestion[name] + learning[name] for name in ingestion},
        "Step Functions": (OTHER_STATES + plant.files) * prices.STATE_TRANSITION,
        "API Gateway": TRAINING_REQUESTS * prices.API_REQUEST,
    }


def idle_month(deployed: Deployed) -> dict[str, float]:
    """Return what a service without schedulers costs in a month, by kind."""
    memory = deployed.memory_mib["reconciler"]
    wake = 0.5 * memory / 1024 * prices.FUNCTION_GIB_SECOND + prices.FUNCTION_REQUEST
    return {
        "key": deployed.keys * prices.KEY,
        "alarms": deployed.service_alarms * prices.ALARM_METRIC,
        "reconciler, every hour": prices.HOURS * (wake + LOG_FRAME_BYTES * prices.LOG_BYTE),
    }


@contextmanager
def _plants(deployed: Deployed) -> Iterator[dict[int, Plant]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_aws(Path(folder)) as aws,
        environment(aws),
    ):
        aws.create_table("l4e")
        aws.create_bucket("service")
        nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
        aws.client("iam").create_role(
            RoleName="data", Path="/lookoutequipment/", AssumeRolePolicyDocument=nobody
        )
        yield {count: Plant(aws, count, deployed) for count in COMPONENTS}


def _show(title: str, costs: Mapping[str, float]) -> None:
    print(f"\n{title}: {sum(costs.values()):.4f} USD")
    for name, value in sorted(costs.items(), key=lambda item: -item[1]):
        print(f"  {name:<24} {value:.4f}")


def measure() -> dict[str, Any]:
    """Return all costs."""
    deployed = look_up()
    schedulers = []
    with _plants(deployed) as plants:
        for count, plant in plants.items():
            for frequency in FREQUENCIES:
                for named in (True, False):
                    usage = plant.windows(frequency, named=named)
                    costs = scheduler_month(deployed, usage, frequency)
                    schedulers.append(
                        {
                            "components": count,
                            "frequency": frequency,
                            "naming": named,
                            "usd": sum(costs.values()),
                            "costs": costs,
                            "usage": asdict(usage),
                        }
                    )
        trainings = {count: training(deployed, plant) for count, plant in plants.items()}
    idle = idle_month(deployed)
    month = _scheduler(schedulers, 1, "PT5M", naming=False)["usd"]
    train = sum(trainings[1].values())
    return {
        "prices": {"region": prices.REGION, "as of": prices.AS_OF},
        "assumptions": ASSUMPTIONS,
        "deployed": asdict(deployed),
        "schedulers": schedulers,
        "trainings": trainings,
        "idle": idle,
        "fleets": {count: sum(idle.values()) + count * (month + train) for count in FLEETS},
    }


def _scheduler(
    found: Sequence[dict[str, Any]], components: int, frequency: str, *, naming: bool
) -> dict[str, Any]:
    return next(
        each
        for each in found
        if (each["components"], each["frequency"], each["naming"]) == (components, frequency, naming)
    )


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    arguments = parser.parse_args()
    found = measure()
    print("Assumptions:")
    for each in ASSUMPTIONS:
        print(f"- {each}")
    for each in found["schedulers"]:
        naming = "with" if each["naming"] else "without"
        _show(
            f"A scheduler-month, {each['frequency']}, {each['components']} component(s), {naming} naming",
            each["costs"],
        )
        usage = each["usage"]
        calls = ", ".join(f"{name} {count:.4g}" for name, count in sorted(usage["calls"].items()))
        print(f"  a window: {calls}; units {usage['read_units']:.3g} read, {usage['write_units']:.3g} write")
        print(f"  a window: {usage['seconds']:.2f} s, of which {usage['cpu_seconds']:.2f} s processor")
    for count, costs in found["trainings"].items():
        _show(f"Ingestion of {HISTORY_DAYS} days and a training, {count} component(s)", costs)
    _show("A month of the service without schedulers", found["idle"])
    print(
        "\nA month of a fleet: the service, and for each asset a scheduler (PT5M, 1 component) and a training"
    )
    for count, usd in found["fleets"].items():
        print(f"  {count:>5} assets {usd:>10.2f} USD, {usd / count:.2f} each")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    five = _scheduler(found["schedulers"], 1, "PT5M", naming=False)["usd"]
    print(f"\n{five:.2f} USD per scheduler-month, five minutes, one component, default alarms")


if __name__ == "__main__":
    main()
