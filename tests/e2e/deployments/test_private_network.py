"""A private service, deployed as the example has it: custom resources work, and nobody comes another way.

The embedded AWS evaluates the resource policy of the API. It has no endpoints that requests could come
through, so every request there comes another way. It keeps neither the type of an API nor the network of a
function: the tests of templates look at these.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from custom_resources.client import Equipment, create_client
from l4e_cli.aws import Aws, rest_api
from tests.e2e.cloud import L4E, ROOT, Cloud, reasons

SERVICE, ASSET = "PrivateService", "PrivatePump1"


@pytest.fixture(scope="module")
def private(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example, deployed; returns its assembly."""
    folder = tmp_path_factory.mktemp("private")
    shutil.copy(ROOT / "examples" / "private_network.py", folder / "app.py")
    command = f"{sys.executable} app.py"
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    (folder / "cdk.json").write_text(json.dumps({"app": command, "context": context}))
    assembly = folder / "cdk.out"
    cloud.cdk("private-synth").synth(folder, assembly)
    cloud.deploy(assembly, SERVICE)
    yield assembly
    cloud.destroy(assembly, SERVICE)


def resources(aws: Aws, kind: str) -> list[str]:
    """Physical ids of the resources of a type in the stack of the service."""
    found = aws.cloudformation.describe_stack_resources(StackName=SERVICE)["StackResources"]
    return [each.get("PhysicalResourceId", "") for each in found if each["ResourceType"] == kind]


def client(aws: Aws, service: str) -> Any:
    make: Any = aws.session.client
    return make(service, endpoint_url=aws.instance.endpoint)


@pytest.fixture
def equipment(cloud: Cloud, private: Path, monkeypatch: pytest.MonkeyPatch) -> Equipment:
    """The service by the way of the custom-resource functions."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    [function] = [each for each in resources(cloud.aws, "AWS::Lambda::Function") if "ApiFunction" in each]
    return Equipment(
        create_client(
            {
                "L4E_ACCOUNT": "000000000000",
                "L4E_API_FUNCTION": function,
                "L4E_API_ID": "unused",
                "L4E_API_STAGE": "v1",
                "L4E_CALLER": "arn:aws:sts::000000000000:assumed-role/tests",
                "L4E_URL_SUFFIX": "amazonaws.com",
                "AWS_LAMBDA_FUNCTION_NAME": "e2e",
                "AWS_REGION": cloud.instance.region,
            }
        )
    )


def test_the_api_names_its_endpoint(cloud: Cloud, private: Path, tmp_path: Path) -> None:
    aws = cloud.aws
    [endpoint] = [
        each["VpcEndpointId"]
        for each in client(aws, "ec2").describe_vpc_endpoints()["VpcEndpoints"]
        if each["ServiceName"].endswith(".execute-api")
    ]
    found = rest_api(aws.cloudformation, SERVICE)
    assert found is not None
    api = client(aws, "apigateway").get_rest_api(restApiId=found[0])

    assert endpoint in api["policy"]
    url = cloud.outputs(SERVICE)["EndpointUrl"]
    assert url.startswith(f"https://{found[0]}-{endpoint}.execute-api.")
    assert url.endswith("/v1/operate")
    arguments = ("configure", "--stack", SERVICE, "--way-in", "operate", "--data-path", str(tmp_path))
    run = subprocess.run(
        [*L4E, *arguments], env=cloud.environment(), capture_output=True, text=True, check=True
    )
    assert f"AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT={url}" in run.stdout


def test_custom_resources_reach_the_service(cloud: Cloud, private: Path, equipment: Equipment) -> None:
    cloud.deploy(private, ASSET)
    [dataset] = equipment.call("ListDatasets", DatasetNameBeginsWith=ASSET)["DatasetSummaries"]
    assert dataset["Status"] == "CREATED"

    # A dataset outlives its stack by default. The next stack of that name does not take it over.
    cloud.destroy(private, ASSET)
    assert cloud.status(ASSET) is None
    [kept] = equipment.call("ListDatasets", DatasetNameBeginsWith=ASSET)["DatasetSummaries"]
    assert kept == dataset
    way = f'(self, "KeptDataset", service=service, dataset_name="{kept["DatasetName"]}")'
    refusal = cloud.failure(private, ASSET) + reasons(cloud.aws, ASSET)
    assert f"Dataset.from_dataset_name{way}" in refusal
    equipment.call("DeleteDataset", DatasetName=dataset["DatasetName"])
    cloud.destroy(private, ASSET)


def test_nobody_comes_another_way(cloud: Cloud, private: Path) -> None:
    aws = cloud.aws
    found = rest_api(aws.cloudformation, SERVICE)
    assert found is not None
    url = f"{aws.instance.endpoint}/restapis/{found[0]}/{found[1]}/_user_request_"
    for way_in in ("", "/read", "/full"):
        with pytest.raises(ClientError) as refused:
            aws.session.client("lookoutequipment", endpoint_url=url + way_in).list_datasets()
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
        assert "explicit deny" in refused.value.response["Error"]["Message"]
