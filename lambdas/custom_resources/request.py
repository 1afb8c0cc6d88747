"""Requests of CloudFormation, the physical ids of resources, and the tags that say whose a resource is."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

OWNER_TAG: Final = "constructs-l4e:owner"
CONFIGURATION_TAG: Final = "constructs-l4e:config"
# A second hash of the same configuration: of the schema as a later release writes it.
EQUAL_TAG: Final = "constructs-l4e:equal-config"
REQUEST_TAG: Final = "constructs-l4e:request"
# A hash of the revision that a dataset was imported for; a dataset without it was imported for none.
REVISION_TAG: Final = "constructs-l4e:revision"
TAG_PREFIX: Final = "constructs-l4e:"

# on_event hands these on to is_complete: its event carries the new physical id only, and no time.
INCOMING_ID: Final = "IncomingPhysicalResourceId"
BEGUN: Final = "BegunAt"

_TAG_VALUE_LENGTH: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalId:
    """A physical id `l4e/v1/<kind>/<name>`: known before the resource exists, and enough to find it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"l4e/v1/{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Return the id in `text`, None for an id of another form, such as CloudFormation makes up itself."""
        match = re.fullmatch(r"l4e/v1/([a-z-]+)/([0-9a-zA-Z_-]{1,200})", text or "")
        return cls(kind=match[1], name=match[2]) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of CloudFormation about one custom resource.

    Attributes:
        physical_id: physical id of the resource after the request.
        incoming_id: its physical id before the request.
        begun: epoch seconds at `on_event`; None in `on_event` itself.
    """

    type: str
    resource_type: str
    stack_id: str
    logical_id: str
    request_id: str
    physical_id: str | None
    incoming_id: str | None
    begun: float | None
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> Self:
        """Return the request in the event of `on_event` or `is_complete`. Its response URL is not kept."""
        physical_id = event.get("PhysicalResourceId")
        return cls(
            type=event["RequestType"],
            resource_type=event["ResourceType"],
            stack_id=event["StackId"],
            logical_id=event["LogicalResourceId"],
            request_id=event["RequestId"],
            physical_id=physical_id,
            incoming_id=event.get(INCOMING_ID, physical_id if event["RequestType"] != "Create" else None),
            begun=event.get(BEGUN),
            properties=event.get("ResourceProperties") or {},
            old_properties=event.get("OldResourceProperties") or {},
        )

    @property
    def owner(self) -> str:
        """The value of the owner tag: stack id and logical id, shortened by a hash when too long."""
        owner = f"{self.stack_id}/{self.logical_id}"
        if len(owner) <= _TAG_VALUE_LENGTH:
            return owner
        return f"{owner[: _TAG_VALUE_LENGTH - 33]}-{digest(owner)}"

    def began_after(self, moment: float) -> bool:
        """Return whether this attempt began after `moment` (epoch seconds).

        CloudFormation may send a request again under the same id, when what was wrong has been corrected.
        """
        return self.begun is not None and self.begun > moment

    def client_token(self, operation: str, parameters: Mapping[str, Any]) -> str:
        """Return a client token that is the same for every repetition of a call by this request."""
        return digest([self.stack_id, self.logical_id, self.request_id, operation, parameters])


def digest(value: object) -> str:
    """Return 32 hexadecimal digits that identify a value that JSON can express."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
