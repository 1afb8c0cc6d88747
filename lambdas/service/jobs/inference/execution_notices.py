"""Notices of an execution beyond those of scoring: about its files, and the state it continues from. Pure."""

from collections.abc import Collection, Mapping

from engine import Notice, rows_between, silence_notices
from service.clock import iso_seconds
from service.jobs.inference.input_files import ComponentInput
from service.jobs.inference.scheduler_state import SchedulerState
from service.jobs.inference.windows import InferenceWindow
from service.jobs.times import instant


def state_lost(why: str) -> Notice:
    """Return the notice that scoring could not continue from earlier windows."""
    return Notice(kind="no-state", sensor=None, text=f"{why}: scoring starts afresh")


def silent_sensors(
    sensors: tuple[str, ...], known: Collection[str], before: SchedulerState | None
) -> list[Notice]:
    """Return notices of the sensors that have neither a value in the window nor a recent one before it.

    `known` are the sensors that have one.
    """
    carry = {} if before is None else before.carry
    last_seen = {sensor: instant(stamp) for sensor, (_, stamp) in carry.items()}
    return silence_notices(sensors, [sensor for sensor in sensors if sensor not in known], last_seen)


def late_rows(
    components: Mapping[str, ComponentInput], before: SchedulerState | None, window: InferenceWindow
) -> list[Notice]:
    """Return notices of rows of earlier windows that came after those were inferred. They are not scored."""
    if before is None:
        return []
    notices = []
    for name, component in components.items():
        stamps = [stamp for sensor, (_, stamp) in before.carry.items() if sensor.startswith(f"{name}\\")]
        last = max(stamps, default=None)
        if last is None or last >= window.start:
            continue
        count = rows_between(component.columns, instant(last), instant(window.start))
        if count:
            rows = "1 row" if count == 1 else f"{count} rows"
            when = f"after {iso_seconds(last)} and up to {iso_seconds(window.start)}"
            text = (
                f"component {name}: {rows} {when} came when its window was over, not scored: upload files "
                "earlier, with all rows of their window, or raise DataDelayOffsetInMinutes"
            )
            notices.append(Notice(kind="late-rows", sensor=None, text=text))
    return notices
