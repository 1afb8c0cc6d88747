"""Resource policies: who may import a dataset or a model version. Pure.

A policy is in the language of IAM policies. What it may say here is what this service can judge; anything
else is refused when the policy is put, so that no rule is ever ignored.

Within an account nobody needs a policy, but a Deny of one counts. Principals of another account need an Allow
of every policy on the way to the resource: that of the model version and that of its model, where both have
one.

The grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.errors import ValidationError, quoted

IMPORT_DATASET = "lookoutequipment:ImportDataset"
IMPORT_MODEL_VERSION = "lookoutequipment:ImportModelVersion"

_VERSION = "2012-10-17"
_EFFECTS = ("Allow", "Deny")
_ANYBODY = "*"
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_PRINCIPAL = re.compile(
    r"arn:(?P<partition>aws(?:-[a-z-]+)?):iam::(?P<account>\d{12}):(?:root|(?P<kind>role|user)/(?:[!-~]+/)?(?P<name>[\w+=,.@-]+))",
    re.ASCII,
)
_CALLER = re.compile(
    r"arn:aws(?:-[a-z-]+)?:(?:iam|sts)::(?P<account>\d{12}):"
    r"(?:(?P<kind>assumed-role|role|user)/(?:.+/)?(?P<name>[^/]+)|.*)",
    re.ASCII,
)
_IMPORTING_DATA = "lookoutequipment:isimportingdata"
_PRINCIPAL_ACCOUNT = "aws:principalaccount"
_BOOLEANS = {"true", "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who wants to import: account, kind (`role`, `user` or empty) and name, unique for its kind; the ARN."""

    account: str
    kind: str = ""
    name: str = ""
    arn: str = ""

    @classmethod
    def of(cls, arn: str) -> "Principal":
        """Return the principal with the `arn`, which may be that of a session of a role without its name."""
        match = _CALLER.fullmatch(arn)
        if match is None:
            return cls(account="", arn=arn)
        kind = (match["kind"] or "").removeprefix("assumed-")
        return cls(account=match["account"], kind=kind, name=match["name"] or "", arn=arn)

    def __str__(self) -> str:
        """Return the principal as messages name it."""
        who = f"the {self.kind} '{self.name}' of " if self.name else ""
        return f"{who}account {self.account or 'unknown'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import to be judged.

    Attributes:
        action: `IMPORT_DATASET` or `IMPORT_MODEL_VERSION`.
        resource: ARN of the dataset or model version.
        principal: who wants it.
        importing_data: whether accumulated inference data is wanted too.
    """

    action: str
    resource: str
    principal: Principal
    importing_data: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, wanted: Import) -> bool:
        found = _KEYS[self.key].value(wanted)
        return (found in self.values) is not (self.operator == "StringNotEquals")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    effect: str
    principals: tuple[str, ...]
    actions: frozenset[str]
    resources: tuple[re.Pattern[str], ...]
    conditions: tuple[_Condition, ...]

    def applies(self, wanted: Import) -> bool:
        model, _, version = wanted.resource.partition("/model-version/")
        covered = (wanted.resource, model) if version else (wanted.resource,)
        return (
            wanted.action.lower() in self.actions
            and any(_is_meant(each, wanted.principal) for each in self.principals)
            and any(pattern.fullmatch(arn) for pattern in self.resources for arn in covered)
            and all(condition.holds(wanted) for condition in self.conditions)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that was understood completely."""

    statements: tuple[_Statement, ...]

    def denies(self, wanted: Import) -> bool:
        """Return whether it forbids the import."""
        return self._has("Deny", wanted)

    def allows(self, wanted: Import) -> bool:
        """Return whether it permits the import, and does not forbid it."""
        return self._has("Allow", wanted) and not self.denies(wanted)

    def _has(self, effect: str, wanted: Import) -> bool:
        return any(each.effect == effect and each.applies(wanted) for each in self.statements)


def is_allowed(policies: Sequence[Policy], wanted: Import, *, owner: str) -> bool:
    """Return whether a principal may import a resource of the account `owner`.

    Args:
        policies: those of the resource and, for a model version, of its model.
        wanted: the import.
        owner: account that has the resource.
    """
    if wanted.principal.account == owner:
        return not any(policy.denies(wanted) for policy in policies)
    return bool(policies) and all(policy.allows(wanted) for policy in policies)


def parse_policy(text: str, *, resource: str) -> Policy:
    """Return the policy in a JSON document, which is to be attached to a resource.

    Args:
        text: the document.
        resource: ARN of the dataset, model or model version.

    Raises:
        ValidationError: when the document is no policy, or says what this service cannot judge; names the
            place, the value, the rule and the fix.
    """
    document = _object(_document(text), "the document", allowed=("Version", "Id", "Statement"))
    if document.get("Version") != _VERSION:
        raise _wrong("Version", document.get("Version"), f'write "Version": "{_VERSION}"')
    statements = _listed(document.get("Statement"))
    if not statements:
        raise _wrong("Statement", document.get("Statement"), "give at least one statement")
    sids = [each["Sid"] for each in statements if isinstance(each, Mapping) and "Sid" in each]
    if repeated := [sid for at, sid in enumerate(sids) if sid in sids[:at]]:
        raise _wrong("Sid", repeated[0], "give each statement a Sid of its own, or none")
    return Policy(tuple(_statement(each, f"Statement[{at}]", resource) for at, each in enumerate(statements)))


def _document(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_members)
    except RecursionError as error:
        raise ValidationError("ResourcePolicy is nested too deeply: write it as IAM policies are") from error
    except ValueError as error:
        raise ValidationError(f"ResourcePolicy is not a JSON document: {error}") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise ValidationError(f"ResourcePolicy has the member '{twice}' twice in one object: give it once")
    return members


def _statement(raw: Any, at: str, resource: str) -> _Statement:
    statement = _object(raw, at, allowed=("Sid", "Effect", "Principal", "Action", "Resource", "Condition"))
    sid = statement.get("Sid", "")
    if not isinstance(sid, str):
        raise _wrong(f"{at}.Sid", sid, "give a text")
    effect = statement.get("Effect")
    if effect not in _EFFECTS:
        raise _wrong(f"{at}.Effect", effect, "use Allow or Deny")
    return _Statement(
        effect=effect,
        principals=_principals(statement.get("Principal"), f"{at}.Principal", resource),
        actions=_actions(statement.get("Action"), f"{at}.Action", resource),
        resources=_resources(statement.get("Resource", "*"), f"{at}.Resource", resource),
        conditions=_conditions(statement.get("Condition", {}), f"{at}.Condition"),
    )


def _principals(raw: Any, at: str, resource: str) -> tuple[str, ...]:
    if raw == _ANYBODY:
        return (_ANYBODY,)
    named = _listed(raw["AWS"]) if isinstance(raw, Mapping) and raw.keys() == {"AWS"} else []
    if not named:
        raise _wrong(at, raw, 'give {"AWS": ...} with accounts, roles or users, or "*" for everybody')
    partition = resource.split(":")[1]
    for each in named:
        match = _PRINCIPAL.fullmatch(each) if isinstance(each, str) else None
        if match is not None and match["partition"] != partition:
            raise _wrong(
                at, each, f"only principals of this partition can import: name those of '{partition}'"
            )
        if match is None and not (isinstance(each, str) and (each == _ANYBODY or _ACCOUNT.fullmatch(each))):
            raise _wrong(
                at,
                each,
                "use an account (twelve digits), the ARN of its root, of a role or of a user, without"
                ' wildcards, or "*"; instead of a session name its role',
            )
    return tuple(named)


def _is_meant(named: str, principal: Principal) -> bool:
    match = _PRINCIPAL.fullmatch(named)
    if match is None:
        return named in {_ANYBODY, principal.account}
    if match["account"] != principal.account:
        return False
    return match["kind"] is None or (match["kind"], match["name"]) == (principal.kind, principal.name)


def _actions(raw: Any, at: str, resource: str) -> frozenset[str]:
    fitting = IMPORT_DATASET if ":dataset/" in resource else IMPORT_MODEL_VERSION
    named = _listed(raw)
    if not named:
        raise _wrong(at, raw, f"use {fitting}")
    for each in named:
        if not isinstance(each, str) or each.lower() != fitting.lower():
            raise _wrong(at, each, f"the only action on '{resource}' that a policy decides is {fitting}")
    return frozenset(each.lower() for each in named)


def _resources(raw: Any, at: str, resource: str) -> tuple[re.Pattern[str], ...]:
    named = _listed(raw)
    if not named:
        raise _wrong(at, raw, f"use '{resource}', or leave Resource out")
    patterns = []
    for each in named:
        pattern = _pattern(each) if isinstance(each, str) else None
        if pattern is None or not _can_match(each, pattern, resource):
            raise _wrong(
                at, each, f"it never is the resource of this policy: use '{resource}', or leave it out"
            )
        patterns.append(pattern)
    return tuple(patterns)


def _can_match(text: str, pattern: re.Pattern[str], resource: str) -> bool:
    """Return whether a pattern is of the resource or, for a model, of one of its versions."""
    versions = f"{resource}/model-version/"
    of_version = ":model/" in resource and "/model-version/" not in resource
    return bool(pattern.fullmatch(resource)) or (
        of_version and (text.startswith(versions) or bool(pattern.fullmatch(f"{versions}1")))
    )


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern of IAM, in which `*` and `?` are wildcards."""
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _conditions(raw: Any, at: str) -> tuple[_Condition, ...]:
    by_operator = _object(raw, at)
    return tuple(
        _condition(operator, key, values, f"{at}.{operator}")
        for operator, keys in by_operator.items()
        for key, values in _object(keys, f"{at}.{operator}").items()
    )


def _condition(operator: str, key: str, raw: Any, at: str) -> _Condition:
    known = _KEYS.get(key.lower())
    if known is None:
        raise _wrong(
            at,
            key,
            "this service knows the condition keys lookoutequipment:IsImportingData and aws:PrincipalAccount"
            " only; name roles and users in Principal",
        )
    if operator not in known.operators:
        raise _wrong(at, key, f"the operators for this key are {' and '.join(known.operators)}")
    values = [str(each).lower() if isinstance(each, bool) else each for each in _listed(raw)]
    if not values or not all(isinstance(each, str) and known.is_value(each) for each in values):
        raise _wrong(f"{at}.{key}", raw, known.rule)
    return _Condition(operator=operator, key=key.lower(), values=tuple(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """A condition key: what it may be compared with, how, and what it is for an import."""

    operators: tuple[str, ...]
    rule: str
    is_value: Callable[[str], bool]
    value: Callable[[Import], str]


_KEYS: Mapping[str, _Key] = {
    _IMPORTING_DATA: _Key(
        operators=("Bool",),
        rule='give "true" or "false"',
        is_value=lambda text: text in _BOOLEANS,
        value=lambda wanted: str(wanted.importing_data).lower(),
    ),
    _PRINCIPAL_ACCOUNT: _Key(
        operators=("StringEquals", "StringNotEquals"),
        rule="give accounts, twelve digits each",
        is_value=lambda text: _ACCOUNT.fullmatch(text) is not None,
        value=lambda wanted: wanted.principal.account,
    ),
}
"""By name in small letters, as IAM does not look at case."""


def _object(raw: Any, at: str, *, allowed: Sequence[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise _wrong(at, raw, "give an object")
    unknown = [] if allowed is None else [name for name in raw if name not in allowed]
    if unknown:
        raise _wrong(at, unknown[0], f"this service judges {quoted(allowed or ())} only: say it with these")
    return raw


def _listed(raw: Any) -> list[Any]:
    """Return what may be one thing or a list of them."""
    if isinstance(raw, list):
        return raw
    return [] if raw is None or raw in ("", {}) else [raw]


def _wrong(at: str, value: Any, fix: str) -> ValidationError:
    shown = "missing" if value is None else f"'{value if isinstance(value, str) else json.dumps(value)}'"
    return ValidationError(f"ResourcePolicy: {at} {shown[:200]}: {fix}")
