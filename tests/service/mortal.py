"""Clients of AWS whose process ends, or hears nothing any more, at a given write."""

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ReadTimeoutError

WRITES = frozenset(
    {
        "abort_multipart_upload",
        "create_multipart_upload",
        "create_schedule",
        "delete_objects",
        "delete_schedule",
        "put_events",
        "put_metric_data",
        "put_object",
        "transact_write_items",
        "update_item",
        "update_schedule",
    }
)


class Killed(BaseException):
    """The process ends here: no handler of errors runs."""


@dataclass
class Fate:
    """What happens at the write with the number `at`, counted from 0: nothing when it is None.

    The process is killed before the write, or with `deaf` the write is done and its reply is lost. `done` are
    the writes so far, and `met` is the one at which it happened.
    """

    at: int | None = None
    deaf: bool = False
    done: list[str] = field(default_factory=list)
    met: str | None = None

    def write(self, name: str, call: Any, request: dict[str, Any]) -> Any:
        if self.at != len(self.done):
            self.done.append(name)
            return call(**request)
        self.at, self.met = None, name
        if not self.deaf:
            raise Killed
        call(**request)
        self.done.append(name)
        raise ReadTimeoutError(endpoint_url=name)


@dataclass(frozen=True)
class Mortal:
    """A client whose writes a fate decides about."""

    client: Any
    fate: Fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if name not in WRITES:
            return found
        return lambda **request: self.fate.write(name, found, request)
