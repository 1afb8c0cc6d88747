"""What is missing in a role of the app that is not a `ServiceRole`: trust, and rights on the data.

Its policies are read when the app is complete. Conditions and denials are not weighed, and managed policies
that are made elsewhere are not seen: what these change, only IAM can tell.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from constructs_l4e._acknowledge import resolved_text
from constructs_l4e._completion import when_complete
from constructs_l4e._memory import once, path_of, stack_of
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.storage import S3Location

_Statement = Mapping[str, Any]
"""A statement of a policy as the template has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What uses a role: `user`, for the resources of an ARN pattern, to read and to write objects."""

    user: IConstruct
    service: IEquipmentService
    resource_arn: str
    reads: Sequence[S3Location]
    writes: Sequence[S3Location]

    def rights(self) -> Iterator[tuple[str, str]]:
        """Yield each action that the role needs with the resource that it needs it on."""
        for action, places in (("s3:GetObject", self.reads), ("s3:PutObject", self.writes)):
            for place in places:
                yield action, place.objects_arn
                yield "s3:ListBucket", place.bucket_arn
                if place.encryption_key is not None:
                    yield "kms:Decrypt", place.encryption_key.key_arn
        for place in self.writes:
            if place.encryption_key is not None:
                yield "kms:GenerateDataKey", place.encryption_key.key_arn


def examine(role: iam.IRole, made_here: iam.CfnRole, use: Use) -> None:
    """Have a role examined when the app is complete, and its user warned of what is missing."""
    once(role, "uses", lambda: _OwnRole(role, made_here)).add(use)


class _OwnRole:
    """A role that the app makes, and what uses it."""

    def __init__(self, role: iam.IRole, made_here: iam.CfnRole) -> None:
        self._role, self._made_here = role, made_here
        self._stack = stack_of(made_here)
        self._uses: list[Use] = []
        when_complete(self._stack, self._examine)

    def add(self, use: Use) -> None:
        self._uses.append(use)

    def _examine(self) -> Iterable[str]:
        rights, trust = list(self._rights()), self._statements(self._made_here.assume_role_policy_document)
        for use in self._uses:
            self._warn(use, "RoleTrust", self._missing_trust(trust, use))
            self._warn(use, "RoleRights", self._missing_rights(rights, use))
        return ()

    def _warn(self, use: Use, rule: str, problem: str | None) -> None:
        if problem:
            cdk.Annotations.of(use.user).add_warning_v2(
                f"constructs-l4e:{rule}", f'role "{path_of(self._role)}" {problem}'
            )

    def _missing_trust(self, trust: Iterable[_Statement], use: Use) -> str | None:
        wanted = self._text(use.resource_arn)
        fix = f'add service.role_trust(["{wanted}"])'
        principal = self._stack.resolve(use.service.data_access_principal.policy_fragment.principal_json)
        named = {_text(each) for values in principal.values() for each in _listed(values)}
        found = [
            each
            for each in trust
            if any(_covers(action, "sts:AssumeRole") for action in _listed(each.get("Action")))
            and any(each in named or each == "*" or each.endswith(":root") for each in _principals(each))
        ]
        if not found:
            return f"does not trust the service: {fix} to its trust policy"
        if not use.service.trusted_by_resource:
            return None
        limits = [_external_ids(each) for each in found]
        if any(limit is None for limit in limits):
            return (
                "trusts the service for every resource, so whoever may call the service can have it use the "
                f"role: {fix} to its trust policy in place of what is there"
            )
        if any(_covers(pattern, wanted) for limit in limits for pattern in limit or ()):
            return None
        return f'does not trust the service for "{wanted}": {fix} to its trust policy'

    def _missing_rights(self, statements: Sequence[_Statement], use: Use) -> str | None:
        missing = [
            f"{action} on {resource}"
            for action, resource in dict.fromkeys((action, self._text(arn)) for action, arn in use.rights())
            if not any(_allows(each, action, resource) for each in statements)
        ]
        if not missing:
            return None
        return (
            f"lacks {', '.join(missing)}, unless a policy that is made elsewhere has it: grant it, or use a "
            "ServiceRole, which has it"
        )

    def _rights(self) -> Iterator[_Statement]:
        """Yield the statements of the policies of the role, as far as the app makes them."""
        for each in self._listed(self._made_here.policies):
            yield from self._statements(each["policyDocument"])
        reference = self._stack.resolve(self._made_here.ref)
        managed = self._stack.resolve(self._made_here.managed_policy_arns) or []
        for each in self._stack.node.find_all():
            if isinstance(each, iam.CfnPolicy | iam.CfnManagedPolicy) and (
                reference in (self._stack.resolve(each.roles) or [])
                or self._stack.resolve(each.ref) in managed
            ):
                yield from self._statements(each.policy_document)

    def _statements(self, document: object) -> list[_Statement]:
        found: Mapping[str, Any] = self._stack.resolve(document) or {}
        return [each for each in _listed(found.get("Statement")) if each.get("Effect") == "Allow"]

    def _listed(self, value: object) -> list[Any]:
        found: list[Any] = self._stack.resolve(value) or []
        return found

    def _text(self, value: str) -> str:
        return _text(self._stack.resolve(value))


def _text(value: object) -> str:
    """Return a resolved ARN as text, which is the same for each way to write the partition."""
    return re.sub(r"^arn:(<AWS::Partition>|[^:]+):", "arn:*:", resolved_text(value))


def _listed(value: Any) -> list[Any]:
    """Return the values of a member of a policy, which may be a single one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _principals(statement: _Statement) -> list[str]:
    principal = statement.get("Principal", {})
    if not isinstance(principal, Mapping):
        return [_text(principal)]
    return [_text(each) for values in principal.values() for each in _listed(values)]


def _external_ids(statement: _Statement) -> list[str] | None:
    """Return the patterns of external ids that a statement demands; None if it demands none."""
    found = [
        _text(value)
        for tests in statement.get("Condition", {}).values()
        for key, values in tests.items()
        if key.lower() == "sts:externalid"
        for value in _listed(values)
    ]
    return found or None


def _allows(statement: _Statement, action: str, resource: str) -> bool:
    return any(_covers(each, action) for each in _listed(statement.get("Action"))) and any(
        _covers(_text(each), resource) for each in _listed(statement.get("Resource"))
    )


def _covers(pattern: str, wanted: str) -> bool:
    """Return whether a pattern of IAM has all that another has."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, wanted, re.IGNORECASE | re.DOTALL) is not None
