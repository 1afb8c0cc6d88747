"""What an inference scheduler keeps from one window to the next, in the service bucket."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import Faults
from service.jobs.inference.event_tracking import InferenceEvent
from service.jobs.inference.file_names import Naming
from service.jobs.storage.keys import state_key
from service.storage.service_bucket import ServiceBucket


class UnusableState(ValueError):  # noqa: N818 - reads as what it is
    """What is kept of a scheduler cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerState:
    """The state after the window that ended at `end` (epoch seconds).

    `version` is the model version that scored the last window that was scored, `detector` the scoring state
    after it; both are None before the first. `carry` is the last value of each sensor and its time (epoch
    seconds), and `naming` how its files were named, from windows that failed as well. `open` is the event
    that was still going on, `faults` what is known of the faults that may go on, None before the first row.
    """

    end: int
    version: int | None
    detector: bytes | None
    carry: Mapping[str, tuple[float, float]]
    open: InferenceEvent | None
    faults: Faults | None
    naming: tuple[Naming, ...]

    @classmethod
    def after_failure(
        cls,
        before: "SchedulerState | None",
        *,
        end: int,
        carry: Mapping[str, tuple[float, float]],
        naming: tuple[Naming, ...],
    ) -> "SchedulerState":
        """Return the state after a window that failed: last values go on, all else stays where it was."""
        return cls(
            end=end,
            version=None if before is None else before.version,
            detector=None if before is None else before.detector,
            carry=carry,
            open=None,
            faults=None if before is None else before.faults,
            naming=naming,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFile:
    """The states after the last two windows: a window that is inferred again finds the one before it."""

    service_bucket: ServiceBucket
    scheduler: str

    def before(self, start: int) -> SchedulerState | None:
        """Return the newest state that ends at or before `start`, the beginning of a window (epoch seconds).

        Raises:
            UnusableState: when the file is damaged, or of another release.
        """
        fitting = [state for state in self._read() if state.end <= start]
        return max(fitting, key=lambda state: state.end, default=None)

    def keep(self, state: SchedulerState, *, before: SchedulerState | None) -> None:
        """Keep a state and the one it followed."""
        kept = [state] if before is None else [before, state]
        body = json.dumps([_to_json(each) for each in kept]).encode()
        self.service_bucket.put(state_key(self.scheduler), body)

    def _read(self) -> list[SchedulerState]:
        body = self.service_bucket.find(state_key(self.scheduler))
        try:
            return [] if body is None else [_from_json(members) for members in json.loads(body)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnusableState(f"{type(error).__name__}: {error}") from error


def _to_json(state: SchedulerState) -> dict[str, Any]:
    return {
        "end": state.end,
        "version": state.version,
        "detector": None if state.detector is None else base64.b64encode(state.detector).decode(),
        "carry": {sensor: list(last) for sensor, last in state.carry.items()},
        "open": None if state.open is None else state.open.to_json(),
        "faults": None if state.faults is None else state.faults.to_json(),
        "naming": [list(each) for each in state.naming],
    }


def _from_json(members: Mapping[str, Any]) -> SchedulerState:
    # States of earlier releases have neither faults nor naming.
    detector, faults = members["detector"], members.get("faults")
    return SchedulerState(
        end=members["end"],
        version=members["version"],
        detector=None if detector is None else base64.b64decode(detector),
        carry={sensor: (value, stamp) for sensor, (value, stamp) in members["carry"].items()},
        open=None if members["open"] is None else InferenceEvent.from_json(members["open"]),
        faults=None if faults is None else Faults.from_json(faults),
        naming=tuple((form, delimiter) for form, delimiter in members.get("naming", ())),
    )
