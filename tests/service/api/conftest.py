"""A service per test: the real API function behind a loopback HTTP server, on the embedded AWS."""

import itertools
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.config import Config

from service.api import respond
from service.clock import utc_now
from service.context import Context
from service.settings import Environment
from service.storage.names import DATASET, INGESTION_JOB, MODEL, report_key, version_key, versions_of
from service.storage.store import Update
from tests.embedded import ACCOUNT, CREDENTIALS, REGION, SESSION, EmbeddedAws, embedded_aws

ROLE = f"arn:aws:iam::{ACCOUNT}:role/lookoutequipment/access"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
LAST = datetime(2026, 7, 1, tzinfo=UTC)
SCHEMA = {
    "Components": [
        {
            "ComponentName": "pump",
            "Columns": [
                {"Name": "Timestamp", "Type": "DATETIME"},
                {"Name": "flow", "Type": "DOUBLE"},
                {"Name": "speed", "Type": "DOUBLE"},
            ],
        },
        {
            "ComponentName": "motor",
            "Columns": [{"Name": "Timestamp", "Type": "DATETIME"}, {"Name": "speed", "Type": "DOUBLE"}],
        },
    ]
}
INPUT = {"S3InputConfiguration": {"Bucket": "customer", "Prefix": "fresh/"}}
OUTPUT = {"S3OutputConfiguration": {"Bucket": "customer", "Prefix": "results/"}}

Responder = Callable[[dict[str, Any]], dict[str, Any]]


class ProxyServer(ThreadingHTTPServer):
    """Turns HTTP requests into proxy events, as API Gateway does; the stage says who answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Proxy)
        self.responders: dict[str, Responder] = {}

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ProxyServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        stage, _, captured = self.path.strip("/").partition("/")
        reply = self.server.responders[stage](
            {
                "resource": "/{proxy+}" if captured else "/",
                "path": f"/{captured}",
                "pathParameters": {"proxy": captured} if captured else None,
                "httpMethod": "POST",
                "headers": dict(self.headers.items()),
                "body": body.decode() or None,
                "isBase64Encoded": False,
                "requestContext": {
                    "requestId": str(uuid.uuid4()),
                    "stage": stage,
                    "path": self.path,
                    "accountId": ACCOUNT,
                    "identity": {"userArn": f"arn:aws:iam::{ACCOUNT}:user/someone"},
                },
            }
        )
        payload = reply["body"].encode()
        self.send_response(reply["statusCode"])
        for name, value in reply["headers"].items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Keep the test output quiet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A deployed service, its client, and the part of the jobs that tests play."""

    context: Context
    api: Any
    url: str

    def by(self, way_in: str) -> Any:
        """Return a client that comes by a way in."""
        return client_of(f"{self.url}/{way_in}")

    def call(self, operation: str, body: str | dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and body of a request that no SDK has checked."""
        reply = respond(
            {
                "headers": {"X-Amz-Target": f"AWSLookoutEquipmentFrontendService.{operation}"},
                "body": body if isinstance(body, str) else json.dumps(body),
            },
            self.context,
        )
        return reply["statusCode"], json.loads(reply["body"])

    def create_dataset(self, name: str = "pump", schema: Any = SCHEMA, **more: Any) -> dict[str, Any]:
        inline = {} if schema is None else {"DatasetSchema": {"InlineDataSchema": json.dumps(schema)}}
        return self.api.create_dataset(DatasetName=name, **inline, **more)

    def start_ingestion(self, name: str = "pump", **more: Any) -> str:
        return self.api.start_data_ingestion_job(
            **{
                "DatasetName": name,
                "IngestionInputConfiguration": {
                    "S3InputConfiguration": {"Bucket": "customer", "Prefix": "history/"}
                },
                "RoleArn": ROLE,
                **more,
            }
        )["JobId"]

    def finish_ingestion(self, job_id: str, statistics: list[Any] | None = None) -> None:
        """Do to the records what the ingestion job does at its end."""
        job = self.context.store.get(INGESTION_JOB, job_id)
        assert job is not None
        times = {"DataStartTime": FIRST, "DataEndTime": LAST}
        self.context.store.transact(
            Update(INGESTION_JOB, job_id, {"Status": "SUCCESS", "IngestedDataSize": 1000, **times}),
            Update(DATASET, job["DatasetName"], {"Status": "ACTIVE", "ingestionJobId": job_id, **times}),
        )
        if statistics is not None:
            key = report_key(job["datasetUuid"], job_id)
            self.context.service_bucket.put_text(key, json.dumps(statistics))

    def ingested_dataset(self, name: str = "pump", **more: Any) -> str:
        """Create a dataset with data and return the id of its ingestion job."""
        self.create_dataset(name)
        job_id = self.start_ingestion(name)
        self.finish_ingestion(job_id, **more)
        return job_id

    def create_model(self, name: str = "wear", **more: Any) -> dict[str, Any]:
        return self.api.create_model(**{"ModelName": name, "DatasetName": "pump", **more})

    def finish_training(self, name: str = "wear", status: str = "SUCCESS") -> None:
        """Do to the records what the training job does at its end."""
        model = self.context.store.get(MODEL, name)
        assert model is not None
        self.context.store.transact(
            Update(MODEL, name, {"Status": status, "ModelQuality": "CANNOT_DETERMINE_QUALITY"}),
            Update(versions_of(model["uuid"]), version_key(1), {"Status": status}),
        )

    def trained_model(self, name: str = "wear", **more: Any) -> None:
        if self.context.store.get(DATASET, "pump") is None:
            self.ingested_dataset()
        self.create_model(name, **more)
        self.finish_training(name)

    def create_scheduler(self, name: str = "watch", **more: Any) -> dict[str, Any]:
        return self.api.create_inference_scheduler(
            **{
                "InferenceSchedulerName": name,
                "ModelName": "wear",
                "DataUploadFrequency": "PT5M",
                "DataInputConfiguration": INPUT,
                "DataOutputConfiguration": OUTPUT,
                "RoleArn": ROLE,
                **more,
            }
        )

    def schedule(self, scheduler: str) -> dict[str, Any] | None:
        """Return the EventBridge schedule of a scheduler."""
        client = self.context.client("scheduler")
        uuid = scheduler.rpartition("/")[2]
        try:
            group = self.context.environment.schedule_group
            return client.get_schedule(Name=f"{group}-{uuid}", GroupName=group)
        except client.exceptions.ResourceNotFoundException:
            return None


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with embedded_aws(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(scope="session")
def proxy() -> Iterator[ProxyServer]:
    with ProxyServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def clients(aws: EmbeddedAws) -> Callable[[str], Any]:
    return cache(aws.client)


@pytest.fixture(scope="session")
def engines(clients: Callable[[str], Any]) -> dict[str, str]:
    """The variables of the API function for what all services of the session share."""
    machines = clients("stepfunctions")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}})
    arns = [
        machines.create_state_machine(
            name=name, definition=definition, roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine"
        )["stateMachineArn"]
        for name in ("ingest", "train")
    ]
    clients("scheduler").create_schedule_group(Name="inference")
    return {
        "L4E_INGEST_STATE_MACHINE": arns[0],
        "L4E_TRAIN_STATE_MACHINE": arns[1],
        "L4E_INFER_FUNCTION": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:infer",
        "L4E_SCHEDULE_GROUP": "inference",
        "L4E_SCHEDULE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/schedule",
        "L4E_RETRAINING_FUNCTION": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:reconcile",
        "L4E_RETRAINING_SCHEDULE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/retraining-schedule",
        "L4E_METRIC_NAMESPACE": "LookoutEquipment",
    }


@pytest.fixture(scope="session")
def lasting(clients: Callable[[str], Any]) -> str:
    """A state machine whose executions do not end while a test looks at them."""
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    made = clients("stepfunctions").create_state_machine(
        name="lasting", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine"
    )
    return str(made["stateMachineArn"])


_numbers = itertools.count()


@pytest.fixture
def variables(aws: EmbeddedAws, engines: dict[str, str]) -> dict[str, str]:
    """The variables of the API function of a service with a table and a bucket of its own."""
    name = f"service-{next(_numbers)}"
    aws.create_table(name)
    aws.create_bucket(name)
    return {**engines, "L4E_ACCOUNT": ACCOUNT, "L4E_TABLE": name, "L4E_BUCKET": name}


Deploy = Callable[..., Service]


@pytest.fixture
def deploy(clients: Callable[[str], Any], proxy: ProxyServer, variables: dict[str, str]) -> Deploy:
    """Deploys the test's service with settings and a clock of the test's choice."""

    def deployed(clock: Callable[[], datetime] = utc_now, **settings: Any) -> Service:
        environment = Environment.read({**variables, "L4E_SETTINGS": json.dumps(settings)})
        context = Context.create(environment, clients, clock)
        name = variables["L4E_TABLE"]
        proxy.responders[name] = lambda event: respond(event, context)
        return Service(context=context, api=client_of(proxy.url(name)), url=proxy.url(name))

    return deployed


@pytest.fixture
def service(deploy: Deploy) -> Service:
    """The test's service with AWS's limits."""
    return deploy()


@pytest.fixture
def dataset_arn(service: Service) -> str:
    """The ARN of a dataset of the test's service, `pump`."""
    return str(service.create_dataset()["DatasetArn"])


def client_of(url: str, **config: Any) -> Any:
    """Return an unmodified client of the managed service that is pointed at `url`."""
    return SESSION.client(
        "lookoutequipment",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(**config),
    )


def walk(call: Callable[..., dict[str, Any]], member: str, **request: Any) -> list[list[Any]]:
    """Return the pages that a client's loop on NextToken sees."""
    pages = []
    while True:
        reply = call(**request)
        pages.append(reply[member])
        if "NextToken" not in reply:
            return pages
        request["NextToken"] = reply["NextToken"]
