"""Unmodified clients against the deployed service, with what `l4e status --json` prints."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from rich.console import Console

from l4e_cli.demo.run import show_how_to_connect
from l4e_cli.terminal import Terminal
from tests.e2e.cloud import L4E, SERVICE, Cloud
from tests.waiting import PATIENCE

BIN = Path(sys.executable).parent


def run(cloud: Cloud, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env=cloud.environment() | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_status_describes_the_instance_in_one_object(cloud: Cloud) -> None:
    ended = run(
        cloud,
        *L4E,
        "status",
        "--json",
        "--state-dir",
        str(cloud.instance.directory),
    )
    described = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert described["running"] is True
    assert described["port"] == cloud.instance.port
    assert described["pid"] == cloud.instance.pid
    assert described["stacks"][SERVICE]["status"].endswith("_COMPLETE")
    assert described["stacks"][SERVICE]["outputs"]["DataBucket"] == cloud.bucket
    assert described["env"].items() <= cloud.environment().items()
    assert set(described["env"]) == {
        "AWS_ENDPOINT_URL",
        "AWS_CA_BUNDLE",
        "AWS_DATA_PATH",
        "AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "CDK_CONTEXT",
    }


def test_boto3(cloud: Cloud) -> None:
    program = "import boto3; print(boto3.client('lookoutequipment').list_models()['ModelSummaries'])"
    assert run(cloud, sys.executable, "-c", program).stdout.startswith("[")


def test_the_lines_that_a_kept_demo_prints_are_enough(cloud: Cloud) -> None:
    printed = io.StringIO()
    terminal = Terminal(out=Console(file=printed, highlight=False, soft_wrap=True))
    show_how_to_connect(terminal, cloud.instance, cloud.instance.directory)
    lines = [line for line in printed.getvalue().splitlines() if line.startswith("export ")]
    own = "".join(f"unset {name}\n" for name in os.environ if name.startswith("AWS_"))
    for client in (
        f"{sys.executable} -c \"import boto3; boto3.client('lookoutequipment').list_models()\"",
        f"{BIN / 'aws'} lookoutequipment list-models",
    ):
        script = own + "\n".join([*lines, "export AWS_CONFIG_FILE=/dev/null", client])
        ended = subprocess.run(
            ["/bin/sh", "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert ended.returncode == 0, ended.stderr


def test_the_aws_command_line(cloud: Cloud) -> None:
    aws = str(BIN / "aws")
    schema = {
        "Components": [
            {
                "ComponentName": "pump",
                "Columns": [{"Name": "Timestamp", "Type": "DATETIME"}, {"Name": "Flow", "Type": "DOUBLE"}],
            }
        ]
    }
    made = run(
        cloud,
        aws,
        "lookoutequipment",
        "create-dataset",
        "--dataset-name",
        "by-hand",
        "--dataset-schema",
        json.dumps({"InlineDataSchema": json.dumps(schema)}),
        "--client-token",
        "1",
    )
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["Status"] == "CREATED"
    again = run(
        cloud, aws, "lookoutequipment", "create-dataset", "--dataset-name", "by-hand", "--client-token", "2"
    )
    assert again.returncode != 0
    assert "by-hand" in again.stderr
    assert run(cloud, aws, "lookoutequipment", "delete-dataset", "--dataset-name", "by-hand").returncode == 0


@pytest.fixture
def poor(cloud: Cloud) -> dict[str, str]:
    """Credentials of a user without any right."""
    iam = cloud.aws.session.client("iam", endpoint_url=cloud.instance.endpoint)
    iam.create_user(UserName="poor")
    key = iam.create_access_key(UserName="poor")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def test_a_user_needs_the_right_to_call_the_api(cloud: Cloud, poor: dict[str, str]) -> None:
    refused = run(cloud, str(BIN / "aws"), "lookoutequipment", "list-datasets", **poor)
    assert refused.returncode != 0
    assert "(AccessDeniedException)" in refused.stderr, "API Gateway's refusal has the form of the service's"
    assert "is not authorized to perform: execute-api:Invoke" in refused.stderr


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "InvalidSignatureException"),
        ({"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHIS0"}, "AccessDeniedException"),
    ],
)
def test_api_gateway_refuses_by_the_names_of_errors(
    cloud: Cloud, credentials: dict[str, str], code: str
) -> None:
    refused = run(cloud, str(BIN / "aws"), "lookoutequipment", "list-datasets", **credentials)
    assert f"({code})" in refused.stderr


def test_the_endpoint_is_only_on_loopback_and_only_with_its_authority(cloud: Cloud) -> None:
    assert cloud.instance.endpoint.startswith("https://127.0.0.1:")
    untrusting = boto3.Session().client(
        "sts",
        endpoint_url=cloud.instance.endpoint,
        region_name="us-east-1",
        verify=True,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        untrusting.get_caller_identity()
