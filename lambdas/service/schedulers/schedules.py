"""Schedules of EventBridge Scheduler: one per inference scheduler and one per retraining scheduler.

Time is divided into segments aligned to the hour. The inference function is invoked at the end of each
segment plus the delay. For retraining the reconciler is invoked every midnight, and sees which date has come:
no expression says "every two months", and a wake that was lost is made up for.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from service.context import Context
from service.errors import ConflictError
from service.members.durations import seconds
from service.settings import Environment
from service.storage.names import SCHEDULER
from service.storage.records import RetrainingSchedulerRecord, SchedulerRecord
from service.storage.retry_on_change import ATTEMPTS

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_scheduler import EventBridgeSchedulerClient


def cron(frequency: str, delay_minutes: int) -> str:
    """Return the cron expression for the end of every segment plus the delay."""
    step = seconds(frequency) // 60
    minutes = sorted((end + delay_minutes) % 60 for end in range(0, 60, step))
    return f"cron({','.join(map(str, minutes))} * * * ? *)"


RETRAINING_EVENT = "lookoutequipment.retraining"
"""The `source` of the event that a retraining scheduler wakes the reconciler with."""

MIDNIGHT = "cron(0 0 * * ? *)"

NEXT_STATUS = {"PENDING": "RUNNING", "STOPPING": "STOPPED"}
"""The status of a scheduler after its schedule was changed."""

Record = SchedulerRecord | RetrainingSchedulerRecord

_PAUSES = (0.1, 0.3, 0.9)
"""Seconds between attempts to change a schedule that another request is changing."""


@dataclass(frozen=True, slots=True)
class Schedules:
    """The schedules of a deployment, named by their group and the uuid of their scheduler."""

    client: "EventBridgeSchedulerClient"
    environment: Environment

    @classmethod
    def of(cls, context: Context) -> "Schedules":
        """Return the schedules of the deployment that `context` belongs to."""
        return cls(context.client("scheduler"), context.environment)

    @property
    def group(self) -> str:
        """Name of their group."""
        return self.environment.schedule_group

    def put(self, record: Record) -> None:
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

        self._while_changing(attempt, f"of the {_words(record)}")

    def put_latest(self, record: Record, latest: Callable[[], Record | None]) -> None:
        """Make the schedule what the record of its scheduler says, also when that is being changed meanwhile.

        Args:
            record: the scheduler.
            latest: reads the scheduler of that name; another one, or none, means that this one is deleted.

        Raises:
            ConflictError: when other requests kept changing the schedule.
        """
        for _ in range(ATTEMPTS):
            self.put(record)
            found = latest()
            if found is None or found["uuid"] != record["uuid"]:
                self.delete(record["uuid"])
                return
            if self._definition(found) == self._definition(record):
                return
            record = found

    def fits(self, record: Record) -> bool:
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

    def _definition(self, record: Record) -> dict[str, Any]:
        if _infers(record):
            wakes = _inference(self.environment, cast("SchedulerRecord", record))
        else:
            wakes = _retraining(self.environment, cast("RetrainingSchedulerRecord", record))
        what = _words(record)
        return {
            **wakes,
            "Name": self._name(record["uuid"]),
            "GroupName": self.group,
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED" if record["Status"] in {"PENDING", "RUNNING"} else "DISABLED",
            "Description": what[:1].upper() + what[1:].replace("'", ""),
        }

    def _name(self, uuid: str) -> str:
        # The function may touch schedules whose names begin like this, and no others.
        return f"{self.group}-{uuid}"


def _infers(record: Record) -> bool:
    return record["pk"] == SCHEDULER


def _words(record: Record) -> str:
    kind = "inference scheduler" if _infers(record) else "retraining scheduler of the model"
    return f"{kind} '{record['sk']}'"


def _inference(environment: Environment, record: SchedulerRecord) -> dict[str, Any]:
    return {
        "ScheduleExpression": cron(
            record["DataUploadFrequency"], int(record.get("DataDelayOffsetInMinutes", 0))
        ),
        "Target": {
            "Arn": environment.infer_function,
            "RoleArn": environment.schedule_role,
            "Input": json.dumps(
                {"InferenceSchedulerName": record["InferenceSchedulerName"], "Uuid": record["uuid"]}
            ),
        },
    }


def _retraining(environment: Environment, record: RetrainingSchedulerRecord) -> dict[str, Any]:
    return {
        "ScheduleExpression": MIDNIGHT,
        "Target": {
            "Arn": environment.retraining_function,
            "RoleArn": environment.retraining_schedule_role,
            "Input": json.dumps(
                {"source": RETRAINING_EVENT, "ModelName": record["ModelName"], "Uuid": record["uuid"]}
            ),
        },
    }
