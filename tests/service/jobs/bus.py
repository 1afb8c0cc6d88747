"""EventBridge as jobs see it: the embedded one, and what it accepted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Bus:
    """EventBridge of the embedded AWS, and what it accepted."""

    client: Any
    entries: list[Mapping[str, Any]] = field(default_factory=list)

    def put_events(self, **request: Any) -> Any:
        """Send, and keep what is sent."""
        reply = self.client.put_events(**request)
        assert reply["FailedEntryCount"] == 0, reply
        self.entries += request["Entries"]
        return reply

    @property
    def kinds(self) -> list[str]:
        """What happened, in order."""
        return [entry["DetailType"] for entry in self.entries]

    def details(self, kind: str) -> list[dict[str, Any]]:
        """The details of events of a kind."""
        return [json.loads(entry["Detail"]) for entry in self.entries if entry["DetailType"] == kind]
