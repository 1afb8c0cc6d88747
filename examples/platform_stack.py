"""A platform team's stack: a bucket and a topic that exist, and a private service that another app deploys.

Nothing here is made that the platform has already, and every pump shares one table of props. One dashboard
shows them all.
"""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_l4e import (
    AlarmThresholds,
    AssetStorage,
    DatasetSchema,
    EquipmentService,
    Executions,
    MonitoredAsset,
    TimeRange,
)

PUMPS = {"Pump1": "2026-01-01T00:00:00Z", "Pump2": "2026-03-01T00:00:00Z"}
"""Our pumps, and when the history of each begins."""


class PlatformStack(cdk.Stack):
    """Monitoring of all pumps."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, env=cdk.Environment(region="eu-west-1"))
        service = EquipmentService.from_equipment_service_attributes(
            self,
            "Service",
            api_id="abcde12345",
            api_stage="v1",
            api_vpc_endpoint_ids=["vpce-0123456789abcdef0"],
            data_access_role_arn="arn:aws:iam::111122223333:role/l4e-jobs",
            provider_service_token="arn:aws:lambda:eu-west-1:111122223333:function:l4e-provider",  # noqa: S106 - an ARN
            provider_role_arn="arn:aws:iam::111122223333:role/l4e-provider",
        )
        data = s3.Bucket.from_bucket_name(self, "Data", "plant-historian")
        topic = sns.Topic.from_topic_arn(self, "Alerts", "arn:aws:sns:eu-west-1:111122223333:alerts")

        storage = AssetStorage.from_bucket(self, "Storage", data)
        rows: list[list[cloudwatch.IWidget]] = []
        for name, first_day in PUMPS.items():
            pump = MonitoredAsset(
                self,
                name,
                service=service,
                locations=storage.for_asset(name),
                schema=DatasetSchema.from_sensors({"pump": ["Speed", "Flow", "Vibration"]}),
                training=TimeRange.between(first_day, "2026-10-01T00:00:00Z"),
                alarm_thresholds=AlarmThresholds(anomaly=Executions(count=2, out_of=3)),
                alarm_actions=[cloudwatch_actions.SnsAction(topic)],
            )
            rows += pump.dashboard_rows(title=name)
        cloudwatch.Dashboard(self, "Pumps", default_interval=cdk.Duration.days(14), widgets=rows)


if __name__ == "__main__":
    app = cdk.App()
    PlatformStack(app, "Platform")
    app.synth()
