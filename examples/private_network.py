"""Everything in the plant's network: a private API, and functions in subnets that lead nowhere else.

The network exists already and belongs to others. It has gateway endpoints for DynamoDB and S3, which are
free, and nothing else; this app adds what is missing.

cdk deploy --app "python3 examples/private_network.py" PrivateService
cdk deploy --app "python3 examples/private_network.py" PrivatePump1
"""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_l4e import (
    AssetStorage,
    Dataset,
    DatasetSchema,
    EquipmentService,
    FunctionVpcEndpoints,
    ServiceVpcEndpoint,
)


class ServiceStack(cdk.Stack):
    """The service, reached from the plant's network only."""

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
        paths = FunctionVpcEndpoints(self, "Paths", vpc=vpc, without=["dynamodb", "s3"])
        endpoint = ServiceVpcEndpoint(self, "Endpoint", vpc=vpc)
        self.service = EquipmentService(self, "Service", vpc=vpc, api_vpc_endpoints=[endpoint])
        # The functions work as soon as there are resources for them, and until these are gone.
        self.service.node.add_dependency(paths)
        self.storage = AssetStorage(self, "Data")

        operators = iam.Role(self, "Operators", assumed_by=iam.AccountRootPrincipal())
        self.service.grant_operate(operators)
        cdk.CfnOutput(self, "EndpointUrl", value=self.service.endpoint_url_for("operate"))


app = cdk.App()
host = ServiceStack(app, "PrivateService")
pump = cdk.Stack(app, "PrivatePump1")
Dataset(
    pump,
    "Dataset",
    service=host.service,
    schema=DatasetSchema.from_sensors({"pump": ["Speed", "Flow", "Vibration"]}),
)
app.synth()
