"""One monitored asset: everything from its dataset to its alarms, and a dashboard on request."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct, IValidation

from constructs_l4e import _names, _props
from constructs_l4e._environments import require_same_service
from constructs_l4e._memory import placed
from constructs_l4e._parts import Part
from constructs_l4e.alarms import AlarmThresholds, SchedulerAlarms, SchedulerAlarmsProps
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
from constructs_l4e.metrics import MetricOptions
from constructs_l4e.model import Model, ModelProps
from constructs_l4e.off_condition import OffCondition
from constructs_l4e.retraining_scheduler import RetrainingScheduler, RetrainingSchedulerProps
from constructs_l4e.role import ServiceRole
from constructs_l4e.scheduler import InferenceScheduler, InferenceSchedulerOptions
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.settings import Adaptation
from constructs_l4e.storage import AssetLocations, S3Location
from constructs_l4e.time_range import TimeRange

_Part = TypeVar("_Part")


class MonitoredAsset(Construct):
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

    role: iam.IRole | None
    dataset: IDataset | None
    ingestion: DataIngestion | None
    label_group: ILabelGroup | None
    model: IModel
    scheduler: IInferenceScheduler
    retraining: IRetrainingScheduler | None
    alarms: SchedulerAlarms
    dashboard: AssetDashboard | None

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
        self._granted = False
        of_all = {key: value for key, value in (("encryption_key", encryption_key), ("tags", tags)) if value}
        kept = {} if removal_policy is None else {"removal_policy": removal_policy}
        of_data = {
            "schema": schema,
            "dataset_name": dataset_name,
            "key_pattern": key_pattern,
            "revision": revision,
        }
        of_model = {
            "training": training,
            "evaluation": evaluation,
            "target_sampling_rate": target_sampling_rate,
            "off_condition": off_condition,
            "adaptation": adaptation,
            "model_name": model_name,
        }
        of_scheduler = {
            "inference_scheduler_name": inference_scheduler_name,
            "data_upload_frequency": data_upload_frequency,
            "data_delay_offset": data_delay_offset,
            "input_naming": input_naming,
            "running": None if running else running,
        }
        of_training = {
            **of_data,
            **of_model,
            **kept,
            "dataset": dataset,
            "labelled": labelled or None,
            "label_group": label_group,
            "diagnostics": diagnostics or None,
            "wait": None if wait else wait,
        }
        data = Part[IDataset].of(
            "dataset",
            dataset,
            common={**of_all, **kept},
            own={"schema": schema, "dataset_name": dataset_name},
            unused=of_data,
        )
        trained = Part[IModel].of(
            "model",
            model,
            common={**of_all, **kept, "wait": wait},
            own={
                **of_model,
                "labels": locations.labels if labelled else None,
                "label_group": label_group,
                "diagnostics": locations.diagnostics if diagnostics else None,
            },
            unused=of_training,
        )
        live = Part[IInferenceScheduler].of(
            "scheduler",
            scheduler,
            common={
                **of_all,
                "data_input": locations.inference_input,
                "data_output": locations.inference_output,
            },
            own=of_scheduler,
            unused={
                **of_training,
                **of_scheduler,
                **of_all,
                "role": role,
                "model": model if isinstance(model, Mapping) else None,
            },
        )
        _require_parts_of(service, data.existing, trained.existing, live.existing)
        found = trained.existing or self._model_of(live.existing)
        makes = found is None and data.existing is None
        copies = "source_dataset_arn" in data.props
        if copies:
            _require_effect("dataset", key_pattern=key_pattern, revision=revision)
        if "source_model_version_arn" in trained.props:
            _require_effect(
                "model",
                training=training,
                evaluation=evaluation,
                off_condition=off_condition,
                diagnostics=diagnostics or None,
            )
        ingests = makes and not copies
        self.role = role or self._own_role([locations.history] if ingests else [], trained.props, live.props)
        self.dataset = data.existing
        self.ingestion = None
        if makes:
            kind = ImportedDataset if copies else Dataset
            made = self.dataset = kind(self, "Dataset", service=service, **data.props)
            if ingests:
                self.ingestion = DataIngestion(
                    self,
                    "Ingestion",
                    dataset=made,
                    source=locations.history,
                    key_pattern=key_pattern,
                    role=self.role,
                    revision=revision,
                    wait=wait,
                )
        self.label_group = None
        self.model = found or self._trained(trained.props, {**of_all, **kept})
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
        self._results: S3Location | None = live.props.get("data_output")
        self.dashboard = None
        if dashboard is not False:
            said = {} if dashboard is True else dashboard
            self.dashboard = AssetDashboard(self, "Dashboard", **{**self._shown(), **said})

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
        return self._service.grant_read(grantee, name=self._only_own_prefix())

    def grant_operate(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to read, start, stop and update the parts that the asset made: see `grant_read`."""
        return self._service.grant_operate(grantee, name=self._only_own_prefix())

    def grant_full_access(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` every operation on the parts that the asset made: see `grant_read`."""
        return self._service.grant_full_access(grantee, name=self._only_own_prefix())

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

    @property
    def _retraining_scheduler(self) -> IRetrainingScheduler:
        return self._known("retraining scheduler", self.retraining)

    def add_alarms(self, id: str, **props: Unpack[SchedulerAlarmsProps]) -> SchedulerAlarms:
        """Add alarms of another severity; the props are those of `SchedulerAlarms` besides the scheduler."""
        return self.scheduler.add_alarms(id, **props)

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
            "alarms": [self.alarms],
            "retraining": self.retraining,
            "results": self._results,
            "title": self.name_prefix.rstrip("-"),
        }

    def _own_role(self, history: Sequence[S3Location], *parts: Mapping[str, Any]) -> iam.IRole | None:
        """Return a role for what those parts read and write that have none of their own; None if nothing."""
        served = [props for props in parts if "role" not in props]

        def said(*names: str) -> list[Any]:
            return [props[name] for name in names for props in served if props.get(name) is not None]

        reads, writes = [*history, *said("labels", "data_input")], said("data_output", "diagnostics")
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

    def _trained(self, props: Mapping[str, Any], common: Mapping[str, Any]) -> IModel:
        self.label_group = self._labels(props.get("label_group"), common)
        needs_role = props.get("labels") is not None or props.get("diagnostics") is not None
        usual = {"dataset": self.dataset, "role": self.role if needs_role else None}
        given = {**usual, **props, "label_group": self.label_group}
        if "source_model_version_arn" not in props:
            return Model(self, "Model", **given)
        del given["wait"]  # nothing is trained
        return ImportedModel(self, "Model", **given)

    def _labels(
        self, given: ILabelGroup | LabelGroupProps | None, common: Mapping[str, Any]
    ) -> ILabelGroup | None:
        if not isinstance(given, Mapping):
            return given
        usual = {name: value for name, value in common.items() if name in LabelGroupProps.__annotations__}
        return LabelGroup(self, "LabelGroup", service=self._service, **{**usual, **given})

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
            _require_model(named, given.model_name, self.model.model_name)
        return given

    def _known(self, what: str, part: _Part | None) -> _Part:
        if part is None:
            raise ValueError(f'asset "{self.node.path}" has no {what}, which is what is asked for')
        return part

    def _only_own_prefix(self) -> str:
        for name in _names_below(self):
            if not name.startswith(self.name_prefix):
                raise ValueError(
                    f'the name "{name}" does not begin with "{self.name_prefix}", because the path of the '
                    "asset is too long for it: shorten the ids, or grant on the parts of the asset"
                )
        if not self._granted:
            self._granted = True
            self.node.add_validation(_OnlyOwnNames(self))
        return self.name_prefix


@jsii.implements(IValidation)
class _OnlyOwnNames:
    """Checks, once the app is complete, that the way in of an asset leads to nobody else."""

    def __init__(self, asset: MonitoredAsset) -> None:
        self._asset = asset

    def validate(self) -> list[str]:
        """Return what would be open too."""
        prefix = self._asset.name_prefix
        own = set(_names_below(self._asset))
        return [
            f'the names of asset "{self._asset.node.path}" begin with "{prefix}", and so does "{name}": '
            "whoever is granted access to the asset would reach that too; give one of them another id or name"
            for name in _names_below(self._asset.node.root)
            if name.startswith(prefix) and name not in own
        ]


def _names_below(scope: IConstruct) -> list[str]:
    """Return the names of all parts with a name that are made below `scope`."""
    made = scope.node.find_all()
    return [
        *(each.dataset_name for each in made if isinstance(each, Dataset | ImportedDataset)),
        *(each.label_group_name for each in made if isinstance(each, LabelGroup)),
        *(each.model_name for each in made if isinstance(each, Model | ImportedModel)),
        *(each.inference_scheduler_name for each in made if isinstance(each, InferenceScheduler)),
    ]


def _require_effect(part: str, **props: object) -> None:
    """Require that props which have no effect on a part that is imported are left out."""
    idle = [name for name, value in props.items() if value is not None]
    if idle:
        raise ValueError(f'"{idle[0]}" has no effect on a "{part}" that is imported: leave one of them out')


def _require_parts_of(
    service: IEquipmentService,
    dataset: IDataset | None,
    model: IModel | None,
    scheduler: IInferenceScheduler | None,
) -> None:
    """Require that parts that exist already are of the service, and belong together."""
    if dataset is not None:
        require_same_service(f'dataset "{dataset.dataset_name}"', dataset.service, service)
    if model is not None:
        require_same_service(f'model "{model.model_name}"', model.service, service)
    if scheduler is None:
        return
    named = f'inference scheduler "{scheduler.inference_scheduler_name}"'
    require_same_service(named, scheduler.service, service)
    if model is not None:
        _require_model(named, scheduler.model_name, model.model_name)


def _require_model(scheduler: str, theirs: str, model: str) -> None:
    """Require that a scheduler that exists already is of the model of the asset, as far as both are known."""
    if theirs != model and not (_props.is_token(theirs) or _props.is_token(model)):
        raise ValueError(f'{scheduler} is of model "{theirs}", not "{model}": leave one of them out')
