"""Where an import gets its data from."""

from collections.abc import Mapping
from typing import Protocol

from service.context import Context
from service.errors import ValidationError
from service.sharing.remote_source import RemoteSource
from service.sharing.resource_policy import Principal
from service.sharing.shared import Owner, Shared
from service.storage.names import ArnBuilder
from service.storage.service_bucket import ServiceBucket


class ImportSource(Protocol):
    """A service that shares what is imported: see `Owner`, which is the service itself."""

    def share_dataset(self, arn: str, principal: Principal, *, with_objects: bool) -> Shared:
        """Return the data of a dataset; without objects only its facts."""

    def share_version(self, arn: str, principal: Principal, *, with_data: bool, with_objects: bool) -> Shared:
        """Return a model version and, `with_data`, the rows that inference has kept for its model."""

    def copy(self, key: str, to: ServiceBucket, to_key: str) -> int:
        """Copy an object that is shared, and return its bytes."""


def source_of(arn: str, here: Owner, elsewhere: Mapping[str, str]) -> ImportSource:
    """Return the service that has a dataset or a model version.

    Args:
        arn: ARN of the dataset or model version.
        here: the service that imports it.
        elsewhere: addresses of other services, by account and Region as `111122223333/eu-west-1`.

    Raises:
        ValidationError: when no service is known for the account and Region in the ARN.
    """
    home = ArnBuilder.beside(arn)
    if (home.region, home.account) == (here.region, here.account):
        return here
    url = elsewhere.get(f"{home.account}/{home.region}")
    if url is None:
        raise ValidationError(
            f"'{arn}' is of account {home.account} and Region {home.region}, of which this service knows no "
            "service: name it in import_sources of EquipmentService"
        )
    return RemoteSource(account=home.account, region=home.region, url=url)


def owner_of(context: Context) -> Owner:
    """Return the service as the owner of what others import."""
    return Owner(
        records=context.records,
        service_bucket=context.service_bucket,
        account=context.arns.account,
        region=context.arns.region,
    )


def requested_source(context: Context, arn: str) -> ImportSource:
    """Return the service that has what a request names.

    Raises:
        ValidationError: when it is of another partition, or of an account and Region of no known service.
    """
    partition, here = arn.split(":")[1], context.arns.partition
    if partition != here:
        raise ValidationError(
            f"'{arn}' is of the partition '{partition}', but the service runs in '{here}', out of reach of "
            f"other partitions: name what begins with 'arn:{here}:'"
        )
    return source_of(arn, owner_of(context), context.environment.import_sources)


def importing_principal(context: Context) -> str:
    """Return the ARN of the caller; of one that is not known, that of the account of the service."""
    return context.caller or f"arn:{context.arns.partition}:iam::{context.arns.account}:root"
