"""What refuses a request because of work under way says which work to wait for."""

import re

import pytest

from tests.service.api.in_process import in_process


def test_the_work_to_wait_for_is_named() -> None:
    service = in_process()
    service.ingested_dataset()
    service.trained_model()
    api = service.api
    api.create_dataset(DatasetName="empty")
    version = api.describe_model(ModelName="wear")["ModelArn"] + "/model-version/1"
    api.import_model_version(SourceModelVersionArn=version, DatasetName="pump", ModelName="copy")
    service.create_model("young")
    refused = api.exceptions.ConflictException
    for name, work in (("copy", "import"), ("young", "training")):
        with pytest.raises(refused, match=f"IN_PROGRESS: wait until the {work} is done"):
            api.delete_model(ModelName=name)
    with pytest.raises(
        refused, match=re.escape("is CREATED, not ACTIVE: ingest data into it and wait until")
    ):
        service.create_model("bear", DatasetName="empty")
    service.start_ingestion()
    with pytest.raises(refused, match="is INGESTION_IN_PROGRESS, not ACTIVE: wait until the job has"):
        service.create_model("bear")
    with pytest.raises(refused, match="is INGESTION_IN_PROGRESS: wait until the running job is done"):
        api.delete_dataset(DatasetName="pump")
