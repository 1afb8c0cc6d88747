"""Warnings at synthesis of what exceeds the limits of a service, which would refuse it in the deployment."""

import datetime as dt
from collections.abc import Iterator

import aws_cdk as cdk
from constructs import IConstruct

from constructs_l4e.frequencies import TargetSamplingRate
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.settings import COLUMNS, COMPONENTS, ROWS, TRAINING_DAYS, ServiceSettings
from constructs_l4e.time_range import TimeRange


def warn_of_limits(
    scope: IConstruct,
    settings: ServiceSettings | None,
    *,
    schema: DatasetSchema | None,
    training: TimeRange | None,
    evaluation: TimeRange | None,
    rate: TargetSamplingRate | None,
) -> None:
    """Warn, so that it can be acknowledged, of what a model has more of than the service takes.

    Args:
        scope: the model.
        settings: limits of the service; nothing is checked when they are not known.
        schema: sensors that the model learns from, if known.
        training: period to learn from, if not all data.
        evaluation: period to evaluate on, if any.
        rate: step of the model, if not that of the data.
    """
    if settings is None:
        return
    found = (*_of_sensors(settings, schema), *_of_windows(settings, training, evaluation, rate))
    for rule, problem in found:
        cdk.Annotations.of(scope).add_warning_v2(
            f"constructs-l4e:{rule}",
            f"{problem}, and the service will refuse the model: change it, or the limit in the "
            "ServiceSettings of the service",
        )


def _of_sensors(settings: ServiceSettings, schema: DatasetSchema | None) -> Iterator[tuple[str, str]]:
    if schema is None:
        return
    most, columns = settings.columns_per_model or COLUMNS, len(schema.sensor_ids)
    if columns > most:
        yield "TooManySensors", f"{columns} sensors are more than {most:g} (columns_per_model)"
    most, components = settings.components_per_model or COMPONENTS, len(schema.components)
    if components > most:
        yield "TooManyComponents", f"{components} components are more than {most:g} (components_per_model)"


def _of_windows(
    settings: ServiceSettings,
    training: TimeRange | None,
    evaluation: TimeRange | None,
    rate: TargetSamplingRate | None,
) -> Iterator[tuple[str, str]]:
    span = settings.minimum_training_span
    least = TRAINING_DAYS if span is None else span.to_days(integral=False)
    if training is not None and _span(training) < dt.timedelta(days=least):
        days = _span(training) / dt.timedelta(days=1)
        yield (
            "ShortTraining",
            f"the training window of {days:g} days is shorter than {least:g} (minimum_training_span)",
        )
    for what, window, limit in (
        ("training", training, settings.training_rows),
        ("evaluation", evaluation, settings.evaluation_rows),
    ):
        most = limit or ROWS
        rows = 0 if window is None or rate is None else _span(window) // dt.timedelta(seconds=rate.seconds)
        if rows > most:
            yield (
                "TooManyRows",
                f"the {what} window has {rows:,} rows at {rate}, more than {most:,.0f} ({what}_rows)",
            )


def _span(window: TimeRange) -> dt.timedelta:
    return window.end - window.start
