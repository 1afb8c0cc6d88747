"""The custom-resource functions read staged schemas from a bucket of their own account only."""

import pytest

from custom_resources import handler
from custom_resources.errors import CallError
from custom_resources.properties import S3Object
from tests.service.expected_owner import s3_calls


def test_the_read_names_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
        "L4E_ACCOUNT": "111122223333",
        "L4E_RECORDS_TABLE": "records",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    runner = handler._runner.__wrapped__()
    with s3_calls() as calls, pytest.raises(CallError, match="s3:GetObject of s3://staging/schema"):
        runner.read_object(S3Object(bucket="staging", key="schema.json"))
    assert [(call.operation, call.owner) for call in calls] == [("GetObject", "111122223333")]
