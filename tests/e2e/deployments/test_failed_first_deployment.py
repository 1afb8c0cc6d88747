"""A first deployment of the service that fails takes back all that it made, and the next one passes."""

import sys
from pathlib import Path

import pytest

from l4e_cli.cdk import CdkError
from tests.e2e.cloud import ROOT, Cloud

STACK = "FailsAtFirst"
APP = f"""
import aws_cdk as cdk
from constructs_l4e import AssetStorage, EquipmentKey, EquipmentService

app = cdk.App()
stack = cdk.Stack(app, "{STACK}")
service = EquipmentService(stack, "Service")
storage = AssetStorage(stack, "Data", encryption_key=EquipmentKey(stack, "DataKey", service=service))
if app.node.try_get_context("broken"):
    broken = cdk.CfnResource(stack, "Broken", type="AWS::Lambda::LayerVersionPermission", properties={{
        "LayerVersionArn": "not-a-layer", "Action": "lambda:GetLayerVersion", "Principal": "*",
    }})
    broken.node.add_dependency(service, storage)
app.synth()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    (folder / "cdk.json").write_text(f'{{"app": "{sys.executable} app.py"}}')
    return folder


def kept(cloud: Cloud) -> set[str]:
    """What of the kinds that are retained there is in the account."""
    client = cloud.aws.session.client
    address = cloud.instance.endpoint
    keys = client("kms", endpoint_url=address)
    tables = client("dynamodb", endpoint_url=address).list_tables()["TableNames"]
    groups = client("logs", endpoint_url=address).describe_log_groups()["logGroups"]
    layers = client("lambda", endpoint_url=address).list_layers()["Layers"]
    usable = [
        each["KeyId"]
        for each in keys.list_keys()["Keys"]
        if keys.describe_key(KeyId=each["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
    ]
    buckets = [each["Name"] for each in cloud.aws.s3.list_buckets()["Buckets"]]
    return {
        *tables,
        *buckets,
        *usable,
        *(each["logGroupName"] for each in groups),
        *(each["LayerName"] for each in layers),
    }


def test_leaves_nothing_and_can_be_repeated(
    cloud: Cloud, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    before, cdk = kept(cloud), cloud.cdk("failed-first")
    for name, context in (("broken", ["broken=true"]), ("mended", [])):
        cdk.synth(app, tmp_path / name, context=context)

    with pytest.raises(CdkError, match="not-a-layer"):
        cdk.deploy(tmp_path / "broken", [STACK])
    assert cloud.status(STACK) == "ROLLBACK_COMPLETE"
    assert kept(cloud) == before

    cdk.deploy(tmp_path / "mended", [STACK])
    assert cloud.status(STACK) == "CREATE_COMPLETE"
    made = kept(cloud) - before
    cdk.destroy(tmp_path / "mended", [STACK])
    stays = kept(cloud) - before
    assert stays < made
    assert {kind for kind in ("Table", "Bucket") for name in stays if kind.lower() in name.lower()} == {
        "Table",
        "Bucket",
    }
