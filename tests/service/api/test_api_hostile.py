"""Thousands of hostile requests to all operations: no fault of the service, and nothing broken afterwards.

Each batch has a service of its own with resources in it, and engines in memory. A failure prints the request,
made as small as it still fails on a fresh service, with the batch and number that repeat it.
"""

import contextlib
import io
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings

from service.api import OPERATIONS, respond
from service.context import Context
from service.settings import Environment
from service.storage.names import SCHEDULER, events_of, executions_of
from tests.service.api.conftest import Service
from tests.service.api.in_process import in_process
from tests.service.api.operation_cases import sensor
from tests.service.hostile import MODEL, TARGET, Attacker
from tests.service.memory import in_memory

BATCH = 1_000
BATCHES = 20
ROUNDS = 10
"""Times as many batches for `make search`, of another seed each time."""

Event = dict[str, Any]
Reply = dict[str, Any]

Fresh = Callable[[], Service]
"""Makes a service in memory that has something of everything."""


@pytest.fixture
def fresh(clients: Callable[[str], Any], variables: dict[str, str]) -> Fresh:
    limits = {"datasets": 60, "models": 60, "pending_models": 60}
    environment = Environment.read({**variables, "L4E_SETTINGS": json.dumps(limits)})
    return lambda: populated(environment, in_memory(clients))


def populated(environment: Environment, clients: Callable[[str], Any]) -> Service:
    service = in_process(environment, clients)
    service.ingested_dataset("pump", statistics=[sensor(name) for name in ("flow", "speed", "heat")])
    for name in ("motor", "fan"):
        service.create_dataset(name)
    service.start_ingestion("fan")
    for model in ("wear", "leak", "rust"):
        service.trained_model(model, Tags=[{"Key": "line", "Value": "4"}])
    service.create_model("heat")
    for scheduler, of_model in (("watch", "wear"), ("guard", "leak")):
        service.create_scheduler(scheduler, ModelName=of_model)
        _inferred(service, scheduler)
    service.api.stop_inference_scheduler(InferenceSchedulerName="guard")
    for model in ("wear", "leak"):
        service.api.create_retraining_scheduler(
            ModelName=model, RetrainingFrequency="P2M", LookbackWindow="P360D"
        )
    service.api.stop_retraining_scheduler(ModelName="leak")
    service.api.create_label_group(LabelGroupName="faults", FaultCodes=["bearing"])
    for start in (1767225600, 1775000000):
        service.api.create_label(
            LabelGroupName="faults",
            StartTime=start,
            EndTime=start + 60,
            Rating="ANOMALY",
            FaultCode="bearing",
        )
    return service


def _inferred(service: Service, name: str) -> None:
    """Do to the records what inference does."""
    scheduler = service.context.store.get(SCHEDULER, name)
    assert scheduler is not None
    shared = ("ModelName", "ModelArn", "InferenceSchedulerName", "InferenceSchedulerArn")
    of_scheduler = {member: scheduler[member] for member in shared}
    for minute in (0, 5, 10):
        start = datetime(2026, 7, 1, 11, minute, tzinfo=UTC)
        times = {"DataStartTime": start, "DataEndTime": start, "ScheduledStartTime": start}
        sk = f"{start:%Y-%m-%dT%H:%M:%SZ}"
        ended = {"Status": "SUCCESS", **times}
        service.context.store.create(
            {"pk": executions_of(scheduler["uuid"]), "sk": sk, **of_scheduler, **ended},
            {
                "pk": events_of(scheduler["uuid"]),
                "sk": sk,
                "InferenceSchedulerName": name,
                "InferenceSchedulerArn": scheduler["InferenceSchedulerArn"],
                "EventStartTime": start,
                "EventEndTime": start,
                "EventDurationInSeconds": 300,
                "Diagnostics": "[]",
            },
        )


def fault(event: Event, reply: Reply) -> str | None:
    """Return what is wrong with a reply, None when it is one that the model has."""
    status, name = reply["statusCode"], _operation(event)
    body = json.loads(reply["body"], parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    if reply["headers"]["Content-Type"] != "application/x-amz-json-1.0" or not isinstance(body, dict):
        return "the reply is not of the protocol"
    if status == 200:
        shape = MODEL.operation_model(name).output_shape if name else None
        unknown = body.keys() - (shape.members.keys() if shape else set())
        return f"the reply has {sorted(unknown)}" if unknown or not name else None
    if not body.get("Message") or body.keys() != {"__type", "Message"}:
        return "the error has no message"
    code = body["__type"].removeprefix("com.amazonaws.thorbrain#")
    if name is None:
        return None if (status, code) == (404, "UnknownOperationException") else f"{status} {code}"
    modelled = {error.name for error in MODEL.operation_model(name).error_shapes}
    expected = modelled - {"InternalServerException", "ThrottlingException"}
    return None if status == 400 and code in expected else f"{status} {code}"


def _operation(event: Event) -> str | None:
    headers = event.get("headers") or {}
    target = next((value for key, value in headers.items() if key.lower() == "x-amz-target"), "")
    prefix, _, name = target.rpartition(".")
    return name if prefix == TARGET and name in MODEL.operation_names else None


def sent(service: Service, event: Event) -> tuple[str | None, Reply]:
    """Send an event as API Gateway does; returns what is wrong with the reply, and the reply."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # thousands of lines say nothing
            reply = respond(event, service.context)
    except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
        return f"{type(error).__name__}: {error}", {}
    return fault(event, reply), reply


def smallest(fresh: Fresh, event: Event) -> tuple[Event, bool]:
    """Return the event with the members of its body that a fresh service fails on, and whether it does."""

    def fails(body: dict[str, Any]) -> bool:
        return sent(fresh(), {**event, "body": json.dumps(body)})[0] is not None

    if sent(fresh(), event)[0] is None:
        return event, False
    body = _plain(event)
    if not fails(body):
        return event, True
    for name in list(body):
        without = {key: value for key, value in body.items() if key != name}
        if fails(without):
            body = without
    return {**event, "body": json.dumps(body)}, True


def read_everything(service: Service) -> Counter[str]:
    """List and describe all there is with an SDK, which parses every reply; returns how much there was."""
    api, found = service.api, Counter[str]()

    def listed(operation: str, member: str, **request: Any) -> Iterator[dict[str, Any]]:
        while True:
            reply = getattr(api, operation)(**request)
            found[operation] += len(reply[member])
            yield from reply[member]
            if "NextToken" not in reply:
                return
            request["NextToken"] = reply["NextToken"]

    for dataset in listed("list_datasets", "DatasetSummaries", MaxResults=3):
        api.describe_dataset(DatasetName=dataset["DatasetName"])
        api.list_tags_for_resource(ResourceArn=dataset["DatasetArn"])
    for job in listed("list_data_ingestion_jobs", "DataIngestionJobSummaries"):
        api.describe_data_ingestion_job(JobId=job["JobId"])
    for model in listed("list_models", "ModelSummaries", MaxResults=2):
        name = model["ModelName"]
        api.describe_model(ModelName=name)
        api.list_tags_for_resource(ResourceArn=model["ModelArn"])
        for version in listed("list_model_versions", "ModelVersionSummaries", ModelName=name):
            api.describe_model_version(ModelName=name, ModelVersion=version["ModelVersion"])
    for retraining in listed("list_retraining_schedulers", "RetrainingSchedulerSummaries", MaxResults=2):
        api.describe_retraining_scheduler(ModelName=retraining["ModelName"])
    for scheduler in listed("list_inference_schedulers", "InferenceSchedulerSummaries"):
        name = scheduler["InferenceSchedulerName"]
        api.describe_inference_scheduler(InferenceSchedulerName=name)
        of_scheduler = {"InferenceSchedulerName": name}
        list(listed("list_inference_executions", "InferenceExecutionSummaries", **of_scheduler))
        always = {"IntervalStartTime": 0, "IntervalEndTime": 4102444800}
        list(listed("list_inference_events", "InferenceEventSummaries", **of_scheduler, **always))
    read_label_groups(api, listed)
    return found


def read_label_groups(api: Any, listed: Callable[..., Iterator[dict[str, Any]]]) -> None:
    for group in listed("list_label_groups", "LabelGroupSummaries", MaxResults=2):
        name = group["LabelGroupName"]
        api.describe_label_group(LabelGroupName=name)
        api.list_tags_for_resource(ResourceArn=group["LabelGroupArn"])
        for label in listed("list_labels", "LabelSummaries", LabelGroupName=name):
            api.describe_label(LabelGroupName=name, LabelId=label["LabelId"])


def attack(fresh: Fresh, seed: str) -> Counter[str]:
    """Send a batch of requests; returns how each ended."""
    service, attacker, ends = fresh(), Attacker(seed), Counter[str]()
    for number in range(BATCH):
        event = attacker.event(number)
        problem, reply = sent(service, event)
        if problem:
            small, alone = smallest(fresh, event)
            state = "on a fresh service too" if alone else "only after the requests before it in the batch"
            where = f"attack(fresh, {seed!r}), request {number}"
            pytest.fail(f"{problem}, {state}: {where}:\n{_shown(small)}\n{_shown(reply)}")
        operation = _operation(event)
        if operation and reply["statusCode"] == 200:
            attacker.learn(operation, _plain(event), json.loads(reply["body"]))
        ends[f"{operation} {reply['statusCode']}"] += 1
    try:
        found = read_everything(service)
    except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
        pytest.fail(f"what attack(fresh, {seed!r}) left cannot be read: {type(error).__name__}: {error}")
    assert found["list_datasets"]
    return ends


def _plain(event: Event) -> dict[str, Any]:
    """Return the request of an event, as far as it is one."""
    try:
        body = json.loads(event["body"])
    except (TypeError, ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _shown(value: Any) -> str:
    return ascii(value)[:3000]


@pytest.mark.hypothesis  # `make search` looks further
def test_hostile_requests_cause_no_fault_and_break_nothing(fresh: Fresh) -> None:
    repeatable = settings().derandomize
    first, batches = (0, BATCHES) if repeatable else (secrets.randbelow(2**40), BATCHES * ROUNDS)
    ends: Counter[str] = Counter()
    for number in range(batches):
        ends += attack(fresh, f"hostile-{first + number}")
    assert ends.total() == batches * BATCH
    refused = {name for name in MODEL.operation_names if ends[f"{name} 400"]}
    performed = {name for name in OPERATIONS if ends[f"{name} 200"]}
    assert refused == set(MODEL.operation_names)
    assert performed == OPERATIONS.keys(), "some requests must reach every operation"


def test_a_fault_is_found_and_told_with_the_smallest_request_that_shows_it(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Context, request: dict[str, Any]) -> dict[str, Any]:
        return {"DatasetSummaries": [1 / 0] if "DatasetNameBeginsWith" in request else []}

    monkeypatch.setitem(OPERATIONS, "ListDatasets", broken)  # type: ignore[arg-type]
    with pytest.raises(pytest.fail.Exception) as failed:
        attack(fresh, "broken")
    told = str(failed.value)
    assert told.startswith("500 InternalServerException, on a fresh service too: attack(fresh, 'broken')")
    assert re.search(r"'body': '\{\"DatasetNameBeginsWith\": [^,]*\}'", told)
