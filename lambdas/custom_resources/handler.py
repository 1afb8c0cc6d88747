"""Entry points of the custom-resource functions."""

import logging
import os
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from custom_resources.client import Equipment, create_client
from custom_resources.data_ingestion import DataIngestion
from custom_resources.dataset import Dataset
from custom_resources.errors import call_error
from custom_resources.imported_dataset import ImportedDataset
from custom_resources.imported_model import ImportedModel
from custom_resources.inference_scheduler import InferenceScheduler
from custom_resources.label_group import LabelGroup
from custom_resources.model import Model
from custom_resources.properties import S3Object
from custom_resources.records import DynamoRecords
from custom_resources.resource_policy import DatasetPolicy, ModelPolicy
from custom_resources.retraining_scheduler import RetrainingScheduler
from custom_resources.runner import Runner

RESOURCES: Final = (
    Dataset(),
    ImportedDataset(),
    DataIngestion(),
    LabelGroup(),
    Model(),
    ImportedModel(),
    InferenceScheduler(),
    RetrainingScheduler(),
    DatasetPolicy(),
    ModelPolicy(),
)

logging.getLogger(__package__).setLevel(logging.INFO)


def on_event(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Check a request of CloudFormation, claim its resource, and return its physical id."""
    return _runner().on_event(event)


def is_complete(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Work on a request; `IsComplete` says whether the resource is as requested."""
    return _runner().is_complete(event)


@cache
def _runner() -> Runner:
    session, account = boto3.Session(), os.environ["L4E_ACCOUNT"]
    s3 = session.client("s3")

    def read_object(location: S3Object) -> str:
        try:
            found = s3.get_object(Bucket=location.bucket, Key=location.key, ExpectedBucketOwner=account)
            return found["Body"].read().decode("utf-8-sig")
        except (BotoCoreError, ClientError) as error:
            raise call_error(f"s3:GetObject of {location}", error) from error

    return Runner(
        resources=RESOURCES,
        equipment=Equipment(create_client()),
        records=DynamoRecords(session.resource("dynamodb").Table(os.environ["L4E_RECORDS_TABLE"])),
        read_object=read_object,
        clock=time.time,
    )
