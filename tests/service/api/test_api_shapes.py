"""Properties of every operation: what breaks the model is refused, what fits it is answered in its terms."""

import json
import re
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api import OPERATIONS
from service.errors import ValidationError
from service.members.locations import prefix_mistake
from service.requests.service_model import service_model
from service.requests.validation import compiled, parse
from tests.service.api.conftest import ROLE, SCHEMA, Service

MODEL = service_model()
BEHIND = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Values that reach the operation: free texts would nearly always end in the same check.
SENSIBLE: dict[str, list[str]] = {
    "DatasetName": ["pump", "none"],
    "ModelName": ["wear", "none"],
    "InferenceSchedulerName": ["watch", "none"],
    "InferenceSchedulerIdentifier": ["watch", "none"],
    "IamRoleArn": [ROLE],
    "InlineDataSchema": [json.dumps(SCHEMA), "{}"],
    "OffCondition": [r"pump\flow < 1", "flow"],
    "KeyPattern": ["{prefix}/{component_name}/*"],
    "NextToken": ["", "abc"],
}


def valid(shape: Shape) -> st.SearchStrategy[Any]:
    """Values that the model allows."""
    if isinstance(shape, StructureShape):
        members = {name: valid(member) for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if isinstance(shape, ListShape):
        return st.lists(valid(shape.member), min_size=shape.metadata.get("min", 0), max_size=3)
    if shape.type_name == "string":
        return valid_text(shape)
    if shape.type_name == "timestamp":
        return st.floats(0, 4e9) | st.integers(0, 4 * 10**9) | st.datetimes().map(lambda t: f"{t:%Y-%m-%d}")
    low = shape.metadata.get("min", -(2**31))
    return st.integers(low, shape.metadata.get("max", 2**31 - 1))


def valid_text(shape: Any) -> st.SearchStrategy[str]:
    if shape.name in SENSIBLE:
        return st.sampled_from(SENSIBLE[shape.name])
    if shape.enum:
        return st.sampled_from(shape.enum)
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 64)
    if "pattern" in shape.metadata:
        texts = matching(shape.metadata["pattern"])
    else:
        texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=low, max_size=min(high, 64))
    return texts.filter(lambda text: low <= len(text) <= high)


def matching(pattern: str) -> st.SearchStrategy[str]:
    """Short texts that match: a few hundred characters say no more than a few, and take far longer."""
    short = re.sub(r"\{(\d+),(\d{3,})\}", r"{\1,9}", compiled(pattern).pattern)
    return st.from_regex(re.compile(short, re.ASCII), fullmatch=True)


def invalid(shape: Shape) -> st.SearchStrategy[Any]:
    """Values that the model does not allow, null excepted."""
    if isinstance(shape, StructureShape):
        return st.sampled_from(["text", 7, [], True])
    if isinstance(shape, ListShape):
        return st.sampled_from(["text", 7, {}, [None], [[]], [{}]])
    if shape.type_name == "string":
        wrong: list[Any] = [7, 1.5, True, [], {}, "\ud800"]
        if shape.enum:
            wrong.append("PT7M")
        if "max" in shape.metadata:
            wrong.append("x" * (shape.metadata["max"] + 1))
        pattern = shape.metadata.get("pattern")
        wrong += [text for text in ("", "é*", "a b\n") if pattern and not compiled(pattern).fullmatch(text)]
        return st.sampled_from(wrong)
    if shape.type_name == "timestamp":
        return st.sampled_from(["yesterday", "", -1, 1e300, 10**40, [], {}, True, "0001-01-01", "2026-13-01"])
    wrong = ["7", 1.5, 2**63, -(2**63) - 1, 1e300, [], {}, True]
    wrong += [
        shape.metadata[bound] + by for bound, by in (("min", -1), ("max", 1)) if bound in shape.metadata
    ]
    return st.sampled_from(wrong)


def paths(shape: Shape, at: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Shape]]:
    """Every place in a request where a value stands."""
    found = [(at, shape)]
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            found += paths(member, (*at, name))
    return found


def put(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    if not path:
        return wrong
    return {**value, path[0]: put(value.get(path[0], {}), path[1:], wrong)}


OF_THIS_RELEASE = sorted(OPERATIONS)


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_what_breaks_the_model_is_a_validation_error(service: Service, name: str) -> None:
    shape = MODEL.operation_model(name).input_shape

    @BEHIND
    @given(st.data())
    def check(data: st.DataObject) -> None:
        path, member = data.draw(st.sampled_from(paths(shape)))
        request = put(data.draw(valid(shape)), path, data.draw(invalid(member)))
        status, reply = service.call(name, json.dumps(request))
        assert (status, reply["__type"]) == (400, "com.amazonaws.thorbrain#ValidationException")
        if name in OPERATIONS:
            assert "failed to satisfy constraint" in reply["Message"]

    check()


@pytest.mark.parametrize("name", OF_THIS_RELEASE)
def test_a_missing_required_member_is_named(service: Service, name: str) -> None:
    shape = MODEL.operation_model(name).input_shape
    status, reply = service.call(name, {})
    if shape.required_members:
        assert status == 400
        for member in shape.required_members:
            assert f"Value null at '{member}'" in reply["Message"]
    else:
        assert status == 200


@pytest.mark.parametrize("name", OF_THIS_RELEASE)
def test_what_fits_the_model_is_answered_in_its_terms(service: Service, name: str) -> None:
    operation = MODEL.operation_model(name)
    service.ingested_dataset(statistics=[])
    service.trained_model()
    service.create_scheduler()

    @BEHIND
    @given(valid(operation.input_shape))
    def check(request: dict[str, Any]) -> None:
        status, reply = service.call(name, request)
        if status == 200:
            assert reply.keys() <= (
                operation.output_shape.members.keys() if operation.output_shape else set()
            )
            assert None not in reply.values()
        else:
            assert status == 400, reply
            assert reply["__type"].partition("#")[2] in {error.name for error in operation.error_shapes}
            assert reply["Message"]

    check()


def test_every_pattern_of_the_model_is_understood() -> None:
    patterns = {
        shape.metadata["pattern"]
        for shape in map(MODEL.shape_for, MODEL.shape_names)
        if "pattern" in shape.metadata
    }
    assert len(patterns) > 20
    for pattern in patterns:
        assert compiled(pattern).flags & re.ASCII
        assert not re.search(r"\\[pP]\{", compiled(pattern).pattern), pattern


@pytest.mark.parametrize(
    ("shape", "text", "verdict"),
    [
        ("BoundedLengthString", "line\nnäxt\U0001f600", "fits"),
        ("IdempotenceToken", "a\n~", "fits"),
        ("IdempotenceToken", "ä", "breaks"),
        ("S3Prefix", "", "fits"),
        ("S3Prefix", "a/b/", "fits"),
        ("S3Prefix", "a/b", "breaks"),
        ("S3Prefix", "a/\n", "breaks"),
        ("ComponentTimestampDelimiter", " ", "fits"),
        ("ComponentTimestampDelimiter", "", "fits"),
        ("ComponentTimestampDelimiter", "--", "breaks"),
        ("FileNameTimestampFormat", "EPOCH", "fits"),
        ("FileNameTimestampFormat", "EPOCHyyyy", "breaks"),
        ("FileNameTimestampFormat", "epoch", "breaks"),
        ("TagKey", "aws:x", "breaks"),
        ("TagKey", "a b", "breaks"),
        ("TagKey", "plant,1;<x", "fits"),
        ("DatasetName", "pump\n", "breaks"),
        ("DatasetName", "pümp", "breaks"),
    ],
)
def test_patterns_mean_what_java_means(shape: str, text: str, verdict: str) -> None:
    pattern = MODEL.shape_for(shape).metadata["pattern"]
    assert (compiled(pattern).fullmatch(text) is not None) is (verdict == "fits")


@pytest.mark.parametrize(
    ("shape", "text", "instead"),
    [
        ("S3Prefix", "a/b", "(a prefix ends with '/': give 'a/b/' as Prefix)"),
        (
            "S3Prefix",
            "s3://plant/a",
            "(it is a whole location: give 'plant' as Bucket, and give 'a/' as Prefix)",
        ),
        ("S3Bucket", "s3://plant", "(a bucket is given by its name alone: give 'plant' as Bucket)"),
        ("S3Bucket", "arn:aws:s3:::plant", "(a bucket is given by its name alone: give 'plant' as Bucket)"),
        ("S3Prefix", "arn:aws:s3:::plant/a", "give 'plant' as Bucket, and give 'a/' as Prefix)"),
        ("S3Bucket", "plant/a", "give 'plant' as Bucket, and give 'a/' as Prefix)"),
        ("S3Bucket", "Plant", "failed to satisfy constraint"),
    ],
)
def test_a_wrong_place_says_what_to_give_instead(shape: str, text: str, instead: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse(MODEL.shape_for(shape), text)
    assert instead in str(refused.value)


@pytest.mark.parametrize(
    ("prefix", "mistake"),
    [
        ("", None),
        ("a/b/", None),
        ("s3://", "it is a whole location: give '' as Bucket, and leave out Prefix"),
        ("/a/", "keys in S3 do not begin with '/': give 'a/' as Prefix"),
        ("/", "keys in S3 do not begin with '/': leave out Prefix"),
        ("plant/a/", "it begins with the name of the bucket: give 'a/' as Prefix"),
        ("plants/a/", None),
    ],
)
def test_what_is_wrong_with_a_prefix(prefix: str, mistake: str | None) -> None:
    assert prefix_mistake(prefix, bucket="plant") == mistake
