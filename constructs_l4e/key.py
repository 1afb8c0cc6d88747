"""A key for the data of assets, at the service and in S3."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_l4e import _props
from constructs_l4e.interfaces import IEquipmentService


class EquipmentKey(kms.Key):
    """A symmetric KMS key that the service may use; it rotates every year.

    Pass it as `encryption_key` to storage, datasets, models and schedulers.

    A deployed service uses the key under its own IAM rights: through S3, and for its own bucket only. It
    looks at the key, and tries it, when a request names it. The key policy leaves that to IAM, because a
    statement of its own could only widen it. For AWS's own service the policy follows the L4E user guide: the
    custom-resource functions and `users` may create grants through the service.

    Args:
        scope: parent of the construct.
        id: construct id.
        service: the service that uses the key.
        users: principals that call the API of AWS's own service with this key. Default: none besides the
            custom-resource functions. A deployed service needs none.
        alias: alias of the key. Default: none.
        description: description of the key. Default: one that names Lookout for Equipment.
        removal_policy: what happens to the key when the stack is deleted. Default:
            RETAIN_ON_UPDATE_OR_DELETE, it stays, but for a first deployment that fails: data without its key
            is lost.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        users: Sequence[iam.IPrincipal] = (),
        alias: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        super().__init__(
            scope,
            id,
            alias=alias,
            description=description or "Sensor data, models and results of Lookout for Equipment",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        service.trust_with_key(self, users)
