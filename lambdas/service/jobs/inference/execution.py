"""One execution: read the input of a window, score it, write the result, keep events and state."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from engine import BadArtefact, Notice, Scores
from service.event_bus.bus_event import BusEvent
from service.jobs.inference.active_model import ActiveModel
from service.jobs.inference.execution_events import find_events
from service.jobs.inference.execution_notices import state_lost
from service.jobs.inference.file_names import Naming
from service.jobs.inference.input_files import InputRead
from service.jobs.inference.kept_rows import keep_rows
from service.jobs.inference.known_values import LastValues
from service.jobs.inference.scheduler_state import SchedulerState, StateFile, UnusableState
from service.jobs.inference.window_rows import (
    last_known,
    read_files,
    warm_up_state,
    window_frame,
    window_input,
)
from service.jobs.result_lines import lines
from service.jobs.runtime import Runtime, log
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.session_policy import Place
from service.members.results_place import results_key
from service.schedulers.inference_windows import InferenceWindow, frequency_for
from service.storage.store import Item, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceResult:
    """A result file that was written, whether any row of it is anomalous, and notices about its input.

    `events` are the writes of the events of its rows, `bus_events` what others are told of them.
    """

    location: Mapping[str, str]
    anomalous: bool
    notices: tuple[Notice, ...]
    events: tuple[Write, ...]
    bus_events: tuple[BusEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Previous:
    """The scheduler's state before the window, if there is one."""

    state: SchedulerState | None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Continuation:
    """The scoring state to continue from, if there is one that the active version can use."""

    state: bytes | None
    notices: tuple[Notice, ...] = ()


def infer(
    runtime: Runtime, *, scheduler: Item, model: Item | None, window: InferenceWindow
) -> InferenceResult:
    """Infer one window. Running it again writes the same result; its events are the caller's to write.

    Raises:
        JobFailed: when the input is missing or unusable, or a bucket cannot be reached.
    """
    active = ActiveModel.load(runtime, model, scheduler)
    customer = runtime.customer_buckets(
        scheduler["RoleArn"],
        external_id=scheduler["InferenceSchedulerArn"],
        reads=[Place.of(scheduler["DataInputConfiguration"]["S3InputConfiguration"])],
        writes=[Place.of(scheduler["DataOutputConfiguration"]["S3OutputConfiguration"])],
    )
    states = _state_file(runtime, scheduler)
    previous = _previous(states, window)
    with ExitStack() as stack:
        read = read_files(
            runtime,
            scheduler,
            active,
            customer=customer,
            window=window,
            before=previous.state,
            stack=stack,
        )
        last = last_known(active, read, window, before=previous.state)
        try:
            return _score(
                runtime,
                scheduler,
                active,
                customer=customer,
                window=window,
                read=read,
                previous=previous,
                last=last,
                states=states,
            )
        except Exception:
            _remember(states, previous.state, window, last, read)
            raise


def _score(
    runtime: Runtime,
    scheduler: Item,
    active: ActiveModel,
    *,
    customer: CustomerBuckets,
    window: InferenceWindow,
    read: InputRead,
    previous: _Previous,
    last: LastValues,
    states: StateFile,
) -> InferenceResult:
    """Score what was read, write the result, and keep the state after the window."""
    data = window_input(runtime.settings, active, read, window, before=previous.state, latest=last)
    rows = runtime.settings.inference_rows
    most_rows = rows[frequency_for(window, tuple(rows))]
    frame = window_frame(runtime.settings, active, data, window, most_rows=most_rows)
    continuation = _continuation(active, previous.state)
    start = continuation.state or warm_up_state(active, data, window)
    scores = active.detector.score(frame, state=start)
    location = _write_results(customer, scheduler["DataOutputConfiguration"], window, active, scores)
    keep_rows(runtime, scheduler, active, data=data, window=window)
    found = find_events(
        runtime, scheduler, active, frame, scores, window=window, before=previous.state, state=start
    )
    state = SchedulerState(
        end=window.end,
        version=active.number,
        detector=scores.state,
        carry=last,
        open=found.open,
        faults=found.faults,
        naming=_naming(read, previous.state),
    )
    states.keep(state, before=previous.state)
    # Scoring notices sensors without values as well; the notices about the input say more about them.
    scoring = [notice for notice in scores.notices if notice.kind != "no-values"]
    return InferenceResult(
        location=location,
        anomalous=bool(scores.prediction.any()),
        notices=(*previous.notices, *data.notices, *continuation.notices, *scoring),
        events=found.writes,
        bus_events=found.bus_events,
    )


def _naming(read: InputRead, before: SchedulerState | None) -> tuple[Naming, ...]:
    """Return how the files of a window are named, or were before it when it has none."""
    return read.naming or (() if before is None else before.naming)


def _remember(
    states: StateFile,
    before: SchedulerState | None,
    window: InferenceWindow,
    last: LastValues,
    read: InputRead,
) -> None:
    """Keep the last values that a window showed although it failed; its failure is what is reported."""
    if dict(last) == dict(before.carry if before is not None else {}):
        return
    try:
        naming = _naming(read, before)
        state = SchedulerState.after_failure(before, end=window.end, carry=last, naming=naming)
        states.keep(state, before=before)
    except Exception as error:  # noqa: BLE001 - the window has failed for another reason already
        log("last values were not kept", Window=str(window), Error=f"{type(error).__name__}: {error}")


def _state_file(runtime: Runtime, scheduler: Item) -> StateFile:
    bucket = runtime.service_bucket.with_key(scheduler.get("ServerSideKmsKeyId"))
    return StateFile(service_bucket=bucket, scheduler=scheduler["uuid"])


def _previous(states: StateFile, window: InferenceWindow) -> _Previous:
    """Return the state before a window; one that cannot be read is given up, with a notice."""
    try:
        return _Previous(state=states.before(window.start))
    except UnusableState as error:
        notice = state_lost(f"the state of the scheduler is damaged ({error})")
        return _Previous(state=None, notices=(notice,))


def _continuation(active: ActiveModel, before: SchedulerState | None) -> _Continuation:
    """Return the scoring state to continue from; one that does not fit is given up, with a notice."""
    if before is None or before.detector is None:
        return _Continuation(state=None)
    if before.version != active.number:
        of = f"version {before.version} of the model, and version {active.number} is active"
        return _Continuation(state=None, notices=(state_lost(f"the state is of {of}"),))
    try:
        active.detector.check_state(before.detector)
    except BadArtefact as error:
        notice = state_lost(f"the state does not fit the model ({error})")
        return _Continuation(state=None, notices=(notice,))
    return _Continuation(state=before.detector)


def _write_results(
    customer: CustomerBuckets,
    output: Mapping[str, Any],
    window: InferenceWindow,
    active: ActiveModel,
    scores: Scores,
) -> dict[str, str]:
    """Write the result file in one request, and return its `CustomerResultObject`."""
    target = output["S3OutputConfiguration"]
    key = results_key(target.get("Prefix", ""), window.start)
    customer.put(
        target["Bucket"],
        key,
        "".join(lines(scores, active.detector.sensors)).encode(),
        content_type="application/jsonl",
        kms_key=output.get("KmsKeyId"),
    )
    return {"Bucket": target["Bucket"], "Key": key}
