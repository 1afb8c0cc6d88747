"""What a demo shows on the terminal."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from l4e_cli import words
from l4e_cli.demo.findings import Evaluation, PredictedRange
from l4e_cli.demo.live import ALARM_SECONDS, Alarm
from l4e_cli.demo.recording import Recording
from l4e_cli.interval import Interval
from l4e_cli.terminal import Terminal

_MOST_RANGES = 8
_MOST_SENSORS = 3
_Found = TypeVar("_Found")


def show_history(terminal: Terminal, history: Recording, *, where: str, left_out: Sequence[str] = ()) -> None:
    """Show what was uploaded, and which sensors a model goes without."""
    rows = sum(part.times.size for part in history.components)
    terminal.done(
        f"history uploaded: {words.count(rows, 'row')}, {words.count(len(history.sensor_ids), 'sensor')}, "
        f"{words.count(len(history.labels), 'labelled fault')}, to {where}"
    )
    for sensor in left_out:
        terminal.line(f"  {sensor} left out: it has no value for training or none for the evaluation")


def show_evaluation(terminal: Terminal, evaluation: Evaluation, window: Interval) -> None:
    """Show how the model does on data that it was not trained on."""
    terminal.heading(f"Evaluation of the model, {_day(window.start)} to {_day(window.end)}")
    if evaluation.labels:
        terminal.line(f"  labelled faults found: {evaluation.identified} of {evaluation.all_labels}")
        if evaluation.identified:
            warning = words.length(evaluation.warning_seconds / evaluation.identified)
            terminal.line(f"  warning before their end: {warning} on average")
        terminal.line(
            f"  anomalous periods outside of labels: {evaluation.unknown}, "
            f"{words.length(evaluation.unknown_seconds)} in all"
        )
    events = [(event.period, event.summary) for event in evaluation.events]
    listed = events or [(found.period, _sensors(found)) for found in evaluation.ranges]
    for period, text in _longest(listed, lambda each: each[0]):
        labelled = any(period.overlaps(label) for label in evaluation.labels)
        terminal.line(f"  {_period(period):<50} {'fault' if labelled else '     '}  {text}")
    _show_others(terminal, listed)
    if evaluation.ranges_left_out:
        terminal.line(
            f"  {words.count(evaluation.ranges_left_out, 'anomalous period')} beside the longest "
            f"{len(evaluation.ranges)} left out of ModelMetrics, which has no room for more"
        )
    if not evaluation.ranges:
        terminal.line("  no anomalous period")


def show_anomalies(terminal: Terminal, ranges: Sequence[PredictedRange], *, rows: int) -> None:
    """Show what inference found in new data."""
    if not ranges:
        terminal.line(f"  {words.count(rows, 'row')}, none anomalous")
        return
    for found in _longest(ranges, lambda each: each.period):
        terminal.line(f"  anomalous: {_period(found.period)}", style="bold")
        for sensor, share in found.top[:_MOST_SENSORS]:
            terminal.line(f"    {share:6.1%}  {sensor}")
    _show_others(terminal, ranges)


def show_events(terminal: Terminal, events: Sequence[PredictedRange]) -> None:
    """Show the events that the service keeps for a scheduler."""
    for found in events:
        terminal.line(f"  event: {_period(found.period)}, {_sensors(found)}")
    if not events:
        terminal.line("  events: none yet, an event is an anomaly of more than five minutes")


def show_alarms(terminal: Terminal, alarms: Iterable[Alarm], expected: Mapping[str, str]) -> None:
    """Show the CloudWatch alarms, their states, and where by its metric another state was `expected`."""
    terminal.heading("Alarms")
    for alarm in alarms:
        wanted = expected.get(alarm.metric, alarm.state)
        note = "" if alarm.state == wanted else f"  (still not {wanted} {ALARM_SECONDS} s after inference)"
        style = "red" if alarm.state == "ALARM" else None
        terminal.line(f"  {alarm.state:<18} {alarm.name}{note}", style=style)


def _longest(found: Sequence[_Found], period: Callable[[_Found], Interval]) -> list[_Found]:
    """Return the longest of what was found, in order of time."""
    longest = sorted(found, key=lambda each: period(each).start - period(each).end)[:_MOST_RANGES]
    return sorted(longest, key=lambda each: period(each).start)


def _show_others(terminal: Terminal, found: Sequence[object]) -> None:
    others = len(found) - _MOST_RANGES
    if others > 0:
        terminal.line(f"  and {others} shorter {'one' if others == 1 else 'ones'}")


def utc(time: dt.datetime) -> str:
    """Return hour and minute in UTC."""
    return f"{time.astimezone(dt.UTC):%H:%M}"


def _sensors(found: PredictedRange) -> str:
    return ", ".join(f"{sensor} {share:.0%}" for sensor, share in found.top[:_MOST_SENSORS])


def _period(period: Interval) -> str:
    start = str(period.start.astype("datetime64[s]")).replace("T", " ")
    end = str(period.end.astype("datetime64[s]")).replace("T", " ")
    if start[:10] == end[:10]:
        end = end[11:]
    seconds = float((period.end - period.start) / np.timedelta64(1, "s"))
    return f"{start} to {end} ({words.length(seconds)})" if seconds else start


def _day(time: np.datetime64) -> str:
    return str(time.astype("datetime64[m]")).replace("T", " ")
