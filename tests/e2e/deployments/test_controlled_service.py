"""A service under all controls, deployed as the example has it.

The embedded AWS keeps some of the controls and enforces none; the tests of templates look at each. Here it is
seen that the stack deploys and deletes with all of them.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cloud import ROOT, Cloud

SERVICE = "ControlledService"


def without_backup(template: Path) -> None:
    """Leave out the backup plan of the example: the embedded AWS does not know its resources."""
    content = json.loads(template.read_text(encoding="utf-8"))
    content["Resources"] = {
        key: each
        for key, each in content["Resources"].items()
        if not each["Type"].startswith("AWS::Backup::")
    }
    template.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture(scope="module")
def controlled(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("controlled")
    shutil.copy(ROOT / "examples" / "compliance.py", folder / "app.py")
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py", "context": context}))
    assembly = folder / "cdk.out"
    cloud.cdk("controlled-synth").synth(folder, assembly)
    without_backup(assembly / f"{SERVICE}.template.json")
    cloud.deploy(assembly, SERVICE)
    yield
    cloud.destroy(assembly, SERVICE)
    assert cloud.status(SERVICE) is None


def physical_ids(cloud: Cloud, kind: str) -> list[str]:
    found = cloud.aws.cloudformation.describe_stack_resources(StackName=SERVICE)["StackResources"]
    return [each["PhysicalResourceId"] for each in found if each["ResourceType"] == kind]


def client(cloud: Cloud, service: str) -> Any:
    make: Any = cloud.aws.session.client
    return make(service, endpoint_url=cloud.aws.instance.endpoint)


def test_is_deployed(cloud: Cloud, controlled: None) -> None:
    assert cloud.status(SERVICE) == "CREATE_COMPLETE"


def test_every_function_is_traced(cloud: Cloud, controlled: None) -> None:
    names = physical_ids(cloud, "AWS::Lambda::Function")
    assert len(names) == 10
    configured = [
        client(cloud, "lambda").get_function_configuration(FunctionName=name)["TracingConfig"]
        for name in names
    ]
    assert configured == [{"Mode": "Active"}] * 10


def test_every_log_is_kept_for_a_year(cloud: Cloud, controlled: None) -> None:
    names = physical_ids(cloud, "AWS::Logs::LogGroup")
    assert len(names) == 12
    for name in names:
        [group] = [
            each
            for each in client(cloud, "logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
            if each["logGroupName"] == name
        ]
        assert group["retentionInDays"] == 365
