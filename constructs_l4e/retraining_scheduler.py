"""A retraining scheduler: it trains the next version of a model at fixed dates."""

import datetime as dt
import enum
from typing import Required, TypedDict, Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_l4e import _arns, _custom_resource, _props, _validate
from constructs_l4e._quotas import count_retraining_scheduler
from constructs_l4e._retraining_frequency import retraining_frequency as _frequency
from constructs_l4e.interfaces import IEquipmentService, IModel, IRetrainingScheduler
from constructs_l4e.metrics import MetricOptions
from constructs_l4e.service_resource import ServiceResourceBase


class LookbackWindow(enum.StrEnum):
    """How much of the latest data a retraining uses.

    Members are the ISO 8601 durations that the API takes.
    """

    P180D = "P180D"
    P360D = "P360D"
    P540D = "P540D"
    P720D = "P720D"


class PromoteMode(enum.StrEnum):
    """Who decides whether a new version becomes the active one."""

    MANAGED = "MANAGED"
    """The service, by comparison with the version in use."""
    MANUAL = "MANUAL"
    """Somebody, by UpdateActiveModelVersion."""


class RetrainingSchedulerProps(TypedDict, total=False):
    """Props of `RetrainingScheduler` besides the model."""

    retraining_frequency: Required[str | cdk.Duration]
    lookback_window: LookbackWindow | str
    start_date: dt.date | None
    promote_mode: PromoteMode | str
    running: bool
    removal_policy: cdk.RemovalPolicy


class RetrainingSchedulerBase(ServiceResourceBase):
    """Base of retraining schedulers made here and of imported ones.

    Args:
        scope: parent of the construct.
        id: construct id.
        home: account and Region of the scheduler. Default: those of the stack.
    """

    _member = "ModelName"
    model_name: str
    running: bool
    _model_arn: str

    @property
    def _named(self) -> tuple[str, str]:
        return self.model_name, self._model_arn

    def grant_start_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to start and stop the scheduler: at a deployed service, `grant_operate`."""
        return self.grant(grantee, "StartRetrainingScheduler", "StopRetrainingScheduler")

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return a metric of the model's retrainings; by default its sum over each day."""
        return self._metric(
            metric_name,
            period=cdk.Duration.days(1),
            dimensions={"ModelName": self.model_name},
            options=options,
        )

    def metric_retraining_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of retrainings that failed. Only a deployed service publishes it."""
        return self.metric("RetrainingFailed", **options)

    def metric_version_promoted(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of new versions that became active. Only a deployed service publishes it."""
        return self.metric("VersionPromoted", **options)

    def metric_version_not_promoted(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of new versions that did not become active by themselves.

        They were no better, or wait for somebody (`PromoteMode.MANUAL`). Only a deployed service publishes
        it.
        """
        return self.metric("VersionNotPromoted", **options)


class _ImportedRetrainingScheduler(RetrainingSchedulerBase):
    @_props.checked
    def __init__(
        self, scope: Construct, id: str, *, service: IEquipmentService, model_name: str, running: bool
    ) -> None:
        super().__init__(scope, id, home=service.env)
        self.service = service
        self.model_name = _validate.name(model_name, shape="ModelName", what="model name")
        self._model_arn = _arns.service_arn(self, "model", model_name, home=self.env)
        self.running = running


class RetrainingScheduler(RetrainingSchedulerBase):
    """A scheduler that trains the next version of `model` at fixed dates, on its latest data.

    A model has one. Another model makes a new scheduler; anything else changes in place. Versions that it
    made stay when it is deleted, and so does what inference has kept for the next ones.

    Args:
        scope: parent of the construct.
        id: construct id.
        model: the model to retrain.
        retraining_frequency: time from one retraining to the next, 30 days to one year, as text such as `P2M`
            or `P150D`, or as `cdk.Duration` of whole days. Months are calendar months.
        lookback_window: how much of the latest data is used, as `LookbackWindow` or text. Default: P360D.
        start_date: the first date, at midnight UTC; of a time, its day in UTC. Default: the day after the
            deployment that creates the scheduler.
        promote_mode: who decides whether a new version becomes the active one, as `PromoteMode` or text.
            Default: MANAGED, the service does.
        running: whether the scheduler runs; False stops it, cancels a retraining that is under way, and keeps
            what inference scores for later. Default: True.
        removal_policy: what happens to the scheduler when the stack is deleted. With RETAIN it runs on.
            Default: DESTROY.

    Raises:
        ValueError: when a frequency, a window or a mode is not legal, or a time has no time zone.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: IModel,
        retraining_frequency: str | cdk.Duration,
        lookback_window: LookbackWindow | str = LookbackWindow.P360D,
        start_date: dt.date | None = None,
        promote_mode: PromoteMode | str = PromoteMode.MANAGED,
        running: bool = True,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
    ) -> None:
        super().__init__(scope, id)
        self.service = model.service
        self.model_name = model.model_name
        self._model_arn = model.model_arn
        self.running = running
        count_retraining_scheduler(self, model)
        _custom_resource.service_resource(
            self,
            service=self.service,
            kind="RetrainingScheduler",
            properties={
                "ModelName": model.model_name,
                "RetrainingStartDate": start_date and f"{_utc_day(start_date).isoformat()}T00:00:00Z",
                "RetrainingFrequency": _frequency(retraining_frequency),
                "LookbackWindow": _validate.choice(LookbackWindow, lookback_window, what="look-back").value,
                "PromoteMode": _validate.choice(PromoteMode, promote_mode, what="promote mode").value,
                "DesiredState": "RUNNING" if running else "STOPPED",
            },
            depends_on=[model.ready],
            removal_policy=removal_policy,
        )

    @classmethod
    def from_model_name(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        model_name: str,
        running: bool = True,
    ) -> IRetrainingScheduler:
        """Return the existing retraining scheduler of a model.

        Args:
            scope: parent of the construct.
            id: construct id.
            service: the service that has the model.
            model_name: name of the model, the dimension of the metrics.
            running: whether the scheduler runs. Default: True.

        Raises:
            ValueError: when the name is not legal.
        """
        return _ImportedRetrainingScheduler(
            scope, id, service=service, model_name=model_name, running=running
        )


def _utc_day(value: dt.date) -> dt.date:
    """Return a date; of a time, which Python counts among the dates, that in UTC."""
    if isinstance(value, dt.datetime):
        return _validate.instant(value, what="start date").date()
    return value
