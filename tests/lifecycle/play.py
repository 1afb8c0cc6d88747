"""One stack of one resource in a world of its own: what every scenario plays with."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tests.lifecycle import invariants
from tests.lifecycle.cases import Case, case_of, prepare
from tests.lifecycle.cloudformation import Properties, Stack, Template
from tests.lifecycle.fake_service import FakeService, Thing
from tests.lifecycle.world import (
    Wire,
    World,
)

LOGICAL = "Thing"


@dataclass
class Play:
    """A world with one stack of one resource, and the check of everything at the end."""

    wire: Wire
    case: Case
    duplicates: bool = False
    short: bool = False
    late_come_first: bool = True
    world: World = field(init=False)
    stack: Stack = field(init=False)
    foreign: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.wire, short=self.short)
        prepare(self.world.service)
        self.foreign = self.world.snapshot()
        self.stack = Stack(self.world, duplicates=self.duplicates, late_come_first=self.late_come_first)

    def template(self, properties: Properties | None) -> Template:
        """The template with the resource in this form."""
        assert properties is not None
        return {LOGICAL: (self.case.type, properties)}

    def deploy(self, properties: Properties | None, **how: Any) -> bool:
        """Deploy the resource in this form."""
        return self.stack.deploy(self.template(properties), **how)

    def created(self) -> None:
        """The resource exists."""
        assert self.deploy(self.case.base), self.stack.reasons

    def check(self) -> None:
        """Every invariant, now and after everything late has arrived."""
        self.stack.drain()
        invariants.check(self.world, self.stack, foreign=self.foreign)

    def thing(self) -> Thing | None:
        """The resource in the service, unless it is an ingestion."""
        identity = self.stack.live[LOGICAL].physical_id
        assert identity.startswith("l4e/v1/"), f"I5: {identity!r} is not an id of ours"
        kind, name = identity.split("/")[2:]
        service: FakeService = self.world.service
        kinds = {
            "dataset": service.datasets,
            "model": service.models,
            "inference-scheduler": service.schedulers,
            "label-group": service.label_groups,
            "retraining-scheduler": service.retrainings,
        }
        if kind.endswith("-policy"):
            return service.policies.get(f"{kind}/{name}")
        return kinds[kind].get(name) if kind in kinds else None

    def replay_all(self, request_type: str) -> None:
        """Every event of one type once more."""
        for index, event in enumerate(self.stack.log):
            if event["RequestType"] == request_type:
                self.stack.replay(index)

    def fresh(self) -> "Play":
        """The same play from the start."""
        return replace(self)


class Scenario(Protocol):
    """Plays one sequence; raises AssertionError when an invariant breaks."""

    __name__: str

    def __call__(self, play: Play, /) -> None:
        """Play."""


def somebodys_scheduler(play: Play, name: str, model: str = "other") -> None:
    keep = {"ServiceToken", "ServiceTimeout", "PropertiesVersion", "DesiredState"}
    base = case_of("InferenceScheduler").base
    parameters = {key: value for key, value in base.items() if key not in keep}
    parameters |= {"InferenceSchedulerName": name, "ModelName": model, "ClientToken": "somebody"}
    play.world.service.call("CreateInferenceScheduler", parameters)
