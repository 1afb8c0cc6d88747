"""The label files of a training in the customer's bucket."""

from engine import Interval, merge_intervals
from service.jobs.failure import JobFailed
from service.jobs.runtime import Runtime
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.listed_object import is_folder
from service.jobs.training.labels import none_found, read_label_file
from service.jobs.training.version import Training


def training_labels(runtime: Runtime, training: Training) -> list[Interval]:
    """Return the labels of a training, none when it is configured without.

    Raises:
        JobFailed: when the location is incomplete or cannot be reached, a file cannot be read, or there is no
            label at all.
    """
    config = training.record.get("LabelsInputConfiguration")
    if not config:
        return []
    if "S3InputConfiguration" not in config:
        raise JobFailed(
            f"LabelsInputConfiguration of model '{training.model_name}' names no S3InputConfiguration: put "
            "the labels into a CSV file of two columns and give its Bucket and Prefix"
        )
    source = config["S3InputConfiguration"]
    return _read_labels(training.customer_buckets(runtime), source["Bucket"], source.get("Prefix", ""))


def _read_labels(customer: CustomerBuckets, bucket: str, prefix: str) -> list[Interval]:
    """Return all periods of the label files below a prefix, overlapping ones joined."""
    keys = [item.key for item in customer.objects(bucket, prefix) if not is_folder(item)]
    periods: list[Interval] = []
    for key in keys:
        name = f"s3://{bucket}/{key}"
        try:
            text = customer.read(bucket, key).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise JobFailed(
                f"label file '{name}' is not UTF-8 text ({error.reason} at byte {error.start}): save it as "
                "CSV in UTF-8 and create the model again, or move it out of the label prefix"
            ) from error
        periods += read_label_file(name, text)
    if not periods:
        raise none_found(f"s3://{bucket}/{prefix}", keys)
    return merge_intervals(periods)
