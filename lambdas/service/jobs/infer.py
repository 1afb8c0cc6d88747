"""Inference: each due window of a scheduler becomes one execution with one result file (11).

EventBridge Scheduler calls the function after every segment. A window is claimed by creating its execution
record, so that repeated or overlapping calls never infer it twice; missed ones are caught up, oldest first.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from service.clock import iso_seconds, timestamp
from service.durations import seconds
from service.jobs.failure import JobFailed, clip
from service.jobs.inference.execution import Outcome, infer
from service.jobs.inference.windows import Window, due
from service.jobs.runtime import Runtime, current_runtime, log
from service.names import MODEL, SCHEDULER, executions_of, version_arn
from service.store import AlreadyExists, Item, NotFound, StateChanged, Update

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef

_LOG = logging.getLogger(__name__)

_LEASE_SECONDS = 16 * 60
"""A claim older than this is of a function that is gone: Lambda ends them after 15 minutes."""
_ATTEMPTS = 2
"""Calls that may begin a window: what ends them, time or memory, would end the next one too."""
_RESERVE_SECONDS = 120
"""Time a window may need; a further one is begun only while this much is left."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Infer what is due for ``InferenceSchedulerName``, if ``Uuid`` still is that scheduler."""
    return run(current_runtime(), event, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000)


def run(runtime: Runtime, event: Mapping[str, Any], *, seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Infer the due windows one by one; returns the state of each. A stopped scheduler does nothing."""
    done: dict[str, str] = {}
    while not done or seconds_left() > _RESERVE_SECONDS:
        scheduler = runtime.store.get(SCHEDULER, event["InferenceSchedulerName"])
        if scheduler is None or scheduler["uuid"] != event["Uuid"]:
            log("scheduler is gone", **event)
            break
        if scheduler["Status"] not in {"PENDING", "RUNNING"}:
            log("scheduler is not running", **event, Status=scheduler["Status"])
            break
        window = _next(runtime, scheduler)
        if window is None:
            break
        state = _window(runtime, scheduler, window)
        if state is None:  # another call is at work on it
            break
        done[iso_seconds(window.start)] = state
    return {"InferenceSchedulerName": event["InferenceSchedulerName"], "Executions": done}


def _next(runtime: Runtime, scheduler: Item) -> Window | None:
    hours = runtime.settings.inference_catch_up_hours
    windows = due(
        next_end=int(scheduler["nextSegmentEnd"]),
        frequency=seconds(scheduler["DataUploadFrequency"]),
        delay=_delay(scheduler),
        now=runtime.clock().timestamp(),
        catch_up=None if hours is None else hours * 3600,
    )
    return next(windows, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """How an execution ended: its members, its outcome if it succeeded, whether the input is to blame."""

    facts: Mapping[str, Any]
    outcome: Outcome | None = None
    invalid: bool = False

    @property
    def notices(self) -> list[dict[str, Any]]:
        """What there is to say about the input of an execution that succeeded."""
        return [asdict(notice) for notice in self.outcome.notices] if self.outcome is not None else []

    @classmethod
    def failed(cls, reason: str, *, invalid: bool) -> "_End":
        return cls(facts={"Status": "FAILED", "FailedReason": reason}, invalid=invalid)


def _window(runtime: Runtime, scheduler: Item, window: Window) -> str | None:
    """Infer one window unless it was; returns the state of its execution, None while another call has it."""
    model = runtime.store.get(MODEL, scheduler["ModelName"])
    claimed = _claim(runtime, scheduler, model, window)
    if claimed is None:
        log("window is being inferred by another call", Window=str(window))
        return None
    if claimed["Status"] != "IN_PROGRESS":  # inferred before, but the scheduler was not moved on
        _record(runtime, scheduler, window, claimed, {})
        return str(claimed["Status"])
    if claimed["attempts"] > _ATTEMPTS:
        reason = _internal(window, f"{_ATTEMPTS} calls ended before they were done (time or memory)")
        end = _End.failed(reason, invalid=False)
    else:
        end = _infer(runtime, scheduler, model, window)
    name = scheduler["InferenceSchedulerName"]
    log("window inferred", Scheduler=name, Window=str(window), **end.facts, Notices=end.notices)
    latest = {}
    if end.outcome is not None:
        latest["LatestInferenceResult"] = "ANOMALOUS" if end.outcome.anomalous else "NORMAL"
    facts = {**end.facts, "notices": end.notices} if end.notices else end.facts
    _record(runtime, scheduler, window, {**claimed, **facts}, latest)
    _publish(runtime, scheduler, end)
    return str(end.facts["Status"])


def _infer(runtime: Runtime, scheduler: Item, model: Item | None, window: Window) -> _End:
    try:
        outcome = infer(runtime, scheduler=scheduler, model=model, window=window)
    except JobFailed as failed:
        return _End.failed(failed.reason, invalid=True)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the next window must get its turn
        _LOG.exception("inference failed")
        return _End.failed(_internal(window, f"{type(error).__name__}: {error}"), invalid=False)
    return _End(facts={"Status": "SUCCESS", "CustomerResultObject": outcome.location}, outcome=outcome)


def _claim(runtime: Runtime, scheduler: Item, model: Item | None, window: Window) -> Item | None:
    """The execution record of a window, made or taken over for this call; None if another has it."""
    now = timestamp(runtime.clock())
    new = _execution(runtime, scheduler, model, window, now)
    try:
        runtime.store.create(new)
    except AlreadyExists as existing:
        held = existing.item or {}
        if held["Status"] != "IN_PROGRESS":
            return held
        if now - held["claimedAt"] < _LEASE_SECONDS:
            return None
        try:
            return runtime.store.update(
                new["pk"],
                new["sk"],
                {"claimedAt": now, "attempts": held["attempts"] + 1},
                expect={"claimedAt": held["claimedAt"]},
            )
        except (NotFound, StateChanged):
            return None
    return new


def _execution(runtime: Runtime, scheduler: Item, model: Item | None, window: Window, now: Decimal) -> Item:
    days = runtime.settings.execution_retention_days
    copied = (
        "ModelName",
        "ModelArn",
        "InferenceSchedulerName",
        "InferenceSchedulerArn",
        "DataInputConfiguration",
        "DataOutputConfiguration",
    )
    return {
        "pk": executions_of(scheduler["uuid"]),
        "sk": iso_seconds(window.start),
        **{member: scheduler[member] for member in copied},
        "ScheduledStartTime": window.end + _delay(scheduler),
        "DataStartTime": window.start,
        "DataEndTime": window.end,
        "Status": "IN_PROGRESS",
        "claimedAt": now,
        "attempts": 1,
        "ExpiresAt": None if days is None else int(float(now) + days * 86_400),
        **_active_version(model),
    }


def _active_version(model: Item | None) -> dict[str, Any]:
    if model is None or "ActiveModelVersion" not in model:
        return {}
    number = int(model["ActiveModelVersion"])
    return {"ModelVersion": number, "ModelVersionArn": version_arn(model["ModelArn"], number)}


def _record(
    runtime: Runtime, scheduler: Item, window: Window, execution: Mapping[str, Any], latest: Mapping[str, Any]
) -> None:
    """Write the end of an execution and move the scheduler on, in one transaction."""
    ended = Update(
        execution["pk"],
        execution["sk"],
        {
            name: execution[name]
            for name in ("Status", "CustomerResultObject", "FailedReason", "notices")
            if name in execution
        },
        expect={"claimedAt": execution["claimedAt"]},
    )
    moved = Update(
        SCHEDULER,
        scheduler["InferenceSchedulerName"],
        {"nextSegmentEnd": window.end + seconds(scheduler["DataUploadFrequency"]), **latest},
        expect={"uuid": scheduler["uuid"], "nextSegmentEnd": scheduler["nextSegmentEnd"]},
    )
    try:
        runtime.store.transact(ended, moved)
    except (NotFound, StateChanged) as changed:
        if (
            changed.pk == SCHEDULER
        ):  # deleted, or stopped and started meanwhile: it has its own next segment now
            runtime.store.transact(ended)
        else:
            log("execution was taken over", Window=str(window))


def _internal(window: Window, problem: str) -> str:
    return clip(f"the service could not infer the window {window} because of an internal error: {problem}")


def _publish(runtime: Runtime, scheduler: Item, end: _End) -> None:
    """One point of each metric for each execution; a metric that cannot be published fails nothing."""
    values = {
        "InferenceSucceeded": end.outcome is not None,
        "InferenceFailed": end.outcome is None,
        "InferenceInvalidInput": end.invalid,
        "InferenceWarning": sum(notice["kind"] != "level" for notice in end.notices),  # lasts for months
    }
    if end.outcome is not None:
        values["AnomalyDetected"] = end.outcome.anomalous
    dimensions: list[DimensionTypeDef] = [
        {"Name": "ModelName", "Value": scheduler["ModelName"]},
        {"Name": "InferenceSchedulerName", "Value": scheduler["InferenceSchedulerName"]},
    ]
    try:
        runtime.cloudwatch.put_metric_data(
            Namespace=runtime.metric_namespace,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": dimensions,
                    "Value": float(value),
                    "Unit": "Count",
                }
                for name, value in values.items()
            ],
        )
    except (BotoCoreError, ClientError) as error:
        log("metrics were not published", Error=str(error))


def _delay(scheduler: Item) -> int:
    return int(scheduler.get("DataDelayOffsetInMinutes", 0)) * 60
