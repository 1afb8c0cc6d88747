"""The time windows that a model is trained and evaluated on."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from service.clock import moment
from service.context import Context
from service.errors import ValidationError


def training_window(
    context: Context, request: Mapping[str, Any], dataset: Mapping[str, Any]
) -> tuple[Decimal, Decimal]:
    """Return the training window: the one requested or, without one, all data of the dataset.

    Raises:
        ValidationError: when a window is incomplete, reversed, outside the data, too short, or when the
            evaluation does not follow the training.
    """
    training = _window(request, "Training")
    evaluation = _window(request, "Evaluation")
    first, last = dataset["DataStartTime"], dataset["DataEndTime"]
    if evaluation is not None:
        if training is None:
            raise ValidationError(
                "EvaluationDataStartTime and EvaluationDataEndTime are given without a training window, "
                "which would then include the evaluation: give TrainingDataStartTime and "
                "TrainingDataEndTime too"
            )
        if evaluation[0] < training[1]:
            raise ValidationError(
                f"EvaluationDataStartTime {_iso(evaluation[0])} is before TrainingDataEndTime "
                f"{_iso(training[1])}: a model must be evaluated on later data than it was trained on"
            )
        _overlap("Evaluation", evaluation, first, last)
    window = training or (first, last)
    start, end = _overlap("Training", window, first, last)
    days = context.settings.minimum_training_days
    if days is not None and end - start < timedelta(days=days).total_seconds():
        raise ValidationError(
            f"the training window has data from {_iso(start)} to {_iso(end)}, which is shorter than {days:g} "
            "days: use a longer window or ingest more data, or lower the setting 'minimum_training_days' of "
            "the service"
        )
    return window


def _window(request: Mapping[str, Any], kind: str) -> tuple[Decimal, Decimal] | None:
    names = f"{kind}DataStartTime", f"{kind}DataEndTime"
    missing = [name for name in names if name not in request]
    if len(missing) == 2:
        return None
    if missing:
        raise ValidationError(f"{missing[0]} is missing: give {names[0]} and {names[1]}, or neither")
    start, end = request[names[0]], request[names[1]]
    if start >= end:
        raise ValidationError(f"{names[0]} {_iso(start)} must be before {names[1]} {_iso(end)}")
    return start, end


def _overlap(
    kind: str, window: tuple[Decimal, Decimal], first: Decimal, last: Decimal
) -> tuple[Decimal, Decimal]:
    start, end = max(window[0], first), min(window[1], last)
    if start > end:
        raise ValidationError(
            f"{kind}DataStartTime {_iso(window[0])} to {kind}DataEndTime {_iso(window[1])} has no data: the "
            f"dataset reaches from {_iso(first)} to {_iso(last)}"
        )
    return start, end


def _iso(time: Decimal) -> str:
    return moment(time).isoformat(timespec="seconds").replace("+00:00", "Z")
