"""The numeric part of a training: detector, scores, metrics and pointwise diagnostics."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from engine import (
    Comparison,
    Detector,
    Evaluation,
    FillLimits,
    FitSettings,
    Frame,
    Interval,
    Scores,
    Silence,
    Summary,
    UnconfirmedChange,
    alarmed,
    compare_scores,
    evaluate,
    fit,
    join_batches,
    score_in_batches,
    summaries,
)
from service.clock import moment
from service.jobs.adaptation import adapted
from service.jobs.failure import JobFailed
from service.jobs.machine_off import off_condition
from service.jobs.runtime import Runtime, log
from service.jobs.times import instant
from service.jobs.training.diagnostics_file import Diagnostics, DiagnosticsWriter, diagnostics_writer
from service.jobs.training.frames import component_files, training_frame
from service.jobs.training.group_labels import group_labels
from service.jobs.training.label_files import file_labels
from service.jobs.training.model_metrics import FaultCodeOutcome, model_metrics, model_quality
from service.jobs.training.training_labels import ANOMALY, NEUTRAL, NO_ANOMALY, Labels
from service.jobs.training.training_report import training_report
from service.jobs.training.version import Training
from service.members.adaptation_tag import ADAPTATION_TAG
from service.members.training_windows import TimeSpan, TrainingWindows

PART_ROWS = 50_000
"""Rows to score at once: their contributions are in memory beside the frame."""
_DESCRIBED_EVENTS = 100
"""Events of an evaluation that get a sentence: the longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The result of a training; `metrics` is None without an evaluation window."""

    artefact: bytes
    windows: TrainingWindows
    rows: int
    quality: str
    metrics: str | None
    prior_metrics: str | None
    comparison: Comparison | None
    diagnostics: Diagnostics | None


def learn(
    runtime: Runtime, training: Training, model: Mapping[str, Any], prior: Detector | None = None
) -> Learned:
    """Train, evaluate and write the diagnostics file if one is configured.

    Args:
        runtime: the service.
        training: the version to train.
        model: the record of its model.
        prior: the detector of the version before: training starts from it, and both are compared on the
            evaluation window.

    Raises:
        JobFailed: for windows without data, a wrong off condition, unusable labels, too many rows, more data
            than memory or disk can hold, and a retraining on changes that nobody has confirmed.
    """
    limits = runtime.settings
    windows = training.windows(minimum_days=limits.minimum_training_days)
    off = off_condition(training.record.get("OffCondition"), training.sensors)
    labels = _training_labels(runtime, training)
    label_report = _label_report(training, labels, windows)
    fault_codes: list[FaultCodeOutcome] = []
    evaluation, diagnostics, comparison = None, None, None
    events: list[Summary] = []
    with ExitStack() as stack:
        components = component_files(training, runtime.capacity, stack)
        writer = stack.enter_context(diagnostics_writer(training))

        def frame_of(
            window: TimeSpan, what: str, limit: int | None, fill_limits: FillLimits | None = None
        ) -> Frame:
            return training_frame(
                runtime,
                training,
                components,
                window,
                what,
                off=off,
                limit=limit,
                fill_limits=fill_limits,
            )

        frame = frame_of(windows.training, "training", limits.training_rows)
        artefact = _fit(frame, labels, limits.false_alarm_hours, prior).to_bytes()
        # What is evaluated is what inference will read.
        detector = adapted(Detector.from_bytes(artefact), limits, model)
        report = _training_report(training, detector, Silence.of(frame))
        rows = len(frame.times)
        if windows.evaluation is not None:
            del frame  # before the next one is built: one of the largest size is all that fits
            rows_at_most = limits.evaluation_rows
            frame = frame_of(windows.evaluation, "evaluation", rows_at_most, detector.fill_limits)
            scores = _score(detector, frame, writer)
            inside = labels_inside(labels.rated(ANOMALY), windows.evaluation, scores)
            neutral = labels.rated(NEUTRAL)
            evaluation = evaluate(scores, inside, step=detector.step, neutral=neutral)
            fault_codes = list(_fault_codes(labels, windows.evaluation, scores))
            events = summaries(detector, replace(frame, step=detector.step), scores, most=_DESCRIBED_EVENTS)
            if prior is not None:
                before = _score(prior, frame, None)
                comparison = compare_scores(before, scores, inside, step=detector.step, neutral=neutral)
        elif writer is not None:
            _score(detector, frame, writer)
        if writer is not None:
            diagnostics = writer.put(runtime, training)
    return Learned(
        artefact=artefact,
        windows=windows,
        rows=rows,
        quality=model_quality(evaluation, settings=limits),
        metrics=_metrics(
            evaluation,
            windows,
            training.sensors,
            events=events,
            label_report=label_report,
            report=report,
            fault_codes=fault_codes,
        ),
        prior_metrics=None if comparison is None else _metrics(comparison.prior, windows, training.sensors),
        comparison=comparison,
        diagnostics=diagnostics,
    )


def _training_labels(runtime: Runtime, training: Training) -> Labels:
    """Return the labels of a training, of files and of a label group; none when it is configured without."""
    found = group_labels(runtime, training)
    files = training.record.get("LabelsInputConfiguration", {}).get("S3InputConfiguration")
    if files is not None:
        customer = training.customer_buckets(runtime)
        found = found.plus(file_labels(customer, files["Bucket"], files.get("Prefix", "")))
    return found


def _fit(frame: Frame, labels: Labels, false_alarm_hours: float | None, prior: Detector | None) -> Detector:
    settings = (
        FitSettings() if false_alarm_hours is None else FitSettings(false_alarm_hours=false_alarm_hours)
    )
    try:
        return fit(
            frame,
            labels=labels.rated(ANOMALY),
            neutral=labels.rated(NEUTRAL),
            confirmed=labels.rated(NO_ANOMALY),
            settings=settings,
            prior=prior,
        )
    except UnconfirmedChange as change:
        raise JobFailed(
            f"{change}. If the plant is to stay as it is, confirm it by labels with the rating {NO_ANOMALY}, "
            f"or by the tag {ADAPTATION_TAG} = follow of the model, and take that back after the training; "
            "if not, label the time of the fault or choose another training window"
        ) from change
    except ValueError as error:
        raise JobFailed(
            f"the training window leaves too little to learn from: {error}. Choose a longer training window, "
            "fewer labels inside it, or an OffCondition that holds less often"
        ) from error


def labels_inside(labels: Sequence[Interval], window: TimeSpan, scores: Scores) -> list[Interval]:
    """Return the labels in the evaluation window, cut to its rows: one may begin before the first row."""
    if not len(scores.times):
        return []
    first, last = scores.times[0], scores.times[-1]
    start, end = instant(float(window.start)), instant(float(window.end))
    chosen = [label for label in labels if label[0] >= start and label[1] <= end]
    cut = [(max(label[0], first), min(label[1], last)) for label in chosen]
    return [label for label in cut if label[0] <= label[1]]


def _fault_codes(labels: Labels, window: TimeSpan, scores: Scores) -> Iterator[FaultCodeOutcome]:
    """Yield for each fault code how many of its labels in the evaluation window have an alarm."""
    for code, intervals in labels.by_fault_code.items():
        found = alarmed(scores, labels_inside(intervals, window, scores))
        if found:
            yield FaultCodeOutcome(code=code, labeled=len(found), identified=sum(found))


def _label_report(training: Training, found: Labels, windows: TrainingWindows) -> dict[str, Any] | None:
    """Return what a user should know of the labels, and log it; None when there is nothing to say."""
    used = [window for window in (windows.training, windows.evaluation) if window is not None]
    report = found.report(data=training.data, windows=used)
    if report is not None:
        log("labels", ModelName=training.model_name, ModelVersion=training.number, **report)
    return report


def _training_report(
    training: Training, detector: Detector, silence: Silence | None
) -> dict[str, Any] | None:
    """Return what a user should know of what was learned, and log it; None when there is nothing to say."""
    report = training_report(detector, silence)
    if report is not None:
        log("training", ModelName=training.model_name, ModelVersion=training.number, **report)
    return report


def _metrics(
    evaluation: Evaluation | None,
    windows: TrainingWindows,
    sensors: Sequence[str],
    *,
    events: Sequence[Summary] = (),
    label_report: Mapping[str, Any] | None = None,
    report: Mapping[str, Any] | None = None,
    fault_codes: Sequence[FaultCodeOutcome] = (),
) -> str | None:
    if evaluation is None or windows.evaluation is None:
        return None
    return model_metrics(
        evaluation,
        sensors=sensors,
        start=moment(windows.evaluation.start),
        end=moment(windows.evaluation.end),
        events=events,
        label_report=label_report,
        training_report=report,
        fault_codes=fault_codes,
    )


def _score(detector: Detector, frame: Frame, writer: DiagnosticsWriter | None) -> Scores:
    """Score the frame, and write every part before its contributions are dropped."""
    parts = score_in_batches(detector, replace(frame, step=detector.step), rows=PART_ROWS)
    return join_batches(parts if writer is None else map(writer.append, parts), frame)
