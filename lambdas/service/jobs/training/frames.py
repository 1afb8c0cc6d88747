"""The rows of a training: the columns of a dataset on disk, and frames of the windows."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import BinaryIO

from engine import (
    FillLimits,
    Frame,
    FrameWindow,
    NoData,
    OffCondition,
    TooLarge,
    build_frame,
    join_rows,
    overlay_component,
)
from service.jobs.capacity import Capacity
from service.jobs.failure import JobFailed, plain
from service.jobs.runtime import Runtime
from service.jobs.times import instant
from service.jobs.training.version import Training
from service.members.sizes import readable
from service.members.training_windows import TimeSpan


def component_files(training: Training, capacity: Capacity, stack: ExitStack) -> dict[str, BinaryIO]:
    """Return the columns of each component as a file on disk that lasts as long as the stack.

    Those of a retraining also have the rows that inference has kept.

    Raises:
        JobFailed: when the disk cannot hold them.
    """
    sizes = {name: training.service_bucket.size(training.keys.component(name)) for name in training.columns}
    total = sum(size for size in sizes.values() if size is not None)
    kept = training.kept_rows()
    needed = total if not kept else 2 * (total + sum(kept.values()))  # they are copied into one file
    if needed > capacity.disk:
        raise JobFailed(
            f"the columns of dataset '{training.record['DatasetName']}' take {readable(total)}, more than "
            f"the {readable(capacity.disk)} of disk that the training has: ingest a shorter history, or only "
            "the components of this model"
        )
    if kept:
        return _overlaid(training, list(kept), sizes, stack)
    return {
        name: stack.enter_context(training.service_bucket.downloaded(training.keys.component(name)))
        for name, size in sizes.items()
        if size is not None
    }


def _overlaid(
    training: Training, kept: Sequence[str], sizes: Mapping[str, int | None], stack: ExitStack
) -> dict[str, BinaryIO]:
    """Return the columns of each component with the rows of these objects where the dataset has none."""
    found: dict[str, BinaryIO] = {}
    window = FrameWindow(instant(float(training.asked.start) - 1e-6), instant(float(training.asked.end)))
    with TemporaryFile() as rows:
        join_rows(training.accumulated.read(kept), training.sensors, rows)
        for name, columns in training.columns.items():
            sink = found[name] = stack.enter_context(TemporaryFile())  # noqa: SIM115  the stack closes it
            with ExitStack() as base:
                dataset = None
                if sizes[name] is not None:
                    dataset = base.enter_context(
                        training.service_bucket.downloaded(training.keys.component(name))
                    )
                overlay_component(dataset, rows, name, names=columns, window=window, sink=sink)
    return found


def training_frame(
    runtime: Runtime,
    training: Training,
    components: Mapping[str, BinaryIO],
    window: TimeSpan,
    what: str,
    *,
    off: OffCondition | None,
    limit: int | None,
    fill_limits: FillLimits | None,
) -> Frame:
    """Return the rows of a window; `what` says which one, `training` or `evaluation`.

    `fill_limits` says how long last values stand in, None learns it from the rows.

    Raises:
        JobFailed: when a sensor has no data in the window, or it has more rows than memory can hold or than
            `limit` allows.
    """
    for source in components.values():
        source.seek(0)
    try:
        frame = build_frame(
            components,
            sensors=training.sensors,
            start=None if window.start <= training.data.start else instant(float(window.start) - 1e-6),
            end=None if window.end >= training.data.end else instant(float(window.end)),
            step_seconds=training.step_seconds,
            off=off,
            fill_limits=fill_limits,
            max_bytes=runtime.capacity.values(len(training.sensors)),
        )
    except TooLarge as error:
        capacity = runtime.capacity
        raise JobFailed(
            f"the {what} window {window} has {error.rows:,} rows of {error.sensors:,} sensors, which take "
            f"{readable(error.size)}; of its {readable(capacity.memory)} of memory the training can give "
            f"them {readable(capacity.values(error.sensors))}. Choose a coarser TargetSamplingRate, a "
            f"shorter {what} window or fewer sensors, or give trainings more memory: training_memory or "
            "large_jobs of the service"
        ) from error
    except NoData as error:
        raise JobFailed(
            f"the {what} window {window} cannot be used: {plain(error)}. Choose a {what} window in which "
            "every sensor of the model has data, or leave that sensor out of the schema of the model"
        ) from error
    rows = len(frame.times)
    if limit is not None and rows > limit:
        raise JobFailed(
            f"the {what} window {window} has {rows:,} rows, more than the limit of {limit:,}: choose a "
            f"coarser TargetSamplingRate, a shorter {what} window, or raise the setting '{what}_rows' of "
            "the service"
        )
    return frame
