"""What the tests of inference do: upload minutes, wake the scheduler, read what became of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from service.storage.names import executions_of
from service.storage.store import Item
from tests.embedded import EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.world import World, at

MINUTE = timedelta(minutes=1)
DAY = "2026-01-05T"


def upload(
    world: World,
    start: str,
    *,
    count: int = 6,
    components: tuple[str, ...] = ("drive", "hydraulics"),
    name: str = "{component}_{stamp:%Y%m%d%H%M%S}.csv",
    **changes: Any,
) -> None:
    """Upload the minutes from `start`, both ends of a segment included, as AWS's replay generator does."""
    data = list(pump.history(DAY + start, count=count, step=MINUTE, seed=int(at(DAY + start)), **changes))
    for component in components:
        text = {"drive": pump.drive, "hydraulics": pump.hydraulics}[component](data)
        world.upload("in/" + name.format(component=component, stamp=data[0].time), text)


def started(world: World, model: Item, first_end: str, *, now: str | None = None, **members: Any) -> Item:
    world.set_clock(DAY + (now or f"{first_end}:20"))
    return world.scheduler(model, first_end=DAY + first_end, **members)


def results(world: World, start: str) -> list[dict[str, Any]]:
    text = world.download(f"out/{DAY}{start}:00Z/results.jsonl").decode()
    assert text.endswith("\n")
    return [eval(line) for line in text.splitlines()]  # noqa: S307 - what AWS's SDK does


def reason(world: World, scheduler: Item, start: str) -> str:
    assert world.tick(scheduler) == {f"{DAY}{start}:00Z": "FAILED"}
    execution = world.get(executions_of(scheduler["uuid"]), f"{DAY}{start}:00Z")
    assert "CustomerResultObject" not in execution
    return str(execution["FailedReason"])


def metric(aws: EmbeddedAws, scheduler: Item, name: str) -> list[float]:
    """The sum of a metric of a scheduler, none without any point."""
    return metric_sum(
        aws,
        name,
        Dimensions=[
            {"Name": "ModelName", "Value": scheduler["ModelName"]},
            {"Name": "InferenceSchedulerName", "Value": scheduler["InferenceSchedulerName"]},
        ],
    )


def metric_sum(aws: EmbeddedAws, name: str, **which: Any) -> list[float]:
    """The sum of a metric over the tests so far, also when midnight parts them; none without any point."""
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace="LookoutEquipment",
        MetricName=name,
        StartTime=datetime.now(UTC) - timedelta(days=1),
        EndTime=datetime.now(UTC) + timedelta(days=1),
        Period=86_400,
        Statistics=["Sum"],
        **which,
    )
    sums = [point["Sum"] for point in found["Datapoints"]]
    return [sum(sums)] if sums else []
