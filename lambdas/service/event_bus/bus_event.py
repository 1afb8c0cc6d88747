"""One event for the event bus. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "constructs-l4e"
"""Source of every event; `aws.` is for AWS's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusEvent:
    """What happened, to which resources.

    Attributes:
        detail_type: kind of the event.
        resources: ARNs of what it is about; the first one is what it happened to.
        occurrence: what tells it from other events of its kind about that resource.
        detail: its members, in the words of the API.

    """

    detail_type: str
    resources: tuple[str, ...]
    occurrence: str
    detail: Mapping[str, Any]

    @property
    def members(self) -> Mapping[str, Any]:
        """Its detail as it is sent: with a `DeduplicationId`, the same however often it is sent."""
        what = "/".join((self.resources[0], self.detail_type, self.occurrence))
        return {"DeduplicationId": str(uuid5(NAMESPACE_URL, what)), **self.detail}

    @property
    def entry(self) -> "PutEventsRequestEntryTypeDef":
        """The entry of a `PutEvents` request."""
        return {
            "Source": SOURCE,
            "DetailType": self.detail_type,
            "Resources": list(self.resources),
            "Detail": json.dumps(self.members),
        }
