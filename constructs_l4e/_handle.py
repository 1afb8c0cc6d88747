"""One parameter of Systems Manager that tells an app all it needs to know of a service."""

import re
from dataclasses import astuple, dataclass, fields
from typing import Self

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_l4e import _validate

_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_PARAMETER_NAME = re.compile(r"(/[A-Za-z0-9_.-]+)+")


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


def parameter_name_in(value: str) -> str:
    """Return the name of a parameter, if it is known and in a form that every Region takes."""
    _validate.known(value, what="parameter_name")
    if not _PARAMETER_NAME.fullmatch(value):
        raise ValueError(
            f'parameter_name "{value}" is not supported: begin with a slash, and use letters, digits, "_", '
            '".", "-" and slashes, such as "/plant/lookoutequipment"'
        )
    return value


def parameter_of_stack(stack_name: str) -> str:
    """Return where a service is published by the name of its stack."""
    if cdk.Token.is_unresolved(stack_name):
        raise ValueError(
            "a stack whose name only its deployment gives it, such as a nested one, cannot be found by name: "
            "pass a parameter_name to add_parameter, and the same to EquipmentService.from_parameter"
        )
    if not _STACK_NAME.fullmatch(stack_name):
        raise ValueError(
            f'stack_name "{stack_name}" cannot be the name of a stack: use letters, digits and hyphens, and '
            "begin with a letter"
        )
    return f"/lookoutequipment/{stack_name}"
