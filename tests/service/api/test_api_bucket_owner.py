"""The API function names the owner of its bucket in every request to S3."""

import json
from typing import Any

import pytest

from service import api
from service.storage.names import document_key
from tests.embedded import ACCOUNT, CREDENTIALS, EmbeddedAws
from tests.service.api.conftest import SCHEMA, ProxyServer, Service, client_of
from tests.service.expected_owner import s3_calls


@pytest.fixture
def client(
    aws: EmbeddedAws,
    proxy: ProxyServer,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """A client of the handler, with the AWS clients that the function makes for itself."""
    for name, value in {**variables, **CREDENTIALS, "AWS_ENDPOINT_URL": aws.endpoint}.items():
        monkeypatch.setenv(name, value)
    context = api.current_context.__wrapped__()
    monkeypatch.setattr(api, "current_context", lambda: context)
    name = f"handler-{variables['L4E_TABLE']}"
    proxy.responders[name] = lambda event: api.handler(event, None)
    return client_of(proxy.url(name))


def test_every_request_names_the_owner(client: Any, service: Service) -> None:
    with s3_calls() as calls:
        schema = {"InlineDataSchema": json.dumps(SCHEMA)}
        client.create_dataset(DatasetName="pump", DatasetSchema=schema)
        client.describe_dataset(DatasetName="pump")
        service.finish_ingestion(
            client.start_data_ingestion_job(
                DatasetName="pump",
                IngestionInputConfiguration={"S3InputConfiguration": {"Bucket": "customer"}},
                RoleArn=f"arn:aws:iam::{ACCOUNT}:role/lookoutequipment/access",
            )["JobId"]
        )
        with pytest.raises(client.exceptions.ClientError):  # there is no report: S3 is asked for it
            client.list_sensor_statistics(DatasetName="pump")
        client.create_model(ModelName="wear", DatasetName="pump")
        service.finish_training("wear")
        client.describe_model(ModelName="wear")
        client.delete_model(ModelName="wear")
        client.delete_dataset(DatasetName="pump")
    assert {call.operation for call in calls} == {"PutObject", "GetObject", "ListObjectsV2", "DeleteObjects"}
    assert [call for call in calls if call.owner != ACCOUNT] == []


def test_the_look_would_see_a_request_without_owner(service: Service) -> None:
    with s3_calls() as calls:
        service.context.service_bucket.put_text(document_key("x", "y"), "z")
    assert [call.owner for call in calls] == [None], "the clients of the tests name none"
