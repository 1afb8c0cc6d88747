"""Nothing is imported from another partition of AWS, and the refusal says so."""

import pytest

from tests.service.api.conftest import ROLE
from tests.service.api.in_process import in_process


def test_what_another_partition_has_is_out_of_reach() -> None:
    service = in_process()
    refused = service.api.exceptions.ValidationException
    dataset = (
        "arn:aws-cn:lookoutequipment:us-east-1:000000000000:dataset/pump/0c1b2a39-4857-4665-8493-a2b1c0d9e8f7"
    )
    said = "is of the partition 'aws-cn', but the service runs in 'aws', out of reach"

    with pytest.raises(refused, match=said):
        service.api.import_dataset(SourceDatasetArn=dataset, DatasetName="copy")
    with pytest.raises(refused, match=said):
        service.api.import_model_version(
            SourceModelVersionArn=f"{dataset.replace('dataset', 'model')}/model-version/1",
            ModelName="copy",
            DatasetName="copy",
            RoleArn=ROLE,
        )
