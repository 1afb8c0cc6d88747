"""What API Gateway answers by itself, in the form of the service's errors: SDKs raise them by name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway

_NAMESPACE = "com.amazonaws.thorbrain#"


@dataclass(frozen=True, slots=True)
class _Error:
    """An error of the API. Without a message it has that of API Gateway."""

    code: str
    message: str | None = None

    def template(self) -> str:
        """Return the body of the reply, a template of API Gateway."""
        message = "$context.error.messageString" if self.message is None else json.dumps(self.message)
        return f'{{"__type": "{_NAMESPACE}{self.code}", "Message": {message}}}'


_ERRORS: Mapping[str, _Error] = {
    # Whatever else API Gateway refuses concerns rights or credentials: there are no validators and no keys.
    "DEFAULT_4XX": _Error("AccessDeniedException"),
    "DEFAULT_5XX": _Error(
        "InternalServerException",
        "the service did not answer: try again, or look for request id $context.requestId in the log of the "
        "API function",
    ),
    "EXPIRED_TOKEN": _Error("ExpiredTokenException"),
    "INVALID_SIGNATURE": _Error("InvalidSignatureException"),
    "MISSING_AUTHENTICATION_TOKEN": _Error(
        "MissingAuthenticationTokenException",
        "the request has no signature, or is no POST to a path of this API: sign it for 'execute-api' and "
        "send it to the endpoint URL of the service",
    ),
    "REQUEST_TOO_LARGE": _Error(
        "ValidationException",
        "the request is larger than API Gateway takes: a schema has at most 1,000,000 characters, a list of "
        "tags at most 200 entries",
    ),
    "THROTTLED": _Error(
        "ThrottlingException", "the API is receiving more requests than it can handle: try again later"
    ),
}
"""The error by the type of gateway response. Each keeps its usual HTTP status; other types take over the
answer of DEFAULT_4XX or DEFAULT_5XX.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""


def answer_like_the_service(api: apigateway.RestApi) -> None:
    """Give the errors of API Gateway the form of the service's errors."""
    for name, error in _ERRORS.items():
        api.add_gateway_response(
            f"{name.title().replace('_', '')}Response",
            type=apigateway.ResponseType.of(name),
            templates={"application/json": error.template()},
        )
