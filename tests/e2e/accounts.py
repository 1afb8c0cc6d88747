"""Two accounts in one embedded AWS, each with a service, and the way from one to the other.

The embedded AWS keeps accounts apart by their root keys, which are their ids. It keeps REST APIs and
functions apart too: what is of another account does not exist. A function of the importing account therefore
stands where API Gateway would: its API checks signature and rights of who asks, says which account that is,
and it hands the event on to the API function of the owner, which cannot tell the difference.
"""

import io
import json
import shutil
import textwrap
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import botocore.session

from l4e_cli.client_settings import api_url
from l4e_cli.instance import Instance
from l4e_layer import EMPTY_LAYER
from tests.e2e.cloud import policy
from tests.waiting import awaited

REGION = "eu-west-1"
_DOOR = textwrap.dedent(
    """
    import json, os, boto3

    def handler(event, _):
        owner = boto3.Session(aws_access_key_id=os.environ["OWNER"], aws_secret_access_key="any")
        function, payload = os.environ["FUNCTION"], json.dumps(event).encode()
        answer = owner.client("lambda").invoke(FunctionName=function, Payload=payload)
        return json.loads(answer["Payload"].read())
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account, by its root or by a session of one of its roles."""

    instance: Instance
    id: str
    session: boto3.Session

    @classmethod
    def root(cls, instance: Instance, id: str) -> "Account":
        """Return an account by its root."""
        return cls(instance=instance, id=id, session=_session(instance, id, "any", None))

    def client(self, service: str) -> Any:
        """Return a client of an AWS service."""
        return self.session.client(service, endpoint_url=self.instance.endpoint)

    def equipment(self, api_id: str) -> Any:
        """Return a client of the service behind an API."""
        url = api_url(api_id=api_id, stage="v1", region=REGION, emulator_endpoint=self.instance.endpoint)
        return self.session.client("lookoutequipment", endpoint_url=url)

    def role(self, name: str, **trusted: Any) -> str:
        """Make a role that may call every API of its account, and return its ARN."""
        iam = self.client("iam")
        trust = policy(**{"Principal": {"AWS": self.id}, "Action": "sts:AssumeRole", **trusted})
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self.allow(name, Action="execute-api:Invoke", Resource="*")
        return arn

    def allow(self, role: str, **allowed: Any) -> None:
        """Give a role one right more."""
        self.client("iam").put_role_policy(
            RoleName=role, PolicyName="allowed", PolicyDocument=policy(**allowed)
        )

    def acting_as(self, role: str) -> "Account":
        """Return the account by a session of a role."""
        arn = f"arn:aws:iam::{self.id}:role/{role}"
        found = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        keys = found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        return Account(instance=self.instance, id=self.id, session=_session(self.instance, *keys))

    def deploy(self, assembly: Path, stack: str, **parameters: str) -> Mapping[str, str]:
        """Deploy a stack of a synthesised app, create or update, and return its outputs.

        By CloudFormation itself, without the CDK command line, which would take ten times as long.
        """
        self._publish(assembly, stack)
        cloudformation = self.client("cloudformation")
        exists = any(each["StackName"] == stack for each in cloudformation.describe_stacks()["Stacks"])
        call = cloudformation.update_stack if exists else cloudformation.create_stack
        call(
            StackName=stack,
            TemplateURL=f"{self.instance.endpoint}/{self._assets}/{stack}",
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
        ended = self._await(stack)
        assert ended["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, self.reasons(stack)
        return {each["OutputKey"]: each["OutputValue"] for each in ended.get("Outputs", [])}

    def delete(self, stack: str) -> None:
        """Delete a stack."""
        self.client("cloudformation").delete_stack(StackName=stack)
        ended = self._await(stack)
        assert ended is None or ended["StackStatus"] == "DELETE_COMPLETE", self.reasons(stack)

    def reasons(self, stack: str) -> str:
        """Return what went wrong in a stack."""
        events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        return "\n".join(
            f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason')}" for each in events
        )

    def resources(self, stack: str, kind: str) -> list[str]:
        """Return the physical ids of the resources of a type."""
        found = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return [each["PhysicalResourceId"] for each in found if each["ResourceType"] == kind]

    @property
    def _assets(self) -> str:
        return f"cdk-hnb659fds-assets-{self.id}-{REGION}"

    def _publish(self, assembly: Path, stack: str) -> None:
        s3 = self.client("s3")
        if self._assets not in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
            place = {"LocationConstraint": REGION}
            s3.create_bucket(Bucket=self._assets, CreateBucketConfiguration=place)
            self.client("ssm").put_parameter(
                Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
            )
        for file in json.loads((assembly / f"{stack}.assets.json").read_text())["files"].values():
            source, [destination] = file["source"], file["destinations"].values()
            path = assembly / source["path"]
            if source["packaging"] == "zip":
                path = Path(shutil.make_archive(str(path), "zip", path))
            s3.put_object(Bucket=self._assets, Key=destination["objectKey"], Body=path.read_bytes())
        s3.put_object(Bucket=self._assets, Key=stack, Body=(assembly / f"{stack}.template.json").read_bytes())

    def _await(self, stack: str) -> Any:
        cloudformation = self.client("cloudformation")

        def look() -> Any:
            every = cloudformation.describe_stacks()["Stacks"]
            return next((each for each in every if each["StackName"] == stack), None)

        return awaited(look, lambda found: found is None or not found["StackStatus"].endswith("_IN_PROGRESS"))


def open_door(owner: Account, friend: Account, *, owner_function: str) -> str:
    """Make the API in the account of `friend` that leads to the API function of `owner`; return its id."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("door.py", _DOOR)
    lambda_, gateway = friend.client("lambda"), friend.client("apigateway")
    function = lambda_.create_function(
        FunctionName="door",
        Runtime="python3.14",
        Handler="door.handler",
        Role=friend.role("door", Principal={"Service": "lambda.amazonaws.com"}),
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"OWNER": owner.id, "FUNCTION": owner_function}},
        Timeout=300,
    )["FunctionArn"]
    api: str = gateway.create_rest_api(name="door")["id"]
    [root] = gateway.get_resources(restApiId=api)["items"]
    path = gateway.create_resource(restApiId=api, parentId=root["id"], pathPart="{proxy+}")["id"]
    method = {"restApiId": api, "resourceId": path, "httpMethod": "POST"}
    gateway.put_method(**method, authorizationType="AWS_IAM")
    invocation = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=invocation)
    gateway.create_deployment(restApiId=api, stageName="v1")
    lambda_.add_permission(
        FunctionName="door",
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{REGION}:{friend.id}:{api}/*",
    )
    return api


def let_through(friend: Account, stack: str, door: str, *, owner: str) -> None:
    """Let through the door whoever may go to the API of `owner` by the template of the importing service.

    Here that has an ARN of the account it stands in. Nobody else gets the right.
    """
    iam = friend.client("iam")
    allowed = f"arn:aws:execute-api:{REGION}:{owner}:{door}/v1/POST/import"
    found = 0
    for role in friend.resources(stack, "AWS::IAM::Role"):
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        if allowed in json.dumps(documents):
            found += 1
            friend.allow(role, Action="execute-api:Invoke", Resource=allowed.replace(owner, friend.id))
    assert found == 2, "the API function asks whether, and the import reads what"


def synthesised(folder: Path, fill: Callable[[cdk.App], None]) -> Path:
    """Return the folder of an app that `fill` makes, with the functions' code once for all its stacks."""
    app = cdk.App(outdir=str(folder), analytics_reporting=False, context={EMPTY_LAYER: True})
    fill(app)
    app.synth()
    return folder


def _session(instance: Instance, key: str, secret: str, token: str | None) -> boto3.Session:
    inner = botocore.session.Session()
    inner.set_config_variable("data_path", str(instance.models))
    inner.set_config_variable("ca_bundle", str(instance.authority))
    return boto3.Session(
        botocore_session=inner,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        region_name=REGION,
    )
