"""The app: the service, and one stack for each asset in `assets.toml`.

`-c assets=FILE` reads another file. No AWS account is needed before a deployment. The first synthesis fetches
numpy and pyarrow for the functions, unless `l4e layer` has; after that, no network is needed either.
"""

import os
import sys
from pathlib import Path

import aws_cdk as cdk

from constructs_l4e import AssetStorage, EquipmentService, MonitoredAsset
from constructs_l4e.assets_file import AssetDeclaration, AssetsFile, ServiceDeclaration, declared_in


class ServiceStack(cdk.Stack):
    """The service and the bucket for the data of all assets."""

    def __init__(self, scope: cdk.App, declared: ServiceDeclaration, *, env: cdk.Environment) -> None:
        super().__init__(scope, declared.stack_name, env=env, description="LookoutEquipment service")
        self.service = EquipmentService(
            self,
            "Service",
            **declared.props(self),
        )
        self.storage = AssetStorage(self, "Data")
        for name, value in {
            "EndpointUrl": self.service.endpoint_url,
            "DataBucket": self.storage.bucket.bucket_name,
            "ServiceBucket": self.service.bucket.bucket_name,
            # What EquipmentService.from_equipment_service_attributes takes:
            "ApiId": self.service.api_id,
            "ApiStage": self.service.api_stage,
            "DataAccessRoleArn": self.service.job_role.role_arn,
            "ProviderServiceToken": self.service.provider_service_token,
            "ProviderRoleArn": self.service.provider_role.role_arn,
            "StagingBucketName": self.service.staging_bucket_name,
        }.items():
            cdk.CfnOutput(self, name, value=str(value))
        # What assets import, exported whether or not there are any: otherwise removing the last asset would
        # take exports away from it before it is gone, and adding the first would change this stack.
        for value in (
            self.storage.bucket.bucket_arn,
            self.storage.bucket.bucket_name,
            self.service.job_role.role_arn,
            self.service.provider_service_token,
            self.service.provider_role.role_name,
        ):
            self.export_value(value)


class AssetStack(cdk.Stack):
    """One monitored asset."""

    def __init__(
        self, scope: cdk.App, declared: AssetDeclaration, *, host: ServiceStack, env: cdk.Environment
    ) -> None:
        super().__init__(scope, declared.name, env=env, description=f"Monitoring of {declared.name}")
        asset = MonitoredAsset(
            self,
            "Asset",
            service=host.service,
            locations=host.storage.for_asset(declared.name),
            **declared.monitoring(),
        )
        cdk.CfnOutput(self, "ModelName", value=asset.model.model_name)
        cdk.CfnOutput(self, "InferenceSchedulerName", value=asset.scheduler.inference_scheduler_name)


def build(app: cdk.App) -> None:
    """Add the stacks of all that is declared.

    Raises:
        ValueError: when the file is wrong. The message names the table, the value, and what to write instead.
    """
    path = assets_file(app)
    declared = AssetsFile.read(path)
    env = cdk.Environment(region=os.environ.get("CDK_DEFAULT_REGION"))
    with declared_in(f"{path.name} [service]"):
        host = ServiceStack(app, declared.service, env=env)
    for asset in declared.assets:
        with declared_in(f"{path.name} [assets.{asset.name}]"):
            AssetStack(app, asset, host=host, env=env)


def assets_file(app: cdk.App) -> Path:
    """Return the file that declares what the app deploys."""
    return Path(app.node.try_get_context("assets") or Path(__file__).with_name("assets.toml"))


def main() -> None:
    """Synthesise the app. Of what the file gets wrong the message is shown, not where it was noticed."""
    app = cdk.App()
    try:
        build(app)
        with declared_in(f"what {assets_file(app).name} declares cannot be synthesised"):
            app.synth()
    except ValueError as wrong:
        sys.exit(f"Error: {wrong}")


if __name__ == "__main__":
    main()
