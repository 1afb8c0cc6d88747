"""The label files of a training in the customer's bucket."""

from service.jobs.failure import JobFailed
from service.jobs.runtime import Runtime
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.listed_object import is_folder
from service.jobs.training.training_labels import Label, Labels, none_found, read_label_file
from service.jobs.training.version import Training

_MOST_BYTES = 64 << 20
"""The largest label file: half a million lines and more."""


def training_labels(runtime: Runtime, training: Training) -> Labels:
    """Return the labels of a training, none when it is configured without.

    Raises:
        JobFailed: when the location is incomplete or cannot be reached, a file cannot be read, or there is no
            label at all.
    """
    config = training.record.get("LabelsInputConfiguration")
    if not config:
        return Labels()
    if "S3InputConfiguration" not in config:
        raise JobFailed(
            f"LabelsInputConfiguration of model '{training.model_name}' names no S3InputConfiguration: put "
            "the labels into a CSV file of two columns and give its Bucket and Prefix"
        )
    source = config["S3InputConfiguration"]
    return _read_labels(training.customer_buckets(runtime), source["Bucket"], source.get("Prefix", ""))


def _read_labels(customer: CustomerBuckets, bucket: str, prefix: str) -> Labels:
    """Return the labels of all files below a prefix."""
    files = [item for item in customer.objects(bucket, prefix) if not is_folder(item)]
    labels: list[Label] = []
    notes: list[str] = []
    for file in files:
        name = f"s3://{bucket}/{file.key}"
        if file.size > _MOST_BYTES:
            raise JobFailed(
                f"label file '{name}' has {file.size:,} bytes, more than the {_MOST_BYTES:,} that a label "
                "file may have: if it holds sensor data, move it out of the label prefix, and create the "
                "model again"
            )
        found = read_label_file(name, customer.read(bucket, file.key))
        labels += found.labels
        notes += found.notes
    if not labels:
        raise none_found(bucket, prefix, [file.key for file in files])
    return Labels(labels=tuple(labels), notes=tuple(notes))
