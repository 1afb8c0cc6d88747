"""What operations work with: the records, the AWS clients and the settings of the deployment."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from service.clock import Clock, timestamp, utc_now
from service.event_bus.event_bus import EventBus
from service.requests.way_in import EVERYTHING, WayIn
from service.settings import Environment, Settings
from service.storage.names import ArnBuilder
from service.storage.service_bucket import ServiceBucket
from service.storage.store import Store
from service.storage.typed_store import TypedStore

Clients = Callable[[str], Any]
"""Returns the boto3 client of an AWS service, the same one each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Passed to every operation."""

    environment: Environment
    arns: ArnBuilder
    client: Clients
    clock: Clock
    caller: str = ""
    """The principal that sent the request, as `Caller.principal` has it."""
    way_in: WayIn = EVERYTHING
    """How the caller came in, which is different for each request."""
    store: Store = field(init=False)
    records: TypedStore = field(init=False)
    service_bucket: ServiceBucket = field(init=False)

    def __post_init__(self) -> None:
        store = Store(self.client("dynamodb"), self.environment.table, self.clock)
        object.__setattr__(self, "store", store)
        object.__setattr__(self, "records", TypedStore(store))
        bucket = ServiceBucket(s3=self.client("s3"), name=self.environment.bucket)
        object.__setattr__(self, "service_bucket", bucket)

    @classmethod
    def create(cls, environment: Environment, client: Clients, clock: Clock = utc_now) -> "Context":
        """Return the context of the account and region that the state machines lie in."""
        arns = ArnBuilder.beside(environment.ingest_state_machine)
        return cls(environment=environment, arns=arns, client=client, clock=clock)

    def called_by(self, caller: str) -> "Context":
        """Return the context of a request that this principal sent."""
        return replace(self, caller=caller)

    @property
    def settings(self) -> Settings:
        """The settings of this deployment."""
        return self.environment.settings

    @property
    def event_bus(self) -> EventBus:
        """Where events for others go."""
        return EventBus(
            client=self.client("events"),
            cloudwatch=self.client("cloudwatch"),
            metric_namespace=self.environment.metric_namespace,
        )

    def now(self) -> datetime:
        """Return the current time."""
        return self.clock()

    def timestamp(self) -> Decimal:
        """Return the current time in the form of the API: epoch seconds."""
        return timestamp(self.clock())
