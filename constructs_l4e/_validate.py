"""Checks at synthesis.

Each raises a `ValueError` that quotes the value and says what to change. Tokens are not checked.
"""

import datetime as dt
import enum
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import aws_cdk as cdk

from constructs_l4e import _service_model

_Choice = TypeVar("_Choice", bound=enum.StrEnum)
_TOKEN = re.compile(r"\$\{Token\[[a-zA-Z0-9:._-]+\]\}")


def has_token(value: str) -> bool:
    """Return whether a text has a token in it: `cdk.Token.is_unresolved` without a way to Node and back."""
    return _TOKEN.search(value) is not None


def text(value: str, *, shape: str, what: str, fix: str) -> str:
    """Return `value` if the API's rule for `shape` accepts it."""
    if not has_token(value):
        problem = _service_model.string_rule(shape).problem(value)
        if problem is not None:
            raise ValueError(f'{what} "{value}" {problem}: {fix}')
    return value


def name(value: str, *, shape: str, what: str) -> str:
    """Return `value` if it is a legal resource name."""
    return text(value, shape=shape, what=what, fix='use letters, digits, "_" and "-" only')


def prefix(value: str, *, what: str) -> str:
    """Return `value` if it is a legal S3 prefix: empty, or ending in a slash."""
    fix = f'write "{value}/"' if not value.endswith("/") else "use printable Latin-1 characters"
    if value.startswith("/"):
        raise ValueError(f'{what} "{value}" starts with a slash: write "{value.lstrip("/")}"')
    return text(value, shape="S3Prefix", what=what, fix=fix)


def choice(kind: type[_Choice], value: str, *, what: str) -> _Choice:
    """Return `value` as a member of `kind`."""
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(kind)
        raise ValueError(f'{what} "{value}" is not supported: use one of {allowed}') from None


def whole_minutes(value: cdk.Duration, *, shape: str, what: str) -> int:
    """Return `value` in minutes if they are whole and within the bounds of `shape`."""
    low, high = _service_model.bounds(shape)
    seconds = value.to_seconds()
    if seconds % 60 or not low * 60 <= seconds <= high * 60:
        raise ValueError(
            f'{what} "{value.to_iso_string()}" is not a whole number of minutes from {low} to {high}: '
            f"use cdk.Duration.minutes({low}) to cdk.Duration.minutes({high})"
        )
    return int(seconds // 60)


def instant(value: dt.datetime, *, what: str) -> dt.datetime:
    """Return `value` in UTC if it has a time zone."""
    if value.tzinfo is None:
        raise ValueError(
            f'{what} "{value.isoformat()}" has no time zone: add tzinfo=datetime.UTC or another zone'
        )
    return value.astimezone(dt.UTC)


def tags(value: Mapping[str, str], *, resource_type: str) -> dict[str, str]:
    """Return `value` if the API accepts its keys, its values and their number."""
    way_out = f'or keep a tag of the app away with exclude_resource_types=["{resource_type}"]'
    _, most = _service_model.bounds("TagList")
    if len(value) > most:
        raise ValueError(f'"{len(value)}" tags are too many: use at most {most}')
    for key, content in value.items():
        text(
            key,
            shape="TagKey",
            what="tag key",
            fix=f'use letters, digits and "+-=._:/," and no "aws:" in front, {way_out}',
        )
        text(
            content,
            shape="TagValue",
            what=f'value of tag "{key}":',
            fix=f'use letters, digits, blanks and "+-=._:/@", {way_out}',
        )
    return dict(value)


def few(values: Sequence[str]) -> str:
    """Return the first ten of `values` in quotes, and how many more there are."""
    shown = ", ".join(f'"{value}"' for value in values[:10])
    return shown if len(values) <= 10 else f"{shown} or {len(values) - 10} others"
