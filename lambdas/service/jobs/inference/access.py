"""Access to the input and the output of a scheduler, tried as executions will use it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from service.jobs.failure import JobFailed
from service.jobs.inference.input_files import InputLocation
from service.jobs.runtime import Runtime
from service.jobs.storage.session_policy import Place

_PAUSES = 2
"""Repetitions while access is denied: a request to the API waits for the answer."""


def refusal(runtime: Runtime, event: Mapping[str, Any]) -> str | None:
    """Return why a scheduler could not be run with its role and its places; None when it could."""
    patient = replace(runtime, pauses=tuple(runtime.pauses)[:_PAUSES])
    output = event["DataOutputConfiguration"]
    target = output["S3OutputConfiguration"]
    try:
        source = InputLocation.of(event["DataInputConfiguration"])
        buckets = patient.customer_buckets(
            event["RoleArn"],
            external_id=event["InferenceSchedulerArn"],
            reads=[Place(bucket=source.bucket, prefix=source.prefix)],
            writes=[Place.of(target)],
        )
        list(buckets.objects(source.bucket, source.prefix, limit=1))
        buckets.try_writing(target["Bucket"], target.get("Prefix", ""), kms_key=output.get("KmsKeyId"))
    except JobFailed as failed:
        return failed.reason
    return None
