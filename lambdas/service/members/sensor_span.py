"""The time in which the sensors of a model have data, which is not that of every sensor of the dataset."""

import json
from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from typing import Any

from service.clock import moment, timestamp
from service.members.training_windows import TimeSpan
from service.storage.service_bucket import ServiceBucket


def ingested_span(
    bucket: ServiceBucket, statistics_key: str, sensors: Collection[str], *, whole: TimeSpan
) -> TimeSpan:
    r"""Return the time from the first to the last value that an ingestion has of any of the sensors.

    Args:
        bucket: the bucket of the service.
        statistics_key: where the statistics of the ingestion lie, its `report_key`.
        sensors: the sensors of a model, as `component\sensor`.
        whole: what all data of the ingestion covers. It is returned when the sensors have no value, and when
            the dataset, and with it the statistics, was deleted meanwhile.
    """
    body = bucket.find(statistics_key)
    span = None if body is None else sensor_span(json.loads(body), sensors)
    return span or whole


def sensor_span(statistics: Iterable[Mapping[str, Any]], sensors: Collection[str]) -> TimeSpan | None:
    r"""Return the time from the first to the last value of any of the sensors, None if there is no value.

    Args:
        statistics: the `SensorStatisticsSummary` of each sensor of a dataset.
        sensors: some of the sensors, as `component\sensor`.
    """
    wanted = frozenset(sensors)
    spans = [
        TimeSpan(start=timestamp(moment(one["DataStartTime"])), end=timestamp(moment(one["DataEndTime"])))
        for one in statistics
        if one["DataExists"] and f"{one['ComponentName']}\\{one['SensorName']}" in wanted
    ]
    return reduce(TimeSpan.joined, spans) if spans else None
