"""The default event bus of the account and Region, as what events are sent to."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service.event_bus.bus_event import BusEvent

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient

NOT_SENT = "EventsNotSent"
"""Metric of the events that could not be sent; it has no dimensions."""

_ENTRIES = 10
"""Most entries of a `PutEvents` request."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBus:
    """Sends events; the metric `EventsNotSent` in `metric_namespace` counts those that were not accepted."""

    client: "EventBridgeClient"
    cloudwatch: "CloudWatchClient"
    metric_namespace: str

    def send(self, events: Sequence[BusEvent]) -> None:
        """Send events. Those that cannot be sent fail nothing: they are logged and counted."""
        not_sent = sum(
            self._send(events[first : first + _ENTRIES]) for first in range(0, len(events), _ENTRIES)
        )
        if not_sent:
            self._count(not_sent)

    def _send(self, events: Sequence[BusEvent]) -> int:
        """Send the events of one request, and return how many were not accepted."""
        try:
            reply = self.client.put_events(Entries=[event.entry for event in events])
        except (BotoCoreError, ClientError) as error:
            errors: list[str | None] = [str(error)] * len(events)
        else:
            errors = [entry.get("ErrorMessage", entry.get("ErrorCode")) for entry in reply["Entries"]]
        refused = [(event, why) for event, why in zip(events, errors, strict=True) if why is not None]
        for event, why in refused:
            _log.warning("event '%s' of %s was not sent: %s", event.detail_type, event.resources[0], why)
        return len(refused)

    def _count(self, not_sent: int) -> None:
        try:
            self.cloudwatch.put_metric_data(
                Namespace=self.metric_namespace,
                MetricData=[{"MetricName": NOT_SENT, "Value": float(not_sent), "Unit": "Count"}],
            )
        except (BotoCoreError, ClientError):
            _log.warning("the metric %s was not published", NOT_SENT, exc_info=True)
