"""The numeric part of a training: frames, labels, detector, scores, metrics and pointwise diagnostics."""

import gzip
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from engine import (
    Comparison,
    Detector,
    Evaluation,
    FitSettings,
    Frame,
    Interval,
    NoData,
    OffCondition,
    Scores,
    Summary,
    TooLarge,
    build_frame,
    compare_scores,
    evaluate,
    fit,
    join_batches,
    merge_intervals,
    score_in_batches,
    summaries,
)
from service.jobs.capacity import Capacity, readable
from service.jobs.failure import JobFailed, plain
from service.jobs.ingestion.selection import is_folder
from service.jobs.result_lines import lines
from service.jobs.runtime import Runtime
from service.jobs.storage.customer_bucket import CustomerData
from service.jobs.times import instant
from service.jobs.training.labels import none_found, read_label_file
from service.jobs.training.model_metrics import model_metrics, model_quality
from service.jobs.training.training_windows import Span, Spans
from service.jobs.training.version import Training

PART_ROWS = 50_000
"""Rows to score at once: their contributions are in memory beside the frame."""
_MOST_TOLD = 100
"""Events of an evaluation that get a sentence: the longest."""
DIAGNOSTICS_FILE = "model_diagnostics_results.json.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """The pointwise diagnostics file: its place, and the configuration that a description shows for it."""

    location: Mapping[str, str]
    configuration: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The result of a training; ``metrics`` is None without an evaluation window."""

    artefact: bytes
    spans: Spans
    rows: int
    quality: str
    metrics: str | None
    prior_metrics: str | None
    comparison: Comparison | None
    diagnostics: Diagnostics | None


def learn(runtime: Runtime, training: Training, prior: Detector | None = None) -> Learned:
    """Train, evaluate and write the diagnostics file if one is configured.

    With ``prior``, the detector of the version before, training starts from it, and both are compared on the
    evaluation window.

    Raises JobFailed for windows without data, a wrong off condition, unusable labels, too many rows, and more
    data than memory or disk can hold.
    """
    limits = runtime.settings
    spans = training.spans(minimum_days=limits.minimum_training_days)
    off = off_condition(training.record.get("OffCondition"), training.sensors)
    labels = _labels(runtime, training)
    evaluation, diagnostics, comparison = None, None, None
    told: list[Summary] = []
    with ExitStack() as stack:
        components = _components(training, runtime.capacity, stack)
        writer = stack.enter_context(_diagnostics(training))

        def frame_of(span: Span, what: str, limit: int | None) -> Frame:
            return _frame(runtime, training, components, span, what, off=off, limit=limit)

        frame = frame_of(spans.training, "training", limits.training_rows)
        artefact = _fit(frame, labels, limits.false_alarm_hours, prior).to_bytes()
        detector = Detector.from_bytes(artefact)  # what is judged is what inference will read
        rows = len(frame.times)
        if spans.evaluation is not None:
            del frame  # before the next one is built: one of the largest size is all that fits
            frame = frame_of(spans.evaluation, "evaluation", limits.evaluation_rows)
            scores = _score(detector, frame, writer)
            inside = labels_inside(labels, spans.evaluation, scores)
            evaluation = evaluate(scores, inside, step=detector.step)
            told = summaries(detector, replace(frame, step=detector.step), scores, most=_MOST_TOLD)
            if prior is not None:
                comparison = compare_scores(_score(prior, frame, None), scores, inside, step=detector.step)
        elif writer is not None:
            _score(detector, frame, writer)
        if writer is not None:
            diagnostics = writer.put(runtime, training)
    return Learned(
        artefact=artefact,
        spans=spans,
        rows=rows,
        quality=model_quality(evaluation, settings=limits),
        metrics=_metrics(evaluation, spans, training.sensors, told),
        prior_metrics=_metrics(None if comparison is None else comparison.prior, spans, training.sensors, ()),
        comparison=comparison,
        diagnostics=diagnostics,
    )


def off_condition(text: str | None, sensors: Sequence[str]) -> OffCondition | None:
    """Read an ``OffCondition``. Raises JobFailed with the form it must have."""
    if text is None:
        return None
    try:
        return OffCondition.parse(text, sensors)
    except ValueError as error:
        raise JobFailed(
            f"OffCondition '{text}' cannot be used: {plain(error)}. Write '<component>\\<sensor> < <number>' "
            f"or '>', with a sensor of the model such as '{sensors[0]}', and create the model again"
        ) from error


def _labels(runtime: Runtime, training: Training) -> list[Interval]:
    config = training.record.get("LabelsInputConfiguration")
    if not config:
        return []
    if "S3InputConfiguration" not in config:
        raise JobFailed(
            f"LabelsInputConfiguration of model '{training.model_name}' names no S3InputConfiguration: put "
            "the labels into a CSV file of two columns and give its Bucket and Prefix"
        )
    source = config["S3InputConfiguration"]
    return read_labels(training.customer(runtime), source["Bucket"], source.get("Prefix", ""))


def read_labels(customer: CustomerData, bucket: str, prefix: str) -> list[Interval]:
    """All periods of the label files below a prefix, overlapping ones joined."""
    keys = [item.key for item in customer.objects(bucket, prefix) if not is_folder(item)]
    periods: list[Interval] = []
    for key in keys:
        name = f"s3://{bucket}/{key}"
        try:
            text = customer.read(bucket, key).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise JobFailed(
                f"label file '{name}' is not UTF-8 text ({error.reason} at byte {error.start}): save it as "
                "CSV in UTF-8 and create the model again, or move it out of the label prefix"
            ) from error
        periods += read_label_file(name, text)
    if not periods:
        raise none_found(f"s3://{bucket}/{prefix}", keys)
    return merge_intervals(periods)


def _components(training: Training, capacity: Capacity, stack: ExitStack) -> dict[str, BinaryIO]:
    """The columns of each component as a file on disk, gone when the stack ends."""
    sizes = {name: training.vault.size(training.keys.component(name)) for name in training.columns}
    total = sum(size for size in sizes.values() if size is not None)
    if total > capacity.disk:
        raise JobFailed(
            f"the columns of dataset '{training.record['DatasetName']}' take {readable(total)}, more than "
            f"the {readable(capacity.disk)} of disk that the training has: ingest a shorter history, or only "
            "the components of this model"
        )
    return {
        name: stack.enter_context(training.vault.reading(training.keys.component(name)))
        for name, size in sizes.items()
        if size is not None
    }


def _frame(
    runtime: Runtime,
    training: Training,
    components: Mapping[str, BinaryIO],
    span: Span,
    what: str,
    *,
    off: OffCondition | None,
    limit: int | None,
) -> Frame:
    for source in components.values():
        source.seek(0)
    try:
        frame = build_frame(
            components,
            sensors=training.sensors,
            start=None if span.start <= training.data.start else instant(span.start - 1e-6),
            end=None if span.end >= training.data.end else instant(span.end),
            step_seconds=training.step_seconds,
            off=off,
            max_bytes=runtime.capacity.values(len(training.sensors)),
        )
    except TooLarge as error:
        capacity = runtime.capacity
        raise JobFailed(
            f"the {what} window {span} has {error.rows:,} rows of {error.sensors:,} sensors, which take "
            f"{readable(error.size)}; of its {readable(capacity.memory)} of memory the training can give "
            f"them {readable(capacity.values(error.sensors))}. Choose a coarser TargetSamplingRate, a "
            f"shorter {what} window or fewer sensors, or give trainings more memory: training_memory or "
            "large_jobs of the service"
        ) from error
    except NoData as error:
        raise JobFailed(
            f"the {what} window {span} cannot be used: {plain(error)}. Choose a {what} window in which every "
            "sensor of the model has data, or leave that sensor out of the schema of the model"
        ) from error
    rows = len(frame.times)
    if limit is not None and rows > limit:
        raise JobFailed(
            f"the {what} window {span} has {rows:,} rows, more than the limit of {limit:,}: choose a coarser "
            f"TargetSamplingRate, a shorter {what} window, or raise the limit in the settings of the service"
        )
    return frame


def _fit(
    frame: Frame, labels: Sequence[Interval], false_alarm_hours: float | None, prior: Detector | None
) -> Detector:
    settings = (
        FitSettings() if false_alarm_hours is None else FitSettings(false_alarm_hours=false_alarm_hours)
    )
    try:
        return fit(frame, labels=labels, settings=settings, prior=prior)
    except ValueError as error:
        raise JobFailed(
            f"the training window leaves too little to learn from: {error}. Choose a longer training window, "
            "fewer labels inside it, or an OffCondition that holds less often"
        ) from error


def labels_inside(labels: Sequence[Interval], window: Span, scores: Scores) -> list[Interval]:
    """The labels inside the evaluation window, cut to its rows: one may begin just before the first row."""
    if not len(scores.times):
        return []
    first, last = scores.times[0], scores.times[-1]
    start, end = instant(window.start), instant(window.end)
    chosen = [label for label in labels if label[0] >= start and label[1] <= end]
    cut = [(max(label[0], first), min(label[1], last)) for label in chosen]
    return [label for label in cut if label[0] <= label[1]]


def _metrics(
    evaluation: Evaluation | None, spans: Spans, sensors: Sequence[str], told: Sequence[Summary]
) -> str | None:
    if evaluation is None or spans.evaluation is None:
        return None
    return model_metrics(
        evaluation,
        sensors=sensors,
        start=datetime.fromtimestamp(spans.evaluation.start, UTC),
        end=datetime.fromtimestamp(spans.evaluation.end, UTC),
        told=told,
    )


def _score(detector: Detector, frame: Frame, writer: "_Writer | None") -> Scores:
    """Score the frame, and write every part before its contributions are dropped."""
    parts = score_in_batches(detector, replace(frame, step=detector.step), rows=PART_ROWS)
    return join_batches(parts if writer is None else map(writer.passed, parts), frame)


@contextmanager
def _diagnostics(training: Training) -> Iterator["_Writer | None"]:
    """The writer of the diagnostics file, None when none is configured."""
    config = training.record.get("ModelDiagnosticsOutputConfiguration")
    if config is None:
        yield None
        return
    with (
        tempfile.TemporaryFile() as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=4, mtime=0) as packed,
    ):
        yield _Writer(config=config, sensors=training.sensors, file=file, packed=packed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Pointwise diagnostics on their way into a file on disk."""

    config: Mapping[str, Any]
    sensors: tuple[str, ...]
    file: BinaryIO
    packed: gzip.GzipFile

    def passed(self, scores: Scores) -> Scores:
        """Append the lines of these rows, and hand the rows on."""
        self.packed.writelines(line.encode() for line in lines(scores, self.sensors))
        return scores

    def put(self, runtime: Runtime, training: Training) -> Diagnostics:
        """End the file and copy it to its place."""
        self.packed.close()
        target = self.config["S3OutputConfiguration"]
        key = f"{target.get('Prefix', '')}{training.model_name}/{training.number}/{DIAGNOSTICS_FILE}"
        self.file.seek(0)
        training.customer(runtime).put(
            target["Bucket"],
            key,
            self.file,
            content_type="application/gzip",
            kms_key=self.config.get("KmsKeyId"),
        )
        return Diagnostics(
            location={"Bucket": target["Bucket"], "Key": key},
            configuration={**self.config, "S3OutputConfiguration": {**target, "Prefix": key}},
        )
