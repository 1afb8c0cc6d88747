"""Custom::LookoutEquipmentDataset."""

from typing import ClassVar

from custom_resources.errors import ConflictError, FailedError
from custom_resources.properties import Properties
from custom_resources.request import PhysicalId
from custom_resources.resource import (
    STUCK,
    Again,
    Context,
    Done,
    Found,
    Outcome,
    TaggedResource,
    Wait,
    read_schema,
    when_stuck,
)


class Dataset(TaggedResource):
    """A dataset: an empty container until an ingestion fills it."""

    kind = "dataset"
    resource_type = "Custom::LookoutEquipmentDataset"
    operation = "CreateDataset"
    name_member = "DatasetName"
    options: ClassVar[tuple[str, ...]] = ("Schema", "RemovalPolicy")
    describe = "DescribeDataset"
    arn_member = "DatasetArn"
    mutable = frozenset({"Tags"})

    def create(self, context: Context, properties: Properties) -> Outcome:
        """Create the dataset, but not again after it was deleted outside CloudFormation."""
        name = properties.members["DatasetName"]
        if context.request.incoming_id == str(PhysicalId(kind=self.kind, name=name)):
            raise FailedError(
                f"dataset {name!r} was deleted outside CloudFormation, with the data ingested into it. "
                "Change DatasetName to have a new one created and ingested, then deploy again. "
                f"{when_stuck(context.request)}"
            )
        parameters = {**properties.members, **read_schema(context, properties, self.subject(properties))}
        parameters["Tags"] = self.tags(context.request, properties)
        context.create("CreateDataset", **parameters)
        return Again()

    def settle(self, _context: Context, _properties: Properties, found: Found) -> Outcome:
        """Report the dataset as ready, which it is as soon as it exists."""
        return Done(data={"DatasetName": found.record["DatasetName"], "DatasetArn": found.arn})

    def dismantle(self, context: Context, name: str, found: Found) -> Outcome:
        """Delete the dataset when nothing is being ingested into it."""
        if found.record["Status"] in {"INGESTION_IN_PROGRESS", "IMPORT_IN_PROGRESS"}:
            job = self._ingestion(context, name)
            return Wait(
                reason=f"ingestion {job} into it is still in progress. Delete again when it has finished"
            )
        try:
            context.act("DeleteDataset", DatasetName=name)
        except ConflictError as conflict:
            return Wait(reason=f"{conflict}. {conflict.next_step}", patience=STUCK)
        return Done(data={})

    @staticmethod
    def _ingestion(context: Context, name: str) -> str:
        jobs = context.call("ListDataIngestionJobs", DatasetName=name, Status="IN_PROGRESS", MaxResults=1)
        return "".join(job["JobId"] for job in jobs["DataIngestionJobSummaries"][:1]) or "job"
