"""Schedules of EventBridge Scheduler that invoke the inference function: one per inference scheduler.

Time is divided into segments aligned to the hour. The function is invoked at the end of each segment plus the
delay; the first segment is the one that ends next after the scheduler is started.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from service.context import Context
from service.durations import seconds
from service.records import SchedulerRecord

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_scheduler import EventBridgeSchedulerClient


def next_segment_end(now: datetime, frequency: str) -> int:
    """Return the end, in epoch seconds, of the segment of a `DataUploadFrequency` that `now` lies in."""
    length = seconds(frequency)
    return (int(now.timestamp()) // length + 1) * length


def segment_end_from(start: int, frequency: str) -> int:
    """Return the end of the first segment that begins at `start` (epoch seconds) or later."""
    length = seconds(frequency)
    return (-(-start // length) + 1) * length


def cron(frequency: str, delay_minutes: int) -> str:
    """Return the cron expression for the end of every segment plus the delay."""
    step = seconds(frequency) // 60
    minutes = sorted((end + delay_minutes) % 60 for end in range(0, 60, step))
    return f"cron({','.join(map(str, minutes))} * * * ? *)"


@dataclass(frozen=True, slots=True)
class Schedules:
    """The schedules of a deployment, named by their group and the uuid of their inference scheduler."""

    client: "EventBridgeSchedulerClient"
    group: str
    role: str
    function: str

    @classmethod
    def of(cls, context: Context) -> "Schedules":
        """Return the schedules of the deployment that `context` belongs to."""
        environment = context.environment
        return cls(
            context.client("scheduler"),
            environment.schedule_group,
            environment.schedule_role,
            environment.infer_function,
        )

    def put(self, record: SchedulerRecord) -> None:
        """Create or update the schedule of a scheduler."""
        definition: dict[str, Any] = {
            "Name": self._name(record["uuid"]),
            "GroupName": self.group,
            "ScheduleExpression": cron(
                record["DataUploadFrequency"], int(record.get("DataDelayOffsetInMinutes", 0))
            ),
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED" if record["Status"] in {"PENDING", "RUNNING"} else "DISABLED",
            "Description": f"Inference scheduler {record['InferenceSchedulerName']}",
            "Target": {
                "Arn": self.function,
                "RoleArn": self.role,
                "Input": json.dumps(
                    {"InferenceSchedulerName": record["InferenceSchedulerName"], "Uuid": record["uuid"]}
                ),
            },
        }
        try:
            self.client.update_schedule(**definition)
        except self.client.exceptions.ResourceNotFoundException:
            with suppress(self.client.exceptions.ConflictException):  # a repeated request was faster
                self.client.create_schedule(**definition)

    def delete(self, uuid: str) -> None:
        """Delete the schedule of the scheduler with this uuid, if it is there."""
        with suppress(self.client.exceptions.ResourceNotFoundException):
            self.client.delete_schedule(Name=self._name(uuid), GroupName=self.group)

    def _name(self, uuid: str) -> str:
        # The function may touch schedules whose names begin like this, and no others.
        return f"{self.group}-{uuid}"
