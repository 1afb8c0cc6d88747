"""What the service found for an asset, read from the documents that it writes."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from l4e_cli.demo.recording import Times, Values
from l4e_cli.interval import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedRange:
    r"""A period that the model finds anomalous, and the share of each sensor (`component\sensor`) in it."""

    period: Interval
    shares: Mapping[str, float]

    @property
    def top(self) -> list[tuple[str, float]]:
        """Sensors and shares, largest first."""
        return sorted(self.shares.items(), key=lambda item: -item[1])

    @classmethod
    def of_event(cls, event: Mapping[str, Any]) -> "PredictedRange":
        """Read an event of `ListInferenceEvents`."""
        start, end = (
            np.datetime64(event[member].astimezone(dt.UTC).replace(tzinfo=None), "ms")
            for member in ("EventStartTime", "EventEndTime")
        )
        return cls(period=Interval(start=start, end=end), shares=_shares(json.loads(event["Diagnostics"])))


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarisedEvent:
    """An event, which joins ranges close to each other, with a sentence about it."""

    period: Interval
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The `ModelMetrics` of a model: its results on the evaluation window."""

    labels: tuple[Interval, ...]
    ranges: tuple[PredictedRange, ...]
    identified: int
    warning_seconds: float
    unknown: int
    """Ranges outside of labels."""
    unknown_seconds: float
    events: tuple[SummarisedEvent, ...] = ()
    """The events, each with a sentence; AWS's own service has none."""
    labels_left_out: int = 0
    ranges_left_out: int = 0
    """Shorter ones, for which a document of very many has no room."""

    @classmethod
    def from_metrics(cls, text: str) -> "Evaluation":
        """Read the JSON document of `DescribeModel`."""
        document = json.loads(text)
        labelled = document["labeled_event_metrics"]
        left_out = document.get("left_out", {})
        return cls(
            labels=tuple(_interval(item) for item in document["labeled_ranges"]),
            ranges=tuple(
                PredictedRange(period=_interval(item), shares=_shares(item["diagnostics"]))
                for item in document["predicted_ranges"]
            ),
            identified=int(labelled["num_identified"]),
            warning_seconds=float(labelled["total_warning_time_in_seconds"]),
            unknown=int(document["unknown_event_metrics"]["num_identified"]),
            unknown_seconds=float(document["unknown_event_metrics"]["total_duration_in_seconds"]),
            events=tuple(
                SummarisedEvent(period=_interval(item), summary=item["summary"])
                for item in document.get("events", [])
            ),
            labels_left_out=left_out.get("labeled_ranges", 0),
            ranges_left_out=left_out.get("predicted_ranges", 0),
        )

    @property
    def all_labels(self) -> int:
        """Number of the labels in the window, also of those that are not listed."""
        return len(self.labels) + self.labels_left_out

    def ranges_in(self, period: Interval) -> list[PredictedRange]:
        """Return the ranges that overlap `period`."""
        return [found for found in self.ranges if found.period.overlaps(period)]

    def main_event(self) -> Interval | None:
        """Return the labelled fault that was flagged longest, else the longest range, or None without any."""

        def flagged(label: Interval) -> float:
            parts = (found.period.clipped_to(label) for found in self.ranges_in(label))
            return float(sum((part.end - part.start) / np.timedelta64(1, "s") for part in parts))

        found = [label for label in self.labels if self.ranges_in(label)]
        if found:
            return max(found, key=flagged)
        periods = [item.period for item in self.ranges]
        return max(periods, key=lambda period: period.end - period.start) if periods else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Result lines: one row per time, NaN where the machine was off."""

    times: Times
    scores: Values
    anomalous: np.ndarray[tuple[int], np.dtype[np.bool_]]
    sensors: tuple[str, ...]
    shares: Values

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "Scored":
        """Read `results.jsonl` or pointwise diagnostics."""
        rows = sorted((json.loads(line) for line in lines if line.strip()), key=lambda row: row["timestamp"])
        sensors = next(
            (tuple(item["name"] for item in row["diagnostics"]) for row in rows if "diagnostics" in row), ()
        )
        off = [float("nan")] * len(sensors)
        return cls(
            times=np.array([row["timestamp"] for row in rows], dtype="datetime64[ms]"),
            scores=np.array([row.get("anomaly_score", float("nan")) for row in rows], dtype=np.float64),
            anomalous=np.array([row["prediction"] == 1 for row in rows], dtype=np.bool_),
            sensors=sensors,
            shares=np.array(
                [
                    [item["value"] for item in row["diagnostics"]] if "diagnostics" in row else off
                    for row in rows
                ],
                dtype=np.float64,
            ).reshape(len(rows), len(sensors)),
        )

    def ranges(self, step: np.timedelta64) -> list[PredictedRange]:
        """Return the ranges of anomalous rows that follow each other, at most `step` apart."""
        found: list[PredictedRange] = []
        run: list[int] = []
        for row in np.flatnonzero(self.anomalous).tolist():
            if run and (row != run[-1] + 1 or self.times[row] - self.times[run[-1]] > step):
                found.append(self._range(run))
                run = []
            run.append(row)
        return [*found, self._range(run)] if run else found

    def _range(self, rows: Sequence[int]) -> PredictedRange:
        means = self.shares[list(rows)].mean(axis=0).tolist()
        return PredictedRange(
            period=Interval(start=self.times[rows[0]], end=self.times[rows[-1]]),
            shares=dict(zip(self.sensors, means, strict=True)),
        )


def combined_shares(ranges: Iterable[PredictedRange]) -> list[tuple[str, float]]:
    """Return sensors and their mean share over `ranges`, weighted by length, largest first."""
    total: dict[str, float] = {}
    weights = 0.0
    for found in ranges:
        weight = 1.0 + float((found.period.end - found.period.start) / np.timedelta64(1, "s"))
        weights += weight
        for sensor, share in found.shares.items():
            total[sensor] = total.get(sensor, 0.0) + weight * share
    return sorted(((sensor, value / weights) for sensor, value in total.items()), key=lambda item: -item[1])


def _shares(diagnostics: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    return {share["name"]: float(share["value"]) for share in diagnostics}


def _interval(item: Mapping[str, str]) -> Interval:
    return Interval(start=np.datetime64(item["start"], "ms"), end=np.datetime64(item["end"], "ms"))
