"""Label files in the customer's bucket."""

from service.jobs.failure import JobFailed
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.listed_object import is_folder
from service.jobs.training.training_labels import (
    Label,
    Labels,
    none_found,
    read_label_file,
    too_large,
)


def file_labels(customer: CustomerBuckets, bucket: str, prefix: str) -> Labels:
    """Return the labels of all files below a prefix.

    Raises:
        JobFailed: when a file cannot be read, or there is no label at all.
    """
    files = [item for item in customer.objects(bucket, prefix) if not is_folder(item)]
    labels: list[Label] = []
    notes: list[str] = []
    for file in files:
        name = f"s3://{bucket}/{file.key}"
        if problem := too_large(file.size):
            raise JobFailed(f"label file '{name}' {problem}, and create the model again")
        found = read_label_file(name, customer.read(bucket, file.key))
        labels += found.labels
        notes += found.notes
    if not labels:
        raise none_found(bucket, prefix, [file.key for file in files])
    return Labels(labels=tuple(labels), notes=tuple(notes))
