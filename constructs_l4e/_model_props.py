"""Props that models trained here and imported ones have in common."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from constructs_l4e import _validate
from constructs_l4e.frequencies import TargetSamplingRate
from constructs_l4e.interfaces import IEquipmentService, ILabelGroup
from constructs_l4e.settings import ADAPTATION_TAG, Adaptation
from constructs_l4e.storage import S3Location

_LATEST_VERSION = 999_999_999
"""The longest number of a version that the custom resources read."""


def version_property(number: int | None) -> str | None:
    """Return the version that is to be active, as a property."""
    if number is not None and not cdk.Token.is_unresolved(number) and not 1 <= number <= _LATEST_VERSION:
        raise ValueError(f'active version "{number}" is none: versions of a model are counted from 1')
    return None if number is None else str(number)


def sampling_rate(value: TargetSamplingRate | str | cdk.Duration | None) -> TargetSamplingRate | None:
    """Return the step of a model."""
    if value is None:
        return None
    return _validate.step(TargetSamplingRate, value, what="target sampling rate")


def labels_property(files: S3Location | None, group: ILabelGroup | None) -> dict[str, Any] | None:
    """Return where a training finds its labels."""
    places = {
        **({"S3InputConfiguration": files.to_api()} if files else {}),
        **({"LabelGroupName": group.label_group_name} if group else {}),
    }
    return places or None


def with_adaptation(
    tags: Mapping[str, str] | None, adaptation: Adaptation | str | None, service: IEquipmentService
) -> Mapping[str, str]:
    """Return the tags together with the one that says the adaptation."""
    given = tags or {}
    if adaptation is None:
        return given
    chosen = _validate.choice(Adaptation, adaptation, what="adaptation")
    if not service.has_adaptation:
        raise ValueError(
            f'adaptation "{chosen}" has no effect at the AWS-managed service: leave it out, or deploy an '
            "EquipmentService"
        )
    if ADAPTATION_TAG in given:
        raise ValueError(
            f'tag "{ADAPTATION_TAG}" and adaptation "{chosen}" say the same thing: leave the tag out'
        )
    return {**given, ADAPTATION_TAG: chosen.value}
