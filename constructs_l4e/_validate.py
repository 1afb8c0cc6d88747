"""Checks at synthesis.

Each raises a `ValueError` that quotes the value and says what to change. Texts that may be tokens are not
checked when they are.
"""

import datetime as dt
import enum
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import aws_cdk as cdk

from constructs_l4e import _props, _service_model
from constructs_l4e._service_model import StringRule
from constructs_l4e.frequencies import DataUploadFrequency, TargetSamplingRate

MOST_TAGS = 44
"""Of the 50 tags that a resource may have, the custom resources need up to six themselves."""

_OWN_TAGS = "constructs-l4e:"
_SHOWN = 250
"""Characters of a wrong text that are shown: an ARN, but not a page of notes."""
_SHOWN_OF_PREFIX = 60
_KEY_BYTES = 1024
"""Most bytes of a key in S3, in UTF-8."""
_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN_PATTERN = re.compile(rf"arn:[a-z-]+:{_service_model.SERVICE}:\S*:\S*:\S+")
_NAMESPACE = re.compile(r"(?!:)(?! *\Z)[0-9A-Za-z.\-_/#: ]{1,255}")
_Choice = TypeVar("_Choice", bound=enum.StrEnum)
_Step = TypeVar("_Step", DataUploadFrequency, TargetSamplingRate)


def text(value: str, *, shape: str, what: str, fix: str) -> str:
    """Return `value` if the API's rule for `shape` accepts it."""
    return _text(value, _service_model.string_rule(shape), what=what, fix=fix)


def _text(value: str, rule: StringRule, *, what: str, fix: str) -> str:
    problem = None if _props.is_token(value) else rule.problem(value)
    if problem is not None:
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
        raise ValueError(f'{what} "{shown}" {problem}: {fix}')
    return value


def aws_name(value: str, *, longest: int, what: str, signs: str = "_-") -> str:
    """Return `value` if another service of AWS accepts it: letters, digits and `signs`."""
    rule = StringRule(pattern=f"[0-9A-Za-z{re.escape(signs)}]+", min_length=1, max_length=longest, choices=())
    return _text(value, rule, what=what, fix=f'use 1 to {longest} letters, digits and "{signs}"')


def bucket(value: str, *, what: str) -> str:
    """Return `value` if it can be the name of a bucket."""
    return text(value, shape="S3Bucket", what=what, fix='use lower-case letters, digits, "." and "-"')


def arn_patterns(values: Sequence[str], *, what: str) -> Sequence[str]:
    """Return `values` if each can be the ARN of resources of the service, with or without wildcards."""
    for value in values:
        known = not (_props.is_token(value) or value.startswith("#{Token["))  # so begins a list that is not
        if known and not _ARN_PATTERN.fullmatch(value):
            raise ValueError(
                f'{what} has "{value[:_SHOWN]}", which is no ARN of the service: use patterns such as '
                f'"arn:aws:{_service_model.SERVICE}:eu-west-1:111122223333:dataset/script-*"'
            )
    return values


def namespace(value: str) -> str:
    """Return `value` if it is a namespace of CloudWatch that accounts may publish into."""
    if _props.is_token(value):
        return value
    if value.startswith("AWS/"):
        raise ValueError(
            f"metric_namespace '{value}': accounts cannot publish into namespaces that begin with 'AWS/'; use"
            " another, for instance 'LookoutEquipment'"
        )
    if not _NAMESPACE.fullmatch(value):
        raise ValueError(
            f"metric_namespace '{value}' is no namespace of CloudWatch: use 1 to 255 letters, "
            "digits, blanks and '.-_/#:', not blanks alone, and no ':' in front"
        )
    return value


def known(value: str, *, what: str, fix: str = "write it out") -> str:
    """Return `value` if it is known at synthesis."""
    if _props.is_token(value):
        raise _unknown(what, fix)
    return value


def _unknown(what: str, fix: str) -> ValueError:
    return ValueError(f"{what} is a token, and must be known at synthesis: {fix}")


def name(value: str, *, shape: str, what: str) -> str:
    """Return `value` if it is a legal resource name."""
    return text(value, shape=shape, what=what, fix='use letters, digits, "_" and "-" only')


def account(value: str, *, what: str) -> str:
    """Return `value` if it is the id of an AWS account."""
    if not _props.is_token(value) and not _ACCOUNT.fullmatch(value):
        raise ValueError(f'{what} "{value}" is no AWS account: give its id, twelve digits')
    return value


def prefix(value: str, *, what: str) -> str:
    """Return `value` if it is a legal S3 prefix: empty, or ending in a slash."""
    fix = f'write "{value}/"' if not value.endswith("/") else "use printable Latin-1 characters"
    if value.startswith("/"):
        raise ValueError(f'{what} "{value}" starts with a slash: write "{value.lstrip("/")}"')
    return text(value, shape="S3Prefix", what=what, fix=fix)


def room_below(prefix: str, longest: str, *, what: str) -> None:
    """Require that keys below a prefix are not longer than S3 allows; `longest` is the end of the longest."""
    if _props.is_token(prefix) or _props.is_token(longest):
        return
    size = len((prefix + longest).encode())
    over = size - _KEY_BYTES
    if over > 0:
        raise ValueError(
            f"{what} has the Prefix '{prefix[:_SHOWN_OF_PREFIX]}...', below which keys would have {size:,} "
            f"bytes in UTF-8, and S3 allows {_KEY_BYTES:,}: "
            f"shorten it by {over:,} byte{'s' if over > 1 else ''}"
        )


def choice(kind: type[_Choice], value: str, *, what: str) -> _Choice:
    """Return `value` as a member of `kind`."""
    fix = f"use one of {', '.join(kind)}"
    known(value, what=what, fix=fix)
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f'{what} "{value}" is not supported: {fix}') from None


def step(kind: type[_Step], value: _Step | str | cdk.Duration, *, what: str) -> _Step:
    """Return `value`, which may be a duration, as a member of `kind`."""
    if not isinstance(value, cdk.Duration):
        return choice(kind, value, what=what)
    if value.is_unresolved():
        raise _unknown(what, f"use one of {', '.join(kind)}")
    same = (each for each in kind if each.seconds == value.to_seconds(integral=False))
    return next(same, None) or choice(kind, value.to_iso_string(), what=what)


def whole_minutes(value: cdk.Duration, *, shape: str, what: str) -> int:
    """Return `value` in minutes if they are whole and within the bounds of `shape`."""
    low, high = _service_model.bounds(shape)
    fix = f"use cdk.Duration.minutes({low}) to cdk.Duration.minutes({high})"
    if value.is_unresolved():
        raise _unknown(what, fix)
    seconds = value.to_seconds()
    if seconds % 60 or not low * 60 <= seconds <= high * 60:
        raise ValueError(
            f'{what} "{value.to_iso_string()}" is not a whole number of minutes from {low} to {high}: {fix}'
        )
    return int(seconds // 60)


def instant(value: dt.datetime, *, what: str) -> dt.datetime:
    """Return `value` in UTC if it has a time zone."""
    if value.tzinfo is None:
        raise ValueError(
            f'{what} "{value.isoformat()}" has no time zone: add tzinfo=datetime.UTC or another zone'
        )
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError(
            f'{what} "{value.isoformat()}" is not within the years 1 to 9999 in UTC: use another time'
        ) from None


def tags(value: Mapping[str, str], *, resource_type: str) -> dict[str, str]:
    """Return `value` if the API accepts its keys, its values and their number."""
    way_out = f'or keep a tag of the app away with exclude_resource_types=["{resource_type}"]'
    if len(value) > MOST_TAGS:
        raise ValueError(f'"{len(value)}" tags are too many: use at most {MOST_TAGS}, {way_out}')
    for key, content in value.items():
        if key.startswith(_OWN_TAGS):
            raise ValueError(
                f'tag key "{key}" begins with "{_OWN_TAGS}", as this library\'s own: use another'
            )
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
