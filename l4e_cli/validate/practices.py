"""Findings about data that can be read: what a training would stop at, and the practices of L4E's guide."""

from collections.abc import Generator, Iterable, Iterator

import numpy as np

from l4e_cli import words
from l4e_cli.files.service_rules import ADVISED_DAYS, LEAST_DAYS, Settings, repairs_of
from l4e_cli.interval import Interval
from l4e_cli.reader import SensorStatistics
from l4e_cli.validate.asset import Asset
from l4e_cli.validate.coverage import SensorCoverage
from l4e_cli.validate.result import ComponentResult, Finding, Severity

_LEAST_EVALUATION_DAYS, _LEAST_EVALUATION_SHARE = 14, 0.1
_MISSING_SHARE = 0.3
"""Share of missing or invalid cells above which a sensor is reported."""
_AGAIN = "add history, or train the model again every month until it has it"
_LEAST_VALUES = 10
"""Fewer values say nothing of how a sensor varies: six at random only rise or fall once in 360 times."""
_LOST_SHARE = 0.05
"""Share of the history that a sensor may lack at its start or end."""
_DAY = np.timedelta64(1, "D")


def sensor_findings(component: ComponentResult, span: Interval) -> Iterator[Finding]:
    """Yield what the service would stop at, and what the guide advises against, sensor by sensor.

    Args:
        component: A component.
        span: Time from the first to the last row of all components.
    """
    report, coverage = component.report, component.coverage
    if report is None or coverage is None:
        return
    if not any(sensor.data_exists for sensor in report.sensors):
        return  # said of the component as a whole
    if report.rows < _LEAST_VALUES:
        text = (
            f"it has {words.count(report.rows, 'row')}: too few to say how its sensors vary; give it all "
            "rows of the history"
        )
        yield Finding(severity="warning", rule="few-rows", where=component.name, text=text)
    merged = component.merged
    clocks = {
        found.repair.column
        for found in (repairs_of(merged) if merged else ())
        if found.repair.kind == "clock-column"
    }
    columns = {column for out in component.files if out.report is not None for column in out.report.header}
    for sensor in report.sensors:
        if sensor.sensor not in columns:
            continue  # a column of the asset that no file has
        for rule, text in _of_sensor(sensor, coverage.sensors[sensor.sensor], span, rows=report.rows):
            if rule == "monotonic" and sensor.sensor in clocks:
                continue  # said with what it counts
            severity: Severity = "error" if rule == "no-value" else "warning"
            yield Finding(severity=severity, rule=rule, where=f"{component.name}\\{sensor.sensor}", text=text)


def history_findings(span: Interval, asset: Asset | None) -> Iterator[Finding]:
    """Yield what the length of the history, or of the windows of an asset, means for a model."""
    if asset is None:
        yield from _history(span, "history", minimum=Settings().minimum_training_days)
        return
    training = yield from _cut("training", asset.training, span)
    evaluation = None
    if asset.evaluation is not None:
        evaluation = yield from _cut("evaluation", asset.evaluation, span)
    if training is not None:
        yield from _history(training, "training", minimum=asset.settings.minimum_training_days)
        if evaluation is not None:
            yield from _evaluation(training, evaluation)


def rate_findings(components: Iterable[ComponentResult], asset: Asset) -> Iterator[Finding]:
    """Yield the components that have fewer rows than the model samples."""
    for component in components:
        step = None if component.coverage is None else component.coverage.step
        if step is not None and asset.step is not None and step > asset.step:
            yield Finding(
                severity="note",
                rule="rate",
                where=component.name,
                text=f"a row every {words.step(step)}, but the model samples every {words.step(asset.step)}: "
                "each row stands until the next one",
            )


def _of_sensor(
    sensor: SensorStatistics, coverage: SensorCoverage, span: Interval, *, rows: int
) -> Iterator[tuple[str, str]]:
    """Yield rule and text of each finding."""
    if not sensor.data_exists or sensor.start is None or sensor.end is None:
        way_out = (
            "write numbers with a decimal point, without units, and states as 0 and 1, or leave it out"
            if sensor.invalid
            else "leave it out"
        )
        yield "no-value", f"no cell is a number: a model with this sensor could not be trained; {way_out}"
        return
    absent = sensor.missing + sensor.invalid
    if absent > _MISSING_SHARE * sensor.rows and coverage.filled.mean() < 1 - _MISSING_SHARE:
        text = (
            f"{words.percent(absent, sensor.rows)} of its cells have no number; its last value stands "
            "in for as long as it usually pauses. That is right for a sensor that reports on change only"
        )
        yield "missing", text
    if rows >= _LEAST_VALUES:  # else said of the component as a whole
        yield from _of_values(sensor, values=sensor.rows - absent, rows=rows)
    if sensor.large_gaps:
        gap = coverage.longest_gap
        longest = "" if gap is None else f", the longest {words.step(gap.length)}, {words.period(gap)}"
        text = (
            f"{words.count(sensor.large_gaps, 'gap')} of more than 30 days{longest}: rows without a value of "
            "it are not learned; train on one side of the gap, or leave the sensor out"
        )
        yield "large-gap", text
    start, end = np.datetime64(sensor.start), np.datetime64(sensor.end)
    lost = max(_DAY, span.length * _LOST_SHARE)
    if start - span.start > lost:
        text = (
            f"its first value is at {words.moment(start)}: a model learns only from the time on at which all "
            "of its sensors have a value; leave it out, or train from there"
        )
        yield "late-start", text
    if span.end - end > lost:
        text = (
            f"it is silent since {words.moment(end)}: inference needs a value of every sensor; leave it out "
            "if it does not come back"
        )
        yield "early-end", text


def _of_values(sensor: SensorStatistics, *, values: int, rows: int) -> Iterator[tuple[str, str]]:
    """Yield what is to be said of how the values of a sensor vary."""
    if sensor.monotonicity == "STATIC":
        yield "constant", "it never changes: a model learns nothing from it; leave it out"
    elif values < _LEAST_VALUES:
        text = f"it has a value in {values} of {rows:,} rows only: too few to say how it varies"
        yield "few-rows", text
    elif sensor.monotonicity is not None:
        way = "rises" if sensor.monotonicity == "INCREASING" else "falls"
        text = (
            f"it only ever {way}, as a counter of hours does: its coming values are unlike all that were "
            "learned; leave it out, or use its change over time"
        )
        yield "monotonic", text
    elif sensor.categories is not None:
        text = (
            f"it has {words.count(sensor.categories, 'value')} only, as a switch or a set point does; L4E "
            "advises measurements that vary"
        )
        yield "categorical", text


def _cut(name: str, window: Interval, span: Interval) -> Generator[Finding, None, Interval | None]:
    """Yield what is wrong with a window, and return the part of it that has data; None without any."""
    if not window.overlaps(span):
        yield Finding(
            severity="error",
            rule="empty-window",
            where=name,
            text=f"no data lies in the window {words.period(window)}; the data goes from "
            f"{words.period(span)}: choose another window, or upload the data of this one",
        )
        return None
    cut = window.clipped_to(span)
    if window.start < cut.start - _DAY or cut.end + _DAY < window.end:
        yield Finding(
            severity="warning",
            rule="window-beyond-data",
            where=name,
            text=f"the window {words.period(window)} is longer than the data, {words.period(span)}",
        )
    return cut


def _history(span: Interval, where: str, *, minimum: float | None) -> Iterator[Finding]:
    found = f"{words.step(span.length)} of data"
    if minimum is not None and span.days < minimum:
        yield Finding(
            severity="error",
            rule="short-history",
            where=where,
            text=f"{found}, less than the {minimum:g} days that a training needs: add history, or lower "
            "minimum_training_days in the settings of the service",
        )
    elif span.days < LEAST_DAYS:
        yield Finding(
            severity="warning",
            rule="short-history",
            where=where,
            text=f"{found}. Below {LEAST_DAYS} days a model rarely knows all that is normal; L4E asks for "
            f"{ADVISED_DAYS}: {_AGAIN}",
        )
    elif span.days < ADVISED_DAYS:
        yield Finding(
            severity="warning",
            rule="short-history",
            where=where,
            text=f"{found}; L4E asks for {ADVISED_DAYS} days, and for a year if the machine has seasons: "
            f"{_AGAIN}",
        )


def _evaluation(training: Interval, evaluation: Interval) -> Iterator[Finding]:
    if training.start < evaluation.end and evaluation.start < training.end:
        yield Finding(
            severity="warning",
            rule="overlapping-windows",
            where="evaluation",
            text="it overlaps the training window: a model looks better on data that it has learned",
        )
    if evaluation.days < max(_LEAST_EVALUATION_DAYS, _LEAST_EVALUATION_SHARE * training.days):
        yield Finding(
            severity="warning",
            rule="short-evaluation",
            where="evaluation",
            text=f"{words.step(evaluation.length)} of data after {words.step(training.length)} of training: "
            "too little to see faults and false alarms; give it "
            f"{_LEAST_EVALUATION_DAYS} days, and a tenth of the training",
        )
