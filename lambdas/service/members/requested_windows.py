"""The training and evaluation windows of a CreateModel request, with the errors that its caller reads."""

from collections.abc import Mapping
from typing import Any

from service.clock import iso_seconds
from service.errors import ValidationError
from service.members.training_windows import (
    TimeSpan,
    TrainingWindows,
    WindowKind,
    WindowTooShortError,
    WindowWithoutDataError,
)


def requested_training_window(
    request: Mapping[str, Any], *, data: TimeSpan, minimum_days: float | None
) -> TimeSpan:
    """Return the training window as requested, uncut; without one, all data before the evaluation, if any.

    Args:
        request: the CreateModel request.
        data: when the sensors of the model have data.
        minimum_days: least length of the training window in days; None is no limit.

    Raises:
        ValidationError: when a window is incomplete, reversed, outside the data, too short, or when the
            evaluation does not follow the training.
    """
    training, evaluation = _window(request, "Training"), _window(request, "Evaluation")
    if training is not None and evaluation is not None:
        _require_before(training, evaluation)
    try:
        windows = TrainingWindows.of(request, data=data, minimum_days=minimum_days)
    except WindowWithoutDataError as error:
        first, last = iso_seconds(data.start), iso_seconds(data.end)
        raise ValidationError(
            f"{error.kind}DataStartTime {iso_seconds(error.window.start)} to {error.kind}DataEndTime "
            f"{iso_seconds(error.window.end)} has no data: the sensors of the model have data from "
            f"{first} to {last}"
        ) from error
    except WindowTooShortError as error:
        first, last = iso_seconds(error.window.start), iso_seconds(error.window.end)
        raise ValidationError(
            f"the training window has data from {first} to {last}, which is shorter than {minimum_days:g} "
            "days: use a longer window or ingest more data, or lower the setting 'minimum_training_days' of "
            "the service"
        ) from error
    return training or windows.training


def _window(request: Mapping[str, Any], kind: WindowKind) -> TimeSpan | None:
    names = f"{kind}DataStartTime", f"{kind}DataEndTime"
    missing = [name for name in names if name not in request]
    if len(missing) == 2:
        return None
    if missing:
        raise ValidationError(f"{missing[0]} is missing: give {names[0]} and {names[1]}, or neither")
    window = TimeSpan(start=request[names[0]], end=request[names[1]])
    if window.start >= window.end:
        raise ValidationError(
            f"{names[0]} {iso_seconds(window.start)} must be before {names[1]} {iso_seconds(window.end)}"
        )
    return window


def _require_before(training: TimeSpan, evaluation: TimeSpan) -> None:
    if evaluation.start < training.end:
        raise ValidationError(
            f"EvaluationDataStartTime {iso_seconds(evaluation.start)} is before TrainingDataEndTime "
            f"{iso_seconds(training.end)}: a model must be evaluated on later data than it was trained on"
        )
