"""The embedded AWS for the jobs, a world of one customer for each test, and one trained model for all."""

import gzip
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.event_bus.bus_event import SOURCE
from service.jobs.capacity import Capacity
from service.jobs.runtime import Runtime
from service.settings import Settings
from service.storage.names import DATASET
from service.storage.store import Item, Store
from tests.embedded import CREDENTIALS, EmbeddedAws, embedded_aws
from tests.service.jobs import pump
from tests.service.jobs.boundary import States
from tests.service.jobs.bus import Bus
from tests.service.jobs.plant import Plant, new_plant
from tests.service.jobs.world import ARNS, World, at


@pytest.fixture(scope="session")
def jobs_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    directory: Path = tmp_path_factory.mktemp("ministack")
    with embedded_aws(directory) as aws:
        aws.create_table("l4e")
        aws.create_bucket("service")
        aws.client("iam").create_role(
            RoleName="data",
            Path="/lookoutequipment/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
        )
        yield aws


@contextmanager
def environment(aws: EmbeddedAws) -> Iterator[None]:
    """The environment of a function of the embedded AWS, only as long as it is needed."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": aws.endpoint}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(autouse=True)
def _environment(jobs_aws: EmbeddedAws) -> Iterator[None]:
    with environment(jobs_aws):
        yield


def new_world(aws: EmbeddedAws) -> World:
    bucket = f"customer-{uuid.uuid4().hex[:12]}"
    aws.create_bucket(bucket)
    return World(
        runtime=Runtime(
            store=Store(aws.shared_client("dynamodb"), "l4e"),
            settings=Settings(),
            s3=aws.shared_client("s3"),
            sts=aws.shared_client("sts"),
            cloudwatch=aws.shared_client("cloudwatch"),
            events=aws.shared_client("events"),
            bucket="service",
            metric_namespace="LookoutEquipment",
            capacity=Capacity(memory=3008 * 2**20, disk=2**30),
            pauses=(0.0,),
        ),
        customer=aws.shared_client("s3"),
        bucket=bucket,
        role=f"arn:aws:iam::{ARNS.account}:role/lookoutequipment/data",
    )


@pytest.fixture(scope="session")
def states() -> States:
    """What services held after some work, so that it is done once; empty at first."""
    return {}


@pytest.fixture
def world(jobs_aws: EmbeddedAws) -> World:
    return new_world(jobs_aws)


@pytest.fixture
def bus(jobs_aws: EmbeddedAws, world: World) -> Iterator[Bus]:
    """What the jobs of the world tell others."""
    found = Bus(client=jobs_aws.shared_client("events"))
    world.runtime = replace(world.runtime, events=found)  # type: ignore[arg-type]
    yield found
    assert {entry["Source"] for entry in found.entries} <= {SOURCE}


@pytest.fixture(scope="session")
def home(jobs_aws: EmbeddedAws) -> World:
    """The world of the dataset and the model that all tests share."""
    return new_world(jobs_aws)


@pytest.fixture(scope="session")
def dataset(jobs_aws: EmbeddedAws, home: World) -> Item:
    """20 days of the pump, with one fault on the 19th; one component is compressed."""
    data = list(pump.history("2020-01-01", count=20 * 1440, step=timedelta(minutes=1), faults=(pump.FAULT,)))
    home.upload("train/drive/data.csv", pump.drive(data))
    home.upload("train/hydraulics/data.csv.gz", gzip.compress(pump.hydraulics(data).encode()))
    found = home.dataset(pump.SCHEMA)
    with environment(jobs_aws):
        job = home.ingest(found, prefix="train/")
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
    return home.get(DATASET, found["DatasetName"])


@pytest.fixture(scope="session")
def model(jobs_aws: EmbeddedAws, home: World, dataset: Item) -> Item:
    """A model with everything: windows, labels, a sampling rate, an off condition and diagnostics."""
    home.upload("labels/faults.csv", f"start,end\n{pump.FAULT[0]},{pump.FAULT[1]}\n")
    with environment(jobs_aws):
        found = home.model(
            dataset,
            pump.SCHEMA,
            RoleArn=home.role,
            TrainingDataStartTime=at("2019-01-01"),
            TrainingDataEndTime=at("2020-01-18"),
            EvaluationDataStartTime=at("2020-01-18"),
            EvaluationDataEndTime=at("2020-03-01"),
            LabelsInputConfiguration={"S3InputConfiguration": {"Bucket": home.bucket, "Prefix": "labels/"}},
            DataPreProcessingConfiguration={"TargetSamplingRate": "PT1M"},
            OffCondition="drive\\speed < 100",
            ModelDiagnosticsOutputConfiguration={
                "S3OutputConfiguration": {"Bucket": home.bucket, "Prefix": "diagnostics/"}
            },
        )
    assert found["Status"] == "SUCCESS", found.get("FailedReason")
    return found


@pytest.fixture(scope="session")
def sampled_model(jobs_aws: EmbeddedAws, home: World) -> Item:
    """A model whose flow is a sample, taken at six and at ten by turns: the longest pause is 28 hours."""
    data = list(pump.history("2020-01-01", count=110 * 48, step=timedelta(minutes=30)))
    home.upload("sampled/drive/data.csv", pump.drive(data))
    home.upload("sampled/hydraulics/data.csv", pump.without_flow(pump.hydraulics(data), pump.sampled_daily))
    found = home.dataset(pump.SCHEMA)
    with environment(jobs_aws):
        home.ingest(found, prefix="sampled/")
        made = home.model(
            home.get(DATASET, found["DatasetName"]),
            pump.SCHEMA,
            TrainingDataStartTime=at("2020-01-01"),
            TrainingDataEndTime=at("2020-04-20"),
            DataPreProcessingConfiguration={"TargetSamplingRate": "PT30M"},
            OffCondition="hydraulics\\flow < 1",
        )
    assert made["Status"] == "SUCCESS", made.get("FailedReason")
    return made


@pytest.fixture
def plant(jobs_aws: EmbeddedAws, world: World) -> Plant:
    """A service that imports, with records of its own."""
    return new_plant(jobs_aws, world)


@pytest.fixture
def source(plant: Plant, home: World, model: Item) -> Item:
    """A trained version of that service."""
    return plant.trained(model, of=home)


@pytest.fixture
def target(plant: Plant, source: Item) -> Item:
    """A copy of the dataset of the version."""
    plant.play(plant.start(plant.world.get(DATASET, source["DatasetName"])))
    return plant.world.get(DATASET, "copy")
