"""The errors of the API, by the names of the service model."""

from collections.abc import Sequence
from typing import ClassVar


class ApiError(Exception):
    """An error that the caller is told about: its text becomes the reply's `Message`."""

    code: ClassVar[str]
    status: ClassVar[int] = 400


class ValidationError(ApiError):
    """The request breaks a rule."""

    code = "ValidationException"


class NotFoundError(ApiError):
    """A resource that the request names does not exist."""

    code = "ResourceNotFoundException"


class ConflictError(ApiError):
    """The state of a resource does not allow the request now."""

    code = "ConflictException"


class QuotaError(ApiError):
    """The request would exceed a limit of the service."""

    code = "ServiceQuotaExceededException"


class DeniedError(ApiError):
    """The service has no access to something that the request needs."""

    code = "AccessDeniedException"


class ThrottlingError(ApiError):
    """An engine below the service asked it to slow down."""

    code = "ThrottlingException"


class InternalError(ApiError):
    """A fault of the service; the text says nothing about its inside."""

    code = "InternalServerException"
    status = 500


class UnknownOperationError(ApiError):
    """The target is no operation of the API. SDKs never cause it."""

    code = "UnknownOperationException"
    status = 404


def no_such(kind: str, name: str) -> NotFoundError:
    """Return the error for a resource that is not there, `kind` being `dataset`, `model` ..."""
    return NotFoundError(f"the {kind} '{name}' does not exist: check the name, or list what there is")


def name_taken(kind: str, name: str) -> ConflictError:
    """Return the error for a name that another resource of the `kind` has."""
    return ConflictError(
        f"the {kind} '{name}' already exists: choose another name, or delete the existing {kind} first"
    )


def require_room(kind: str, *, limit: int | None, used: int, setting: str) -> None:
    """Demand room for one more resource.

    Raises:
        QuotaError: when `used` has reached the `limit`, which None lifts.
    """
    if limit is not None and used >= limit:
        raise QuotaError(
            f"the limit of {limit} {kind} is reached, there are {used}: wait or delete some, or raise the "
            f"setting '{setting}' of the service"
        )


def listed(words: Sequence[str], limit: int = 10) -> str:
    """Return up to `limit` of the words, quoted, for a message."""
    more = f" and {len(words) - limit} more" if len(words) > limit else ""
    return ", ".join(f"'{word}'" for word in words[:limit]) + more
