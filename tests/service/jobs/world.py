"""A customer and the service on the embedded AWS, with a tiny driver that plays the state machines."""

import io
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from service.jobs import infer, ingest, train
from service.jobs.capacity import MIB
from service.jobs.runtime import Runtime
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.session_policy import Place
from service.members.durations import seconds
from service.reconciliation.ingestion_end import ingestion_reason, record_failed_ingestion
from service.storage.names import (
    DATASET,
    INGESTION_JOB,
    MODEL,
    SCHEDULER,
    ArnBuilder,
    document_key,
    events_of,
    executions_of,
    new_job_id,
    new_uuid,
    version_key,
    versions_of,
)
from service.storage.store import Item, Update
from tests.aws_limits import require_state

ARNS = ArnBuilder(partition="aws", region="eu-west-1", account="000000000000")


MOTOR_ARN = ARNS.dataset_arn("motor", "1b4e28ba-2fa1-41d2-883f-0016d3cca427")


def schema(**components: Sequence[str]) -> str:
    """A schema document."""
    return json.dumps(
        {
            "Components": [
                {
                    "ComponentName": name,
                    "Columns": [
                        {"Name": "Timestamp", "Type": "DATETIME"},
                        *({"Name": column, "Type": "DOUBLE"} for column in columns),
                    ],
                }
                for name, columns in components.items()
            ]
        }
    )


def at(text: str) -> float:
    """Epoch seconds of an ISO stamp in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@dataclass
class World:
    """One customer bucket and role, and the service's runtime with a clock that tests set."""

    runtime: Runtime
    customer: Any
    bucket: str
    role: str
    now: list[datetime] = field(default_factory=lambda: [datetime(2026, 1, 1, tzinfo=UTC)])

    def __post_init__(self) -> None:
        def clock() -> datetime:
            return self.now[0]

        self.runtime = replace(self.runtime, clock=clock, store=replace(self.runtime.store, clock=clock))

    def set_clock(self, text: str) -> None:
        self.now[0] = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def settings(self, **changes: Any) -> None:
        self.runtime = replace(self.runtime, settings=replace(self.runtime.settings, **changes))

    def buckets(self) -> CustomerBuckets:
        """The customer's bucket as a job sees it that works on all of it."""
        whole = Place(bucket=self.bucket, prefix="")
        return self.runtime.customer_buckets(self.role, external_id=MOTOR_ARN, reads=[whole], writes=[whole])

    def upload(self, key: str, body: str | bytes) -> None:
        self.customer.put_object(
            Bucket=self.bucket, Key=key, Body=body if isinstance(body, bytes) else body.encode()
        )

    def download(self, key: str) -> bytes:
        body: bytes = self.customer.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def dataset(self, text: str | None = None, **members: Any) -> Item:
        name, unique = f"pump-{uuid.uuid4().hex[:8]}", new_uuid()
        item: Item = {
            "pk": DATASET,
            "sk": name,
            "uuid": unique,
            "DatasetName": name,
            "DatasetArn": ARNS.dataset_arn(name, unique),
            "Status": "CREATED",
            "CreatedAt": self.now[0],
            **members,
        }
        if text is not None:
            item["schemaKey"] = document_key(unique, "schema.json")
            self.runtime.service_bucket.put_text(item["schemaKey"], text)
        self.runtime.store.create(item)
        return item

    def start_ingestion(self, dataset: Item, *, prefix: str = "", **source: Any) -> str:
        job = new_job_id(self.now[0])
        bucket = source.pop("Bucket", self.bucket)
        role = source.pop("RoleArn", self.role)
        self.runtime.store.create(
            {
                "pk": INGESTION_JOB,
                "sk": job,
                "JobId": job,
                "DatasetName": dataset["DatasetName"],
                "datasetUuid": dataset["uuid"],
                "DatasetArn": dataset["DatasetArn"],
                "IngestionInputConfiguration": {
                    "S3InputConfiguration": {"Bucket": bucket, "Prefix": prefix, **source}
                },
                "RoleArn": role,
                "CreatedAt": self.now[0],
                "Status": "IN_PROGRESS",
            }
        )
        self.runtime.store.transact(
            Update(DATASET, dataset["DatasetName"], {"Status": "INGESTION_IN_PROGRESS"}),
        )
        return job

    def ingest(self, dataset: Item, **source: Any) -> Item:
        """Start an ingestion and play its state machine to the end; returns the job's record."""
        job = self.start_ingestion(dataset, **source)
        self.play_ingestion(job)
        return self.get(INGESTION_JOB, job)

    def play_ingestion(self, job: str) -> None:
        def steps() -> None:
            planned = step(self.runtime, ingest.run, {"Step": "plan", "JobId": job})
            reader = planned["Manifest"]
            body = self.runtime.s3.get_object(Bucket=reader["Bucket"], Key=reader["Key"])["Body"].read()
            items = json.loads(body)
            assert len(items) == planned["Items"]
            for item in items:
                step(self.runtime, ingest.run, {"Step": "read", "JobId": job, "Item": item})
            step(self.runtime, ingest.run, {"Step": "finish", "JobId": job})

        self._caught(steps, lambda error: self.fail_ingestion(job, error))

    def fail_ingestion(self, job: str, error: Mapping[str, str]) -> None:
        """Record what the execution of an ingestion failed with."""
        runtime, record = self.runtime, self.get(INGESTION_JOB, job)
        memory_mib = runtime.capacity.memory // MIB
        reason = ingestion_reason(runtime.service_bucket, record, error, memory_mib=memory_mib)
        record_failed_ingestion(runtime.store, record, reason)

    def model(self, dataset: Item, text: str, *, train: bool = True, **members: Any) -> Item:
        """Create a model and play its training to the end, unless told not to; returns the model's record."""
        name, unique = f"model-{uuid.uuid4().hex[:8]}", new_uuid()
        arn = ARNS.model_arn(name, unique)
        key = document_key(unique, "schema.json")
        self.runtime.service_bucket.put_text(key, text)
        common = {
            "ModelName": name,
            "ModelArn": arn,
            "DatasetName": dataset["DatasetName"],
            "DatasetArn": dataset["DatasetArn"],
            "schemaKey": key,
            "datasetUuid": dataset["uuid"],
            "ingestionJobId": self.get(DATASET, dataset["DatasetName"])["ingestionJobId"],
            "Status": "IN_PROGRESS",
            "CreatedAt": self.now[0],
            **members,
        }
        self.runtime.store.create(
            {"pk": MODEL, "sk": name, "uuid": unique, **common},
            {
                "pk": versions_of(unique),
                "sk": version_key(1),
                "uuid": unique,
                "ModelVersion": 1,
                **common,
            },
        )
        if train:
            self.play_training(name)
        return self.get(MODEL, name)

    def play_training(self, name: str, number: int = 1) -> None:
        event = {"ModelName": name, "ModelVersion": number}
        self._caught(
            lambda: step(self.runtime, train.run, {"Step": "train", **event}),
            lambda error: train.fail(self.runtime, event, error),
        )

    def version(self, model: Item, number: int = 1) -> Item:
        return self.get(versions_of(model["uuid"]), version_key(number))

    def scheduler(self, model: Item, *, first_end: str, **members: Any) -> Item:
        name, unique = members.get("InferenceSchedulerName", f"sched-{uuid.uuid4().hex[:8]}"), new_uuid()
        self.runtime.store.create(
            {
                "pk": SCHEDULER,
                "sk": name,
                "uuid": unique,
                "modelUuid": model["uuid"],
                "InferenceSchedulerName": name,
                "InferenceSchedulerArn": ARNS.scheduler_arn(name, unique),
                "ModelName": model["ModelName"],
                "ModelArn": model["ModelArn"],
                "Status": "RUNNING",
                "DataUploadFrequency": "PT5M",
                "DataDelayOffsetInMinutes": 0,
                "RoleArn": self.role,
                "inferredUntil": int(at(first_end)) - seconds(members.get("DataUploadFrequency", "PT5M")),
                "DataInputConfiguration": {"S3InputConfiguration": {"Bucket": self.bucket, "Prefix": "in/"}},
                "DataOutputConfiguration": {
                    "S3OutputConfiguration": {"Bucket": self.bucket, "Prefix": "out/"}
                },
                **members,
            }
        )
        return self.get(SCHEDULER, name)

    def tick(self, scheduler: Item, *, seconds_left: float = 900) -> dict[str, str]:
        """Wake the scheduler as EventBridge does; returns the state of each execution by window start."""
        event = {"InferenceSchedulerName": scheduler["InferenceSchedulerName"], "Uuid": scheduler["uuid"]}
        done: dict[str, str] = infer.run(self.runtime, event, seconds_left=lambda: seconds_left)["Executions"]
        return done

    def executions(self, scheduler: Item) -> list[Item]:
        return list(self.runtime.store.all(executions_of(scheduler["uuid"])))

    def events(self, scheduler: Item) -> list[Item]:
        return list(self.runtime.store.all(events_of(scheduler["uuid"])))

    def get(self, pk: str, sk: str) -> Item:
        item = self.runtime.store.get(pk, sk)
        assert item is not None
        return item

    @staticmethod
    def _caught(work: Callable[[], Any], fail: Callable[[dict[str, str]], Any]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the state machine catches States.ALL
            kind = type(error).__name__
            cause = json.dumps({"errorMessage": str(error), "errorType": kind, "stackTrace": []})
            fail({"Error": kind, "Cause": cause})


def step(
    runtime: Runtime,
    work: Callable[[Runtime, Mapping[str, Any]], dict[str, Any]],
    event: Mapping[str, Any],
) -> Any:
    """Call a step as Step Functions does: input and output travel as JSON, within its limits."""
    require_state("input of a step", event)
    output = work(runtime, json.loads(json.dumps(event)))
    require_state("output of a step", output)
    return json.loads(json.dumps(output))


def rows(header: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """CSV text."""
    text = io.StringIO()
    text.write(",".join(header) + "\n")
    for line in lines:
        text.write(",".join(str(cell) for cell in line) + "\n")
    return text.getvalue()
