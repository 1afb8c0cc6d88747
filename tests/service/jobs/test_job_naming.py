"""How input files are found by name: the naming of the window before is looked for first."""

import pytest

from service.jobs.inference.scheduler_state import StateFile
from service.storage.store import Item
from tests.service.counted import counted_calls
from tests.service.jobs.inference import DAY, reason, results, started, upload
from tests.service.jobs.world import World, at

UNDERSCORE = "{component}_{stamp:%Y%m%d%H%M%S}.csv"
DASH = "{component}-{stamp:%Y-%m-%d-%H-%M-%S}.csv"
STYLES = 12


def ticked(world: World, scheduler: Item, start: str, status: str = "SUCCESS") -> int:
    """Wake the scheduler for the window that starts at `start`; return how often S3 was asked for a list."""
    world.set_clock(f"{DAY}10:{int(start[3:]) + 5:02d}:20")
    with counted_calls() as counted:
        assert world.tick(scheduler) == {f"{DAY}{start}:00Z": status}
    return counted.by_operation()["ListObjectsV2"]


def test_what_matched_last_is_tried_first_and_alone(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", name=DASH)
    upload(world, "10:05", name=DASH)
    assert ticked(world, scheduler, "10:00") == 2 * STYLES
    assert ticked(world, scheduler, "10:05") == 2
    state = StateFile(service_bucket=world.runtime.service_bucket, scheduler=scheduler["uuid"])
    found = state.before(int(at(DAY + "10:10")))
    assert found is not None
    assert found.naming == (("yyyy-MM-dd-HH-mm-ss", "-"),)


def test_files_that_are_named_in_another_way_are_found_at_once(world: World, model: Item) -> None:
    """The file of the window before still matches, but has no row of the window."""
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", name=DASH)
    ticked(world, scheduler, "10:00")
    upload(world, "10:05", name=UNDERSCORE)
    assert ticked(world, scheduler, "10:05") == 2 + 2 * STYLES
    assert len(results(world, "10:05")) == 5
    upload(world, "10:10", name=UNDERSCORE)
    assert ticked(world, scheduler, "10:10") == 2 * 2, (
        "both namings were among the files of the window before"
    )
    upload(world, "10:15", name=UNDERSCORE)
    assert ticked(world, scheduler, "10:15") == 2


def test_a_component_that_is_named_in_another_way_alone(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", name=DASH)
    ticked(world, scheduler, "10:00")
    upload(world, "10:05", name=DASH, components=("drive",))
    upload(world, "10:05", name=UNDERSCORE, components=("hydraulics",))
    assert ticked(world, scheduler, "10:05") == 2 + STYLES
    assert len(results(world, "10:05")) == 5


def test_quotas_count_the_files_of_every_name(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", name=DASH)
    ticked(world, scheduler, "10:00")
    upload(world, "10:05", name=UNDERSCORE)
    sizes = [
        each["Size"] for each in world.customer.list_objects_v2(Bucket=world.bucket, Prefix="in/")["Contents"]
    ]
    world.settings(inference_bytes={"PT5M": sum(sizes) - 1})
    ticked(world, scheduler, "10:05", status="FAILED")
    text = world.executions(scheduler)[-1]["FailedReason"]
    assert f"hold {sum(sizes):,} bytes, more than the limit of {sum(sizes) - 1:,}" in text


def test_a_message_names_all_that_was_looked_for(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", name=DASH)
    ticked(world, scheduler, "10:00")
    world.set_clock(DAY + "10:20:20")
    world.runtime.store.update(scheduler["pk"], scheduler["sk"], {"inferredUntil": int(at(DAY + "10:15"))})
    text = reason(world, scheduler, "10:15")
    assert "without a configured format and delimiter, every documented combination" in text


@pytest.mark.parametrize(
    ("names", "styles"),
    [
        ({"TimestampFormat": "yyyyMMddHHmmss", "ComponentTimestampDelimiter": "_"}, 1),
        ({"TimestampFormat": "yyyyMMddHHmmss"}, 4),
    ],
)
def test_a_new_configuration_overrides_what_matched(
    world: World, model: Item, names: dict[str, str], styles: int
) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", name=DASH)
    ticked(world, scheduler, "10:00")
    upload(world, "10:05", name=UNDERSCORE)
    config = {**scheduler["DataInputConfiguration"], "InferenceInputNameConfiguration": names}
    world.runtime.store.update(scheduler["pk"], scheduler["sk"], {"DataInputConfiguration": config})
    assert ticked(world, scheduler, "10:05") == 2 * styles


def test_a_list_ends_at_the_window_however_many_files_follow(world: World, model: Item) -> None:
    """Late windows are inferred beside a thousand newer files of the same hour."""
    scheduler = started(world, model, "10:05")
    upload(world, "10:00")
    for second in range(600):
        minute, rest = divmod(second, 60)
        for copy in "ab":
            world.upload(f"in/drive_2026010510{minute + 20:02d}{rest:02d}{copy}.csv", "Timestamp,speed\n")
    with counted_calls() as counted:
        assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    lists = [call for call in counted.calls if call.operation == "ListObjectsV2"]
    assert len(lists) == 2 * STYLES
