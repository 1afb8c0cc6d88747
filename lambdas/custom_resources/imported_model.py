"""Custom::LookoutEquipmentImportedModel."""

from collections.abc import Mapping
from typing import Any

from custom_resources.importing import UNSEEN, Import, run_import
from custom_resources.model import Model
from custom_resources.properties import Properties
from custom_resources.resource import Again, Context, Found, Outcome


class ImportedModel(Model):
    """A model made of a version of another one. Another source becomes its next version."""

    resource_type = "Custom::LookoutEquipmentImportedModel"
    operation = "ImportModelVersion"
    options = ("ActiveVersion",)
    mutable = frozenset(
        {
            "Tags",
            "SourceModelVersionArn",
            "InferenceDataImportStrategy",
            "LabelsInputConfiguration",
            "RoleArn",
        }
    )

    def create(self, context: Context, properties: Properties) -> Outcome:
        """Import the version, as the first of a new model or the next of the one that there is."""
        parameters = {**properties.members, "Tags": self.tags(context.request, properties)}

        def describe(answer: Mapping[str, Any]) -> Import:
            name, number = answer["ModelName"], answer["ModelVersion"]
            version = context.call("DescribeModelVersion", ModelName=name, ModelVersion=number)
            return Import(
                identity=version["ModelVersionArn"],
                began=version["ImportJobStartTime"].timestamp(),
                record=version,
            )

        waiting = run_import(
            context,
            self.operation,
            parameters,
            subject=self.subject(properties),
            source=properties.members["SourceModelVersionArn"],
            describe=describe,
        )
        return waiting or UNSEEN

    def learn(self, context: Context, properties: Properties, found: Found) -> Outcome | None:
        """Import the source unless the model has it, and make it active if this request asks for it."""
        source = properties.members["SourceModelVersionArn"]
        if "ActiveModelVersion" in found.record and found.record.get("SourceModelVersionArn") == source:
            return None  # the active version is its copy
        number = self._version_of(context, properties)
        if number is None:
            return self.create(context, properties)
        asked = context.request.old_properties.get("SourceModelVersionArn") not in {None, source}
        if not asked or properties.active_version:
            return None  # the version that is active is a matter of ActiveVersion, or of retrainings
        context.act(
            "UpdateActiveModelVersion", ModelName=properties.members["ModelName"], ModelVersion=number
        )
        return Again()

    @staticmethod
    def _version_of(context: Context, properties: Properties) -> int | None:
        """Return the number of the version that is a copy of the source, None if there is none yet."""
        name = properties.members["ModelName"]
        wanted = {"ModelName": name, "SourceType": "IMPORT", "Status": "SUCCESS"}
        copies: list[int] = []
        page: dict[str, Any] = {"NextToken": None}
        while "NextToken" in page:
            more = {"NextToken": page["NextToken"]} if page["NextToken"] else {}
            page = context.call("ListModelVersions", **wanted, **more)
            copies += [version["ModelVersion"] for version in page["ModelVersionSummaries"]]
        for number in reversed(copies):
            version = context.call("DescribeModelVersion", ModelName=name, ModelVersion=number)
            if version["SourceModelVersionArn"] == properties.members["SourceModelVersionArn"]:
                return number
        return None
