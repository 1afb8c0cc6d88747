"""A deployed scheduler whose function is killed, whose schedule is disabled, and whose role is changed."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constructs_l4e.events import EXECUTION_FAILED, SOURCE
from tests.e2e.cloud import SERVICE, Cloud, policy
from tests.e2e.function_processes import kill, needs_processes
from tests.e2e.windows import (
    MINUTE,
    change,
    client,
    due,
    executions,
    infer_from,
    infer_function,
    inferred,
    wake,
)
from tests.waiting import awaited

ASSET = "GoesOn"


@pytest.fixture(scope="module")
def scheduler(cloud: Cloud) -> Iterator[Any]:
    cloud.upload_history(ASSET)
    assembly = cloud.synth({ASSET: {}})
    cloud.deploy(assembly, ASSET)
    name = cloud.outputs(ASSET)["InferenceSchedulerName"]
    yield cloud.aws.equipment.describe_inference_scheduler(InferenceSchedulerName=name)
    cloud.destroy(assembly, ASSET)


@needs_processes
def test_a_killed_function_loses_no_window(cloud: Cloud, scheduler: Any) -> None:
    starts = due(cloud, scheduler, 60)
    wake(cloud, scheduler, "Event")
    awaited(lambda: executions(cloud, scheduler, Status="IN_PROGRESS"), bool, pause=0.02)
    assert kill(cloud, infer_function(cloud)), "no process of the function was found"
    left = executions(cloud, scheduler, Status="IN_PROGRESS")
    uuid = scheduler["InferenceSchedulerArn"].rpartition("/")[2]
    for one in left:
        begun = f"{one['DataStartTime'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        change(cloud, {"pk": f"execution#{uuid}", "sk": begun}, "claimedAt", time.time() - 1000)
    # Lambda also repeats the call that was killed.
    found = inferred(cloud, scheduler, starts, lambda: wake(cloud, scheduler, "RequestResponse"))
    assert [(one["Status"], one.get("FailedReason")) for one in found] == [("SUCCESS", None)] * len(starts)
    results = [one["CustomerResultObject"]["Key"] for one in found]
    assert len(set(results)) == len(starts)
    for key in results:
        assert cloud.aws.s3.head_object(Bucket=cloud.bucket, Key=key)["ContentLength"] > 0


def test_others_are_told_of_what_fails(cloud: Cloud, scheduler: Any) -> None:
    """By a rule as `on_execution_failed` makes it. Without its right the service goes on, and counts."""
    begin = min(one["DataStartTime"] for one in executions(cloud, scheduler))
    delay_new_windows(cloud, scheduler)
    queue = told_of_failures(cloud, scheduler)
    failed = fail_before(cloud, scheduler, begin - 2 * 5 * MINUTE)
    event = awaited(lambda: received(cloud, queue), bool)[0]
    assert event["resources"] == [scheduler["InferenceSchedulerArn"], scheduler["ModelArn"]]
    assert datetime.fromisoformat(event["detail"]["DataStartTime"]) == failed["DataStartTime"]
    assert event["detail"]["FailedReason"] == failed["FailedReason"]

    iam = client(cloud, "iam")
    role = cloud.outputs(SERVICE)["DataAccessRoleArn"].rpartition("/")[2]
    denied = {"Effect": "Deny", "Action": "events:PutEvents", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    iam.put_role_policy(RoleName=role, PolicyName="quiet", PolicyDocument=document)
    try:
        fail_before(cloud, scheduler, begin - 3 * 5 * MINUTE)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="quiet")
    assert awaited(lambda: not_sent(cloud), bool) == 1
    assert [each["detail"]["DataStartTime"] for each in received(cloud, queue)] == []


def delay_new_windows(cloud: Cloud, scheduler: Any) -> None:
    """Let windows that end from now on become due in an hour: they have no files, so they would fail."""
    cloud.aws.equipment.update_inference_scheduler(
        InferenceSchedulerName=scheduler["InferenceSchedulerName"], DataDelayOffsetInMinutes=60
    )
    awaited(lambda: executions(cloud, scheduler, Status="IN_PROGRESS"), lambda found: not found)


def fail_before(cloud: Cloud, scheduler: Any, start: datetime) -> Any:
    """Infer a window for which there are no files; return its execution."""
    infer_from(cloud, scheduler, start)
    wake(cloud, scheduler, "RequestResponse")
    (found,) = inferred(cloud, scheduler, [start])
    assert found["Status"] == "FAILED"
    return found


def told_of_failures(cloud: Cloud, scheduler: Any) -> str:
    """Make a rule for failures of a scheduler; return the address of the queue that is told."""
    queues, rules = client(cloud, "sqs"), client(cloud, "events")
    queue: str = queues.create_queue(QueueName="told-of-failures")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = policy(Principal={"Service": "events.amazonaws.com"}, Action="sqs:SendMessage", Resource=arn)
    queues.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": allowed})
    pattern = {
        "source": [SOURCE],
        "detail-type": [EXECUTION_FAILED],
        "resources": [scheduler["InferenceSchedulerArn"]],
    }
    rules.put_rule(Name="told-of-failures", EventPattern=json.dumps(pattern))
    rules.put_targets(Rule="told-of-failures", Targets=[{"Id": "queue", "Arn": arn}])
    return queue


def received(cloud: Cloud, queue: str) -> list[Any]:
    """Take the events out of a queue."""
    queues = client(cloud, "sqs")
    found = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for each in found:
        queues.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
    return [json.loads(each["Body"]) for each in found]


def not_sent(cloud: Cloud) -> float:
    """How many events could not be sent."""
    points = cloud.aws.cloudwatch.get_metric_statistics(
        Namespace="LookoutEquipment",
        MetricName="EventsNotSent",
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=86_400,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


def test_a_schedule_that_was_disabled_is_enabled_again(cloud: Cloud, scheduler: Any) -> None:
    schedules, uuid = client(cloud, "scheduler"), scheduler["InferenceSchedulerArn"].rpartition("/")[2]
    (found,) = (one for one in schedules.list_schedules()["Schedules"] if one["Name"].endswith(uuid))
    place = {"Name": found["Name"], "GroupName": found["GroupName"]}
    whole = schedules.get_schedule(**place)
    kept = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
    schedules.update_schedule(**place, **{name: whole[name] for name in kept}, State="DISABLED")
    cloud.aws.equipment.describe_inference_scheduler(
        InferenceSchedulerName=scheduler["InferenceSchedulerName"]
    )
    assert schedules.get_schedule(**place)["State"] == "ENABLED"


def test_a_role_without_access_is_refused_with_the_reason(cloud: Cloud, scheduler: Any) -> None:
    iam = client(cloud, "iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": cloud.outputs(SERVICE)["DataAccessRoleArn"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    name = f"goes-on-{time.time_ns()}"
    role = iam.create_role(
        RoleName=name, Path="/lookoutequipment/", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    equipment = cloud.aws.equipment
    update = {"InferenceSchedulerName": scheduler["InferenceSchedulerName"], "RoleArn": role}
    with pytest.raises(equipment.exceptions.ValidationException) as refused:
        equipment.update_inference_scheduler(**update)  # type: ignore[arg-type]
    assert "does not give the access it needs: cannot list 's3://" in str(refused.value)
    assert f"with role '{role}'" in str(refused.value)
    may_list = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [may_list]}
    iam.put_role_policy(RoleName=name, PolicyName="data", PolicyDocument=json.dumps(policy))
    with pytest.raises(equipment.exceptions.ValidationException, match="allow s3:PutObject on"):
        equipment.update_inference_scheduler(**update)  # type: ignore[arg-type]
    described = equipment.describe_inference_scheduler(
        InferenceSchedulerName=scheduler["InferenceSchedulerName"]
    )
    assert described["RoleArn"] == scheduler["RoleArn"]
