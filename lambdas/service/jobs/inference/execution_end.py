"""How an execution ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from service.jobs.inference.execution import InferenceResult


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
    def notices(self) -> list[dict[str, Any]]:
        """The notices about the input of an execution that succeeded, as members of its record."""
        return [] if self.result is None else [asdict(notice) for notice in self.result.notices]
