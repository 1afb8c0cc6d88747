"""Services of two accounts that import from each other: who may ask whom, and for what."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from canonical import app

from constructs_l4e import EquipmentService, ImportSource
from service.settings import Environment

FRIEND = "222222222222"
SOURCE = ImportSource(account="111111111111", region="eu-central-1", api_id="abcde12345")


def template(**props: Any) -> Mapping[str, Any]:
    stack = cdk.Stack(app(), "Test", env=cdk.Environment(account=FRIEND, region="eu-west-1"))
    EquipmentService(stack, "Service", **props)
    found: Mapping[str, Any] = stack.node.root.synth().get_stack_by_name("Test").template
    return found


def of_type(content: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [each["Properties"] for each in content["Resources"].values() if each["Type"] == kind]


def statements(content: Mapping[str, Any], description: str) -> list[Mapping[str, Any]]:
    """The statements of the role with this description."""
    (role,) = [
        each
        for each in of_type(content, "AWS::IAM::Role")
        if str(each.get("Description", "")).startswith(f"{description}:")
    ]
    found: list[Mapping[str, Any]] = role["Policies"][0]["PolicyDocument"]["Statement"]
    return found


def test_a_service_may_ask_its_sources_and_knows_where_they_are() -> None:
    content = template(import_sources=[SOURCE])
    for description in ("LookoutEquipment API", "LookoutEquipment jobs"):
        asks = [each for each in statements(content, description) if each["Action"] == "execute-api:Invoke"]
        assert len(asks) == 1
        text = json.dumps(asks[0]["Resource"])
        assert ":execute-api:eu-central-1:111111111111:abcde12345/v1/POST/import" in text
    for function in of_type(content, "AWS::Lambda::Function"):
        if function["Handler"] in {"service.api.handler", "service.jobs.ingest.handler"}:
            raw = {**function["Environment"]["Variables"], "L4E_URL_SUFFIX": "amazonaws.com"}
            texts = {name: value for name, value in raw.items() if isinstance(value, str)}
            known = Environment.read({"L4E_TABLE": "t", "L4E_BUCKET": "b", "L4E_ACCOUNT": FRIEND, **texts})
            assert known.import_sources == {
                "111111111111/eu-central-1": "https://abcde12345.execute-api.eu-central-1.amazonaws.com/v1/import"
            }


def test_an_api_lets_named_accounts_ask_at_one_path() -> None:
    content = template(importable_by=[FRIEND.replace("2", "3")])
    (api,) = of_type(content, "AWS::ApiGateway::RestApi")
    (statement,) = api["Policy"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    assert statement["Resource"] == "execute-api:/v1/POST/import"
    assert ":iam::333333333333:root" in json.dumps(statement["Principal"])
    shared = [each for each in statements(content, "LookoutEquipment API") if "model.bin" in json.dumps(each)]
    assert [each["Action"] for each in shared] == ["s3:GetObject"]


def test_a_service_that_shares_nothing_gives_nothing_away() -> None:
    content = template()
    (api,) = of_type(content, "AWS::ApiGateway::RestApi")
    assert "Policy" not in api
    assert "model.bin" not in json.dumps(statements(content, "LookoutEquipment API"))
    assert "L4E_IMPORT_SOURCES" not in json.dumps(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"account": "12"}, 'account of the import source "12" is no AWS account'),
        ({"region": "Frankfurt"}, 'region "Frankfurt" of the import source'),
        ({"api_id": "https://x"}, 'api_id "https://x" of the import source'),
    ],
)
def test_a_wrong_source_is_refused(change: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImportSource(**{"account": FRIEND, "region": "eu-west-1", "api_id": "abc", **change})


def test_two_services_of_one_place_are_refused() -> None:
    """An ARN names account and Region only; of two, the last would be asked for all."""
    with pytest.raises(ValueError, match="two services of account 111111111111, Region eu-central-1"):
        template(import_sources=[SOURCE, replace(SOURCE, api_id="abcde67890")])


def test_a_wrong_account_is_refused() -> None:
    with pytest.raises(ValueError, match='importable_by "all" is no AWS account'):
        template(importable_by=["all"])
