"""Every operation held to the service model, by the table of `operation_cases`, through an unmodified client.

The rows are generated from the model: success; each modelled error; each required member missing; each
pattern, length, range, enum and type violated; unknown members; pages to the end; a token sent again.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.serialize import create_serializer

from service.api import OPERATIONS
from service.requests.service_model import service_model
from service.requests.validation import compiled
from service.schedulers import schedules
from tests.service.api.conftest import Service, walk
from tests.service.api.in_process import in_process
from tests.service.api.operation_cases import CASES, LIMITS, Request
from tests.service.memory import refused

MODEL = service_model()
NAMESPACE = "com.amazonaws.thorbrain#"
OF_ALL = {
    "ValidationException",
    "ThrottlingException",
    "AccessDeniedException",
    "InternalServerException",
}
"""The errors that every operation has."""

every_operation = pytest.mark.parametrize("name", sorted(CASES))


def fresh() -> Service:
    return in_process(**LIMITS)


def operation(name: str) -> OperationModel:
    return MODEL.operation_model(name)


def method(service: Service, name: str) -> Callable[..., dict[str, Any]]:
    """The method of the client that calls an operation."""
    names = {operation: method for method, operation in service.api.meta.method_to_api_mapping.items()}
    found: Callable[..., dict[str, Any]] = getattr(service.api, names[name])
    return found


def outcome(service: Service, name: str, request: Request) -> str:
    """The name of the error that a call ends with, or the empty text."""
    try:
        method(service, name)(**request)
    except ClientError as error:
        told = error
    else:
        return ""
    code: str = told.response["Error"]["Code"]
    assert told.response["Error"]["Message"]
    assert isinstance(told, getattr(service.api.exceptions, code))
    return code


def body_of(name: str, request: Request) -> Request:
    """The body of a request as the client sends it."""
    members = operation(name).input_shape.members
    token = {"ClientToken": "token"} if "ClientToken" in members else {}
    serializer = create_serializer("json", include_validation=False)
    found: Request = json.loads(
        serializer.serialize_to_request({**token, **request}, operation(name))["body"]
    )
    return found


# The table


def test_no_operation_is_left_out() -> None:
    assert set(CASES) == set(OPERATIONS), "add a row to tests/service/api/operation_cases.py"


@every_operation
def test_no_modelled_error_is_left_out(name: str) -> None:
    modelled = {error.name for error in operation(name).error_shapes}
    case = CASES[name]
    told = set(case.fails) | set(case.never)
    assert modelled >= OF_ALL
    assert modelled - OF_ALL - told == set(), "neither brought about nor said why it never happens"
    assert set(case.fails) <= modelled
    assert not set(case.fails) & set(case.never)


@every_operation
def test_lists_have_pages_and_every_filter(name: str) -> None:
    members = operation(name).input_shape.members.keys()
    case = CASES[name]
    assert (case.pages is not None) is ("NextToken" in members)
    if case.pages is not None:
        of_the_request = case.succeeds[0](fresh()).keys()
        filters = members - of_the_request - {"NextToken", "MaxResults"}
        assert filters <= set(case.filters) <= members


# Success


def leaves(shape: Shape, value: Any = None, at: str = "") -> Iterator[tuple[str, bool]]:
    """Every member of a reply by its path, and whether the reply has it."""
    if isinstance(shape, ListShape):
        entries = value or [None]
        for entry in entries:
            yield from leaves(shape.member, entry, at)
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            path = f"{at}.{name}" if at else name
            inner = (value or {}).get(name)
            yield path, inner is not None
            yield from leaves(member, inner, path)


@every_operation
def test_success_has_every_member_that_there_can_be(name: str) -> None:
    case, shape = CASES[name], operation(name).output_shape
    every, there = set(), set()
    for situation in case.succeeds:
        service = fresh()
        reply = method(service, name)(**situation(service))
        assert reply.pop("ResponseMetadata")["HTTPStatusCode"] == 200
        assert reply.keys() <= (shape.members.keys() if shape else set())
        for path, found in leaves(shape, reply) if shape else ():
            every.add(path)
            if found:
                there.add(path)
    never = {each for each in case.never if each in every}
    assert every - there - never - {"NextToken"} == set(), "without a value, and nobody says why"
    assert never & there == set(), "said to have no value, and has one"
    assert set(case.never) - every <= {error.name for error in operation(name).error_shapes}


# Errors


@pytest.mark.parametrize(
    ("name", "error"), [(name, error) for name in sorted(CASES) for error in sorted(CASES[name].fails)]
)
def test_each_error_of_the_model_is_told(name: str, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "_PAUSES", ())
    service = fresh()
    assert outcome(service, name, CASES[name].fails[error](service)) == error


OUTAGES = [
    (refused("Query", "ProvisionedThroughputExceededException", "slow down"), "ThrottlingException", 400),
    (refused("Query", "AccessDeniedException", "not authorized"), "AccessDeniedException", 400),
    (ZeroDivisionError("a fault of ours"), "InternalServerException", 500),
]
"""What the table raises, and the error and status that a caller gets for it."""


@every_operation
def test_errors_of_all_operations(name: str) -> None:
    service = fresh()
    request = CASES[name].succeeds[0](service)
    table = service.context.client("dynamodb")
    for raised, error, status in OUTAGES:

        def fails(raised: Exception = raised, **_: Any) -> None:
            raise raised

        table.get_item = table.query = table.update_item = table.transact_write_items = fails
        with pytest.raises(ClientError) as told:
            method(service, name)(**request)
        assert told.value.response["Error"]["Code"] == error
        assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert "fault of ours" not in str(told.value), "what went wrong inside is nobody's business"


# Requests that break the model


Wrong = tuple[Any, str]
"""A value that breaks a constraint, and words of the message about it."""

TYPES: Mapping[str, Sequence[Wrong]] = {
    "structure": [("text", "must be an object"), ([], "must be an object")],
    "list": [("text", "must be a list"), ({}, "must be a list")],
    "string": [(7, "must be a string"), ({}, "must be a string"), ("\ud800", "must be Unicode text")],
    "timestamp": [(wrong, "must be a time") for wrong in ("yesterday", -1, True, {}, 10**15)],
    "integer": [(wrong, "must be a whole number") for wrong in ("7", 1.5, True, [], 2**31)],
    "long": [(wrong, "must be a whole number") for wrong in ("7", 1.5, True, [], 2**63)],
}
"""Values of other types, by the type of a shape."""


def wrong_values(shape: Any) -> Iterator[Wrong]:
    """Values that break each constraint of a shape."""
    yield from TYPES[shape.type_name]
    if getattr(shape, "enum", ()):
        yield from ((text, "must satisfy enum value set") for text in ("NO_SUCH", shape.enum[0].lower()))
        return
    noun = "length" if shape.type_name in {"list", "string"} else "value"
    if "max" in shape.metadata:
        most = shape.metadata["max"]
        yield of_size(shape, most + 1), f"{noun} less than or equal to {most}"
    if shape.metadata.get("min") or ("min" in shape.metadata and noun == "value"):
        least = shape.metadata["min"]
        yield of_size(shape, least - 1), f"{noun} greater than or equal to {least}"
    yield from ((text, "must satisfy regular expression pattern") for text in breaking(shape.metadata))


def of_size(shape: Any, size: int) -> Any:
    """A list, a text or a number of a size."""
    unit = {"list": [None], "string": "x"}.get(shape.type_name)
    return size if unit is None else unit * size


def breaking(limits: Any) -> list[str]:
    """Texts of an allowed length that a pattern refuses."""
    if "pattern" not in limits:
        return []
    pattern = compiled(limits["pattern"])
    low, high = limits.get("min", 0), limits.get("max", 2048)
    tries = ["", " ", "/", "é", "☃", "aws:x", "a b\n", "\n", "P", "EPOCH ", "+5:00", "0 0", "a/b"]
    tries += [text * ((low + len(text) - 1) // len(text)) for text in tries if text and len(text) < low]
    return [text for text in tries if low <= len(text) <= high and not pattern.fullmatch(text)]


def places(shape: Shape, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Shape]]:
    """Every place in a request where a value stands; of a list, the first one."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield (*at, name), member
            yield from places(member, (*at, name))
    elif isinstance(shape, ListShape):
        yield (*at, 0), shape.member
        yield from places(shape.member, (*at, 0))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a request with another value in a place."""
    if not path:
        return new
    first, *rest = path
    if first == 0:
        entries = value or [{}]
        return [put(entries[0], tuple(rest), new), *entries[1:]]
    return {**(value or {}), first: put((value or {}).get(first), tuple(rest), new)}


def text_of(path: tuple[Any, ...]) -> str:
    """A place as messages have it."""
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).lstrip(".")


@every_operation
def test_whatever_breaks_the_model_is_refused_with_place_and_rule(name: str) -> None:
    service, rows = fresh(), 0
    body = body_of(name, CASES[name].succeeds[0](service))
    for path, shape in places(operation(name).input_shape):
        values = list(wrong_values(shape))
        assert values
        for value, words in values:
            status, reply = service.call(name, put(body, path, value))
            assert (status, reply["__type"]) == (400, f"{NAMESPACE}ValidationException"), (path, value)
            assert f"at '{text_of(path)}'" in reply["Message"], (path, value)
            assert words in reply["Message"], (path, value)
            rows += 1
    assert rows >= 3 * len(list(places(operation(name).input_shape)))


@every_operation
def test_each_required_member_is_missed_by_name(name: str) -> None:
    service = fresh()
    shape = operation(name).input_shape
    body = body_of(name, CASES[name].succeeds[0](service))
    for path, member in [((), shape), *places(shape)]:
        if not isinstance(member, StructureShape):
            continue
        for required in member.required_members:
            for absent in (None, "not there"):
                request = put(body, (*path, required), None)
                if absent:
                    request = without(request, (*path, required))
                status, reply = service.call(name, request)
                assert status == 400
                assert f"Value null at '{text_of((*path, required))}'" in reply["Message"]


def without(value: Any, path: tuple[Any, ...]) -> Any:
    """Return a request without the member in a place."""
    first, *rest = path
    if first == 0:
        return [without(value[0], tuple(rest)), *value[1:]]
    if not rest:
        return {name: member for name, member in value.items() if name != first}
    return {**value, first: without(value[first], tuple(rest))}


@every_operation
def test_unknown_members_are_ignored(name: str) -> None:
    service, shape = fresh(), operation(name).input_shape
    body = body_of(name, CASES[name].succeeds[0](service))
    for path, member in [((), shape), *places(shape)]:
        if isinstance(member, StructureShape) and (not path or has(body, path)):
            body = put(body, (*path, "NoSuchMember"), {"Deep": [1, None]})
    status, reply = service.call(name, body)
    assert status == 200, reply


def has(value: Any, path: tuple[Any, ...]) -> bool:
    """Whether a request has a value in a place."""
    for each in path:
        if not (len(value) if each == 0 else each in value):
            return False
        value = value[each]
    return True


# Pages

every_list = pytest.mark.parametrize("name", sorted(name for name in CASES if CASES[name].pages))


def listed(name: str) -> tuple[Service, Request, str]:
    """A service with entries of a list, the request for it and the member that has them."""
    service, pages = fresh(), CASES[name].pages
    assert pages is not None
    members = operation(name).output_shape.members
    [member] = [each for each in members if isinstance(members[each], ListShape)]
    return service, pages(service), member


@every_list
def test_a_list_is_walked_to_its_end(name: str) -> None:
    service, request, member = listed(name)
    call = method(service, name)
    [all_at_once] = walk(call, member, **request)
    assert len(all_at_once) >= 3
    for size in (1, 2, len(all_at_once)):
        pages = walk(call, member, MaxResults=size, **request)
        assert [entry for page in pages for entry in page] == all_at_once
        assert all(len(page) == size for page in pages[:-1])
        assert pages[-1], "the last page is not empty"


@every_list
def test_a_token_is_for_the_list_that_gave_it(name: str) -> None:
    service, request, _ = listed(name)
    token = method(service, name)(MaxResults=1, **request)["NextToken"]
    for wrong in ("x", token[:-4], token.swapcase()):
        assert outcome(service, name, {**request, "NextToken": wrong}) == "ValidationException"
    for filter_, value in CASES[name].filters.items():
        changed = {**request, filter_: value, "NextToken": token}
        assert outcome(service, name, changed) == "ValidationException", filter_
    other = "ListModels" if name != "ListModels" else "ListDatasets"
    assert outcome(service, other, {"NextToken": token}) == "ValidationException"


@every_list
def test_each_filter_keeps_some(name: str) -> None:
    service, request, member = listed(name)
    whole = method(service, name)(**request)[member]
    for filter_, value in CASES[name].filters.items():
        some = method(service, name)(**{**request, filter_: value})[member]
        assert 0 < len(some) < len(whole), filter_
        assert [entry for entry in whole if entry in some] == some, f"{filter_} keeps the order"


# Tokens

ONCE = sorted(name for name in CASES if "ClientToken" in operation(name).input_shape.members)


def records(service: Service) -> dict[Any, Any]:
    """What is in the table."""
    return dict(service.context.client("dynamodb").items)


@pytest.mark.parametrize("name", ONCE)
def test_a_request_that_is_sent_again_is_done_once(name: str) -> None:
    service = fresh()
    request = {**CASES[name].succeeds[0](service), "ClientToken": "the same"}
    call = method(service, name)
    first = call(**request)
    after = records(service)
    second = call(**request)
    identity = {member for member in first if member not in {"Status", "ResponseMetadata"}}
    assert identity
    assert {member: second[member] for member in identity} == {member: first[member] for member in identity}
    assert records(service) == after


@pytest.mark.parametrize("name", ONCE)
def test_a_token_is_for_one_request(name: str) -> None:
    service = fresh()
    body = body_of(name, CASES[name].succeeds[0](service))
    assert service.call(name, body)[0] == 200
    status, reply = service.call(name, changed(body))
    assert (status, reply["__type"]) == (400, f"{NAMESPACE}ValidationException")
    assert "ClientToken 'token' was used for a request with other parameters" in reply["Message"]


def changed(body: Request) -> Request:
    """A request that differs from another one, and is as good."""
    if "ResourcePolicy" in body:
        return {**body, "ResourcePolicy": f"{body['ResourcePolicy']} "}
    optional = (
        ("Tags",),
        ("IngestionInputConfiguration", "S3InputConfiguration", "KeyPattern"),
        ("Notes",),
        ("PromoteMode",),
    )
    return next(without(body, path) for path in optional if has(body, path))
