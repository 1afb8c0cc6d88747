"""Many schedulers that are due in one minute, each woken twice at once, as EventBridge may do."""

import random
from concurrent.futures import ThreadPoolExecutor

from service.storage.store import Item
from tests.service.jobs.inference import DAY, started, upload
from tests.service.jobs.world import World

SCHEDULERS = 20
THREADS = 8


def test_each_window_of_each_scheduler_is_inferred_once(world: World, model: Item) -> None:
    upload(world, "10:00")
    schedulers = [
        started(
            world,
            model,
            "10:05",
            DataOutputConfiguration={
                "S3OutputConfiguration": {"Bucket": world.bucket, "Prefix": f"out/{number}/"}
            },
        )
        for number in range(SCHEDULERS)
    ]
    wakes = [*schedulers, *schedulers]
    random.Random(1).shuffle(wakes)  # noqa: S311 - no secret

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(world.tick, wakes))

    window = f"{DAY}10:00:00Z"
    assert sum(window in each for each in done) == SCHEDULERS, "one of the two calls infers the window"
    for number, scheduler in enumerate(schedulers):
        [execution] = world.executions(scheduler)
        assert (execution["Status"], execution["attempts"]) == ("SUCCESS", 1)
        assert execution["CustomerResultObject"]["Key"] == f"out/{number}/{window}/results.jsonl"
    listed = world.customer.list_objects_v2(Bucket=world.bucket, Prefix="out/")["Contents"]
    assert len(listed) == SCHEDULERS
