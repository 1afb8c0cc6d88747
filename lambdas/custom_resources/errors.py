"""Errors of calls by their meaning, and the text that a person reads when a deployment fails."""

import json
import re
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

# CloudFormation takes a response of at most 4096 bytes. The provider framework adds a log reference and a
# stack trace to the message (about 800 bytes), and the ids around it can take 1000.
REASON_BYTES: Final = 1800

_URL: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"]+", re.IGNORECASE)
_CREDENTIAL: Final = re.compile(
    r"(?i)\b(X-Amz-\w+|Signature|AWSAccessKeyId|Authorization|ClientToken)\b(['\"]?\s*[=:]\s*['\"]?)[^\s&,'\"}]+"
)
_S3: Final = "s3:"
_NOT_ASSUMABLE: Final = re.compile(r"(?i)(cannot|can't|could not|unable to) (be )?assume|sts:AssumeRole")
_SHARING: Final = re.compile(r"lookoutequipment:Import\w+ .*resource policy")
# Equal to those of the service, which these functions are deployed without. A test compares the two.
THROTTLING_CODES: Final = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_UNAVAILABLE_CODES: Final = THROTTLING_CODES | {
    "InternalServerException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailableException",
}
_UNAVAILABLE_STATUS: Final = frozenset({408, 429})
_NEXT_STEP: Final = {
    "AccessDenied": "Grant the custom resource's role this operation and iam:PassRole, then deploy again",
    "Unshared": "Have its owner allow that to the role or account of the custom resource, then deploy again",
    "Closed": "Correct that role or the policies of the bucket and its key, then deploy again",
    "Untrusting": "Let the trust policy of that role name the service, then deploy again",
    "Quota": "Delete what is no longer needed or raise the limit of the service, then deploy again",
    "Unavailable": "Deploy again when the service answers",
    "Refused": "Correct the named property, then deploy again",
    "Conflict": "Finish or remove what blocks it, then deploy again",
}


class FailedError(Exception):
    """The request failed for good. The message becomes the reason that CloudFormation shows."""

    def __init__(self, message: str) -> None:
        super().__init__(reason(message))


class NotYetError(Exception):
    """The request cannot go on now; a later poll tries again."""


class CallError(Exception):
    """A call was answered with an error.

    Attributes:
        operation: name of the operation.
        code: error code of the service.
        text: message of the service.
    """

    kind = "Refused"

    def __init__(self, operation: str, code: str, text: str) -> None:
        super().__init__(f"{operation} answered {code}: {text.rstrip('.') or 'no message'}")
        self.operation = operation
        self.code = code
        self.text = text

    @property
    def next_step(self) -> str:
        """What the person deploying can do about it."""
        return _NEXT_STEP[self.kind]


class RefusedError(CallError):
    """The call is wrong, and repeating it does not help."""


class NotFoundError(CallError):
    """The named resource does not exist, or is not visible yet."""


class ConflictError(CallError):
    """Another resource, or another state of this one, is in the way."""

    kind = "Conflict"


class QuotaError(CallError):
    """A limit of the service is reached."""

    kind = "Quota"


class DeniedError(CallError):
    """Permissions are missing, or have not reached every part of AWS yet."""

    kind = "AccessDenied"


class UnsharedError(DeniedError):
    """The owner of what is imported does not allow it, or not yet."""

    kind = "Unshared"


class UntrustingError(DeniedError):
    """The role in the request cannot be assumed: it does not trust the service, or not yet."""

    kind = "Untrusting"


class ClosedError(DeniedError):
    """The role in the request does not give access to the data: it may not, or not yet."""

    kind = "Closed"


class UnavailableError(CallError):
    """The service throttles, fails or cannot be reached for the moment; the call may have taken effect."""

    kind = "Unavailable"


class BrokenError(UnavailableError):
    """An internal error of the service, which may be temporary or permanent."""


_KINDS: Final[dict[str, type[CallError]]] = {
    "ConflictException": ConflictError,
    "ResourceNotFoundException": NotFoundError,
    "ServiceQuotaExceededException": QuotaError,
}


def call_error(operation: str, error: BotoCoreError | ClientError) -> CallError:
    """Return the `CallError` for what botocore raised."""
    if isinstance(error, ParamValidationError):
        return RefusedError(operation, "ParamValidationError", " ".join(str(error).split()))
    if not isinstance(error, ClientError):
        return UnavailableError(operation, type(error).__name__, str(error))
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    text = str(error.response.get("Error", {}).get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _UNAVAILABLE_CODES or status >= 500 or status in _UNAVAILABLE_STATUS:
        inside = code == "InternalServerException" or status >= 500
        return (BrokenError if inside else UnavailableError)(operation, code, text)
    if status == 403 or code.startswith("AccessDenied"):
        return (UnsharedError if _SHARING.search(text) else DeniedError)(operation, code, text)
    if code == "ValidationException":
        return _refusal(text)(operation, code, text)
    return _KINDS.get(code, RefusedError)(operation, code, text)


def _refusal(text: str) -> type[CallError]:
    """Return what a request that broke a rule was refused for."""
    if _NOT_ASSUMABLE.search(text):
        return UntrustingError
    return ClosedError if "AccessDenied" in text else RefusedError


def reason(message: str) -> str:
    """Return the message without addresses and credentials, shortened to what fits into a response."""
    text = _CREDENTIAL.sub(r"\1\2***", _URL.sub(_mask, message))
    if _size(text) <= REASON_BYTES:
        return text
    # The head says what failed and the tail what to do: cut the middle.
    keep = REASON_BYTES // 2 - 8
    return f"{_fit(text, keep)} [...] {_fit(text[::-1], keep)[::-1]}"


def _mask(match: re.Match[str]) -> str:
    # An S3 location is neither secret nor an address that can be called.
    return match.group() if match.group().startswith(_S3) else "<address removed>"


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace"))


def _fit(text: str, limit: int) -> str:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]
