"""Warnings at synthesis of what a service would refuse in the deployment, or learn too little from."""

import datetime as dt
from collections.abc import Iterator

import aws_cdk as cdk
from constructs import IConstruct

from constructs_l4e.frequencies import TargetSamplingRate
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.settings import COLUMNS, COMPONENTS, ROWS, TRAINING_DAYS, ServiceSettings
from constructs_l4e.time_range import TimeRange

LEAST_DAYS, ADVISED_DAYS = 90, 180
"""Training below which a model is rarely useful, and what the user guide of L4E asks for."""


def warn_of_limits(
    scope: IConstruct,
    settings: ServiceSettings | None,
    *,
    schema: DatasetSchema | None,
    training: TimeRange | None,
    evaluation: TimeRange | None,
    rate: TargetSamplingRate | None,
) -> None:
    """Warn, so that it can be acknowledged, of what a model has too much or too little of.

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
    days = _days(training)
    if not found and settings.minimum_training_span is None and days is not None and days < ADVISED_DAYS:
        rarely = (
            f"; below {LEAST_DAYS} days a model rarely knows all that is normal" if days < LEAST_DAYS else ""
        )
        cdk.Annotations.of(scope).add_warning_v2(
            "constructs-l4e:ShortHistory",
            f"the training window has {days:g} days, and Lookout for Equipment asks for {ADVISED_DAYS}, or a "
            f"year if the machine has seasons{rarely}: use a longer history, or train the model again every "
            "month until it has one (RetrainingScheduler), and set minimum_training_span in the "
            "ServiceSettings of the service to what you have decided on",
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
    days = _days(training)
    if days is not None and days < least:
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


def _days(window: TimeRange | None) -> float | None:
    return None if window is None else _span(window) / dt.timedelta(days=1)


def _span(window: TimeRange) -> dt.timedelta:
    return window.end - window.start
