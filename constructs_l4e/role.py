"""The role through which the service reads and writes the data of an asset."""

from collections.abc import Iterable, Sequence

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from constructs_l4e import _arns
from constructs_l4e._access import service_name
from constructs_l4e._acknowledge import acknowledge_wildcards, template_text
from constructs_l4e._rule_packs import INLINE_POLICY
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.storage import S3Location

_LONGEST_TRUST = 1600
"""Characters of ARNs in a trust policy, which IAM limits to 2,048."""


class ServiceRole(iam.Role):
    """A role that trusts the service, for the resources that use the role, and accesses given objects.

    Who may call the service can have it use a role, also that of another owner. So the role trusts the
    service only while it works for the ingestions, models and schedulers that are given the role here, and
    for those that replace them. AWS's own service is trusted for all resources of this account and Region.

    The rights include the use of the keys of the buckets. Grants of other constructs
    (`bucket.grant_read(role)`) add to them.

    Args:
        scope: parent of the construct.
        id: construct id.
        service: the service that assumes the role.
        reads: objects that may be read.
        writes: objects that may be written.
        output_keys: further keys that results are encrypted with. Default: none.
        trusted_resources: ARN patterns of further datasets, models and inference schedulers that may use the
            role, such as those that scripts create. Default: none.
        role_name: name of the role. Default: one that CloudFormation generates.
        description: description of the role. Default: one that names Lookout for Equipment.

    Raises:
        ValueError: when there is nothing to read and nothing to write.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        reads: Sequence[S3Location] = (),
        writes: Sequence[S3Location] = (),
        output_keys: Sequence[kms.IKey] = (),
        trusted_resources: Sequence[str] = (),
        role_name: str | None = None,
        description: str | None = None,
    ) -> None:
        if not (reads or writes):
            raise ValueError(f'service role "{id}" reads and writes nothing: pass `reads` or `writes`')
        self._trusted = _TrustedResources(scope, trusted_resources)
        super().__init__(
            scope,
            id,
            assumed_by=service.role_trust(cdk.Lazy.list(self._trusted)),
            description=description or "Lets Lookout for Equipment read sensor data and write results",
            inline_policies={
                "DataAccess": iam.PolicyDocument(
                    statements=[
                        *_list_statements(reads, writes),
                        *_object_statements("s3:GetObject", reads),
                        *_object_statements("s3:PutObject", writes),
                        *_key_statements(scope, reads, writes, output_keys),
                    ]
                )
            },
            path=service.access_role_path,
            role_name=role_name,
        )
        acknowledge_wildcards(
            self,
            tuple(arn for place in (*reads, *writes) for arn in _spellings(self, place)),
            "the prefix is the narrowest name of objects that arrive after deployment",
            also=INLINE_POLICY,
        )
        if service.api_id is not None:
            cdk.Aspects.of(self).add(_WarningOfWideTrust(self))

    def trust_for(self, resource_arn: str) -> None:
        """Let the service use the role while it works for the resources of an ARN pattern."""
        self._trusted.add(resource_arn)

    @property
    def trusts_any_resource(self) -> bool:
        """Whether nothing says what may use the role, or too much for a trust policy does."""
        return self._trusted.any_resource


@jsii.implements(cdk.IStableListProducer)
class _TrustedResources:
    """The resources for which a role trusts the service, which are known when all constructs are made."""

    def __init__(self, scope: IConstruct, resource_arns: Sequence[str]) -> None:
        self._stack = cdk.Stack.of(scope)
        self._arns = list(resource_arns)

    def add(self, resource_arn: str) -> None:
        if resource_arn not in self._arns:
            self._arns.append(resource_arn)

    @property
    def any_resource(self) -> bool:
        lengths = [len(template_text(self._stack, arn)) for arn in self._arns]
        return not lengths or sum(lengths) > _LONGEST_TRUST

    def produce(self) -> list[str]:
        """Return the ARN patterns of the trust policy."""
        return [_arns.any_resource(self._stack)] if self.any_resource else self._arns


@jsii.implements(cdk.IAspect)
class _WarningOfWideTrust:
    def __init__(self, role: ServiceRole) -> None:
        self._role = role

    def visit(self, node: IConstruct) -> None:
        """Warn of a role that anybody can have the service use who may call it."""
        if node is self._role and self._role.trusts_any_resource:
            cdk.Annotations.of(node).add_warning_v2(
                "constructs-l4e:WideTrust",
                "this role trusts the service for every resource of the account, so whoever may call the "
                "service can have it use the role: pass the role to the constructs that use it, or their ARN "
                "patterns as `trusted_resources`; no more than about ten of them fit into one role",
            )


def let_use(scope: IConstruct, service: IEquipmentService, role: iam.IRole, *, resource_arn: str) -> None:
    """Let the service use `role` while it works for the resources of an ARN pattern.

    Raises:
        ValueError: when the role does not have the path of roles that the service assumes.
    """
    _require_path(role, service)
    if isinstance(role, ServiceRole):
        role.trust_for(resource_arn)
    elif service.api_id is not None:
        cdk.Annotations.of(scope).add_warning_v2(
            "constructs-l4e:RoleTrust",
            f'the trust policy of role "{role.node.path}" is not made here: let it trust the service with '
            f'sts:ExternalId "{template_text(scope, resource_arn)}" only, or whoever may call the service '
            "can have it use the role; "
            "`service.role_trust([...])` gives the principal",
        )


def _require_path(role: iam.IRole, service: IEquipmentService) -> None:
    path = service.access_role_path
    if path is None or cdk.Token.is_unresolved(role.role_arn):
        return
    if f":role{path}" not in role.role_arn:
        raise ValueError(
            f'role "{role.role_arn}" cannot be used by the service, which assumes roles of the path "{path}" '
            "only: create the role with that path, or use ServiceRole"
        )


def _spellings(scope: IConstruct, place: S3Location) -> Iterable[str]:
    """Yield how the template may write the ARN of the objects: a bucket of another stack is imported."""
    yield place.objects_arn
    owner, user = cdk.Stack.of(place.bucket), cdk.Stack.of(scope)
    arn = place.bucket.bucket_arn
    owned = "Fn::GetAtt" in owner.resolve(arn)
    if owned and owner.node.path != user.node.path and owner.environment == user.environment:
        yield f"{owner.export_value(arn)}/{place.prefix}*"


def _list_statements(
    reads: Sequence[S3Location], writes: Sequence[S3Location]
) -> Iterable[iam.PolicyStatement]:
    """Yield the rights to list, without which S3 answers "denied" for a key that does not exist."""
    prefixes: dict[str, dict[str, None]] = {}
    for place in (*reads, *writes):
        prefixes.setdefault(place.bucket.bucket_arn, {})[f"{place.prefix}*"] = None
    for bucket_arn, patterns in prefixes.items():
        yield iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket_arn],
            conditions={"StringLike": {"s3:prefix": list(patterns)}},
        )


def _object_statements(action: str, places: Sequence[S3Location]) -> Iterable[iam.PolicyStatement]:
    if places:
        yield iam.PolicyStatement(actions=[action], resources=[place.objects_arn for place in places])


def _key_statements(
    scope: IConstruct, reads: Sequence[S3Location], writes: Sequence[S3Location], keys: Sequence[kms.IKey]
) -> Iterable[iam.PolicyStatement]:
    via_s3 = {"StringEquals": {"kms:ViaService": service_name(scope, "s3")}}
    read_keys = _unique(key.key_arn for key in _bucket_keys(reads))
    if read_keys:
        yield iam.PolicyStatement(actions=["kms:Decrypt"], resources=read_keys, conditions=via_s3)
    write_keys = _unique(key.key_arn for key in (*_bucket_keys(writes), *keys))
    if write_keys:
        # An upload in parts also decrypts: S3 reads the parts back to join them.
        yield iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=write_keys, conditions=via_s3
        )


def _bucket_keys(places: Sequence[S3Location]) -> Iterable[kms.IKey]:
    for place in places:
        if place.bucket.encryption_key is not None:
            yield place.bucket.encryption_key


def _unique(arns: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(arns))
