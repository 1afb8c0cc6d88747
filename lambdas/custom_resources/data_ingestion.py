"""Custom::LookoutEquipmentDataIngestion."""

from collections.abc import Mapping
from typing import Any

from custom_resources.errors import ConflictError, FailedError, NotFoundError, QuotaError
from custom_resources.properties import Properties
from custom_resources.request import Request, digest
from custom_resources.resource import Again, Context, Done, Outcome, Resource, Wait, failed_reason


class DataIngestion(Resource):
    """The fact that a dataset holds the data that the properties name.

    A change of the properties starts a new job. Going back to what was ingested last, as a rollback does,
    starts none. What was ingested last is kept in the records, since the service has no `Revision`.
    """

    kind = "ingestion"
    resource_type = "Custom::LookoutEquipmentDataIngestion"
    operation = "StartDataIngestionJob"
    name_member = "DatasetName"
    options = ("Revision", "Wait")

    def advance(self, context: Context, properties: Properties) -> Outcome:
        """Take one step: adopt what is ingested, start a job, or follow the job of this request."""
        history = _History(context, properties.members["DatasetName"])
        wanted = digest([properties.members, properties.revision])
        finished = history.finished(wanted)
        if finished:
            job = self._describe(context, finished)
            # A job that nobody waited for may have failed since: then there is nothing to adopt.
            if (
                job
                and job["Status"] != "FAILED"
                and job["DatasetArn"] == self._dataset_arn(context, properties)
            ):
                return _outcome(job, properties)
        started = history.started(wanted)
        job = self._describe(context, started) if started else None
        if job is None:
            return self._start(context, properties, history, wanted)
        if job["Status"] == "FAILED":
            if history.failed_before(context.request):
                return self._start(context, properties, history, wanted, instead_of=job["JobId"])
            history.fail(context.now)
            raise FailedError(
                f"ingestion into dataset {properties.members['DatasetName']!r}: job {job['JobId']} failed: "
                f"{failed_reason(job)}. Correct the data or the properties, then deploy again."
            )
        outcome = _outcome(job, properties)
        if isinstance(outcome, Done):
            history.finish(wanted)
        return outcome

    def remove(self, context: Context, name: str, *, made_by: str | None = None) -> Outcome:
        """Forget what was ingested: jobs cannot be deleted, and the data go with the dataset."""
        history = _History(context, name)
        if made_by is None or history.is_only_of(made_by):
            history.forget()
        return Done(data={})

    @staticmethod
    def _start(
        context: Context, properties: Properties, history: "_History", wanted: str, *, instead_of: str = ""
    ) -> Outcome:
        try:
            job = context.create("StartDataIngestionJob", instead_of=instead_of, **properties.members)
        except (ConflictError, NotFoundError, QuotaError) as blocker:
            # Another job is running, the dataset is not visible yet, or too many jobs are pending: all pass.
            return Wait(reason=f"{blocker}. {blocker.next_step}")
        history.start(wanted, job["JobId"])
        return Again()

    @staticmethod
    def _describe(context: Context, job_id: str) -> dict[str, Any] | None:
        try:
            return context.call("DescribeDataIngestionJob", JobId=job_id)
        except NotFoundError:
            return None

    @staticmethod
    def _dataset_arn(context: Context, properties: Properties) -> str | None:
        try:
            answer = context.call("DescribeDataset", DatasetName=properties.members["DatasetName"])
        except NotFoundError:
            return None
        return str(answer["DatasetArn"])


class _History:
    """Which job this resource has started last, and which has ingested last."""

    def __init__(self, context: Context, dataset: str) -> None:
        self._records = context.records
        self._request = context.request.request_id
        self._key = f"ingestion/{dataset}/{context.request.owner}"
        stored = self._records.read(self._key)
        self._value: dict[str, Any] = dict(stored[0]) if stored else {}
        self._version = stored[1] if stored else 0

    def finished(self, wanted: str) -> str | None:
        last: Mapping[str, str] = self._value.get("finished", {})
        return last.get("job") if last.get("wanted") == wanted else None

    def started(self, wanted: str) -> str | None:
        last: Mapping[str, str] = self._value.get("started", {})
        mine = last.get("wanted") == wanted and last.get("request") == self._request
        return last.get("job") if mine else None

    def start(self, wanted: str, job: str) -> None:
        self._write(started={"wanted": wanted, "job": job, "request": self._request})

    def fail(self, now: float) -> None:
        """Note when the failure of the started job was reported first."""
        if "failed" not in self._value["started"]:
            self._write(started={**self._value["started"], "failed": now})

    def failed_before(self, request: Request) -> bool:
        """Return whether the failure of the started job was reported before this attempt of the request."""
        failed = self._value["started"].get("failed")
        return failed is not None and request.began_after(failed)

    def finish(self, wanted: str) -> None:
        self._write(
            finished={"wanted": wanted, "job": self._value["started"]["job"], "request": self._request}
        )

    def is_only_of(self, request: str) -> bool:
        return all(entry["request"] == request for entry in self._value.values())

    def forget(self) -> None:
        self._records.remove(self._key)

    def _write(self, **change: Mapping[str, Any]) -> None:
        # When another poll has written first, the client token leads the next one to the same job.
        self._records.write(self._key, self._value | change, version=self._version, expires_at=None)


def _outcome(job: Mapping[str, Any], properties: Properties) -> Outcome:
    if properties.wait and job["Status"] != "SUCCESS":
        return Wait(reason=f"job {job['JobId']} is {job['Status']}. Set Wait to false to deploy without it")
    return Done(data=_data(job))


def _data(job: Mapping[str, Any]) -> dict[str, str]:
    data = {"JobId": job["JobId"], "IngestedDataSize": str(job.get("IngestedDataSize", ""))}
    for member in ("DataStartTime", "DataEndTime"):
        data[member] = job[member].isoformat() if member in job else ""
    return data
