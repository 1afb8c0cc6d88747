"""The customer's role: credentials for its S3 client, renewed as long as a job works."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials
from botocore.exceptions import ClientError

from service.customer.bucket_owners import BucketOwners
from service.jobs.failure import JobFailed
from service.jobs.storage.refusals import error_text, is_refusal, retry_while_denied

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

SESSION_NAME = "LookoutEquipment"
_ATTEMPTS = 5


def s3_client_of_role(
    role_arn: str,
    *,
    external_id: str,
    policy: str,
    owners: BucketOwners,
    sts: "STSClient",
    pauses: Sequence[float],
) -> "S3Client":
    """Return an S3 client with rights of a role.

    Args:
        role_arn: the role to assume.
        external_id: the ARN of the resource worked for.
        policy: what the session may do, of what the role may do.
        owners: the accounts that the buckets must belong to.
        sts: the client that assumes the role.
        pauses: seconds to wait between attempts while the role is not yet usable.

    Raises:
        JobFailed: when the role does not let the service in.
    """

    def refresh() -> dict[str, Any]:
        try:
            reply = retry_while_denied(
                lambda: sts.assume_role(
                    RoleArn=role_arn, RoleSessionName=SESSION_NAME, ExternalId=external_id, Policy=policy
                ),
                pauses,
            )
        except ClientError as error:
            if not is_refusal(error):
                raise
            raise JobFailed(
                f"cannot assume role '{role_arn}': {error_text(error)}: the role must exist and its trust "
                "policy must allow sts:AssumeRole to the job role of the service for the external id "
                f"'{external_id}' (condition StringLike sts:ExternalId)"
            ) from error
        granted = reply["Credentials"]
        return {
            "access_key": granted["AccessKeyId"],
            "secret_key": granted["SecretAccessKey"],
            "token": granted["SessionToken"],
            "expiry_time": granted["Expiration"].isoformat(),
        }

    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    session.register_component("credential_provider", CredentialResolver([_RoleProvider(refresh)]))
    region = sts.meta.region_name
    s3 = boto3.Session(botocore_session=session, region_name=region).client(
        "s3", config=Config(retries={"mode": "standard", "max_attempts": _ATTEMPTS}, max_pool_connections=16)
    )
    return owners.required_by(s3)


@cache
def _loader() -> Any:
    """Return the loader of service models that all sessions share: reading them is the slowest step here."""
    return botocore.session.Session().get_component("data_loader")


class _RoleProvider(CredentialProvider):
    METHOD = CANONICAL_NAME = "lookoutequipment-role"

    def __init__(self, refresh: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._refresh = refresh

    def load(self) -> RefreshableCredentials:
        """Return credentials of the role, renewed before they expire."""
        return RefreshableCredentials.create_from_metadata(
            metadata=self._refresh(), refresh_using=self._refresh, method=self.METHOD
        )
