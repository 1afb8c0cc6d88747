"""What API Gateway answers by itself has the form of the service's errors."""

import json
from typing import Any

import pytest
from botocore.parsers import create_parser
from canonical import resources
from services import built

from service.requests.service_model import service_model

OURS = {error.name for error in service_model().error_shapes}
COMMON = {"ExpiredTokenException", "InvalidSignatureException", "MissingAuthenticationTokenException"}
"""Errors of authentication, which every service of AWS has beside those of its model."""


def responses() -> dict[str, dict[str, Any]]:
    found = resources(built("service"), "AWS::ApiGateway::GatewayResponse").values()
    return {one["Properties"]["ResponseType"]: one["Properties"] for one in found}


def parsed(kind: str, *, message: str | None = "refused") -> dict[str, Any]:
    """What an SDK makes of an answer."""
    (content_type,) = responses()[kind]["ResponseTemplates"]
    assert content_type == "application/json"
    text = responses()[kind]["ResponseTemplates"][content_type]
    body = text.replace("$context.error.messageString", json.dumps(message)).replace(
        "$context.requestId", "r-1"
    )
    assert "$context" not in body
    assert json.loads(body).keys() == {"__type", "Message"}
    reply = {"status_code": 403, "headers": {}, "body": body.encode()}
    found: dict[str, Any] = create_parser("json").parse(reply, None)["Error"]
    return found


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("DEFAULT_4XX", "AccessDeniedException", "refused"),
        ("DEFAULT_5XX", "InternalServerException", "look for request id r-1 in the log"),
        ("EXPIRED_TOKEN", "ExpiredTokenException", "refused"),
        ("INVALID_SIGNATURE", "InvalidSignatureException", "refused"),
        ("MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException", "sign it for 'execute-api'"),
        ("REQUEST_TOO_LARGE", "ValidationException", "larger than API Gateway takes"),
        ("THROTTLED", "ThrottlingException", "try again later"),
    ],
)
def test_sdks_read_code_and_message(kind: str, code: str, words: str) -> None:
    error = parsed(kind)
    assert error["Code"] == code
    assert words in error["Message"]
    assert code in OURS | COMMON


def test_the_message_of_api_gateway_stays_itself() -> None:
    quoted = 'User: "x" is not authorized to perform: execute-api:Invoke'
    assert parsed("DEFAULT_4XX", message=quoted)["Message"] == quoted


def test_every_type_is_covered() -> None:
    assert responses().keys() >= {"DEFAULT_4XX", "DEFAULT_5XX"}, "which all other types take over"
    for response in responses().values():
        assert "StatusCode" not in response, "each keeps its usual status"


def test_the_stage_has_them_from_its_first_deployment_on() -> None:
    template = built("service")
    (deployment,) = resources(template, "AWS::ApiGateway::Deployment").values()
    assert {*resources(template, "AWS::ApiGateway::GatewayResponse")} <= {*deployment["DependsOn"]}
