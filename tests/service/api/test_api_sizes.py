"""Answers within the limits of Lambda, however many sensors, ranges and resources there are.

The fixture `answers_within_limits` fails every test in which an answer is larger than Lambda hands on.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.clock import iso_seconds
from service.context import Context
from service.requests import paging
from service.requests.paging import PAGE_BYTES, answer_bytes, paged
from service.settings import Environment
from service.storage.names import (
    MODEL,
    SCHEDULER,
    document_key,
    events_of,
    executions_of,
    version_key,
    versions_of,
)
from service.storage.store import Update
from tests.aws_limits import LAMBDA_BYTES
from tests.service.api.conftest import Service, walk
from tests.service.memory import in_memory
from tests.service.test_shortening import MOST, metrics, shares

HOUR = 3600
BEGIN = 1_767_225_600
LONG = "s" * 195


def scheduled(service: Service) -> dict[str, Any]:
    service.trained_model()
    service.create_scheduler()
    scheduler = service.context.store.get(SCHEDULER, "watch")
    assert scheduler is not None
    return scheduler


def put_events(service: Service, scheduler: Mapping[str, Any], count: int, diagnostics: str) -> None:
    """Write events, an hour each, as an earlier release did: with diagnostics of any length."""
    for number in range(count):
        start = BEGIN + 2 * HOUR * number
        service.context.store.create(
            {
                "pk": events_of(scheduler["uuid"]),
                "sk": iso_seconds(start),
                "InferenceSchedulerName": scheduler["InferenceSchedulerName"],
                "InferenceSchedulerArn": scheduler["InferenceSchedulerArn"],
                "EventStartTime": start,
                "EventEndTime": start + HOUR,
                "EventDurationInSeconds": HOUR,
                "Diagnostics": diagnostics,
            }
        )


def listed_events(service: Service, **more: Any) -> list[list[Any]]:
    return walk(
        service.api.list_inference_events,
        "InferenceEventSummaries",
        InferenceSchedulerName="watch",
        IntervalStartTime=BEGIN,
        IntervalEndTime=BEGIN + 10_000 * HOUR,
        **more,
    )


@pytest.mark.parametrize("letters", [10, 195])
def test_events_of_300_sensors_are_listed_over_pages_each_once(service: Service, letters: int) -> None:
    scheduler = scheduled(service)
    put_events(service, scheduler, 500, json.dumps(shares(300, letters=letters)))
    pages = listed_events(service, MaxResults=500)
    assert len(pages) > 1
    starts = [event["EventStartTime"].timestamp() for page in pages for event in page]
    assert starts == [BEGIN + 2 * HOUR * number for number in range(500)]
    assert all(len(event["Diagnostics"]) <= MOST for page in pages for event in page)
    full = [sum(map(_bytes, page)) for page in pages[:-1]]
    assert all(0.9 * PAGE_BYTES < size <= PAGE_BYTES for size in full)


def _bytes(event: Mapping[str, Any]) -> int:
    times = {name: event[name].timestamp() for name in ("EventStartTime", "EventEndTime")}
    return answer_bytes({**event, **times})


def test_small_events_are_not_parted(service: Service) -> None:
    put_events(service, scheduled(service), 60, json.dumps(shares(3)))
    assert [len(page) for page in listed_events(service, MaxResults=50)] == [50, 10]


def test_executions_with_long_reasons_are_listed_over_pages_each_once(service: Service) -> None:
    scheduler = scheduled(service)
    place = {"Bucket": "customer", "Prefix": f"{'é' * 1000}/"}
    for number in range(300):
        start = BEGIN + HOUR * number
        service.context.store.create(
            {
                "pk": executions_of(scheduler["uuid"]),
                "sk": iso_seconds(start),
                "ModelName": "wear",
                "InferenceSchedulerName": "watch",
                "DataInputConfiguration": {"S3InputConfiguration": place},
                "DataOutputConfiguration": {"S3OutputConfiguration": place},
                "ScheduledStartTime": start,
                "DataStartTime": start,
                "DataEndTime": start + HOUR,
                "Status": "FAILED",
                "FailedReason": "é" * 5000,
            }
        )
    request = {"InferenceSchedulerName": "watch", "MaxResults": 300}
    pages = walk(service.api.list_inference_executions, "InferenceExecutionSummaries", **request)
    assert len(pages) > 1
    starts = [one["DataStartTime"].timestamp() for page in pages for one in page]
    assert starts == [BEGIN + HOUR * number for number in reversed(range(300))]


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(0, 1_500_000), max_size=40), most=st.integers(1, 12))
def test_pages_end_by_number_and_by_bytes_and_lose_nothing(sizes: list[int], most: int) -> None:
    context = Context.create(_ENVIRONMENT, in_memory(lambda name: None))
    entries = [
        (str(number), {"InferenceSchedulerName": str(number), "Diagnostics": "s" * size})
        for number, size in enumerate(sizes)
    ]
    request: dict[str, Any] = {"MaxResults": most}
    seen: list[Any] = []
    while True:
        reply = paged(context, "ListInferenceEvents", request, "InferenceEventSummaries", _after(entries))
        page = reply["InferenceEventSummaries"]
        assert len(page) <= most
        assert len(page) == 1 or answer_bytes(page) <= PAGE_BYTES + 2 * len(page)
        seen += page
        if "NextToken" not in reply:
            break
        following = entries[len(seen)][1]
        assert len(page) == most or answer_bytes([*page, following]) > PAGE_BYTES
        request = {"MaxResults": most, "NextToken": reply["NextToken"]}
    assert seen == [entry for _, entry in entries]


_ENVIRONMENT = Environment.read(
    {
        "L4E_ACCOUNT": "111122223333",
        "L4E_TABLE": "table",
        "L4E_BUCKET": "service",
        "L4E_METRIC_NAMESPACE": "LookoutEquipment",
        "L4E_INGEST_STATE_MACHINE": "arn:aws:states:eu-west-1:111122223333:stateMachine:ingest",
        "L4E_TRAIN_STATE_MACHINE": "arn:aws:states:eu-west-1:111122223333:stateMachine:train",
    }
)


def _after(entries: list[tuple[str, Any]]) -> Callable[[str | None], list[tuple[str, Any]]]:
    return lambda start: entries if start is None else entries[int(start) + 1 :]


def test_a_page_always_has_an_entry(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry above the limit of a page would else be asked for again and again."""
    monkeypatch.setattr(paging, "PAGE_BYTES", 10)
    for name in ("a", "b", "c"):
        service.create_dataset(name)
    pages = walk(service.api.list_datasets, "DatasetSummaries")
    assert [[one["DatasetName"] for one in page] for page in pages] == [["a"], ["b"], ["c"]]


def keep_metrics(service: Service, document: Mapping[str, Any]) -> str:
    """Let the model have metrics as an earlier release kept them; returns where they lie."""
    model = service.context.store.get(MODEL, "wear")
    assert model is not None
    key = document_key(model["uuid"], "metrics-1.json")
    service.context.service_bucket.put_json(key, document)
    changes = {"metricsKey": key, "priorMetricsKey": key}
    service.context.store.transact(
        Update(MODEL, "wear", changes), Update(versions_of(model["uuid"]), version_key(1), changes)
    )
    return f"s3://{service.context.environment.bucket}/{key}"


@pytest.mark.parametrize("ranges", [0, 30, 400, 2000])
def test_a_model_of_300_sensors_can_be_described_whatever_was_found(service: Service, ranges: int) -> None:
    columns = [{"Name": f"{LONG}{number}", "Type": "DOUBLE"} for number in range(300)]
    wide = {
        "Components": [
            {"ComponentName": LONG, "Columns": [{"Name": "Timestamp", "Type": "DATETIME"}, *columns]}
        ]
    }
    service.create_dataset("pump", wide)
    service.finish_ingestion(service.start_ingestion())
    service.trained_model()
    where = keep_metrics(service, metrics(ranges=ranges, labels=ranges // 4, events=min(100, ranges)))
    described = service.api.describe_model(ModelName="wear")
    version = service.api.describe_model_version(ModelName="wear", ModelVersion=1)
    for member in ("ModelMetrics", "PriorModelMetrics"):
        assert described[member] == version[member]
        assert len(described[member]) <= MOST
        found = json.loads(described[member])
        assert found["unknown_event_metrics"]["num_identified"] == ranges
        if ranges:
            left_out = found["left_out"]
            assert left_out["complete_document"] == where
            assert len(found["predicted_ranges"]) + left_out["predicted_ranges"] == ranges


def test_the_largest_schema_with_the_longest_metrics_is_answered(service: Service) -> None:
    """1,000,000 characters of JSON, of which many travel as four bytes each."""
    columns = [{"Name": f"{number:05}", "Type": "DOUBLE"} for number in range(30_000)]
    schema = json.dumps({"Components": [{"ComponentName": "pump", "Columns": columns}]})
    service.trained_model()
    model = service.context.store.get(MODEL, "wear")
    assert model is not None
    service.context.service_bucket.put_text(model["schemaKey"], schema[:1_000_000])
    keep_metrics(service, metrics(ranges=500))
    reply = service.api.describe_model(ModelName="wear")
    assert len(reply["Schema"]) == 1_000_000
    assert answer_bytes({"Schema": reply["Schema"]}) < LAMBDA_BYTES / 2
