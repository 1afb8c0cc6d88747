"""AWS's own service, and what its custom-resource functions may call there."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_l4e import _arns, _environments, _ways_in
from constructs_l4e._access import Access
from constructs_l4e._provider import ResourceProvider
from constructs_l4e._service_model import SERVICE
from constructs_l4e.access_level import AccessLevel
from constructs_l4e.service_base import EquipmentServiceBase
from constructs_l4e.settings import ServiceSettings


class ManagedService(EquipmentServiceBase):
    """AWS's own service, for stacks that must synthesise as before, and partitions that still have it."""

    identity = (_environments.MANAGED, "")
    settings = ServiceSettings()
    has_adaptation = False
    has_events = False
    trusted_by_resource = False
    has_iam_actions = True

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.api_id = self.api_stage = self.access_role_path = None
        self.data_access_principal = iam.ServicePrincipal("lookoutequipment.amazonaws.com")
        provider = ResourceProvider(
            self, "Provider", access=_managed_access(cdk.Stack.of(self)), environment={}, signing_extras=False
        )
        self.provider_service_token = provider.service_token
        self.provider_role = provider.role
        self.staging_bucket_name = provider.staging_bucket_name
        self.metric_namespace = "AWS/LookoutEquipment"

    def publishes(self, metric_name: str) -> bool:
        """Return whether AWS's own service publishes a metric."""
        return metric_name in {"InferenceSucceeded", "InferenceFailed", "InferenceInvalidInput"}

    def grant_operations(
        self,
        grantee: iam.IGrantable,
        operations: Sequence[str],
        *,
        name: str,  # noqa: ARG002
        arn: str,
    ) -> iam.Grant:
        """Allow `grantee` the operations on the ARN."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"{SERVICE}:{operation}" for operation in operations],
            resource_arns=[arn],
        )

    def grant_level(
        self, grantee: iam.IGrantable, level: AccessLevel, *, member: str, name: str, arn: str
    ) -> iam.Grant:
        """Allow `grantee` the operations of a level on the ARN."""
        return self.grant_operations(grantee, _ways_in.operations_on(member, level), name=name, arn=arn)

    def trust_with_key(self, key: kms.Key, users: Sequence[iam.IPrincipal]) -> None:
        """Follow the L4E user guide: `users` and the custom-resource functions make grants through it."""
        principals = [self.provider_role, *users]
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UsersUseKeyWithLookoutForEquipment",
                actions=["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"],
                principals=principals,
                resources=["*"],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"lookoutequipment.{cdk.Stack.of(key).region}.amazonaws.com"
                    }
                },
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UsersViewKey", actions=["kms:DescribeKey"], principals=principals, resources=["*"]
            )
        )

    def role_trust(self, resource_arns: Sequence[str] | None = None) -> iam.IPrincipal:  # noqa: ARG002
        """Return the service principal, for resources of this account and Region only."""
        stack = cdk.Stack.of(self)
        return iam.PrincipalWithConditions(
            self.data_access_principal,
            {
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": _arns.any_resource(self)},
            },
        )

    def _grant(
        self,
        grantee: iam.IGrantable,
        level: AccessLevel,
        *,
        name: str | None,
        tag: tuple[str, str] | None,
    ) -> iam.Grant:
        if name is not None or tag is not None:
            raise ValueError(
                "name and tag hold callers of a deployed service only: at AWS's own service use the grants "
                "of Dataset, Model and InferenceScheduler, or conditions in a policy"
            )
        actions = [f"{SERVICE}:{operation}" for operation in _ways_in.operations_at(level)]
        # Every resource, because the List actions have no other.
        return iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=["*"])


def _managed_access(stack: cdk.Stack) -> list[Access]:
    """Return what the custom-resource functions may call."""

    def on(kind: str, *actions: str) -> Access:
        return Access(
            actions=tuple(f"lookoutequipment:{action}" for action in actions),
            resources=(stack.format_arn(service="lookoutequipment", resource=kind, resource_name="*"),),
            wildcard_reason="names are chosen by the asset stacks, and ARNs end in an id that AWS makes up",
        )

    tagging = ("ListTagsForResource", "TagResource", "UntagResource")
    return [
        on(
            "dataset",
            "CreateDataset",
            "CreateModel",
            "DeleteDataset",
            "DescribeDataset",
            "ImportDataset",
            "ImportModelVersion",
            "StartDataIngestionJob",
            *tagging,
        ),
        on(
            "model",
            "CreateInferenceScheduler",
            "CreateModel",
            "DeleteModel",
            "DescribeModel",
            "DescribeModelVersion",
            "ImportModelVersion",
            "ListModelVersions",
            "UpdateActiveModelVersion",
            "UpdateModel",
            *tagging,
        ),
        on(
            "label-group",
            "CreateLabel",
            "CreateLabelGroup",
            "CreateModel",
            "DeleteLabel",
            "DeleteLabelGroup",
            "DescribeLabelGroup",
            "UpdateLabelGroup",
            *tagging,
        ),
        on(
            "inference-scheduler",
            "CreateInferenceScheduler",
            "DeleteInferenceScheduler",
            "DescribeInferenceScheduler",
            "StartInferenceScheduler",
            "StopInferenceScheduler",
            "UpdateInferenceScheduler",
            *tagging,
        ),
        Access(
            actions=(
                "lookoutequipment:DescribeDataIngestionJob",
                "lookoutequipment:ListDataIngestionJobs",
                "lookoutequipment:ListInferenceSchedulers",
            ),
            resources=("*",),
            wildcard_reason="AWS offers no resource-level permissions for these actions",
        ),
    ]
