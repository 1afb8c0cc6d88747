"""Rules for the tags of resources."""

from collections.abc import Mapping, Sequence

from service.context import Context
from service.errors import QuotaError, ValidationError
from service.members.adaptation_tag import require_adaptation

OWNER_TAG = "constructs-l4e:owner"
"""The tag by which a custom resource knows what it has made, and may change and delete."""


def merged_tags(
    context: Context,
    tags: Sequence[Mapping[str, str]],
    present: Mapping[str, str] | None = None,
    *,
    of_model: bool = False,
) -> dict[str, str]:
    """Return the tags of a resource with those of a request added, which replace equal keys.

    Args:
        context: the service.
        tags: those of the request.
        present: those that the resource has. Default: none, it is new.
        of_model: whether the resource is a model.

    Raises:
        ValidationError: when `tags` has a key twice, or says without effect what becomes of slow faults.
        QuotaError: when a resource may not have so many tags.
    """
    given = {tag["Key"]: tag["Value"] for tag in tags}
    if len(given) < len(tags):
        raise ValidationError("Tags has the same key twice: give each key once")
    require_adaptation(given, of_model=of_model)
    present = present or {}
    merged = {**present, **given}
    limit = context.settings.tags_per_resource
    if limit is not None and len(merged) > limit:
        raise QuotaError(
            f"the limit of {limit} tags per resource would be exceeded: there are {len(present)} tags, and "
            f"{len(merged) - len(present)} new ones come with the request; remove some first"
        )
    return merged
