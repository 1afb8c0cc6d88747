"""The data of a demo: the history of an asset, how it is split, and the new data that comes afterwards."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from l4e_cli.demo.findings import Evaluation
from l4e_cli.demo.pump import Fault, Pump
from l4e_cli.demo.recording import Recording, duration_seconds, snap, typical_step
from l4e_cli.demo.replay import sensors_without_values, shift_to, with_last_values
from l4e_cli.errors import CliError
from l4e_cli.interval import Interval

_RATES = ("PT1S", "PT5S", "PT10S", "PT15S", "PT30S", "PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT1H")
_FREQUENCIES = ("PT5M", "PT10M", "PT15M", "PT30M", "PT1H")
_SECOND = np.timedelta64(1, "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(ABC):
    """One asset and its data."""

    asset: str
    """Name of the asset and of its stack."""
    history: Recording
    training: Interval
    evaluation: Interval
    sampling_rate: str
    off_condition: str | None
    left_out: tuple[str, ...] = ()
    """Sensors that the model goes without: they have no value in one of its windows."""

    @property
    def frequency(self) -> str:
        """How often inference runs: every five minutes, or as often as there is a row."""
        step = duration_seconds(self.sampling_rate)
        return next(text for text in _FREQUENCIES if duration_seconds(text) >= step)

    @property
    def step(self) -> np.timedelta64:
        """Step of the model."""
        return np.timedelta64(duration_seconds(self.sampling_rate), "s")

    @property
    @abstractmethod
    def assets_file(self) -> str | None:
        """Content of the file that declares the asset; None when the app declares it already."""

    @abstractmethod
    def fresh(self, window: Interval, covered: Interval, evaluation: Evaluation) -> Recording:
        """Return sensor data for `covered` in which an anomaly begins inside `window`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpScenario(Scenario):
    """The pump that the app declares, with impellers that wear out."""

    pump: Pump

    @property
    def assets_file(self) -> str | None:
        """None: the app declares the pump."""
        return None

    def fresh(self, window: Interval, covered: Interval, evaluation: Evaluation) -> Recording:  # noqa: ARG002
        """Return data of the pump, a vane of which breaks in the second fifth of the window."""
        breaks = window.start + (window.end - window.start) // 5
        fault = Fault(period=Interval(start=breaks + _SECOND, end=covered.end), ramp_minutes=0)
        warm_up = np.timedelta64(1, "D")  # so that temperatures are those of a running pump
        span = Interval(start=covered.start - warm_up, end=covered.end)
        part = self.pump.record(span, [fault], high_from=span.start)
        return Recording(components=(part.between(covered),), labels=(fault.period,))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayScenario(Scenario):
    """Recorded files; the new data is the period around their main event, moved to now."""

    @property
    def assets_file(self) -> str | None:
        """Declaration of the asset with what the files show."""
        lines = [
            "[service.limits]",
            "minimum_training_days = 0 # recordings are often shorter than the service would ask for",
            "",
            f"[assets.{self.asset}]",
            f"labelled = {str(bool(self.history.labels)).lower()}",
            "diagnostics = true",
            f'data_upload_frequency = "{self.frequency}"',
            f'target_sampling_rate = "{self.sampling_rate}"',
            f"training = {_toml_range(self.training)}",
            f"evaluation = {_toml_range(self.evaluation)}",
            'removal_policy = "destroy" # nothing stays when the stack is deleted',
        ]
        if self.off_condition is not None:
            lines.append(f"off_condition = '{self.off_condition}'")
        lines += ["", f"[assets.{self.asset}.sensors]"]
        for part in self.history.components:
            sensors = ", ".join(f'"{sensor}"' for sensor in part.sensors)
            lines.append(f'"{part.name}" = [{sensors}]')
        return "\n".join([*lines, ""])

    def fresh(self, window: Interval, covered: Interval, evaluation: Evaluation) -> Recording:
        """Return the rows around an event, moved into `window`, where all sensors have a value."""
        moved = shift_to(window, self.history, evaluation, self.evaluation, self.step)
        source = Interval(start=covered.start - moved, end=covered.end - moved)
        parts = (
            with_last_values(part, source, window.start - moved).shifted(moved)
            for part in self.history.components
        )
        labels = (
            Interval(start=label.start + moved, end=label.end + moved)
            for label in self.history.labels
            if label.overlaps(source)
        )
        return Recording(components=tuple(parts), labels=tuple(labels))


def pump_scenario() -> PumpScenario:
    """Return three months of a pump with two faults in the training and two in the evaluation window."""
    faults = [
        _fault("2026-07-20T08:00", "2026-07-20T16:00"),
        _fault("2026-08-12T02:00", "2026-08-12T12:00"),
        _fault("2026-09-09T06:00", "2026-09-09T18:00"),
        _fault("2026-09-22T06:00", "2026-09-22T16:00"),
    ]
    training = _interval("2026-07-01", "2026-09-01")
    evaluation = _interval("2026-09-01", "2026-10-01")
    pump = Pump()
    history = pump.record(Interval(start=training.start, end=evaluation.end), faults)
    return PumpScenario(
        asset="Pump1",
        history=Recording(components=(history,), labels=tuple(fault.period for fault in faults)),
        training=training,
        evaluation=evaluation,
        sampling_rate="PT1M",
        off_condition=f"{pump.component}\\Speed < 100",
        pump=pump,
    )


def replay_scenario(
    recording: Recording, *, name: str, train_until: np.datetime64 | None, off_condition: str | None
) -> ReplayScenario:
    """Return a recording split in two: training comes first, evaluation is the rest.

    Training ends at `train_until`. By default it ends a fifth before the first label when a quarter of the
    recording lies before that label, so that it is healthy data, and else in the middle of the recording.

    Raises:
        CliError: when `train_until` is not inside the recording, or no sensor has values for training and
            evaluation.
    """
    span = recording.span
    rate = snap(typical_step(part.times for part in recording.components), _RATES)
    end = _default_split(recording) if train_until is None else train_until
    if not span.start < end < span.end:
        raise CliError(
            f"training cannot end at {end}: choose a time inside the data, which runs from {span.start} to "
            f"{span.end}"
        )
    training = Interval(start=_floor(span.start), end=_floor(end))
    evaluation = Interval(start=_floor(end), end=_floor(span.end) + _SECOND)
    left_out = sensors_without_values(recording, [training, evaluation])
    if len(left_out) == len(recording.sensor_ids):
        raise CliError(
            f"no sensor has a value both before and after {end}, where training ends: choose another time "
            "with --train-until"
        )
    return ReplayScenario(
        asset=_stack_name(name),
        history=recording.without(left_out),
        training=training,
        evaluation=evaluation,
        sampling_rate=rate,
        off_condition=off_condition,
        left_out=left_out,
    )


def _default_split(recording: Recording) -> np.datetime64:
    span = recording.span
    length = span.end - span.start
    first = min((label.start for label in recording.labels), default=span.start)
    if first - span.start >= length // 4:
        return span.start + (first - span.start) * 4 // 5
    return span.start + length // 2


def _fault(start: str, end: str) -> Fault:
    return Fault(period=_interval(start, end))


def _interval(start: str, end: str) -> Interval:
    return Interval(start=np.datetime64(start, "s"), end=np.datetime64(end, "s"))


def _floor(time: np.datetime64) -> np.datetime64:
    return np.datetime64(str(time), "s")


def _stack_name(name: str) -> str:
    legal = re.sub(r"[^0-9A-Za-z]+", "-", name).strip("-")
    return legal if legal[:1].isalpha() else f"Asset-{legal}"


def _toml_range(interval: Interval) -> str:
    return f"{{ start = {interval.start}Z, end = {interval.end}Z }}"
