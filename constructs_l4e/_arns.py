"""ARNs of the service's resources, and rights on them."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from constructs_l4e import _service_model, _validate
from constructs_l4e.interfaces import IEquipmentService


def grant(
    service: IEquipmentService, grantee: iam.IGrantable, *operations: str, resource_arns: Sequence[str]
) -> iam.Grant:
    """Allow `grantee` to call operations of the API on resources.

    A deployed service has one route for all operations: IAM then allows all of them or none.

    Raises:
        ValueError: when the API has no such operation.
    """
    unknown = set(operations) - set(_service_model.operations())
    if unknown:
        raise ValueError(
            f'"{min(unknown)}" is not an operation of the API: use names such as "DescribeModel"'
        )
    if service.api_id is not None:
        return service.grant_invoke(grantee)
    return iam.Grant.add_to_principal(
        grantee=grantee,
        actions=[f"{_service_model.SERVICE}:{operation}" for operation in operations],
        resource_arns=list(resource_arns),
    )


def service_arn(scope: IConstruct, resource: str, name: str) -> str:
    """Return the ARN pattern of a resource by its name, to which the service appends an id."""
    return cdk.Stack.of(scope).format_arn(
        service=_service_model.SERVICE, resource=resource, resource_name=f"{name}/*"
    )


def name_in_arn(arn: str, *, shape: str, what: str) -> str:
    """Return the name in `arn:...:<resource>/<name>/<id>`, which may be a token.

    Raises:
        ValueError: when the ARN does not have the pattern of `shape`.
    """
    _validate.text(arn, shape=shape, what=what, fix="copy it from the Describe operation or the console")
    if cdk.Token.is_unresolved(arn):
        return cdk.Fn.select(1, cdk.Fn.split("/", arn))
    return arn.split("/")[1]
