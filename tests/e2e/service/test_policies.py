"""Who may do what: policies of the user guide, as a deployed service has them, with IAM enforced.

Each row says what a user with a policy does, by which way in, and who refuses it: IAM at the gateway, because
no policy allows the path, or the service, because the path does not allow the request.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from constructs_l4e import AccessLevel, _ways_in
from l4e_cli.aws import Aws, rest_api
from l4e_cli.emulator import ACCOUNT
from tests.e2e.cloud import L4E, ROOT, SERVICE, Cloud, history
from tests.waiting import PATIENCE, awaited

READ, FULL = AccessLevel.READ, AccessLevel.FULL
MACHINE_1 = ("machine", "myMachine1")
MACHINE_2 = ("machine", "myMachine2")
BY_IAM = "is not authorized to perform: execute-api:Invoke"
BY_SERVICE = "AccessDeniedException: not authorized to perform lookoutequipment:"
NO_WAY_IN = "AccessDeniedException: the path"
PASSES = None
ROLE = "owner-of-the-history"


def grants(
    level: AccessLevel, *, name: str | None = None, tag: tuple[str, str] | None = None
) -> tuple[str, ...]:
    """The paths that a grant of the constructs is for."""
    return tuple(_ways_in.granted_paths(level, name=name, tag=tag))


POLICIES: dict[str, tuple[str, ...]] = {
    "read only (p. 65)": grants(READ),
    "full access (p. 66)": grants(FULL),
    "one dataset (p. 62)": grants(READ, name="one-data"),
    "tag, to use resources (p. 62)": grants(FULL, tag=MACHINE_1),
    "tag, for all operations but other tags (p. 63)": grants(FULL, tag=MACHINE_1),
    "tag, of two values (p. 64)": grants(FULL, tag=MACHINE_1) + grants(FULL, tag=MACHINE_2),
    "nothing": (),
}
TAG_1, TAG_2 = "full/tag/machine/myMachine1", "full/tag/machine/myMachine2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A request of a user: `request` is its members, in which `{one}` is the ARN of the dataset one-data."""

    policy: str
    way_in: str
    operation: str
    request: dict[str, Any] = field(default_factory=dict)
    refused: str | None = PASSES
    reason: str = ""

    def __str__(self) -> str:
        who = {PASSES: "passes", BY_IAM: "refused by IAM"}.get(self.refused, "refused by the service")
        return f"{self.policy}: {self.operation} by {self.way_in or 'the root'} {who}"


def tags(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs]


def new(name: str, *pairs: tuple[str, str]) -> dict[str, Any]:
    return {"DatasetName": name, "ClientToken": name, "Tags": tags(*pairs)}


SCHEDULER = {"InferenceSchedulerName": "none"}
READING: dict[str, dict[str, Any]] = {
    "DescribeDataset": {"DatasetName": "one-data"},
    "DescribeDataIngestionJob": {"JobId": "0" * 32},
    "DescribeModel": {"ModelName": "none"},
    "DescribeInferenceScheduler": SCHEDULER,
    "ListDatasets": {},
    "ListDataIngestionJobs": {},
    "ListModels": {},
    "ListInferenceSchedulers": {},
    "ListInferenceExecutions": SCHEDULER,
    "ListTagsForResource": {"ResourceArn": "{one}"},
}
"""What the read-only policy of the guide lists."""

WRITING: dict[str, dict[str, Any]] = {
    "CreateDataset": new("by-reader"),
    "DeleteDataset": {"DatasetName": "none"},
    "DeleteModel": {"ModelName": "none"},
    "StartInferenceScheduler": SCHEDULER,
    "StopInferenceScheduler": SCHEDULER,
    "UpdateInferenceScheduler": SCHEDULER,
    "DeleteInferenceScheduler": SCHEDULER,
    "TagResource": {"ResourceArn": "{one}", "Tags": tags(("site", "north"))},
    "UntagResource": {"ResourceArn": "{one}", "TagKeys": ["site"]},
}

READ_ONLY, FULL_ACCESS, ONE, USE, ALL_BUT, OF_TWO, NOTHING = POLICIES
ROWS = [
    *(
        Row(policy=READ_ONLY, way_in=way_in, operation=operation, request=request)
        for operation, request in READING.items()
        for way_in in ("read", "read/name/one-data")
        if way_in == "read" or operation in {"DescribeDataset", "ListDatasets", "ListTagsForResource"}
    ),
    *(
        Row(
            policy=READ_ONLY,
            way_in="read",
            operation=operation,
            request=request,
            refused=BY_SERVICE,
            reason="it needs '",
        )
        for operation, request in WRITING.items()
    ),
    *(
        Row(policy=READ_ONLY, way_in=way_in, operation=operation, request=request, refused=BY_IAM)
        for way_in in ("", "operate", "full", "full/name/one-data", TAG_1)
        for operation, request in (("ListDatasets", {}), ("DeleteDataset", {"DatasetName": "none"}))
    ),
    *(
        Row(policy=FULL_ACCESS, way_in=way_in, operation=operation, request=request)
        for operation, request in {**READING, **WRITING}.items()
        for way_in in ("", "full")
        if way_in == "full" or operation != "CreateDataset"
    ),
    Row(policy=FULL_ACCESS, way_in="read", operation="ListDatasets"),
    Row(policy=FULL_ACCESS, way_in=f"read/tag/{MACHINE_1[0]}/x", operation="ListDatasets"),
    Row(
        policy=ONE,
        way_in="read/name/one-data",
        operation="DescribeDataset",
        request={"DatasetName": "one-data"},
    ),
    Row(
        policy=ONE,
        way_in="read/name/one-data",
        operation="DescribeDataset",
        request={"DatasetName": "two-data"},
        refused=BY_SERVICE,
        reason="the dataset 'two-data' is outside the name 'one-data'",
    ),
    Row(
        policy=ONE,
        way_in="read/name/one-data",
        operation="DeleteDataset",
        request={"DatasetName": "one-data"},
        refused=BY_SERVICE,
        reason="it needs 'full'",
    ),
    *(
        Row(policy=ONE, way_in=way_in, operation="ListDatasets", refused=BY_IAM)
        for way_in in ("", "read", "read/name/two-data", "read/name/one-data-2", "full/name/one-data")
    ),
    Row(policy=USE, way_in=TAG_1, operation="CreateDataset", request=new("one-more", MACHINE_1)),
    Row(
        policy=USE,
        way_in=TAG_1,
        operation="TagResource",
        request={"ResourceArn": "{one}", "Tags": tags(MACHINE_1)},
    ),
    *(
        Row(
            policy=policy,
            way_in=TAG_1,
            operation="CreateDataset",
            request=new("refused", *pairs),
            refused=BY_SERVICE,
            reason="must be created with the tag machine=myMachine1",
        )
        for policy in (USE, OF_TWO)
        for pairs in ([], [MACHINE_2], [("Machine", "myMachine1")])
    ),
    *(
        Row(policy=ALL_BUT, way_in=TAG_1, operation=operation, request=request)
        for operation, request in READING.items()
    ),
    Row(
        policy=ALL_BUT,
        way_in=TAG_1,
        operation="TagResource",
        request={"ResourceArn": "{one}", "Tags": tags(MACHINE_2)},
        refused=BY_SERVICE,
        reason="the tag 'machine' decides who has access",
    ),
    Row(
        policy=ALL_BUT,
        way_in=TAG_1,
        operation="UntagResource",
        request={"ResourceArn": "{one}", "TagKeys": ["machine"]},
        refused=BY_SERVICE,
        reason="the tag 'machine' decides who has access",
    ),
    *(
        Row(
            policy=ALL_BUT,
            way_in=TAG_1,
            operation=operation,
            request=request,
            refused=BY_SERVICE,
            reason="the dataset 'two-data' does not have the tag machine=myMachine1",
        )
        for operation, request in (
            ("DescribeDataset", {"DatasetName": "two-data"}),
            ("DeleteDataset", {"DatasetName": "two-data"}),
            ("TagResource", {"ResourceArn": "{two}", "Tags": tags(MACHINE_1)}),
        )
    ),
    *(
        Row(policy=ALL_BUT, way_in=way_in, operation="ListDatasets", refused=BY_IAM)
        for way_in in (
            "",
            "full",
            TAG_2,
            "read/tag/machine/myMachine1",
            f"{TAG_1}x",
            "full/tag/Machine/myMachine1",
        )
    ),
    Row(policy=OF_TWO, way_in=TAG_1, operation="CreateDataset", request=new("of-two-1", MACHINE_1)),
    Row(policy=OF_TWO, way_in=TAG_2, operation="CreateDataset", request=new("of-two-2", MACHINE_2)),
    Row(
        policy=OF_TWO,
        way_in="full/tag/machine/myMachine3",
        operation="CreateDataset",
        request=new("of-two-3", ("machine", "myMachine3")),
        refused=BY_IAM,
    ),
    Row(
        policy=OF_TWO,
        way_in="full",
        operation="CreateDataset",
        request=new("of-two-4", MACHINE_1),
        refused=BY_IAM,
    ),
    *(
        Row(policy=NOTHING, way_in=way_in, operation="ListDatasets", refused=BY_IAM)
        for way_in in ("", "read")
    ),
    *(
        Row(
            policy=READ_ONLY,
            way_in=way_in,
            operation="DeleteDataset",
            request={"DatasetName": "none"},
            refused=NO_WAY_IN,
        )
        for way_in in ("read/../full", "read//full", "read/../full/")
    ),
]


@dataclass(frozen=True, slots=True)
class Gate:
    """The service, and the users who come to it."""

    cloud: Cloud
    api: str
    url: str

    def user(self, name: str, paths: Sequence[str]) -> "User":
        """Return a new user who may use these paths."""
        iam = self.cloud.aws.session.client("iam", endpoint_url=self.cloud.instance.endpoint)
        iam.create_user(UserName=name)
        if paths:
            resources = [f"{self.api}/POST/{path}" for path in paths]
            statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName="ways-in", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        instance = replace(
            self.cloud.instance,
            access_key_id=key["AccessKeyId"],
            secret_access_key=key["SecretAccessKey"],
        )
        return User(session=Aws.of(instance).session, url=self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the service."""

    session: boto3.Session
    url: str

    def by(self, way_in: str) -> Any:
        """Return a client that comes by a way in; "" is the root, which is everything."""
        return self.session.client("lookoutequipment", endpoint_url=f"{self.url}/{way_in}".removesuffix("/"))

    def refusal(self, way_in: str, operation: str, request: Mapping[str, Any]) -> str | None:
        """Return why a request is refused; None when it is not."""
        try:
            getattr(self.by(way_in), xform_name(operation))(**request)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
                return None  # it was let in, and the service says what else is wrong
            message: str = error.response["Error"]["Message"]
            return message if BY_IAM in message else f"{error.response['Error']['Code']}: {message}"
        return None


@pytest.fixture(scope="module")
def gate(cloud: Cloud) -> Gate:
    found = rest_api(cloud.aws.cloudformation, SERVICE)
    assert found is not None
    api_id, stage = found
    return Gate(
        cloud,
        api=f"arn:aws:execute-api:{cloud.instance.region}:{ACCOUNT}:{api_id}/{stage}",
        url=str(cloud.aws.service_url()),
    )


@pytest.fixture(scope="module")
def datasets(gate: Gate) -> Iterator[Mapping[str, str]]:
    """ARNs of two datasets of two machines; whatever the tests create goes with them."""
    api = gate.cloud.aws.equipment
    before = {each["DatasetName"] for each in api.list_datasets(MaxResults=500)["DatasetSummaries"]}
    yield {
        name: api.create_dataset(**new(f"{name}-data", pair))["DatasetArn"]
        for name, pair in (("one", MACHINE_1), ("two", MACHINE_2))
    }
    for each in api.list_datasets(MaxResults=500)["DatasetSummaries"]:
        if each["DatasetName"] not in before:
            api.delete_dataset(DatasetName=each["DatasetName"])


@pytest.fixture(scope="module")
def users(gate: Gate) -> Mapping[str, User]:
    return {
        policy: gate.user(f"user-{number}", paths) for number, (policy, paths) in enumerate(POLICIES.items())
    }


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_policy(users: Mapping[str, User], datasets: Mapping[str, str], row: Row) -> None:
    request = dict(row.request)
    if "ResourceArn" in request:
        request["ResourceArn"] = request["ResourceArn"].format(**datasets)
    refusal = users[row.policy].refusal(row.way_in, row.operation, request)
    if row.refused is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert row.refused in refusal
        assert row.reason in refusal


def test_lists_show_what_a_way_in_holds(users: Mapping[str, User], datasets: Mapping[str, str]) -> None:
    assert datasets
    for policy, way_in in ((ALL_BUT, TAG_1), (ONE, "read/name/one-data")):
        shown = users[policy].by(way_in).list_datasets()["DatasetSummaries"]
        names = {each["DatasetName"] for each in shown}
        assert "one-data" in names
        assert "two-data" not in names


def test_the_tag_of_the_caller_decides(gate: Gate, datasets: Mapping[str, str]) -> None:
    """One policy for all teams. The embedded AWS knows no policy variables, so the test fills them in."""
    assert datasets
    policy = grants(FULL, tag=("machine", "${aws:PrincipalTag/machine}"))
    for number, value in enumerate((MACHINE_1[1], MACHINE_2[1])):
        own, other = ("one-data", "two-data")[:: 1 - 2 * number]
        user = gate.user(
            f"tagged-{number}", [path.replace("${aws:PrincipalTag/machine}", value) for path in policy]
        )
        way_in = f"full/tag/machine/{value}"
        assert user.refusal(way_in, "DescribeDataset", {"DatasetName": own}) is None
        assert "does not have the tag" in str(user.refusal(way_in, "DescribeDataset", {"DatasetName": other}))
        strange = ({TAG_1, TAG_2} - {way_in}).pop()
        assert BY_IAM in str(user.refusal(strange, "DescribeDataset", {"DatasetName": other}))


@pytest.mark.parametrize("way_in", ["", "read", TAG_1])
def test_requests_are_signed_for_the_api(gate: Gate, way_in: str) -> None:
    """The embedded AWS takes signatures for `lookoutequipment` too, which API Gateway refuses."""
    seen = []
    api = User(session=gate.cloud.aws.session, url=gate.url).by(way_in)
    api.meta.events.register(
        "before-send.lookoutequipment", lambda request, **_: seen.append((request.url, request.headers))
    )
    api.list_datasets()
    [(url, headers)] = seen
    assert url.endswith(f"/{way_in}" if way_in else gate.url.rpartition("/")[2])
    scope = headers["Authorization"].decode().partition("Credential=")[2].partition(",")[0]
    assert scope.split("/")[2:] == [gate.cloud.instance.region, "execute-api", "aws4_request"]


@pytest.fixture(scope="module")
def role(gate: Gate) -> Iterator[str]:
    """A role like a `ServiceRole` of the datasets called owned-..., made by AWS's own tools."""
    cloud = gate.cloud
    iam = cloud.aws.session.client("iam", endpoint_url=cloud.instance.endpoint)
    own = f"arn:aws:lookoutequipment:{cloud.instance.region}:{ACCOUNT}:dataset/owned-????????/*"
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": cloud.outputs(SERVICE)["DataAccessRoleArn"]},
        "Condition": {"StringLike": {"sts:ExternalId": [own]}},
    }
    access = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{cloud.bucket}", f"arn:aws:s3:::{cloud.bucket}/owned/*"],
    }
    made = iam.create_role(
        RoleName=ROLE,
        Path="/lookoutequipment/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.put_role_policy(
        RoleName=ROLE,
        PolicyName="data",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [access]}),
    )
    cloud.upload("owned/history/pump/history.csv", history().to_csv())
    yield made["Role"]["Arn"]
    iam.delete_role_policy(RoleName=ROLE, PolicyName="data")
    iam.delete_role(RoleName=ROLE)


def test_the_aws_command_line_comes_by_what_is_configured(gate: Gate, datasets: Mapping[str, str]) -> None:
    """`l4e configure --way-in` prints what an unmodified client needs."""
    assert datasets
    environment = gate.cloud.environment()
    command = [*L4E, "configure", "--endpoint", gate.url, "--way-in", "read/name/one-data"]
    printed = run(
        [*command, "--data-path", environment["AWS_DATA_PATH"]], environment | {"PYTHONPATH": str(ROOT)}
    )
    exported = dict(
        line.removeprefix("export ").split("=", 1) for line in printed.stdout.splitlines() if "=" in line
    )
    aws = [str(Path(sys.executable).parent / "aws"), "lookoutequipment"]
    listed = run([*aws, "list-datasets"], environment | exported)
    assert [each["DatasetName"] for each in json.loads(listed.stdout)["DatasetSummaries"]] == ["one-data"]
    refused = run([*aws, "delete-dataset", "--dataset-name", "one-data"], environment | exported)
    assert "(AccessDeniedException)" in refused.stderr
    assert "by the way in 'read/name/one-data': it needs 'full'" in refused.stderr


def run(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


class TestRoleOfAnotherOwner:
    """Who may call the service, but not read a bucket, has the service read it by its owner's role."""

    def ingest(self, gate: Gate, role: str, *, user: str, way_in: str, name: str) -> Mapping[str, Any]:
        """Create a dataset as a user, ingest the history into it by the role, and return the ended job."""
        api = gate.user(user, [way_in]).by(way_in)
        api.create_dataset(DatasetName=name, ClientToken=name)
        job = api.start_data_ingestion_job(
            DatasetName=name,
            ClientToken=name,
            RoleArn=role,
            IngestionInputConfiguration={
                "S3InputConfiguration": {
                    "Bucket": gate.cloud.bucket,
                    "Prefix": "owned/history/",
                    "KeyPattern": "{prefix}/{component_name}/*",
                }
            },
        )
        ended: Mapping[str, Any] = awaited(
            lambda: api.describe_data_ingestion_job(JobId=job["JobId"]),
            lambda found: found["Status"] != "IN_PROGRESS",
        )
        api.delete_dataset(DatasetName=name)
        return ended

    def test_is_of_use_to_its_owner(self, gate: Gate, role: str) -> None:
        ended = self.ingest(gate, role, user="owner", way_in="full/name/owned-", name="owned-12345678")
        assert ended["Status"] == "SUCCESS", ended

    def test_is_of_no_use_to_others(self, gate: Gate, role: str) -> None:
        ended = self.ingest(gate, role, user="mallory", way_in="full/name/mallory-", name="mallory-1")
        assert ended["Status"] == "FAILED"
        assert ROLE in ended["FailedReason"]
        assert "ExternalId" in ended["FailedReason"]

    def test_needs_the_tag_where_a_tag_holds(self, gate: Gate, role: str) -> None:
        """There names are free, so another could take one that the role trusts."""
        cloud = gate.cloud
        iam = cloud.aws.session.client("iam", endpoint_url=cloud.instance.endpoint)
        user, name = gate.user("mallory-2", [TAG_1]), "owned-87654321"
        user.by(TAG_1).create_dataset(**new(name, MACHINE_1))
        source = {"S3InputConfiguration": {"Bucket": cloud.bucket, "Prefix": "nothing/"}}
        request = {
            "DatasetName": name,
            "ClientToken": name,
            "RoleArn": role,
            "IngestionInputConfiguration": source,
        }
        # The embedded AWS leaves out the path of the role, by which the right of the service ends.
        assert "may not read the tags" in str(user.refusal(TAG_1, "StartDataIngestionJob", request))
        right = {
            "Effect": "Allow",
            "Action": "iam:ListRoleTags",
            "Resource": f"arn:aws:iam::{ACCOUNT}:role/*",
        }
        iam.put_role_policy(
            RoleName=api_role(cloud),
            PolicyName="without-path",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [right]}),
        )
        try:
            refusal = user.refusal(TAG_1, "StartDataIngestionJob", request)
            assert "does not have the tag machine=myMachine1: tag the role" in str(refusal)
            iam.tag_role(RoleName=ROLE, Tags=tags(MACHINE_1))
            assert user.refusal(TAG_1, "StartDataIngestionJob", request) is None
        finally:
            iam.delete_role_policy(RoleName=api_role(cloud), PolicyName="without-path")
            user.by(TAG_1).delete_dataset(DatasetName=name)


def api_role(cloud: Cloud) -> str:
    """Return the name of the role of the API function."""
    resources = cloud.aws.cloudformation.describe_stack_resources(StackName=SERVICE)["StackResources"]
    [found] = [
        each["PhysicalResourceId"]
        for each in resources
        if each["ResourceType"] == "AWS::IAM::Role" and each["LogicalResourceId"].startswith("ServiceApiRole")
    ]
    return found
