"""Custom::LookoutEquipmentImportedDataset."""

from collections.abc import Mapping
from typing import Any

from custom_resources.dataset import Dataset
from custom_resources.importing import UNSEEN, Import, run_import
from custom_resources.properties import Properties
from custom_resources.request import REVISION_TAG, digest
from custom_resources.resource import Again, Context, Found, Outcome, Wait


class ImportedDataset(Dataset):
    """A dataset that is a copy of another one, of this or another account.

    A change of `Revision` copies again, over the data that the dataset has. A tag says for which revision it
    was copied, so that going back from one whose import has failed, as a rollback does, copies nothing.
    """

    resource_type = "Custom::LookoutEquipmentImportedDataset"
    operation = "ImportDataset"
    options = ("Revision",)

    def create(self, context: Context, properties: Properties) -> Outcome:
        """Make the dataset, empty and ours, also again after it was deleted outside CloudFormation.

        An import alone would write over a dataset that somebody has made since this one was looked for.
        """
        parameters = self._parameters(context, properties)
        del parameters["SourceDatasetArn"]
        context.create("CreateDataset", **parameters)
        return Again()

    def settle(self, context: Context, properties: Properties, found: Found) -> Outcome:
        """Report the dataset as ready once it holds the data of its revision; a new one holds none."""
        match found.record["Status"]:
            case "IMPORT_IN_PROGRESS":
                return Wait(reason="it is still being imported. Deploy again when that is done")
            case "CREATED":
                return self._import(context, properties) or UNSEEN
        wanted = digest(properties.revision)
        if found.tags.get(REVISION_TAG, digest("")) == wanted:
            return super().settle(context, properties, found)
        waiting = self._import(context, properties)
        if waiting is not None:
            return waiting
        context.act("TagResource", ResourceArn=found.arn, Tags=[{"Key": REVISION_TAG, "Value": wanted}])
        return Again()

    def _import(self, context: Context, properties: Properties) -> Wait | None:
        def describe(answer: Mapping[str, Any]) -> Import:
            job = context.call("DescribeDataIngestionJob", JobId=answer["JobId"])
            return Import(identity=job["JobId"], began=job["CreatedAt"].timestamp(), record=job)

        return run_import(
            context,
            self.operation,
            self._parameters(context, properties),
            subject=self.subject(properties),
            source=properties.members["SourceDatasetArn"],
            describe=describe,
        )

    def _parameters(self, context: Context, properties: Properties) -> dict[str, Any]:
        return {**properties.members, "Tags": self.tags(context.request, properties)}
