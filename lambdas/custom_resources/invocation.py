"""Requests to the service by invoking its API function, where no network leads to its API.

The function gets the event that API Gateway would send it, so it answers as it answers every caller.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

if TYPE_CHECKING:  # the stubs are not in the function's package
    from mypy_boto3_lambda.client import LambdaClient

_PASSED_ON: Final = ("Content-Type", "User-Agent", "X-Amz-Target")
_STATUS_OF_LAMBDA: Final = frozenset({403, 429})
"""Statuses that mean the same from Lambda and from the API: no right, too many requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """Takes the place of the HTTP exchange of a boto3 client.

    Args:
        lambda_client: boto3 client of Lambda.
        function: name or ARN of the API function.
        stage: stage of the API, which is the path of everything.
        caller: ARN that the audit records name.
        account: account of the caller.
    """

    lambda_client: "LambdaClient"
    function: str
    stage: str
    caller: str
    account: str

    def send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Answer a request: a handler of botocore's event `before-send`."""
        try:
            reply = self.lambda_client.invoke(
                FunctionName=self.function, Payload=json.dumps(self._event(request)).encode()
            )
        except ClientError as error:
            return _refused(request, error)
        outcome = json.loads(reply["Payload"].read())
        if reply.get("FunctionError"):
            return _failed(request, f"the API function failed: {outcome.get('errorMessage')}")
        return _response(request, outcome["statusCode"], outcome["headers"], outcome["body"])

    def _event(self, request: AWSPreparedRequest) -> dict[str, Any]:
        headers = {name: _text(request.headers[name]) for name in _PASSED_ON if name in request.headers}
        return {
            "httpMethod": "POST",
            "headers": headers,
            "body": _text(request.body),
            "isBase64Encoded": False,
            "requestContext": {
                "stage": self.stage,
                "path": f"/{self.stage}",
                "identity": {
                    "userArn": self.caller,
                    "accountId": self.account,
                    "userAgent": headers.get("User-Agent"),
                },
            },
        }


def _refused(request: AWSPreparedRequest, error: ClientError) -> AWSResponse:
    """Return the answer to a request that did not reach the function.

    A code of Lambda never stands for one of the service: a function that is gone is no dataset that is gone.
    """
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    text = f"the API function was not invoked: {code}: {error.response['Error'].get('Message', '')}"
    return _failed(request, text, *((code, status) if status in _STATUS_OF_LAMBDA else ()))


def _failed(
    request: AWSPreparedRequest, text: str, code: str = "InternalServerException", status: int = 500
) -> AWSResponse:
    return _response(request, status, {}, json.dumps({"__type": code, "Message": text}))


def _response(request: AWSPreparedRequest, status: int, headers: Mapping[str, str], body: str) -> AWSResponse:
    sent = HTTPHeaders()
    for name, value in headers.items():
        sent[name] = value
    return AWSResponse(request.url, status, sent, _Body(body.encode()))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@dataclass(frozen=True, slots=True)
class _Body:
    """What botocore reads a body from."""

    content: bytes

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.content
