"""The audit record in the log of the deployed API function."""

import json
import sys
from typing import Any

from tests.e2e.cloud import SERVICE, Cloud
from tests.e2e.service.test_clients import run
from tests.waiting import awaited


def records(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    """The audit records of the calls that mention a name, once there are any."""
    resources = cloud.aws.cloudformation.describe_stack_resources(StackName=SERVICE)["StackResources"]
    (group,) = (
        resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::Logs::LogGroup"
        and "ServiceApiLog" in resource["LogicalResourceId"]
    )
    logs = cloud.aws.session.client("logs", endpoint_url=cloud.instance.endpoint)

    def look() -> list[dict[str, Any]]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [event["message"] for page in pages for event in page["events"]]
        found = [json.loads(line) for line in lines if line.startswith("{") and name in line]
        return [record for record in found if "eventSource" in record]

    return awaited(look, bool)


def test_a_call_leaves_who_what_and_from_where(cloud: Cloud) -> None:
    program = "import boto3; boto3.client('lookoutequipment').describe_dataset(DatasetName='audited')"
    assert "ResourceNotFoundException" in run(cloud, sys.executable, "-c", program).stderr
    (record,) = records(cloud, "audited")
    assert record["eventName"] == "DescribeDataset"
    assert record["errorCode"] == "ResourceNotFoundException"
    assert record["requestParameters"] == {"datasetName": "audited"}
    assert record["userIdentity"]["arn"].startswith("arn:aws:iam::")
    assert record["sourceIPAddress"] == "127.0.0.1"
    assert "Boto3/" in record["userAgent"]
    assert record["requestID"]
