"""The `ModelMetrics` document and the verdict on a model's quality. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine import Evaluation, Summary
from service.jobs.result_lines import named_shares
from service.settings import Settings

if TYPE_CHECKING:
    from numpy import datetime64


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCodeOutcome:
    """How many of the labels with a fault code the model found."""

    code: str
    labeled: int
    identified: int


def model_metrics(
    evaluation: Evaluation,
    *,
    sensors: Sequence[str],
    start: datetime,
    end: datetime,
    events: Sequence[Summary] = (),
    label_report: Mapping[str, Any] | None = None,
    training_report: Mapping[str, Any] | None = None,
    fault_codes: Sequence[FaultCodeOutcome] = (),
) -> str:
    """Return the metrics of a model over its evaluation window from `start` to `end` (UTC), as JSON text.

    Described `events`, `labels` that need attention, what is to be known of the `training` and what was found
    of each of the `fault_codes` are additions to what the managed service had: clients read members by name,
    and `predicted_ranges` stay as documented.
    """
    labelled = bool(evaluation.labeled)
    document: dict[str, Any] = {
        "labeled_ranges": [
            {"start": _stamp(first), "end": _stamp(last)} for first, last in evaluation.labeled
        ],
        "labeled_event_metrics": {
            "num_labeled": len(evaluation.labeled),
            "num_identified": evaluation.identified,
            "total_warning_time_in_seconds": float(evaluation.warning_seconds) if labelled else 0,
        },
        "predicted_ranges": [
            {
                "start": _stamp(found.start),
                "end": _stamp(found.end),
                "diagnostics": named_shares(sensors, found.contributions.astype("float64").tolist()),
            }
            for found in evaluation.predicted
        ],
        "unknown_event_metrics": {
            "num_identified": evaluation.unknown,
            "total_duration_in_seconds": float(evaluation.unknown_seconds),
        },
        "data_start_time": start.date().isoformat(),
        "data_end_time": end.date().isoformat(),
        "labels_present": labelled,
    }
    if events:
        document["events"] = [
            {
                "start": _stamp(each.event.start),
                "end": _stamp(each.event.end),
                "summary": each.text,
                "peak_score": round(each.peak, 3),
                "alarmed_share": round(each.alarmed, 3),
            }
            for each in events
        ]
    if label_report is not None:
        document["labels"] = label_report
    if training_report is not None:
        document["training"] = training_report
    if fault_codes:
        document["fault_codes"] = [
            {"fault_code": each.code, "num_labeled": each.labeled, "num_identified": each.identified}
            for each in fault_codes
        ]
    measures = {
        "precision": evaluation.precision,
        "recall": evaluation.recall,
        "mean_fractional_lead_time": evaluation.mean_fractional_lead_time,
        "auc": evaluation.auc,
    }
    if labelled:
        document["model_version_metrics"] = {
            name: float(value) for name, value in measures.items() if value is not None
        }
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def model_quality(evaluation: Evaluation | None, *, settings: Settings) -> str:
    """Return `ModelQuality`: undecided without labels in the evaluation window, poor when they are missed.

    Precision counts by time here: dozens of alarms of a minute do not spoil a model that finds long faults.
    """
    if evaluation is None or not evaluation.labeled:
        return "CANNOT_DETERMINE_QUALITY"
    measures = (
        (evaluation.recall, settings.poor_recall),
        (_precision_by_time(evaluation), settings.poor_precision),
        (evaluation.auc, settings.poor_auc),
    )
    poor = any(value is not None and value < least for value, least in measures)
    return "POOR_QUALITY_DETECTED" if poor else "QUALITY_THRESHOLD_MET"


def _precision_by_time(evaluation: Evaluation) -> float | None:
    """Return the share of the time predicted anomalous that lies in ranges touching a label.

    Ranges of which nobody knows whether they are right do not count.
    """
    predicted = sum((_time(found.end) - _time(found.start)).total_seconds() for found in evaluation.predicted)
    judged = predicted - evaluation.neutral_seconds
    return 1 - evaluation.unknown_seconds / judged if judged else None


def _time(time: "datetime64") -> datetime:
    moment: datetime = time.astype("datetime64[us]").item()
    return moment


def _stamp(time: "datetime64") -> str:
    return str(time.astype("datetime64[us]"))
