"""What imports of datasets and of model versions have in common.

A client token stands for one import: a repeated call answers how that stands, and so it is followed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from custom_resources.errors import ConflictError, FailedError, NotFoundError, QuotaError
from custom_resources.resource import STUCK, Context, Wait, failed_reason

IMPORTING: Final = "IMPORT_IN_PROGRESS"

UNSEEN: Final = Wait(
    reason="its import has succeeded, which is not visible yet. Deploy again in a few minutes"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import as the service describes it.

    Attributes:
        identity: what tells it from all others.
        began: when it began, in epoch seconds.
        record: its job or version.
    """

    identity: str
    began: float
    record: Mapping[str, Any]


def run_import(
    context: Context,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    subject: str,
    source: str,
    describe: Callable[[Mapping[str, Any]], Import],
) -> Wait | None:
    """Start the import of this request, or look how it stands.

    CloudFormation may send a request again under the same id, when what was wrong has been corrected. What an
    earlier attempt has imported in vain, or somebody has deleted since, is then imported anew.

    Args:
        context: the context of the step.
        operation: the operation that imports.
        parameters: its parameters.
        subject: the resource, for messages.
        source: ARN of what is imported, for messages.
        describe: returns the import that an answer of the operation is about.

    Returns:
        What is to be waited for; None when the import has succeeded.

    Raises:
        FailedError: when the import has failed.
    """
    found: Import | None = None
    try:
        while found is None or (
            found.record["Status"] != IMPORTING and context.request.began_after(found.began)
        ):
            instead_of = "" if found is None else found.identity
            found = describe(context.replay(operation, instead_of=instead_of, **parameters))
    except NotFoundError as missing:
        return Wait(reason=f"{missing}. Create what is missing first, then deploy again", patience=STUCK)
    except ConflictError as conflict:
        return Wait(reason=f"{conflict}. {conflict.next_step}")
    except QuotaError as quota:
        if "pending" not in quota.text.lower():
            raise
        return Wait(reason=f"{quota}. {quota.next_step}")
    if found.record["Status"] == "FAILED":
        raise FailedError(
            f"{subject}: the import of {source} failed: {failed_reason(found.record)}. "
            "Correct that, then deploy again."
        )
    if found.record["Status"] == "SUCCESS":
        return None
    return Wait(reason=f"the import of {source} is still in progress. Deploy again when it has finished")
