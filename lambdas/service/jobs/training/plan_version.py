"""The `plan` step of a training: how large it will be, which decides between a function and a task."""

from service.jobs.runtime import Runtime, log
from service.jobs.training.size import Size
from service.jobs.training.version import Training


def plan(runtime: Runtime, training: Training) -> dict[str, int]:
    """Return the size that the state machine chooses by.

    Raises:
        JobFailed: when the windows cannot be trained on.
    """
    size = Size.of(
        training.windows(minimum_days=runtime.settings.minimum_training_days),
        sensors=len(training.sensors),
        data=training.data,
        data_rows=training.data_rows,
        step_seconds=training.step_seconds,
    )
    found = {"Rows": size.rows, "Sensors": size.sensors, "Cells": size.cells}
    log("training planned", ModelName=training.model_name, ModelVersion=training.number, **found)
    return found
