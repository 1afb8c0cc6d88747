"""Schedules of EventBridge Scheduler that invoke the inference function: one per inference scheduler.

Time is divided into segments aligned to the hour. The function is invoked at the end of each segment plus the
delay.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.context import Context
from service.durations import seconds
from service.errors import ConflictError
from service.records import SchedulerRecord

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_scheduler import EventBridgeSchedulerClient


def cron(frequency: str, delay_minutes: int) -> str:
    """Return the cron expression for the end of every segment plus the delay."""
    step = seconds(frequency) // 60
    minutes = sorted((end + delay_minutes) % 60 for end in range(0, 60, step))
    return f"cron({','.join(map(str, minutes))} * * * ? *)"


_PAUSES = (0.1, 0.3, 0.9)
"""Seconds between attempts to change a schedule that another request is changing."""


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
        """Create or update the schedule of a scheduler.

        Raises:
            ConflictError: when other requests kept changing it.
        """
        definition = self._definition(record)

        def attempt() -> None:
            try:
                self.client.update_schedule(**definition)
            except self.client.exceptions.ResourceNotFoundException:
                self.client.create_schedule(**definition)

        self._while_changing(attempt, f"of the inference scheduler '{record['InferenceSchedulerName']}'")

    def fits(self, record: SchedulerRecord) -> bool:
        """Return whether the schedule of a scheduler exists and is what its record says."""
        wanted = self._definition(record)
        try:
            found = self.client.get_schedule(Name=wanted["Name"], GroupName=self.group)
        except self.client.exceptions.ResourceNotFoundException:
            return False
        return all(found.get(name) == wanted[name] for name in ("ScheduleExpression", "State"))

    def delete(self, uuid: str) -> None:
        """Delete the schedule of the scheduler with this uuid, if it is there.

        Raises:
            ConflictError: when other requests kept changing it.
        """

        def attempt() -> None:
            with suppress(self.client.exceptions.ResourceNotFoundException):
                self.client.delete_schedule(Name=self._name(uuid), GroupName=self.group)

        self._while_changing(attempt, f"'{self._name(uuid)}'")

    def _while_changing(self, attempt: Callable[[], None], which: str) -> None:
        """Call `attempt`, and again while another request creates or changes the same schedule.

        Raises:
            ConflictError: naming `which` schedule, when others kept changing it.
        """
        for pause in (*_PAUSES, None):
            try:
                attempt()
            except self.client.exceptions.ConflictException as error:
                if pause is None:
                    raise ConflictError(
                        f"the schedule {which} is being changed by another request: try again"
                    ) from error
                time.sleep(pause)
            else:
                return

    def _definition(self, record: SchedulerRecord) -> dict[str, Any]:
        return {
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

    def _name(self, uuid: str) -> str:
        # The function may touch schedules whose names begin like this, and no others.
        return f"{self.group}-{uuid}"
