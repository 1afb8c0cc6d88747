"""Limits and choices of a deployed service."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

import aws_cdk as cdk

from constructs_l4e import _props, _validate

_ACCOUNT = re.compile(r"[0-9]{12}")
_DAY_HOURS = 24
ADAPTATION_TAG = "lookoutequipment:adaptation"
"""Tag of a model whose value is its adaptation; the service refuses it on anything else."""
ROWS, COLUMNS, COMPONENTS = 1_500_000, 300, 300
"""Default limits of rows per window, and of columns and components per model (L4E user guide, quotas)."""
TRAINING_DAYS = 14
"""Default of the shortest training window."""


class Adaptation(StrEnum):
    """What becomes of a fault that grows over days and weeks, or of a level that has moved."""

    AUTO = "auto"
    """It alarms until it ends, as far as training held its levels; where training drifted, it is followed."""
    HOLD = "hold"
    """Whatever training did not show alarms until it ends, also on a plant that drifted in training."""
    FOLLOW = "follow"
    """Whatever lasts is taken over as normal, after about 700 rows, or 12 hours of faster ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Limits and choices of a deployed service.

    Limits protect an account from runaway cost, and from jobs that do not fit into a function. Their names
    and defaults are the quotas of Amazon Lookout for Equipment (user guide, "Quotas"). Each is a whole number
    from 1, a percentage at most 100; `math.inf` lifts it.

    Args:
        datasets: datasets at the service. Default: 15.
        models: models at the service. Default: 15.
        label_groups: label groups at the service. Default: 15.
        labels_per_group: labels in a label group. Default: 5,000.
        pending_ingestion_jobs: ingestion jobs that run at once. Default: 5.
        pending_models: models in training at once. Default: 5.
        pending_dataset_imports: datasets that are imported at once. Default: 15.
        pending_model_imports: model versions that are imported at once. Default: 15.
        files_per_component: files of one component per ingestion job. Default: 1,000.
        wide_rows_percent: rows of a file, of a hundred, that may have values beyond the header. Above that,
            and above the three limits that follow, the file is not used. Default: 1.
        short_rows_percent: rows that may have fewer cells than the header. Default: 50.
        unusable_timestamps_percent: rows that may have no usable timestamp. Default: 50.
        duplicates_percent: rows that may repeat a timestamp of the same file. Default: 50.
        components_per_model: components of a model. Default: 300.
        columns_per_model: sensors of a model. Default: 300.
        training_rows: rows of a training window after resampling. More than one function can train needs
            `large_jobs` of `EquipmentService`. Default: 1,500,000.
        evaluation_rows: rows of an evaluation window after resampling. Default: 1,500,000.
        minimum_training_span: shortest training window; `Duration.days(0)` accepts any. Default: 14 days.
        inference_catch_up: how far back a scheduler makes up for windows that it missed, an hour at least.
            Default: 24 hours.
        inference_fill: how old the last value of a sensor may be before its silence fails an execution.
            Scores use it for as long as the sensor usually pauses; a sensor that usually pauses for longer
            than this, such as a daily sample, may be silent for as long as that. Default: 24 hours.
        false_alarm_time: time in false alarm per day that training aims at, more than 0 and less than 24
            hours. A longer one finds faults earlier. Default: nine minutes.
        partial_inference: whether inference goes on without the components and sensors that have no data.
            Default: False, such an execution fails.
        adaptation: what becomes of faults that grow over days and weeks, for models without an `adaptation`
            of their own. It takes effect with the next execution, without training. Default:
            `Adaptation.AUTO`.
        bucket_owners: accounts that own buckets with data or results, by name of the bucket. S3 refuses the
            service a bucket of any other account. Default: the account of the service owns them all.

    Raises:
        ValueError: when a limit is not a whole number from 1, or a percentage above 100, `false_alarm_time`
            or `inference_catch_up` is out of bounds, or an owner is no account or owns what is no bucket.

    Example:
        >>> ServiceSettings(models=40, minimum_training_span=cdk.Duration.days(30)).to_json()
        '{"minimum_training_days": 30, "models": 40}'
    """

    datasets: float | None = None
    models: float | None = None
    label_groups: float | None = None
    labels_per_group: float | None = None
    pending_ingestion_jobs: float | None = None
    pending_models: float | None = None
    pending_dataset_imports: float | None = None
    pending_model_imports: float | None = None
    files_per_component: float | None = None
    wide_rows_percent: float | None = None
    short_rows_percent: float | None = None
    unusable_timestamps_percent: float | None = None
    duplicates_percent: float | None = None
    components_per_model: float | None = None
    columns_per_model: float | None = None
    training_rows: float | None = None
    evaluation_rows: float | None = None
    minimum_training_span: cdk.Duration | None = None
    inference_catch_up: cdk.Duration | None = None
    inference_fill: cdk.Duration | None = None
    false_alarm_time: cdk.Duration | None = None
    partial_inference: bool | None = None
    adaptation: Adaptation | None = None
    bucket_owners: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        _props.check_fields(self)
        aim = self.false_alarm_time
        if aim is not None and not 0 < aim.to_hours(integral=False) < _DAY_HOURS:
            raise ValueError(
                f"false_alarm_time is {aim.to_human_string()}: give the time a day, more than none and less"
                " than 24 hours, such as Duration.minutes(5), or leave it out for the engine's default"
            )
        back = self.inference_catch_up
        if back is not None and back.to_hours(integral=False) < 1:
            raise ValueError(
                f"inference_catch_up is {back.to_human_string()}: give an hour or more, for windows that are"
                " due for longer are missed, and a wake may be late"
            )
        for bucket, owner in (self.bucket_owners or {}).items():
            _validate.bucket(bucket, what="bucket_owners: bucket")
            if not (cdk.Token.is_unresolved(owner) or _ACCOUNT.fullmatch(owner)):
                raise ValueError(
                    f'bucket_owners: the owner of "{bucket}" is "{owner}": give the id of an AWS account,'
                    " twelve digits"
                )
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool):
                continue
            if isinstance(value, float | int) and not (
                value == math.inf or (value >= 1 and value == int(value))
            ):
                raise ValueError(
                    f"{field.name} is {value}: give a whole number from 1, math.inf for no limit,"
                    " or leave it out for the service's default"
                )
            if field.name.endswith("_percent") and value is not None and 100 < value < math.inf:
                raise ValueError(
                    f"{field.name} is {value}: give rows of a hundred, from 1 to 100, or math.inf for no"
                    " limit"
                )

    @property
    def largest_training(self) -> float:
        """Size of the largest training that the limits allow: rows of its longer window times sensors."""
        rows = max(self.training_rows or ROWS, self.evaluation_rows or ROWS)
        return rows * (self.columns_per_model or COLUMNS)

    def to_json(self) -> str:
        """Return the settings as the functions of the service read them from `L4E_SETTINGS`."""
        values: dict[str, float | bool | str | Mapping[str, str] | None] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            match value:
                case None:
                    continue
                case cdk.Duration() if field.name == "minimum_training_span":
                    values["minimum_training_days"] = value.to_days(integral=False)
                case cdk.Duration() if field.name == "false_alarm_time":
                    values["false_alarm_hours"] = value.to_hours(integral=False)
                case bool() | Adaptation():
                    values[field.name] = value
                case Mapping():
                    values[field.name] = dict(value)
                case cdk.Duration():
                    values[f"{field.name}_hours"] = value.to_hours(integral=False)
                case _:
                    values[field.name] = None if value == math.inf else int(value)
        return json.dumps(values, sort_keys=True)
