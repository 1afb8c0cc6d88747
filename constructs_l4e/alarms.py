"""Alarms on an inference scheduler."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypedDict

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_l4e import _props
from constructs_l4e.interfaces import IInferenceScheduler

THRESHOLD = 1
"""An execution counts when its metric is as large, or in case of successes when it is smaller."""
_HASH_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Executions:
    """How many of the latest executions raise an alarm.

    Args:
        count: executions that must count towards the alarm, 1 or more.
        out_of: executions to look at. Default: `count`, so all of them must count, in a row.
        actions: what happens when this alarm is raised, besides the actions of all alarms. Default: nothing.

    Raises:
        ValueError: when `count` is less than 1, or `out_of` less than `count`.

    Example:
        >>> Executions(count=2, out_of=5).window
        5
    """

    count: int
    out_of: int | None = None
    actions: Sequence[cloudwatch.IAlarmAction] = ()

    def __post_init__(self) -> None:
        _props.check_fields(self)
        if self.count < 1:
            raise ValueError(f'"{self.count}" executions cannot raise an alarm: use 1 or more')
        if self.window < self.count:
            raise ValueError(
                f'"{self.count}" of the latest "{self.window}" executions cannot occur: make out_of at least '
                f"{self.count}"
            )

    @property
    def window(self) -> int:
        """Number of executions that the alarm looks at."""
        return self.count if self.out_of is None else self.out_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmThresholds:
    """When each alarm of a scheduler is raised; None leaves an alarm out.

    By default there are two: one about the equipment, and one about its monitoring. CloudWatch bills each
    alarm, so the others, which tell more precisely what the two have told, are for those who ask for them.

    Args:
        no_success: executions without a result, because they failed or because they did not run. There is no
            such alarm for a scheduler that is stopped. Default: 3 in a row.
        anomaly: executions that found an anomaly, or after which the level of a sensor no longer counts as
            one: somebody should find out why it moved. AWS's own service has no such metric, hence no alarm.
            Default: 1.
        failed: executions that failed, for any reason. Default: no alarm.
        invalid_input: executions that could not use their files, role, bucket or key. Default: no alarm.
        fault_began: executions in which a fault began. A fault counts once, after half an hour of alarm,
            however often it comes and goes; `anomaly` is raised each time. AWS's own service has no such
            metric, hence no alarm. Default: no alarm.
        level_moved: executions after which the level of a sensor no longer counts as an anomaly. AWS's own
            service has no such metric, hence no alarm. Default: no alarm.
        warning: executions with notices about their input, such as a silent sensor. AWS's own service has no
            such metric, hence no alarm. Default: no alarm.
    """

    no_success: Executions | None = Executions(count=3)
    anomaly: Executions | None = Executions(count=1)
    failed: Executions | None = None
    invalid_input: Executions | None = None
    fault_began: Executions | None = None
    level_moved: Executions | None = None
    warning: Executions | None = None

    def __post_init__(self) -> None:
        _props.check_fields(self)


class SchedulerAlarmsProps(TypedDict, total=False):
    """Props of `SchedulerAlarms` besides the scheduler."""

    thresholds: AlarmThresholds | None
    actions: Sequence[cloudwatch.IAlarmAction]
    notify_when_over: bool


class SchedulerAlarms(Construct):
    """CloudWatch alarms on one inference scheduler.

    CloudFormation names the alarms. Their period is the scheduler's `data_upload_frequency`.

    `no_success` is in the state ALARM when executions fail, and in INSUFFICIENT_DATA when none run; it takes
    `actions` in both cases. A new alarm begins in INSUFFICIENT_DATA, and CloudWatch acts on changes only. So
    a first deployment notifies nobody, and neither does a scheduler that replaces another, for which there is
    a new alarm.

    Args:
        scope: parent of the construct.
        id: construct id.
        scheduler: the scheduler to watch.
        thresholds: when each alarm is raised. Default: see `AlarmThresholds`.
        actions: what happens when an alarm is raised, besides the actions of its `Executions`. Default:
            nothing.
        notify_when_over: whether the actions are also taken when an alarm is over. Default: False.

    Attributes:
        scheduler: the scheduler that is watched.

    Raises:
        ValueError: when a threshold looks back further than CloudWatch does: one day, or one week if the
            period is an hour or more.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        scheduler: IInferenceScheduler,
        thresholds: AlarmThresholds | None = None,
        actions: Sequence[cloudwatch.IAlarmAction] = (),
        notify_when_over: bool = False,
    ) -> None:
        super().__init__(scope, id)
        self.scheduler = scheduler
        self._actions = tuple(actions)
        self._notify_when_over = notify_when_over
        self._limits = limits = thresholds or AlarmThresholds()
        publishes = scheduler.service.publishes
        self.no_success = self._no_success(limits.no_success) if scheduler.running else None
        self.anomaly = self._at_least_one(
            "Anomaly",
            scheduler.metric_anomaly_detected,
            limits.anomaly if publishes("AnomalyDetected") else None,
            "the equipment behaves abnormally, or the level of a sensor moved",
        )
        self.failed = self._at_least_one(
            "Failed", scheduler.metric_inference_failed, limits.failed, "inference fails"
        )
        self.invalid_input = self._at_least_one(
            "InvalidInput",
            scheduler.metric_inference_invalid_input,
            limits.invalid_input,
            "inference cannot use its input: look at FailedReason of the latest execution",
        )
        self.fault_began = self._at_least_one(
            "FaultBegan",
            scheduler.metric_fault_began,
            limits.fault_began if publishes("FaultBegan") else None,
            "a fault of the equipment began: look at the log of the inference function",
        )
        self.level_moved = self._at_least_one(
            "LevelMoved",
            scheduler.metric_level_moved,
            limits.level_moved if publishes("LevelMoved") else None,
            "the level of a sensor moved and no longer counts as an anomaly: look at the log of the "
            "inference function",
        )
        self.warning = self._at_least_one(
            "Warning",
            scheduler.metric_inference_warning,
            limits.warning if publishes("InferenceWarning") else None,
            "inference noticed something about its input: look at the log of the inference function",
        )

    @property
    def alarms(self) -> list[cloudwatch.Alarm]:
        """The alarms that were not left out."""
        every = (
            self.no_success,
            self.anomaly,
            self.failed,
            self.invalid_input,
            self.fault_began,
            self.level_moved,
            self.warning,
        )
        return [alarm for alarm in every if alarm is not None]

    @property
    def executions(self) -> dict[str, Executions]:
        """How many executions raise each alarm that was not left out, by its name, such as `anomaly`."""
        names = [field.name for field in fields(AlarmThresholds) if getattr(self, field.name) is not None]
        return {name: getattr(self._limits, name) for name in names}

    def add_alarm_action(self, *actions: cloudwatch.IAlarmAction) -> None:
        """Take further `actions` when one of the alarms is raised."""
        for alarm in self.alarms:
            _act(alarm, actions, when_missing=alarm is self.no_success)

    def _at_least_one(
        self, id_: str, metric: Callable[[], cloudwatch.Metric], limit: Executions | None, meaning: str
    ) -> cloudwatch.Alarm | None:
        """Return an alarm on a metric that is sent for an execution that counts, and for no other."""
        return self._alarm(
            id_,
            metric,
            limit,
            meaning,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _no_success(self, limit: Executions | None) -> cloudwatch.Alarm | None:
        """Return an alarm that leaves OK when no execution succeeds, and when none runs.

        Its id changes with the scheduler and the period: an alarm that is changed keeps its state, so that of
        a scheduler with results would find none of the new one, and notify.
        """
        return self._alarm(
            f"NoSuccess{self._watched()}",
            self.scheduler.metric_inference_succeeded,
            limit,
            "no inference results arrive",
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing=cloudwatch.TreatMissingData.MISSING,
        )

    def _watched(self) -> str:
        """Return a hash of what is watched; nothing for a name that is known in the deployment only."""
        name = self.scheduler.inference_scheduler_name
        if _props.is_token(name):
            return ""
        watched = f"{name} {self.scheduler.data_upload_frequency}"
        return hashlib.sha256(watched.encode()).hexdigest()[:_HASH_LENGTH]

    def _alarm(
        self,
        id_: str,
        metric: Callable[[], cloudwatch.Metric],
        limit: Executions | None,
        meaning: str,
        *,
        comparison: cloudwatch.ComparisonOperator,
        missing: cloudwatch.TreatMissingData,
    ) -> cloudwatch.Alarm | None:
        if limit is None:
            return None
        _check_span(limit, self.scheduler)
        alarm = cloudwatch.Alarm(
            self,
            id_,
            metric=metric(),
            threshold=THRESHOLD,
            evaluation_periods=limit.window,
            datapoints_to_alarm=limit.count,
            comparison_operator=comparison,
            treat_missing_data=missing,
            alarm_description=f"{self.scheduler.inference_scheduler_name}: {meaning}",
        )
        actions = (*self._actions, *limit.actions)
        _act(alarm, actions, when_missing=missing is cloudwatch.TreatMissingData.MISSING)
        if self._notify_when_over and actions:
            alarm.add_ok_action(*actions)
        return alarm


def _act(alarm: cloudwatch.Alarm, actions: Sequence[cloudwatch.IAlarmAction], *, when_missing: bool) -> None:
    """Take actions when an alarm is raised and, on request, when its data is missing."""
    if actions:
        alarm.add_alarm_action(*actions)
    if actions and when_missing:
        alarm.add_insufficient_data_action(*actions)


def _check_span(limit: Executions, scheduler: IInferenceScheduler) -> None:
    """Refuse what CloudWatch cannot look back to: a day, or a week if the period is an hour or more."""
    period = scheduler.data_upload_frequency.seconds
    most = (7 if period >= 3600 else 1) * 86_400 // period
    if limit.window > most:
        raise ValueError(
            f'"{limit.window}" executions every {scheduler.data_upload_frequency} are more than an alarm can '
            f"look back: use at most {most}"
        )
