"""What the jobs work with: the records, the service bucket, the customer's buckets, settings and clock."""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from engine import blas_name
from service.clock import Clock, utc_now
from service.customer.bucket_owners import BucketOwners
from service.event_bus.event_bus import EventBus
from service.jobs.capacity import Capacity
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.refusals import PAUSES
from service.jobs.storage.session_policy import Place, session_policy
from service.settings import Environment, Settings
from service.storage.service_bucket import ServiceBucket
from service.storage.store import Store

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

_PROMPT = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 3})
"""Where nothing leads to EventBridge, a job must not wait for minutes before it goes on."""

_LOG = logging.getLogger("service.jobs")
_LOG.setLevel(logging.INFO)

_WITHOUT_BLAS = (
    "numpy has no BLAS: trainings take 10 to 100 times as long, and may not end within 15 minutes. Deploy"
    " EquipmentService without numeric_layer, for the layer that comes with constructs_l4e, or with a layer"
    " whose numpy has one"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The service as a job sees it. `pauses` (seconds) are the waits for a new role to become usable."""

    store: Store
    settings: Settings
    s3: "S3Client"
    sts: "STSClient"
    cloudwatch: "CloudWatchClient"
    events: "EventBridgeClient"
    bucket: str
    metric_namespace: str
    capacity: Capacity
    import_sources: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = utc_now
    pauses: Sequence[float] = PAUSES

    @property
    def service_bucket(self) -> ServiceBucket:
        """The service bucket with its default encryption."""
        return ServiceBucket(s3=self.s3, name=self.bucket)

    @property
    def event_bus(self) -> EventBus:
        """Where events for others go."""
        return EventBus(
            client=self.events, cloudwatch=self.cloudwatch, metric_namespace=self.metric_namespace
        )

    def customer_buckets(
        self, role_arn: str, *, external_id: str, reads: Sequence[Place] = (), writes: Sequence[Place] = ()
    ) -> CustomerBuckets:
        """Return the customer's buckets through a role.

        Args:
            role_arn: the role that the request names.
            external_id: the ARN of the resource worked for, which the trust policy of the role asks for.
            reads: the only objects that can be read, whatever else the role allows.
            writes: the only objects that can be written.

        Raises:
            JobFailed: when the role does not let the service in.
        """
        _, partition, _, _, account, _ = role_arn.split(":", 5)  # the account is that of the service
        return CustomerBuckets.through(
            role_arn,
            external_id=external_id,
            policy=session_policy(partition, reads=reads, writes=writes),
            owners=BucketOwners(account=account, others=self.settings.bucket_owners),
            sts=self.sts,
            pauses=self.pauses,
        )


@cache
def current_runtime() -> Runtime:
    """Return the runtime of this function, from its environment; made once per process."""
    environment = Environment.read(os.environ)
    warn_without_blas(blas_name())
    session = boto3.Session()
    return Runtime(
        store=Store(session.client("dynamodb"), environment.table),
        settings=environment.settings,
        s3=BucketOwners(account=environment.account).required_by(session.client("s3")),
        sts=session.client("sts"),
        cloudwatch=session.client("cloudwatch"),
        events=session.client("events", config=_PROMPT),
        bucket=environment.bucket,
        metric_namespace=environment.metric_namespace,
        capacity=Capacity.read(os.environ),
        import_sources=environment.import_sources,
    )


def warn_without_blas(name: str | None) -> None:
    """Write to the log how to make the function faster; `name` is that of numpy's BLAS, if it has one."""
    if name is None:
        _LOG.warning(json.dumps({"message": _WITHOUT_BLAS}))


def log(what: str, **facts: Any) -> None:
    """Write one structured line to the log of the function."""
    _LOG.info(json.dumps({"message": what, **facts}, default=str))
