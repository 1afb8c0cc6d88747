"""How detectors treat faults that grow slowly: the owner's choice for all models of a deployment."""

from dataclasses import replace
from typing import cast

from engine import Adaptation, Detector
from service.settings import Settings


def adapted(detector: Detector, settings: Settings) -> Detector:
    """Return the detector with the `adaptation` of the settings, which takes effect without training."""
    return replace(detector, adaptation=cast("Adaptation", settings.adaptation))
