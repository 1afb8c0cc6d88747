"""Notices of an execution beyond those of scoring: about its files, and the state it continues from. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping

from engine import FileReport, Notice, rows_between, silence_notices
from service.clock import iso_seconds
from service.jobs.inference.fill_times import FillTimes
from service.jobs.inference.input_files import ComponentInput
from service.jobs.inference.known_values import LastValues
from service.jobs.inference.scheduler_state import SchedulerState
from service.jobs.times import epoch, instant
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


def stand_ins(
    components: Mapping[str, ComponentInput],
    carry: Collection[str],
    latest: LastValues,
    window: InferenceWindow,
) -> Iterator[Notice]:
    """Yield notices of sensors whose last value stands in, though not because they report on change.

    Their column is gone from the header, or their cells hold texts.

    Args:
        components: the input.
        carry: the sensors that have a value from before the window.
        latest: the last values after the window.
        window: the window.
    """
    for sensor in carry:
        if latest[sensor][1] > window.start:
            continue
        component, _, name = sensor.partition("\\")
        why = _why_none(name, components[component], window)
        if why is not None:
            text = f"sensor {sensor} has no value in the window: {why}. Its last value, of "
            text += f"{iso_seconds(latest[sensor][1])}, stands in for as long as the sensor usually pauses: "
            text += "correct the files"
            yield Notice(kind="no-values", sensor=sensor, text=text)


def _why_none(name: str, component: ComponentInput, window: InferenceWindow) -> str | None:
    """Return what the files with rows in the window say of a sensor without a value in it, if it is wrong."""
    current = {key: report for key, report in component.files.items() if _has_rows_in(report, window)}
    having = [report for report in current.values() if name in report.header]
    if not having:
        return _column_gone(name, component, current)
    texts = sum(report.invalid.get(name, 0) for report in having)
    return f"{texts:,} of its cells are not numbers{_invalid_example(name, current)}" if texts else None


def _column_gone(name: str, component: ComponentInput, current: Mapping[str, FileReport]) -> str | None:
    """Return that a header has changed: it has the name in another form, or no longer beside the others.

    A sensor with files of its own may be in none of the window, and files of other sensors beside it.
    """
    sensors = {each.sensor for each in component.report.sensors}
    any_known = any(not sensors.isdisjoint(report.header) for report in current.values())
    for key, report in current.items():
        alike = next(
            (
                column
                for column in report.header[1:]
                if column not in sensors and _plain(column) == _plain(name)
            ),
            None,
        )
        if alike is not None:
            return f"'{key}' calls its column {alike!r}, and names must match exactly"
        columns = sensors.intersection(report.header)
        for earlier, other in component.files.items():
            fewer = columns < sensors.intersection(other.header)
            if name in other.header and fewer and (columns or not any_known):
                return f"'{key}' has no such column, as '{earlier}' has"
    return None


def _has_rows_in(report: FileReport, window: InferenceWindow) -> bool:
    if report.start is None or report.end is None:
        return False
    return epoch(report.start) <= window.end and epoch(report.end) > window.start


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def what_cells_held(
    sensor: str,
    components: Mapping[str, ComponentInput],
    window: InferenceWindow,
    last: tuple[float, float] | None,
    times: FillTimes,
) -> str:
    """Return what the files say of a sensor without a value in the window: its cells, and its last value."""
    component, _, name = sensor.partition("\\")
    found = components[component]
    rows = rows_between(found.columns, instant(window.start), instant(window.end))
    seen = (
        "nor one in any row before that was read"
        if last is None
        else f"and its last one, of {iso_seconds(last[1])}, is too old: it may be {times.hours_of(sensor)} "
        "old at most"
    )
    cells = "the files have no such column" if name not in found.header else _cells_without_value(name, found)
    count = "1 row" if rows == 1 else f"{rows:,} rows"
    return f"sensor '{sensor}' has no value in the {count} of the window, {seen} ({cells})"


def _cells_without_value(name: str, component: ComponentInput) -> str:
    """Return what the cells of a sensor held that are no values, of all files read."""
    statistics = next(each for each in component.report.sensors if each.sensor == name)
    kinds = [f"{statistics.missing:,} empty"] if statistics.missing else []
    if statistics.invalid:
        kinds.append(f"{statistics.invalid:,} not a number{_invalid_example(name, component.files)}")
    return f"of its cells in the files read, {' and '.join(kinds)}"


def _invalid_example(name: str, files: Mapping[str, FileReport]) -> str:
    """Return the first cell of a sensor that is no number, with its place, as the end of a sentence."""
    found = (
        f", for example {repair.example!r} in line {repair.line} of '{key}'"
        for key, report in files.items()
        for repair in report.repairs
        if repair.kind == "invalid-cells" and repair.column == name
    )
    return next(found, "")


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
