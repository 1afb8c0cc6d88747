"""The role through which the service reads and writes the data of an asset."""

from collections.abc import Iterable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from constructs_l4e._access import service_name
from constructs_l4e._acknowledge import acknowledge_wildcards
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.storage import S3Location


class ServiceRole(iam.Role):
    """A role that trusts the service, for resources of this account and Region, and accesses given objects.

    The rights include the use of the keys of the buckets. Grants of other constructs
    (`bucket.grant_read(role)`) add to them.

    Args:
        scope: parent of the construct.
        id: construct id.
        service: the service that assumes the role.
        reads: objects that may be read.
        writes: objects that may be written.
        output_keys: further keys that results are encrypted with. Default: none.
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
        role_name: str | None = None,
        description: str | None = None,
    ) -> None:
        if not (reads or writes):
            raise ValueError(f'service role "{id}" reads and writes nothing: pass `reads` or `writes`')
        super().__init__(
            scope,
            id,
            assumed_by=service.role_trust(),
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
        )


def require_usable(role: iam.IRole, service: IEquipmentService) -> None:
    """Check that the service can assume `role`, as far as its ARN shows.

    Raises:
        ValueError: when the role does not have the path of roles that the service assumes.
    """
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
