"""Physical names that change exactly when the resource must be replaced."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import IConstruct

from constructs_l4e import _service_model, _validate
from constructs_l4e._memory import ids_below, name_of, node_of, once, stack_of
from constructs_l4e._props import is_token

BY_LOCATION = "constructs-l4e:namesByLocation"
"""Context value with which stacks keep the names that earlier releases gave: see `by_location`."""

_HASH_LENGTH = 8
_PATH_HASH_LENGTH = 8
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
_GENERATED = re.compile(rf"-[0-9A-F]{{8}}-[0-9a-f]{{{_HASH_LENGTH}}}$")


def chosen(
    scope: IConstruct,
    given: str | None,
    *,
    shape: str,
    what: str,
    fixed: Mapping[str, Any],
    meaning: Mapping[str, str | None],
    of: tuple[str, str] | None = None,
) -> tuple[str, str]:
    """Return the name of a resource, and the pattern of it and of those that replace the resource.

    Args:
        scope: the construct to name.
        given: the name that its owner gives it. Default: one is generated.
        shape: shape of the name in the service model, which limits its length.
        what: the name in words, such as `model name`.
        fixed: properties that force a replacement, by name, as the template has them.
        meaning: what those of them say whose text depends on an environment.
        of: what the resource depends on, such as `dataset`, and the name of that. Default: on nothing.

    Raises:
        ValueError: when the given name is not legal.
    """
    if given is None:
        name = generated(scope, shape=shape, fixed=fixed, meaning=meaning)
        return name, name[:-_HASH_LENGTH] + "?" * _HASH_LENGTH
    name = _validate.name(given, shape=shape, what=what)
    if of is not None:
        _warn_if_held(scope, prop=what.replace(" ", "_"), name=name, of=of)
    return name, name


def generated(
    scope: IConstruct, *, shape: str, fixed: Mapping[str, Any], meaning: Mapping[str, str | None]
) -> str:
    """Return a name made of the construct path and a hash of what forces a replacement.

    CloudFormation creates the new resource before it deletes the old one, so the two need different names.
    The name is known at synthesis: other stacks use it without an export, which would block the replacement.

    The hash is of what the properties say, so that it is the same wherever the app is synthesised, and
    wherever it is deployed to. The arguments are those of `chosen`.
    """
    said = _text({**fixed, **meaning})
    if (is_token(said) or any(meaning.values())) and by_location(scope):
        said = _text(stack_of(scope).resolve(dict(fixed)))
    elif is_token(said):
        resolver = _TokenNames(cdk.StringConcat())
        said = cdk.Tokenization.resolve(said, scope=scope, preparing=False, resolver=resolver)
    digest = hashlib.sha256(said.encode()).hexdigest()[:_HASH_LENGTH]
    longest = _service_model.string_rule(shape).max_length or 0
    return f"{of_path(scope, longest - _HASH_LENGTH - 1)}-{digest}"


def of_path(scope: IConstruct, longest: int) -> str:
    """Return the name that `cdk.Names.unique_resource_name` makes of a construct path.

    It is made here because an asset has three of them, and asking Node for each is a message that is waited
    for. So a later CDK cannot change them either.
    """
    parts = _path_in_app(scope)
    if len(parts) == 1 and len(alone := _NOT_IN_A_NAME.sub("", parts[0])) <= longest:
        return alone
    digest = hashlib.md5("/".join(parts).encode(), usedforsecurity=False).hexdigest()
    readable, most = _readable(parts), longest - _PATH_HASH_LENGTH
    if len(readable) > most:
        half = most // 2
        readable = readable[:half] + readable[-half:]
    return readable + digest[:_PATH_HASH_LENGTH].upper()


def beginning(scope: IConstruct) -> str:
    """Return what generated names below `scope` begin with, unless they are cut for their length."""
    return _readable(_path_in_app(scope))


def _readable(parts: Sequence[str]) -> str:
    kept: list[str] = []
    for part in parts:
        if not (kept and kept[-1].endswith(part)):
            kept.append(part)
    legal = (_NOT_IN_A_NAME.sub("", part) for part in kept if part != "Resource")
    return "-".join(part for part in legal if part) + "-"


def _path_in_app(scope: IConstruct) -> list[str]:
    """Return the name of the stack that is deployed, and the ids of the constructs from there on."""
    stack = stack_of(scope)
    while is_token(name_of(stack)):
        stack = cast("cdk.Stack", stack.nested_stack_parent)
    return [part for part in (name_of(stack), *ids_below(scope, stack)) if part not in ("", "Default")]


def _warn_if_held(scope: IConstruct, *, prop: str, name: str, of: tuple[str, str]) -> None:
    """Warn that a fixed name stands in the way when what the resource depends on is replaced."""
    what, theirs = of
    if not _GENERATED.search(theirs):
        return
    cdk.Annotations.of(scope).add_warning_v2(
        "constructs-l4e:fixedName",
        f'{prop} "{name}" is fixed, but its {what} "{theirs}" gets another name when it is replaced. Then '
        "this must be replaced too, which CloudFormation cannot do under the same name. Change "
        f"{prop} with each change that replaces the {what}, leave {prop} out, or fix the name of the {what} "
        "as well",
    )


def by_location(scope: IConstruct) -> bool:
    """Return whether names under `scope` hash where a schema is staged and how a key is written.

    So they did in earlier releases. A stack deployed with one keeps its resources by keeping their names.

    Raises:
        ValueError: when the context value is neither true nor false.
    """
    stack = stack_of(scope)
    value = once(stack, BY_LOCATION, lambda: node_of(stack).try_get_context(BY_LOCATION))
    if value not in (None, True, False, "true", "false"):
        raise ValueError(f'context value "{BY_LOCATION}" is "{value}": use true or false')
    return value in (True, "true")


def of_key(key: kms.IKey | None) -> str | None:
    """Return what says which key it is: the part of its ARN behind Region and account, or a token."""
    if key is None:
        return None
    arn = key.key_arn
    return arn.split(":", 5)[-1] if arn.startswith("arn:") else arn


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps({name: part for name, part in value.items() if part is not None}, sort_keys=True)


class _TokenNames(cdk.DefaultTokenResolver):
    """Writes a reference as path and attribute of what it refers to.

    The text of a template would not do: it depends on the stack that refers, and a logical id occurs in many.
    """

    def resolve_token(
        self, t: cdk.IResolvable, context: cdk.IResolveContext, post_processor: cdk.IPostProcessor
    ) -> str:
        """Return the text that stands for a token."""
        if isinstance(t, cdk.Reference):
            return f"${{{t.target.node.path}.{t.display_name}}}"
        found = super().resolve_token(t, context, post_processor)
        return found if isinstance(found, str) else json.dumps(found, sort_keys=True)
