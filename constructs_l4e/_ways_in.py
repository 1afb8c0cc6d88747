"""Ways into a deployed service: the path of a request says what its caller may do.

IAM grants `execute-api:Invoke` on paths, and the service holds each request to its path.
"""

import re
from collections.abc import Sequence

import aws_cdk as cdk

from constructs_l4e import _service_model, _validate
from constructs_l4e.access_level import AccessLevel

_PART = re.compile(r"[A-Za-z0-9_-]+")
_VARIABLE = re.compile(r"\$\{aws:PrincipalTag/[A-Za-z0-9_-]+\}")
"""IAM fills it in with the tag of the caller."""

_READ = re.compile(r"(Describe|List)[A-Z]")
_OPERATE = frozenset(
    {
        "StartInferenceScheduler",
        "StopInferenceScheduler",
        "UpdateInferenceScheduler",
        "StartRetrainingScheduler",
        "StopRetrainingScheduler",
        "UpdateRetrainingScheduler",
        "CreateLabelGroup",
        "UpdateLabelGroup",
        "DeleteLabelGroup",
        "CreateLabel",
        "DeleteLabel",
    }
)
_ORDER = tuple(AccessLevel)


def level_of(operations: Sequence[str]) -> AccessLevel:
    """Return the lowest level that has all `operations`."""
    return max((_level(operation) for operation in operations), key=_ORDER.index)


def operations_at(level: AccessLevel) -> tuple[str, ...]:
    """Return the operations of the API that a level has."""
    return tuple(each for each in _service_model.operations() if _within(each, level))


def operations_on(member: str, level: AccessLevel) -> tuple[str, ...]:
    """Return the operations at a level on the resource that requests name in `member`, and on its tags."""
    tagging = ("ListTagsForResource", "TagResource", "UntagResource")
    return tuple(
        each
        for each in operations_at(level)
        if each in tagging or member in _service_model.required_members(each)
    )


def path(level: AccessLevel | str, *, name: str | None = None, tag: tuple[str, str] | None = None) -> str:
    """Return the path of a way in.

    Args:
        level: what may be done.
        name: beginning of the names of the resources.
        tag: key and value of a tag that the resources have.

    Raises:
        ValueError: when level, name or tag cannot stand in a path.
    """
    parts = [str(_validate.choice(AccessLevel, level, what="access level"))]
    if name is not None:
        parts += ["name", _part(name, shape="ModelName", what="name")]
    if tag is not None:
        key, value = tag
        parts += ["tag", _key(key), _part(value, shape="TagValue", what="tag value")]
    return "/".join(parts)


def granted_paths(level: AccessLevel, *, name: str | None, tag: tuple[str, str] | None) -> list[str]:
    """Return the paths that a grant is for; `*` in them is a wildcard of IAM.

    A grant for all resources covers the narrower ways in too. Some SDKs put a slash behind the path.
    """
    if name is None and tag is None:
        return ["*"] if level is AccessLevel.FULL else [level.value, f"{level.value}/*"]
    if tag is not None and _VARIABLE.fullmatch(tag[1]):
        exact = f"{path(level, name=name)}/tag/{_key(tag[0])}/{tag[1]}"
    else:
        exact = path(level, name=name, tag=tag)
    return [exact, f"{exact}/"]


def _level(operation: str) -> AccessLevel:
    if _READ.match(operation):
        return AccessLevel.READ
    return AccessLevel.OPERATE if operation in _OPERATE else AccessLevel.FULL


def _within(operation: str, level: AccessLevel) -> bool:
    return _ORDER.index(_level(operation)) <= _ORDER.index(level)


def _key(value: str) -> str:
    return _part(value, shape="TagKey", what="tag key")


def _part(value: str, *, shape: str, what: str) -> str:
    """Return a part of a path, which must be one of a legal text of `shape` too."""
    if not cdk.Token.is_unresolved(value) and not _PART.fullmatch(value):
        raise ValueError(
            f'{what} "{value}" cannot stand in the path of a way in: use letters, digits, "_" and "-"'
        )
    return _validate.text(value, shape=shape, what=what, fix="shorten it")
