"""Imports from another account: two services, each with a table, a bucket and an account of its own.

The source answers over HTTP, and says with API Gateway's words which account asks. Signatures and IAM are not
checked here; `tests/synth` has the rights.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service.api import respond
from service.context import Context
from service.storage.names import DATASET, MODEL, ArnBuilder, accumulated_day, accumulated_prefix
from service.storage.store import Item
from tests.embedded import ACCOUNT, EmbeddedAws
from tests.service.jobs.conftest import new_world
from tests.service.jobs.inference import results, started, upload
from tests.service.jobs.plant import Plant, asked, asked_version, new_plant
from tests.service.jobs.world import World, at

FRIEND = "222222222222"
IMPORTER = f"arn:aws:sts::{FRIEND}:assumed-role/Importer/session"


class Gateway(ThreadingHTTPServer):
    """API Gateway before the source: it says that account `caller` asks, or refuses."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.source: Context | None = None
        self.caller = FRIEND
        self.refuses = False
        self.asked: list[dict[str, Any]] = []


class _Exchange(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append({"path": self.path, "body": body, **dict(self.headers.items())})
        path = "/v1/import" if self.path.endswith("/_user_request_/import") else self.path
        event = {
            "pathParameters": {"proxy": path.removeprefix("/v1/")},
            "headers": dict(self.headers.items()),
            "body": body,
            "requestContext": {
                "stage": "v1",
                "path": path,
                "identity": {"accountId": self.server.caller, "userArn": IMPORTER},
            },
        }
        reply: dict[str, Any] = {"statusCode": 403, "body": '{"Message": "User is not authorized"}'}
        if not self.server.refuses:
            assert self.server.source is not None
            reply = respond(event, self.server.source)
        content = reply["body"].encode()
        self.send_response(reply["statusCode"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Keep the test output quiet."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def owner(jobs_aws: EmbeddedAws, world: World, gateway: Gateway) -> Plant:
    """The service that shares, in the account of the embedded AWS."""
    plant = new_plant(jobs_aws, world)
    gateway.source = plant.context
    return plant


@pytest.fixture
def friend(jobs_aws: EmbeddedAws, gateway: Gateway, owner: Plant) -> Plant:
    """The service of another account that imports; it knows the owner's."""
    world = new_world(jobs_aws)
    plant = new_plant(jobs_aws, world)
    bucket = f"service-{world.bucket}"
    jobs_aws.create_bucket(bucket)
    url = f"http://127.0.0.1:{gateway.server_address[1]}/restapis/api/v1/_user_request_/import"
    sources = {f"{ACCOUNT}/eu-west-1": url}
    world.runtime = replace(world.runtime, bucket=bucket, import_sources=sources)
    environment = replace(plant.context.environment, bucket=bucket, import_sources=sources, account=FRIEND)
    plant.context = Context(
        environment=environment,
        arns=ArnBuilder(partition="aws", region="eu-west-1", account=FRIEND),
        client=cache(jobs_aws.client),
        clock=world.runtime.clock,
    )
    return plant


def share(owner: Plant, arn: str, action: str, **more: Any) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{FRIEND}:role/Importer"},
        "Action": f"lookoutequipment:{action}",
        **more,
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    owner.call("PutResourcePolicy", ResourceArn=arn, ResourcePolicy=text, ClientToken=text[-250:])


def test_a_dataset_and_a_model_of_another_account_are_imported_and_score_the_same(
    owner: Plant, friend: Plant, home: World, model: Item
) -> None:
    source = owner.trained(model, of=home)
    data = owner.world.get(DATASET, source["DatasetName"])
    share(owner, data["DatasetArn"], "ImportDataset")
    share(owner, source["ModelArn"], "ImportModelVersion")

    begun = friend.call("ImportDataset", IMPORTER, **asked(data))
    assert begun["DatasetArn"].split(":")[4] == FRIEND
    job = friend.play(begun)
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
    copy = friend.call("DescribeDataset", DatasetName="copy")
    original = owner.call("DescribeDataset", DatasetName=source["DatasetName"])
    assert copy["SourceDatasetArn"] == data["DatasetArn"]
    for member in ("Schema", "DataStartTime", "DataEndTime", "DataQualitySummary"):
        assert copy[member] == original[member]
    statistics = friend.call("ListSensorStatistics", DatasetName="copy")
    assert statistics == owner.call("ListSensorStatistics", DatasetName=source["DatasetName"])

    version = friend.import_version(source, friend.world.get(DATASET, "copy"), caller=IMPORTER)
    ended = friend.play_version(version)
    assert ended["Status"] == "SUCCESS", ended.get("FailedReason")
    shown = friend.call("DescribeModel", ModelName="twin")
    assert shown["SourceModelVersionArn"] == source["ModelVersionArn"]
    metrics = owner.call("DescribeModel", ModelName=source["ModelName"])["ModelMetrics"]
    assert shown["ModelMetrics"] == metrics
    found = []
    for plant, name in ((owner, source["ModelName"]), (friend, "twin")):
        scheduler = started(plant.world, plant.world.get(MODEL, name), "10:05")
        upload(plant.world, "10:00")
        assert set(plant.world.tick(scheduler).values()) == {"SUCCESS"}
        found.append(results(plant.world, "10:00"))
    assert found[0] == found[1]


def test_without_a_policy_nothing_is_shared(owner: Plant, friend: Plant) -> None:
    data = owner.filled()
    refusal = friend.refusal("ImportDataset", IMPORTER, **asked(data))
    assert refusal.startswith(
        "AccessDeniedException: the role 'Importer' of account 222222222222 is not auth"
    )
    share(owner, data["DatasetArn"], "ImportDataset")
    other = f"arn:aws:sts::{FRIEND}:assumed-role/Other/session"
    assert "AccessDeniedException" in friend.refusal("ImportDataset", other, **asked(data))
    assert friend.call("ImportDataset", IMPORTER, **asked(data))["Status"] == "IMPORT_IN_PROGRESS"


def test_a_policy_that_was_taken_back_fails_the_import(owner: Plant, friend: Plant) -> None:
    data = owner.filled()
    share(owner, data["DatasetArn"], "ImportDataset")
    begun = friend.call("ImportDataset", IMPORTER, **asked(data))
    owner.call("DeleteResourcePolicy", ResourceArn=data["DatasetArn"])
    job = friend.play(begun)
    assert job["Status"] == "FAILED"
    assert "is not authorized to perform lookoutequipment:ImportDataset" in job["FailedReason"]


def test_a_service_asks_for_principals_of_its_own_account_only(
    owner: Plant, friend: Plant, gateway: Gateway
) -> None:
    data = owner.filled()
    share(owner, data["DatasetArn"], "ImportDataset")
    gateway.caller = "333333333333"
    refusal = friend.refusal("ImportDataset", IMPORTER, **asked(data))
    assert "account 333333333333 cannot import for the role 'Importer' of account 222222222222" in refusal
    gateway.caller = ""
    assert "account unknown cannot import" in friend.refusal("ImportDataset", IMPORTER, **asked(data))


def test_a_source_that_lets_nobody_in_is_told(owner: Plant, friend: Plant, gateway: Gateway) -> None:
    gateway.refuses = True
    refusal = friend.refusal("ImportDataset", IMPORTER, **asked(owner.filled()))
    assert "AccessDeniedException" in refusal
    assert "User is not authorized" in refusal
    assert "importable_by must have the account of this service" in refusal


def test_requests_are_signed_for_the_source(owner: Plant, friend: Plant, gateway: Gateway) -> None:
    friend.refusal("ImportDataset", IMPORTER, **asked(owner.filled()))
    (request,) = gateway.asked
    assert request["path"] == "/restapis/api/v1/_user_request_/import"
    assert "/eu-west-1/execute-api/aws4_request" in request["Authorization"]


def test_the_path_answers_nothing_else(owner: Plant) -> None:
    for body in ("{", "[]", '{"Action": "DeleteDataset", "Arn": "a", "Principal": "b"}', "[" * 100_000):
        event = {
            "pathParameters": {"proxy": "import"},
            "headers": {"X-Amz-Target": "AWSLookoutEquipmentFrontendService.DeleteDataset"},
            "body": body,
            "requestContext": {"stage": "v1", "path": "/v1/import", "identity": {"accountId": FRIEND}},
        }
        reply = respond(event, owner.context)
        assert (reply["statusCode"], json.loads(reply["body"])["__type"].partition("#")[2]) == (
            400,
            "ValidationException",
        )


def test_rows_of_inference_come_along_if_both_sides_want_it(
    owner: Plant, friend: Plant, home: World, model: Item
) -> None:
    source = owner.trained(model, of=home)
    day = accumulated_day(source["uuid"], at("2020-02-01"))
    owner.world.runtime.service_bucket.put(f"{day}scheduler.parquet", b"rows")
    extent = {
        "AccumulatedInferenceDataStartTime": int(at("2020-02-01")),
        "AccumulatedInferenceDataEndTime": int(at("2020-02-01")) + 60,
    }
    owner.world.runtime.store.update(MODEL, source["ModelName"], extent)
    share(owner, owner.world.get(DATASET, source["DatasetName"])["DatasetArn"], "ImportDataset")
    friend.play(
        friend.call("ImportDataset", IMPORTER, **asked(owner.world.get(DATASET, source["DatasetName"])))
    )
    condition = {"Bool": {"lookoutequipment:IsImportingData": "false"}}
    share(owner, source["ModelVersionArn"], "ImportModelVersion", Condition=condition)
    request = asked_version(source, friend.world.get(DATASET, "copy"))
    refusal = friend.refusal(
        "ImportModelVersion", IMPORTER, **request, InferenceDataImportStrategy="OVERWRITE"
    )
    assert "AccessDeniedException" in refusal

    share(owner, source["ModelVersionArn"], "ImportModelVersion")
    begun = friend.call("ImportModelVersion", IMPORTER, **request, InferenceDataImportStrategy="OVERWRITE")
    assert friend.play_version(begun)["Status"] == "SUCCESS"
    twin, bucket = friend.world.get(MODEL, "twin"), friend.world.runtime.service_bucket
    (key,) = bucket.keys(accumulated_prefix(twin["uuid"]))
    assert bucket.find(key) == b"rows"


def test_imports_of_others_are_in_the_audit_log_of_the_owner(
    owner: Plant, friend: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    data = owner.filled()
    capsys.readouterr()
    friend.refusal("ImportDataset", IMPORTER, **asked(data))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (record,) = [line for line in lines if line["additionalEventData"]["path"] == "/v1/import"]
    assert record["eventName"] == "ImportDataset"
    assert record["userIdentity"]["accountId"] == FRIEND
    assert record["errorCode"] == "AccessDeniedException"
    assert record["requestParameters"]["sourceDatasetArn"] == data["DatasetArn"]
