"""Fifty clients at once, in this process: nothing is lost, nothing is done twice."""

import json
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.settings import Environment
from tests.service.api.conftest import Service, walk
from tests.service.api.in_process import VARIABLES, in_process, others
from tests.service.api.operation_cases import FAULTS, HOUR, RETRAINING, SCHEDULING, trained
from tests.service.memory import in_memory

CLIENTS = 50
SCHEDULERS = 200
UNLIMITED = {"datasets": None, "models": None, "pending_models": None, "inference_schedulers_per_model": None}


class OneCallAtATime:
    """An engine in memory whose calls are each done as a whole, as in AWS, and anything in between."""

    def __init__(self, engine: Any) -> None:
        self._engine, self._lock = engine, threading.RLock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if not callable(found) or isinstance(found, type):
            return found

        def call(*arguments: Any, **more: Any) -> Any:
            with self._lock:
                return found(*arguments, **more)

        return call


@pytest.fixture(autouse=True)
def often_switched() -> Iterator[None]:
    """Has threads take turns in the middle of what they do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def service() -> Service:
    engines = in_memory(others())
    environment = Environment.read({**VARIABLES, "L4E_SETTINGS": json.dumps(UNLIMITED)})
    return in_process(environment, cache(lambda name: OneCallAtATime(engines(name))))


def at_once(call: Callable[[int], Any], count: int = CLIENTS) -> list[Any]:
    """What simultaneous calls return: each waits until all are ready. Of an error, its name."""
    ready = threading.Barrier(min(count, CLIENTS))

    def one(number: int) -> Any:
        if number < CLIENTS:
            ready.wait()
        try:
            return call(number)
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(min(count, CLIENTS)) as pool:
        return list(pool.map(one, range(count)))


def until_done(call: Callable[[], Any]) -> Any:
    """What a client does: when other requests are in the way, it tries again."""
    while True:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise


def test_of_one_name_there_is_one_and_of_fifty_all(service: Service) -> None:
    same = at_once(lambda _: service.create_dataset("pump")["Status"])
    assert Counter(same) == {"CREATED": 1, "ConflictException": CLIENTS - 1}

    own = at_once(lambda number: service.create_dataset(f"own-{number:02}")["DatasetArn"])
    assert len(set(own)) == CLIENTS
    pages = walk(service.api.list_datasets, "DatasetSummaries", MaxResults=7, DatasetNameBeginsWith="own-")
    assert [each["DatasetArn"] for page in pages for each in page] == own


def test_a_token_that_everybody_sends_makes_one_resource(service: Service) -> None:
    made = at_once(lambda _: service.create_dataset("pump", ClientToken="the same")["DatasetArn"])
    assert len(set(made)) == 1
    assert len(service.api.list_datasets()["DatasetSummaries"]) == 1


def test_no_label_is_lost_and_none_miscounted(service: Service) -> None:
    service.api.create_label_group(**FAULTS)
    made = at_once(
        lambda _: until_done(lambda: service.api.create_label(**FAULTS, **HOUR, Rating="ANOMALY")["LabelId"])
    )
    assert len(set(made)) == CLIENTS
    pages = walk(service.api.list_labels, "LabelSummaries", MaxResults=9, **FAULTS)
    assert sorted(each["LabelId"] for page in pages for each in page) == sorted(made)
    group = service.context.records.label_group("faults")
    assert group is not None
    assert group["labels"] == CLIENTS


def test_no_tag_is_lost(service: Service) -> None:
    arn = service.create_dataset("pump")["DatasetArn"]

    def tag(number: int) -> None:
        tags = [{"Key": f"key-{number}", "Value": str(number)}]
        until_done(lambda: service.api.tag_resource(ResourceArn=arn, Tags=tags))

    at_once(tag)
    tags = service.api.list_tags_for_resource(ResourceArn=arn)["Tags"]
    assert {each["Key"] for each in tags} == {f"key-{number}" for number in range(CLIENTS)}


def test_two_hundred_schedulers_have_a_schedule_each(service: Service) -> None:
    trained(service)
    names = [f"watch-{number:03}" for number in range(SCHEDULERS)]

    def create(number: int) -> str:
        request = {"InferenceSchedulerName": names[number], "ModelName": "wear", **SCHEDULING}
        token = {"ClientToken": names[number]}
        made = [until_done(lambda: service.api.create_inference_scheduler(**request, **token)) for _ in "ab"]
        assert made[0]["InferenceSchedulerArn"] == made[1]["InferenceSchedulerArn"]
        return str(made[0]["InferenceSchedulerArn"])

    arns = at_once(create, SCHEDULERS)
    assert len(set(arns)) == SCHEDULERS
    [listed] = walk(service.api.list_inference_schedulers, "InferenceSchedulerSummaries", MaxResults=500)
    assert [(each["InferenceSchedulerName"], each["Status"]) for each in listed] == [
        (name, "RUNNING") for name in names
    ]
    assert {arn.rpartition("/")[2] for arn in arns} == scheduled(service)


def scheduled(service: Service) -> set[str]:
    """The uuids of the schedulers that EventBridge wakes."""
    schedules = service.context.client("scheduler").schedules
    group = service.context.environment.schedule_group
    return {name.removeprefix(f"{group}-") for name, each in schedules.items() if each["State"] == "ENABLED"}


def test_a_scheduler_that_many_start_and_stop_ends_as_its_record_says(service: Service) -> None:
    trained(service)
    uuid = service.create_scheduler()["InferenceSchedulerArn"].rpartition("/")[2]
    orders = [service.api.start_inference_scheduler, service.api.stop_inference_scheduler] * (CLIENTS // 2)
    random.Random(1).shuffle(orders)  # noqa: S311 - no secret

    at_once(lambda number: until_done(lambda: orders[number](InferenceSchedulerName="watch")))

    status = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")["Status"]
    assert status in {"RUNNING", "STOPPED"}
    assert scheduled(service) == ({uuid} if status == "RUNNING" else set())


def test_a_model_has_one_retraining_scheduler(service: Service) -> None:
    trained(service)
    outcomes = at_once(
        lambda _: service.api.create_retraining_scheduler(ModelName="wear", **RETRAINING)["Status"]
    )
    assert Counter(outcomes) == {"PENDING": 1, "ConflictException": CLIENTS - 1}
