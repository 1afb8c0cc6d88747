"""How events are sent: what an entry holds, in how many requests, and what becomes of those that fail."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from service.event_bus.bus_event import SOURCE, BusEvent
from service.event_bus.event_bus import EventBus
from service.event_bus.job_ends import ingestion_end, version_end

MODEL_ARN = "arn:aws:lookoutequipment:eu-west-1:111122223333:model/tuned/12345678"


@dataclass
class Aws:
    """EventBridge that refuses some events, by number, or fails; and CloudWatch that may fail too."""

    refuses: Sequence[int] = ()
    error: Exception | None = None
    metric_error: Exception | None = None
    requests: list[int] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  AWS's name
        """Answer a request."""
        begin = sum(self.requests)
        self.requests.append(len(Entries))
        if self.error is not None:
            raise self.error
        refused = {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}
        accepted = {"EventId": "1"}
        return {"Entries": [refused if begin + n in self.refuses else accepted for n in range(len(Entries))]}

    def put_metric_data(self, **request: Any) -> None:
        """Keep a metric."""
        if self.metric_error is not None:
            raise self.metric_error
        self.metrics.append(request)


def event(occurrence: str = "1", **detail: Any) -> BusEvent:
    return BusEvent(
        detail_type="Level Moved", resources=("arn:1", "arn:2"), occurrence=occurrence, detail=detail
    )


def bus(aws: Any) -> EventBus:
    return EventBus(client=aws, cloudwatch=aws, metric_namespace="Plant")


def test_an_entry_is_the_same_each_time() -> None:
    entry = event(Sensor="pump\\flow").entry
    detail = json.loads(entry["Detail"])
    assert entry == {
        "Source": SOURCE,
        "DetailType": "Level Moved",
        "Resources": ["arn:1", "arn:2"],
        "Detail": json.dumps({"DeduplicationId": detail["DeduplicationId"], "Sensor": "pump\\flow"}),
    }
    assert event(Sensor="pump\\flow").entry == entry
    assert event("2").members["DeduplicationId"] != detail["DeduplicationId"]
    other = BusEvent(detail_type="Anomaly Began", resources=("arn:1",), occurrence="1", detail={})
    assert other.members["DeduplicationId"] != detail["DeduplicationId"]


def test_a_request_has_ten_events_at_most() -> None:
    aws = Aws()
    bus(aws).send([event(str(number)) for number in range(23)])
    assert aws.requests == [10, 10, 3]
    assert aws.metrics == []


def test_nothing_to_tell_is_no_request() -> None:
    aws = Aws()
    bus(aws).send([])
    assert aws.requests == []


ERRORS = (
    ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutEvents"),
    EndpointConnectionError(endpoint_url="https://events"),
)


@pytest.mark.parametrize("aws", [Aws(refuses=[1, 11]), *(Aws(error=error) for error in ERRORS)])
def test_what_cannot_be_sent_is_logged_and_counted(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "service.event_bus"):
        bus(aws).send([event(str(number)) for number in range(12)])
    lost = 12 if aws.error else 2
    assert aws.requests == [10, 2], "a request that fails does not keep back the next one"
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [
        "event 'Level Moved' of arn:1 was not sent"
    ] * lost
    metric = {"MetricName": "EventsNotSent", "Value": float(lost), "Unit": "Count"}
    assert aws.metrics == [{"Namespace": "Plant", "MetricData": [metric]}]


def test_a_count_that_cannot_be_published_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    bus(Aws(error=ERRORS[0], metric_error=ERRORS[1])).send([event()])
    assert "the metric EventsNotSent was not published" in caplog.text


VERSION = {"ModelName": "tuned", "ModelArn": MODEL_ARN, "ModelVersion": 2, "uuid": "u", "schemaKey": "k"}


@pytest.mark.parametrize("status", ["SUCCESS", "FAILED", "CANCELED"])
def test_the_end_of_a_version(status: str) -> None:
    shown = {
        "SourceType": "RETRAINING",
        "FailedReason": "no data",
        "AutoPromotionResult": "MODEL_NOT_PROMOTED",
    }
    (found,) = version_end({**VERSION, **shown, "Status": status})
    assert found.resources == (MODEL_ARN, f"{MODEL_ARN}/model-version/2")
    assert found.detail == {
        "ModelName": "tuned",
        "ModelArn": MODEL_ARN,
        "ModelVersion": 2,
        "ModelVersionArn": f"{MODEL_ARN}/model-version/2",
        "Status": status,
        **shown,
    }


def test_the_end_of_an_ingestion() -> None:
    shown = {
        "JobId": "j",
        "DatasetName": "d",
        "DatasetArn": "arn",
        "Status": "FAILED",
        "FailedReason": "empty",
    }
    (found,) = ingestion_end({**shown, "datasetUuid": "u", "RoleArn": "role"})
    assert (found.resources, found.detail) == (("arn",), shown)


@pytest.mark.parametrize("status", ["IN_PROGRESS", "IMPORT_IN_PROGRESS"])
def test_what_is_under_way_has_no_event(status: str) -> None:
    assert version_end({**VERSION, "Status": status}) == []
    assert ingestion_end({"JobId": "j", "DatasetArn": "arn", "Status": status}) == []


def test_a_version_that_was_deleted_has_no_event() -> None:
    """Its record has nothing but how it ended."""
    assert version_end({"Status": "DELETED"}) == []
