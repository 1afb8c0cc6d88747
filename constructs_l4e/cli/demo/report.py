"""What a demo tells on the terminal."""

import datetime as dt
from collections.abc import Iterable, Sequence

import numpy as np

from constructs_l4e.cli.demo.findings import Evaluation, PredictedRange
from constructs_l4e.cli.demo.recording import Interval, Recording
from constructs_l4e.cli.terminal import Terminal

_MOST_RANGES = 8
_MOST_SENSORS = 3


def show_history(terminal: Terminal, history: Recording, *, where: str) -> None:
    """What was uploaded."""
    rows = sum(part.times.size for part in history.components)
    terminal.done(
        f"history uploaded: {_count(rows, 'row')}, {_count(len(history.sensor_ids), 'sensor')}, "
        f"{_count(len(history.labels), 'labelled fault')}, to {where}"
    )


def show_evaluation(terminal: Terminal, evaluation: Evaluation, window: Interval) -> None:
    """How the model does on data it was not trained on."""
    terminal.heading(f"Evaluation of the model, {_day(window.start)} to {_day(window.end)}")
    if evaluation.labels:
        terminal.line(f"  labelled faults found: {evaluation.identified} of {len(evaluation.labels)}")
        if evaluation.identified:
            hours = evaluation.warning_seconds / evaluation.identified / 3600
            terminal.line(f"  warning before their end: {hours:.1f} h on average")
        terminal.line(
            f"  anomalous periods outside of labels: {evaluation.unknown}, "
            f"{evaluation.unknown_seconds / 3600:.1f} h in all"
        )
    longest = sorted(evaluation.ranges, key=lambda found: found.period.start - found.period.end)[
        :_MOST_RANGES
    ]
    for found in sorted(longest, key=lambda found: found.period.start):
        labelled = any(found.period.overlaps(label) for label in evaluation.labels)
        terminal.line(f"  {_period(found.period):<50} {'fault' if labelled else '     '}  {_sensors(found)}")
    others = len(evaluation.ranges) - len(longest)
    if others > 0:
        terminal.line(f"  and {others} shorter ones")
    if not evaluation.ranges:
        terminal.line("  no anomalous period")


def show_anomalies(terminal: Terminal, ranges: Sequence[PredictedRange], *, rows: int) -> None:
    """What inference found in fresh data."""
    if not ranges:
        terminal.line(f"  {_count(rows, 'row')}, none anomalous")
        return
    for found in ranges:
        terminal.line(f"  anomalous: {_period(found.period)}", style="bold")
        for sensor, share in found.top[:_MOST_SENSORS]:
            terminal.line(f"    {share:6.1%}  {sensor}")


def show_alarms(terminal: Terminal, states: Iterable[tuple[str, str]]) -> None:
    """The CloudWatch alarms and their states."""
    terminal.heading("Alarms")
    for name, state in states:
        terminal.line(f"  {state:<18} {name}", style="red" if state == "ALARM" else None)


def utc(time: dt.datetime) -> str:
    """Hour and minute."""
    return f"{time.astimezone(dt.UTC):%H:%M}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _sensors(found: PredictedRange) -> str:
    return ", ".join(f"{sensor} {share:.0%}" for sensor, share in found.top[:_MOST_SENSORS])


def _period(period: Interval) -> str:
    start = str(period.start.astype("datetime64[s]")).replace("T", " ")
    end = str(period.end.astype("datetime64[s]")).replace("T", " ")
    if start[:10] == end[:10]:
        end = end[11:]
    return f"{start} to {end} ({_length(period)})" if period.end > period.start else start


def _length(period: Interval) -> str:
    seconds = float((period.end - period.start) / np.timedelta64(1, "s"))
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"


def _day(time: np.datetime64) -> str:
    return str(time.astype("datetime64[m]")).replace("T", " ")
