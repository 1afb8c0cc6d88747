"""Large trainings as the template of the service has them: its state machine, and the command of its tasks.

The embedded AWS has no AWS Batch. A function takes its place in the state machine, and the command of the job
definition runs as a plain process with the variables of the job definition.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_

from constructs_l4e import EquipmentService, LargeJobs
from constructs_l4e._packages import runtime
from service.context import Context
from service.reconciler import reconcile
from service.settings import Environment
from service.storage.names import MODEL
from service.storage.store import Item
from tests.embedded import ACCOUNT, CREDENTIALS, REGION, EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.world import ARNS, World, at
from tests.waiting import ended_execution

THRESHOLD = 20_000
ROLE = f"arn:aws:iam::{ARNS.account}:role/jobs"
VARIABLES = {
    "L4E_ACCOUNT": ACCOUNT,
    "L4E_TABLE": "l4e",
    "L4E_BUCKET": "service",
    "L4E_METRIC_NAMESPACE": "LookoutEquipment",
}
BATCH = '''
"""Stands in for AWS Batch: runs the task, and fails as Step Functions does when a task fails."""
import json
from service.jobs import task

class TaskFailed(Exception):
    pass

def handler(event, context):
    assert event["JobName"].replace("-", "").isalnum()
    assert (event["JobQueue"], event["JobDefinition"]) == ("queue", "definition")
    (variable,) = event["ContainerOverrides"]["Environment"]
    if task.main(["train"], {variable["Name"]: variable["Value"]}) != 0:
        raise TaskFailed("Essential container in task exited")
    return {"Status": "SUCCEEDED", "Ran": json.loads(variable["Value"])}
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service with large jobs, as it is synthesised; its code and its layer are on the embedded AWS."""

    template: Mapping[str, Any]
    code: bytes
    layer: str

    def only(self, kind: str, part: str = "") -> dict[str, Any]:
        (found,) = (
            value["Properties"]
            for name, value in self.template["Resources"].items()
            if value["Type"] == kind and part in name
        )
        properties: dict[str, Any] = found
        return properties


def packed(folder: Path, **more: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(folder))
        for name, text in more.items():
            archive.writestr(f"{name}.py", text)
    return content.getvalue()


@pytest.fixture(scope="module")
def service(jobs_aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Service:
    folder = tmp_path_factory.mktemp("layer")
    (folder / "python").mkdir()
    (folder / "python" / "sitecustomize.py").write_text('print("the layer is there")')
    layer = jobs_aws.client("lambda").publish_layer_version(
        LayerName="numbers", Content={"ZipFile": packed(folder)}
    )["LayerVersionArn"]
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path_factory.mktemp("assembly")))
    stack = cdk.Stack(app, "Test", env=cdk.Environment(region=REGION))
    EquipmentService(
        stack,
        "Service",
        numeric_layer=lambda_.LayerVersion.from_layer_version_arn(stack, "Layer", layer),
        large_jobs=LargeJobs(
            vpc=ec2.Vpc.from_vpc_attributes(
                stack,
                "Vpc",
                vpc_id="vpc-0123456789abcdef0",
                availability_zones=["eu-west-1a"],
                private_subnet_ids=["subnet-0123456789abcdef0"],
            ),
            threshold_cells=THRESHOLD,
        ),
    )
    assembly = Path(app.synth().directory)
    (code,) = (path for path in assembly.glob("asset.*") if (path / "service").is_dir())
    template = json.loads((assembly / "Test.template.json").read_text())
    return Service(template=template, code=packed(code, batch=BATCH), layer=layer)


@pytest.fixture(scope="module")
def machine(jobs_aws: EmbeddedAws, service: Service) -> str:
    """ARN of the state machine for trainings, with a function in the place of AWS Batch."""
    functions = {
        name: jobs_aws.client("lambda").create_function(
            FunctionName=f"large-{name}",
            Runtime="python3.14",
            Role=ROLE,
            Handler=handler,
            Code={"ZipFile": service.code},
            Environment={"Variables": VARIABLES},
            MemorySize=2048,
            Timeout=300,
        )["FunctionArn"]
        for name, handler in (("train", "service.jobs.train.handler"), ("batch", "batch.handler"))
    }
    definition: str = service.only("AWS::StepFunctions::StateMachine", "TrainMachine")["DefinitionString"]
    for name, value in {
        "Worker": functions["train"],
        "SubmitJob": functions["batch"],
        "Queue": "queue",
        "Definition": "definition",
    }.items():
        definition = definition.replace(f"${{{name}}}", value)
    assert "${" not in definition
    created = jobs_aws.client("stepfunctions").create_state_machine(
        name="train-large", definition=definition, roleArn=ROLE
    )
    return str(created["stateMachineArn"])


def executed(aws: EmbeddedAws, machine: str, model: Item) -> tuple[str, list[str]]:
    """Run the training of a model; returns how it ended, and the states it went through."""
    client = aws.client("stepfunctions")
    execution = client.start_execution(
        stateMachineArn=machine,
        name=f"{model['uuid']}-1",
        input=json.dumps({"ModelName": model["ModelName"], "ModelVersion": 1}),
    )["executionArn"]
    status = ended_execution(client, execution)["status"]
    history = client.get_execution_history(executionArn=execution)["events"]
    return status, [
        event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event
    ]


def told_of_a_bad_end(aws: EmbeddedAws, machine: str, home: World, model: Item) -> None:
    """What the reconciler does when EventBridge says that the execution failed."""
    variables = {**VARIABLES, "L4E_INGEST_STATE_MACHINE": machine, "L4E_TRAIN_STATE_MACHINE": machine}
    context = Context.create(Environment.read(variables), cache(aws.client), home.runtime.clock)
    names = {"ModelName": model["ModelName"], "ModelVersion": 1}
    reconcile({"source": "aws.states", "detail": {"status": "FAILED", "input": json.dumps(names)}}, context)


@pytest.mark.parametrize(
    ("rate", "trained"), [("PT1M", ["Plan", "Choose", "TrainLarge"]), ("PT1H", ["Plan", "Choose", "Train"])]
)
def test_the_size_decides(
    jobs_aws: EmbeddedAws, machine: str, home: World, dataset: Item, *, rate: str, trained: list[str]
) -> None:
    model = home.model(
        dataset, pump.SCHEMA, train=False, DataPreProcessingConfiguration={"TargetSamplingRate": rate}
    )

    assert executed(jobs_aws, machine, model) == ("SUCCEEDED", trained)
    assert home.get(MODEL, model["ModelName"])["Status"] == "SUCCESS"


def test_a_task_that_fails_says_why(jobs_aws: EmbeddedAws, machine: str, home: World, dataset: Item) -> None:
    model = home.model(dataset, pump.SCHEMA, train=False, OffCondition="drive\\speed > 0")

    ended = executed(jobs_aws, machine, model)

    assert ended == ("FAILED", ["Plan", "Choose", "TrainLarge"])
    reason = home.get(MODEL, model["ModelName"])["FailedReason"]
    assert reason.startswith("the training window leaves too little to learn from: 0 normal rows")


def test_windows_that_cannot_be_used_are_told_before_anything_starts(
    jobs_aws: EmbeddedAws, machine: str, home: World, dataset: Item
) -> None:
    model = home.model(
        dataset,
        pump.SCHEMA,
        train=False,
        TrainingDataStartTime=at("2021-01-01"),
        TrainingDataEndTime=at("2021-06-01"),
    )

    assert executed(jobs_aws, machine, model) == ("FAILED", ["Plan"])
    told_of_a_bad_end(jobs_aws, machine, home, model)
    assert "has no data" in home.get(MODEL, model["ModelName"])["FailedReason"]


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")
def test_the_command_of_a_task_fetches_code_and_layer_and_trains(
    jobs_aws: EmbeddedAws, service: Service, home: World, dataset: Item, tmp_path: Path
) -> None:
    model = home.model(dataset, pump.SCHEMA, train=False)
    jobs_aws.create_bucket("staging")
    jobs_aws.client("s3").put_object(Bucket="staging", Key="code.zip", Body=service.code)
    python = tmp_path / runtime().name  # the interpreter of the tests, by the name it has in the image
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    container = service.only("AWS::Batch::JobDefinition")["ContainerProperties"]
    given = {variable["Name"]: variable["Value"] for variable in container["Environment"]}
    assert given.keys() == {
        *VARIABLES,
        "L4E_SETTINGS",
        "L4E_CODE_BUCKET",
        "L4E_CODE_KEY",
        "L4E_LAYER",
        "AWS_DEFAULT_REGION",
    }
    assert given["L4E_LAYER"] == service.layer

    run = subprocess.run(
        container["Command"],
        env={
            **CREDENTIALS,
            **VARIABLES,
            "L4E_SETTINGS": given["L4E_SETTINGS"],
            "L4E_CODE_BUCKET": "staging",
            "L4E_CODE_KEY": "code.zip",
            "L4E_LAYER": given["L4E_LAYER"],
            "L4E_EVENT": json.dumps({"ModelName": model["ModelName"], "ModelVersion": 1}),
            "PATH": f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TMPDIR": str(tmp_path),
            "AWS_ENDPOINT_URL": jobs_aws.endpoint,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("the layer is there")
    assert home.get(MODEL, model["ModelName"])["Status"] == "SUCCESS"
