"""`l4e doctor` on the deployed service: as it is, and with faults that are planted and repaired again."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from l4e_cli.main import run
from tests.e2e.cloud import L4E, SERVICE, Cloud
from tests.waiting import PATIENCE

BIN = Path(sys.executable).parent
ASSET = "Looked"
LATEST_WORK = {"Schedulers", "Jobs", "Alarms"}
"""Areas that say what other tests left to be said of the last day."""


def doctor(cloud: Cloud, *arguments: str, **environment: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and checks, in this process: a new one takes long to begin."""
    with (
        mock.patch.dict(os.environ, cloud.environment() | environment, clear=True),
        redirect_stdout(io.StringIO()) as said,
    ):
        status = run(["doctor", "--json", *arguments])
    return status, checks_of(said.getvalue(), status)


def doctor_of_a_shell(cloud: Cloud, **environment: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and checks, in a process of its own."""
    ended = subprocess.run(
        [*L4E, "doctor", "--json"],
        env=cloud.environment() | {"PYTHONPATH": str(Path(__file__).parents[3])} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ended.stdout, ended.stderr
    return ended.returncode, checks_of(ended.stdout, ended.returncode)


def checks_of(output: str, status: int) -> list[dict[str, Any]]:
    document = json.loads(output)
    assert document["ok"] is (status == 0)
    checks: list[dict[str, Any]] = document["checks"]
    return checks


def statuses(checks: list[dict[str, Any]]) -> Mapping[str, str]:
    return {f"{each['area']}/{each['check']}": each["status"] for each in checks}


def problems(checks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Problems by check, without what other tests left."""
    return {each["check"]: each for each in checks if each["status"] == "problem"}


def client(cloud: Cloud, name: Any) -> Any:
    return cloud.aws.session.client(name, endpoint_url=cloud.instance.endpoint)


def physical(cloud: Cloud, kind: str, begins: str) -> str:
    """Physical id of a resource of the service by the beginning of its logical id."""
    resources = cloud.aws.cloudformation.describe_stack_resources(StackName=SERVICE)["StackResources"]
    return next(
        each["PhysicalResourceId"]
        for each in resources
        if each["ResourceType"] == kind and each["LogicalResourceId"].startswith(begins)
    )


def test_a_healthy_deployment(cloud: Cloud) -> None:
    _, checks = doctor_of_a_shell(cloud)
    own = [each for each in checks if each["area"] not in LATEST_WORK]

    assert {each["area"] for each in checks} - LATEST_WORK == {
        "Account",
        "Stack",
        "State",
        "Functions",
        "API",
        "Quotas",
    }
    assert {each["status"] for each in own} == {"ok"}, own
    said = {each["check"]: each["text"] for each in own}
    assert said["credentials"].startswith("arn:aws:iam::000000000000:user/l4e-admin in ")
    assert "BLAS scipy-openblas" in said["numeric libraries"], "said by the function itself"
    assert said["signed call"] == f"ListDatasets at {cloud.aws.service_url()}"


def test_before_a_deployment(cloud: Cloud) -> None:
    status, checks = doctor(cloud, "--stack", "Nowhere", "--qualifier", "other")

    assert statuses(checks) == {
        "Account/credentials": "ok",
        "Account/CDK bootstrap": "problem",
        "Stack/stack": "not checked",
        "Quotas/concurrent functions": "ok",
        "Quotas/memory of a function": "not checked",
    }
    assert status == 1
    assert doctor(cloud, "--stack", "Nowhere")[0] == 0


def test_a_stack_without_the_service(cloud: Cloud) -> None:
    _, checks = doctor(cloud, "--stack", "CDKToolkit")

    assert "no REST API" in problems(checks)["service"]["text"]


def test_credentials_that_nobody_knows(cloud: Cloud) -> None:
    status, checks = doctor(cloud, AWS_SECRET_ACCESS_KEY="wrong")

    assert (status, statuses(checks)) == (1, {"Account/credentials": "problem"})


@pytest.fixture
def nobody(cloud: Cloud) -> Iterator[dict[str, str]]:
    """Credentials of a user without any right."""
    iam, name = client(cloud, "iam"), "looks-at-nothing"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="sees")
    iam.delete_user(UserName=name)


def test_what_may_not_be_read_is_not_checked(cloud: Cloud, nobody: dict[str, str]) -> None:
    iam = client(cloud, "iam")

    def allow(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="looks-at-nothing", PolicyName="sees", PolicyDocument=document)

    allow("sts:GetCallerIdentity")
    status, checks = doctor(cloud, **nobody)
    assert status == 0
    assert statuses(checks)["Stack/stack"] == "not checked"
    bootstrap = next(each for each in checks if each["check"] == "CDK bootstrap")
    assert bootstrap["fix"] == "allow ssm:GetParameter, or ask somebody who may"

    allow("sts:GetCallerIdentity", "cloudformation:*")
    _, checks = doctor(cloud, "--write", **nobody)
    found = statuses(checks)
    assert found["Stack/stack"] == "ok"
    assert set(problems(checks)) == {"signed call"}
    assert "execute-api:Invoke" in problems(checks)["signed call"]["text"]
    unseen = {name for name, each in found.items() if each == "not checked"}
    assert unseen >= {
        "State/table",
        "State/bucket",
        "State/key",
        "State/dead letters",
        "Functions/functions",
        "Functions/log groups",
        "Functions/numeric libraries",
        "API/stage",
        "Schedulers/schedulers",
        "Jobs/executions",
        "Alarms/alarms",
        "Trial/trial",
    }


def test_a_reader_may_call_by_the_way_in_for_reading(cloud: Cloud, nobody: dict[str, str]) -> None:
    statements = [
        {"Effect": "Allow", "Action": ["sts:*", "cloudformation:*"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "execute-api:Invoke",
            "Resource": "arn:aws:execute-api:*:*:*/POST/read",
        },
    ]
    client(cloud, "iam").put_user_policy(
        UserName="looks-at-nothing",
        PolicyName="sees",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    _, checks = doctor(cloud, **nobody)

    called = next(each for each in checks if each["check"] == "signed call")
    assert (called["status"], called["text"]) == ("ok", f"ListDatasets at {cloud.aws.service_url()}/read")
    assert statuses(checks)["Schedulers/schedulers"] != "not checked"


def test_a_shell_that_signs_wrongly(cloud: Cloud, tmp_path: Path) -> None:
    _, checks = doctor_of_a_shell(cloud, AWS_DATA_PATH=str(tmp_path), HOME=str(tmp_path))

    found = problems(checks)["client settings"]
    assert "would sign for 'lookoutequipment'" in found["text"]
    assert found["fix"] == f"run what `l4e configure --stack {SERVICE}` prints"
    assert statuses(checks)["API/signed call"] == "ok", "which needs no settings of the shell"


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of the service in which faults are planted."""

    function: str
    log_group: str
    kept_log_group: str
    key: str
    queue: str


@pytest.fixture
def faulty(cloud: Cloud) -> Iterator[Parts]:
    """The service with a fault in each of these parts; what a test has not repaired is repaired after it."""
    parts = Parts(
        function=physical(cloud, "AWS::Lambda::Function", "ServiceReconciler"),
        log_group=physical(cloud, "AWS::Logs::LogGroup", "ServiceReconciler"),
        kept_log_group=physical(cloud, "AWS::Logs::LogGroup", "ServiceApi"),
        key=physical(cloud, "AWS::KMS::Key", "Service"),
        queue=physical(cloud, "AWS::SQS::Queue", "Service"),
    )
    lambda_, logs = client(cloud, "lambda"), client(cloud, "logs")
    kms, sqs = client(cloud, "kms"), client(cloud, "sqs")
    lambda_.put_function_concurrency(FunctionName=parts.function, ReservedConcurrentExecutions=0)
    logs.delete_log_group(logGroupName=parts.log_group)
    logs.delete_retention_policy(logGroupName=parts.kept_log_group)
    kms.schedule_key_deletion(KeyId=parts.key, PendingWindowInDays=30)
    sqs.send_message(QueueUrl=parts.queue, MessageBody="an event")
    yield parts
    lambda_.delete_function_concurrency(FunctionName=parts.function)
    sqs.purge_queue(QueueUrl=parts.queue)
    with suppress(ClientError):  # it is there again
        logs.create_log_group(logGroupName=parts.log_group)
    for group in (parts.log_group, parts.kept_log_group):
        logs.put_retention_policy(logGroupName=group, retentionInDays=90)
    with suppress(ClientError):  # nor is it to be deleted any more
        kms.cancel_key_deletion(KeyId=parts.key)
    kms.enable_key(KeyId=parts.key)


def test_faults_of_the_service_are_found_and_their_fixes_work(cloud: Cloud, faulty: Parts) -> None:
    status, checks = doctor(cloud)
    found = [each for each in checks if each["status"] == "problem" and each["area"] not in LATEST_WORK]
    assert status == 1
    assert sorted((each["check"], each["text"]) for each in found) == sorted(
        [
            ("functions", f"{faulty.function} is switched off: its reserved concurrency is 0"),
            ("log groups", f"{faulty.log_group} does not exist, so what its function says is lost"),
            ("log groups", f"{faulty.kept_log_group} keeps its lines, and costs, for ever"),
            ("key", f"{faulty.key} is about to be deleted, and all state with it"),
            ("dead letters", "1 event could not be handled; records are put right hourly"),
        ]
    )
    purge = next(each["fix"] for each in found if each["check"] == "dead letters")
    assert purge.endswith(f"then: aws sqs purge-queue --queue-url {faulty.queue}")
    client(cloud, "sqs").purge_queue(QueueUrl=faulty.queue)  # the AWS CLI goes past the embedded AWS for SQS
    for each in found:
        if each["fix"] == purge:
            continue
        subprocess.run(
            ["/bin/sh", "-ec", each["fix"]],
            env=cloud.environment() | {"PATH": f"{BIN}:/usr/bin:/bin"},
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
    _, checks = doctor(cloud)
    assert not [each for each in checks if each["status"] != "ok" and each["area"] not in LATEST_WORK]


@pytest.fixture(scope="module")
def scheduler(cloud: Cloud) -> Iterator[str]:
    """An inference scheduler that runs, with its alarms."""
    cloud.upload_history(ASSET)
    assembly = cloud.synth({ASSET: {}})
    cloud.deploy(assembly, ASSET)
    yield cloud.outputs(ASSET)["InferenceSchedulerName"]
    cloud.destroy(assembly, ASSET)


def test_faults_of_a_scheduler_are_found(cloud: Cloud, scheduler: str) -> None:
    (alarm,) = [
        each["AlarmName"]
        for each in cloud.aws.cloudwatch.describe_alarms()["MetricAlarms"]
        if each["AlarmDescription"] == f"{scheduler}: no inference results arrive"
    ]
    cloud.aws.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="planted")
    schedules = client(cloud, "scheduler")
    group = physical(cloud, "AWS::Scheduler::ScheduleGroup", "Service")
    arn = cloud.aws.equipment.describe_inference_scheduler(InferenceSchedulerName=scheduler)[
        "InferenceSchedulerArn"
    ]
    schedule = schedules.get_schedule(Name=f"{group}-{arn.rpartition('/')[2]}", GroupName=group)
    members = (
        "Name",
        "GroupName",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "FlexibleTimeWindow",
        "Target",
        "Description",
    )
    definition = {member: schedule[member] for member in members}

    schedules.update_schedule(**definition, State="DISABLED")
    _, checks = doctor(cloud)
    found = [each["text"] for each in checks if each["status"] == "problem"]
    assert f"{scheduler} runs, but its schedule is disabled" in found
    assert f"{scheduler}: no inference results arrive: planted" in found

    schedules.delete_schedule(Name=definition["Name"], GroupName=group)
    _, checks = doctor(cloud)
    assert f"{scheduler} runs, but has no schedule that wakes it" in [each["text"] for each in checks]

    cloud.aws.equipment.stop_inference_scheduler(InferenceSchedulerName=scheduler)
    cloud.aws.equipment.start_inference_scheduler(InferenceSchedulerName=scheduler)
    cloud.aws.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="repaired")
    _, checks = doctor(cloud)
    found = [each["text"] for each in checks if each["status"] == "problem"]
    assert not [text for text in found if text.startswith(scheduler)]


def test_a_trial_succeeds_and_leaves_nothing(cloud: Cloud) -> None:
    _, checks = doctor(cloud, "--write")

    trials = [each for each in checks if each["area"] == "Trial"]
    assert [(each["check"], each["status"]) for each in trials] == [
        ("upload in parts", "ok"),
        ("training", "ok"),
    ]
    equipment = cloud.aws.equipment
    assert not equipment.list_models(ModelNameBeginsWith="l4e-doctor-")["ModelSummaries"]
    assert not equipment.list_datasets(DatasetNameBeginsWith="l4e-doctor-")["DatasetSummaries"]
    roles = client(cloud, "iam").list_roles(PathPrefix="/lookoutequipment/")["Roles"]
    assert not [role["RoleName"] for role in roles if role["RoleName"].startswith("l4e-doctor-")]
    for name in (cloud.bucket, cloud.outputs(SERVICE)["ServiceBucket"]):
        left = cloud.aws.s3.list_object_versions(Bucket=name, Prefix="l4e-doctor-")
        assert not left.get("Versions")
        assert not left.get("DeleteMarkers")
