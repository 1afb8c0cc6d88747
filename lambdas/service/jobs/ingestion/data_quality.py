"""What ingestion found, as the API reports it: sensor statistics and the data quality summary. Pure."""

from collections.abc import Mapping
from typing import Any

from engine import ComponentReport, SensorStatistics
from service.jobs.times import epoch

_ISSUE, _NO_ISSUE = "POTENTIAL_ISSUE_DETECTED", "NO_ISSUE_DETECTED"


def sensor_statistics(
    reports: Mapping[str, ComponentReport], *, start: float, end: float
) -> list[dict[str, Any]]:
    """Return the `SensorStatisticsSummary` of every sensor, sorted by component and sensor name.

    `start` and `end` (epoch seconds) are the extent of all data; a sensor without data carries them,
    since clients read these members as numbers without looking.
    """
    return [
        _summary(component, reports[component], statistics, start=start, end=end)
        for component in sorted(reports)
        for statistics in sorted(reports[component].sensors, key=lambda found: found.sensor)
    ]


def quality_summary(reports: Mapping[str, ComponentReport]) -> dict[str, Any]:
    """Return the `DataQualitySummary` of all components."""
    sensors = [statistics for report in reports.values() for statistics in report.sensors]
    return {
        "InsufficientSensorData": {
            "MissingCompleteSensorData": {
                "AffectedSensorCount": sum(not found.data_exists for found in sensors)
            },
            "SensorsWithShortDateRange": {"AffectedSensorCount": sum(found.short_span for found in sensors)},
        },
        "MissingSensorData": {
            "AffectedSensorCount": sum(found.missing > 0 for found in sensors),
            "TotalNumberOfMissingValues": sum(found.missing for found in sensors),
        },
        "InvalidSensorData": {
            "AffectedSensorCount": sum(found.invalid > 0 for found in sensors),
            "TotalNumberOfInvalidValues": sum(found.invalid for found in sensors),
        },
        "UnsupportedTimestamps": {
            "TotalNumberOfUnsupportedTimestamps": sum(
                report.unsupported_timestamps for report in reports.values()
            )
        },
        "DuplicateTimestamps": {
            "TotalNumberOfDuplicateTimestamps": sum(report.duplicates for report in reports.values())
        },
    }


def _summary(
    component: str, report: ComponentReport, found: SensorStatistics, *, start: float, end: float
) -> dict[str, Any]:
    rows = report.rows + report.duplicates + report.unsupported_timestamps

    def share(count: int) -> dict[str, Any]:
        return {"Count": count, "Percentage": round(100 * count / rows, 4) if rows else 0.0}

    return {
        "ComponentName": component,
        "SensorName": found.sensor,
        "DataExists": found.data_exists,
        "MissingValues": share(found.missing),
        "InvalidValues": share(found.invalid),
        "InvalidDateEntries": share(found.invalid_dates),
        "DuplicateTimestamps": share(found.duplicates),
        "CategoricalValues": _issue(found.categories is not None, NumberOfCategory=found.categories),
        "MultipleOperatingModes": _issue(found.multiple_modes),
        "LargeTimestampGaps": _issue(
            found.large_gaps > 0,
            NumberOfLargeTimestampGaps=found.large_gaps,
            MaxTimestampGapInDays=found.max_gap_days,
        ),
        "MonotonicValues": _issue(found.monotonicity is not None, Monotonicity=found.monotonicity),
        "DataStartTime": epoch(found.start) if found.start else start,
        "DataEndTime": epoch(found.end) if found.end else end,
    }


def _issue(found: bool, **details: Any) -> dict[str, Any]:  # noqa: FBT001 - the details are API members
    return {"Status": _ISSUE, **details} if found else {"Status": _NO_ISSUE}
