"""Page tokens: nobody makes one, and nobody uses that of somebody else."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import api
from service.errors import ValidationError
from service.requests.page_tokens import PageTokens
from service.storage.names import PAGE_TOKENS, SIGNING_KEY
from tests.embedded import ACCOUNT
from tests.service.api.conftest import Service

ANNA = f"arn:aws:iam::{ACCOUNT}:user/anna"
BERT = f"arn:aws:iam::{ACCOUNT}:user/bert"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Operators/"


def page(service: Service, arn: str | None, **request: Any) -> tuple[int, dict[str, Any]]:
    """Status and body of a list of datasets, a page of one, by a caller."""
    reply = api.respond(
        {
            "headers": {"X-Amz-Target": "AWSLookoutEquipmentFrontendService.ListDatasets"},
            "body": json.dumps({"MaxResults": 1, **request}),
            "requestContext": {"identity": {"userArn": arn}},
        },
        service.context,
    )
    return reply["statusCode"], json.loads(reply["body"])


@pytest.fixture
def filled(service: Service) -> Service:
    for name in ("a", "b", "c"):
        service.create_dataset(name)
    return service


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (ANNA, ANNA, 200),
        (ANNA, BERT, 400),
        (ANNA, None, 400),
        (f"{SESSION}monday", f"{SESSION}tuesday", 200),
        (f"{SESSION}monday", SESSION.replace("Operators", "Readers") + "monday", 400),
        (f"{SESSION}monday", f"{SESSION.replace(ACCOUNT, '111122223333')}monday", 400),
    ],
)
def test_a_token_is_its_callers(filled: Service, first: str, second: str | None, status: int) -> None:
    _, reply = page(filled, first)
    code, reply = page(filled, second, NextToken=reply["NextToken"])
    assert code == status
    if status == 200:
        assert [one["DatasetName"] for one in reply["DatasetSummaries"]] == ["b"]
    else:
        assert reply["__type"].endswith("#ValidationException")
        assert "was not returned by ListDatasets with these filters to this caller" in reply["Message"]


def test_every_changed_bit_is_noticed(filled: Service) -> None:
    _, reply = page(filled, ANNA)
    token = base64.urlsafe_b64decode(reply["NextToken"])
    for at in range(len(token)):
        forged = token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]
        status, _ = page(filled, ANNA, NextToken=base64.urlsafe_b64encode(forged).decode())
        assert status == 400, at


@pytest.mark.parametrize("position", ["", "a", "x" * 1500, "\0", "\ud7ff"])
def test_a_position_of_ones_own_needs_the_key(filled: Service, position: str) -> None:
    forged = base64.urlsafe_b64encode(bytes(32) + position.encode()).decode()
    assert page(filled, ANNA, NextToken=forged)[0] == 400


def test_without_its_key_a_token_is_void_and_lists_go_on(filled: Service) -> None:
    _, reply = page(filled, ANNA)
    filled.context.store.delete(SIGNING_KEY, PAGE_TOKENS)
    assert page(filled, ANNA, NextToken=reply["NextToken"])[0] == 400
    _, fresh = page(filled, ANNA)
    assert fresh["NextToken"] != reply["NextToken"]
    assert page(filled, ANNA, NextToken=fresh["NextToken"])[0] == 200


def test_all_lists_sign_with_one_key_that_is_long(filled: Service) -> None:
    assert page(filled, ANNA)[1]["NextToken"] == page(filled, ANNA)[1]["NextToken"]
    key = filled.context.records.signing_key(PAGE_TOKENS)
    assert key is not None
    assert len(bytes.fromhex(key["secret"])) == 32


def tokens(key: bytes = b"k" * 32) -> PageTokens:
    return PageTokens(key=key, operation="ListDatasets", filters={}, caller=ANNA)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_position_comes_back(position: str) -> None:
    assert tokens().position(tokens().at(position)) == position


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="was not returned by ListDatasets"):
        tokens().position(token)


@pytest.mark.parametrize(
    "other",
    [
        {"operation": "ListModels"},
        {"filters": {"DatasetNameBeginsWith": "a"}},
        {"caller": BERT},
        {"caller": ""},
    ],
)
def test_a_token_of_another_request_is_refused(other: Any) -> None:
    with pytest.raises(ValidationError):
        tokens().position(replace(tokens(), **other).at("a"))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_token_of_another_deployment_is_refused(position: str) -> None:
    with pytest.raises(ValidationError):
        tokens().position(tokens(key=b"other" * 8).at(position))
