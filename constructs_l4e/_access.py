"""Roles of the service: explicit statements, with the reason wherever a resource is a wildcard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from constructs_l4e._acknowledge import acknowledge_wildcards, has_wildcard
from constructs_l4e._memory import once, stack_of
from constructs_l4e._rule_packs import INLINE_POLICY, accept


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Actions on resources.

    Args:
        actions: IAM actions.
        resources: ARNs, which may have wildcards.
        conditions: IAM conditions. Default: none.
        wildcard_reason: why a wildcard among the resources is needed. Default: there is none.
    """

    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, object] = field(default_factory=dict)
    wildcard_reason: str | None = None

    def statement(self) -> iam.PolicyStatement:
        """Return the statement of an identity policy."""
        return iam.PolicyStatement(
            actions=list(self.actions), resources=list(self.resources), conditions=dict(self.conditions)
        )


def role(
    scope: Construct,
    id: str,
    *,
    description: str,
    assumed_by: iam.IPrincipal,
    access: Sequence[Access],
) -> iam.Role:
    """Return a role with inline policies, so that its rights exist as soon as the role does.

    Without `access` it has no rights yet.

    Raises:
        ValueError: when a wildcard has no reason.
    """
    result = iam.Role(
        scope,
        id,
        description=description,
        assumed_by=assumed_by,
        inline_policies={"Access": iam.PolicyDocument(statements=[each.statement() for each in access])}
        if access
        else None,
    )
    acknowledge_access(result, access)
    if access:
        accept(result, INLINE_POLICY)
    return result


def acknowledge_access(scope: Construct, access: Sequence[Access]) -> None:
    """Record the reasons for the wildcards of `access` on the construct whose policies hold them.

    Raises:
        ValueError: when a wildcard has no reason.
    """
    for each in access:
        wildcards = tuple(arn for arn in each.resources if has_wildcard(scope, arn))
        if not wildcards:
            continue
        if each.wildcard_reason is None:
            raise ValueError(f"{', '.join(each.actions)} on a wildcard resource: give wildcard_reason=")
        acknowledge_wildcards(scope, wildcards, each.wildcard_reason)


def service_name(scope: IConstruct, service: str) -> str:
    """Return the name of a service in `kms:ViaService`: it uses a key on behalf of a caller."""
    stack = stack_of(scope)
    domain = once(stack, "domain", lambda: f"{stack.region}.{stack.url_suffix}")
    return f"{service}.{domain}"
