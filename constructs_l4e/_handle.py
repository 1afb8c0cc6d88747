"""One parameter of Systems Manager that tells an app all it needs to know of a service."""

from dataclasses import astuple, dataclass, fields
from typing import Self

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """What an import needs, in the order of the list that the parameter holds; new fields go to the end."""

    api_id: str
    api_stage: str
    data_access_role_arn: str
    provider_service_token: str
    provider_role_arn: str
    metric_namespace: str

    def write(self, scope: Construct, id: str, parameter_name: str) -> ssm.StringListParameter:
        """Return a new parameter that holds the handle."""
        return ssm.StringListParameter(
            scope,
            id,
            description="Service of Lookout for Equipment: what EquipmentService.from_parameter reads",
            parameter_name=parameter_name,
            string_list_value=list(astuple(self)),
        )

    @classmethod
    def read(cls, scope: Construct, parameter_name: str) -> Self:
        """Return the handle in a parameter, as tokens that CloudFormation reads in each deployment."""
        found = ssm.StringListParameter.value_for_typed_list_parameter(
            scope, parameter_name, ssm.ParameterValueType.STRING
        )
        return cls(**{field.name: cdk.Fn.select(index, found) for index, field in enumerate(fields(cls))})
