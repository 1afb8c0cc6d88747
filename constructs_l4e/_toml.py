"""Tables of a TOML file that are read strictly: nothing in them is ignored, and an error says where it is."""

import datetime as dt
import difflib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

_Value = TypeVar("_Value")


class Table:
    """A TOML table whose keys must all be known: each is taken, or refused at the end."""

    def __init__(self, where: str, content: Mapping[str, Any]) -> None:
        self._where = where
        self._left = dict(content)
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str, parse: Callable[[Any], _Value], *, default: Any = None) -> Any:
        """Return the parsed value of `key`, or `default`."""
        self._known.append(key)
        if key not in self._left:
            return default
        try:
            return parse(self._left.pop(key))
        except ValueError as error:
            raise ValueError(f"{self._where}: {key}: {error}") from None

    def require(self, key: str, parse: Callable[[Any], _Value], *, example: str) -> _Value:
        """Return the parsed value of `key`, which must be there."""
        if key not in self._left:
            raise ValueError(f"{self._where}: {key} is missing: add for instance {example}")
        value: _Value = self.take(key, parse)
        return value

    def table(self, key: str) -> "Table":
        """Return the table `key` inside this one, an empty one where it is left out."""
        return Table(f"{self._where} {key}", self.take(key, mapping, default={}))

    def table_if_given(self, key: str) -> "Table | None":
        """Return the table `key` inside this one, None where it is left out."""
        return self.table(key) if key in self._left else self.take(key, mapping)

    def refuse(self, problem: str) -> NoReturn:
        """Refuse the table as a whole."""
        raise ValueError(f"{self._where}: {problem}")

    def finish(self) -> None:
        """Refuse keys that were not taken."""
        for key in self._left:
            guess = difflib.get_close_matches(key, self._known, n=1)
            hint = f"did you mean '{guess[0]}'?" if guess else f"use one of {', '.join(sorted(self._known))}"
            raise ValueError(f"{self._where}: unknown key '{key}': {hint}")


def refuse(value: object, rule: str) -> NoReturn:
    """Refuse a value that breaks a rule, such as "true or false"."""
    raise ValueError(f"{_written(value)} is not {rule}")


def _written(value: object) -> str:
    """Return a value much as it stands in the file."""
    match value:
        case bool():
            return str(value).lower()
        case dt.date():
            return value.isoformat()
        case Mapping():
            return f"{{ {', '.join(f'{key} = {_written(each)}' for key, each in value.items())} }}"
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case _:
            return repr(value)


def text(value: object) -> str:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else refuse(value, 'a text in quotes, such as "x"')


def string(value: object) -> str:
    """Return a text, which may be empty."""
    return value if isinstance(value, str) else refuse(value, 'a text in quotes, such as "_"')


def flag(value: object) -> bool:
    """Return a flag."""
    return value if isinstance(value, bool) else refuse(value, "true or false")


def whole(low: int, high: int | None = None) -> Callable[[object], int]:
    """Return the parser of a whole number within bounds."""

    def parse(value: object) -> int:
        most = math.inf if high is None else high
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= most:
            refuse(value, f"a whole number from {low:,}" + ("" if high is None else f" to {high:,}"))
        return value

    return parse


number = whole(0)
"""Return a whole number from 0."""


def limit(value: object) -> float:
    """Return a limit, of which 0 means that there is none."""
    return number(value) or math.inf


def percentage(value: object) -> float:
    """Return a limit out of a hundred, of which 0 means that there is none."""
    return whole(0, 100)(value) or math.inf


def mapping(value: object) -> Mapping[str, Any]:
    """Return a table."""
    return (
        value
        if isinstance(value, dict)
        else refuse(value, "a table, such as [name] with lines below it, or { key = value }")
    )


def one_of(kind: Callable[[str], _Value]) -> Callable[[object], _Value]:
    """Return the parser of a value that is one of a few."""

    def parse(value: object) -> _Value:
        try:
            return kind(text(value))
        except ValueError:
            allowed: Any = kind
            refuse(value, f"one of {', '.join(allowed)}")

    return parse


def texts(value: object) -> list[str]:
    """Return a list of texts that is not empty, and has none of them twice."""
    if not isinstance(value, list) or not value:
        refuse(value, 'a list of texts in quotes, such as ["x", "y"]')
    found = [text(each) for each in value]
    if len(set(found)) < len(found):
        refuse(value, "a list of different texts: name each once")
    return found


def matching(pattern: str, example: str) -> Callable[[object], str]:
    """Return the parser of a text that has a pattern, such as an id or an ARN."""

    def parse(value: object) -> str:
        found = text(value)
        return found if re.fullmatch(pattern, found) else refuse(value, f"of the form {example}")

    return parse
