"""One execution: read the input of a window, score it, write the result, keep events and memory."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from engine import (
    BadArtefact,
    Detector,
    Frame,
    NoData,
    Notice,
    OffCondition,
    Scores,
    build_frame,
    describe,
    ranges,
    with_silent,
)
from service.clock import iso_seconds
from service.jobs.columns import Columns, columns_of
from service.jobs.failure import JobFailed, plain
from service.jobs.inference import event_tracking, execution_notices
from service.jobs.inference.input_files import Component, Gatherer, Limits, Location, age_ends
from service.jobs.inference.scheduler_state import Memory, MemoryFile, UnusableMemory
from service.jobs.inference.windows import Window
from service.jobs.result_lines import lines
from service.jobs.runtime import Runtime, log
from service.jobs.storage.customer_bucket import CustomerData
from service.jobs.storage.service_bucket import artefact_key
from service.jobs.times import instant
from service.jobs.training.version import step_seconds
from service.names import events_of, version_key, versions_of
from service.store import Item

_WARM_UP_ROWS = 100
"""Rows before a window that are looked at when there is no memory: more than any view of a model needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A result file that was written, whether any row of it is anomalous, and what its input was like."""

    location: Mapping[str, str]
    anomalous: bool
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """The active version of a model, ready to score."""

    number: int
    version: Item
    columns: Columns
    detector: Detector

    @classmethod
    def load(cls, runtime: Runtime, model: Item | None, scheduler: Item) -> "_Model":
        name = scheduler["ModelName"]
        if model is None or model["uuid"] != scheduler["modelUuid"]:
            raise JobFailed(
                f"model '{name}' was deleted: delete the scheduler and create one for another model"
            )
        number = int(model["ActiveModelVersion"])
        version = runtime.store.get(versions_of(model["uuid"]), version_key(number))
        artefact = runtime.vault(None).get(artefact_key(model["uuid"], number))
        if version is None or artefact is None:
            raise LookupError(f"version {number} of model '{name}' has no artefact")
        return cls(
            number=number,
            version=version,
            columns=columns_of(runtime.documents.get(version["schemaKey"])),
            detector=Detector.from_bytes(artefact),
        )

    @property
    def off(self) -> OffCondition | None:
        text = self.version.get("OffCondition")
        return None if text is None else OffCondition.parse(text, self.detector.sensors)


def infer(runtime: Runtime, *, scheduler: Item, model: Item | None, window: Window) -> Outcome:
    """Infer one window. Running it again writes the same result.

    Raises JobFailed when the input is missing or unusable, or a bucket cannot be reached.
    """
    active = _Model.load(runtime, model, scheduler)
    customer = runtime.customer(scheduler["RoleArn"], external_id=scheduler["InferenceSchedulerArn"])
    file = MemoryFile(vault=runtime.vault(scheduler.get("ServerSideKmsKeyId")), scheduler=scheduler["uuid"])
    noticed: list[Notice] = []
    before = _before(file, window, noticed)
    with ExitStack() as stack:
        components, carry = _input(
            runtime, scheduler, active, customer=customer, window=window, before=before, stack=stack
        )
        stamps = age_ends(components, window)
        noticed += execution_notices.late(components, before, window)
        rows = runtime.settings.inference_rows[scheduler["DataUploadFrequency"]]
        known = [name for name in active.detector.sensors if name in stamps or name in carry]
        noticed += execution_notices.silent(active.detector.sensors, known, before)
        wanted = known if runtime.settings.partial_inference else active.detector.sensors
        frame = _frame(active, components, window, carry=carry, most_rows=rows, wanted=wanted)
        state = _state(active, before, noticed) or _warm_up(active, components, window, wanted)
    scores = active.detector.score(frame, state=state)
    noticed += [notice for notice in scores.notices if notice.kind != "no-values"]  # said above, and better
    location = _write(customer, scheduler["DataOutputConfiguration"], window, active, scores)
    step = timedelta(seconds=active.detector.step.astype(int).item())
    continued = before.open if before is not None and before.end == window.start else None
    followed = event_tracking.follow(scores, before=continued, step=step)
    for event in followed.events:
        if event.recorded(step):
            story = _story(active, frame, scores, event, state)
            _keep_event(runtime, scheduler, active, event, step=step, story=story)
    kept = dict(before.carry) if before is not None else {}
    last = dict(zip(frame.sensors, frame.values[-1].tolist(), strict=True))
    kept |= {sensor: (last[sensor], stamp) for sensor, stamp in stamps.items()}
    memory = Memory(
        end=window.end, version=active.number, detector=scores.state, carry=kept, open=followed.open
    )
    file.keep(memory, before=before)
    return Outcome(location=location, anomalous=bool(scores.prediction.any()), notices=tuple(noticed))


def _before(file: MemoryFile, window: Window, noticed: list[Notice]) -> Memory | None:
    """What is remembered of earlier windows. What cannot be read is forgotten, and said."""
    try:
        return file.before(window.start)
    except UnusableMemory as error:
        noticed.append(execution_notices.forgotten(f"the state of the scheduler is damaged ({error})"))
        return None


def _state(active: _Model, before: Memory | None, noticed: list[Notice]) -> bytes | None:
    """The scoring state to continue from. One that cannot be used is forgotten, and said."""
    if before is None:
        return None
    if before.version != active.number:
        of = f"version {before.version} of the model, and version {active.number} is active"
        noticed.append(execution_notices.forgotten(f"the state is of {of}"))
        return None
    try:
        active.detector.check_state(before.detector)
    except BadArtefact as error:
        noticed.append(execution_notices.forgotten(f"the state does not fit the model ({error})"))
        return None
    return before.detector


def _input(
    runtime: Runtime,
    scheduler: Item,
    active: _Model,
    *,
    customer: CustomerData,
    window: Window,
    before: Memory | None,
    stack: ExitStack,
) -> tuple[dict[str, Component], dict[str, float]]:
    """The rows of the files for the window, and the last known values from before it."""
    frequency = scheduler["DataUploadFrequency"]
    limits = Limits(
        files_per_component=runtime.settings.inference_files_per_component,
        bytes=runtime.settings.inference_bytes[frequency],
    )
    hours = runtime.settings.inference_fill_hours
    within = None if hours is None else hours * 3600
    carry = {} if before is None else before.fresh(at=window.start, within=within)
    carry = {sensor: value for sensor, value in carry.items() if sensor in active.detector.sensors}
    gatherer = Gatherer(
        customer=customer,
        location=Location.of(scheduler["DataInputConfiguration"]),
        columns=active.columns,
        window=window,
        limits=limits,
        known=frozenset(carry),
        partial=runtime.settings.partial_inference,
    )
    components = gatherer.gather(stack)
    absent = tuple(f"{name}\\" for name in active.columns if name not in components)
    return components, {sensor: value for sensor, value in carry.items() if not sensor.startswith(absent)}


def _write(
    customer: CustomerData, output: Mapping[str, Any], window: Window, active: _Model, scores: Scores
) -> dict[str, str]:
    """Write the result file in one request; returns where it is."""
    target = output["S3OutputConfiguration"]
    key = f"{target.get('Prefix', '')}{iso_seconds(window.start)}/results.jsonl"
    customer.put(
        target["Bucket"],
        key,
        "".join(lines(scores, active.detector.sensors)).encode(),
        content_type="application/jsonl",
        kms_key=output.get("KmsKeyId"),
    )
    return {"Bucket": target["Bucket"], "Key": key}


def _frame(
    active: _Model,
    components: Mapping[str, Component],
    window: Window,
    *,
    carry: Mapping[str, float],
    most_rows: int | None,
    wanted: Sequence[str],
) -> Frame:
    """The rows of the window; of the sensors only those wanted have values."""
    if active.off is not None and active.off.sensor not in wanted:
        raise JobFailed(
            f"the OffCondition of the model needs '{active.off.sensor}', which has no value in the window "
            f"{window} nor one from the day before: upload a file with values for it"
        )
    try:
        frame = build_frame(
            {name: component.columns for name, component in components.items()},
            sensors=wanted,
            start=instant(window.start),
            end=instant(window.end),
            step_seconds=step_seconds(active.version),
            off=active.off,
            carry=carry,
        )
    except NoData as error:
        raise JobFailed(
            f"the input of the window {window} cannot be used: {plain(error)}. Every sensor of the model "
            "needs a value in the window, or one from the day before: upload files with values for it"
        ) from error
    if most_rows is not None and len(frame.times) > most_rows:
        raise JobFailed(
            f"the window {window} has {len(frame.times):,} rows, more than the limit of {most_rows:,}: "
            "train the model with a coarser TargetSamplingRate, or raise the limit in the settings of the "
            "service"
        )
    return with_silent(replace(frame, step=active.detector.step), active.detector.sensors)


def _warm_up(
    active: _Model, components: Mapping[str, Component], window: Window, wanted: Sequence[str]
) -> bytes | None:
    """Scoring state from the rows before the window that its files also hold; None without such rows.

    A model looks back some rows. Without memory of earlier windows, as after the start of a scheduler, the
    first rows could otherwise not be judged.
    """
    step = active.detector.step.astype(int).item()
    try:
        earlier = build_frame(
            {name: component.columns for name, component in components.items()},
            sensors=wanted,
            start=instant(window.start - _WARM_UP_ROWS * step),
            end=instant(window.start),
            step_seconds=step_seconds(active.version),
            off=active.off,
        )
    except NoData:
        return None
    earlier = with_silent(replace(earlier, step=active.detector.step), active.detector.sensors)
    return active.detector.score(earlier).state


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """A sentence about an event, and the highest score of the rows it is about."""

    text: str
    peak: Decimal


def _keep_event(
    runtime: Runtime,
    scheduler: Item,
    active: _Model,
    event: event_tracking.Event,
    *,
    step: timedelta,
    story: _Story | None,
) -> None:
    """Write an event, or what has become of it since the execution before.

    It keeps the sentence of the execution in which it was strongest: when a fault is over, its event goes on
    for some rows that say little about it.
    """
    found = event_tracking.members(event, sensors=active.detector.sensors, step=step)
    pk, sk = events_of(scheduler["uuid"]), iso_seconds(found["EventStartTime"])
    known = runtime.store.get(pk, sk)
    if story is not None:
        times = {"Start": event.start.isoformat(), "End": event.end.isoformat()}
        log("anomaly", Scheduler=scheduler["InferenceSchedulerName"], **times, Summary=story.text)
        if known is None or story.peak >= known.get("peak", 0):
            found |= {"summary": story.text, "peak": story.peak}
    if known is not None:
        runtime.store.update(pk, sk, found)
        return
    runtime.store.create(
        {
            "pk": pk,
            "sk": sk,
            "InferenceSchedulerName": scheduler["InferenceSchedulerName"],
            "InferenceSchedulerArn": scheduler["InferenceSchedulerArn"],
            **found,
        }
    )


def _story(
    active: _Model, frame: Frame, scores: Scores, event: event_tracking.Event, state: bytes | None
) -> _Story | None:
    """A sentence about an event from the rows of this execution; None when it ended before them."""
    latest = event_tracking.last_range(event, ranges(scores, step=active.detector.step))
    if latest is None:
        return None
    text = describe(active.detector, frame, latest, state=state)
    return _Story(text=text, peak=Decimal(str(round(float(scores.score.max()), 5))))
