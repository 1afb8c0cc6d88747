"""What a person sees when the input is wrong: the value, the rule and the fix, in the failed deployment."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from l4e_cli.demo.pump import SENSORS
from tests.e2e.cloud import LABELS, Cloud, history, reasons
from tests.waiting import awaited

NO_DATA = "{ start = 2024-01-01T00:00:00Z, end = 2024-01-03T00:00:00Z }"
ASSETS: dict[str, dict[str, str]] = {
    "EmptyPrefix": {},
    "WrongColumn": {},
    "ThreeColumns": {},
    "NoData": {"training": NO_DATA},
    "NoGrant": {},
}
EXPECTED: dict[str, tuple[str, ...]] = {
    "EmptyPrefix": ("EmptyPrefix/history/", "pump"),
    "WrongColumn": ("Flow",),
    "ThreeColumns": ("labels.csv", "3 columns"),
    "NoData": ("2024-01-01",),
    "NoGrant": ("AccessDenied",),
}


@pytest.fixture(scope="module")
def messages(cloud: Cloud) -> Mapping[str, str]:
    """The failed deployment of each bad asset, as its person sees it; all deployed side by side."""
    for asset in ASSETS:
        if asset != "EmptyPrefix":
            labels = b"2026-01-03T10:00:00,2026-01-03T12:00:00,worn\n" if asset == "ThreeColumns" else LABELS
            cloud.upload_history(asset, labels=labels)
    renamed = history().to_csv().replace(b"Flow", b"Flux", 1)
    cloud.upload("WrongColumn/history/pump/history.csv", renamed)
    assembly = cloud.synth(ASSETS)
    _take_read_access(assembly / "NoGrant.template.json")
    with ThreadPoolExecutor(len(ASSETS)) as pool:
        failures = pool.map(lambda asset: cloud.failure(assembly, asset), ASSETS)
        return {
            asset: f"{failure}\n{reasons(cloud.aws, asset)}"
            for asset, failure in zip(ASSETS, failures, strict=True)
        }


def _take_read_access(template: Path) -> None:
    """Remove the right to read the history from the asset's own role."""
    content = json.loads(template.read_text())
    taken = 0
    for resource in content["Resources"].values():
        policies = [resource["Properties"]] if resource["Type"] == "AWS::IAM::Policy" else []
        policies += resource.get("Properties", {}).get("Policies", [])
        for policy in policies:
            for statement in policy["PolicyDocument"]["Statement"]:
                if "s3:GetObject" in statement["Action"] and "history/" in json.dumps(statement["Resource"]):
                    statement["Action"] = "s3:GetObjectTagging"
                    taken += 1
    assert taken == 1
    template.write_text(json.dumps(content))


@pytest.mark.parametrize("asset", ASSETS)
def test_the_failed_deployment_names_the_value(messages: Mapping[str, str], asset: str) -> None:
    for part in EXPECTED[asset]:
        assert part in messages[asset]
    assert "internal error" not in messages[asset]


def test_what_was_created_before_the_failure_is_gone(cloud: Cloud, messages: Mapping[str, str]) -> None:
    assert [cloud.status(asset) for asset in messages] == ["ROLLBACK_COMPLETE"] * len(messages)
    equipment = cloud.aws.equipment
    left = [item["DatasetName"] for item in equipment.list_datasets()["DatasetSummaries"]]
    assert [name for name in left if name.split("-")[0] in ASSETS] == []
    # Not models: the emulator, unlike AWS, does not delete the resource whose creation itself failed.


@pytest.mark.parametrize(
    ("members", "parts"),
    [
        ({"off_condition": r"'pump\Velocity < 100'"}, ("Velocity", "pump\\Speed")),
        ({"off_condition": r"'pump\Speed = 100'"}, ("Speed = 100",)),
        ({"sensors": "{ pump = ['Fl?w'] }"}, ("Fl?w", "letters, digits")),
        ({"training": "{ start = 2026-01-03T00:00:00Z, end = 2026-01-01T00:00:00Z }"}, ("swap them",)),
        ({"sampling": '"PT1M"'}, ("sampling", "target_sampling_rate")),
    ],
    ids=["off condition of no sensor", "no off condition", "sensor name", "training window", "unknown key"],
)
def test_what_can_be_known_before_is_said_before(
    cloud: Cloud, members: dict[str, str], parts: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the parts are of its message
        cloud.synth({"Bad": members})
    for part in parts:
        assert part in str(raised.value)


def test_what_is_said_before_is_what_the_command_line_shows(cloud: Cloud) -> None:
    wrong = {"Bad": {"off_condition": r"'pump\Velocity < 100'"}}
    with pytest.raises(ValueError, match="Velocity") as raised:
        cloud.synth(wrong)
    _, table, why = str(raised.value).partition("[assets.Bad]")
    shown = cloud.refusal(wrong)
    assert "Error: assets-" in shown
    assert table + why in shown


def test_a_role_that_does_not_trust_the_service(cloud: Cloud) -> None:
    iam = cloud.aws.session.client("iam", endpoint_url=cloud.instance.endpoint)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(
        RoleName="stranger", Path="/lookoutequipment/", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    equipment = cloud.aws.equipment
    schema = {
        "Components": [
            {
                "ComponentName": "pump",
                "Columns": [
                    {"Name": "Timestamp", "Type": "DATETIME"},
                    *({"Name": sensor, "Type": "DOUBLE"} for sensor in SENSORS),
                ],
            }
        ]
    }
    equipment.create_dataset(
        DatasetName="strange",
        DatasetSchema={"InlineDataSchema": json.dumps(schema)},
        ClientToken="1",
    )
    message = ""
    try:
        job = equipment.start_data_ingestion_job(
            DatasetName="strange",
            RoleArn=role,
            IngestionInputConfiguration={
                "S3InputConfiguration": {"Bucket": cloud.bucket, "Prefix": "NoData/history/"}
            },
            ClientToken="1",
        )["JobId"]
        described = awaited(
            lambda: equipment.describe_data_ingestion_job(JobId=job),
            lambda found: found["Status"] != "IN_PROGRESS",
        )
        message = described.get("FailedReason", "")
    except equipment.exceptions.ClientError as error:
        message = str(error)
    assert "stranger" in message
    assert "trust" in message
    equipment.delete_dataset(DatasetName="strange")
