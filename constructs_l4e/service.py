"""The LookoutEquipment API an app talks to: deployed in the account or imported, or AWS's own."""

from typing import Protocol, runtime_checkable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

METRIC_NAMESPACE = "LookoutEquipment"
"""Default CloudWatch namespace: accounts cannot publish into `AWS/LookoutEquipment`."""

ACCESS_ROLE_PATH = "/lookoutequipment/"
"""IAM path of the roles a deployed service may assume; it can assume no other role."""


@runtime_checkable
class IEquipmentService(Protocol):
    """What every other construct needs to know of the service it works with."""

    @property
    def api_id(self) -> str | None:
        """Id of the REST API; None for the AWS-managed service."""

    @property
    def api_stage(self) -> str | None:
        """Stage of the REST API; None for the AWS-managed service."""

    @property
    def endpoint_url(self) -> str | None:
        """Value of `AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT`; None for the AWS-managed service."""

    @property
    def data_access_principal(self) -> iam.IPrincipal:
        """Who reads and writes customer data, without conditions. Trust policies use `role_trust`."""

    @property
    def access_role_path(self) -> str | None:
        """IAM path an access role must have; None when any path will do."""

    @property
    def provider_service_token(self) -> str:
        """`ServiceToken` of the custom resources."""

    @property
    def provider_role(self) -> iam.IRole:
        """Role of the custom-resource functions."""

    @property
    def metric_namespace(self) -> str:
        """CloudWatch namespace of the inference metrics."""

    def role_trust(self) -> iam.IPrincipal:
        """Principal and conditions for the trust policy of a role the service uses."""

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` call every operation of the service."""


class EquipmentServiceBase(cdk.Resource):
    """What deployed and imported services share."""

    api_id: str | None
    api_stage: str | None
    data_access_principal: iam.IPrincipal
    access_role_path: str | None
    provider_service_token: str
    provider_role: iam.IRole
    metric_namespace: str

    @property
    def endpoint_url(self) -> str | None:
        """Value of `AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT`; None for the AWS-managed service."""
        if self.api_id is None:
            return None
        stack = cdk.Stack.of(self)
        return f"https://{self.api_id}.execute-api.{stack.region}.{stack.url_suffix}/{self.api_stage}"

    @property
    def api_arn(self) -> str | None:
        """ARN that `execute-api:Invoke` is granted on; None for the AWS-managed service."""
        if self.api_id is None:
            return None
        return cdk.Stack.of(self).format_arn(
            service="execute-api", resource=self.api_id, resource_name=f"{self.api_stage}/POST/"
        )

    def role_trust(self) -> iam.IPrincipal:
        """Principal and conditions for the trust policy of a role the service uses.

        The service names the dataset, model or scheduler it works for as external id, so that a role trusts
        it for the resources of this account and Region alone.
        """
        arns = cdk.Stack.of(self).format_arn(
            service="lookoutequipment", resource="*", arn_format=cdk.ArnFormat.NO_RESOURCE_NAME
        )
        return iam.PrincipalWithConditions(
            self.data_access_principal, {"StringLike": {"sts:ExternalId": arns}}
        )

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` call every operation of the service."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["execute-api:Invoke"], resource_arns=[str(self.api_arn)]
        )


class _ImportedService(EquipmentServiceBase):
    """A service that another stack or app deploys."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        api_id: str,
        api_stage: str,
        data_access_role_arn: str,
        provider_service_token: str,
        provider_role_arn: str,
        metric_namespace: str,
    ) -> None:
        super().__init__(scope, id)
        self.api_id = api_id
        self.api_stage = api_stage
        self.data_access_principal = iam.ArnPrincipal(data_access_role_arn)
        self.access_role_path = ACCESS_ROLE_PATH
        self.provider_service_token = provider_service_token
        self.provider_role = iam.Role.from_role_arn(self, "ProviderRole", provider_role_arn)
        self.metric_namespace = metric_namespace


class EquipmentService(EquipmentServiceBase):
    """The LookoutEquipment service, deployed into this account and Region."""

    @classmethod
    def from_equipment_service_attributes(
        cls,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        api_id: str,
        api_stage: str,
        data_access_role_arn: str,
        provider_service_token: str,
        provider_role_arn: str,
        metric_namespace: str = METRIC_NAMESPACE,
    ) -> IEquipmentService:
        """A service deployed by another stack or app, by the outputs of its stack."""
        return _ImportedService(
            scope,
            id,
            api_id=api_id,
            api_stage=api_stage,
            data_access_role_arn=data_access_role_arn,
            provider_service_token=provider_service_token,
            provider_role_arn=provider_role_arn,
            metric_namespace=metric_namespace,
        )
