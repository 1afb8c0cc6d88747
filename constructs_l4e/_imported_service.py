"""A service that another stack or app deploys, by what that published of it."""

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_l4e import _api_endpoints, _props, _validate
from constructs_l4e.service_base import ACCESS_ROLE_PATH, EquipmentServiceBase
from constructs_l4e.settings import ServiceSettings

_ARNS = {
    "provider_service_token": re.compile(r"arn:[^:]+:lambda:[a-z0-9-]+:(\d{12}):function:.+"),
    "provider_role_arn": re.compile(r"arn:[^:]+:iam::(\d{12}):role/.+"),
    "data_access_role_arn": re.compile(r"arn:[^:]+:iam::(\d{12}):role/.+"),
}
_API_PART = re.compile(r"[A-Za-z0-9_-]+")


class ImportedService(EquipmentServiceBase):
    """A service that another stack or app deploys."""

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        api_id: str,
        api_stage: str,
        api_vpc_endpoint_ids: Sequence[str],
        data_access_role_arn: str,
        provider_service_token: str,
        provider_role_arn: str,
        staging_bucket_name: str | None,
        metric_namespace: str,
        settings: ServiceSettings | None,
    ) -> None:
        known = None if cdk.Token.is_unresolved(provider_service_token) else provider_service_token
        _check_arns(
            provider_service_token=provider_service_token,
            provider_role_arn=provider_role_arn,
            data_access_role_arn=data_access_role_arn,
        )
        super().__init__(scope, id, environment_from_arn=known)
        self.identity = ("imported", known) if known else None
        self.settings = settings
        self.api_id = _checked_api_part("api_id", api_id)
        self.api_stage = _checked_api_part("api_stage", api_stage)
        self.api_vpc_endpoint_ids = _api_endpoints.checked_ids(api_vpc_endpoint_ids)
        self.data_access_principal = iam.ArnPrincipal(data_access_role_arn)
        self.access_role_path = ACCESS_ROLE_PATH
        self.provider_service_token = provider_service_token
        self.provider_role = iam.Role.from_role_arn(self, "ProviderRole", provider_role_arn)
        if staging_bucket_name is not None:
            _validate.bucket(staging_bucket_name, what="staging_bucket_name")
        self.staging_bucket_name = staging_bucket_name
        self.metric_namespace = _validate.namespace(metric_namespace)


def _check_arns(**arns: str) -> None:
    """Require that what identifies an imported service are ARNs of one account, as far as they are known."""
    accounts: dict[str, str] = {}
    for what, arn in arns.items():
        if cdk.Token.is_unresolved(arn):
            continue
        match = _ARNS[what].fullmatch(arn)
        if match is None:
            kind = "function" if what == "provider_service_token" else "role"
            raise ValueError(f'{what} "{arn}" is not the ARN of a {kind}: copy it from the deployed service')
        accounts[what] = match[1]
    if len(set(accounts.values())) > 1:
        found = ", ".join(f'{what} of account "{account}"' for what, account in accounts.items())
        raise ValueError(f"{found} cannot belong to one service: copy them all from the same service")


def _checked_api_part(what: str, value: str) -> str:
    """Return id or stage of an API, if it can be one."""
    if not (cdk.Token.is_unresolved(value) or _API_PART.fullmatch(value)):
        raise ValueError(
            f'{what} "{value}" is not a part of an address: pass what the service has as {what}, letters, '
            'digits, "_" and "-"'
        )
    return value
