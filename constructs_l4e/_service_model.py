"""Names, patterns, lengths and enums of the API, read from the service model of the functions."""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from constructs_l4e._packages import SERVICE_MODEL, lambda_root

SERVICE = "lookoutequipment"

_JAVA_CLASSES = {r"[\P{M}\p{M}]": r"[\s\S]", r"\p{ASCII}": r"[\x00-\x7f]"}
"""Spellings of Java's regular expressions that Python lacks, and what they mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StringRule:
    """What the API accepts as value of one string shape of the service model."""

    pattern: str | None
    min_length: int
    max_length: int | None
    choices: tuple[str, ...]

    def problem(self, value: str) -> str | None:
        """Return why the API refuses `value`, as the end of a sentence; None when it accepts it."""
        if self.choices and value not in self.choices:
            return f"is not one of {', '.join(self.choices)}"
        if len(value) < self.min_length:
            return f"has {len(value)} characters: it needs at least {self.min_length}"
        if self.max_length is not None and len(value) > self.max_length:
            return f"has {len(value)} characters: it may have at most {self.max_length}"
        if self.pattern is not None and not _compiled(self.pattern).fullmatch(value):
            return f"does not match {self.pattern}"
        return None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern, re.ASCII)


@functools.cache
def _model() -> Mapping[str, Any]:
    file = lambda_root() / SERVICE_MODEL
    try:
        model: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"no service model {file}, which names and limits are checked against: reinstall constructs-l4e"
        ) from error
    return model


def _shape(name: str) -> Mapping[str, Any]:
    shape: Mapping[str, Any] = _model()["shapes"][name]
    return shape


@functools.cache
def string_rule(shape: str) -> StringRule:
    """Return the rule of one string shape of the model."""
    found = _shape(shape)
    return StringRule(
        pattern=found.get("pattern"),
        min_length=found.get("min", 0),
        max_length=found.get("max"),
        choices=tuple(found.get("enum", ())),
    )


def bounds(shape: str) -> tuple[int, int]:
    """Return the smallest and the largest value of a number shape, or size of a list shape."""
    found = _shape(shape)
    return found["min"], found["max"]


def required_members(operation: str) -> tuple[str, ...]:
    """Return the members that every request of an operation has."""
    shape = _shape(_model()["operations"][operation]["input"]["shape"])
    return tuple(shape.get("required", ()))


def operations() -> tuple[str, ...]:
    """Return the names of all operations of the API, which the IAM actions have too."""
    return tuple(sorted(_model()["operations"]))


@functools.cache
def operations_on_no_resource() -> frozenset[str]:
    """Return the operations whose requests need not name a resource: IAM has none for them either."""
    return frozenset(each for each in operations() if set(required_members(each)) <= {"JobId"})
