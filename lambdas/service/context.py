"""What operations work with: the store, the engines below and the rules of this deployment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from service.clock import Clock, timestamp, utc_now
from service.names import Place
from service.service_bucket import ServiceBucket
from service.settings import Environment, Settings
from service.store import Store

Clients = Callable[[str], Any]
"""Returns the boto3 client of an AWS service, the same one each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Passed to every operation."""

    environment: Environment
    place: Place
    client: Clients
    clock: Clock
    store: Store = field(init=False)
    service_bucket: ServiceBucket = field(init=False)

    def __post_init__(self) -> None:
        store = Store(self.client("dynamodb"), self.environment.table, self.clock)
        object.__setattr__(self, "store", store)
        bucket = ServiceBucket(s3=self.client("s3"), name=self.environment.bucket)
        object.__setattr__(self, "service_bucket", bucket)

    @classmethod
    def create(cls, environment: Environment, client: Clients, clock: Clock = utc_now) -> "Context":
        """Return the context of the account that the `environment`'s state machines lie in."""
        place = Place.of(environment.ingest_state_machine)
        return cls(environment=environment, place=place, client=client, clock=clock)

    @property
    def settings(self) -> Settings:
        """The limits and choices of this deployment."""
        return self.environment.settings

    def now(self) -> datetime:
        """Return the current time."""
        return self.clock()

    def timestamp(self) -> Decimal:
        """Return the current time in the API's form."""
        return timestamp(self.clock())
