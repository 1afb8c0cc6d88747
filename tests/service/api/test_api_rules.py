"""Rules without a network: schemas and settings, with the messages a person sees."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.errors import ValidationError
from service.members.schema import parse_schema
from service.requests.service_model import service_model
from service.requests.validation import parse
from service.settings import Environment, Settings
from service.storage.names import ArnBuilder, new_job_id

TIME = {"Name": "Timestamp", "Type": "DATETIME"}
FLOW = {"Name": "flow", "Type": "DOUBLE"}


def component(*columns: Any, name: Any = "pump") -> dict[str, Any]:
    return {"ComponentName": name, "Columns": list(columns)}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "the schema must be an object whose member 'Components' is a list"),
        ({}, "the schema must be an object whose member 'Components' is a list"),
        ({"Components": {}}, "member 'Components' is a list"),
        ({"Components": []}, "'Components' is empty: list at least one component"),
        ({"Components": [7]}, "Components[0] must be an object whose member 'ComponentName' is a text"),
        ({"Components": [component(TIME, FLOW, name=None)]}, "member 'ComponentName' is a text"),
        (
            {"Components": [component(TIME, FLOW, name="pump 1")]},
            "the component name 'pump 1' does not match",
        ),
        (
            {"Components": [{"ComponentName": "pump"}]},
            "component 'pump' must be an object whose member 'Columns'",
        ),
        (
            {"Components": [component(TIME, {"Name": "a b", "Type": "DOUBLE"})]},
            "the column name 'a b' of component 'pump' does not match",
        ),
        ({"Components": [component(TIME, {"Name": "flow"})]}, "Columns[1] of component 'pump' must be"),
        (
            {"Components": [component(TIME, {"Name": "flow", "Type": "INT"})]},
            "column 'flow' of component 'pump' has the type 'INT': use DATETIME",
        ),
        ({"Components": [component(FLOW)]}, "exactly one DATETIME column, as its first (found: none)"),
        ({"Components": [component(FLOW, TIME)]}, "exactly one DATETIME column, as its first"),
        (
            {"Components": [component(TIME, {"Name": "t2", "Type": "DATETIME"}, FLOW)]},
            "(found: 'Timestamp', 't2')",
        ),
        ({"Components": [component(TIME)]}, "component 'pump' has no sensor"),
        ({"Components": [component()]}, "exactly one DATETIME column"),
        ({"Components": [component(TIME, FLOW, FLOW)]}, "has the column 'flow' twice"),
        ({"Components": [component(TIME, FLOW), component(TIME, FLOW)]}, "'pump' appears twice"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_malformed_schema_is_explained(document: Any, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_schema(document if isinstance(document, str) else json.dumps(document))
    assert words in str(refused.value)
    assert str(refused.value).startswith("the schema in InlineDataSchema is not valid: ")


def request(operation: str, **members: Any) -> Any:
    return parse(service_model().operation_model(operation).input_shape, members)


@pytest.mark.parametrize(
    ("operation", "member", "fitting", "breaking", "rule"),
    [
        ("ListDatasets", "MaxResults", 1, 0, "value greater than or equal to 1"),
        ("ListDatasets", "MaxResults", 500, 501, "value less than or equal to 500"),
        ("ListDatasets", "MaxResults", Decimal("5.0"), Decimal("5.5"), "a whole number"),
        ("ListDatasets", "MaxResults", 7, "7", "a whole number"),
        ("ListDatasets", "MaxResults", 7, True, "a whole number"),
        ("ListDatasets", "MaxResults", 7, float("nan"), "a whole number"),
        ("CreateModel", "OffCondition", "n" * 2048, "n" * 2049, "length less than or equal to 2048"),
        ("CreateModel", "OffCondition", "n", "", "length greater than or equal to 1"),
        ("ListDatasets", "DatasetNameBeginsWith", "n", "n n", "regular expression pattern: ^[0-9a-zA-Z_-]"),
        ("ListModels", "Status", "FAILED", "failed", "enum value set: [IN_PROGRESS, SUCCESS, FAILED"),
        ("TagResource", "Tags", [{"Key": "k", "Value": ""}], [{"Key": "k"}], "must not be null"),
        ("TagResource", "Tags", [], {}, "must be a list"),
        ("UntagResource", "TagKeys", ["k"] * 200, ["k"] * 201, "length less than or equal to 200"),
        ("UntagResource", "TagKeys", ["k"], ["k", None], "must be a string"),
        ("CreateDataset", "DatasetSchema", {}, "{}", "must be an object"),
        ("CreateModel", "OffCondition", "\U0001f600", "\ud83d", "must be Unicode text"),
        ("CreateModel", "TrainingDataStartTime", 0, -1, "must be a time from 1970 to 9999"),
        ("CreateModel", "TrainingDataStartTime", 253402300799, 253402300800, "must be a time"),
        ("CreateModel", "TrainingDataStartTime", "2026-01-01", "01.01.2026", "must be a time"),
    ],
)
def test_each_constraint_has_its_edge(
    operation: str, member: str, fitting: Any, breaking: Any, rule: str
) -> None:
    required = {
        "ResourceArn": "arn",
        "TagKeys": [],
        "Tags": [],
        "ModelName": "m",
        "DatasetName": "d",
        "ClientToken": "t",
    }
    assert member in request(operation, **{**required, member: fitting})
    with pytest.raises(ValidationError, match=re.escape(rule)) as refused:
        request(operation, **{**required, member: breaking})
    assert str(refused.value).startswith("1 validation error detected: Value ")
    assert f"at '{member}" in str(refused.value)


def test_schema_sizes_are_limited() -> None:
    schema = parse_schema(
        json.dumps({"Components": [component(TIME, FLOW), component(TIME, FLOW, name="m")]})
    )
    schema.require_size(components=2, columns=2, settings="per_dataset")
    schema.require_size(components=None, columns=None, settings="per_dataset")
    with pytest.raises(ValidationError, match=r"has 2 components but at most 1 .* 'components_per_dataset'"):
        schema.require_size(components=1, columns=None, settings="per_dataset")
    with pytest.raises(ValidationError, match=r"has 2 columns but at most 1 .* 'columns_per_dataset'"):
        schema.require_size(components=None, columns=1, settings="per_dataset")


def test_settings_left_out_are_those_of_aws() -> None:
    settings = Settings.from_json('{"datasets": null, "inference_rows": {"PT5M": 7}}')
    assert settings.datasets is None
    assert settings.models == 15
    assert settings.inference_rows == {"PT5M": 7, "PT10M": 600, "PT15M": 900, "PT30M": 1800, "PT1H": 3600}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "must be a JSON object"),
        ('{"wide_rows_percent": 101}', "wide_rows_percent is 101: rows of a hundred, at most 100"),
        ('{"datsets": 1}', "unknown setting 'datsets': use one of"),
        ('{"inference_rows": {"PT7M": 1}}', "inference_rows of 'PT7M': use one of PT5M"),
        (
            '{"bucket_owners": {"data": "me"}}',
            "bucket_owners of 'data' is 'me': give an account, twelve digits",
        ),
    ],
)
def test_wrong_settings_stop_the_function(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Settings.from_json(text)


def test_an_environment_without_a_table_names_what_is_missing() -> None:
    with pytest.raises(KeyError, match="L4E_TABLE"):
        Environment.read({"L4E_ACCOUNT": "111122223333"})


def test_job_ids_sort_by_time() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    ids = [new_job_id(now + timedelta(milliseconds=number)) for number in range(100)]
    assert sorted(ids) == ids
    assert {len(one) for one in ids} == {32}


def test_an_arn_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'' is not an ARN"):
        ArnBuilder.beside("")
