"""Physical names that change exactly when the resource must be replaced."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct

from constructs_l4e import _service_model, _validate
from constructs_l4e._memory import stack_of

_HASH_LENGTH = 8


def generated(scope: IConstruct, *, shape: str, replace_on: Mapping[str, Any]) -> str:
    """Return a name made of the construct path and a hash of the properties that force a replacement.

    CloudFormation creates the new resource before it deletes the old one, so the two need different names.
    The name is known at synthesis: other stacks use it without an export, which would block the replacement.

    Args:
        scope: the construct to name.
        shape: shape of the name in the service model, which limits its length.
        replace_on: properties that force a replacement, by name.
    """
    given = {name: value for name, value in replace_on.items() if value is not None}
    content = json.dumps(given, sort_keys=True)
    if _validate.has_token(content):
        content = json.dumps(stack_of(scope).resolve(given), sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()[:_HASH_LENGTH]
    longest = _service_model.string_rule(shape).max_length or 0
    readable = cdk.Names.unique_resource_name(
        scope, max_length=longest - _HASH_LENGTH - 1, separator="-", allowed_special_characters="_-"
    )
    return f"{readable}-{digest}"


def pattern(generated_name: str) -> str:
    """Return the pattern of a generated name and of those that resources get which replace its own."""
    return generated_name[:-_HASH_LENGTH] + "?" * _HASH_LENGTH
