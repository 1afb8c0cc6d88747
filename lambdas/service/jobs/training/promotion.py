"""A retraining: the version it is to replace, and whether it is promoted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import BadArtefact, Detector
from service.jobs.adaptation import adapted
from service.jobs.runtime import Runtime, log
from service.jobs.training.learn import Learned
from service.jobs.training.version import Training
from service.reconciliation.failed_reason import clip
from service.reconciliation.training_end import PROMOTION_REASON_LENGTH
from service.storage.names import artefact_key, version_key, versions_of

_PROMOTED, _NO_BETTER = "AUTO_PROMOTION_SUCCESSFUL", "MODEL_METRICS_DIDNT_IMPROVE"
_POOR = "POOR_MODEL_QUALITY_DETECTED"
_CHOSEN = "ANOTHER_VERSION_ACTIVATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The version that a retraining is to replace; `detector` is None when it cannot be read any more."""

    detector: Detector | None
    labelled: bool

    @classmethod
    def load(cls, runtime: Runtime, training: Training, model: Mapping[str, Any]) -> "Prior":
        """Read the prior version of a retraining, with the adaptation that its `model` has now.

        Raises:
            ValueError: when the training is no retraining.
        """
        number = training.prior
        if number is None:
            raise ValueError(f"version {training.number} is no retraining")
        record = runtime.store.get(versions_of(training.model_uuid), version_key(number)) or {}
        found = _detector(training, number)
        return cls(
            detector=None if found is None else adapted(found, runtime.settings, model),
            labelled="LabelsInputConfiguration" in record,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the new version becomes active; `members` are what its record says about it."""

    promoted: bool
    members: Mapping[str, str]


def _detector(training: Training, number: int) -> Detector | None:
    body = training.service_bucket.find(artefact_key(training.model_uuid, number))
    problem = "it has no artefact"
    if body is not None:
        try:
            found = Detector.from_bytes(body)
        except BadArtefact as error:
            problem = str(error)
        else:
            if found.sensors == training.sensors:
                return found
            problem = "it has other sensors"
    log("prior version not used", ModelName=training.model_name, ModelVersion=number, Reason=problem)
    return None


def decide(training: Training, learned: Learned, prior: Prior) -> Verdict:
    """Decide by the promote mode of the retraining: MANAGED by the documented rule, MANUAL never.

    Labels on both sides: the better one by its metrics, a tie keeps the prior version. Labels on the old
    side alone: the prior version stays. On the new side alone: the new one if its quality suffices. On
    neither: the new one.
    """
    if training.record.get("promoteMode", "MANAGED") == "MANUAL":
        return Verdict(promoted=False, members={})
    return _managed(learned, prior, labelled="LabelsInputConfiguration" in training.record)


def overtaken(active: int) -> Verdict:
    """Return the verdict when somebody made another version the `active` one during the retraining."""
    reason = f"version {active} was activated during the retraining, which had compared with another one"
    return _verdict(_CHOSEN, reason)


def _managed(learned: Learned, prior: Prior, *, labelled: bool) -> Verdict:
    compared = learned.comparison
    code, reason = _PROMOTED, "the prior version had no labels" if compared is None else compared.reason
    if prior.detector is None:
        reason = "the prior version cannot be used any more"
    elif prior.labelled and not labelled:
        code, reason = _NO_BETTER, "the new version has no labels to be judged by"
    elif prior.labelled and compared is None:
        code, reason = _NO_BETTER, "there is no evaluation window to compare the versions on"
    elif prior.labelled and compared is not None and compared.better != "candidate":
        code = _NO_BETTER
    elif labelled and not prior.labelled and learned.quality != "QUALITY_THRESHOLD_MET":
        code, reason = _POOR, f"the quality of the new version is {learned.quality}"
    return _verdict(code, reason)


def _verdict(code: str, reason: str) -> Verdict:
    return Verdict(
        promoted=code == _PROMOTED,
        members={
            "AutoPromotionResult": "MODEL_PROMOTED" if code == _PROMOTED else "MODEL_NOT_PROMOTED",
            "AutoPromotionResultReason": clip(f"{code}: {reason}", PROMOTION_REASON_LENGTH),
        },
    )
