"""A service whose processes can be killed between any two writes, and whose executions end as a test says.

API, jobs and reconciler are the real ones, on the embedded AWS. Step Functions is played here: it runs
steps in the order of the template, and can abort, time out, throttle, or lose what it is told.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from service.api import respond
from service.context import Context
from service.jobs import ingest, train
from service.reconciler import reconcile
from service.settings import Environment
from service.storage.names import INGESTION_JOB
from service.storage.store import Store, Update
from tests.aws_limits import require_execution
from tests.embedded import ACCOUNT, REGION, EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.world import World, step
from tests.service.mortal import Killed

BEGIN = datetime(2026, 2, 1, tzinfo=UTC)
INGEST, TRAIN = (f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}" for name in ("ingest", "train"))
WRITES = frozenset(
    {
        "CompleteMultipartUpload",
        "CopyObject",
        "CreateMultipartUpload",
        "DeleteObjects",
        "PutItem",
        "PutObject",
        "StartExecution",
        "TransactWriteItems",
        "UpdateItem",
        "UploadPart",
    }
)
THROTTLED = {"Error": "Lambda.TooManyRequestsException", "Cause": "Rate Exceeded."}
KILLED = {
    "Error": "Runtime.ExitError",
    "Cause": json.dumps(
        {
            "errorType": "Runtime.ExitError",
            "errorMessage": "RequestId: 5f Error: Runtime exited with error: signal: killed",
        }
    ),
}


@dataclass
class Fuse:
    """Kills the process instead of the write with the number `blows`; `writes` are those that were done."""

    blows: int | None = None
    writes: list[str] = field(default_factory=list)
    killed_at: str | None = None

    def __call__(self, operation: str) -> None:
        if operation not in WRITES:
            return
        if self.killed_at is not None or len(self.writes) == self.blows:
            self.killed_at = self.killed_at or operation
            raise Killed(operation)
        self.writes.append(operation)


class ExecutionExistsError(ClientError):
    """ExecutionAlreadyExists."""


class NoExecutionError(ClientError):
    """ExecutionDoesNotExist."""


class _Exceptions:
    ExecutionAlreadyExists = ExecutionExistsError
    ExecutionDoesNotExist = NoExecutionError


@dataclass
class Execution:
    """One execution, `RUNNING` until it is played or ended."""

    input: dict[str, Any]
    status: str = "RUNNING"
    error: dict[str, str] = field(default_factory=dict)

    def end(self, status: str, **error: str) -> None:
        self.status, self.error = status, error


class Machines:
    """The two state machines as Step Functions' API shows them: names are used once."""

    exceptions = _Exceptions

    def __init__(self, fuse: Callable[[str], None]) -> None:
        self._fuse = fuse
        self.executions: dict[str, Execution] = {}
        self.broken: Exception | None = None

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        """The names are those of the API."""
        self._fuse("StartExecution")
        require_execution({"input": input})
        if self.broken is not None:
            raise self.broken
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        if arn in self.executions:
            raise ExecutionExistsError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")
        self.executions[arn] = Execution(json.loads(input))

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803
        """The names are those of the API."""
        if self.broken is not None:
            raise self.broken
        found = self.executions.get(executionArn)
        if found is None:
            raise NoExecutionError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
        said = {"error": found.error.get("Error"), "cause": found.error.get("Cause")}
        return {"status": found.status, **{name: text for name, text in said.items() if text}}


@dataclass(frozen=True, kw_only=True)
class State:
    """All that a plant holds: its records, its objects, and its executions."""

    items: list[dict[str, Any]]
    objects: dict[str, bytes]
    executions: dict[str, Execution]


States = dict[str, State]


class Plant:
    """A customer with two files, and a service that runs one ingestion and one training at a time."""

    def __init__(self, aws: EmbeddedAws, world: World, clients: Mapping[str, Any], states: States) -> None:
        name = f"plant-{uuid.uuid4().hex[:12]}"
        aws.create_table(name)
        aws.create_bucket(name)
        self.fuse: Callable[[str], None] = Fuse()
        for client in (clients["dynamodb"], clients["s3"]):
            client.meta.events.register("before-call", lambda model, **_: self._burn(model.name))
        self.machines = Machines(self._burn)
        clients = {**clients, "stepfunctions": self.machines}
        pending = ("ingestion_jobs", "models", "dataset_imports", "model_imports")
        settings = {**{f"pending_{each}": 1 for each in pending}, "minimum_training_days": 1}
        environment = Environment.read(
            {
                "L4E_ACCOUNT": ACCOUNT,
                "L4E_TABLE": name,
                "L4E_BUCKET": name,
                "L4E_METRIC_NAMESPACE": "LookoutEquipment",
                "L4E_SETTINGS": json.dumps(settings),
                "L4E_INGEST_STATE_MACHINE": INGEST,
                "L4E_TRAIN_STATE_MACHINE": TRAIN,
                "L4E_INGEST_MEMORY_MIB": "3008",
                "L4E_TRAIN_MEMORY_MIB": "10240",
            }
        )
        world.now[0] = BEGIN
        self.now = world.now
        self.world = world
        self._states = states
        self._dynamodb = clients["dynamodb"]
        self.context = Context.create(environment, clients.__getitem__, lambda: self.now[0])
        self.runtime = replace(
            world.runtime,
            store=Store(clients["dynamodb"], name, lambda: self.now[0]),
            s3=clients["s3"],
            bucket=name,
            settings=environment.settings,
        )

    @staticmethod
    def maker(aws: EmbeddedAws, world: World, states: States) -> "Callable[[], Plant]":
        """Upload the files of the customer, and return what makes a new service for them each time."""
        data = list(pump.history("2026-01-01", count=4 * 288, step=timedelta(minutes=5)))
        world.upload("train/drive/1.csv", pump.drive(data[:600]))
        world.upload("train/drive/2.csv", pump.drive(data[600:]))
        world.upload("train/hydraulics/1.csv", pump.hydraulics(data))
        own = {service: aws.client(service) for service in ("dynamodb", "s3")}
        clients = own | {
            service: aws.shared_client(service) for service in ("cloudwatch", "events", "scheduler")
        }
        return lambda: Plant(aws, world, clients, states)

    # -- what a customer does

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call an operation of the API; the reply is its body, with `status`."""
        event = {
            "headers": {"X-Amz-Target": f"AWSLookoutEquipmentFrontendService.{operation}"},
            "body": json.dumps(request),
        }
        reply = respond(event, self.context)
        return {"status": reply["statusCode"], **json.loads(reply["body"])}

    def must(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call an operation that has to succeed."""
        reply = self.call(operation, **request)
        assert reply["status"] == 200, reply
        return reply

    def create_dataset(self, name: str = "plant", token: str = "t") -> dict[str, Any]:  # noqa: S107
        schema = {"InlineDataSchema": pump.SCHEMA}
        return self.call(
            "CreateDataset", DatasetName=name, DatasetSchema=schema, ClientToken=f"{name}{token}"
        )

    def start_ingestion(
        self,
        name: str = "plant",
        token: str = "t",  # noqa: S107
        **source: str,
    ) -> dict[str, Any]:
        return self.call(
            "StartDataIngestionJob",
            DatasetName=name,
            IngestionInputConfiguration={
                "S3InputConfiguration": {"Bucket": self.world.bucket, "Prefix": "train/", **source}
            },
            RoleArn=self.world.role,
            ClientToken=f"{name}{token}",
        )

    def create_model(self, name: str = "wear", token: str = "t") -> dict[str, Any]:  # noqa: S107
        return self.call(
            "CreateModel",
            ModelName=name,
            DatasetName="plant",
            TrainingDataStartTime=datetime(2026, 1, 1, tzinfo=UTC).timestamp(),
            TrainingDataEndTime=datetime(2026, 1, 4, tzinfo=UTC).timestamp(),
            EvaluationDataStartTime=datetime(2026, 1, 4, tzinfo=UTC).timestamp(),
            EvaluationDataEndTime=datetime(2026, 1, 5, tzinfo=UTC).timestamp(),
            ClientToken=f"{name}{token}",
        )

    def import_dataset(self, name: str, token: str = "t") -> dict[str, Any]:  # noqa: S107
        """Ask for a copy of the dataset `plant`."""
        arn = self.must("DescribeDataset", DatasetName="plant")["DatasetArn"]
        return self.call(
            "ImportDataset", SourceDatasetArn=arn, DatasetName=name, ClientToken=f"{name}{token}"
        )

    def import_version(self, name: str, token: str = "t") -> dict[str, Any]:  # noqa: S107
        """Ask for a copy of the version of the model `wear`."""
        arn = self.must("DescribeModel", ModelName="wear")["ActiveModelVersionArn"]
        return self.call(
            "ImportModelVersion",
            SourceModelVersionArn=arn,
            ModelName=name,
            DatasetName="plant",
            ClientToken=f"{name}{token}",
        )

    def ingested(self) -> None:
        """Make a dataset with data."""

        def work() -> None:
            assert self.create_dataset()["status"] == 200
            job: str = self.start_ingestion()["JobId"]
            self.play_all()
            assert self.must("DescribeDataIngestionJob", JobId=job)["Status"] == "SUCCESS"

        self.once("ingested", work)

    def once(self, name: str, work: Callable[[], None]) -> None:
        """Do the work of this name; if another plant has, take what that held after it, which is faster."""
        if name in self._states:
            self._take(self._states[name])
        else:
            work()
            self._states[name] = self._held()

    def _held(self) -> State:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.context.store.table)
        return State(
            items=[item for page in pages for item in page["Items"]],
            objects={key: self.context.service_bucket.find(key) or b"" for key in self.objects()},
            executions={arn: replace(one) for arn, one in self.machines.executions.items()},
        )

    def _take(self, state: State) -> None:
        table = self.context.store.table
        for item in state.items:
            self._dynamodb.put_item(TableName=table, Item=item)
        for key, body in state.objects.items():
            self.context.service_bucket.put(key, body)
        self.machines.executions.update({arn: replace(one) for arn, one in state.executions.items()})

    # -- what AWS does

    def wait(self, hours: float) -> None:
        self.now[0] += timedelta(hours=hours)

    def running(self) -> list[Execution]:
        return [one for one in self.machines.executions.values() if one.status == "RUNNING"]

    def only_running(self) -> Execution:
        (execution,) = self.running()
        return execution

    def play_all(self) -> None:
        """Run every execution to its end."""
        for execution in self.running():
            steps = self._ingest if "JobId" in execution.input else self._train
            steps = self._import if "Import" in execution.input else steps
            try:
                steps(execution.input)
            except Killed:
                execution.end("FAILED", **KILLED)
            except Exception as error:  # noqa: BLE001  whatever a function raises fails the execution
                cause = {"errorType": type(error).__name__, "errorMessage": str(error)}
                # boto3 loses the kill when it copies in a thread, and the process lives on a little.
                said = {"Error": cause["errorType"], "Cause": json.dumps(cause)}
                execution.end("FAILED", **(KILLED if self._is_killed() else said))
            else:
                if execution.status == "RUNNING":
                    execution.end("SUCCEEDED")

    def fail_read(self, execution: Execution, error: dict[str, str], *, noted: bool) -> None:
        """End an ingestion of which a child failed, as a Distributed Map does; `noted`, as the child does."""
        if noted:
            self.runtime.store.transact(
                Update(INGESTION_JOB, execution.input["JobId"], {"readFailure": error})
            )
        why = "The specified tolerated failure threshold was exceeded"
        execution.end("FAILED", Error="States.ExceedToleratedFailureThreshold", Cause=why)

    def tell(self, execution: Execution) -> None:
        """Deliver the event about the end of an execution."""
        detail = {"status": execution.status, "input": json.dumps(execution.input)}
        reconcile({"source": "aws.states", "detail": detail}, self.context)

    def hourly(self) -> None:
        reconcile({"source": "aws.events"}, self.context)

    @contextmanager
    def killed(self, at: int | None) -> Iterator[Fuse]:
        """Kill the process that runs in the block instead of its write number `at`."""
        self.fuse = fuse = Fuse(blows=at)
        try:
            yield fuse
        except Killed:
            pass
        finally:
            self.fuse = Fuse()

    def objects(self) -> list[str]:
        return sorted(self.context.service_bucket.keys(""))

    def _is_killed(self) -> bool:
        return isinstance(self.fuse, Fuse) and self.fuse.killed_at is not None

    def _burn(self, operation: str) -> None:
        self.fuse(operation)

    def _ingest(self, event: dict[str, Any]) -> None:
        planned = step(self.runtime, ingest.run, {**event, "Step": "plan"})
        manifest = self.runtime.service_bucket.get_json(planned["Manifest"]["Key"])
        for item in manifest:
            step(self.runtime, ingest.run, {**event, "Step": "read", "Item": item})
        step(self.runtime, ingest.run, {**event, "Step": "finish"})

    def _import(self, event: dict[str, Any]) -> None:
        step(self.runtime, ingest.run, {"Step": "import", "Work": event})

    def _train(self, event: dict[str, Any]) -> None:
        step(self.runtime, train.run, {**event, "Step": "train"})
