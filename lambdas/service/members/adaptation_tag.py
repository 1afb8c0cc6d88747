"""What becomes of slow faults, said per model by a tag: the API has no member for it.

Anybody may set the tag with TagResource, and remove it with UntagResource, on a model in use: it takes effect
with the next execution, without training. A model without it goes by the setting of the service.
"""

from collections.abc import Mapping

from service.errors import ValidationError

ADAPTATION_TAG = "lookoutequipment:adaptation"
ADAPTATIONS = ("auto", "hold", "follow")


def require_adaptation(tags: Mapping[str, str], *, of_model: bool) -> None:
    """Require that the tag, if it is among the `tags` of a request, has an effect.

    Raises:
        ValidationError: when its value is unknown, or the tags are not those of a model.
    """
    value = tags.get(ADAPTATION_TAG)
    if value is None:
        return
    if not of_model:
        raise ValidationError(
            f"the tag '{ADAPTATION_TAG}' has an effect on models only: tag the model, by its ModelArn"
        )
    if value not in ADAPTATIONS:
        raise ValidationError(f"the tag '{ADAPTATION_TAG}' is '{value}': use one of {', '.join(ADAPTATIONS)}")
