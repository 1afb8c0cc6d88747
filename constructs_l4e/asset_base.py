"""What an asset offers of its parts: grants, metrics, rules for events, and further alarms."""

from typing import TypeVar, Unpack

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk.aws_events import Rule
from constructs import Construct

from constructs_l4e import _names
from constructs_l4e._own_names import only_own_prefix
from constructs_l4e.alarms import SchedulerAlarms, SchedulerAlarmsProps
from constructs_l4e.dashboard import AssetDashboard
from constructs_l4e.events import EventOptions
from constructs_l4e.ingestion import DataIngestion
from constructs_l4e.interfaces import (
    IDataset,
    IEquipmentService,
    IInferenceScheduler,
    ILabelGroup,
    IModel,
    IRetrainingScheduler,
)
from constructs_l4e.metrics import MetricOptions

_Part = TypeVar("_Part")


class MonitoredAssetBase(Construct):
    """Base of `MonitoredAsset`: its parts, and what it hands on to them."""

    role: iam.IRole | None
    dataset: IDataset | None
    ingestion: DataIngestion | None
    label_group: ILabelGroup | None
    model: IModel
    scheduler: IInferenceScheduler
    retraining: IRetrainingScheduler | None
    alarms: SchedulerAlarms
    dashboard: AssetDashboard | None
    _service: IEquipmentService
    _severities: list[SchedulerAlarms]
    """All alarms of the asset, which its dashboards show."""

    @property
    def name_prefix(self) -> str:
        """What the names of the parts that the asset made begin with."""
        return _names.beginning(self)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to describe and list the parts that the asset made, by one way in.

        Raises:
            ValueError: when a name does not begin with `name_prefix`, the construct path being too long, or
                the service is the AWS-managed one, where each part has grants.
        """
        return self._service.grant_read(grantee, name=only_own_prefix(self))

    def grant_operate(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to read, start, stop and update the parts that the asset made: see `grant_read`."""
        return self._service.grant_operate(grantee, name=only_own_prefix(self))

    def grant_full_access(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` every operation on the parts that the asset made: see `grant_read`."""
        return self._service.grant_full_access(grantee, name=only_own_prefix(self))

    def grant_start_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to start and stop the scheduler: see `InferenceScheduler`."""
        return self.scheduler.grant_start_stop(grantee)

    def grant_ingest(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to start ingestion jobs: see `Dataset`.

        Raises:
            ValueError: when the asset has no dataset, because its model or scheduler exists already.
        """
        return self._known("dataset", self.dataset).grant_ingest(grantee)

    def grant_label(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to create and delete labels: see `LabelGroup`.

        Raises:
            ValueError: when the asset has no label group.
        """
        return self._known("label group", self.label_group).grant_label(grantee)

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return a metric of the scheduler: see `InferenceScheduler`, which has one method for each."""
        return self.scheduler.metric(metric_name, **options)

    def metric_inference_succeeded(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that wrote a result."""
        return self.scheduler.metric_inference_succeeded(**options)

    def metric_inference_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that failed."""
        return self.scheduler.metric_inference_failed(**options)

    def metric_inference_invalid_input(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that could not use their input: bad data, role, bucket or key."""
        return self.scheduler.metric_inference_invalid_input(**options)

    def metric_inference_missed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of windows that were missed. Only a deployed service publishes it."""
        return self.scheduler.metric_inference_missed(**options)

    def metric_inference_warning(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of notices about input data. Only a deployed service publishes it."""
        return self.scheduler.metric_inference_warning(**options)

    def metric_fault_began(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of faults that began, nothing where none did."""
        return self.scheduler.metric_fault_began(**options)

    def metric_level_moved(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of levels that stopped counting as an anomaly, nothing where none did."""
        return self.scheduler.metric_level_moved(**options)

    def metric_anomaly_detected(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that found an anomaly or a level that moved."""
        return self.scheduler.metric_anomaly_detected(**options)

    def metric_retraining_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of retrainings that failed.

        Raises:
            ValueError: when the asset has no retraining scheduler.
        """
        return self._retraining_scheduler.metric_retraining_failed(**options)

    def metric_version_promoted(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of new versions of the model that became active.

        Raises:
            ValueError: when the asset has no retraining scheduler.
        """
        return self._retraining_scheduler.metric_version_promoted(**options)

    def metric_version_not_promoted(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of new versions of the model that did not become active by themselves.

        Raises:
            ValueError: when the asset has no retraining scheduler.
        """
        return self._retraining_scheduler.metric_version_not_promoted(**options)

    def on_anomaly_began(self, id: str, **options: Unpack[EventOptions]) -> Rule:
        """Return a rule for the event that a fault has begun: see `InferenceScheduler`.

        Rules are for deployed services only, in their account and Region.
        """
        return self.scheduler.on_anomaly_began(id, **options)

    def on_anomaly_ended(self, id: str, **options: Unpack[EventOptions]) -> Rule:
        """Return a rule for the event that a fault has ended: it was not seen for two and a half days."""
        return self.scheduler.on_anomaly_ended(id, **options)

    def on_level_moved(self, id: str, **options: Unpack[EventOptions]) -> Rule:
        """Return a rule for the event that the level of a sensor has stopped counting as an anomaly."""
        return self.scheduler.on_level_moved(id, **options)

    def on_execution_failed(self, id: str, **options: Unpack[EventOptions]) -> Rule:
        """Return a rule for the event that an execution has failed, or windows were missed."""
        return self.scheduler.on_execution_failed(id, **options)

    def on_model_state_change(self, id: str, **options: Unpack[EventOptions]) -> Rule:
        """Return a rule for the event that a training, retraining or import has ended: see `Model`."""
        return self.model.on_state_change(id, **options)

    def on_ingestion_state_change(self, id: str, **options: Unpack[EventOptions]) -> Rule:
        """Return a rule for the event that an ingestion has ended: see `Dataset`.

        Raises:
            ValueError: when the asset has no dataset, because its model or scheduler exists already.
        """
        return self._known("dataset", self.dataset).on_ingestion_state_change(id, **options)

    def add_alarms(self, id: str, **props: Unpack[SchedulerAlarmsProps]) -> SchedulerAlarms:
        """Add alarms of another severity; the props are those of `SchedulerAlarms` besides the scheduler.

        The dashboard of the asset shows them too, and so do `dashboard_rows`.
        """
        made = self.scheduler.add_alarms(id, **props)
        self._severities.append(made)
        if self.dashboard is not None:
            self.dashboard.add_alarms(made)
        return made

    @property
    def _retraining_scheduler(self) -> IRetrainingScheduler:
        return self._known("retraining scheduler", self.retraining)

    def _known(self, what: str, part: _Part | None) -> _Part:
        if part is None:
            raise ValueError(f'asset "{self.node.path}" has no {what}, which is what is asked for')
        return part
