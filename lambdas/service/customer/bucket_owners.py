"""The accounts that buckets must belong to: S3 refuses a request for a bucket of any other account.

Without it, whoever makes a bucket with the name of one that was deleted gets the results that were meant for
it, or feeds the readers with files of his own.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketOwners:
    """Who must own which bucket: `account` all but the `others`, which name the owner of a bucket."""

    account: str
    others: Mapping[str, str] = field(default_factory=dict)

    def of(self, bucket: str) -> str:
        """Return the account that must own a bucket."""
        return self.others.get(bucket, self.account)

    def required_by(self, s3: "S3Client") -> "S3Client":
        """Return the client after having it name the owner in each request for a bucket.

        In one place for all operations, paginators and transfers: no call can forget it.
        """
        s3.meta.events.register("before-parameter-build.s3", self._name_owner, unique_id="bucket-owner")
        return s3

    def _name_owner(self, params: dict[str, Any], model: Any, **_: object) -> None:
        if "Bucket" in params and "ExpectedBucketOwner" in model.input_shape.members:
            params["ExpectedBucketOwner"] = self.of(params["Bucket"])
