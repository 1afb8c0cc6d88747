"""What the service costs: calls counted while the deployed code works, at list prices.

    python -m benchmarks.cost [--json FILE]

Functions, alarms and keys are those of the templates. What cannot be counted is assumed, and the output names
each assumption. It ends with the price of a scheduler for a month, with windows of five minutes, one
component and the default alarms; the names of its files are not configured, which is the default too.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

from benchmarks import prices
from benchmarks.usage import HISTORY_DAYS, LATENCY_MS, OTHER_LATENCY_MS, SENSORS, Plant, Usage, plants
from constructs_l4e import AssetStorage, DatasetSchema, EquipmentService, MonitoredAsset, TimeRange
from service.members.durations import seconds

FREQUENCIES = ("PT5M", "PT15M", "PT1H")
COMPONENTS = (1, 10)
FLEETS = (10, 100, 1000)

FULL_CPU_MIB = 1769
"""Memory with which a function has a whole processor.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
COLD = {"PT5M": 0.05, "PT15M": 0.5, "PT1H": 1.0}
"""Share of the wakes that start a function anew, when one scheduler alone keeps it warm."""
START_SECONDS = 0.5
"""What the start of a function takes besides the work of importing, to load code and layer."""
RECONCILE_SECONDS = 0.5
LOG_FRAME_BYTES = 900
"""What Lambda itself logs of an invocation."""
RECORDS_MONTHS = 6
"""How long executions are kept by default."""
OTHER_STATES = 4
"""States of an ingestion and a training besides the reading of each file: plan, map, finish and train."""
TRAINING_REQUESTS = 20
"""Requests to the API for an ingestion and a training: to create, and to ask whether it is done."""

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
    f"storage: {RECORDS_MONTHS} months of executions in the table, a month of results",
    "the uploads of input files are their sender's, and not included",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What the templates of a service and of an asset say; functions by the names of their modules."""

    memory_mib: Mapping[str, int]
    disk_gib: Mapping[str, float]
    alarm_metrics: int
    keys: int


def look_up() -> Deployed:
    """Return what a service and an asset with default alarms are deployed with."""
    app = cdk.App(analytics_reporting=False, context={"aws:cdk:bundling-stacks": []})
    env = cdk.Environment(region=prices.REGION)
    stack, asset = cdk.Stack(app, "Service", env=env), cdk.Stack(app, "Pump1", env=env)
    service, storage = EquipmentService(stack, "Service"), AssetStorage(stack, "Data")
    MonitoredAsset(
        asset,
        "Asset",
        service=service,
        locations=storage.for_asset("Pump1"),
        schema=DatasetSchema.from_sensors({"pump": ["Speed", "Flow"]}),
        training=TimeRange.between("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
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
        alarm_metrics=sum(map(_metrics_of, _resources(of_asset, "AWS::CloudWatch::Alarm"))),
        keys=len(_resources(of_service, "AWS::KMS::Key")),
    )


def _resources(template: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


def _metrics_of(alarm: Mapping[str, Any]) -> int:
    """Return how many metrics an alarm looks at: each is paid for."""
    return sum("MetricStat" in each for each in alarm["Metrics"]) if "Metrics" in alarm else 1


def scheduler_month(deployed: Deployed, usage: Usage, frequency: str) -> dict[str, float]:
    """Return what a scheduler costs in a month, by kind."""
    an_hour = 3600 / seconds(frequency)
    windows = prices.HOURS * an_hour
    work = _work(deployed, usage, "infer", cold=COLD[frequency])
    records = usage.table_bytes * RECORDS_MONTHS * prices.TABLE_BYTE_MONTH
    return {
        "metrics": sum(min(1.0, share * an_hour) for share in usage.metrics.values()) * prices.METRIC,
        "alarms": deployed.alarm_metrics * prices.ALARM_METRIC,
        **{name: cost * windows for name, cost in work.items()},
        "EventBridge Scheduler": windows * prices.SCHEDULE_CALL,
        "storage": windows * (records + usage.object_bytes * prices.S3_BYTE_MONTH),
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
    wake = RECONCILE_SECONDS * _second(deployed, "reconciler") + prices.FUNCTION_REQUEST
    return {
        "key": deployed.keys * prices.KEY,
        "reconciler, every hour": prices.HOURS * (wake + LOG_FRAME_BYTES * prices.LOG_BYTE),
    }


def _work(deployed: Deployed, usage: Usage, function: str, *, cold: float) -> dict[str, float]:
    """Return what a piece of work of a function costs, by kind; a share of them starts it, `cold`."""
    calls = usage.calls
    puts = ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
    busy = usage.cpu_seconds / _processor(deployed, function) + usage.wait_seconds
    start = _import_seconds(f"service.jobs.{function}") / _processor(deployed, function) + START_SECONDS
    return {
        "Lambda": (busy + cold * start) * _second(deployed, function) + prices.FUNCTION_REQUEST,
        "S3 LIST": calls.get("ListObjectsV2", 0) * prices.S3_LIST,
        "S3 GET": (calls.get("GetObject", 0) + calls.get("HeadObject", 0)) * prices.S3_GET,
        "S3 PUT": sum(calls.get(name, 0) for name in puts) * prices.S3_PUT,
        "DynamoDB": usage.read_units * prices.TABLE_READ_UNIT + usage.write_units * prices.TABLE_WRITE_UNIT,
        "KMS": usage.key_requests * prices.KEY_REQUEST,
        "PutMetricData": calls.get("PutMetricData", 0) * prices.PUT_METRIC_DATA,
        "logs": (usage.log_bytes + LOG_FRAME_BYTES) * prices.LOG_BYTE,
    }


def _second(deployed: Deployed, function: str) -> float:
    """Return what a second of a function costs."""
    memory = deployed.memory_mib[function] / 1024 * prices.FUNCTION_GIB_SECOND
    return memory + deployed.disk_gib[function] * prices.DISK_GIB_SECOND


def _processor(deployed: Deployed, function: str) -> float:
    """Return how much of a processor a function has; more than one is of no use here."""
    return min(1.0, deployed.memory_mib[function] / FULL_CPU_MIB)


def _import_seconds(module: str) -> float:
    """Return the processor time that it takes to import a module, in a new process."""
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", f"import time, {module}; print(time.process_time())"],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def measure() -> dict[str, Any]:
    """Return all costs."""
    deployed, schedulers = look_up(), []
    with plants(COMPONENTS) as found:
        for count, plant in found.items():
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
        trainings = {count: training(deployed, plant) for count, plant in found.items()}
    idle = idle_month(deployed)
    asset = _default(schedulers)["usd"] + sum(trainings[1].values())
    return {
        "prices": {"region": prices.REGION, "as of": prices.AS_OF},
        "assumptions": ASSUMPTIONS,
        "deployed": asdict(deployed),
        "schedulers": schedulers,
        "trainings": trainings,
        "idle": idle,
        "fleets": {count: sum(idle.values()) + count * asset for count in FLEETS},
    }


def _default(schedulers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the scheduler with windows of five minutes, one component and no naming."""
    wanted = (1, "PT5M", False)
    return next(
        each for each in schedulers if (each["components"], each["frequency"], each["naming"]) == wanted
    )


def show(found: Mapping[str, Any]) -> None:
    """Print what was measured."""
    print("Assumptions:")
    for each in found["assumptions"]:
        print(f"- {each}")
    for each in found["schedulers"]:
        usage, naming = each["usage"], "a naming" if each["naming"] else "no naming"
        what = f"A scheduler-month, {each['frequency']}, {each['components']} component(s), {naming}"
        _show_costs(what, each["costs"])
        calls = ", ".join(f"{name} {count:.4g}" for name, count in sorted(usage["calls"].items()))
        print(f"  a window: {calls}; units {usage['read_units']:.3g} read, {usage['write_units']:.3g} write;")
        print(f"  {usage['cpu_seconds']:.2f} s processor, {usage['wait_seconds']:.2f} s waits")
    for count, costs in found["trainings"].items():
        _show_costs(f"Ingestion of {HISTORY_DAYS} days and a training, {count} component(s)", costs)
    _show_costs("A month of the service without schedulers", found["idle"])
    print("\nA month of a fleet: the service; for each asset a scheduler (PT5M, 1 component) and a training")
    for count, usd in found["fleets"].items():
        print(f"  {count:>5} assets {usd:>10.2f} USD, {usd / count:.2f} each")
    five = _default(found["schedulers"])["usd"]
    print(f"\n{five:.2f} USD per scheduler-month, five minutes, one component, default alarms")


def _show_costs(title: str, costs: Mapping[str, float]) -> None:
    print(f"\n{title}: {sum(costs.values()):.4f} USD")
    for name, value in sorted(costs.items(), key=lambda item: -item[1]):
        print(f"  {name:<24} {value:.4f}")


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    arguments = parser.parse_args()
    found = measure()
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    show(found)


if __name__ == "__main__":
    main()
