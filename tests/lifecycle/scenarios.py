"""The sequences of the conformance suite: every order of events that CloudFormation is known to send.

A scenario plays one of them for one kind of resource and raises AssertionError when an invariant breaks.
The mutation check plays the same functions against broken handlers.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.lifecycle import invariants
from tests.lifecycle.cases import CASES, ROLE, Case, prepare
from tests.lifecycle.cloudformation import Live, Operation, Properties, Stack, Template, stringify
from tests.lifecycle.fake_service import FakeService, Thing
from tests.lifecycle.world import (
    BROKEN,
    DENIED,
    FATAL,
    KILLED,
    LOST_ANSWER,
    REFUSED,
    TRANSIENT,
    Fault,
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
    world: World = field(init=False)
    stack: Stack = field(init=False)
    foreign: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.wire, short=self.short)
        prepare(self.world.service)
        self.foreign = self.world.snapshot()
        self.stack = Stack(self.world, duplicates=self.duplicates)

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
        kind, name = identity.split("/")[2:]
        service: FakeService = self.world.service
        kinds = {
            "dataset": service.datasets,
            "model": service.models,
            "inference-scheduler": service.schedulers,
        }
        return kinds[kind].get(name) if kind in kinds else None

    def fresh(self) -> "Play":
        """The same play from the start."""
        return Play(self.wire, self.case, duplicates=self.duplicates, short=self.short)


Scenario = Callable[[Play], None]


def create_and_delete(play: Play) -> None:
    """C-D."""
    play.created()
    play.check()
    assert play.stack.destroy(), play.stack.reasons
    play.check()
    assert not invariants.owned(play.world, play.stack)


def attributes(play: Play) -> None:
    """Every attribute a template can ask for is there, and is text."""
    play.created()
    expected = {
        "Dataset": {"DatasetName", "DatasetArn"},
        "DataIngestion": {"JobId", "DataStartTime", "DataEndTime", "IngestedDataSize"},
        "Model": {"ModelName", "ModelArn", "Status", "ModelQuality"},
        "InferenceScheduler": {"InferenceSchedulerName", "InferenceSchedulerArn"},
    }[play.case.kind]
    operation = Operation(play.world, play.stack.log[-1])
    data = operation.run()["Data"]
    assert data.keys() == expected, data
    thing = play.thing()
    assert thing is None or thing.arn in data.values(), data


def update_in_place(play: Play) -> None:
    """C-U-U(back)."""
    play.created()
    before = play.thing()
    for properties in (play.case.in_place, play.case.base):
        assert play.deploy(properties), play.stack.reasons
        play.check()
        assert play.thing() is before


def update_replaces(play: Play) -> None:
    """C-U(replace)-D(old)."""
    play.created()
    old = play.stack.live[LOGICAL].physical_id
    assert play.deploy(play.case.replaced), play.stack.reasons
    play.check()
    assert play.stack.live[LOGICAL].physical_id != old


def update_fails_and_rolls_back(play: Play) -> None:
    """C-U!-U(back), for every call of the update and every fault that is final."""
    for change in (play.case.in_place, play.case.replaced):
        for fault in FATAL:
            _at_every_call(play, change, fault)


def _at_every_call(play: Play, change: Properties, fault: Fault) -> None:
    for index in range(40):
        again = play.fresh()
        again.created()
        before = again.thing()
        again.world.arm(index, fault)
        succeeded = again.deploy(change)
        assert not again.stack.stuck, again.stack.reasons
        again.check()
        if not again.world.hit:
            assert succeeded
            return
        assert succeeded or again.thing() is before, f"{again.world.hit}: the old resource is gone"
    raise AssertionError("the update never ends")


def creation_fails(play: Play) -> None:
    """C!-D at every call: nothing stays."""
    for fault in FATAL:
        for index in range(40):
            again = play.fresh()
            again.world.arm(index, fault)
            succeeded = again.deploy(again.case.base)
            assert not again.stack.stuck, again.stack.reasons
            again.check()
            assert succeeded or not invariants.owned(again.world, again.stack)
            if not again.world.hit:
                break


def deletion_fails_once(play: Play) -> None:
    """C-D!-D at every call."""
    for fault in FATAL:
        for index in range(40):
            again = play.fresh()
            again.created()
            again.world.arm(index, fault)
            if not again.stack.destroy():
                assert again.stack.destroy(), again.stack.reasons
            again.check()
            assert not invariants.owned(again.world, again.stack)
            if not again.world.hit:
                break


def replacement_fails(play: Play) -> None:
    """The service accepts the new one and fails it later: back to the old one, untouched."""
    play.created()
    before, jobs = play.thing(), len(play.world.service.jobs)
    assert not play.deploy(play.case.failing)
    play.check()
    assert play.thing() is before
    assert len(play.world.service.jobs) <= jobs + 1, "the rollback ingested again"


def sibling_fails_after_replacement(play: Play) -> None:
    """C-U(replace)-sibling fails-U(back)-D(new), whichever id CloudFormation puts into U(back)."""
    for sees_new_id in (True, False):
        again = play.fresh()
        again.created()
        before = again.thing()
        assert not again.deploy(again.case.replaced, sibling_fails=True, rollback_sees_new_id=sees_new_id)
        again.check()
        assert not again.stack.stuck, again.stack.reasons
        assert again.thing() is before


def sibling_fails_after_update(play: Play) -> None:
    """C-U(in place)-sibling fails-U(back), and C-sibling fails-D."""
    play.created()
    before = play.thing()
    assert not play.deploy(play.case.in_place, sibling_fails=True)
    play.check()
    assert not play.stack.stuck, play.stack.reasons
    assert play.thing() is before
    again = play.fresh()
    assert not again.deploy(again.case.base, sibling_fails=True)
    again.check()
    assert not again.stack.live


def clash(play: Play) -> None:
    """A change that needs a new resource under the name that is in use is refused, and says how to do it."""
    if play.case.clash is None:
        return
    play.created()
    before = play.thing()
    assert not play.deploy(play.case.clash)
    play.check()
    assert play.thing() is before
    assert f"Change {play.case.name_member} as well" in play.stack.reasons[-1], play.stack.reasons


def overtaken_creation(play: Play) -> None:
    """C||D(invented id): the Delete runs in full at every point of the Create."""
    for moment in ("before", "after"):
        for index in range(40):
            again = play.fresh()
            live = Live(again.case.type, "pump-Thing-1ABCDEFGHIJKL", stringify(again.case.base))
            create = Operation(again.world, again.stack.event("Create", LOGICAL, live))
            delete = Operation(again.world, again.stack.event("Delete", LOGICAL, live))
            again.world.interrupt(index, moment, delete.run)
            create.run()
            if again.world.hooks:
                break
            again.world.now += 3600
            create_jobs = again.world.service.jobs
            assert len(create_jobs) <= 1, "I4: a job too many"
            again.check()
            assert not invariants.owned(again.world, again.stack), f"{moment} call {index}: leaked"


def deletion_before_creation(play: Play) -> None:
    """D(invented id) arrives first; the Create that follows makes nothing; the next deployment works."""
    live = Live(play.case.type, "pump-Thing-1ABCDEFGHIJKL", stringify(play.case.base))
    create = Operation(play.world, play.stack.event("Create", LOGICAL, live))
    delete = Operation(play.world, play.stack.event("Delete", LOGICAL, live))
    assert delete.run()["Status"] == "SUCCESS"
    assert create.run()["Status"] == "FAILED"
    play.check()
    assert not invariants.owned(play.world, play.stack)
    play.created()
    play.check()


def cancelled_creation(play: Play) -> None:
    """The Create is given up after some polls, and goes on beside the Delete."""
    for steps in (1, 2, 3, 5):
        again = play.fresh()
        if again.deploy(again.case.base, cancel=(LOGICAL, steps)):
            continue  # it was done before it could be cancelled
        again.check()
        assert not invariants.owned(again.world, again.stack), f"after {steps} steps: leaked"
        again.created()
        again.check()


def cancelled_update(play: Play) -> None:
    """The update is given up after some polls; its waiter goes on beside the rollback."""
    for change in (play.case.in_place, play.case.replaced, play.case.failing):
        for steps in (1, 2, 3, 5):
            again = play.fresh()
            again.created()
            before = again.thing()
            if again.deploy(change, cancel=(LOGICAL, steps)):
                continue  # it was done before it could be cancelled
            again.check()
            assert not again.stack.stuck, again.stack.reasons
            assert again.thing() is before


def replays(play: Play) -> None:
    """Every event of a long life once more, in any order: nothing changes."""
    play.created()
    assert play.deploy(play.case.in_place)
    assert play.deploy(play.case.replaced)
    before = play.world.snapshot()
    for index in reversed(range(len(play.stack.log))):
        play.stack.replay(index)
    assert play.world.snapshot() == before, "I7: a repeated event changed the service"
    play.check()
    assert play.stack.destroy()
    for index in range(len(play.stack.log)):
        play.stack.replay(index)
    play.check()
    assert not invariants.owned(play.world, play.stack), "I7: a repeated event brought something back"


def deleted_outside(play: Play) -> None:
    """Deleted by hand: Delete succeeds; Update makes it again, or says that it cannot."""
    again = play.fresh()
    for one in (play, again):
        one.created()
        for kind in (one.world.service.datasets, one.world.service.models, one.world.service.schedulers):
            for name in [name for name, thing in kind.items() if thing is one.thing()]:
                del kind[name]
    assert play.stack.destroy(), play.stack.reasons
    play.check()
    if again.case.kind == "Dataset":
        again.deploy(again.case.in_place)
        assert "deleted outside CloudFormation" in again.stack.reasons[0]
    else:
        assert again.deploy(again.case.in_place), again.stack.reasons
        again.check()


def drift(play: Play) -> None:
    """Changed by hand: the next update brings back what the template says."""
    play.created()
    thing = play.thing()
    if thing is None:
        return
    thing.tags["site"] = "drifted"
    if play.case.kind == "InferenceScheduler":
        thing.record["DataUploadFrequency"] = "PT1H"
        thing.record["Status"] = "STOPPED"
    if play.case.kind == "Model":
        thing.record["RoleArn"] = "arn:aws:iam::111122223333:role/drifted"
    assert play.deploy(play.case.in_place), play.stack.reasons
    if play.case.kind == "InferenceScheduler":
        thing.tags.pop("site")  # this one has no tags of its own
    play.check()


def foreign_name(play: Play) -> None:
    """A resource of the same name that is not ours: Create refuses it, and nobody deletes it."""
    service, name = play.world.service, play.case.base[play.case.name_member]
    if play.case.kind == "DataIngestion":
        return
    if play.case.kind == "Dataset":
        service.seed_dataset(name)
    elif play.case.kind == "Model":
        service.seed_model(name)
    else:
        _somebodys_scheduler(play, name)
    play.foreign = play.world.snapshot()
    assert not play.deploy(play.case.base)
    assert "does not belong to this resource" in play.stack.reasons[0]
    play.check()
    for identity in (
        "AWSCDK::marker",
        "2026/11/21/[$LATEST]abc",
        f"l4e/v1/dataset/{name}",
        f"l4e/v1/model/{name}",
    ):
        live = Live(play.case.type, identity, stringify(play.case.base))
        Operation(play.world, play.stack.event("Delete", LOGICAL, live)).run()
    play.check()


def _somebodys_scheduler(play: Play, name: str, model: str = "other") -> None:
    keep = {"ServiceToken", "ServiceTimeout", "PropertiesVersion", "DesiredState"}
    parameters = {key: value for key, value in CASES[-1].base.items() if key not in keep}
    parameters |= {"InferenceSchedulerName": name, "ModelName": model, "ClientToken": "somebody"}
    play.world.service.call("CreateInferenceScheduler", parameters)


def two_stacks(play: Play) -> None:
    """Two stacks with the same construct ids, and the same stack in two regions, do not touch each other."""
    play.created()
    for other in (Stack(play.world, name="twin"), Stack(play.world, region="eu-west-1")):
        assert other.deploy(play.template(play.case.replaced)), other.reasons
        invariants.check(play.world, play.stack, other, foreign=play.foreign)
        assert other.destroy()
        invariants.check(play.world, play.stack, other, foreign=play.foreign)


def rough_weather(play: Play) -> None:
    """A third of all calls of a whole life goes wrong for the moment: it takes longer, and ends the same."""
    for seed in range(6):
        again = play.fresh()
        again.world.weather = _weather(seed)
        again.created()
        for properties in (again.case.in_place, again.case.replaced):
            assert again.deploy(properties), again.stack.reasons
            again.check()
        assert again.stack.destroy(), again.stack.reasons
        again.check()


def _weather(seed: int) -> Callable[[], Fault | None]:
    dice = random.Random(seed)  # noqa: S311 - no secret
    return lambda: dice.choice(TRANSIENT) if dice.random() < 0.3 else None


def single_faults(play: Play) -> None:
    """One transient fault at every call of a whole life."""
    for fault in (LOST_ANSWER, BROKEN):
        for index in range(400):
            again = play.fresh()
            again.world.arm(index, fault)
            again.created()
            assert again.deploy(again.case.replaced), again.stack.reasons
            assert again.stack.destroy(), again.stack.reasons
            if not again.world.hit:
                break
            again.check()


def late_visibility(play: Play) -> None:
    """What was created shows up only after some reads."""
    play.world.service.visibility_lag = 3
    play.created()
    play.check()
    assert play.deploy(play.case.replaced), play.stack.reasons
    play.check()


def unready_role(play: Play) -> None:
    """The role was created a moment ago and cannot be assumed yet; one that never can be is named."""
    if "RoleArn" not in play.case.base:
        return
    again = play.fresh()
    play.world.service.unready_roles[play.case.base["RoleArn"]] = 5
    play.created()
    play.check()
    again.world.service.unready_roles[again.case.base["RoleArn"]] = 10_000
    assert not again.deploy(again.case.base)
    again.check()
    assert again.case.base["RoleArn"] in again.stack.reasons[0]
    assert again.world.now < play.world.now + 3600


def late_rights(play: Play) -> None:
    """The rights of the handlers spread a minute late; or never, which is said after two minutes."""
    start = play.world.now
    play.world.weather = lambda: DENIED if play.world.now < start + 60 else None
    play.created()
    play.check()
    again = play.fresh()
    start = again.world.now
    again.world.weather = lambda: DENIED if again.world.now < start + 600 else None
    assert not again.deploy(again.case.base)
    again.check()
    assert "AccessDeniedException" in again.stack.reasons[0], again.stack.reasons


def wrong_properties(play: Play) -> None:
    """A property that is wrong fails at once, is named, and changes nothing."""
    for change, text in (
        ({"Colour": "red"}, "unknown property 'Colour'"),
        ({"PropertiesVersion": "2"}, "PropertiesVersion '2'"),
        ({play.case.name_member: "no spaces"}, f"{play.case.name_member} is 'no spaces'"),
    ):
        again = play.fresh()
        assert not again.deploy(again.case.base | change)
        assert text in again.stack.reasons[0], again.stack.reasons
        assert not again.world.changes
        again.check()
        again.created()
        assert not again.deploy(again.case.base | change)
        again.check()


def request_id_comes_again(play: Play) -> None:
    """A failed deployment is retried under the same RequestId with other properties, an hour later."""
    play.stack.reuse_request_id = "request-again"
    play.created()
    play.world.now += 4000
    assert play.deploy(play.case.in_place), play.stack.reasons
    play.check()
    play.world.now += 4000
    assert play.deploy(play.case.replaced), play.stack.reasons
    play.check()


def long_message(play: Play) -> None:
    """The service answers with a book, in several alphabets."""
    error = REFUSED.error
    book = Fault(name="book", error=lambda: _with_message(error(), "Ünïcödé 漢字 \n\"'\\ 🙂" * 2000))
    for index in range(30):
        again = play.fresh()
        again.world.arm(index, book)
        again.deploy(again.case.base)
        again.check()
        if not again.world.hit:
            break


def _with_message(error: Any, message: str) -> Any:
    error.message = message
    return error


def abandoned_cleanup(play: Play) -> None:
    """The Delete of the old one fails in the cleanup: it is given up, and the new one not touched."""
    play.created()
    fault = KILLED
    play.world.hooks.clear()
    counted = play.fresh()
    counted.created()
    start = len(counted.world.calls)
    assert counted.deploy(counted.case.replaced)
    update_calls = len(counted.world.calls) - start
    play.world.arm(update_calls - 2, fault)
    assert play.deploy(play.case.replaced), play.stack.reasons
    play.check()


def without_waiting(play: Play) -> None:
    """Wait=false: done as soon as the service has accepted; a failure is for the alarms, a Delete waits."""
    if play.case.kind not in {"DataIngestion", "Model"}:
        return
    start = play.world.now
    assert play.deploy(play.case.base | {"Wait": False}), play.stack.reasons
    assert play.world.now - start <= 20
    busy = [thing.record["Status"] for thing in [*play.world.service.jobs.values(), play.thing()] if thing]
    assert busy == ["IN_PROGRESS"]
    assert play.stack.destroy(), play.stack.reasons
    play.check()
    assert not invariants.owned(play.world, play.stack)
    assert play.case.failing
    assert play.deploy(play.case.failing | {"Wait": False}), play.stack.reasons
    if play.case.kind == "DataIngestion":
        _waiting_after_all(play)


def _waiting_after_all(play: Play) -> None:
    """Wait=true on what was only accepted: a job in progress is awaited, one that failed is not adopted."""
    jobs = play.world.service.jobs
    play.stack.drain()
    assert not play.deploy(play.case.failing), "a failed job was taken for data"
    assert play.deploy(play.case.base | {"Wait": False}), play.stack.reasons
    count = len(jobs)
    assert play.deploy(play.case.base), play.stack.reasons
    assert [*jobs.values()][-1].record["Status"] == "SUCCESS"
    assert len(jobs) == count, "a job in progress was started again"


def waits_for_what_it_needs(play: Play) -> None:
    """What is in the way passes: another ingestion, a training, too many pending jobs."""
    service = play.world.service
    start = {"DatasetName": "plant", "RoleArn": "arn:aws:iam::111122223333:role/x", "ClientToken": "somebody"}
    start["IngestionInputConfiguration"] = play.world.service.datasets["plant"].record[
        "IngestionInputConfiguration"
    ]
    if play.case.kind == "InferenceScheduler":
        model = service.models["trained"]
        model.record["Status"], model.then, model.until = "IN_PROGRESS", "SUCCESS", play.world.now + 100
    elif play.case.kind != "Dataset":
        service.call("StartDataIngestionJob", start)
    for number in range(5):
        model = service.seed_model(f"pending-{number}", status="IN_PROGRESS")
        model.then, model.until = "SUCCESS", play.world.now + 200
    play.foreign = play.world.snapshot()
    play.created()
    play.check()
    if play.case.kind == "Dataset":
        service.call("StartDataIngestionJob", start | {"DatasetName": "pump-1"})
    assert play.stack.destroy(), play.stack.reasons
    play.check()


def blocked_deletion(play: Play) -> None:
    """What stays in the way of a Delete is named; when it is gone, the next attempt succeeds."""
    if play.case.kind not in {"Dataset", "Model"}:
        return
    play.created()
    service = play.world.service
    if play.case.kind == "Dataset":
        service.models["other"].record["DatasetName"] = "pump-1"
        _somebodys_scheduler(play, "in-the-way")
    else:
        service.models["pump-1"].record["Status"] = "SUCCESS"
        _somebodys_scheduler(play, "in-the-way", model="pump-1")
    play.foreign = play.world.snapshot()
    play.foreign["things"].pop(play.stack.live[LOGICAL].physical_id, None)
    assert not play.stack.destroy()
    assert "in-the-way" in play.stack.reasons[-1], play.stack.reasons
    del service.schedulers["in-the-way"]
    assert play.stack.destroy(), play.stack.reasons
    assert not invariants.owned(play.world, play.stack)


def too_slow(play: Play) -> None:
    """The service never finishes: our reason comes before the framework's and CloudFormation's own."""
    if play.case.kind == "Dataset":
        return
    play.world.service.frozen = True
    start = play.world.now
    assert not play.deploy(play.case.base)
    assert "after 45 minutes" in play.stack.reasons[0], play.stack.reasons
    assert play.world.now - start < 2 * 3000
    invariants.check(play.world, play.stack, foreign=play.foreign)


def strict_service(play: Play) -> None:
    """A service that updates only what stands still: stopped, updated, and running again."""
    play.world.service.strict_updates = True
    play.created()
    change = {"RoleArn": f"{ROLE}-2"} if "RoleArn" in play.case.base else {"Tags": []}
    assert play.deploy(play.case.base | change), play.stack.reasons
    play.check()


def one_scheduler_per_model(play: Play) -> None:
    """A scheduler cannot be replaced on the same model, and the reason says what to change."""
    if play.case.kind != "InferenceScheduler":
        return
    play.created()
    before = play.thing()
    assert not play.deploy(play.case.base | {"InferenceSchedulerName": "pump-9"})
    play.check()
    assert play.thing() is before
    assert "change ModelName as well" in play.stack.reasons[0], play.stack.reasons


def quota(play: Play) -> None:
    """A limit is reached: final, with the limit in the reason."""
    service = play.world.service
    for number in range(20):
        service.seed_dataset(f"d-{number}")
        service.seed_model(f"m-{number}")
    if play.case.kind in {"Dataset", "Model"}:
        assert not play.deploy(play.case.base)
        assert "limit 15" in play.stack.reasons[0], play.stack.reasons
        assert "ServiceQuotaExceededException" in play.stack.reasons[0]
        play.check()


def retained(play: Play) -> None:
    """A dataset with RemovalPolicy retain outlives its stack."""
    if play.case.kind != "Dataset":
        return
    assert play.deploy(play.case.base | {"RemovalPolicy": "retain"})
    thing = play.thing()
    assert play.stack.destroy()
    assert thing in play.world.service.datasets.values()


SCENARIOS: tuple[Scenario, ...] = (
    create_and_delete,
    attributes,
    update_in_place,
    update_replaces,
    clash,
    replacement_fails,
    sibling_fails_after_replacement,
    sibling_fails_after_update,
    foreign_name,
    deleted_outside,
    drift,
    two_stacks,
    without_waiting,
    waits_for_what_it_needs,
    blocked_deletion,
    too_slow,
    strict_service,
    one_scheduler_per_model,
    quota,
    retained,
    deletion_before_creation,
    cancelled_creation,
    cancelled_update,
    replays,
    late_visibility,
    unready_role,
    late_rights,
    wrong_properties,
    request_id_comes_again,
    abandoned_cleanup,
    long_message,
)

# These go through every call of a life with every fault.
EXHAUSTIVE: tuple[Scenario, ...] = (
    creation_fails,
    deletion_fails_once,
    overtaken_creation,
    update_fails_and_rolls_back,
    rough_weather,
    single_faults,
)
