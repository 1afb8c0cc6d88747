"""Requests that AWS refuses: which the customer has to correct, what AWS says, and how long to retry."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from botocore.exceptions import ClientError

from service.aws_errors import THROTTLING_CODES

T = TypeVar("T")

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts while IAM makes a new role or its policy known everywhere."""

_DENIED = {"AccessDenied", "AccessDeniedException", "403", "InvalidClientTokenId"}


def retry_while_denied(call: Callable[[], T], pauses: Sequence[float]) -> T:
    """Call, and call again after each pause (seconds) while access is denied.

    Raises:
        ClientError: the last denial, or any other error of AWS at once.
    """
    for pause in pauses:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _DENIED:
                raise
            time.sleep(pause)
    return call()


def is_refusal(error: ClientError) -> bool:
    """Return whether AWS refused the request for good: a client error other than throttling."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return 400 <= status < 500 and error.response["Error"]["Code"] not in THROTTLING_CODES


def error_text(error: ClientError) -> str:
    """Return code and message of an error of AWS."""
    found = error.response["Error"]
    return f"{found['Code']}: {found.get('Message', '')}".removesuffix(": ")
