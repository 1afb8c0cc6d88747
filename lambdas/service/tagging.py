"""Rules for the tags of resources."""

from collections.abc import Mapping, Sequence

from service.context import Context
from service.errors import QuotaError, ValidationError


def merged_tags(
    context: Context, tags: Sequence[Mapping[str, str]], present: Mapping[str, str]
) -> dict[str, str]:
    """Return the tags `present` on a resource with the `tags` of a request added, which replace equal keys.

    Raises:
        ValidationError: when `tags` has a key twice.
        QuotaError: when a resource may not have so many tags.
    """
    given = {tag["Key"]: tag["Value"] for tag in tags}
    if len(given) < len(tags):
        raise ValidationError("Tags has the same key twice: give each key once")
    merged = {**present, **given}
    limit = context.settings.tags_per_resource
    if limit is not None and len(merged) > limit:
        raise QuotaError(
            f"the limit of {limit} tags per resource would be exceeded: there are {len(present)} tags, and "
            f"{len(merged) - len(present)} new ones come with the request; remove some first"
        )
    return merged
