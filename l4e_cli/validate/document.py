"""The result of `l4e validate` as a JSON document."""

from dataclasses import asdict
from typing import Any

import numpy as np

from l4e_cli.files.labels import LabelGroupFile, fault_periods
from l4e_cli.interval import Interval
from l4e_cli.reader import SensorStatistics
from l4e_cli.validate.coverage import SensorCoverage
from l4e_cli.validate.result import ComponentResult, Result


def document(result: Result) -> dict[str, Any]:
    """Return the result in types that JSON has. Times are ISO 8601 in UTC, lengths are seconds."""
    return {
        "place": result.place,
        "asset": None if result.asset is None else result.asset.name,
        "errors": len(result.of("error")),
        "warnings": len(result.of("warning")),
        "components": [_component(component) for component in result.components],
        "labels": {
            "files": list(result.labels.names),
            "periods": [_interval(period) for period in fault_periods(result.labels.found)],
        },
        "label_group": None if result.label_group is None else _label_group(result.label_group),
        "findings": [asdict(found) for found in result.findings],
    }


def _label_group(group: LabelGroupFile) -> dict[str, Any]:
    return {
        "file": group.name,
        "labels": [
            {
                "start": label.period.start.isoformat(),
                "end": label.period.end.isoformat(),
                "rating": label.rating,
                "fault_code": label.fault_code,
                "equipment": label.equipment,
                "notes": label.notes,
            }
            for label in group.labels
        ],
    }


def _component(component: ComponentResult) -> dict[str, Any]:
    report, coverage = component.report, component.coverage
    found: dict[str, Any] = {
        "name": component.name,
        "files": [
            {
                "name": outcome.file.name,
                "bytes": outcome.file.size,
                "rows": None if outcome.report is None else outcome.report.rows,
                "refused": outcome.refusal,
                "repairs": []
                if outcome.report is None
                else [asdict(each) for each in outcome.report.repairs],
                "notes": [] if outcome.report is None else list(outcome.report.notes),
            }
            for outcome in component.files
        ],
    }
    if report is None or coverage is None:
        return found
    return found | {
        "rows": report.rows,
        "start": report.start,
        "end": report.end,
        "duplicates": report.duplicates,
        "unusable_timestamps": report.unsupported_timestamps,
        "step_seconds": _seconds(coverage.step),
        "gaps": [_interval(gap) for gap in coverage.gaps],
        "sensors": [_sensor(sensor, coverage.sensors[sensor.sensor]) for sensor in report.sensors],
    }


def _sensor(statistics: SensorStatistics, coverage: SensorCoverage) -> dict[str, Any]:
    gap = coverage.longest_gap
    return {
        "name": statistics.sensor,
        "values": coverage.values,
        "missing": statistics.missing,
        "invalid": statistics.invalid,
        "start": statistics.start,
        "end": statistics.end,
        "step_seconds": _seconds(coverage.step),
        "longest_gap": None if gap is None else _interval(gap),
        "categories": statistics.categories,
        "monotonicity": statistics.monotonicity,
        "multiple_modes": statistics.multiple_modes,
    }


def _interval(period: Interval) -> dict[str, Any]:
    return {
        "start": str(period.start.astype("datetime64[us]")),
        "end": str(period.end.astype("datetime64[us]")),
        "seconds": _seconds(period.length),
    }


def _seconds(span: np.timedelta64 | None) -> float | None:
    return None if span is None else float(span / np.timedelta64(1, "s"))
