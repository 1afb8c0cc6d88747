"""Inference that is cut short at any of its writes, or meets a scheduler that goes away meanwhile.

`pytest -rP` lists the boundaries.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.jobs.inference import loop
from service.jobs.storage import customer_bucket
from service.jobs.storage.keys import state_key
from service.storage.names import SCHEDULER, events_of, executions_of
from service.storage.store import Delete, Item
from tests.embedded import EmbeddedAws
from tests.service.jobs.inference import DAY, metric, results, started, upload
from tests.service.jobs.world import World, at
from tests.service.mortal import Fate, Killed, Mortal

STARTS = ("10:00", "10:05")
MOST = 16


@pytest.fixture
def mortal(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[Fate], World]:
    """Returns the world with clients whose writes a fate decides about."""
    client_of = customer_bucket.s3_client_of_role

    def doomed(fate: Fate) -> World:
        def client_of_role(*args: Any, **options: Any) -> Any:
            return Mortal(client_of(*args, **options), fate)

        monkeypatch.setattr(customer_bucket, "s3_client_of_role", client_of_role)
        runtime = world.runtime
        store: Any = replace(runtime.store, client=Mortal(runtime.store.client, fate))
        s3: Any = Mortal(runtime.s3, fate)
        cloudwatch: Any = Mortal(runtime.cloudwatch, fate)
        events: Any = Mortal(runtime.events, fate)
        other = replace(world, now=world.now)
        other.runtime = replace(runtime, store=store, s3=s3, cloudwatch=cloudwatch, events=events)
        return other

    return doomed


def faulty(world: World, model: Item) -> Item:
    """A scheduler with two windows that are due, with a fault through both."""
    scheduler = started(
        world,
        model,
        "10:05",
        now="10:10:20",
        DataOutputConfiguration={"S3OutputConfiguration": {"Bucket": world.bucket, "Prefix": "out/"}},
    )
    for start in STARTS:
        upload(world, start, faults=((DAY + "10:01", DAY + "10:30"),))
    return scheduler


def ended(world: World, scheduler: Item) -> dict[str, str]:
    return {one["sk"][11:16]: one["Status"] for one in world.executions(scheduler)}


@pytest.mark.parametrize("deaf", [False, True], ids=["killed", "reply lost"])
def test_inference_may_end_at_any_write(
    world: World, model: Item, mortal: Callable[[Fate], World], *, deaf: bool
) -> None:
    scheduler = faulty(world, model)
    world.tick(scheduler)
    expected = [results(world, start) for start in STARTS]
    (event,) = world.events(scheduler)
    for number in range(MOST):
        scheduler = faulty(world, model)
        fate = Fate(at=number, deaf=deaf)
        with suppress(Killed, Exception):
            mortal(fate).tick(scheduler)
        world.set_clock(DAY + "10:27:00")  # the call cannot live any more, and two further windows are due
        world.tick(scheduler)
        assert set(ended(world, scheduler).values()) <= {"SUCCESS", "FAILED"}
        succeeded = {ended(world, scheduler)[start] for start in STARTS} == {"SUCCESS"}
        assert succeeded or deaf, fate.done
        after = world.get(SCHEDULER, scheduler["sk"])
        assert after["inferredUntil"] == at(DAY + "10:25")
        assert "begun" not in after
        if succeeded:
            assert [results(world, start) for start in STARTS] == expected, fate.done
            (found,) = world.events(scheduler)
            members = ("EventStartTime", "EventEndTime", "Diagnostics", "summary")
            assert [found[name] for name in members] == [event[name] for name in members]
        print(f"{'reply lost' if deaf else 'killed'} at write {number} ({fate.met or 'none'}): goes on")
        if fate.met is None:
            break
    else:
        pytest.fail(f"two windows are more than {MOST} writes")


def test_a_call_that_is_always_killed_gives_the_window_up(
    world: World, model: Item, mortal: Callable[[Fate], World]
) -> None:
    scheduler = faulty(world, model)
    for now, claimed in (("10:10:20", 1), ("10:27:00", 2)):  # the second finds that it cannot make the record
        world.set_clock(DAY + now)
        with pytest.raises(Killed):
            mortal(Fate(at=claimed)).tick(scheduler)
    world.set_clock(DAY + "10:44:00")
    world.tick(scheduler)
    assert ended(world, scheduler)["10:00"] == "FAILED"
    assert ended(world, scheduler)["10:05"] == "SUCCESS"
    reason = world.executions(scheduler)[0]["FailedReason"]
    assert "2 calls of the inference function ended before they were done, out of time (15 minutes)" in reason


def test_a_change_of_frequency_while_a_window_is_inferred_loses_no_row(
    world: World, model: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = started(world, model, "10:05", now="10:10:20")
    upload(world, "10:00")
    upload(world, "10:05")
    infer = loop.infer

    def during(*args: Any, **options: Any) -> Any:
        world.runtime.store.update(SCHEDULER, scheduler["sk"], {"DataUploadFrequency": "PT10M"})
        return infer(*args, **options)

    monkeypatch.setattr(loop, "infer", during)
    assert world.tick(scheduler) == {f"{DAY}10:00:00Z": "SUCCESS", f"{DAY}10:05:00Z": "SUCCESS"}
    spans = [(one["DataStartTime"], one["DataEndTime"]) for one in world.executions(scheduler)]
    assert spans == [
        (at(DAY + "10:00"), at(DAY + "10:05")),
        (at(DAY + "10:05"), at(DAY + "10:10")),
    ]
    rows = [row["timestamp"][11:16] for start in STARTS for row in results(world, start)]
    assert rows == [f"10:{minute:02d}" for minute in range(1, 11)]


def test_a_window_that_was_begun_keeps_its_end(
    world: World, model: Item, mortal: Callable[[Fate], World]
) -> None:
    scheduler = started(world, model, "10:05", now="10:05:20")
    upload(world, "10:00")
    upload(world, "10:05")
    with pytest.raises(Killed):
        mortal(Fate(at=2)).tick(scheduler)
    world.runtime.store.update(SCHEDULER, scheduler["sk"], {"DataUploadFrequency": "PT10M"})
    world.set_clock(DAY + "10:22:00")
    assert list(world.tick(scheduler)) == [f"{DAY}{start}:00Z" for start in ("10:00", "10:05", "10:10")]
    assert [len(results(world, start)) for start in STARTS] == [5, 5]


def test_the_file_of_a_long_window_is_found_for_its_rest(world: World, model: Item) -> None:
    """The frequency became an hour when 55 minutes of it were done; files are named by the hour since."""
    scheduler = started(world, model, "11:00", now="11:00:20", DataUploadFrequency="PT5M")
    world.runtime.store.update(SCHEDULER, scheduler["sk"], {"DataUploadFrequency": "PT1H"})
    upload(world, "10:00", count=61)
    assert world.tick(scheduler) == {f"{DAY}10:55:00Z": "SUCCESS"}
    assert len(results(world, "10:55")) == 5


def test_a_record_of_the_release_before_goes_on(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:10:20")
    upload(world, "10:00", count=11)
    store = world.runtime.store
    earlier = {"nextSegmentEnd": int(at(DAY + "10:05"))}
    store.update(SCHEDULER, scheduler["sk"], earlier, remove=("inferredUntil",))
    assert list(world.tick(scheduler)) == [f"{DAY}{start}:00Z" for start in STARTS]
    assert world.tick(scheduler) == {}


def test_a_scheduler_that_is_deleted_while_it_infers_leaves_nothing(
    jobs_aws: EmbeddedAws, world: World, model: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = faulty(world, model)
    store, pk = world.runtime.store, executions_of(scheduler["uuid"])
    infer = loop.infer

    def during(*args: Any, **options: Any) -> Any:
        found = infer(*args, **options)
        store.transact(Delete(SCHEDULER, scheduler["sk"]), Delete(pk, f"{DAY}10:00:00Z"))
        return found

    monkeypatch.setattr(loop, "infer", during)
    world.tick(scheduler)
    assert store.get(SCHEDULER, scheduler["sk"]) is None
    assert world.executions(scheduler) == []
    assert list(store.all(events_of(scheduler["uuid"]))) == []
    assert world.runtime.service_bucket.find(state_key(scheduler["uuid"])) is None
    assert metric(jobs_aws, scheduler, "InferenceSucceeded") == []


def test_nothing_is_begun_for_a_scheduler_that_was_stopped_since_it_was_read(
    world: World, model: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = faulty(world, model)
    claim = loop.claim

    def late(*args: Any) -> Any:
        world.runtime.store.update(SCHEDULER, scheduler["sk"], {"Status": "STOPPING"})
        return claim(*args)

    monkeypatch.setattr(loop, "claim", late)
    assert world.tick(scheduler) == {}
    assert world.executions(scheduler) == []


def test_a_claim_from_the_future_does_not_hold_a_window_for_long(
    world: World, model: Item, mortal: Callable[[Fate], World]
) -> None:
    scheduler = faulty(world, model)
    world.set_clock("2026-01-05T20:00:00")
    world.settings(inference_catch_up_hours=None)
    with pytest.raises(Killed):
        mortal(Fate(at=1)).tick(scheduler)
    world.set_clock(DAY + "10:10:20")
    assert world.tick(scheduler) == {f"{DAY}{start}:00Z": "SUCCESS" for start in STARTS}


def test_a_throttled_result_is_a_failed_execution_with_words(
    world: World, model: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = faulty(world, model)
    throttled = ClientError({"Error": {"Code": "SlowDown", "Message": "Reduce your rate"}}, "PutObject")

    def put(*_: Any, **__: Any) -> Any:
        raise throttled

    monkeypatch.setattr(customer_bucket.CustomerBuckets, "put", put)
    assert world.tick(scheduler) == {f"{DAY}{start}:00Z": "FAILED" for start in STARTS}
    assert "SlowDown" in world.executions(scheduler)[0]["FailedReason"]
