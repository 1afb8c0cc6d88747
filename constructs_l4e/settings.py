"""What the owner of a deployed service may change about its limits."""

import json
import math
from dataclasses import dataclass, fields

import aws_cdk as cdk

_DAY_HOURS = 24
_ROWS, _COLUMNS = 1_500_000, 300
"""The service's defaults for rows of a window and for columns per model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Limits of a deployed service.

    What is left out is as in Amazon Lookout for Equipment; `math.inf` lifts a limit. Limits protect an
    account from runaway cost and from jobs that do not fit into a function.
    """

    datasets: float | None = None
    models: float | None = None
    pending_ingestion_jobs: float | None = None
    pending_models: float | None = None
    files_per_component: float | None = None
    components_per_model: float | None = None
    columns_per_model: float | None = None
    training_rows: float | None = None
    """Rows of a training window after resampling. More than one function carries needs `large_jobs`."""
    evaluation_rows: float | None = None
    minimum_training_span: cdk.Duration | None = None
    """Shortest training window; `Duration.days(0)` accepts any."""
    inference_catch_up: cdk.Duration | None = None
    """How far back a scheduler makes up for segments it missed."""
    inference_fill: cdk.Duration | None = None
    """How long a sensor without new values keeps its last one; by default a day."""
    false_alarm_time: cdk.Duration | None = None
    """Time in false alarm a day that trainings aim at; by default seven minutes."""
    partial_inference: bool | None = None
    """Infer also when components or sensors have no data, leaving them out; by default, that fails."""

    def __post_init__(self) -> None:
        aim = self.false_alarm_time
        if aim is not None and not 0 < aim.to_hours(integral=False) < _DAY_HOURS:
            raise ValueError(
                f"false_alarm_time is {aim.to_human_string()}: give the time a day, more than none and less"
                " than 24 hours, such as Duration.minutes(5), or leave it out for the engine's default"
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

    @property
    def largest_training(self) -> float:
        """Rows of the longer window times sensors of the largest training that is allowed."""
        rows = max(self.training_rows or _ROWS, self.evaluation_rows or _ROWS)
        return rows * (self.columns_per_model or _COLUMNS)

    def to_json(self) -> str:
        """The settings as the service reads them from its environment."""
        values: dict[str, float | bool | None] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            match value:
                case None:
                    continue
                case cdk.Duration() if field.name == "minimum_training_span":
                    values["minimum_training_days"] = value.to_days(integral=False)
                case cdk.Duration() if field.name == "false_alarm_time":
                    values["false_alarm_hours"] = value.to_hours(integral=False)
                case bool():
                    values[field.name] = value
                case cdk.Duration():
                    values[f"{field.name}_hours"] = value.to_hours(integral=False)
                case _:
                    values[field.name] = None if value == math.inf else int(value)
        return json.dumps(values, sort_keys=True)
