"""A service that imports: the API with who calls it, and the jobs of its imports."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from service.api import respond
from service.context import Context
from service.jobs import ingest
from service.reconciler import reconcile
from service.reconciliation.training_end import record_end
from service.settings import Environment
from service.storage.names import (
    DATASET,
    INGESTION_JOB,
    MODEL,
    artefact_key,
    document_key,
    version_key,
    versions_of,
)
from service.storage.store import Item
from tests.embedded import ACCOUNT, EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.world import World, rows, schema, step

CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/Importer/session"
OTHER = "arn:aws:sts::222222222222:assumed-role/Importer/session"


@dataclass
class Plant:
    """A service with one customer, and its API."""

    world: World
    context: Context

    def call(self, operation: str, caller: str = CALLER, **request: Any) -> dict[str, Any]:
        """Return the answer of an operation, which must succeed."""
        status, body = self.answer(operation, caller, **request)
        assert status == 200, body
        return body

    def refusal(self, operation: str, caller: str = CALLER, **request: Any) -> str:
        """Return code and text of the error of an operation, which must fail."""
        status, body = self.answer(operation, caller, **request)
        assert status == 400, body
        return f"{body['__type'].partition('#')[2]}: {body['Message']}"

    def answer(self, operation: str, caller: str, **request: Any) -> tuple[int, dict[str, Any]]:
        event = {
            "headers": {"X-Amz-Target": f"AWSLookoutEquipmentFrontendService.{operation}"},
            "body": json.dumps(request),
            "requestContext": {"identity": {"userArn": caller}},
        }
        reply = respond(event, self.context)
        return reply["statusCode"], json.loads(reply["body"])

    def filled(self, *, days: int = 2, **dataset: Any) -> Item:
        """Return a dataset with data."""
        made = self.world.dataset(schema(pump=("speed", "flow")), **dataset)
        lines = [(f"2026-01-01T{hour:02}:00:00", hour, 10 * hour) for hour in range(days)]
        self.world.upload("in/pump/1.csv", rows(("Timestamp", "speed", "flow"), lines))
        self.world.ingest(made, prefix="in/")
        return self.world.get(DATASET, made["DatasetName"])

    def trained(self, model: Item, *, of: World) -> Item:
        """Return a version 1 that has what a trained model of another world has."""
        world = self.world
        settings = {name: model[name] for name in ("DataPreProcessingConfiguration", "OffCondition")}
        ends = ("DataStartTime", "DataEndTime")
        windows = {name: value for name, value in model.items() if name.endswith(ends)}
        made = world.model(self.pump(), pump.SCHEMA, train=False, **settings, **windows)
        bucket, uuid = world.runtime.service_bucket, made["uuid"]
        body = of.runtime.service_bucket.find(artefact_key(model["uuid"], 1))
        assert body is not None
        bucket.put(artefact_key(uuid, 1), body)
        metrics = document_key(uuid, "metrics-1.json")
        bucket.put_text(metrics, of.runtime.service_bucket.get_text(model["metricsKey"]))
        arn = f"{made['ModelArn']}/model-version/1"
        store, of_version = world.runtime.store, {"ModelVersionArn": arn, "SourceType": "TRAINING"}
        store.update(versions_of(uuid), version_key(1), of_version)
        members = {"Status": "SUCCESS", "ModelQuality": model["ModelQuality"], "metricsKey": metrics}
        record_end(store, made, world.version(made), members, version_only={}, promoted=True)
        return world.version(made)

    def pump(self, **members: Any) -> Item:
        """Return a dataset with an hour of the pump."""
        made = self.world.dataset(pump.SCHEMA, **members)
        data = list(pump.history("2020-01-01", count=60, step=timedelta(minutes=1)))
        self.world.upload("pump/drive/1.csv", pump.drive(data))
        self.world.upload("pump/hydraulics/1.csv", pump.hydraulics(data))
        self.world.ingest(made, prefix="pump/")
        return self.world.get(DATASET, made["DatasetName"])

    def import_version(
        self, source: Item, dataset: Item, caller: str = CALLER, **more: Any
    ) -> dict[str, Any]:
        """Ask for an import of a model version."""
        return self.call("ImportModelVersion", caller, **asked_version(source, dataset, **more))

    def play_version(self, started: Mapping[str, Any]) -> Item:
        """Do what the state machine of an import does, and return the version after that."""
        name, number = started["ModelName"], started["ModelVersion"]
        input_ = {"ModelName": name, "ModelVersion": number, "Import": True}
        self._play(input_)
        return self.world.version(self.world.get(MODEL, name), number)

    def start(self, source: Item, name: str = "copy", **more: Any) -> dict[str, Any]:
        """Ask for an import of a dataset."""
        return self.call("ImportDataset", **asked(source, name, **more))

    def play(self, started: Mapping[str, Any]) -> Item:
        """Do what the state machine of an import does, and return the job after that."""
        self._play({"JobId": started["JobId"], "Import": True})
        return self.world.get(INGESTION_JOB, started["JobId"])

    def _play(self, input_: dict[str, Any]) -> None:
        def work() -> None:
            step(self.world.runtime, ingest.run, {"Step": "import", "Work": input_})

        self.world._caught(work, lambda error: self._fail(input_, error))

    def _fail(self, input_: dict[str, Any], error: Mapping[str, str]) -> None:
        """Let the execution of an import have failed, and the reconciler hear of it."""
        context = self.whose_executions(
            {"status": "FAILED", "error": error["Error"], "cause": error["Cause"]}
        )
        reconcile({"source": "aws.states", "detail": {"input": json.dumps(input_)}}, context)

    def limit(self, **settings: Any) -> None:
        """Change settings of the service."""
        environment = self.context.environment
        environment = replace(environment, settings=replace(environment.settings, **settings))
        self.context = Context.create(environment, self.context.client, self.context.clock)

    def whose_executions(self, are: dict[str, str]) -> Context:
        """Return the context in which Step Functions says this of every execution."""
        machines, client = _Ended(are), self.context.client
        return Context.create(
            self.context.environment,
            lambda name: machines if name == "stepfunctions" else client(name),
            self.world.runtime.clock,
        )


def asked(source: Item, name: str = "copy", **more: Any) -> dict[str, Any]:
    """The request of an import."""
    return {"SourceDatasetArn": source["DatasetArn"], "DatasetName": name, "ClientToken": "t", **more}


def asked_version(source: Item, dataset: Item, **more: Any) -> dict[str, Any]:
    """The request of an import of a model version."""
    return {
        "SourceModelVersionArn": source["ModelVersionArn"],
        "DatasetName": dataset["DatasetName"],
        "ModelName": "twin",
        "ClientToken": "t",
        **more,
    }


class _Ended:
    """Step Functions, when every execution has ended so."""

    class exceptions:  # noqa: N801  boto3's name
        ExecutionDoesNotExist = ClientError

    def __init__(self, execution: dict[str, str]) -> None:
        self._execution = execution

    def describe_execution(self, **_: str) -> dict[str, str]:
        return self._execution


def new_plant(jobs_aws: EmbeddedAws, world: World) -> Plant:
    """The world with a table of its own, as quotas are of a whole table, and an API that starts nothing."""
    jobs_aws.create_table(world.bucket)
    world.runtime = replace(world.runtime, store=replace(world.runtime.store, table=world.bucket))
    machine = jobs_aws.shared_client("stepfunctions").create_state_machine(
        name=f"import-{world.bucket}",
        definition=json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Pass", "End": True}}}),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine",
    )["stateMachineArn"]
    variables = {
        "L4E_ACCOUNT": ACCOUNT,
        "L4E_TABLE": world.runtime.store.table,
        "L4E_BUCKET": world.runtime.bucket,
        "L4E_METRIC_NAMESPACE": "LookoutEquipment",
        "L4E_INGEST_STATE_MACHINE": machine,
    }
    return Plant(
        world=world,
        context=Context.create(Environment.read(variables), jobs_aws.shared_client, world.runtime.clock),
    )
