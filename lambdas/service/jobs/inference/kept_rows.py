"""The scored rows of a window, kept for the retrainings of the model."""

from decimal import Decimal

from engine import observed_rows
from service.jobs.inference.active_model import ActiveModel
from service.jobs.inference.window_rows import WindowInput
from service.jobs.runtime import Runtime, log
from service.jobs.storage.accumulated import AccumulatedRows
from service.jobs.times import instant, seconds_of, step_seconds
from service.schedulers.inference_windows import InferenceWindow
from service.storage.names import MODEL
from service.storage.store import Item, StoreError

_START, _END = "AccumulatedInferenceDataStartTime", "AccumulatedInferenceDataEndTime"


def keep_rows(
    runtime: Runtime, scheduler: Item, active: ActiveModel, *, data: WindowInput, window: InferenceWindow
) -> None:
    """Keep what was measured in a window, if its model has a retraining scheduler, and say so in the model.

    It is kept before the window is closed: if the function ends in between, it is kept again in its place.
    """
    model = active.model
    if "RetrainingSchedulerStatus" not in model:
        return
    rows = observed_rows(
        {name: component.columns for name, component in data.components.items()},
        sensors=active.detector.sensors,
        start=instant(window.start),
        end=instant(window.end),
        step_seconds=step_seconds(active.version),
    )
    if not len(rows.times):
        return
    bucket = runtime.service_bucket.with_key(model.get("ServerSideKmsKeyId"))
    AccumulatedRows(service_bucket=bucket, model=model["uuid"]).put(scheduler["uuid"], window, rows)
    first, last = (Decimal(repr(seconds_of(time))) for time in (rows.times[0], rows.times[-1]))
    extent = {_START: min(first, model.get(_START, first)), _END: max(last, model.get(_END, last))}
    try:
        runtime.store.update(MODEL, model["ModelName"], extent, expect={"uuid": model["uuid"]})
    except StoreError:
        log("model was deleted", ModelName=model["ModelName"])
