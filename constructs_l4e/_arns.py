"""ARNs of the service's resources, and rights on them."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk.interfaces import ResourceEnvironment
from constructs import IConstruct

from constructs_l4e import _props, _service_model, _validate
from constructs_l4e._memory import account_of, partition_of, region_of, stack_of
from constructs_l4e.interfaces import IEquipmentService


def grant(
    service: IEquipmentService, grantee: iam.IGrantable, *operations: str, name: str, arn: str
) -> iam.Grant:
    """Allow `grantee` to call operations of the API on a resource.

    Raises:
        ValueError: when the API has no such operation, or none is named.
    """
    if not operations:
        raise ValueError(f'no operation is granted on "{name}": name some, such as "DescribeModel"')
    known_operations(operations)
    return service.grant_operations(grantee, operations, name=name, arn=arn)


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


def service_arn(
    scope: IConstruct, resource: str, name: str, *, home: ResourceEnvironment | None = None
) -> str:
    """Return the ARN pattern of a resource by its name, to which the service appends an id.

    Args:
        scope: the construct that it is for.
        resource: kind of the resource, as ARNs have it.
        name: name of the resource.
        home: account and Region of the resource. Default: those of the stack of `scope`.
    """
    if home is None:
        return f"{any_resource(scope).removesuffix('*')}{resource}/{name}/*"
    return stack_of(scope).format_arn(
        service=_service_model.SERVICE,
        account=home.account,
        region=home.region,
        resource=resource,
        resource_name=f"{name}/*",
    )


def any_resource(scope: IConstruct) -> str:
    """Return the ARN pattern of every resource of the service in an account and Region."""
    stack = stack_of(scope)
    home = f"{partition_of(stack)}:{_service_model.SERVICE}:{region_of(stack)}:{account_of(stack)}"
    return f"arn:{home}:*"


def name_in_arn(arn: str, *, shape: str, what: str) -> str:
    """Return the name in `arn:...:<resource>/<name>/<id>`, which may be a token.

    Raises:
        ValueError: when the ARN does not have the pattern of `shape`.
    """
    _validate.text(arn, shape=shape, what=what, fix="copy it from the Describe operation")
    if _props.is_token(arn):
        return cdk.Fn.select(1, cdk.Fn.split("/", arn))
    return arn.split("/")[1]


def source(arn: str, *, shape: str, what: str) -> str:
    """Return the ARN of what is to be imported, if it can be one.

    Raises:
        ValueError: when it does not have the pattern of `shape`, or is itself a pattern.
    """
    name_in_arn(arn, shape=shape, what=what)
    if "*" in arn:
        raise ValueError(f'{what} "{arn}" is a pattern: give the ARN with its id, as its owner describes it')
    return arn
