"""The owner's choice about slow faults reaches the detectors of all jobs."""

import pytest

from engine import Detector
from service.jobs.inference.active_model import ActiveModel
from service.names import MODEL
from service.settings import Settings
from service.store import Item
from tests.service.jobs.world import World


@pytest.mark.parametrize("adaptation", ["auto", "hold", "follow"])
def test_takes_effect_without_training(home: World, world: World, model: Item, adaptation: str) -> None:
    world.settings(adaptation=adaptation)
    scheduler = {"ModelName": model["ModelName"], "modelUuid": model["uuid"]}
    active = ActiveModel.load(world.runtime, world.get(MODEL, model["ModelName"]), scheduler)
    assert active.detector.adaptation == adaptation
    assert isinstance(active.detector, Detector)


def test_another_choice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"adaptation is 'never': use one of auto, hold, follow"):
        Settings.from_json('{"adaptation": "never"}')
