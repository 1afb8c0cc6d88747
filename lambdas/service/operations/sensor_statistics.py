"""Statistics of sensors, as an ingestion job found them."""

from collections.abc import Iterator
from typing import Any

from service.context import Context
from service.errors import NotFoundError, no_such
from service.operations.datasets import require_dataset
from service.operations.ingestion_jobs import latest_job, require_job
from service.requests.paging import paged
from service.storage.names import report_key
from service.storage.records import IngestionJobRecord


def list_sensor_statistics(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return the statistics of every sensor by component and name, of a job or of the present data."""
    job = _job(context, request)
    statistics = context.service_bucket.get_json(report_key(job["datasetUuid"], job["JobId"]))

    def records(start: str | None) -> Iterator[tuple[str, Any]]:
        first = int(start) + 1 if start is not None else 0
        return ((str(index), statistics[index]) for index in range(first, len(statistics)))

    # A page token belongs to the statistics of one job: it must not continue the list of another job.
    request["IngestionJobId"] = job["JobId"]
    return paged(context, "ListSensorStatistics", request, "SensorStatisticsSummaries", records)


def _job(context: Context, request: dict[str, Any]) -> IngestionJobRecord:
    dataset = require_dataset(context, request["DatasetName"])
    wanted = request.get("IngestionJobId")
    job = require_job(context, wanted) if wanted else latest_job(context, dataset)
    if job is None:
        raise NotFoundError(
            f"the dataset '{dataset['DatasetName']}' has no successful ingestion job yet: ingest data first"
        )
    if job["datasetUuid"] != dataset["uuid"]:
        raise no_such("ingestion job", f"{wanted}' of the dataset '{dataset['DatasetName']}")
    if job["Status"] != "SUCCESS":
        raise NotFoundError(
            f"the ingestion job '{job['JobId']}' is {job['Status']}: only jobs that succeeded have statistics"
        )
    return job


OPERATIONS = {"ListSensorStatistics": list_sensor_statistics}
