"""The numeric part of a training: frames, labels, detector, scores, metrics and pointwise diagnostics."""

import gzip
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from engine import (
    Detector,
    Evaluation,
    Frame,
    Interval,
    NoData,
    OffCondition,
    Scores,
    build_frame,
    evaluate,
    fit,
)
from service.jobs.access import CustomerData
from service.jobs.failure import JobFailed, plain
from service.jobs.files import is_folder
from service.jobs.labels import merge, none_found, read_label_file
from service.jobs.metrics import model_metrics, model_quality
from service.jobs.results import lines
from service.jobs.runtime import Runtime
from service.jobs.spans import Span, Spans
from service.jobs.times import instant
from service.jobs.training import Training

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
    diagnostics: Diagnostics | None


def learn(rt: Runtime, training: Training) -> Learned:
    """Train, evaluate and write the diagnostics file if one is configured.

    Raises JobFailed for windows without data, a wrong off condition, unusable labels or too many rows.
    """
    limits = rt.settings
    spans = training.spans(minimum_days=limits.minimum_training_days)
    off = off_condition(training.record.get("OffCondition"), training.sensors)
    labels = _labels(rt, training)
    with _components(training) as components:
        frame = _frame(training, components, spans.training, "training", off=off, limit=limits.training_rows)
        detector = _fit(frame, labels)
        rows = len(frame.times)
        evaluation, scores = None, None
        if spans.evaluation is not None:
            frame = _frame(
                training,
                components,
                spans.evaluation,
                "evaluation",
                off=off,
                limit=limits.evaluation_rows,
            )
            scores = detector.score(replace(frame, step=detector.step))
            evaluation = evaluate(scores, labels_inside(labels, spans.evaluation, scores), step=detector.step)
        diagnostics = None
        if "ModelDiagnosticsOutputConfiguration" in training.record:
            scores = detector.score(frame) if scores is None else scores
            diagnostics = _write_diagnostics(rt, training, scores)
    return Learned(
        artefact=detector.to_bytes(),
        spans=spans,
        rows=rows,
        quality=model_quality(evaluation, settings=limits),
        metrics=_metrics(evaluation, spans, training.sensors),
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


def _labels(rt: Runtime, training: Training) -> list[Interval]:
    config = training.record.get("LabelsInputConfiguration")
    if not config:
        return []
    if "S3InputConfiguration" not in config:
        raise JobFailed(
            f"LabelsInputConfiguration of model '{training.model_name}' names no S3InputConfiguration: put "
            "the labels into a CSV file of two columns and give its Bucket and Prefix"
        )
    source = config["S3InputConfiguration"]
    return read_labels(training.customer(rt), source["Bucket"], source.get("Prefix", ""))


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
    return merge(periods)


@contextmanager
def _components(training: Training) -> Iterator[dict[str, BinaryIO]]:
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(training.vault.reading(training.keys.component(name)))
            for name in training.columns
            if training.vault.exists(training.keys.component(name))
        }


def _frame(
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
        )
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


def _fit(frame: Frame, labels: Sequence[Interval]) -> Detector:
    try:
        return fit(frame, labels=labels)
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


def _metrics(evaluation: Evaluation | None, spans: Spans, sensors: Sequence[str]) -> str | None:
    if evaluation is None or spans.evaluation is None:
        return None
    return model_metrics(
        evaluation,
        sensors=sensors,
        start=datetime.fromtimestamp(spans.evaluation.start, UTC),
        end=datetime.fromtimestamp(spans.evaluation.end, UTC),
    )


def _write_diagnostics(rt: Runtime, training: Training, scores: Scores) -> Diagnostics:
    config = training.record["ModelDiagnosticsOutputConfiguration"]
    target = config["S3OutputConfiguration"]
    key = f"{target.get('Prefix', '')}{training.model_name}/{training.number}/{DIAGNOSTICS_FILE}"
    with tempfile.TemporaryFile() as file:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=4, mtime=0) as packed:
            packed.writelines(line.encode() for line in lines(scores, training.sensors))
        file.seek(0)
        training.customer(rt).put(
            target["Bucket"],
            key,
            file,
            content_type="application/gzip",
            kms_key=config.get("KmsKeyId"),
        )
    return Diagnostics(
        location={"Bucket": target["Bucket"], "Key": key},
        configuration={**config, "S3OutputConfiguration": {**target, "Prefix": key}},
    )
