"""ARNs of the service's resources, and rights on them."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from constructs_l4e import _service_model, _validate, _ways_in
from constructs_l4e._memory import once, stack_of
from constructs_l4e.access_level import AccessLevel
from constructs_l4e.interfaces import IEquipmentService


def grant(
    service: IEquipmentService, grantee: iam.IGrantable, *operations: str, name: str, arn: str
) -> iam.Grant:
    """Allow `grantee` to call operations of the API on a resource.

    At a deployed service it gets the lowest level of access that has them all, held to the name.

    Raises:
        ValueError: when the API has no such operation, or none is named.
    """
    if not operations:
        raise ValueError(f'no operation is granted on "{name}": name some, such as "DescribeModel"')
    known_operations(operations)
    if service.api_id is not None:
        return _grant_way_in(service, grantee, _ways_in.level_of(operations), name)
    return iam.Grant.add_to_principal(
        grantee=grantee,
        actions=[f"{_service_model.SERVICE}:{operation}" for operation in operations],
        resource_arns=[arn],
    )


def known_operations(operations: Sequence[str]) -> Sequence[str]:
    """Return `operations` if the API has them all.

    Raises:
        ValueError: when it has not.
    """
    unknown = set(operations) - set(_service_model.operations())
    if unknown:
        raise ValueError(
            f'"{min(unknown)}" is not an operation of the API: use names such as "DescribeModel"'
        )
    return operations


def grant_level(
    service: IEquipmentService,
    grantee: iam.IGrantable,
    level: AccessLevel,
    *,
    member: str,
    name: str,
    arn: str,
) -> iam.Grant:
    """Allow `grantee` what a level has on the resource that requests name in `member`."""
    if service.api_id is None:
        operations = _ways_in.operations_on(member, level)
        return grant(service, grantee, *operations, name=name, arn=arn)
    return _grant_way_in(service, grantee, level, name)


def _grant_way_in(
    service: IEquipmentService, grantee: iam.IGrantable, level: AccessLevel, name: str
) -> iam.Grant:
    match level:
        case AccessLevel.READ:
            return service.grant_read(grantee, name=name)
        case AccessLevel.OPERATE:
            return service.grant_operate(grantee, name=name)
        case AccessLevel.FULL:
            return service.grant_full_access(grantee, name=name)


def service_arn(scope: IConstruct, resource: str, name: str) -> str:
    """Return the ARN pattern of a resource by its name, to which the service appends an id."""
    return f"{any_resource(scope).removesuffix('*')}{resource}/{name}/*"


def any_resource(scope: IConstruct) -> str:
    """Return the ARN pattern of every resource of the service in an account and Region."""
    stack = stack_of(scope)
    return once(
        stack,
        "any resource of the service",
        lambda: stack.format_arn(
            service=_service_model.SERVICE, resource="*", arn_format=cdk.ArnFormat.NO_RESOURCE_NAME
        ),
    )


def name_in_arn(arn: str, *, shape: str, what: str) -> str:
    """Return the name in `arn:...:<resource>/<name>/<id>`, which may be a token.

    Raises:
        ValueError: when the ARN does not have the pattern of `shape`.
    """
    _validate.text(arn, shape=shape, what=what, fix="copy it from the Describe operation or the console")
    if _validate.has_token(arn):
        return cdk.Fn.select(1, cdk.Fn.split("/", arn))
    return arn.split("/")[1]
