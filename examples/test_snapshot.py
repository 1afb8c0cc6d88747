"""How a team tests its monitoring in CI, without AWS: assertions and a snapshot of the template.

pytest examples/test_snapshot.py              # SNAPSHOT=update writes the snapshot anew
"""

import json
import os
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template
from platform_stack import PUMPS, PlatformStack

SNAPSHOT = Path(__file__).with_name("platform.snapshot.json")


@pytest.fixture(scope="module")
def template() -> Template:
    """The template of the platform's stack."""
    return Template.from_stack(PlatformStack(cdk.App(analytics_reporting=False), "Platform"))


def test_every_pump_is_monitored(template: Template) -> None:
    """One running scheduler for each pump."""
    template.resource_properties_count_is(
        "Custom::LookoutEquipmentInferenceScheduler", {"DesiredState": "RUNNING"}, len(PUMPS)
    )


def test_operators_hear_of_anomalies(template: Template) -> None:
    """The anomaly alarms call the topic."""
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm", {"MetricName": "AnomalyDetected", "AlarmActions": Match.any_value()}
    )


def test_nothing_changed_unseen(template: Template) -> None:
    """The template is the reviewed one."""
    content = template.to_json()
    if os.environ.get("SNAPSHOT") == "update":
        SNAPSHOT.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert content == json.loads(SNAPSHOT.read_text(encoding="utf-8"))
