"""Metrics of the inference schedulers, by the names the service publishes them under."""

from collections.abc import Mapping
from typing import TypedDict

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch


class MetricOptions(TypedDict, total=False):
    """Options of a metric; those of `aws_cloudwatch.Metric` that do not identify it."""

    color: str
    label: str
    period: cdk.Duration
    statistic: str
    unit: cloudwatch.Unit


def scheduler_metric(
    metric_name: str,
    *,
    namespace: str,
    dimensions: Mapping[str, str],
    default_period: cdk.Duration,
    options: MetricOptions,
) -> cloudwatch.Metric:
    """A metric of one scheduler: every execution sends one value."""
    merged: MetricOptions = {"statistic": cloudwatch.Stats.SUM, "period": default_period, **options}
    return cloudwatch.Metric(
        namespace=namespace, metric_name=metric_name, dimensions_map=dict(dimensions), **merged
    )
