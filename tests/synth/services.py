"""The services whose templates are tested, and what the tests look for in them."""

import dataclasses
import functools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_backup as backup
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from canonical import listed, resources, stack, statements, template

from constructs_l4e import (
    EquipmentService,
    FunctionVpcEndpoints,
    IEquipmentService,
    ImportSource,
    LargeJobs,
    ReservedConcurrency,
    ServiceControls,
    ServiceSettings,
    ServiceVpcEndpoint,
)

VPCE, OTHER_VPCE = "vpce-0123456789abcdef0", "vpce-0123456789abcdef1"
_HASH = re.compile(r"[0-9a-f]{64}")


def service(scope: cdk.Stack) -> EquipmentService:
    return EquipmentService(scope, "Service")


def everything(scope: cdk.Stack) -> EquipmentService:
    return EquipmentService(
        scope,
        "Service",
        numeric_layer=lambda_.LayerVersion.from_layer_version_arn(
            scope, "Layer", "arn:aws:lambda:eu-west-1:111122223333:layer:numbers:1"
        ),
        settings=ServiceSettings(models=math.inf, minimum_training_span=cdk.Duration.days(1)),
        metric_namespace="Plant/Equipment",
        encryption_key=kms.Key.from_key_arn(
            scope, "Key", "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
        ),
        training_memory=cdk.Size.mebibytes(3008),
        removal_policy=cdk.RemovalPolicy.DESTROY,
        import_sources=[ImportSource(account="222222222222", region="eu-central-1", api_id="abcde12345")],
        importable_by=["222222222222"],
    )


def large(scope: cdk.Stack) -> EquipmentService:
    return EquipmentService(
        scope,
        "Service",
        settings=ServiceSettings(training_rows=20_000_000),
        large_jobs=LargeJobs(vpc=plant_network(scope)),
    )


def private(scope: cdk.Stack) -> EquipmentService:
    """Functions in subnets without a way out, and a private API: nothing is reached over the internet."""
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        max_azs=2,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        ],
        restrict_default_security_group=False,
    )
    cdk.Validations.of(vpc).acknowledge(
        cdk.Acknowledgment(id="AwsSolutions-VPC7", reason="the network of a plant; flow logs are its owner's")
    )
    FunctionVpcEndpoints(scope, "Endpoints", vpc=vpc)
    endpoint = ServiceVpcEndpoint(scope, "Endpoint", vpc=vpc)
    return EquipmentService(scope, "Service", vpc=vpc, api_vpc_endpoints=[endpoint])


def controlled(
    scope: cdk.Stack, *, private: bool = False, large: bool = False, **changed: Any
) -> EquipmentService:
    """What the rules of NIST 800-53, HIPAA and PCI DSS ask, but for controls that are `changed`."""
    key = kms.Key(
        scope,
        "Key",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    vpc = plant_network(scope)
    controls = ServiceControls(
        reserved_concurrency=ReservedConcurrency(),
        dead_letter_queue=sqs.Queue(scope, "DeadLetters", encryption_master_key=key, enforce_ssl=True),
        tracing_enabled=True,
        log_retention=logs.RetentionDays.ONE_YEAR,
        log_encryption_key=key,
        api_logging=True,
        api_throttle=apigateway.ThrottleSettings(rate_limit=50, burst_limit=100),
        access_logs_bucket=s3.Bucket.from_bucket_name(scope, "Logs", "access-logs-of-the-account"),
        permissions_boundary=iam.ManagedPolicy.from_managed_policy_name(scope, "Boundary", "boundary"),
    )
    return EquipmentService(
        scope,
        "Service",
        vpc=vpc,
        api_vpc_endpoints=[ServiceVpcEndpoint(scope, "Endpoint", vpc=vpc, open=False)] if private else None,
        settings=ServiceSettings(training_rows=20_000_000) if large else None,
        large_jobs=LargeJobs(vpc=vpc) if large else None,
        controls=dataclasses.replace(controls, **changed),
    )


def in_backup_plan(service: EquipmentService) -> None:
    """Have AWS Backup keep copies of the records, which is the choice of an app."""
    plan = backup.BackupPlan.daily35_day_retention(service, "Plan")
    table = backup.BackupResource.from_dynamo_db_table(service.table)
    selection = plan.add_selection("Records", resources=[table])
    policy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    cdk.Validations.of(selection).acknowledge(
        cdk.Acknowledgment(
            id=f"AwsSolutions-IAM4[Policy::{policy}]",
            reason="what AWS keeps up to date for its own backup service",
        )
    )


def known_endpoint(scope: cdk.Stack, name: str = VPCE) -> ec2.IInterfaceVpcEndpoint:
    return ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
        scope, name, vpc_endpoint_id=name, port=443
    )


def network(scope: cdk.Stack, *kinds: ec2.SubnetType) -> ec2.Vpc:
    return ec2.Vpc(
        scope,
        "Own",
        max_azs=2,
        subnet_configuration=[ec2.SubnetConfiguration(name=kind.name, subnet_type=kind) for kind in kinds],
        restrict_default_security_group=False,
    )


def plant_network(scope: cdk.Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
        public_subnet_ids=["subnet-0123456789abcdef1"],
    )


def managed(scope: cdk.Stack) -> IEquipmentService:
    return EquipmentService.aws_managed(scope, "Service")


BUILDS: Mapping[str, Callable[[cdk.Stack], object]] = {
    "service": service,
    "service-full": everything,
    "service-large": large,
    "service-private": private,
    "service-managed": managed,
    "service-controlled": lambda scope: controlled(scope, private=True, large=True),
}


@functools.cache
def built(name: str) -> dict[str, Any]:
    """Template of one of the builds; synthesised once, not to be changed."""
    target = stack()
    BUILDS[name](target)
    return template(target)


def environment(content: Mapping[str, Any], handler: str) -> dict[str, Any]:
    functions = resources(content, "AWS::Lambda::Function").values()
    (found,) = (f["Properties"] for f in functions if f["Properties"]["Handler"] == handler)
    variables: dict[str, Any] = found.get("Environment", {}).get("Variables", {})
    return variables


def machine(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    (found,) = (
        value
        for key, value in resources(content, "AWS::StepFunctions::StateMachine").items()
        if name in key and "RolePolicy" not in key
    )
    definition: dict[str, Any] = json.loads(found["Properties"]["DefinitionString"])
    return definition


def roles(content: Mapping[str, Any], principal: str) -> list[dict[str, Any]]:
    return [
        value["Properties"]
        for value in resources(content, "AWS::IAM::Role").values()
        if principal in json.dumps(value["Properties"]["AssumeRolePolicyDocument"])
    ]


def only_role(content: Mapping[str, Any], part: str) -> dict[str, Any]:
    """A template with nothing but the one role whose logical id contains `part`."""
    (found,) = (item for item in resources(content, "AWS::IAM::Role").items() if part in item[0])
    return {"Resources": dict([found])}


def role_of(content: Mapping[str, Any], part: str) -> set[str]:
    """All actions in the inline policies of the one role whose logical id contains `part`."""
    return {
        action for statement in statements(only_role(content, part)) for action in listed(statement["Action"])
    }


def granting(content: Mapping[str, Any], action: str) -> list[dict[str, Any]]:
    return [statement for statement in statements(content) if action in listed(statement["Action"])]


def scopes(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The states of a machine, and those of the maps in it."""
    yield definition["States"]
    for state in definition["States"].values():
        if "ItemProcessor" in state:
            yield from scopes(state["ItemProcessor"])


def without_hashes(content: Any) -> Any:
    """A template without the hashes of its assets, which change with every line of code."""
    match content:
        case {"S3Bucket": _, "S3Key": _}:
            return "<asset>"
        case str(text):
            return _HASH.sub("<hash>", text)
        case dict():
            return {key: without_hashes(value) for key, value in content.items()}
        case list():
            return [without_hashes(value) for value in content]
    return content
