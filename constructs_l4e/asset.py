"""One monitored asset: everything from its dataset to its alarms."""

from collections.abc import Mapping, Sequence
from typing import Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct, IValidation

from constructs_l4e import _props
from constructs_l4e._environments import require_same_service
from constructs_l4e._memory import placed
from constructs_l4e.alarms import AlarmThresholds, SchedulerAlarms
from constructs_l4e.dataset import Dataset
from constructs_l4e.frequencies import DataUploadFrequency, TargetSamplingRate
from constructs_l4e.ingestion import DataIngestion, KeyPattern
from constructs_l4e.input_naming import InputNaming
from constructs_l4e.interfaces import IDataset, IEquipmentService, IModel
from constructs_l4e.metrics import MetricOptions
from constructs_l4e.model import Model
from constructs_l4e.off_condition import OffCondition
from constructs_l4e.role import ServiceRole
from constructs_l4e.scheduler import InferenceScheduler
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.settings import Adaptation
from constructs_l4e.storage import AssetLocations
from constructs_l4e.time_range import TimeRange


class MonitoredAsset(Construct):
    """Role, dataset, ingestion, model, inference scheduler and alarms of one asset.

    The history, and the labels if `labelled`, must be in `locations` before the asset is deployed. Each part
    is an attribute: `role`, `dataset`, `ingestion`, `model`, `scheduler`, `alarms`.

    The names of dataset, model and scheduler begin with `name_prefix`, so one way into the service holds them
    all: `service.endpoint_url_for("read", name=asset.name_prefix)`, which `grant_read` allows. A dataset or
    model that exists already has a name and grants of its own.

    Args:
        scope: parent of the construct.
        id: construct id.
        service: the service that monitors the asset.
        locations: where the data of the asset lies, usually `storage.for_asset("Pump1")`.
        schema: components and sensors. Default: ingestion detects them, by the `key_pattern` that it then
            needs.
        key_pattern: where the name of the component stands in the key of a file. Default: one folder per
            component.
        revision: any text; change it to ingest the history again.
        training: period to learn from. Default: all data.
        evaluation: period to evaluate the model on, after `training`. Default: none.
        labelled: whether `locations.labels` holds known faults. Default: False.
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
        role: existing role for all data access. Default: a new one.
        dataset: existing dataset; nothing is ingested then. Default: a new one.
        model: existing model; nothing is ingested or trained then. Default: a new one.

    Raises:
        ValueError: when a prop has no effect because `dataset` or `model` exists already, when that is of
            another service, or when one of the parts raises it.
    """

    role: iam.IRole
    dataset: IDataset | None
    ingestion: DataIngestion | None
    model: IModel
    scheduler: InferenceScheduler
    alarms: SchedulerAlarms

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
        role: iam.IRole | None = None,
        dataset: IDataset | None = None,
        model: IModel | None = None,
    ) -> None:
        super().__init__(scope, id)
        placed(self, scope)
        self._service = service
        self._granted = False
        of_ingestion = {
            "schema": schema,
            "key_pattern": key_pattern,
            "revision": revision,
            "dataset_name": dataset_name,
        }
        of_model = {
            "dataset": dataset,
            "training": training,
            "evaluation": evaluation,
            "labelled": labelled or None,
            "diagnostics": diagnostics or None,
            "target_sampling_rate": target_sampling_rate,
            "off_condition": off_condition,
            "adaptation": adaptation,
            "model_name": model_name,
            "wait": None if wait else wait,
        }
        if dataset is not None:
            _refuse_unused("dataset", of_ingestion)
        if model is not None:
            _refuse_unused("model", {**of_ingestion, **of_model})

        if dataset is not None:
            require_same_service(f'dataset "{dataset.dataset_name}"', dataset.service, service)
        if model is not None:
            require_same_service(f'model "{model.model_name}"', model.service, service)
        labels = locations.labels if labelled else None
        results = locations.diagnostics if diagnostics else None
        self.role = role or ServiceRole(
            self,
            "Role",
            service=service,
            reads=[
                *([] if dataset or model else [locations.history]),
                *([labels] if labels else []),
                locations.inference_input,
            ],
            writes=[locations.inference_output, *([results] if results else [])],
        )
        self.dataset = dataset
        self.ingestion = None
        if model is None:
            if self.dataset is None:
                self.dataset = Dataset(
                    self,
                    "Dataset",
                    service=service,
                    schema=schema,
                    dataset_name=dataset_name,
                    encryption_key=encryption_key,
                )
                self.ingestion = DataIngestion(
                    self,
                    "Ingestion",
                    dataset=self.dataset,
                    source=locations.history,
                    key_pattern=key_pattern,
                    role=self.role,
                    revision=revision,
                    wait=wait,
                )
            model = Model(
                self,
                "Model",
                dataset=self.dataset,
                model_name=model_name,
                training=training,
                evaluation=evaluation,
                labels=labels,
                target_sampling_rate=target_sampling_rate,
                off_condition=off_condition,
                adaptation=adaptation,
                diagnostics=results,
                role=self.role if labels or results else None,
                encryption_key=encryption_key,
                wait=wait,
            )
        self.model = model
        self.scheduler = InferenceScheduler(
            self,
            "Scheduler",
            model=model,
            inference_scheduler_name=inference_scheduler_name,
            data_upload_frequency=data_upload_frequency
            or DataUploadFrequency.shortest_for(model.target_sampling_rate),
            data_input=locations.inference_input,
            data_output=locations.inference_output,
            data_delay_offset=data_delay_offset,
            input_naming=input_naming,
            role=self.role,
            encryption_key=encryption_key,
            running=running,
        )
        self.alarms = SchedulerAlarms(
            self,
            "Alarms",
            scheduler=self.scheduler,
            thresholds=alarm_thresholds,
            actions=alarm_actions,
            notify_when_over=notify_when_over,
        )

    @property
    def name_prefix(self) -> str:
        """What the names of the parts that the asset made begin with."""
        # A unique name ends in a hash of eight characters.
        return cdk.Names.unique_resource_name(
            self, max_length=1000, separator="-", allowed_special_characters="_-"
        )[:-8]

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

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return a metric of the scheduler: see `InferenceScheduler`, which has one method for each."""
        return self.scheduler.metric(metric_name, **options)

    def metric_inference_succeeded(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that wrote a result."""
        return self.scheduler.metric_inference_succeeded(**options)

    def metric_inference_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that failed."""
        return self.scheduler.metric_inference_failed(**options)

    def metric_anomaly_detected(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that found an anomaly or a level that moved."""
        return self.scheduler.metric_anomaly_detected(**options)

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
    """Return the names of all datasets, models and schedulers that are made below `scope`."""
    made = scope.node.find_all()
    return [
        *(each.dataset_name for each in made if isinstance(each, Dataset)),
        *(each.model_name for each in made if isinstance(each, Model)),
        *(each.inference_scheduler_name for each in made if isinstance(each, InferenceScheduler)),
    ]


def _refuse_unused(given: str, others: Mapping[str, object]) -> None:
    unused = [name for name, value in others.items() if value is not None]
    if unused:
        raise ValueError(
            f'"{unused[0]}" has no effect on a "{given}" that exists already: leave one of them out'
        )
