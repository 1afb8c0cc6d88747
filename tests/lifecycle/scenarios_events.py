"""Scenarios: every order of events that CloudFormation is known to send."""

import hashlib
import itertools
import re

from tests.lifecycle import invariants
from tests.lifecycle.cases import POLICY
from tests.lifecycle.cloudformation import Live, Operation, Stack, stringify
from tests.lifecycle.play import LOGICAL, Play, somebodys_scheduler
from tests.lifecycle.world import (
    KILLED,
    SCHEMAS,
)


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
        "ImportedDataset": {"DatasetName", "DatasetArn"},
        "DataIngestion": {"JobId", "DataStartTime", "DataEndTime", "IngestedDataSize"},
        "Model": {"ModelName", "ModelArn", "Status", "ModelQuality"},
        "ImportedModel": {"ModelName", "ModelArn", "Status", "ModelQuality"},
        "InferenceScheduler": {"InferenceSchedulerName", "InferenceSchedulerArn"},
        "LabelGroup": {"LabelGroupName", "LabelGroupArn"},
        "RetrainingScheduler": {"ModelName", "ModelArn"},
        "DatasetPolicy": {"ResourceArn", "PolicyRevisionId"},
    }[play.case.kind]
    operation = Operation(play.world, play.stack.log[-1])
    data = operation.run()["Data"]
    assert data.keys() == expected, data
    thing = play.thing()
    known = [thing.record.get(name) for name in ("ModelArn", "ResourceArn")] if thing else []
    assert thing is None or any(arn in data.values() for arn in (*known, thing.arn)), data


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


def made_again(play: Play) -> None:
    """Only the hash of a generated name differs: refused, because what exists is the same."""
    name = play.case.name_member
    # A policy has the name of its dataset; a retraining scheduler follows its model to another name.
    if play.case.kind in {"DataIngestion", "DatasetPolicy", "RetrainingScheduler"}:
        return
    base = play.case.base | {name: "pump-C70504A4-0123abcd"}
    assert play.deploy(base), play.stack.reasons
    before = play.thing()
    assert not play.deploy(base | {name: "pump-C70504A4-89abcdef"}), "made again"
    play.check()
    assert play.thing() is before
    assert "would replace 'pump-C70504A4-0123abcd'" in play.stack.reasons[-1], play.stack.reasons
    if play.case.kind == "LabelGroup":  # nothing but its name replaces one
        return
    # Another content, path, or a name by hand is what the user wants.
    assert play.deploy(play.case.replaced | {name: "pump-C70504A4-89abcdef"}), play.stack.reasons
    play.check()
    if play.case.kind != "InferenceScheduler":  # a model has one only
        for other in ("fan-C70504A4-0123abcd", "pump-20260131", "pump-20260228"):
            assert play.deploy(play.case.replaced | {name: other}), play.stack.reasons
            play.check()


def schema_written_otherwise(play: Play) -> None:
    """The same schema at another place or in the template is the same; another one is not."""
    if play.case.kind != "Dataset":
        return
    play.created()
    before = play.thing()
    place, text = play.case.base["Schema"], SCHEMAS["schema-1"]
    digest = hashlib.sha256(text.encode()).hexdigest()
    for schema in (
        place | {"Bucket": "elsewhere"},
        {"InlineDataSchema": text},
        place | {"Sha256": digest},
        place,
    ):
        assert play.deploy(play.case.base | {"PropertiesVersion": "2", "Schema": schema}), play.stack.reasons
        play.check()
        assert play.thing() is before
    for other in ({"InlineDataSchema": SCHEMAS["schema-2"]}, place | {"Key": "schema-2"}):
        assert not play.deploy(play.case.base | {"PropertiesVersion": "2", "Schema": other})
        assert "(Schema)" in play.stack.reasons[-1], play.stack.reasons
        play.check()
        assert play.thing() is before


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
    for sees_new_id, late_come_first in itertools.product((True, False), (True, False)):
        again = play.fresh()
        again.stack.late_come_first = late_come_first
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


def foreign_name(play: Play) -> None:
    """A resource of the same name that is not ours: Create refuses it, and nobody deletes it."""
    service, name = play.world.service, play.case.base[play.case.name_member]
    if play.case.kind == "DataIngestion":
        return
    if play.case.kind in {"Dataset", "ImportedDataset"}:
        service.seed_dataset(name)
    elif play.case.kind in {"Model", "ImportedModel"}:
        service.seed_model(name)
    elif play.case.kind == "LabelGroup":
        service.seed_label_group(name)
    elif play.case.kind == "RetrainingScheduler":
        asked = {"RetrainingFrequency": "P30D", "LookbackWindow": "P180D", "ClientToken": "somebody"}
        service.call("CreateRetrainingScheduler", {"ModelName": name, **asked})
    elif play.case.kind == "DatasetPolicy":
        service.seed_policy(service.datasets[name].arn, POLICY)
    else:
        somebodys_scheduler(play, name)
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


def kept_by_its_stack(play: Play) -> None:
    """What a deleted stack has kept is neither taken over by the next of that name nor lost.

    The deployment fails, tells how to use it, and takes back nothing but its own. When a person has deleted
    what was kept, the same template deploys.
    """
    if play.case.kind not in {"Dataset", "ImportedDataset", "LabelGroup", "Model", "ImportedModel"}:
        return
    play.created()
    kept = play.thing()
    assert kept is not None
    play.stack.leave()
    again = Stack(play.world, incarnation=1, duplicates=play.duplicates, late_come_first=play.late_come_first)
    before = play.world.snapshot()
    assert not again.deploy(play.template(play.case.base))
    again.drain()
    assert play.world.snapshot() == before
    word = play.case.kind.removeprefix("Imported")
    member = re.sub("(?<=[a-z])(?=[A-Z])", "_", word).lower()
    name = play.case.base[play.case.name_member]
    line = f'`{word}.from_{member}_name(self, "Kept{word}", service=service, {member}_name="{name}")`'
    assert f"was deleted, put {line} in place of the construct" in again.reasons[0]
    assert again.reasons[0].endswith("then deploy again.")
    invariants.check(play.world, play.stack, again, foreign=play.foreign)

    play.world.service.call(f"Delete{word}", {play.case.name_member: name})
    assert again.deploy(play.template(play.case.base)), again.reasons
    again.drain()
    invariants.check(play.world, play.stack, again, foreign=play.foreign)


def two_stacks(play: Play) -> None:
    """Two stacks with the same construct ids, and the same stack in two regions, do not touch each other."""
    play.created()
    for other in (Stack(play.world, name="twin"), Stack(play.world, region="eu-west-1")):
        assert other.deploy(play.template(play.case.replaced)), other.reasons
        invariants.check(play.world, play.stack, other, foreign=play.foreign)
        assert other.destroy()
        invariants.check(play.world, play.stack, other, foreign=play.foreign)


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
    no_name = stringify(play.case.base | {play.case.name_member: "no/name"})
    wrong = Live(play.case.type, "pump-Other-2ABCDEFGHIJKL", no_name)
    assert Operation(play.world, play.stack.event("Delete", "Other", wrong)).run()["Status"] == "SUCCESS"


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
    changes = (play.case.in_place, play.case.replaced, play.case.failing)
    for change, late_come_first in itertools.product(changes, (True, False)):
        for steps in (1, 2, 3, 5):
            again = play.fresh()
            again.stack.late_come_first = late_come_first
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


def late_delete(play: Play) -> None:
    """C-D-C-U(replace)!-U(back)-D(new), then the first Delete once more: the second life is not touched."""
    play.created()
    assert play.stack.destroy()
    play.created()
    assert not play.deploy(play.case.replaced, sibling_fails=True)
    before = play.world.snapshot()
    play.replay_all(request_type="Delete")
    assert play.world.snapshot() == before, "I7: a repeated Delete changed the service"
    play.check()


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


def corrected_and_sent_again(play: Play) -> None:
    """A request that failed for its data is sent again under the same id, once they are corrected."""
    if play.case.kind not in {"DataIngestion", "ImportedDataset", "Model", "ImportedModel"}:
        return
    assert play.case.failing
    event = play.stack.event("Create", LOGICAL, Live(play.case.type, "", stringify(play.case.failing)))
    for _ in range(2):
        assert Operation(play.world, event).run()["Status"] == "FAILED"
        play.world.now += 60
    play.world.service.data_corrected = True
    answer = Operation(play.world, event).run()
    assert answer["Status"] == "SUCCESS", answer["Message"]
    service = play.world.service
    kind = service.jobs if play.case.name_member == "DatasetName" else service.models
    assert [*kind.values()][-1].record["Status"] == "SUCCESS"
    started = {change.job_id for change in play.world.changes if change.operation == "StartDataIngestionJob"}
    assert len(started) == (3 if play.case.kind == "DataIngestion" else 0), "one job for each attempt"


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
