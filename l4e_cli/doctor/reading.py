"""Facts of an account, some of which its owner may not have allowed the caller to read."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from l4e_cli.client_settings import DATA_FOLDERS
from l4e_cli.doctor.finding import Finding, not_checked
from l4e_cli.function_code import function_code

T = TypeVar("T")

LOOK_BACK = timedelta(days=1)
"""How far back failures are of interest."""

_DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
)
_ABSENT = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchEntity",
        "NotFoundException",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    }
)


@dataclass(frozen=True, slots=True)
class Unread:
    """A fact that could not be read: why, and what would let it be read."""

    why: str
    fix: str | None = None

    def finding(self, check: str) -> Finding:
        """Return that a check could not be made for want of the fact."""
        return not_checked(check, self.why, fix=self.fix)


def is_denied(error: ClientError) -> bool:
    """Return whether the caller lacks a right."""
    return error.response["Error"]["Code"] in _DENIED


def is_absent(error: ClientError) -> bool:
    """Return whether there is no such thing."""
    told = error.response["Error"]
    return told["Code"] in _ABSENT or "does not exist" in told.get("Message", "")


def read(action: str, call: Callable[[], T]) -> T | Unread | None:
    """Return a fact, or why it cannot be read; None when AWS says that there is no such thing.

    Args:
        action: IAM action that the call needs.
        call: reads the fact.
    """
    try:
        return call()
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if is_denied(error):
            return Unread(
                f"these credentials may not call {action}", fix=f"allow {action}, or ask somebody who may"
            )
        if is_absent(error):
            return None
        return Unread(f"{action} failed: {code} {message}".rstrip())
    except BotoCoreError as error:
        return Unread(f"{action} got no answer: {error}")


@dataclass(frozen=True, slots=True)
class Account:
    """The account and Region that are looked at, with the caller's own AWS settings."""

    session: boto3.Session

    @classmethod
    def of(cls, region: str | None) -> "Account":
        """Return the account of the caller's settings, in `region` or the one that they name."""
        inner = botocore.session.Session()
        # Described and signed for as a deployed service wants it, whatever the caller's own settings are.
        inner.set_config_variable(
            "data_path", os.pathsep.join(str(function_code() / each) for each in DATA_FOLDERS)
        )
        return cls(boto3.Session(botocore_session=inner, region_name=region))

    @property
    def region(self) -> str | None:
        """The Region."""
        return self.session.region_name

    def client(self, service: str, *, url: str | None = None) -> Any:
        """Return a client of an AWS service, or of a deployed one at `url`."""
        name: Any = service  # boto3 has types for the names of some services
        config = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 3})
        return self.session.client(name, endpoint_url=url, config=config)


def pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    """Yield what all pages of an operation hold under `key`."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[key]
