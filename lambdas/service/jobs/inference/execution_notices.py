"""Notices of an execution beyond those of scoring: about its files, and the state it continues from. Pure."""

from collections.abc import Collection, Mapping

from engine import Notice, rows_between, silence_notices
from service.clock import iso_seconds
from service.jobs.inference.input_files import ComponentInput
from service.jobs.inference.known_values import LastValues
from service.jobs.inference.scheduler_state import SchedulerState
from service.jobs.times import instant
from service.schedulers.inference_windows import InferenceWindow


def state_lost(why: str) -> Notice:
    """Return the notice that scoring could not continue from earlier windows."""
    return Notice(kind="no-state", sensor=None, text=f"{why}: scoring starts afresh")


def silent_sensors(sensors: tuple[str, ...], known: Collection[str], last: LastValues) -> list[Notice]:
    """Return notices of the sensors that have neither a value in the window nor a recent one before it.

    `known` are the sensors that have one, `last` the values that any sensor ever had.
    """
    last_seen = {sensor: instant(time) for sensor, (_, time) in last.items()}
    return silence_notices(sensors, [sensor for sensor in sensors if sensor not in known], last_seen)


def unusable_files(components: Mapping[str, ComponentInput]) -> list[Notice]:
    """Return notices of files that could not be read, beside others of their component that could."""
    return [
        Notice(kind="unusable-file", sensor=None, text=f"file '{key}' was left out: {reason}")
        for component in components.values()
        for key, reason in component.discarded.items()
    ]


def what_cells_held(
    sensor: str,
    components: Mapping[str, ComponentInput],
    window: InferenceWindow,
    last: tuple[float, float] | None,
) -> str:
    """Return what the files say of a sensor without a value in the window: its cells, and its last value."""
    component, _, name = sensor.partition("\\")
    found = components[component]
    rows = rows_between(found.columns, instant(window.start), instant(window.end))
    seen = (
        "nor one in any row before that was read"
        if last is None
        else f"and its last one, of {iso_seconds(last[1])}, is too old"
    )
    cells = "the files have no such column" if name not in found.header else _cells_without_value(name, found)
    count = "1 row" if rows == 1 else f"{rows:,} rows"
    return f"sensor '{sensor}' has no value in the {count} of the window, {seen} ({cells})"


def _cells_without_value(name: str, component: ComponentInput) -> str:
    """Return what the cells of a sensor held that are no values, of all files read."""
    statistics = next(each for each in component.report.sensors if each.sensor == name)
    kinds = [f"{statistics.missing:,} empty"] if statistics.missing else []
    if statistics.invalid:
        text = f"{statistics.invalid:,} not a number"
        found = [
            f", for example {repair.example!r} in line {repair.line} of '{key}'"
            for key, report in component.files.items()
            for repair in report.repairs
            if repair.kind == "invalid-cells" and repair.column == name
        ]
        example = found[0] if found else ""
        kinds.append(text + example)
    return f"of its cells in the files read, {' and '.join(kinds)}"


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
