"""The errors of the API, by the names of the service model."""

from collections.abc import Iterable
from itertools import islice
from typing import ClassVar


class ApiError(Exception):
    """An error that is reported to the caller: its text becomes the `Message` of the reply."""

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


class NotAllowedError(ApiError):
    """The way in that the caller came by does not allow the request."""

    code = "AccessDeniedException"
    status = 403


class ThrottlingError(ApiError):
    """An AWS service that this one uses is throttling it."""

    code = "ThrottlingException"


class InternalError(ApiError):
    """A fault of the service itself. The text reveals no internals."""

    code = "InternalServerException"
    status = 500


class UnknownOperationError(ApiError):
    """The target is not an operation of the API. SDKs never cause it."""

    code = "UnknownOperationException"
    status = 404


def no_such(kind: str, name: str) -> NotFoundError:
    """Return the error for a resource that does not exist; `kind` is `dataset`, `model` and so on."""
    return NotFoundError(f"the {kind} '{name}' does not exist: check the name, or list what there is")


def name_taken(kind: str, name: str) -> ConflictError:
    """Return the error for a name that another resource of the same `kind` has."""
    return ConflictError(
        f"the {kind} '{name}' already exists: choose another name, or delete the existing {kind} first"
    )


def require_room(kind: str, *, limit: int | None, used: int, setting: str) -> None:
    """Require room for one more resource.

    Args:
        kind: the resources in plural, for the message.
        limit: how many there may be; None is no limit.
        used: how many there are.
        setting: name of the setting that holds the limit.

    Raises:
        QuotaError: when `used` has reached the `limit`.
    """
    if limit is not None and used >= limit:
        raise QuotaError(
            f"the limit of {limit} {kind} is reached, there are {used}: wait or delete some, or raise the "
            f"setting '{setting}' of the service"
        )


def counted(resources: Iterable[object], *, limit: int | None) -> int:
    """Return how many resources there are, as far as a limit asks: what is beyond it is not read."""
    return 0 if limit is None else sum(1 for _ in islice(resources, limit))


def quoted(names: Iterable[str], *, limit: int = 10) -> str:
    """Return up to `limit` of the names for a message, and how many more there are: `'a', 'b' and 3 more`."""
    every = list(names)
    text = ", ".join(f"'{name}'" for name in every[:limit])
    return f"{text} and {len(every) - limit} more" if len(every) > limit else text
