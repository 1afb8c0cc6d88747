"""The parser: the service is asked for what the template says, though CloudFormation made text of it."""

from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_resources.errors import FailedError
from custom_resources.handler import RESOURCES
from custom_resources.properties import Properties, parse
from tests.lifecycle.cases import Case, case_of
from tests.lifecycle.cloudformation import stringify

MODEL = botocore.session.get_session().get_service_model("lookoutequipment")
SCHEDULER_CASE = case_of("InferenceScheduler")
SCHEDULER = SCHEDULER_CASE.base
MODEL_CASE = case_of("Model")


def read(case: Case, properties: dict[str, Any]) -> Properties:
    resource = next(resource for resource in RESOURCES if resource.resource_type == case.type)
    return parse(
        stringify(properties),
        model=MODEL,
        operation=resource.operation,
        name_member=resource.name_member,
        options=resource.options,
        subject="it",
    )


@given(
    delay=st.integers(0, 60),
    running=st.booleans(),
    prefix=st.none() | st.from_regex(r"[a-z]{1,5}/", fullmatch=True),
    tags=st.dictionaries(
        st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.text("abc :/=", max_size=20), max_size=5
    ),
)
def test_properties_survive_cloudformation(
    *, delay: int, running: bool, prefix: str | None, tags: dict[str, str]
) -> None:
    place = {"Bucket": "live"} | ({"Prefix": prefix} if prefix else {})
    given_properties = SCHEDULER | {
        "DataDelayOffsetInMinutes": delay,
        "DesiredState": "RUNNING" if running else "STOPPED",
        "DataInputConfiguration": {"S3InputConfiguration": place},
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    parsed = read(SCHEDULER_CASE, given_properties)
    assert parsed.members["DataDelayOffsetInMinutes"] == delay
    assert parsed.members["DataInputConfiguration"] == {"S3InputConfiguration": place}
    assert parsed.running is running
    assert parsed.tags == tags
    assert not {"ServiceToken", "ServiceTimeout", "PropertiesVersion", "DesiredState"} & parsed.members.keys()


@pytest.mark.parametrize(("text", "wait"), [("true", True), ("false", False), (True, True), (False, False)])
def test_booleans_are_read_literally(text: str | bool, wait: bool) -> None:  # noqa: FBT001 - a table
    assert read(MODEL_CASE, MODEL_CASE.base | {"Wait": text}).wait is wait


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (
            "InferenceScheduler",
            {"DataDelayOffsetInMinutes": "61"},
            "DataDelayOffsetInMinutes is 61: use a number from 0 to 60",
        ),
        (
            "InferenceScheduler",
            {"DataDelayOffsetInMinutes": "five"},
            "DataDelayOffsetInMinutes is 'five': give a whole number",
        ),
        (
            "InferenceScheduler",
            {"DataDelayOffsetInMinutes": "5.0"},
            "DataDelayOffsetInMinutes is '5.0': give a whole number",
        ),
        (
            "InferenceScheduler",
            {"DataUploadFrequency": "PT7M"},
            "DataUploadFrequency is 'PT7M': use one of PT5M, PT10M",
        ),
        (
            "InferenceScheduler",
            {"DesiredState": "running"},
            "DesiredState is 'running': use one of RUNNING, STOPPED",
        ),
        ("InferenceScheduler", {"RoleArn": "reader"}, "RoleArn is 'reader', 6 characters: use 20 to 2048"),
        ("InferenceScheduler", {"RoleArn": "reader" * 4}, "it must match arn:aws"),
        (
            "InferenceScheduler",
            {"DataInputConfiguration": "live"},
            "DataInputConfiguration is 'live': give an object with",
        ),
        (
            "InferenceScheduler",
            {"DataOutputConfiguration": {}},
            "property DataOutputConfiguration.S3OutputConfiguration is required",
        ),
        (
            "InferenceScheduler",
            {"DataOutputConfiguration": {"S3OutputConfiguration": {"Bucket": "live", "Path": "x"}}},
            "unknown property DataOutputConfiguration.S3OutputConfiguration.Path: use one of Bucket, Prefix",
        ),
        ("InferenceScheduler", {"ClientToken": "mine"}, "unknown property 'ClientToken'"),
        ("Model", {"Wait": "yes"}, "Wait is 'yes': use one of true, false"),
        (
            "Model",
            {"TrainingDataStartTime": "2024-01-01"},
            "TrainingDataStartTime is '2024-01-01': give a time with zone",
        ),
        (
            "Model",
            {"TrainingDataStartTime": "soon"},
            "TrainingDataStartTime is 'soon': give a time with zone",
        ),
        (
            "Model",
            {"TrainingDataStartTime": "0001-01-01T00:00:00+10:00"},
            "TrainingDataStartTime is '0001-01-01T00:00:00+10:00': give a time with zone",
        ),
        (
            "Dataset",
            {"Schema": {"Bucket": "b"}},
            "Schema is {'Bucket': 'b'}: give an object with InlineDataSchema, or with Bucket, Key and Sha256",
        ),
        ("Dataset", {"Schema": {"InlineDataSchema": ""}}, "InlineDataSchema must be text"),
        ("Dataset", {"Tags": {"site": "north"}}, "Tags is {'site': 'north'}: give a list"),
        (
            "Dataset",
            {"Tags": [{"Key": "constructs-l4e:owner", "Value": "me"}]},
            "'constructs-l4e:owner' is reserved",
        ),
        ("Dataset", {"RemovalPolicy": "keep"}, "RemovalPolicy is 'keep': use one of retain, destroy"),
        ("DataIngestion", {"Revision": {"n": 1}}, "Revision is {'n': '1'}: give a text"),
        ("LabelGroup", {"FaultCodes": "bearing"}, "FaultCodes is 'bearing': give a list"),
        ("LabelGroup", {"FaultCodes": ["x" * 101]}, "101 characters: use 1 to 100"),
        ("LabelGroup", {"Labels": {}}, "Labels is {}: give a list"),
        (
            "LabelGroup",
            {"Labels": [{}]},
            "Labels[0] is {}: give an object with InlineLabels, or with Bucket, Key and",
        ),
    ],
)
def test_a_wrong_property_is_named_with_rule_and_fix(kind: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(FailedError) as raised:
        read(case_of(kind), case_of(kind).base | change)
    assert message in str(raised.value)


def test_a_missing_property_is_named() -> None:
    properties = {key: value for key, value in SCHEDULER.items() if key != "RoleArn"}
    with pytest.raises(FailedError, match="property 'RoleArn' is required: add it"):
        read(SCHEDULER_CASE, properties)


@pytest.mark.parametrize(
    ("kind", "name"), [("ImportedDataset", "DatasetName"), ("ImportedModel", "ModelName")]
)
def test_a_name_that_the_service_could_choose_is_missing_all_the_same(kind: str, name: str) -> None:
    case = case_of(kind)
    with pytest.raises(FailedError, match=f"property '{name}' is required: add it"):
        read(case, {key: value for key, value in case.base.items() if key != name})


def test_a_time_with_any_zone_is_one_moment() -> None:
    first = read(MODEL_CASE, MODEL_CASE.base | {"TrainingDataStartTime": "2024-01-01T00:00:00Z"})
    second = read(MODEL_CASE, MODEL_CASE.base | {"TrainingDataStartTime": "2024-01-01T02:00:00+02:00"})
    assert first.members == second.members
