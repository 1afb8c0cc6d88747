"""The `plan` step of a training: what it learns from is settled, and how large it will be.

The size decides between a function and a task.
"""

from service.jobs.runtime import Runtime, log
from service.jobs.training.group_labels import group_labels
from service.jobs.training.size import Size
from service.jobs.training.version import Training


def plan(runtime: Runtime, training: Training) -> dict[str, int]:
    """Keep the labels as they are now, and return the size that the state machine chooses by.

    Raises:
        JobFailed: when the windows cannot be trained on, or there is no label group any more.
    """
    group_labels(runtime, training)
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
