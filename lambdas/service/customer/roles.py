"""Roles that requests name: which ones the service may assume."""

from collections.abc import Mapping
from typing import Any

from service.context import Context
from service.errors import ValidationError


def require_role(context: Context, request: Mapping[str, Any]) -> None:
    """Require that the `RoleArn` of a request, if it has one, is a role that the service may assume.

    Raises:
        ValidationError: when the role is of another partition or account, or outside the path of the access
            roles.
    """
    arn = request.get("RoleArn")
    if arn is None:
        return
    account, path = context.arns.account, context.settings.access_role_path
    _, partition, _, _, owner, resource = arn.split(":", 5)
    if partition != context.arns.partition:
        raise ValidationError(
            f"RoleArn '{arn}' is of the partition '{partition}', but the service runs in "
            f"'{context.arns.partition}', out of reach of other partitions: use a role of account {account}"
        )
    if owner != account:
        raise ValidationError(
            f"RoleArn '{arn}' is a role of account {owner}, but the service runs in account {account}: use a "
            "role of that account, grant it access to the other account's bucket in the bucket policy, and "
            "name the owner of the bucket in the setting 'bucket_owners' of the service"
        )
    if not _lies_under(path, resource):
        raise ValidationError(
            f"RoleArn '{arn}' does not lie under the path '{path}', and the service may assume no other "
            f"role: create the role with the path '{path}' (an ARN like "
            f"arn:{partition}:iam::{account}:role{path}name), or change the setting 'access_role_path' of "
            "the service"
        )


def _lies_under(path: str, resource: str) -> bool:
    """Return whether a role, the last part of its ARN, has a path that begins with `path`."""
    name = f"/{resource.removeprefix('role/')}"
    # IAM takes '..' for a name like others. Whoever else reads the ARN may not.
    return name.startswith(path) and not {"", ".", ".."} & {*name.split("/")[1:]}
