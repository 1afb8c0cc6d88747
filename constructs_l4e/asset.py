"""One monitored asset: everything from its dataset to its alarms, and a dashboard on request."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_l4e import _props
from constructs_l4e._asset_props import (
    AssetProps,
    imports_dataset,
    imports_model,
    require_model,
    require_parts_of,
)
from constructs_l4e._environments import require_same_service
from constructs_l4e._memory import placed
from constructs_l4e._parts import Part
from constructs_l4e.alarms import AlarmThresholds, SchedulerAlarms
from constructs_l4e.asset_base import MonitoredAssetBase
from constructs_l4e.dashboard import AssetDashboard, AssetDashboardProps
from constructs_l4e.dataset import Dataset, DatasetProps
from constructs_l4e.frequencies import DataUploadFrequency, TargetSamplingRate
from constructs_l4e.imported_dataset import ImportedDataset, ImportedDatasetProps
from constructs_l4e.imported_model import ImportedModel, ImportedModelProps
from constructs_l4e.ingestion import DataIngestion, KeyPattern
from constructs_l4e.input_naming import InputNaming
from constructs_l4e.interfaces import (
    IDataset,
    IEquipmentService,
    IInferenceScheduler,
    ILabelGroup,
    IModel,
    IRetrainingScheduler,
)
from constructs_l4e.label_group import LabelGroup, LabelGroupProps
from constructs_l4e.model import Model, ModelProps
from constructs_l4e.off_condition import OffCondition
from constructs_l4e.retraining_scheduler import RetrainingScheduler, RetrainingSchedulerProps
from constructs_l4e.role import ServiceRole
from constructs_l4e.scheduler import InferenceScheduler, InferenceSchedulerOptions
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.settings import Adaptation
from constructs_l4e.storage import AssetLocations, S3Location
from constructs_l4e.time_range import TimeRange


class MonitoredAsset(MonitoredAssetBase):
    """Role, dataset, ingestion, model, inference scheduler and alarms of one asset.

    The history, and the labels if `labelled`, must be in `locations` before the asset is deployed. Each part
    is an attribute: `role`, `dataset`, `ingestion`, `label_group`, `model`, `scheduler`, `retraining`,
    `alarms`, `dashboard`; None where there is none.

    `dataset`, `model`, `scheduler`, `label_group` and `retraining` take a part that exists already, or more
    props of the one to make, such as `model={"schema": pump_only}`. These override what the asset says of
    several parts, such as `encryption_key`.

    The names of dataset, label group, model and scheduler begin with `name_prefix`, so one way into the
    service holds them all: `service.endpoint_url_for("read", name=asset.name_prefix)`, which `grant_read`
    allows. A part that exists already has a name and grants of its own.

    Args:
        scope: parent of the construct.
        id: construct id.
        service: the service that monitors the asset.
        locations: where the data of the asset lies, usually `storage.for_asset("Pump1")`.
        schema: components and sensors. Default: ingestion detects them, by the `key_pattern` that it then
            needs.
        key_pattern: where the name of the component stands in the key of a file. Default: one folder per
            component.
        revision: any text; change it to ingest the history again. Default: none.
        training: period to learn from. Default: all data.
        evaluation: period to evaluate the model on, after `training`. Default: none.
        labelled: whether `locations.labels` holds known faults. Default: False.
        label_group: existing label group to train with, or props of one to make, such as
            `{"labels": Label.from_csv("labels.csv")}`; alone or besides `labelled`. Default: none.
        diagnostics: whether training writes its point-by-point results to `locations.diagnostics`. Default:
            False.
        target_sampling_rate: step to resample the data to, see `Model`. Default: the rate of the data.
        off_condition: when the machine is off, as `OffCondition` or as text. Default: never.
        adaptation: what becomes of faults that grow over days and weeks, see `Model`; changes without
            training. Default: the setting of the service.
        wait: whether the deployment waits for ingestion and training, see `DataIngestion` and `Model`. Even
            with False a new model waits for the data and a new scheduler for the model, at most 45 minutes
            each; only a deployment that ingests again without training does not wait. Default: True.
        data_upload_frequency: how often files arrive and inference runs. Default: the shortest that the step
            of the model allows.
        data_delay_offset: how long inference waits for late files, 0 to 60 whole minutes. Default: 0.
        input_naming: names of the input files. Default: any that the service knows.
        running: whether the scheduler runs. Default: True.
        alarm_thresholds: when each alarm is raised. Default: see `AlarmThresholds`.
        alarm_actions: what happens when an alarm is raised. Default: nothing.
        notify_when_over: whether `alarm_actions` are also taken when an alarm is over. Default: False.
        dataset_name: name of the new dataset, see `Dataset`. Default: a generated one.
        model_name: name of the new model, see `Model`. Default: a generated one.
        inference_scheduler_name: name of the scheduler, see `InferenceScheduler`. Default: a generated one.
        encryption_key: key of dataset, model and scheduler. Default: the service's own.
        tags: tags of dataset, label group, model and scheduler, besides those of `cdk.Tags.of(...)`. Default:
            none.
        removal_policy: what happens to dataset, label group and model when the stack is deleted; the
            scheduler goes. Default: they stay, see `Dataset`, `LabelGroup` and `Model`.
        role: existing role for all data access. Default: a new one.
        dataset: existing dataset, nothing is ingested then; or more props of the new one, which is a copy if
            `source_dataset_arn` is among them: see `ImportedDataset`. Default: a new one.
        model: existing model, nothing is ingested or trained then; or more props of the new one, which is a
            copy if `source_model_version_arn` is among them: see `ImportedModel`. Default: a new one.
        scheduler: existing scheduler, only alarms are made then; or more props of the new one. Default: a new
            one.
        retraining: existing retraining scheduler of the model, or props of one to make, such as
            `{"retraining_frequency": "P3M"}`; it trains the model anew at fixed dates. Default: none, the
            model stays as it is.
        dashboard: whether there is an `AssetDashboard`, which CloudWatch bills; or props of it, such as
            `{"title": "Feed pump"}`. Its title is `name_prefix` by default. Default: False.

    Raises:
        ValueError: when a prop is given twice, or has no effect because a part exists already, when that is
            of another service, or when one of the parts raises it.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        locations: AssetLocations,
        schema: DatasetSchema | None = None,
        key_pattern: KeyPattern | None = None,
        revision: str | None = None,
        training: TimeRange | None = None,
        evaluation: TimeRange | None = None,
        labelled: bool = False,
        label_group: ILabelGroup | LabelGroupProps | None = None,
        diagnostics: bool = False,
        target_sampling_rate: TargetSamplingRate | str | cdk.Duration | None = None,
        off_condition: OffCondition | str | None = None,
        adaptation: Adaptation | str | None = None,
        wait: bool = True,
        data_upload_frequency: DataUploadFrequency | str | cdk.Duration | None = None,
        data_delay_offset: cdk.Duration | None = None,
        input_naming: InputNaming | None = None,
        running: bool = True,
        alarm_thresholds: AlarmThresholds | None = None,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] = (),
        notify_when_over: bool = False,
        dataset_name: str | None = None,
        model_name: str | None = None,
        inference_scheduler_name: str | None = None,
        encryption_key: kms.IKey | None = None,
        tags: Mapping[str, str] | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
        role: iam.IRole | None = None,
        dataset: IDataset | DatasetProps | ImportedDatasetProps | None = None,
        model: IModel | ModelProps | ImportedModelProps | None = None,
        scheduler: IInferenceScheduler | InferenceSchedulerOptions | None = None,
        retraining: IRetrainingScheduler | RetrainingSchedulerProps | None = None,
        dashboard: bool | AssetDashboardProps = False,
    ) -> None:
        super().__init__(scope, id)
        placed(self, scope, id)
        self._service = service
        of_all = {key: value for key, value in (("encryption_key", encryption_key), ("tags", tags)) if value}
        of_kept = {} if removal_policy is None else {"removal_policy": removal_policy}
        said = AssetProps(
            locations=locations,
            dataset=dataset,
            model=model,
            scheduler=scheduler,
            role=role,
            of_all=of_all,
            of_kept=of_kept,
            of_data={
                "schema": schema,
                "dataset_name": dataset_name,
                "key_pattern": key_pattern,
                "revision": revision,
            },
            of_model={
                "training": training,
                "evaluation": evaluation,
                "target_sampling_rate": target_sampling_rate,
                "off_condition": off_condition,
                "adaptation": adaptation,
                "model_name": model_name,
            },
            of_scheduler={
                "inference_scheduler_name": inference_scheduler_name,
                "data_upload_frequency": data_upload_frequency,
                "data_delay_offset": data_delay_offset,
                "input_naming": input_naming,
                "running": None if running else running,
            },
            labelled=labelled,
            label_group=label_group,
            diagnostics=diagnostics,
            wait=wait,
        )
        data, trained, live = said.data(), said.trained(), said.live()
        require_parts_of(service, data.existing, trained.existing, live.existing)
        found = trained.existing or self._model_of(live.existing)
        makes_data = found is None and data.existing is None
        said.require_effect(data, trained)
        history = locations.history if makes_data and not imports_dataset(data) else None
        self.role = role or self._own_role(history, trained.props, live.props)
        self.dataset = self._dataset(data) if makes_data else data.existing
        self.ingestion = self._ingested(history, key_pattern=key_pattern, revision=revision, wait=wait)
        self.label_group = None if found else self._labels(trained, {**of_all, **of_kept})
        self.model = found or self._trained(trained)
        self.scheduler = live.existing or self._scheduler(live.props)
        self.retraining = self._retrained(retraining)
        self.alarms = SchedulerAlarms(
            self,
            "Alarms",
            scheduler=self.scheduler,
            thresholds=alarm_thresholds,
            actions=alarm_actions,
            notify_when_over=notify_when_over,
        )
        self._severities = [self.alarms]
        self._results: S3Location | None = live.props.get("data_output")
        self.dashboard = None
        if dashboard is not False:
            own = {} if dashboard is True else dashboard
            self.dashboard = AssetDashboard(self, "Dashboard", **{**self._shown(), **own})

    def dashboard_rows(self, *, title: str | None = None) -> list[list[cloudwatch.IWidget]]:
        """Return rows of widgets for a dashboard that shows several assets: see `AssetDashboard.rows`.

        Args:
            title: what the asset is called there. Default: `name_prefix`, without the dash at its end.
        """
        shown = self._shown()
        return AssetDashboard.rows(**{**shown, "title": title or shown["title"]})

    def _shown(self) -> dict[str, Any]:
        return {
            "scheduler": self.scheduler,
            "alarms": self._severities,
            "retraining": self.retraining,
            "results": self._results,
            "title": self.name_prefix.rstrip("-"),
        }

    def _own_role(self, history: S3Location | None, *parts: Mapping[str, Any]) -> iam.IRole | None:
        """Return a role for what those parts read and write that have none of their own; None if nothing."""
        served = [props for props in parts if "role" not in props]

        def said(*names: str) -> list[Any]:
            return [props[name] for name in names for props in served if props.get(name) is not None]

        reads, writes = said("labels", "data_input"), said("data_output", "diagnostics")
        if history is not None:
            reads.insert(0, history)
        if not (reads or writes):
            return None
        return ServiceRole(
            self,
            "Role",
            service=self._service,
            reads=reads,
            writes=writes,
            output_keys=said("diagnostics_encryption_key", "output_encryption_key"),
        )

    def _model_of(self, scheduler: IInferenceScheduler | None) -> IModel | None:
        if scheduler is None:
            return None
        return Model.from_model_name(self, "Model", service=self._service, model_name=scheduler.model_name)

    def _dataset(self, data: Part[IDataset]) -> IDataset:
        kind = ImportedDataset if imports_dataset(data) else Dataset
        return kind(self, "Dataset", service=self._service, **data.props)

    def _ingested(
        self, history: S3Location | None, *, key_pattern: KeyPattern | None, revision: str | None, wait: bool
    ) -> DataIngestion | None:
        if history is None or self.dataset is None:
            return None
        return DataIngestion(
            self,
            "Ingestion",
            dataset=self.dataset,
            source=history,
            key_pattern=key_pattern,
            role=self.role,
            revision=revision,
            wait=wait,
        )

    def _labels(self, trained: Part[IModel], common: Mapping[str, Any]) -> ILabelGroup | None:
        given = trained.props.get("label_group")
        if not isinstance(given, Mapping):
            return given
        usual = {name: value for name, value in common.items() if name in LabelGroupProps.__annotations__}
        return LabelGroup(self, "LabelGroup", service=self._service, **{**usual, **given})

    def _trained(self, trained: Part[IModel]) -> IModel:
        props = trained.props
        needs_role = props.get("labels") is not None or props.get("diagnostics") is not None
        usual = {"dataset": self.dataset, "role": self.role if needs_role else None}
        given = {**usual, **props, "label_group": self.label_group}
        if not imports_model(trained):
            return Model(self, "Model", **given)
        del given["wait"]  # nothing is trained
        return ImportedModel(self, "Model", **given)

    def _scheduler(self, props: Mapping[str, Any]) -> IInferenceScheduler:
        shortest = DataUploadFrequency.shortest_for(self.model.target_sampling_rate)
        usual = {"data_upload_frequency": shortest, "role": self.role}
        return InferenceScheduler(self, "Scheduler", model=self.model, **{**usual, **props})

    def _retrained(
        self, given: IRetrainingScheduler | RetrainingSchedulerProps | None
    ) -> IRetrainingScheduler | None:
        if isinstance(given, Mapping):
            return RetrainingScheduler(self, "Retraining", model=self.model, **given)
        if given is not None:
            named = "the retraining scheduler"
            require_same_service(named, given.service, self._service)
            require_model(named, given.model_name, self.model.model_name)
        return given
