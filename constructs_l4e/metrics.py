"""Options of the metrics of schedulers and services."""

import functools
from typing import TypedDict

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_l4e.frequencies import DataUploadFrequency

SUM = "Sum"


@functools.cache
def period(frequency: DataUploadFrequency) -> cdk.Duration:
    """Return how long one value sums up, when there is one for each execution."""
    return cdk.Duration.seconds(frequency.seconds)


class MetricOptions(TypedDict, total=False):
    """Options of a metric: those of `aws_cloudwatch.Metric` that do not identify it."""

    account: str
    """Account that has the metric. Default: that of an imported resource, else that of the stack."""
    color: str
    """Colour of the graph, such as `#1f77b4`. Default: one that CloudWatch picks."""
    id: str
    """Name of the metric in math expressions. Default: none."""
    label: str
    """Legend of the graph. Default: the name of the metric."""
    period: cdk.Duration
    """Time that one value sums up. Default: the method says; of an inference scheduler its frequency."""
    region: str
    """Region that has the metric. Default: that of an imported resource, else that of the stack."""
    statistic: str
    """How the values of a period become one. Default: their sum, unless the method says otherwise."""
    unit: cloudwatch.Unit
    """Unit to filter values by. Default: any."""
    visible: bool
    """Whether a graph shows the metric, or only uses it in expressions. Default: True."""


class FleetMetricOptions(TypedDict, total=False):
    """Options of a metric that sums up all schedulers or models of a service."""

    color: str
    """Colour of the graph, such as `#1f77b4`. Default: one that CloudWatch picks."""
    label: str
    """Legend of the graph. Default: the name of the metric."""
    period: cdk.Duration
    """Time that one value sums up. Default: 5 minutes."""
