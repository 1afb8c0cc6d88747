"""The owner's choice of what becomes of slow faults."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from engine import Adaptation, Detector
from service.members.adaptation_tag import ADAPTATION_TAG
from service.settings import Settings


def adapted(detector: Detector, settings: Settings, model: Mapping[str, Any]) -> Detector:
    """Return the detector with the adaptation of its model, which takes effect without training.

    Args:
        detector: of any version of the model.
        settings: those of the service, which hold for models that have no adaptation of their own.
        model: the record of the model.
    """
    chosen = model.get("tags", {}).get(ADAPTATION_TAG, settings.adaptation)
    return replace(detector, adaptation=cast("Adaptation", chosen))
