"""The embedded AWS for the jobs, and a world of one customer for each test."""

import json
import uuid
from collections.abc import Iterator

import pytest

from service.jobs.runtime import Runtime
from service.settings import Settings
from service.store import Store
from tests.embedded import CREDENTIALS, EmbeddedAws, embedded_aws
from tests.service.jobs.world import PLACE, World


@pytest.fixture(scope="session")
def jobs_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with embedded_aws(tmp_path_factory.mktemp("ministack")) as aws:
        aws.create_table("l4e")
        aws.create_bucket("service")
        aws.client("iam").create_role(
            RoleName="data",
            Path="/lookoutequipment/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
        )
        yield aws


@pytest.fixture
def world(jobs_aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": jobs_aws.endpoint}.items():
        monkeypatch.setenv(name, value)
    bucket = f"customer-{uuid.uuid4().hex[:12]}"
    jobs_aws.create_bucket(bucket)
    return World(
        rt=Runtime(
            store=Store(jobs_aws.client("dynamodb"), "l4e"),
            settings=Settings(),
            s3=jobs_aws.client("s3"),
            sts=jobs_aws.client("sts"),
            cloudwatch=jobs_aws.client("cloudwatch"),
            bucket="service",
            metric_namespace="LookoutEquipment",
            pauses=(0.0,),
        ),
        customer=jobs_aws.client("s3"),
        bucket=bucket,
        role=f"arn:aws:iam::{PLACE.account}:role/lookoutequipment/data",
    )
