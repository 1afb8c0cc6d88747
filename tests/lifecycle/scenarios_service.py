"""Scenarios: what the service, its owner and other people do meanwhile."""

import json

from tests.lifecycle import invariants
from tests.lifecycle.cases import AT_ONCE, ROLE
from tests.lifecycle.cloudformation import Live, Operation, Properties, stringify
from tests.lifecycle.play import LOGICAL, Play, somebodys_scheduler

_DAY = 86_400
_BUSY = {
    "Dataset": "INGESTION_IN_PROGRESS",
    "ImportedDataset": "IMPORT_IN_PROGRESS",
    "Model": "IN_PROGRESS",
    "ImportedModel": "IN_PROGRESS",
}
"""The status of a kind while it ingests, imports or trains."""


def deleted_outside(play: Play) -> None:
    """Deleted by hand: Delete succeeds; Update makes it again, or says that it cannot."""
    again = play.fresh()
    for one in (play, again):
        one.created()
        one.stack.drain()
        service = one.world.service
        kinds = (
            service.datasets,
            service.models,
            service.schedulers,
            service.retrainings,
            service.label_groups,
            service.policies,
        )
        for kind in kinds:
            for name in [name for name, thing in kind.items() if thing is one.thing()]:
                del kind[name]
    assert play.stack.destroy(), play.stack.reasons
    play.check()
    if again.case.kind == "Dataset":
        assert not again.deploy(again.case.in_place), "a new dataset took the place of a full one"
        assert "deleted outside CloudFormation" in again.stack.reasons[0]
        assert (
            "in UPDATE_ROLLBACK_FAILED, continue its rollback first, and skip Thing"
            in again.stack.reasons[-1]
        )
    else:
        assert again.deploy(again.case.in_place), again.stack.reasons
        again.check()


def replaced_after_deletion_outside(play: Play) -> None:
    """Made anew under its name with other properties, in an update that fails: the rollback cannot undo it.

    Its properties would be those of something that was gone before. The reason says how the stack goes on:
    as the rollback was skipped, the same update succeeds, once the sibling does.
    """
    if play.case.kind != "Model" or play.duplicates:
        return
    play.created()
    play.stack.drain()
    before = dict(play.stack.live)
    play.world.service.models.pop(play.case.base["ModelName"])
    changed = {**play.case.base, **(play.case.clash or {})}
    assert not play.deploy(changed, sibling_fails=True)
    assert "cannot be changed in place" in play.stack.reasons[-1]
    assert play.stack.reasons[-1].endswith(
        "If the stack is in UPDATE_ROLLBACK_FAILED, continue its rollback first, and skip Thing."
    )
    play.stack.live.update(before)
    play.stack.stuck = False
    play.stack.abandoned.clear()
    assert play.deploy(changed), play.stack.reasons
    play.check()


def drift(play: Play) -> None:
    """Changed by hand: the next update brings back what the template says."""
    play.created()
    thing = play.thing()
    if thing is None:
        return
    if play.case.kind == "DatasetPolicy":
        said = json.loads(thing.record["ResourcePolicy"])
        thing.record["ResourcePolicy"] = json.dumps({**said, "Statement": []})
    else:
        thing.tags["site"] = "drifted"
    if play.case.kind == "InferenceScheduler":
        thing.record["DataUploadFrequency"] = "PT1H"
        thing.record["Status"] = "STOPPED"
    if play.case.kind == "RetrainingScheduler":
        thing.record |= {"LookbackWindow": "P720D", "RetrainingStartDate": 0, "Status": "STOPPED"}
    if play.case.kind in {"Model", "ImportedModel"}:
        thing.record["RoleArn"] = "arn:aws:iam::111122223333:role/drifted"
    if play.case.kind == "LabelGroup":
        thing.record["FaultCodes"] = ["bearing", "drifted"]
    assert play.deploy(play.case.in_place), play.stack.reasons
    if play.case.kind in {"InferenceScheduler", "RetrainingScheduler"}:
        thing.tags.pop("site")  # this one has no tags of its own
    play.check()


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
    assert "trust policy" in again.stack.reasons[0]
    assert again.world.now < play.world.now + 3600


def wrong_properties(play: Play) -> None:
    """A property that is wrong fails at once, is named, and changes nothing."""
    for change, text in (
        ({"Colour": "red"}, "unknown property 'Colour'"),
        ({"PropertiesVersion": "3"}, "PropertiesVersion '3'"),
        ({"Tags": "site=north"}, "Tags"),
        ({"Tags": [{"key": "site", "value": "north"}]}, "Tags"),
        ({play.case.name_member: "no spaces"}, f"{play.case.name_member} is 'no spaces'"),
    ):
        again = play.fresh()
        assert not again.deploy(again.case.base | change)
        assert text in again.stack.reasons[0], again.stack.reasons
        assert not again.world.changes
        again.check()
        again.created()
        assert not again.deploy(again.case.base | change)
        assert not again.stack.stuck, again.stack.reasons
        again.check()


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
    assert "no usable data" in play.stack.reasons[-1], play.stack.reasons
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
    if play.case.kind in {"InferenceScheduler", "RetrainingScheduler"}:
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


def deletion_beside_a_long_ingestion(play: Play) -> None:
    """A dataset is deleted when the ingestion into it has ended, however long that takes."""
    if play.case.kind != "Dataset":
        return
    play.created()
    service = play.world.service
    start = {"DatasetName": "pump-1", "RoleArn": ROLE, "ClientToken": "somebody"}
    start["IngestionInputConfiguration"] = {"S3InputConfiguration": {"Bucket": "history", "Prefix": "2024/"}}
    job = service.call("StartDataIngestionJob", start)["JobId"]
    service.jobs[job].until = play.world.now + 40 * 60
    assert play.stack.destroy(), play.stack.reasons
    play.check()
    assert not invariants.owned(play.world, play.stack)


def blocked_deletion(play: Play) -> None:
    """What stays in the way of a Delete is named; when it is gone, the next attempt succeeds."""
    if play.case.kind not in {"Dataset", "ImportedDataset", "Model", "ImportedModel"}:
        return
    play.created()
    service = play.world.service
    if play.case.name_member == "DatasetName":
        service.models["other"].record["DatasetName"] = "pump-1"
        somebodys_scheduler(play, "in-the-way")
    else:
        service.models["pump-1"].record["Status"] = "SUCCESS"
        somebodys_scheduler(play, "in-the-way", model="pump-1")
    play.foreign = play.world.snapshot()
    play.foreign["things"].pop(play.stack.live[LOGICAL].physical_id, None)
    assert not play.stack.destroy()
    assert "in-the-way" in play.stack.reasons[-1], play.stack.reasons
    del service.schedulers["in-the-way"]
    assert play.stack.destroy(), play.stack.reasons
    assert not invariants.owned(play.world, play.stack)


def slow_ingestion_before_deletion(play: Play) -> None:
    """A Delete waits for an ingestion or a training as long as a deployment may."""
    if play.case.kind not in _BUSY:
        return
    play.created()
    thing, now = play.thing(), play.world.now
    assert thing
    play.world.service.hold(thing, _BUSY[play.case.kind], until=now + 40 * 60)
    assert play.stack.destroy(), play.stack.reasons
    assert play.world.now >= now + 40 * 60
    play.check()


def changed_while_busy(play: Play) -> None:
    """An update comes while somebody ingests or trains: it waits where it must, and is complete."""
    if play.case.kind not in _BUSY:
        return
    for change in (play.case.in_place, play.case.replaced):
        for sibling_fails in (False, True):
            again = play.fresh()
            again.created()
            before = again.thing()
            assert before
            service, status = again.world.service, _BUSY[again.case.kind]
            service.hold(before, status, until=again.world.now + 20 * 60)
            assert again.deploy(change, sibling_fails=sibling_fails) != sibling_fails, again.stack.reasons
            again.world.now += 20 * 60  # what is not changed is not waited for
            service.settle()
            again.check()
            assert not sibling_fails or again.thing() is before, "not rolled back"


def too_slow(play: Play) -> None:
    """The service never finishes: our reason comes before the framework's and CloudFormation's own."""
    if play.case.kind in AT_ONCE:
        return
    play.world.service.frozen = True
    live = Live(play.case.type, "", stringify(play.case.base))
    create = Operation(play.world, play.stack.event("Create", LOGICAL, live))
    for _ in range(3):
        create.step()
    play.world.now += 46 * 60  # the framework gives up after 50 minutes
    create.step()
    response = create.response or {}
    assert "after 46 minutes" in response.get("Message", "nothing said"), response


def strict_service(play: Play) -> None:
    """A service that updates only what stands still: stopped, updated, and running again."""
    play.world.service.strict_updates = True
    play.created()
    change: Properties = {"RoleArn": f"{ROLE}-2"} if "RoleArn" in play.case.base else play.case.in_place
    if play.case.kind == "RetrainingScheduler":
        change = {"PromoteMode": "MANUAL"}
    assert play.deploy(play.case.base | change), play.stack.reasons
    play.check()


def cut_short(play: Play) -> None:
    """Starts and stops of the service are cut short every time, and finished by repeating them."""
    play.world.service.cuts_short = True
    play.created()
    for properties in (play.case.in_place, play.case.replaced):
        assert play.deploy(properties), play.stack.reasons
        play.check()
    assert play.stack.destroy(), play.stack.reasons
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


def removed_member(play: Play) -> None:
    """What the template has no more is again what it was without: no delay, the day after the creation."""
    kinds = {"InferenceScheduler": "DataDelayOffsetInMinutes", "RetrainingScheduler": "RetrainingStartDate"}
    member = kinds.get(play.case.kind)
    if member is None:
        return
    play.created()
    assert play.deploy({k: v for k, v in play.case.base.items() if k != member})
    thing = play.thing()
    assert thing is not None
    next_day = (thing.record["CreatedAt"] // _DAY + 1) * _DAY
    assert thing.record[member] == (next_day if member == "RetrainingStartDate" else 0)
    play.check()


def quota(play: Play) -> None:
    """A limit is reached: final, with the limit in the reason."""
    service = play.world.service
    for number in range(20):
        service.seed_dataset(f"d-{number}")
        service.seed_model(f"m-{number}")
        service.seed_label_group(f"g-{number}")
    if play.case.kind in {"Dataset", "ImportedDataset", "Model", "ImportedModel", "LabelGroup"}:
        assert not play.deploy(play.case.base)
        assert "limit 15" in play.stack.reasons[0], play.stack.reasons
        assert "ServiceQuotaExceededException" in play.stack.reasons[0]
        play.check()


def retained(play: Play) -> None:
    """What has the RemovalPolicy retain outlives its stack."""
    if play.case.kind not in {"Dataset", "LabelGroup"}:
        return
    assert play.deploy(play.case.base | {"RemovalPolicy": "retain"})
    thing = play.thing()
    assert play.stack.destroy()
    assert thing in play.world.service.everything().values()


def active_version(play: Play) -> None:
    """The version that a model is to use is set and rolled back, drift taken back; without one, none is."""
    if play.case.kind != "Model":
        return
    play.created()
    thing = play.thing()
    assert thing is not None
    play.world.service.versions["pump-1"] = {2: "SUCCESS", 3: "FAILED", 4: "SUCCESS"}
    for number in (2, 1):
        assert play.deploy(play.case.base | {"ActiveVersion": number}), play.stack.reasons
        assert thing.record["ActiveModelVersion"] == number
        play.check()
    assert not play.deploy(play.case.base | {"ActiveVersion": 4}, sibling_fails=True)
    assert thing.record["ActiveModelVersion"] == 1, "not rolled back"
    for wrong, problem in ((3, "is FAILED and cannot be activated"), (9, "has no version 9 to activate")):
        assert not play.deploy(play.case.base | {"ActiveVersion": wrong})
        assert problem in play.stack.reasons[-1], play.stack.reasons
        assert thing.record["ActiveModelVersion"] == 1
    thing.record["ActiveModelVersion"] = 4
    assert play.deploy(play.case.in_place | {"ActiveVersion": 1}), play.stack.reasons
    assert thing.record["ActiveModelVersion"] == 1, "drift"
    play.stack.drain()
    thing.record["ActiveModelVersion"] = 4
    assert play.deploy(play.case.base), play.stack.reasons
    assert thing.record["ActiveModelVersion"] == 4, "the service decides"
    play.check()
