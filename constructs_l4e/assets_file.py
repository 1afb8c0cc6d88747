"""The file that declares what an app monitors, `assets.toml`. It is read strictly: nothing is ignored."""

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, TypeVar

import aws_cdk as cdk
from constructs import Construct
from jsii.errors import JavaScriptError

from constructs_l4e import _arns, _toml
from constructs_l4e._jobs import TRAINING_MIB
from constructs_l4e._retraining_frequency import retraining_frequency
from constructs_l4e._service_tables import ControlsDeclaration, NetworkDeclaration
from constructs_l4e.frequencies import DataUploadFrequency, TargetSamplingRate
from constructs_l4e.imported_dataset import ImportedDatasetProps
from constructs_l4e.imported_model import ImportedModelProps, InferenceDataImportStrategy
from constructs_l4e.input_naming import InputNaming, TimestampFormat
from constructs_l4e.label import Label
from constructs_l4e.label_group import LabelGroupProps
from constructs_l4e.off_condition import OffCondition
from constructs_l4e.retraining_scheduler import LookbackWindow, PromoteMode, RetrainingSchedulerProps
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.service import METRIC_NAMESPACE, PARALLEL_READS
from constructs_l4e.settings import Adaptation, ServiceSettings
from constructs_l4e.time_range import TimeRange

_Value = TypeVar("_Value")
_STACK_NAME = r"[A-Za-z][A-Za-z0-9-]{0,127}"
_DAY_MINUTES = 24 * 60
_RETAIN = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
_COUNTS = [field.name for field in fields(ServiceSettings) if field.type == float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDeclaration:
    """Table `[service]`; the members are props of `EquipmentService`, besides the name of its stack."""

    stack_name: str
    metric_namespace: str
    settings: ServiceSettings
    training_memory: cdk.Size | None
    parallel_reads: int
    removal_policy: cdk.RemovalPolicy
    deletion_protection: bool
    network: NetworkDeclaration
    controls: ControlsDeclaration

    def props(self, scope: Construct) -> dict[str, Any]:
        """Return the props for `EquipmentService`, with what they refer to imported into `scope`."""
        apart = {"stack_name", "network", "controls"}
        plain = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in apart}
        return {**plain, **self.network.props(scope), "controls": self.controls.imported(scope)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDeclaration:
    """Table `[assets.<name>]`; the members are props of `MonitoredAsset`, None where left out."""

    name: str
    dataset: ImportedDatasetProps | None
    model: ImportedModelProps | None
    schema: DatasetSchema | None
    training: TimeRange | None
    evaluation: TimeRange | None
    labelled: bool
    label_group: LabelGroupProps | None
    diagnostics: bool
    target_sampling_rate: TargetSamplingRate | None
    off_condition: OffCondition | None
    adaptation: Adaptation | None
    data_upload_frequency: DataUploadFrequency | None
    data_delay_offset: cdk.Duration | None
    input_naming: InputNaming | None
    revision: str | None
    running: bool
    retraining: RetrainingSchedulerProps | None
    dashboard: bool
    removal_policy: cdk.RemovalPolicy

    def monitoring(self) -> dict[str, Any]:
        """Return the props for `MonitoredAsset`."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsFile:
    """What an app deploys: the service and the assets."""

    service: ServiceDeclaration
    assets: tuple[AssetDeclaration, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a file.

        Raises:
            ValueError: when the file is missing, is not TOML, or holds an unknown key or a wrong value. The
                message names file, table, key and value, and what to write instead.
        """
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise ValueError(f"'{path}' does not exist: give the file that declares the assets") from None
        except OSError as error:
            raise ValueError(
                f"'{path}' cannot be read ({error.strerror}): give the file that declares the assets"
            ) from None
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise ValueError(
                f"'{path}' is not UTF-8 text: byte {error.object[error.start]:02X} in line {line}; save it "
                "in UTF-8"
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"'{path}' is not a TOML file: {error}") from None
        top = _toml.Table(path.name, content)
        service = _service(path.name, top.take("service", _toml.mapping, default={}))
        assets = top.take("assets", _toml.mapping, default={})
        top.finish()
        for name in assets:
            if not re.fullmatch(_STACK_NAME, name):
                raise ValueError(
                    f"{path.name}: asset '{name}' cannot name a stack: use letters, digits and '-',"
                    " beginning with a letter"
                )
        bodies = _toml.Table(f"{path.name} [assets]", assets)
        declared = tuple(
            _asset(
                name,
                _toml.Table(f"{path.name} [assets.{name}]", bodies.take(name, _toml.mapping)),
                folder=path.parent,
                kept=service.removal_policy,
            )
            for name in assets
        )
        if service.stack_name in assets:
            raise ValueError(
                f"{path.name}: asset '{service.stack_name}' has the name of the service's stack: rename one"
            )
        return cls(service=service, assets=declared)


@contextmanager
def declared_in(place: str) -> Iterator[None]:
    """Name the file or the table in what a construct, of this library or of the CDK, refuses.

    Args:
        place: what the message begins with.

    Raises:
        ValueError: when something is refused in the block. Faults of other kinds stay as they are.
    """
    try:
        yield
    except ValueError as wrong:
        raise ValueError(f"{place}: {wrong}") from wrong
    except RuntimeError as wrong:
        if not isinstance(wrong.__cause__, JavaScriptError):
            raise
        raise ValueError(f"{place}: {wrong}") from wrong


def _service(file: str, body: Mapping[str, Any]) -> ServiceDeclaration:
    table = _toml.Table(f"{file} [service]", body)
    limits = _toml.Table(f"{file} [service.limits]", table.take("limits", _toml.mapping, default={}))
    counts = {
        name: limits.take(name, _toml.percentage if name.endswith("_percent") else _toml.limit)
        for name in _COUNTS
    }
    days = limits.take("minimum_training_days", _toml.number)
    hours = limits.take("inference_catch_up_hours", _toml.whole(1))
    limits.finish()
    alarms = table.take("false_alarm_minutes_per_day", _toml.whole(1, _DAY_MINUTES - 1))
    adaptation = table.take("adaptation", _toml.one_of(Adaptation))
    memory = table.take("training_memory_mib", _toml.whole(TRAINING_MIB[0], TRAINING_MIB[-1]))
    declared = ServiceDeclaration(
        stack_name=table.take(
            "stack_name",
            _toml.matching(_STACK_NAME, '"L4eService": letters, digits and "-", beginning with a letter'),
            default="L4eService",
        ),
        metric_namespace=table.take("metric_namespace", _toml.text, default=METRIC_NAMESPACE),
        settings=ServiceSettings(
            **counts,
            minimum_training_span=None if days is None else cdk.Duration.days(days),
            inference_catch_up=None if hours is None else cdk.Duration.hours(hours),
            false_alarm_time=None if alarms is None else cdk.Duration.minutes(alarms),
            partial_inference=table.take("partial_inference", _toml.flag),
            adaptation=adaptation,
        ),
        training_memory=None if memory is None else cdk.Size.mebibytes(memory),
        parallel_reads=table.take("parallel_reads", _toml.whole(1), default=PARALLEL_READS),
        removal_policy=table.take("removal_policy", _removal, default=_RETAIN),
        deletion_protection=table.take("deletion_protection", _toml.flag, default=False),
        network=NetworkDeclaration.read(table.table("network")),
        controls=ControlsDeclaration.read(table.table("controls")),
    )
    table.finish()
    return declared


def _asset(name: str, table: _toml.Table, *, folder: Path, kept: cdk.RemovalPolicy) -> AssetDeclaration:
    delay = table.take("data_delay_offset_minutes", _toml.whole(0, 60))
    dataset, model = _imports(table.table_if_given("imported"))
    _require_effect(table, dataset, model)
    declared = AssetDeclaration(
        name=name,
        dataset=dataset,
        model=model,
        schema=_needed(
            table,
            "sensors",
            lambda value: DatasetSchema.from_sensors(_sensors(value)),
            example=f"[assets.{name}.sensors] pump = ['Speed', 'Flow']",
            unless=dataset,
        ),
        training=_needed(
            table,
            "training",
            _period,
            example="training = { start = 2026-01-01T00:00:00Z, end = 2026-03-01T00:00:00Z }",
            unless=model,
        ),
        evaluation=table.take("evaluation", _period),
        labelled=table.take("labelled", _toml.flag, default=False),
        label_group=table.take("label_group", lambda value: _label_group(folder / _toml.text(value))),
        diagnostics=table.take("diagnostics", _toml.flag, default=False),
        target_sampling_rate=table.take("target_sampling_rate", _toml.one_of(TargetSamplingRate)),
        off_condition=table.take("off_condition", lambda value: OffCondition.parse(_toml.text(value))),
        adaptation=table.take("adaptation", _toml.one_of(Adaptation)),
        data_upload_frequency=table.take("data_upload_frequency", _toml.one_of(DataUploadFrequency)),
        data_delay_offset=None if delay is None else cdk.Duration.minutes(delay),
        input_naming=_input_naming(table.table("input_naming")),
        revision=table.take("revision", _toml.text),
        running=table.take("running", _toml.flag, default=True),
        retraining=_retraining(table.table_if_given("retraining")),
        dashboard=table.take("dashboard", _toml.flag, default=False),
        removal_policy=table.take("removal_policy", _removal, default=kept),
    )
    table.finish()
    return declared


def _needed(
    table: _toml.Table, key: str, parse: Callable[[Any], _Value], *, example: str, unless: object
) -> _Value | None:
    """Return the value of a key that must be there, unless what it says of is imported."""
    if unless is None:
        return table.require(key, parse, example=example)
    found: _Value | None = table.take(key, parse)
    return found


def _imports(table: _toml.Table | None) -> tuple[ImportedDatasetProps | None, ImportedModelProps | None]:
    """Return what the dataset and the model of an asset are copies of, None where they are not."""
    if table is None:
        return None, None
    dataset = table.take("dataset", _source("DatasetArn", "ARN of a dataset"))
    revision = table.take("revision", _toml.text)
    version = table.take("model_version", _source("ModelVersionArn", "ARN of a model version"))
    strategy = table.take("inference_data", _toml.one_of(InferenceDataImportStrategy))
    table.finish()
    if dataset is None and version is None:
        table.refuse("give the ARN of a dataset, as dataset, of a model version, as model_version, or both")
    if strategy is not None and version is None:
        table.refuse("inference_data has no effect without a model_version: leave it out")
    if revision is not None and dataset is None:
        table.refuse("revision has no effect without a dataset: leave it out")
    data: ImportedDatasetProps | None = (
        None if dataset is None else {"source_dataset_arn": dataset, "revision": revision}
    )
    if version is None:
        return data, None
    model: ImportedModelProps = {"source_model_version_arn": version}
    return data, model if strategy is None else {**model, "inference_data": strategy}


def _source(shape: str, what: str) -> Callable[[object], str]:
    return lambda value: _arns.source(_toml.text(value), shape=shape, what=what)


def _require_effect(table: _toml.Table, dataset: object, model: object) -> None:
    """Require that keys which have no effect on what is imported are left out."""
    if dataset is not None and "revision" in table:
        table.refuse("revision has no effect on a dataset that is imported: write imported.revision")
    for key in ("training", "evaluation", "off_condition", "diagnostics"):
        if model is not None and key in table:
            table.refuse(f"{key} has no effect on a model that is imported: leave one of them out")


def _label_group(file: Path) -> LabelGroupProps:
    """Return the label group with the labels of a file."""
    if not file.is_file():
        problem = "is no file" if file.exists() else "does not exist"
        raise ValueError(f"'{file}' {problem}: give a CSV file with start, end and perhaps rating, from here")
    return {"labels": Label.from_csv(file)}


def _input_naming(table: _toml.Table) -> InputNaming | None:
    """Return the names of the input files, None where nothing is said of them."""
    declared = InputNaming(
        timestamp_format=table.take("timestamp_format", _toml.one_of(TimestampFormat)),
        delimiter=table.take("delimiter", lambda value: InputNaming(delimiter=_toml.string(value)).delimiter),
        time_zone_offset=table.take(
            "time_zone_offset", lambda value: InputNaming(time_zone_offset=_toml.text(value)).time_zone_offset
        ),
    )
    table.finish()
    return None if declared == InputNaming() else declared


def _retraining(table: _toml.Table | None) -> RetrainingSchedulerProps | None:
    """Return when and how the model is trained anew, None where it is not."""
    if table is None:
        return None
    props: RetrainingSchedulerProps = {
        "retraining_frequency": table.require(
            "frequency", lambda value: retraining_frequency(_toml.text(value)), example='frequency = "P3M"'
        ),
        "lookback_window": table.take("lookback", _toml.one_of(LookbackWindow), default=LookbackWindow.P360D),
        "start_date": table.take("start", _date),
        "promote_mode": table.take("promote", _toml.one_of(PromoteMode), default=PromoteMode.MANAGED),
        "running": table.take("running", _toml.flag, default=True),
    }
    table.finish()
    return props


def _date(value: object) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    return _toml.refuse(value, "a date, such as 2027-01-01 (no quotes)")


def _removal(value: object) -> cdk.RemovalPolicy:
    match value:
        case "retain":
            return _RETAIN
        case "destroy":
            return cdk.RemovalPolicy.DESTROY
    return _toml.refuse(value, '"retain" or "destroy"')


def _period(value: object) -> TimeRange:
    period = _toml.mapping(value)
    if period.keys() != {"start", "end"}:
        _toml.refuse(value, "a range such as { start = 2026-01-01T00:00:00Z, end = 2026-03-01T00:00:00Z }")
    return TimeRange(start=_instant(period["start"]), end=_instant(period["end"]))


def _instant(value: object) -> dt.datetime:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value
    return _toml.refuse(value, "a time with zone, such as 2026-01-01T00:00:00Z (no quotes)")


def _sensors(value: object) -> dict[str, list[str]]:
    components = _toml.mapping(value)
    for component, sensors in components.items():
        if not isinstance(sensors, list) or not all(isinstance(sensor, str) for sensor in sensors):
            _toml.refuse(
                sensors, f'a list of sensor names for component "{component}", such as ["Speed", "Flow"]'
            )
    return dict(components)
