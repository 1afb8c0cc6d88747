"""Ways in: the path of a request says what its caller may do, and IAM says who may use the path.

`execute-api:Invoke` is granted on paths, so IAM decides what a caller can do without rights of our own:

    <stage>                                      everything
    <stage>/read                                 operations that describe and list
    <stage>/operate                              these, schedulers started, stopped and updated, and labels
    <stage>/full                                 everything
    <stage>/<level>/name/<prefix>                the same, for resources whose names begin so
    <stage>/<level>/tag/<key>/<value>            the same, for resources with that tag
    <stage>/<level>/name/<prefix>/tag/<key>/<value>
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.errors import NotAllowedError

_GRAMMAR = re.compile(
    r"(?P<level>read|operate|full)"
    r"(?:/name/(?P<name>[A-Za-z0-9_-]+))?"
    r"(?:/tag/(?P<key>[A-Za-z0-9_-]+)/(?P<value>[A-Za-z0-9_-]+))?"
)
_PLAIN_PATH = re.compile(r"(?:/(?!\.\.?(?:/|$))[^/%\\\s]+)*")
"""Paths that mean the same to everybody: no empty, dotted or encoded parts."""

IMPORT = "import"
"""The path of services of other accounts."""

_SEPARATORS = "-_"


class Level(enum.IntEnum):
    """What may be done; each level includes those before it."""

    READ = 1
    OPERATE = 2
    FULL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag that resources must have."""

    key: str
    value: str

    def __str__(self) -> str:
        """Return the tag as messages name it."""
        return f"{self.key}={self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """What a caller may do, and to which resources."""

    level: Level
    name: str | None = None
    tag: Tag | None = None
    path: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether only some resources can be reached."""
        return self.name is not None or self.tag is not None

    def has_name(self, name: str) -> bool:
        """Return whether a resource called `name` can be reached, as far as its name decides.

        A prefix ends where a word ends: `pump1` stands for `pump1` and `pump1-wear`, but not for `pump10`.
        """
        prefix = self.name
        if prefix is None or name == prefix:
            return True
        if not name.startswith(prefix):
            return False
        return prefix[-1] in _SEPARATORS or name[len(prefix)] in _SEPARATORS

    def has_tag(self, tags: Mapping[str, str]) -> bool:
        """Return whether a resource with `tags` can be reached, as far as its tags decide."""
        return self.tag is None or tags.get(self.tag.key) == self.tag.value


EVERYTHING = WayIn(level=Level.FULL)


def way_in_of(event: Mapping[str, Any]) -> WayIn:
    """Return the way in that a proxy event came by.

    What the route captured must be all that the path has behind stage or base path. The two differ where a
    path is written so that IAM and the router read it differently (`//`, `..`, encoded letters).

    Raises:
        NotAllowedError: when the path is not one of a way in.
    """
    request = event.get("requestContext") or {}
    captured = ((event.get("pathParameters") or {}).get("proxy") or "").removesuffix("/")
    path = (request.get("path") or "").removesuffix("/")
    end = f"/{captured}" if captured else ""
    if not _PLAIN_PATH.fullmatch(path) or not _is_all_of(path, end, stage=request.get("stage") or ""):
        raise NotAllowedError(
            f"the path '{path[:200]}' is not one of a way in: write its parts plainly, one '/' between them"
        )
    return _parsed(captured) if captured else EVERYTHING


def is_for_importers(event: Mapping[str, Any]) -> bool:
    """Return whether a proxy event came to the path where other services ask for what they import."""
    request = event.get("requestContext") or {}
    captured = (event.get("pathParameters") or {}).get("proxy")
    return captured == IMPORT and request.get("path") == f"/{request.get('stage')}/{IMPORT}"


def _is_all_of(path: str, end: str, *, stage: str) -> bool:
    """Return whether `path` is the stage, or the base path of a custom domain, and then `end`."""
    if not path.endswith(end):
        return False
    if path == f"/{stage}" or path.startswith(f"/{stage}/"):
        return path == f"/{stage}{end}"
    return True


def _parsed(path: str) -> WayIn:
    match = _GRAMMAR.fullmatch(path)
    if match is None:
        raise NotAllowedError(
            f"'{path[:200]}' is not a way in: use read, operate or full, perhaps /name/<prefix> behind it, "
            "perhaps /tag/<key>/<value> behind that, in letters, digits, '_' and '-'"
        )
    level, name, key, value = match.group("level", "name", "key", "value")
    tag = None if key is None else Tag(key=key, value=value)
    return WayIn(level=Level[level.upper()], name=name, tag=tag, path=path)
