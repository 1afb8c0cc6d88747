"""The rows to score: of the window, or of the time before it."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from engine import Frame, NoData, Notice, build_frame, with_silent
from service.jobs.failure import JobFailed, plain
from service.jobs.inference.active_model import ActiveModel
from service.jobs.inference.execution_notices import late_rows, silent_sensors
from service.jobs.inference.input_files import (
    ComponentInput,
    InputFiles,
    InputLimits,
    InputLocation,
    last_seen,
)
from service.jobs.inference.scheduler_state import SchedulerState
from service.jobs.inference.windows import InferenceWindow
from service.jobs.runtime import Runtime
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.times import instant, step_seconds
from service.settings import Settings
from service.store import Item

_WARM_UP_ROWS = 100
"""Rows before a window that are looked at when there is no state: more than any view of a model needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowInput:
    """The files of a window, read.

    `carry` are values from before the window that stand in where it has none, `last_seen` (epoch seconds) are
    the times of the last values in it, and `sensors` are those to build rows of.
    """

    components: Mapping[str, ComponentInput]
    carry: Mapping[str, float]
    last_seen: Mapping[str, float]
    sensors: tuple[str, ...]
    notices: tuple[Notice, ...]


def read_window(
    runtime: Runtime,
    scheduler: Item,
    active: ActiveModel,
    *,
    customer: CustomerBuckets,
    window: InferenceWindow,
    before: SchedulerState | None,
    stack: ExitStack,
) -> WindowInput:
    """Read the files of a window, into temporary files that last as long as `stack`.

    Raises:
        JobFailed: naming every component that cannot be read and why.
    """
    settings, sensors = runtime.settings, active.detector.sensors
    carry = _recent_values(before, window, settings, sensors)
    files = InputFiles(
        customer=customer,
        location=InputLocation.of(scheduler["DataInputConfiguration"]),
        columns=active.columns,
        window=window,
        limits=InputLimits(
            files_per_component=settings.inference_files_per_component,
            bytes=settings.inference_bytes[scheduler["DataUploadFrequency"]],
        ),
        known=frozenset(carry),
        partial=settings.partial_inference,
    )
    components = files.read(stack)
    absent = tuple(f"{name}\\" for name in active.columns if name not in components)
    carry = {sensor: value for sensor, value in carry.items() if not sensor.startswith(absent)}
    stamps = last_seen(components, window)
    known = tuple(sensor for sensor in sensors if sensor in stamps or sensor in carry)
    return WindowInput(
        components=components,
        carry=carry,
        last_seen=stamps,
        sensors=known if settings.partial_inference else sensors,
        notices=(*late_rows(components, before, window), *silent_sensors(sensors, known, before)),
    )


def window_frame(
    active: ActiveModel, data: WindowInput, window: InferenceWindow, *, most_rows: int | None
) -> Frame:
    """Return the rows of the window; sensors without values have none in it.

    Raises:
        JobFailed: when the off condition or the model lacks a sensor, or there are more than `most_rows`.
    """
    if active.off is not None and active.off.sensor not in data.sensors:
        raise JobFailed(
            f"the OffCondition of the model needs '{active.off.sensor}', which has no value in the window "
            f"{window} nor one from the day before: upload a file with values for it"
        )
    try:
        frame = build_frame(
            {name: component.columns for name, component in data.components.items()},
            sensors=data.sensors,
            start=instant(window.start),
            end=instant(window.end),
            step_seconds=step_seconds(active.version),
            off=active.off,
            carry=data.carry,
        )
    except NoData as error:
        raise JobFailed(
            f"the input of the window {window} cannot be used: {plain(error)}. Every sensor of the model "
            "needs a value in the window, or one from the day before: upload files with values for it"
        ) from error
    if most_rows is not None and len(frame.times) > most_rows:
        raise JobFailed(
            f"the window {window} has {len(frame.times):,} rows, more than the limit of {most_rows:,}: "
            "train the model with a coarser TargetSamplingRate, or raise the limit in the settings of the "
            "service"
        )
    return with_silent(replace(frame, step=active.detector.step), active.detector.sensors)


def warm_up_state(active: ActiveModel, data: WindowInput, window: InferenceWindow) -> bytes | None:
    """Return the scoring state after the rows before the window that its files also hold, None without any.

    A model looks back some rows. Without a state of earlier windows, as after the start of a scheduler, the
    first rows could otherwise not be scored.
    """
    try:
        earlier = build_frame(
            {name: component.columns for name, component in data.components.items()},
            sensors=data.sensors,
            start=instant(window.start - _WARM_UP_ROWS * active.step_seconds),
            end=instant(window.start),
            step_seconds=step_seconds(active.version),
            off=active.off,
        )
    except NoData:
        return None
    earlier = with_silent(replace(earlier, step=active.detector.step), active.detector.sensors)
    return active.detector.score(earlier).state


def _recent_values(
    before: SchedulerState | None, window: InferenceWindow, settings: Settings, sensors: tuple[str, ...]
) -> dict[str, float]:
    """Return the last values before the window that are recent enough to stand in."""
    if before is None:
        return {}
    hours = settings.inference_fill_hours
    within = None if hours is None else hours * 3600
    found = before.recent_values(at=window.start, within=within)
    return {sensor: value for sensor, value in found.items() if sensor in sensors}
