"""The rows to score: of the window, or of the time before it."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from engine import Detector, Frame, LastValue, NoData, Notice, build_frame, with_silent
from service.jobs.failure import JobFailed, plain
from service.jobs.inference.active_model import ActiveModel
from service.jobs.inference.execution_notices import (
    late_rows,
    silent_sensors,
    stand_ins,
    unusable_files,
    what_cells_held,
)
from service.jobs.inference.fill_times import FillTimes
from service.jobs.inference.input_files import (
    ComponentInput,
    InputFiles,
    InputLimits,
    InputLocation,
    InputRead,
)
from service.jobs.inference.known_values import LastValues, newer, values_in_files
from service.jobs.inference.scheduler_state import SchedulerState
from service.jobs.runtime import Runtime
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.times import instant, step_seconds
from service.members.durations import seconds
from service.schedulers.inference_windows import InferenceWindow, frequency_for
from service.settings import Settings
from service.storage.store import Item

_WARM_UP_ROWS = 100
"""Rows before a window that are looked at when there is no state: more than any view of a model needs."""
_SHOWN = 5
"""Sensors without a value that a message describes."""
_NEVER = (0.0, float("-inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowInput:
    """What the rows of a window are built from.

    `carry` are values from before the window that stand in where it has none, for as long as their sensors
    usually pause, and `sensors` are those to build rows of. `silent` says for each sensor without a value
    what its cells held.
    """

    components: Mapping[str, ComponentInput]
    carry: LastValues
    sensors: tuple[str, ...]
    silent: Mapping[str, str]
    notices: tuple[Notice, ...]


def read_files(
    runtime: Runtime,
    scheduler: Item,
    active: ActiveModel,
    *,
    customer: CustomerBuckets,
    window: InferenceWindow,
    before: SchedulerState | None,
    stack: ExitStack,
) -> InputRead:
    """Read the files of a window, into temporary files that last as long as `stack`.

    Raises:
        JobFailed: when the files cannot be listed, or are more than the quotas allow.
    """
    settings = runtime.settings
    remembered = {} if before is None else before.carry
    files = InputFiles(
        customer=customer,
        location=InputLocation.of(scheduler["DataInputConfiguration"]),
        columns=active.columns,
        window=window,
        reach=max(window.end - window.start, seconds(scheduler["DataUploadFrequency"])),
        limits=InputLimits(
            files_per_component=settings.inference_files_per_component,
            bytes=settings.inference_bytes[frequency_for(window, tuple(settings.inference_bytes))],
        ),
        known=frozenset(_fill_times(settings, active).recent(remembered, at=window.start)),
        naming=() if before is None else before.naming,
        settings=settings,
    )
    return files.read(stack)


def last_known(
    active: ActiveModel, read: InputRead, window: InferenceWindow, *, before: SchedulerState | None
) -> LastValues:
    """Return the last value of each sensor after a window: of its files, else as remembered."""
    return _last_until(active, read, window.end, before=before)


def window_input(
    settings: Settings,
    active: ActiveModel,
    read: InputRead,
    window: InferenceWindow,
    *,
    before: SchedulerState | None,
    latest: LastValues,
) -> WindowInput:
    """Return what the rows of a window are built from.

    A value from before the window stands in wherever it was seen last: in the window before, in one that
    failed, or in earlier rows of the files that were read. `latest` are the last values after the window.

    Raises:
        JobFailed: naming every component that cannot be used and why.
    """
    components, sensors = read.usable_components, active.detector.sensors
    usable = tuple(f"{name}\\" for name in components)
    earlier = _last_until(active, read, window.start, before=before)
    times = _fill_times(settings, active)
    carry = {
        sensor: last
        for sensor, last in times.recent(earlier, at=window.start).items()
        if sensor in sensors and sensor.startswith(usable)
    }
    known = tuple(
        sensor
        for sensor in sensors
        if sensor in carry or (sensor.startswith(usable) and latest.get(sensor, _NEVER)[1] > window.start)
    )
    wrong = list(stand_ins(components, carry, latest, window))
    told = {notice.sensor for notice in wrong}
    reporting = [
        sensor
        for sensor in known
        if sensor in told or not _is_silent(active.detector, sensor, latest[sensor][1], window)
    ]
    return WindowInput(
        components=components,
        carry=carry,
        sensors=known if settings.partial_inference else sensors,
        silent={
            sensor: what_cells_held(sensor, components, window, earlier.get(sensor), times)
            for sensor in sensors
            if sensor not in known and sensor.startswith(usable)
        },
        notices=(
            *unusable_files(components),
            *late_rows(components, before, window),
            *wrong,
            *silent_sensors(sensors, reporting, latest),
        ),
    )


def window_frame(
    settings: Settings,
    active: ActiveModel,
    data: WindowInput,
    window: InferenceWindow,
    *,
    most_rows: int | None,
) -> Frame:
    """Return the rows of the window; sensors without values have none in it.

    Raises:
        JobFailed: when the off condition or the model lacks a sensor, saying what its cells held, or there
            are more than `most_rows`.
    """
    times = _fill_times(settings, active)
    if active.off is not None and active.off.sensor not in data.sensors:
        raise JobFailed(
            f"the OffCondition of the model needs '{active.off.sensor}', which has no value in the window "
            f"{window} nor {times.words_of(active.off.sensor)}: upload a file with values for it"
        )
    lacking = [sensor for sensor in data.sensors if sensor in data.silent]
    if lacking:
        found = "; ".join(data.silent[sensor] for sensor in lacking[:_SHOWN])
        more = f"; and {len(lacking) - _SHOWN} more sensors" if len(lacking) > _SHOWN else ""
        raise JobFailed(
            f"the input of the window {window} cannot be used: {found}{more}. Every sensor of the model "
            f"needs a value in the window, or {times.words}: upload files with values for it"
        )
    try:
        frame = build_frame(
            {name: component.columns for name, component in data.components.items()},
            sensors=data.sensors,
            start=instant(window.start),
            end=instant(window.end),
            step_seconds=step_seconds(active.version),
            off=active.off,
            carry={sensor: LastValue(value, instant(at)) for sensor, (value, at) in data.carry.items()},
            fill_limits=active.detector.fill_limits,
        )
    except NoData as error:
        raise JobFailed(
            f"the input of the window {window} cannot be used: {plain(error)}. Upload files "
            "that have values in it"
        ) from error
    if most_rows is not None and len(frame.times) > most_rows:
        raise JobFailed(
            f"the window {window} has {len(frame.times):,} rows, more than the limit of {most_rows:,}: "
            "train the model with a coarser TargetSamplingRate, or raise the setting 'inference_rows' of the "
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
            fill_limits=active.detector.fill_limits,
        )
    except NoData:
        return None
    earlier = with_silent(replace(earlier, step=active.detector.step), active.detector.sensors)
    return active.detector.score(earlier).state


def _last_until(
    active: ActiveModel, read: InputRead, until: int, *, before: SchedulerState | None
) -> LastValues:
    """Return the last value of each sensor up to a time (epoch seconds): of the files, else as remembered."""
    found = values_in_files(
        read.components, active.detector.sensors, until=until, step_seconds=step_seconds(active.version)
    )
    return newer({} if before is None else before.carry, found)


def _is_silent(detector: Detector, sensor: str, seen: float, window: InferenceWindow) -> bool:
    """Return whether a sensor last seen at a time has no value in a window, nor does that one at its end."""
    limit = detector.fill_limits.get(sensor)
    return seen <= window.start and limit is not None and bool(instant(window.end) - instant(seen) > limit)


def _fill_times(settings: Settings, active: ActiveModel) -> FillTimes:
    return FillTimes.of(settings, active.detector.fill_limits)
