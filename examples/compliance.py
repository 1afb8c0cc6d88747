"""A plant under the rules of NIST 800-53, HIPAA and PCI DSS: five rule packs of cdk-nag find nothing.

The account has its network, a bucket for access logs, a topic for alarms, a boundary for roles, and a role
with which API Gateway writes logs. Needs cdk-nag.

cdk deploy --app "python3 examples/compliance.py" ControlledService
cdk deploy --app "python3 examples/compliance.py" ControlledPump1
"""

import aws_cdk as cdk
import cdk_nag
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_l4e import (
    AssetStorage,
    DatasetSchema,
    EquipmentService,
    FunctionVpcEndpoints,
    MonitoredAsset,
    ReservedConcurrency,
    ServiceControls,
    ServiceVpcEndpoint,
    TimeRange,
)

BACKUP_POLICY = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"


class ServiceStack(cdk.Stack):
    """The service and the data of the assets, under one key."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "PlantNetwork",
            vpc_id="vpc-0123456789abcdef0",
            vpc_cidr_block="10.20.0.0/16",
            availability_zones=["eu-west-1a", "eu-west-1b"],
            isolated_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        )
        access_logs = s3.Bucket.from_bucket_name(self, "AccessLogs", "access-logs-of-the-account")
        key = kms.Key(
            self,
            "Key",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        paths = FunctionVpcEndpoints(self, "Paths", vpc=vpc, without=["dynamodb", "s3"])
        endpoint = ServiceVpcEndpoint(self, "Endpoint", vpc=vpc)
        self.service = EquipmentService(
            self,
            "Service",
            encryption_key=key,
            vpc=vpc,
            api_vpc_endpoints=[endpoint],
            controls=ServiceControls(
                reserved_concurrency=ReservedConcurrency(),
                dead_letter_queue=sqs.Queue(
                    self,
                    "DeadLetters",
                    encryption_master_key=key,
                    enforce_ssl=True,
                    retention_period=cdk.Duration.days(14),
                ),
                tracing_enabled=True,
                log_retention=logs.RetentionDays.ONE_YEAR,
                api_logging=True,
                api_throttle=apigateway.ThrottleSettings(rate_limit=50, burst_limit=100),
                access_logs_bucket=access_logs,
                permissions_boundary=iam.ManagedPolicy.from_managed_policy_name(
                    self, "Boundary", "PlantBoundary"
                ),
            ),
        )
        self.service.node.add_dependency(paths)
        self.storage = AssetStorage(self, "Data", encryption_key=key, access_logs_bucket=access_logs)

        copies = backup.BackupPlan.daily35_day_retention(self, "Copies").add_selection(
            "Records", resources=[backup.BackupResource.from_dynamo_db_table(self.service.table)]
        )
        cdk.Validations.of(copies).acknowledge(
            cdk.Acknowledgment(
                id=f"AwsSolutions-IAM4[Policy::{BACKUP_POLICY}]",
                reason="the policy that AWS keeps up to date for its own backup service",
            )
        )


app = cdk.App()
for pack in (
    cdk_nag.AwsSolutionsChecks,
    cdk_nag.ServerlessChecks,
    cdk_nag.NIST80053R5Checks,
    cdk_nag.HIPAASecurityChecks,
    cdk_nag.PCIDSS321Checks,
):
    cdk.Validations.of(app).add_plugins(pack(app))

host = ServiceStack(app, "ControlledService")
pump = cdk.Stack(app, "ControlledPump1")
alarms = sns.Topic.from_topic_arn(
    pump,
    "Alarms",
    pump.format_arn(service="sns", resource="plant-alarms"),
)
MonitoredAsset(
    pump,
    "Pump1",
    service=host.service,
    locations=host.storage.for_asset("Pump1"),
    schema=DatasetSchema.from_sensors({"pump": ["Speed", "Flow", "Vibration"]}),
    training=TimeRange.between("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    alarm_actions=[actions.SnsAction(alarms)],
)
app.synth()
