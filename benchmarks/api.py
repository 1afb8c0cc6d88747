"""What each operation of the API takes, beside a Lambda function that does nothing behind the same gateway.

    python -m benchmarks.api [--json FILE] [--stored 100,10000] [--calls 25]

The API function and one that answers `{}` run in the embedded AWS, behind one REST API, and are called in
turn. That is done with few stored resources, as the embedded AWS sorts a whole partition for each query.

The same requests then run in this process on a table in memory, once for each number of stored resources: so
many datasets, ingestion jobs, models, label groups and schedulers of both kinds, and so many labels of one
group, and executions and events of one scheduler. What is counted are the processor time, the calls to
DynamoDB, and what it bills. Limits are so high that none is reached; those of jobs are checked all the same.
"""

import argparse
import io
import json
import math
import statistics
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.clock import iso_seconds, timestamp
from service.requests.service_model import service_model
from service.settings import Environment
from service.storage.indexes import SETTLED, creation, swept
from service.storage.names import (
    labels_of,
    new_job_id,
    new_label_id,
    new_uuid,
    version_arn,
    version_key,
    versions_of,
)
from service.storage.store import Create, Item, Put, _encoded
from tests.aws_limits import item_bytes
from tests.embedded import REGION, EmbeddedAws, embedded_aws
from tests.service.api.conftest import ROLE, Service
from tests.service.api.in_process import NOON, VARIABLES, in_process, others
from tests.service.api.operation_cases import SHARED, inferred, label, retrained, retraining
from tests.service.memory import Table, in_memory

LAMBDAS = Path(__file__).parents[1] / "lambdas"
MODEL_FILE = LAMBDAS / "botocore_data/lookoutequipment/2020-12-15/service-2.json"
STAGE, BARE = "v1", "bare"
BARE_CODE = """import sys

def handler(event, context):
    print("called", file=sys.stderr, flush=True)  # else the embedded AWS waits 40 ms for a log
    return {"statusCode": 200, "body": "{}"}
"""
UNLIMITED = {
    **dict.fromkeys(("datasets", "models", "label_groups", "labels_per_group")),
    **dict.fromkeys(
        (
            "inference_schedulers_per_model",
            "pending_dataset_imports",
            "pending_ingestion_jobs",
            "pending_model_imports",
            "pending_models",
        ),
        1_000_000,
    ),
}
STORED, CALLS = (100, 10_000), 25
READ_UNIT, WRITE_UNIT = 4096, 1024
"""Bytes of an item that a unit reads or writes.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"""
BATCH = 25
"""Items that a request to DynamoDB may write."""

SHOWN_BY_MODEL = ("RetrainingSchedulerStatus", "NextScheduledRetrainingStartDate")
"""What a model has of its retraining scheduler."""

NEW, CLONE = "new-{number}", "clone-{number:05}"
"""Names that are made anew for each call, and those of resources that were stored beforehand."""

PUMP, WEAR, WATCH = {"DatasetName": "pump"}, {"ModelName": "wear"}, {"InferenceSchedulerName": "watch"}
NEW_WATCH, NEW_GROUP = {"InferenceSchedulerName": NEW}, {"LabelGroupName": NEW}
FAULTS, CLONED = {"LabelGroupName": "faults"}, {"ModelName": CLONE}
SOURCE = {"S3InputConfiguration": {"Bucket": "customer"}}
TARGET = {"S3OutputConfiguration": {"Bucket": "customer"}}
WEEK = {"IntervalStartTime": NOON.timestamp(), "IntervalEndTime": (NOON + timedelta(days=7)).timestamp()}
ARN = {"ResourceArn": "{dataset}"}
POLICY = SHARED.replace("{", "{{").replace("}", "}}")
COLUMNS = [{"Name": "Timestamp", "Type": "DATETIME"}, {"Name": "flow", "Type": "DOUBLE"}]
DAY = {"StartTime": NOON.timestamp(), "EndTime": (NOON + timedelta(days=1)).timestamp()}
SCHEMA = {"InlineDataSchema": json.dumps({"Components": [{"ComponentName": "pump", "Columns": COLUMNS}]})}

REQUESTS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("DescribeDataset", PUMP),
    ("ListDatasets", {}),
    ("ListDatasets, by prefix", {"DatasetNameBeginsWith": "clone-0"}),
    ("DescribeDataIngestionJob", {"JobId": "{job}"}),
    ("ListDataIngestionJobs", {}),
    ("ListDataIngestionJobs, of a dataset", PUMP),
    ("ListSensorStatistics", PUMP),
    ("DescribeModel", WEAR),
    ("ListModels", {}),
    ("DescribeModelVersion", {**WEAR, "ModelVersion": 1}),
    ("ListModelVersions", WEAR),
    ("UpdateActiveModelVersion", {**WEAR, "ModelVersion": 2}),
    ("DescribeInferenceScheduler", WATCH),
    ("ListInferenceSchedulers", {}),
    ("ListInferenceSchedulers, of a model", WEAR),
    ("ListInferenceExecutions", WATCH),
    ("ListInferenceEvents, of a week", {**WATCH, **WEEK}),
    ("ListTagsForResource", ARN),
    ("TagResource", {**ARN, "Tags": [{"Key": "site", "Value": "north"}]}),
    ("UntagResource", {**ARN, "TagKeys": ["site"]}),
    ("CreateDataset", {"DatasetName": NEW, "DatasetSchema": SCHEMA}),
    ("StartDataIngestionJob", {"DatasetName": NEW, "RoleArn": ROLE, "IngestionInputConfiguration": SOURCE}),
    ("ImportDataset", {"SourceDatasetArn": "{dataset}", "DatasetName": "import-{number}"}),
    ("PutResourcePolicy", {**ARN, "ResourcePolicy": POLICY}),
    ("DescribeResourcePolicy", ARN),
    ("DeleteResourcePolicy", ARN),
    ("DeleteDataset", {"DatasetName": CLONE}),
    ("CreateLabelGroup", {**NEW_GROUP, "FaultCodes": ["leak"]}),
    ("DescribeLabelGroup", FAULTS),
    ("ListLabelGroups", {}),
    ("UpdateLabelGroup", {**NEW_GROUP, "FaultCodes": ["leak", "wear"]}),
    ("CreateLabel", {**NEW_GROUP, **DAY, "Rating": "ANOMALY", "FaultCode": "leak"}),
    ("DescribeLabel", {**NEW_GROUP, "LabelId": "{label}"}),
    ("ListLabels", FAULTS),
    ("DeleteLabel", {**NEW_GROUP, "LabelId": "{label}"}),
    ("DeleteLabelGroup", NEW_GROUP),
    ("CreateModel", {"ModelName": NEW, **PUMP}),
    ("UpdateModel", WEAR),
    ("ImportModelVersion", {"SourceModelVersionArn": "{version}", "ModelName": "import-{number}", **PUMP}),
    ("CreateRetrainingScheduler", {**CLONED, "RetrainingFrequency": "P1M", "LookbackWindow": "P180D"}),
    ("DescribeRetrainingScheduler", CLONED),
    ("ListRetrainingSchedulers", {}),
    ("UpdateRetrainingScheduler", {**CLONED, "LookbackWindow": "P360D"}),
    ("StopRetrainingScheduler", CLONED),
    ("StartRetrainingScheduler", CLONED),
    ("StopRetrainingScheduler", CLONED),
    ("DeleteRetrainingScheduler", CLONED),
    ("DeleteModel", CLONED),
    (
        "CreateInferenceScheduler",
        {
            **NEW_WATCH,
            **WEAR,
            "DataUploadFrequency": "PT5M",
            "DataInputConfiguration": SOURCE,
            "DataOutputConfiguration": TARGET,
            "RoleArn": ROLE,
        },
    ),
    ("UpdateInferenceScheduler", {**NEW_WATCH, "DataDelayOffsetInMinutes": 3}),
    ("StopInferenceScheduler", NEW_WATCH),
    ("StartInferenceScheduler", NEW_WATCH),
    ("StopInferenceScheduler", NEW_WATCH),
    ("DeleteInferenceScheduler", NEW_WATCH),
)
"""What is measured, in this order; behind a comma the kind of request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """A request through the gateway, and the function that does nothing."""

    milliseconds: float
    bare_milliseconds: float

    @property
    def times_bare(self) -> float:
        """How much longer the request takes."""
        return self.milliseconds / self.bare_milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a request needs with so many stored resources."""

    stored: int
    processor_milliseconds: float
    calls: int
    read_units: int
    write_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The functions behind their gateway, and the service with the same engines in this process."""

    url: str
    service: Service

    def call(self, path: str, name: str, body: Mapping[str, Any]) -> float:
        """Return the milliseconds of a call through the gateway."""
        target = f"{service_model().metadata['targetPrefix']}.{operation(name)}"
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
        place = urlsplit(f"{self.url}/{path}")
        begun = time.perf_counter()
        # A connection for each call: kept ones wait up to 40 ms for delayed acknowledgements, now and then.
        with closing(HTTPConnection(place.hostname or "", place.port)) as connection:
            connection.request("POST", place.path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        milliseconds = 1000 * (time.perf_counter() - begun)
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"{name} with {body} was answered {answer.status}: {text!r}")
        return milliseconds


def body_of(service: Service, name: str, request: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return the body of the request with this number."""
    records = service.context.records
    dataset, model = records.dataset("pump"), records.model("wear")
    group = records.label_group(NEW.format(number=number))
    assert dataset is not None
    assert model is not None
    known = {
        "number": number,
        "dataset": dataset["DatasetArn"],
        "job": dataset["ingestionJobId"],
        "version": version_arn(model["ModelArn"], 1),
        "label": next((each["LabelId"] for each in records.labels(group["uuid"])), None) if group else None,
    }
    found = {
        member: value.format_map(known) if isinstance(value, str) else value
        for member, value in request.items()
    }
    shape = service_model().operation_model(operation(name)).input_shape
    assert shape is not None
    return found | ({"ClientToken": new_uuid()} if "ClientToken" in shape.members else {})


def operation(name: str) -> str:
    """Return the operation of a kind of request."""
    return name.partition(",")[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--stored", default=",".join(map(str, STORED)), help="numbers of stored resources")
    parser.add_argument("--calls", type=int, default=CALLS, help="calls of each request")
    options = parser.parse_args(arguments)
    numbers = [int(each) for each in options.stored.split(",")]
    with tempfile.TemporaryDirectory() as folder, embedded_aws(Path(folder)) as aws:
        deployment = deployed(aws, "service")
        fill(deployment.service, min(numbers))
        latencies = measured(deployment, calls=options.calls)
    costs = {each: counted(each) for each in numbers}
    print(table(latencies, costs))
    if options.json:
        found = {
            "latency": {name: _shown(each) for name, each in latencies.items()},
            "cost": [asdict(each) | {"request": name} for of in costs.values() for name, each in of.items()],
        }
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _shown(latency: Latency) -> dict[str, float]:
    return {**asdict(latency), "times_bare": latency.times_bare}


# Deploying


def deployed(aws: EmbeddedAws, name: str) -> Deployment:
    """Deploy the API function and the bare one behind a REST API."""
    aws.create_table(name)
    aws.create_bucket(name)
    machines = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}})
    arns = [
        machines.create_state_machine(name=f"{name}-{each}", definition=definition, roleArn=ROLE)[
            "stateMachineArn"
        ]
        for each in ("ingest", "train")
    ]
    aws.client("scheduler").create_schedule_group(Name=name)
    variables = {
        **VARIABLES,
        "L4E_TABLE": name,
        "L4E_BUCKET": name,
        "L4E_INGEST_STATE_MACHINE": arns[0],
        "L4E_TRAIN_STATE_MACHINE": arns[1],
        "L4E_SCHEDULE_GROUP": name,
        "L4E_SETTINGS": json.dumps(UNLIMITED),
    }
    rest = aws.client("apigateway")
    api = rest.create_rest_api(name=name)["id"]
    [root] = rest.get_resources(restApiId=api)["items"]
    bare = rest.create_resource(restApiId=api, parentId=root["id"], pathPart=BARE)
    for resource, handler, code in ((root, "service.api.handler", None), (bare, "bare.handler", BARE_CODE)):
        function = _function(aws, f"{name}-{handler.split('.')[0]}", handler, _zipped(code), variables)
        method = {"restApiId": api, "resourceId": resource["id"], "httpMethod": "POST"}
        rest.put_method(**method, authorizationType="NONE")
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
        rest.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    rest.create_deployment(restApiId=api, stageName=STAGE)

    engines: dict[str, Any] = {each: others()(each) for each in ("kms", "lambda")}
    service = in_process(
        Environment.read(variables), cache(lambda each: engines.get(each) or aws.client(each))
    )
    return Deployment(url=f"{aws.endpoint}/restapis/{api}/{STAGE}/_user_request_", service=service)


def _function(aws: EmbeddedAws, name: str, handler: str, code: bytes, variables: Mapping[str, str]) -> str:
    arn: str = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Role=ROLE,
        Handler=handler,
        Code={"ZipFile": code},
        Timeout=29,
        MemorySize=1024,
        Environment={"Variables": dict(variables)},
    )["FunctionArn"]
    return arn


def _zipped(code: str | None) -> bytes:
    """Return the code of a function: this text or, for None, the service."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        if code is not None:
            archive.writestr("bare.py", code)
        else:
            for path in (*sorted((LAMBDAS / "service").rglob("*.py")), MODEL_FILE):
                archive.write(path, path.relative_to(LAMBDAS))
    return packed.getvalue()


# Filling


def fill(service: Service, stored: int) -> None:
    """Store so many resources of each kind, beside the ones that are asked for."""
    with redirect_stdout(io.StringIO()):  # the audit records of the few calls
        retrained(service)
        retraining(service)
        inferred(service)
        label(service)
    client, table = service.context.client("dynamodb"), service.context.environment.table
    clones = list(_clones(service, stored))
    if isinstance(client, CountedTable):
        client.items |= {(each["pk"]["S"], each["sk"]["S"]): each for each in clones}
        return
    for start in range(0, len(clones), BATCH):
        puts = [{"PutRequest": {"Item": each}} for each in clones[start : start + BATCH]]
        client.batch_write_item(RequestItems={table: puts})


def _clones(service: Service, stored: int) -> Iterator[Item]:
    """Yield records like those that are there, with names, times and uuids of their own."""
    records = service.context.records
    dataset, model, scheduler = records.dataset("pump"), records.model("wear"), records.scheduler("watch")
    assert dataset is not None
    assert model is not None
    assert scheduler is not None
    plan, group = records.retraining_scheduler("wear"), records.label_group("faults")
    assert group is not None
    one_label = next(iter(records.labels(group["uuid"])))
    began = service.context.timestamp()
    yield _encoded(swept(swept(None, began - SETTLED), began))
    job = records.ingestion_job(dataset["ingestionJobId"])
    version = records.version(model["uuid"], 1)
    execution = next(iter(records.executions(scheduler["uuid"], between=("0", "9"))))
    event = next(iter(records.events(scheduler["uuid"], between=("0", "9"))))
    for number in range(stored):
        name = CLONE.format(number=number)
        uuid, later = new_uuid(), NOON + timedelta(hours=1, minutes=5 * number)
        sk = iso_seconds(later.timestamp())
        job_id = new_job_id(later)
        of_dataset = {"DatasetName": name, "datasetUuid": uuid}
        of_model = {
            "uuid": uuid,
            "ModelName": name,
            "ModelArn": _arn(model["ModelArn"], name, uuid),
        }
        for record in (
            {
                **dataset,
                "sk": name,
                "uuid": uuid,
                "DatasetName": name,
                "DatasetArn": _arn(dataset["DatasetArn"], name, uuid),
            },
            {**(job or {}), **of_dataset, "sk": job_id, "JobId": job_id},
            {**model, **of_dataset, **of_model, "sk": name, **dict.fromkeys(SHOWN_BY_MODEL)},
            {**(version or {}), **of_model, "pk": versions_of(uuid), "sk": version_key(1)},
            {
                **scheduler,
                "sk": name,
                "uuid": uuid,
                "modelUuid": new_uuid(),
                "InferenceSchedulerName": name,
                "InferenceSchedulerArn": _arn(scheduler["InferenceSchedulerArn"], name, uuid),
                "ModelName": name,
            },
            {**execution, "sk": sk, "DataStartTime": later, "DataEndTime": later + timedelta(minutes=5)},
            {**event, "sk": sk, "EventStartTime": later, "EventEndTime": later},
            {**(plan or {}), "sk": f"plan-{name}", "ModelName": f"plan-{name}", "uuid": uuid},
            {**group, "sk": name, "LabelGroupName": name, "uuid": uuid},
            {**one_label, "pk": labels_of(group["uuid"]), "sk": new_label_id(timestamp(later))},
        ):
            without_flag = {name: value for name, value in record.items() if name != "indexed"}
            for write in creation(without_flag):
                assert isinstance(write, Create | Put)
                yield _encoded(write.item)


def _arn(arn: str, name: str, uuid: str) -> str:
    return f"{arn.split('/', 1)[0]}/{name}/{uuid}"


# Measuring


def measured(deployment: Deployment, *, calls: int) -> dict[str, Latency]:
    """Return what each request takes through the gateway, called in turns with the bare function."""
    milliseconds: dict[str, list[float]] = defaultdict(list)
    for number in range(calls + 1):
        for name, request in REQUESTS:
            found = deployment.call("", name, body_of(deployment.service, name, request, number))
            bare = deployment.call(BARE, name, {})
            if number:  # the first one starts the functions
                milliseconds[name].append(found)
                milliseconds[BARE].append(bare)
    bare = typical(milliseconds.pop(BARE))
    return {
        name: Latency(milliseconds=typical(each), bare_milliseconds=bare)
        for name, each in milliseconds.items()
    }


def typical(milliseconds: Sequence[float]) -> float:
    """Return what a quarter of the calls stay below: others waited for work that is not theirs."""
    return statistics.quantiles(milliseconds, n=4)[0]


@dataclass
class CountedTable(Table):
    """A table in memory that counts its calls, and the units that DynamoDB would bill."""

    calls: int = 0
    read_units: int = 0
    write_units: int = 0

    def get_item(self, **request: Any) -> Item:
        """Return an item."""
        answer = super().get_item(**request)
        self.calls += 1
        self.read_units += _units(item_bytes(answer.get("Item", {})), READ_UNIT)
        return answer

    def batch_get_item(self, **request: Any) -> Item:
        """Return items; each is billed by itself."""
        answer = super().batch_get_item(**request)
        self.calls += 1
        ((_, found),) = answer["Responses"].items()
        self.read_units += max(1, sum(_units(item_bytes(item), READ_UNIT) for item in found))
        return answer

    def query(self, **request: Any) -> Item:
        """Return a page; what is left out of it was read too."""
        kept = request.pop("FilterExpression", None)
        read = super().query(**request)
        self.calls += 1
        self.read_units += _units(sum(item_bytes(item) for item in read["Items"]), READ_UNIT)
        return read if kept is None else super().query(**request, FilterExpression=kept)

    def update_item(self, **request: Any) -> Item:
        """Change an item."""
        answer = super().update_item(**request)
        self.calls += 1
        self.write_units += _units(item_bytes(answer["Attributes"]), WRITE_UNIT)
        return answer

    def transact_write_items(self, **request: Any) -> Item:
        """Do all writes; each is billed twice."""
        answer = super().transact_write_items(**request)
        self.calls += 1
        for one in request["TransactItems"]:
            [write] = one.values()
            key = write.get("Key") or write["Item"]
            after = self.items.get((key["pk"]["S"], key["sk"]["S"]), {})
            self.write_units += 2 * _units(item_bytes(after), WRITE_UNIT)
        return answer


def _units(size: int, unit: int) -> int:
    return max(1, math.ceil(size / unit))


def counted(stored: int) -> dict[str, Cost]:
    """Return what each request needs with so many stored resources."""
    table, engines = CountedTable(), in_memory(others())
    environment = Environment.read({**VARIABLES, "L4E_SETTINGS": json.dumps(UNLIMITED)})
    service = in_process(environment, lambda name: table if name == "dynamodb" else engines(name))
    fill(service, stored)
    costs = {}
    for name, request in REQUESTS:
        body = body_of(service, name, request, 1)
        before = table.calls, table.read_units, table.write_units
        begun = time.process_time()
        with redirect_stdout(io.StringIO()):
            status, reply = service.call(operation(name), body)
        if status != HTTPStatus.OK:
            raise RuntimeError(f"{name} with {body} was answered {reply}")
        costs[name] = Cost(
            stored=stored,
            processor_milliseconds=1000 * (time.process_time() - begun),
            calls=table.calls - before[0],
            read_units=table.read_units - before[1],
            write_units=table.write_units - before[2],
        )
    return costs


def table(latencies: Mapping[str, Latency], costs: Mapping[int, Mapping[str, Cost]]) -> str:
    """Return a table of Markdown, the numbers of stored resources side by side."""
    lines = [
        "| request | ms | times bare | calls of DynamoDB | units read + written |",
        "|---|---|---|---|---|",
    ]
    for name, latency in latencies.items():
        of = [each[name] for each in costs.values()]
        calls = " / ".join(str(each.calls) for each in of)
        units = " / ".join(f"{each.read_units} + {each.write_units}" for each in of)
        lines.append(
            f"| {name} | {latency.milliseconds:.1f} | {latency.times_bare:.1f} | {calls} | {units} |"
        )
    bare = next(iter(latencies.values())).bare_milliseconds
    stored = " / ".join(f"{each:,}" for each in costs)
    return "\n".join([f"the bare function: {bare:.1f} ms; stored: {stored}", "", *lines])


if __name__ == "__main__":
    main()
