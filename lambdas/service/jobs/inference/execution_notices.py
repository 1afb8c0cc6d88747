"""What an execution says about its input beyond what scoring notices: the files, and the memory. Pure."""

from collections.abc import Collection, Mapping

from engine import Notice, rows_between, silence_notices
from service.clock import iso_seconds
from service.jobs.inference.input_files import Component
from service.jobs.inference.scheduler_state import Memory
from service.jobs.inference.windows import Window
from service.jobs.times import instant


def forgotten(why: str) -> Notice:
    """Earlier windows could not be continued from."""
    return Notice(kind="no-state", sensor=None, text=f"{why}: scoring starts afresh")


def silent(sensors: tuple[str, ...], known: Collection[str], before: Memory | None) -> list[Notice]:
    """The sensors that have neither a value in the window nor a recent one before it."""
    carry = {} if before is None else before.carry
    heard = {sensor: instant(stamp) for sensor, (_, stamp) in carry.items()}
    return silence_notices(sensors, [sensor for sensor in sensors if sensor not in known], heard)


def late(components: Mapping[str, Component], before: Memory | None, window: Window) -> list[Notice]:
    """Rows of earlier windows that were not there when those were inferred. They are not scored any more."""
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
