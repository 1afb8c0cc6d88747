"""The role through which the service reads and writes the data of an asset."""

import abc
from collections.abc import Iterable, Mapping, Sequence

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from constructs_l4e import _arns, _props, _validate
from constructs_l4e._access import service_name
from constructs_l4e._acknowledge import acknowledge_wildcards, template_text, template_texts
from constructs_l4e._environments import require_region_of, require_same_service
from constructs_l4e._memory import once, path_of, placed, stack_of
from constructs_l4e._own_roles import Use, examine
from constructs_l4e._rule_packs import INLINE_POLICY
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.storage import S3Location

_LONGEST_NAME = 64
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
        reads: objects that may be read. Default: none.
        writes: objects that may be written. Default: none.
        output_keys: further keys that results are encrypted with. Default: none.
        trusted_resources: ARN patterns of further datasets, models and inference schedulers that may use the
            role, such as those that scripts create. Default: none.
        role_name: name of the role. Default: one that CloudFormation generates.
        description: description of the role. Default: one that names Lookout for Equipment.

    Raises:
        ValueError: when there is nothing to read and nothing to write, a bucket is in another Region, or the
            name or one of `trusted_resources` is not legal.
    """

    @_props.checked
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
        _validate.arn_patterns(trusted_resources, what="trusted_resources")
        if role_name is not None:
            _validate.aws_name(role_name, longest=_LONGEST_NAME, what="role_name", signs="+=,.@_-")
        self.service = service
        warned = self if service.trusted_by_resource else None
        self._trusted = _TrustedResources(scope, trusted_resources, warned=warned)
        super().__init__(
            scope,
            id,
            assumed_by=service.role_trust(cdk.Lazy.list(self._trusted)),
            description=description or "Lets Lookout for Equipment read sensor data and write results",
            inline_policies={
                "DataAccess": iam.PolicyDocument.from_json(
                    {
                        "Statement": [
                            *_list_statements(reads, writes),
                            *_object_statements("s3:GetObject", reads),
                            *_object_statements("s3:PutObject", writes),
                            *_key_statements(scope, reads, writes, output_keys),
                        ]
                    }
                )
            },
            path=service.access_role_path,
            role_name=role_name,
        )
        placed(self, scope, id)
        places = (*reads, *writes)
        for bucket in dict.fromkeys(place.bucket for place in places):
            require_region_of(bucket, self)
        acknowledge_wildcards(
            self,
            [place.objects_arn for place in places],
            "the prefix is the narrowest name of objects that arrive after deployment",
            of_other_stacks=any(stack_of(place.bucket) is not stack_of(scope) for place in places),
            also=INLINE_POLICY,
        )

    def trust_for(self, resource_arn: str) -> None:
        """Let the service use the role while it works for the resources of an ARN pattern."""
        self._trusted.add(resource_arn)


class UsesRole(abc.ABC):
    """What constructs that work under a role have in common."""

    @property
    @abc.abstractmethod
    def grant_principal(self) -> iam.IPrincipal:
        """The role, for grants of other constructs."""

    def add_to_role_policy(self, statement: iam.PolicyStatement) -> None:
        """Give the role a right besides those that it has, as `role.add_to_principal_policy` does."""
        self.grant_principal.add_to_principal_policy(statement)


@jsii.implements(cdk.IStableListProducer)
class _TrustedResources:
    """The resources for which a role trusts the service, which are known when all constructs are made."""

    def __init__(self, scope: IConstruct, resource_arns: Sequence[str], *, warned: IConstruct | None) -> None:
        self._stack = stack_of(scope)
        self._arns = list(resource_arns)
        self._warned = warned

    def add(self, resource_arn: str) -> None:
        if resource_arn not in self._arns:
            self._arns.append(resource_arn)

    @property
    def any_resource(self) -> bool:
        # Of pseudo parameters, a template has less text than there is here: most roles need no question.
        short = all(map(self._is_plain, self._arns)) and sum(map(len, self._arns)) <= _LONGEST_TRUST
        return not self._arns or not (short or self._length() <= _LONGEST_TRUST)

    def _is_plain(self, arn: str) -> bool:
        """Return whether no references but pseudo parameters are in an ARN."""
        start = _arns.any_resource(self._stack).removesuffix("*")
        return not _props.is_token(arn.removeprefix(start))

    def _length(self) -> int:
        return sum(map(len, template_texts(self._stack, self._arns)))

    def produce(self) -> list[str]:
        """Return the ARN patterns of the trust policy, and warn if anybody can have the role used."""
        if not self.any_resource:
            return self._arns
        if self._warned is not None:
            cdk.Annotations.of(self._warned).add_warning_v2(
                "constructs-l4e:WideTrust",
                "this role trusts the service for every resource of the account, so whoever may call the "
                "service can have it use the role: pass the role to the constructs that use it, or their ARN "
                "patterns as `trusted_resources`; no more than about ten of them fit into one role",
            )
        return [_arns.any_resource(self._stack)]


def let_use(
    scope: IConstruct,
    service: IEquipmentService,
    role: iam.IRole,
    *,
    resource_arn: str,
    reads: Sequence[S3Location] = (),
    writes: Sequence[S3Location] = (),
) -> None:
    """Let the service use `role` while it works for the resources of an ARN pattern.

    Trust and rights of a role that is not a `ServiceRole` are its owner's: a warning says what is missing, or
    what is needed when the role is not made in this app.

    Raises:
        ValueError: when the role does not have the path of roles that the service assumes, or trusts another
            service.
    """
    if isinstance(role, ServiceRole):
        if role.service is not service:
            require_same_service(f'role "{path_of(role)}"', role.service, service)
        role.trust_for(resource_arn)
        return
    made_here = role.node.default_child
    _require_path(role, made_here, service)
    if isinstance(made_here, iam.CfnRole):
        use = Use(user=scope, service=service, resource_arn=resource_arn, reads=reads, writes=writes)
        examine(role, made_here, use)
        return
    if service.trusted_by_resource:
        cdk.Annotations.of(scope).add_warning_v2(
            "constructs-l4e:RoleTrust",
            f'the trust policy of role "{path_of(role)}" is not made here: let it trust the service with '
            f'sts:ExternalId "{template_text(scope, resource_arn)}" only, or whoever may call the service '
            "can have it use the role; "
            "`service.role_trust([...])` gives the principal",
        )
    needed = [
        *(f"s3:GetObject and s3:ListBucket for {template_text(scope, place.uri)}" for place in reads),
        *(f"s3:PutObject and s3:ListBucket for {template_text(scope, place.uri)}" for place in writes),
    ]
    if needed:
        cdk.Annotations.of(scope).add_warning_v2(
            "constructs-l4e:RoleRights",
            f'the rights of role "{role.node.path}" are not made here: it needs {", ".join(needed)}, and the '
            "keys of these buckets; ServiceRole makes them",
        )


def arn_of(role: iam.IRole) -> str:
    """Return the ARN of a role."""
    return once(role, "role_arn", lambda: role.role_arn)


def _require_path(role: iam.IRole, made_here: IConstruct | None, service: IEquipmentService) -> None:
    path = service.access_role_path
    if path is None:
        return
    if isinstance(made_here, iam.CfnRole):
        found = made_here.path or "/"
        fits = found == path or cdk.Token.is_unresolved(found)
        named = f'"{role.node.path}" has the path "{found}" and'
    else:
        fits = cdk.Token.is_unresolved(role.role_arn) or f":role{path}" in role.role_arn
        named = f'"{role.role_arn}"'
    if not fits:
        raise ValueError(
            f'role {named} cannot be used by the service, which assumes roles of the path "{path}" '
            "only: create the role with that path, or use ServiceRole"
        )


_Statement = Mapping[str, object]
"""As in the JSON of a policy, which goes to Node as a whole."""


def _statement(
    actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, object] | None = None
) -> _Statement:
    condition = {"Condition": conditions} if conditions else {}
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources), **condition}


def _list_statements(reads: Sequence[S3Location], writes: Sequence[S3Location]) -> Iterable[_Statement]:
    """Yield the rights to list, without which S3 answers "denied" for a key that does not exist."""
    prefixes: dict[str, dict[str, None]] = {}
    for place in (*reads, *writes):
        prefixes.setdefault(place.bucket_arn, {})[f"{place.prefix}*"] = None
    for bucket_arn, patterns in prefixes.items():
        yield _statement(["s3:ListBucket"], [bucket_arn], {"StringLike": {"s3:prefix": list(patterns)}})


def _object_statements(action: str, places: Sequence[S3Location]) -> Iterable[_Statement]:
    if places:
        yield _statement([action], [place.objects_arn for place in places])


def _key_statements(
    scope: IConstruct, reads: Sequence[S3Location], writes: Sequence[S3Location], keys: Sequence[kms.IKey]
) -> Iterable[_Statement]:
    read_keys = _unique(key.key_arn for key in _bucket_keys(reads))
    if read_keys:
        yield _statement(["kms:Decrypt"], read_keys, _via_s3(scope))
    write_keys = _unique(key.key_arn for key in (*_bucket_keys(writes), *keys))
    if write_keys:
        # An upload in parts also decrypts: S3 reads the parts back to join them.
        yield _statement(["kms:Decrypt", "kms:GenerateDataKey"], write_keys, _via_s3(scope))


def _via_s3(scope: IConstruct) -> Mapping[str, object]:
    return {"StringEquals": {"kms:ViaService": service_name(scope, "s3")}}


def _bucket_keys(places: Sequence[S3Location]) -> Iterable[kms.IKey]:
    for place in places:
        if place.encryption_key is not None:
            yield place.encryption_key


def _unique(arns: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(arns))
