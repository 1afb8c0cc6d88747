"""The windows of a retraining: the latest data, split as that of the version before. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from service.members.training_windows import TimeSpan
from service.schedulers.retraining_dates import LOOKBACK_DAYS

_DAY = 86_400


def retraining_windows(
    prior: Mapping[str, Any], *, data: TimeSpan, lookback: str, now: Decimal
) -> dict[str, Decimal]:
    """Return the members of a version that say what it is trained and evaluated on.

    It is the data of the look-back until now. The version has an evaluation window if the prior one had, and
    it is the same share of the data. Without any data in the look-back the training window is all of it, and
    the training says so.

    Args:
        prior: the record of the version that is to be replaced.
        data: when the sensors of the model have data, in the dataset or in kept rows.
        lookback: `LookbackWindow`.
        now: the time in epoch seconds.
    """
    asked = TimeSpan(start=now - LOOKBACK_DAYS[lookback] * _DAY, end=now)
    found = asked.shared(data)
    if found.start >= found.end:
        return {"TrainingDataStartTime": asked.start, "TrainingDataEndTime": asked.end}
    share = _evaluation_share(prior)
    if share == 0:
        return {"TrainingDataStartTime": found.start, "TrainingDataEndTime": found.end}
    split = round(found.end - (found.end - found.start) * share)
    return {
        "TrainingDataStartTime": found.start,
        "TrainingDataEndTime": Decimal(split),
        "EvaluationDataStartTime": Decimal(split),
        "EvaluationDataEndTime": found.end,
    }


def _evaluation_share(version: Mapping[str, Any]) -> Decimal:
    """Return the evaluation's part of both windows of a version; 0 without evaluation."""
    if "EvaluationDataStartTime" not in version:
        return Decimal(0)
    training = version["TrainingDataEndTime"] - version["TrainingDataStartTime"]
    evaluation = version["EvaluationDataEndTime"] - version["EvaluationDataStartTime"]
    return Decimal(evaluation / (training + evaluation))
