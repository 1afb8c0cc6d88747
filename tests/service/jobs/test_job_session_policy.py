"""The session of a customer's role reaches the places of its job, and no others."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.jobs.storage.session_policy import Place, session_policy
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.inference import started, upload
from tests.service.jobs.world import World

MOST = 2048
"""Characters of a session policy that AWS takes."""


def resources(policy: str) -> dict[str, list[str]]:
    """The resources of a policy by action."""
    return {
        action: statement["Resource"]
        for statement in json.loads(policy)["Statement"]
        for action in statement["Action"]
    }


def test_a_policy_names_what_is_read_and_what_is_written() -> None:
    policy = session_policy(
        "aws-cn",
        reads=[Place(bucket="data", prefix="pump/in/")],
        writes=[Place(bucket="results", prefix="")],
    )
    assert json.loads(policy) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws-cn:s3:::data"]},
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws-cn:s3:::data/pump/in/*"]},
            {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws-cn:s3:::results/*"]},
            {
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": ["*"],
                "Condition": {"StringLike": {"kms:ViaService": "s3.*"}},
            },
        ],
    }


@pytest.mark.parametrize(
    ("prefix", "pattern"),
    [
        ("a/b-c_d.e/", "a/b-c_d.e/*"),
        ("Werk 1/", "Werk 1/*"),
        ("plant*/in/", "plant*"),
        ("plant?/in/", "plant*"),
        ("plant/${aws:username}/", "plant/*"),
        ("Müller/in/", "M*"),
        ("data/日本/", "data/*"),
        ("x" * 500 + "/", "x" * 200 + "*"),
    ],
)
def test_a_prefix_is_cut_where_iam_would_read_it_otherwise(prefix: str, pattern: str) -> None:
    policy = session_policy("aws", reads=[Place(bucket="b", prefix=prefix)])
    assert resources(policy)["s3:GetObject"] == [f"arn:aws:s3:::b/{pattern}"]


@given(
    prefix=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=1023),
    rest=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_every_prefix_makes_a_policy_that_aws_takes_and_that_allows_its_objects(
    prefix: str, rest: str
) -> None:
    place = Place(bucket="b" * 63, prefix=prefix)
    policy = session_policy("aws-iso-b", reads=[place], writes=[place])
    assert len(policy) <= MOST
    assert policy.isascii()
    (pattern,) = resources(policy)["s3:GetObject"]
    fixed, star, end = pattern.partition("*")
    assert (star, end) == ("*", "")
    assert not {*fixed} & {*"?$*"}
    assert f"arn:aws-iso-b:s3:::{place.bucket}/{prefix}{rest}".startswith(fixed)


@contextmanager
def sessions(world: World) -> Iterator[list[dict[str, list[str]]]]:
    """The resources by action that the sessions of jobs may reach, of those that begin in the block."""
    found: list[dict[str, list[str]]] = []
    events, name = world.runtime.sts.meta.events, "before-parameter-build.sts.AssumeRole"

    def note(params: dict[str, Any], **_: object) -> None:
        found.append(resources(params["Policy"]))

    events.register(name, note)
    yield found
    events.unregister(name, note)
    assert found, "no session"


def test_an_ingestion_reads_below_its_prefix_and_writes_nothing(world: World) -> None:
    with sessions(world) as found:
        world.ingest(world.dataset(pump.SCHEMA), prefix="train/")
    for session in found:
        assert session["s3:GetObject"] == [f"arn:aws:s3:::{world.bucket}/train/*"]
        assert session["s3:ListBucket"] == [f"arn:aws:s3:::{world.bucket}"]
        assert "s3:PutObject" not in session


def test_a_training_reads_labels_and_writes_diagnostics(home: World, dataset: Item) -> None:
    labels = {"Bucket": home.bucket, "Prefix": "labels/"}
    target = {"Bucket": home.bucket, "Prefix": "elsewhere/"}
    with sessions(home) as found:
        home.model(
            dataset,
            pump.SCHEMA,
            RoleArn=home.role,
            LabelsInputConfiguration={"S3InputConfiguration": labels},
            ModelDiagnosticsOutputConfiguration={"S3OutputConfiguration": target},
        )
    for session in found:
        assert session["s3:GetObject"] == [f"arn:aws:s3:::{home.bucket}/labels/*"]
        assert session["s3:PutObject"] == [f"arn:aws:s3:::{home.bucket}/elsewhere/*"]


def test_an_inference_reads_its_input_and_writes_its_output(world: World, model: Item) -> None:
    upload(world, "10:00")
    scheduler = started(world, model, "10:05")
    with sessions(world) as found:
        world.tick(scheduler)
    for session in found:
        assert session["s3:GetObject"] == [f"arn:aws:s3:::{world.bucket}/in/*"]
        assert session["s3:PutObject"] == [f"arn:aws:s3:::{world.bucket}/out/*"]
