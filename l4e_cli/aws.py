"""AWS clients of the command line, and what it reads with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from l4e_cli import client_settings
from l4e_cli.errors import CliError
from l4e_cli.instance import Instance

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lookoutequipment import LookoutEquipmentClient
    from mypy_boto3_s3 import S3Client

BOOTSTRAP_STACK = "CDKToolkit"
_REST_API = "AWS::ApiGateway::RestApi"
_STAGE = "AWS::ApiGateway::Stage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed CloudFormation stack."""

    name: str
    status: str
    reason: str
    outputs: Mapping[str, str]

    @property
    def is_deployed(self) -> bool:
        """Whether its last operation succeeded."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}


@dataclass(frozen=True, slots=True)
class Aws:
    """Clients of one embedded AWS."""

    session: boto3.Session
    instance: Instance

    @classmethod
    def of(cls, instance: Instance) -> "Aws":
        """Return clients that act as the administrator of `instance`."""
        inner = botocore.session.Session()
        inner.set_config_variable("data_path", str(instance.models))
        inner.set_config_variable("ca_bundle", str(instance.authority))
        inner.set_default_client_config(Config(proxies={}))  # loopback, whatever HTTPS_PROXY says
        session = boto3.Session(
            botocore_session=inner,
            aws_access_key_id=instance.access_key_id,
            aws_secret_access_key=instance.secret_access_key,
            region_name=instance.region,
        )
        return cls(session, instance)

    @property
    def cloudformation(self) -> "CloudFormationClient":
        """CloudFormation."""
        return self.session.client("cloudformation", endpoint_url=self.instance.endpoint)

    @property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch."""
        return self.session.client("cloudwatch", endpoint_url=self.instance.endpoint)

    @property
    def s3(self) -> "S3Client":
        """S3."""
        return self.session.client("s3", endpoint_url=self.instance.endpoint)

    @property
    def equipment(self) -> "LookoutEquipmentClient":
        """The deployed service.

        Raises:
            CliError: when no stack contains one.
        """
        url = self.service_url()
        if url is None:
            raise CliError("no deployed stack contains the service: add an `EquipmentService` to the app")
        return self.session.client("lookoutequipment", endpoint_url=url)

    def stacks(self) -> list[Stack]:
        """Return all stacks but that of `cdk bootstrap`, in order of their names."""
        return sorted(
            (stack for stack in _stacks(self.cloudformation) if stack.name != BOOTSTRAP_STACK),
            key=lambda stack: stack.name,
        )

    def is_bootstrapped(self) -> bool:
        """Return whether `cdk bootstrap` has been run to its end."""
        return any(
            stack.name == BOOTSTRAP_STACK and stack.is_deployed for stack in _stacks(self.cloudformation)
        )

    def service_url(self) -> str | None:
        """Return the address of the service; None when no stack contains one."""
        for stack in self.stacks():
            api = rest_api(self.cloudformation, stack.name)
            if api is not None:
                api_id, stage = api
                return client_settings.api_url(
                    api_id=api_id,
                    stage=stage,
                    region=self.instance.region,
                    emulator_endpoint=self.instance.endpoint,
                )
        return None


def rest_api(cloudformation: "CloudFormationClient", stack: str) -> tuple[str, str] | None:
    """Return id and stage of the REST API in `stack`; None when it has none or does not exist."""
    try:
        resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    except ClientError:
        return None
    ids = {resource["ResourceType"]: resource.get("PhysicalResourceId", "") for resource in resources}
    api_id, stage = ids.get(_REST_API), ids.get(_STAGE)
    if not api_id or not stage:
        return None
    return api_id, stage


def _stacks(cloudformation: "CloudFormationClient") -> Iterator[Stack]:
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            yield Stack(
                name=stack["StackName"],
                status=stack["StackStatus"],
                reason=stack.get("StackStatusReason", ""),
                outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
            )
