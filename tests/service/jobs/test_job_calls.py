"""How often a window calls AWS: each call is paid for, so none may be added unnoticed (docs/cost.md)."""

from typing import Any

import pytest

from service.storage.names import DATASET
from service.storage.store import Item
from tests.embedded import EmbeddedAws
from tests.service.counted import CountedCalls, counted_calls, item_bytes
from tests.service.jobs import pump
from tests.service.jobs.conftest import environment
from tests.service.jobs.inference import DAY, MINUTE, started
from tests.service.jobs.world import World, schema

COMPONENTS = 10


def calls(components: int) -> dict[str, int]:
    """What a window of a healthy machine may call: two files of each component lie near it."""
    return {
        "AssumeRole": 1,
        "GetItem": 4,  # scheduler, model, version, and the scheduler again: is another window due?
        "TransactWriteItems": 2,
        "ListObjectsV2": components,
        "GetObject": 2 * components + 3,  # artefact, schema and state
        "PutObject": 2,  # result and state
        "PutMetricData": 1,
    }


def window(world: World, model: Item, names: tuple[str, ...], **naming: Any) -> CountedCalls:
    """Return the calls of the fifth window of a scheduler: the first ones have something to say."""
    source = {"S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "in/"}, **naming}
    scheduler = started(world, model, "10:05", DataInputConfiguration=source)
    for start in range(0, 25, 5):
        data = list(pump.history(f"{DAY}10:{start:02d}", count=6, step=MINUTE, seed=start + 1))[1:]
        for name in names:
            world.upload(f"in/{name}_2026010510{start:02d}00.csv", pump.drive(data))
        world.set_clock(f"{DAY}10:{start + 5:02d}:20")
        with counted_calls() as counted:
            assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    return counted


@pytest.fixture(scope="module", params=[1, COMPONENTS], ids=["one", "ten"])
def plant(request: pytest.FixtureRequest, jobs_aws: EmbeddedAws, home: World) -> tuple[Item, tuple[str, ...]]:
    """A model of one component, and of ten, each with a drive's two sensors."""
    names = tuple(f"drive{number}" for number in range(request.param))
    text = schema(**dict.fromkeys(names, ("speed", "current")))
    data = list(pump.history("2020-01-01", count=15 * 1440, step=MINUTE))
    for name in names:
        home.upload(f"calls{request.param}/{name}/data.csv", pump.drive(data))
    with environment(jobs_aws):
        dataset = home.dataset(text)
        job = home.ingest(dataset, prefix=f"calls{request.param}/")
        assert job["Status"] == "SUCCESS", job.get("FailedReason")
        dataset = home.get(DATASET, dataset["DatasetName"])
        model = home.model(dataset, text, DataPreProcessingConfiguration={"TargetSamplingRate": "PT1M"})
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    return model, names


NAMED = {"TimestampFormat": "yyyyMMddHHmmss", "ComponentTimestampDelimiter": "_"}


@pytest.mark.parametrize("naming", [{}, {"InferenceInputNameConfiguration": NAMED}], ids=["unnamed", "named"])
def test_calls_of_a_window(world: World, plant: tuple[Item, tuple[str, ...]], naming: dict[str, Any]) -> None:
    model, names = plant
    counted = window(world, model, names, **naming)
    assert dict(counted.by_operation()) == calls(len(names))
    (request,) = [call.request for call in counted.calls if call.operation == "PutMetricData"]
    sent = {each["MetricName"]: each["Value"] for each in request["MetricData"]}
    assert sent == {"InferenceSucceeded": 1.0}, "what is zero is not sent"


def test_units_of_the_table(world: World, plant: tuple[Item, tuple[str, ...]]) -> None:
    """Of the execution and the scheduler, twice each: once to begin, once to end, double in transactions."""
    model, names = plant
    counted = window(world, model, names)
    assert (counted.read_units, counted.write_units) == (4, 8)


def test_requests_for_keys(world: World, plant: tuple[Item, tuple[str, ...]]) -> None:
    """With bucket keys, S3 asks KMS per bucket and not per object: no call of ours may ask KMS by itself."""
    model, names = plant
    counted = window(world, model, names)
    assert {call.service for call in counted.calls} == {"sts", "dynamodb", "s3", "cloudwatch"}
    assert len(counted.in_bucket("PutObject", world.runtime.bucket)) == 1
    assert len(counted.in_bucket("GetObject", world.runtime.bucket)) == 3


def test_sizes_of_items() -> None:
    """As DynamoDB documents them: texts in UTF-8, two digits in a byte, three bytes for a structure."""
    item = {"pk": {"S": "é"}, "n": {"N": "1234"}, "m": {"M": {"a": {"S": "x"}}}, "l": {"L": []}}
    assert item_bytes(item) == (2 + 2) + (1 + 4) + (1 + 3 + 1 + 1 + 1) + (1 + 3)
