"""The list of attributes of the records, and that it holds for what is written."""

import ast
import inspect
from typing import Any

import pytest

from service.storage import records
from service.storage.names import DATASET, SCHEDULER, TOKEN, versions_of
from service.storage.store import Create, Delete, Update, Write
from tests.service.api.conftest import Service
from tests.service.attributes import KINDS, listed, unlisted


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (Create({"pk": DATASET, "sk": "n", "DatasetName": "n"}), []),
        (Create({"pk": DATASET, "sk": "n", "datasetName": "n"}), ["DatasetRecord.datasetName"]),
        (Create({"pk": versions_of("u"), "sk": "n", "modelName": "n"}), ["ModelVersionRecord.modelName"]),
        (Update(SCHEDULER, "n", {"Status": "RUNNING", "state": 1}), ["SchedulerRecord.state"]),
        (Update(SCHEDULER, "n", remove=["tags", "tag"]), ["SchedulerRecord.tag"]),
        (Update(SCHEDULER, "n", {}, expect={"Uuid": "u"}), ["SchedulerRecord.Uuid"]),
        (Delete(TOKEN, "n", {"uuid": "u"}), ["TokenRecord.uuid"]),
        (Delete("token#u", "n"), ["partition token#u"]),
        (Create({"pk": "new", "sk": "n"}), ["partition new"]),
    ],
)
def test_an_attribute_that_is_not_listed_is_found(write: Write, found: list[str]) -> None:
    assert unlisted(write) == found


def test_no_kind_of_record_has_an_attribute_in_two_spellings() -> None:
    for kind in KINDS.values():
        names = [name.lower() for name in listed(kind)]
        assert len(set(names)) == len(names), kind


def test_every_private_attribute_is_explained() -> None:
    missing = []
    for kind in ast.parse(inspect.getsource(records)).body:
        if not isinstance(kind, ast.ClassDef):
            continue
        for attribute, after in zip(kind.body, [*kind.body[1:], None], strict=True):
            if isinstance(attribute, ast.AnnAssign) and isinstance(attribute.target, ast.Name):
                name = attribute.target.id
                if name[0].islower() and not isinstance(after, ast.Expr):
                    missing.append(f"{kind.name}.{name}")
    assert missing == []


def test_records_of_earlier_releases_are_read(service: Service) -> None:
    """They have names twice: in the spelling of the API and in a private one."""
    service.ingested_dataset()
    service.create_model("wear")
    job: dict[str, Any] = service.api.list_data_ingestion_jobs()["DataIngestionJobSummaries"][0]
    service.context.store.client.update_item(
        TableName=service.context.store.table,
        Key={"pk": {"S": "ingestion-job"}, "sk": {"S": job["JobId"]}},
        UpdateExpression="SET datasetName = DatasetName, accountId = :account",
        ExpressionAttributeValues={":account": {"S": "000000000000"}},
    )
    assert service.api.list_data_ingestion_jobs(DatasetName="pump")["DataIngestionJobSummaries"] == [job]
