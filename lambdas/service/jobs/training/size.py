"""How large a training will be, before anything is read: what decides between a function and a task. Pure."""

import math
from dataclasses import dataclass

from service.members.training_windows import TimeSpan, TrainingWindows


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Rows of the longer of the two windows, and sensors of the model."""

    rows: int
    sensors: int

    @property
    def cells(self) -> int:
        """Values of the frame that a training holds: memory and time go with them."""
        return self.rows * self.sensors

    @classmethod
    def of(
        cls,
        windows: TrainingWindows,
        *,
        sensors: int,
        data: TimeSpan,
        data_rows: int | None,
        step_seconds: int | None,
    ) -> "Size":
        """Estimate the size.

        Args:
            windows: the windows of the training.
            sensors: how many sensors the model has.
            data: when the sensors of the model have data.
            data_rows: rows of the dataset's longest component in that time, taken as spread evenly over the
                data of the dataset; None when it was ingested by a release that did not count them.
            step_seconds: rate that the rows are resampled to, which no window has more rows than; None keeps
                the rate of the data.

        Without `data_rows` and `step_seconds` nothing is known, and the size is 0.
        """
        both = [windows.training] + ([windows.evaluation] if windows.evaluation else [])
        days = max(window.days for window in both)
        rows = []
        if data_rows is not None:
            rows.append(data_rows * min(1.0, days / data.days))
        if step_seconds is not None:
            rows.append(days * 86_400 / step_seconds)
        return cls(rows=math.ceil(min(rows, default=0)), sensors=sensors)
