"""The one check of the types of props, of constructs and of values, before anything is made of them.

A type checker finds the same mistakes earlier. At run time they would be silent ("false" is true, a text is a
list of letters), or surface far from where they were made.
"""

import enum
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, ParamSpec

import aws_cdk as cdk

_P = ParamSpec("_P")
_TOKEN = re.compile(r"\$\{Token\[[a-zA-Z0-9:._-]+\]\}")
_LEAST_TOKEN, _LARGEST_TOKEN = -1.95e289, -1.88e289
"""The CDK writes numbers that are known in the deployment only as numbers between these."""


def checked(init: Callable[_P, None]) -> Callable[_P, None]:
    """Return the constructor of a construct with a check of its props."""

    @functools.wraps(init)
    def construct(*args: _P.args, **props: _P.kwargs) -> None:
        hints = _hints(init)
        for name, value in props.items():
            if name in hints and not _check(hints[name], tokens=True)(value):
                made, scope, id_, *_ = args
                path = f"{getattr(scope, 'node').path}/{id_}"  # noqa: B009 - a construct, for all that is known
                kind = re.sub("^_(Imported)?", "", type(made).__name__)
                raise TypeError(f'{kind} "{path}": {_problem(name, value, hints[name])}')
        init(*args, **props)

    return construct


def check_fields(value: Any) -> None:
    """Check the types of the fields of a dataclass, which all must be known at synthesis but for texts.

    Raises:
        TypeError: when a field has another type than it should.
    """
    kind: Any = type(value)
    hints = _hints(kind)
    for field in fields(value):
        content = getattr(value, field.name)
        if not _check(hints[field.name], tokens=False)(content):
            raise TypeError(f"{type(value).__name__}: {_problem(field.name, content, hints[field.name])}")


def is_token(value: object) -> bool:
    """Return whether a text or a number is known in the deployment only, without asking the CDK."""
    if isinstance(value, str):
        return _TOKEN.search(value) is not None
    return isinstance(value, float) and _LEAST_TOKEN < value < _LARGEST_TOKEN


@functools.cache
def _hints(of: Callable[..., object]) -> dict[str, Any]:
    return typing.get_type_hints(of)


@functools.cache
def _check(hint: Any, *, tokens: bool) -> Callable[[Any], bool]:
    """Return what tells whether a value has a type; `tokens` says whether a number may be one."""
    kind = typing.get_origin(hint) or hint
    if kind in {int, float}:
        return lambda value: (
            _is_number(value, kind) or (tokens and isinstance(value, float) and is_token(value))
        )
    if typing.is_typeddict(kind):
        return lambda value: _has_props(value, kind, tokens=tokens)
    if kind not in {typing.Union, types.UnionType, Sequence, Mapping}:
        return _check_of_class(kind)
    inner = [_check(each, tokens=tokens) for each in typing.get_args(hint)]
    if kind is Sequence:
        return lambda value: _is_list(value) and _all_fit(value, inner[0])
    if kind is Mapping:
        return lambda value: (
            isinstance(value, Mapping)
            and (_all_fit(value.keys(), inner[0]) and _all_fit(value.values(), inner[1]))
        )
    return lambda value: any(check(value) for check in inner)


def _has_props(value: object, props: Any, *, tokens: bool) -> bool:
    hints = _hints(props)
    return isinstance(value, Mapping) and all(
        name in hints and _check(hints[name], tokens=tokens)(each) for name, each in value.items()
    )


def _is_number(value: object, kind: type) -> bool:
    wanted = int if kind is int else (int, float)
    return isinstance(value, wanted) and not isinstance(value, bool) and not is_token(value)


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def _all_fit(values: Iterable[object], check: Callable[[Any], bool]) -> bool:
    """Return whether all values fit; those of an iterator, which can be read only once, are not looked at."""
    return not isinstance(values, Collection) or all(map(check, values))


def _check_of_class(kind: Any) -> Callable[[Any], bool]:
    if not inspect.isclass(kind):
        return lambda _: True
    if issubclass(kind, enum.StrEnum):
        return lambda value: isinstance(value, str)  # whether it is one of them, the rule of the prop says
    if getattr(kind, "_is_protocol", False):
        return lambda value: _has_members(value, kind)
    # A struct of the CDK, which takes it as a mapping too.
    if hasattr(kind, "__jsii_type__") and type(kind) is type:
        return lambda value: isinstance(value, kind | Mapping)
    return lambda value: isinstance(value, kind)


def _has_members(value: object, interface: Any) -> bool:
    of: tuple[Any, Any] = (type(value), interface)
    return _not_in_class(*of) <= getattr(value, "__dict__", {}).keys()


@functools.cache
def _not_in_class(kind: type, interface: type) -> frozenset[str]:
    """Return the members of an interface that a class has not, without reading them: some cost a call."""
    if kind.__name__ == "InterfaceDynamicProxy":
        return frozenset()  # of jsii, which knows the members of such objects only when they are read
    return frozenset(
        name
        for each in interface.__mro__
        if getattr(each, "_is_protocol", False) and each.__module__ != "typing"
        for name in vars(each)
        if not (name.startswith("_") or hasattr(kind, name))
    )


def _problem(name: str, value: object, hint: Any) -> str:
    if is_token(value):
        return f"{name} is a token, and must be known at synthesis: use {_wanted(hint)}"
    if isinstance(value, str) and "a list" in _wanted(hint):
        return f'{name} is the text "{value}", not a list: write ["{value}"]'
    shown = f'"{value}"' if isinstance(value, str) else repr(value)
    return f"{name} is {shown[:100]}: use {_wanted(hint)}"


def _wanted(hint: Any) -> str:
    """Return in words what a prop takes."""
    kind, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind in {typing.Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_wanted(each) for each in inner if each is not types.NoneType)) + (
            ", or leave it out" if types.NoneType in inner else ""
        )
    if kind is Sequence:
        return f"a list, each of it {_wanted(inner[0])}"
    if kind is Mapping:
        return f"a mapping, such as a dict, each value {_wanted(inner[1])}"
    if typing.is_typeddict(kind):
        return f"a dict of props with some of {', '.join(_hints(kind))}"
    return _WORDS.get(kind) or f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


_WORDS: Mapping[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    cdk.Duration: "a cdk.Duration, such as cdk.Duration.minutes(5)",
    cdk.RemovalPolicy: "a cdk.RemovalPolicy, such as cdk.RemovalPolicy.RETAIN",
}
