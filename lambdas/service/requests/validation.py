"""Requests and replies by the service model: what a request may contain, and what a reply shows.

A parsed request is plain data: known members only, timestamps as Decimal epoch seconds in whole milliseconds,
whole numbers as int. A reply consists of those attributes of a record that its shape has members for.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from service.clock import MILLISECOND, timestamp
from service.errors import ValidationError
from service.members.locations import bucket_mistake, prefix_mistake

_REPORTED = 10
"""Violations named in one message."""

_LONGEST_QUOTE = 200
_LATEST = Decimal(253402300799)  # 9999-12-31T23:59:59Z, the last second that has a date
_INTEGERS = {"integer": 2**31, "long": 2**63}


def parse(shape: Shape, value: Any) -> Any:
    """Return the JSON document `value` of a request as plain data.

    Raises:
        ValidationError: when it violates constraints of `shape`; names the first ten, with member and value.
    """
    problems: list[str] = []
    parsed = _parse(shape, value, "", problems)
    if problems:
        count = len(problems)
        raise ValidationError(
            f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(problems[:_REPORTED])}"
        )
    return parsed


def project(shape: Shape, value: Any) -> Any:
    """Return the part of `value` that `shape` has members for, as JSON data; absent members stay absent."""
    if isinstance(shape, StructureShape):
        return {
            name: project(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [project(shape.member, one) for one in value]
    if shape.type_name in _INTEGERS:
        return int(value)
    if shape.type_name in {"timestamp", "float"}:
        return float(value)
    return value


def _parse(shape: Shape, value: Any, path: str, problems: list[str]) -> Any:
    return _PARSERS[shape.type_name](shape, value, path, problems)


def _structure(shape: Any, value: Any, path: str, problems: list[str]) -> Any:
    if not isinstance(value, Mapping):
        return _refuse(problems, path, value, "Member must be an object")
    parsed = {}
    for name, member in shape.members.items():
        at = f"{path}.{name}" if path else name
        if value.get(name) is not None:
            parsed[name] = _parse(member, value[name], at, problems)
        elif name in shape.required_members:
            _refuse(problems, at, None, "Member must not be null")
    return parsed


def _list(shape: Any, value: Any, path: str, problems: list[str]) -> Any:
    if not isinstance(value, list):
        return _refuse(problems, path, value, "Member must be a list")
    _check_bounds(shape, len(value), "length", value=value, path=path, problems=problems)
    return [_parse(shape.member, one, f"{path}[{index}]", problems) for index, one in enumerate(value)]


def _string(shape: Any, value: Any, path: str, problems: list[str]) -> Any:
    if not isinstance(value, str):
        return _refuse(problems, path, value, "Member must be a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        return _refuse(problems, path, ascii(value), "Member must be Unicode text")
    if shape.enum:
        if value not in shape.enum:
            _refuse(problems, path, value, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        return value
    _check_bounds(shape, len(value), "length", value=value, path=path, problems=problems)
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not compiled(pattern).fullmatch(value):
        mistake = _MISTAKES.get(shape.name, _no_mistake_known)(value)
        hint = "" if mistake is None else f" ({mistake})"
        _refuse(problems, path, value, f"Member must satisfy regular expression pattern: {pattern}{hint}")
    return value


def _no_mistake_known(_: str) -> None:
    return None


_MISTAKES: Mapping[str, Callable[[str], str | None]] = {
    "S3Bucket": bucket_mistake,
    "S3Prefix": prefix_mistake,
}
"""What people often write for a shape, and what to write instead."""


def _integer(shape: Any, value: Any, path: str, problems: list[str]) -> Any:
    limit = _INTEGERS[shape.type_name]
    number = _number(value)
    if number is None or not -limit <= number < limit or number != int(number):
        return _refuse(problems, path, value, f"Member must be a whole number below {limit}")
    _check_bounds(shape, int(number), "value", value=value, path=path, problems=problems)
    return int(number)


def _timestamp(_: Any, value: Any, path: str, problems: list[str]) -> Any:
    number = _number(value)
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            number = timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            number = None
    if number is None or not 0 <= number <= _LATEST:
        return _refuse(
            problems,
            path,
            value,
            "Member must be a time from 1970 to 9999, in epoch seconds or as 2026-01-31T00:00:00Z",
        )
    return Decimal(number).quantize(MILLISECOND)


_PARSERS: Mapping[str, Callable[[Any, Any, str, list[str]], Any]] = {
    "structure": _structure,
    "list": _list,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "timestamp": _timestamp,
}
"""By type of the members that requests have; replies also have floats and booleans."""


def _number(value: Any) -> int | Decimal | None:
    """Return a JSON number. True and False are numbers to Python only, and so is NaN, a float."""
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _check_bounds(shape: Any, size: int, noun: str, *, value: Any, path: str, problems: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        _refuse(problems, path, value, f"Member must have {noun} greater than or equal to {low}")
    if high is not None and size > high:
        _refuse(problems, path, value, f"Member must have {noun} less than or equal to {high}")


def _refuse(problems: list[str], path: str, value: Any, constraint: str) -> None:
    if len(problems) < _REPORTED:
        shown = "null" if value is None else f"'{_quote(value)}'"
        problems.append(f"Value {shown} at '{path or 'request'}' failed to satisfy constraint: {constraint}")


def _quote(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    r"""Return a pattern of the model, which is written for Java, as Python's.

    `[\P{M}\p{M}]` is any character, `\p{ASCII}` any of ASCII; classes such as `\w` are ASCII in Java.
    """
    return re.compile(
        pattern.replace(r"[\P{M}\p{M}]", r"[\s\S]").replace(r"\p{ASCII}", r"[\x00-\x7F]"), re.ASCII
    )
