"""What an inference scheduler remembers from one window to the next, kept in the service bucket."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.jobs.inference.event_tracking import Event
from service.jobs.storage.service_bucket import Vault, state_key


class UnusableMemory(ValueError):  # noqa: N818 - reads as what it is
    """What is kept of a scheduler cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The state after the window that ended at ``end`` (epoch seconds).

    ``version`` is the model version that scored it, ``detector`` its continuation state, ``carry`` the last
    value of each sensor and when it came, ``open`` the event that was still going on.
    """

    end: int
    version: int
    detector: bytes
    carry: Mapping[str, tuple[float, float]]
    open: Event | None

    def fresh(self, *, at: float, within: float | None) -> dict[str, float]:
        """The last values of sensors that are not older than ``within`` seconds ``at`` an instant."""
        return {
            sensor: value
            for sensor, (value, stamp) in self.carry.items()
            if within is None or at - stamp <= within
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFile:
    """The memories after the last two windows: a window that is inferred again finds the one before it."""

    vault: Vault
    scheduler: str

    def before(self, start: int) -> Memory | None:
        """The newest memory that ends at or before ``start``, the beginning of a window (epoch seconds).

        Raises:
            UnusableMemory: the file is damaged, or of another release.
        """
        fitting = [memory for memory in self._read() if memory.end <= start]
        return max(fitting, key=lambda memory: memory.end, default=None)

    def keep(self, memory: Memory, *, before: Memory | None) -> None:
        """Keep a memory and the one it followed."""
        kept = [memory] if before is None else [before, memory]
        self.vault.put(state_key(self.scheduler), json.dumps([_members(one) for one in kept]).encode())

    def _read(self) -> list[Memory]:
        body = self.vault.get(state_key(self.scheduler))
        try:
            return [] if body is None else [_memory(members) for members in json.loads(body)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnusableMemory(f"{type(error).__name__}: {error}") from error


def _members(memory: Memory) -> dict[str, Any]:
    return {
        "end": memory.end,
        "version": memory.version,
        "detector": base64.b64encode(memory.detector).decode(),
        "carry": {sensor: list(last) for sensor, last in memory.carry.items()},
        "open": None if memory.open is None else memory.open.to_json(),
    }


def _memory(members: Mapping[str, Any]) -> Memory:
    return Memory(
        end=members["end"],
        version=members["version"],
        detector=base64.b64decode(members["detector"]),
        carry={sensor: (value, stamp) for sensor, (value, stamp) in members["carry"].items()},
        open=None if members["open"] is None else Event.from_json(members["open"]),
    )
