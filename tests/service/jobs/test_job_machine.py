"""The state machine of ingestions as the template has it, on the embedded AWS, with functions that fail."""

import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest

from constructs_l4e import EquipmentService
from service.context import Context
from service.reconciler import reconcile
from service.settings import Environment
from service.storage.names import INGESTION_JOB, manifest_key
from tests.embedded import ACCOUNT, REGION, EmbeddedAws
from tests.service.jobs.world import World, schema
from tests.waiting import ended_execution

ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
FUNCTION = '''
"""Stands in for the ingestion function: fails in the step, and with the text, that the item or event says."""
class JobFailed(Exception):
    pass

def handler(event, context):
    job = event["JobId"]
    if event["Step"] == "plan":
        return {"JobId": job, "Manifest": {"Bucket": "service", "Key": "datasets/DATASET/JOB/manifest.json"}}
    if event["Step"] == "read" and event["Item"]["Key"] == "bad":
        raise JobFailed("JobFailed: correct the file 'bad' and ingest again")
    if event["Step"] == "read" and event["Item"]["Key"] == "broken":
        raise KeyError("schemaKey")
    return {}
'''


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path_factory.mktemp("assembly")))
    stack = cdk.Stack(app, "Test", env=cdk.Environment(region=REGION))
    EquipmentService(stack, "Service")
    found: Mapping[str, Any] = app.synth().get_stack_by_name("Test").template
    return found


def function(aws: EmbeddedAws, name: str, dataset: str, job: str) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("worker.py", FUNCTION.replace("DATASET", dataset).replace("JOB", job))
    return str(
        aws.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.14",
            Role=ROLE,
            Handler="worker.handler",
            Code={"ZipFile": packed.getvalue()},
            Timeout=60,
        )["FunctionArn"]
    )


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("bad", "correct the file 'bad' and ingest again"),
        ("broken", "'schemaKey'; look for "),
    ],
)
def test_a_read_that_fails_says_why(
    jobs_aws: EmbeddedAws, world: World, template: Mapping[str, Any], key: str, reason: str
) -> None:
    dataset = world.dataset(schema(pump=("speed",)))
    job = world.start_ingestion(dataset)
    items = [{"Index": 0, "Key": "good"}, {"Index": 1, "Key": key}]
    world.runtime.service_bucket.put_json(manifest_key(dataset["uuid"], job), items)
    definition = next(
        body["Properties"]["DefinitionString"]
        for name, body in template["Resources"].items()
        if body["Type"] == "AWS::StepFunctions::StateMachine" and "IngestMachine" in name
    )
    for name, value in {
        "Worker": function(jobs_aws, f"ingest-{key}", dataset["uuid"], job),
        "Partition": "aws",
        "Table": world.runtime.store.table,
        "UpdateItem": "arn:aws:states:::dynamodb:updateItem",
    }.items():
        definition = definition.replace(f"${{{name}}}", value)
    assert "${" not in definition
    client = jobs_aws.client("stepfunctions")
    machine = client.create_state_machine(name=f"ingest-{key}", definition=definition, roleArn=ROLE)
    arn = machine["stateMachineArn"]
    execution = client.start_execution(stateMachineArn=arn, name=job, input=json.dumps({"JobId": job}))
    ended = ended_execution(client, execution["executionArn"])
    assert ended["status"] == "FAILED"

    variables = {
        "L4E_ACCOUNT": ACCOUNT,
        "L4E_TABLE": world.runtime.store.table,
        "L4E_BUCKET": world.runtime.bucket,
        "L4E_METRIC_NAMESPACE": "LookoutEquipment",
        "L4E_INGEST_STATE_MACHINE": arn,
        "L4E_TRAIN_STATE_MACHINE": arn,
    }
    context = Context.create(Environment.read(variables), cache(jobs_aws.client), world.runtime.clock)
    reconcile({"source": "aws.states", "detail": {"input": ended["input"]}}, context)
    record = world.get(INGESTION_JOB, job)
    assert record["Status"] == "FAILED"
    assert reason in record["FailedReason"]
