"""How an execution ended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from service.event_bus.bus_event import BusEvent
from service.jobs.inference.bus_events import execution_failed
from service.jobs.inference.execution import InferenceResult
from service.schedulers.inference_windows import InferenceWindow
from service.storage.store import Item, Write

_NOTICES_BYTES = 100_000
"""Of the notices in a record, which may have 400 KB in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEnd:
    """The result of an execution, or the reason why it has none and whether its input is to blame."""

    result: InferenceResult | None = None
    failed_reason: str = ""
    invalid_input: bool = False

    @property
    def members(self) -> Mapping[str, Any]:
        """What the API shows of it."""
        if self.result is None:
            return {"Status": "FAILED", "FailedReason": self.failed_reason}
        return {"Status": "SUCCESS", "CustomerResultObject": self.result.location}

    @property
    def record(self) -> Mapping[str, Any]:
        """What its record gets. Very many notices are complete in the log only."""
        return {**self.members, **({"notices": _recorded(self.notices)} if self.notices else {})}

    @property
    def scheduler_members(self) -> Mapping[str, Any]:
        """What the record of the scheduler gets."""
        if self.result is None:
            return {}
        return {"LatestInferenceResult": "ANOMALOUS" if self.result.anomalous else "NORMAL"}

    @property
    def events(self) -> Sequence[Write]:
        """The writes of the events of its rows."""
        return () if self.result is None else self.result.events

    def bus_events(self, scheduler: Item, window: InferenceWindow) -> Sequence[BusEvent]:
        """What others are told of the execution of a window; nothing when all is well."""
        if self.result is None:
            return (execution_failed(scheduler, window, self.failed_reason),)
        return self.result.bus_events

    @property
    def notices(self) -> list[dict[str, Any]]:
        """The notices about the input of an execution that succeeded, as members of its record."""
        return [] if self.result is None else [asdict(notice) for notice in self.result.notices]


def _recorded(notices: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the first notices as far as a record has room, and how many more there were."""
    kept: list[Mapping[str, Any]] = []
    left = _NOTICES_BYTES
    for notice in notices:
        left -= len(json.dumps(notice))
        if left < 0:
            text = f"{len(notices) - len(kept):,} more notices are in the log of the inference function"
            return [*kept, {"kind": "left-out", "sensor": None, "text": text}]
        kept.append(notice)
    return kept
