"""Labels as code: edited in place beside those that people add, many at once, and interrupted anywhere."""

import json
from typing import Any

import pytest

from tests.lifecycle.cases import case_of
from tests.lifecycle.cloudformation import Live, Operation, Properties, stringify
from tests.lifecycle.play import LOGICAL, Play
from tests.lifecycle.world import KILLED, KILLED_AFTER, LOST_ANSWER, SCHEMAS, Fault, Wire

Label = dict[str, Any]


@pytest.fixture
def play(wire: Wire) -> Play:
    return Play(wire, case_of("LabelGroup"), short=True)


def label(minute: int, **more: str) -> Label:
    time = f"2024-03-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z"
    return {"StartTime": time, "EndTime": time, "Rating": "ANOMALY", **more}


def group(*labels: Label, **more: Any) -> Properties:
    return {**case_of("LabelGroup").base, "Labels": [{"InlineLabels": json.dumps(labels)}], **more}


def ids(play: Play) -> dict[int, str]:
    """The ids of the labels in the group by the minute of their start."""
    thing = play.thing()
    assert thing is not None
    first = 1_709_251_200  # 2024-03-01
    return {
        (found["StartTime"] - first) // 60: found["LabelId"] for found in play.world.service.labels_in(thing)
    }


def somebody_labels(play: Play, minute: int, **more: str) -> str:
    request = {"LabelGroupName": "pump-1", **label(minute, **more), "ClientToken": f"somebody-{minute}"}
    request |= dict.fromkeys(("StartTime", "EndTime"), 1_709_251_200 + 60 * minute)
    return str(play.world.service.call("CreateLabel", request)["LabelId"])


def test_only_what_changed_is_made_again(play: Play) -> None:
    assert play.deploy(group(label(1), label(2), label(3, Notes="old")))
    before = ids(play)

    assert play.deploy(group(label(4), label(3, Notes="new"), label(1)))

    after = ids(play)
    assert after.keys() == {1, 3, 4}
    assert after[1] == before[1]
    assert after[3] != before[3]
    play.check()


def test_what_people_have_labelled_is_never_touched(play: Play) -> None:
    assert play.deploy(group(label(1), label(2)))
    ours = ids(play)
    equal, other = somebody_labels(play, 1), somebody_labels(play, 7, Notes="mine")

    assert play.deploy(group(label(2)))
    found = {each["LabelId"] for each in play.world.service.labels.values()}
    assert found == {ours[2], equal, other}

    assert play.deploy({name: value for name, value in group().items() if name != "Labels"})
    found = {each["LabelId"] for each in play.world.service.labels.values()}
    assert found == {equal, other}
    play.check()


def test_a_label_that_was_deleted_by_hand_is_no_obstacle(play: Play) -> None:
    assert play.deploy(group(label(1), label(2)))
    del play.world.service.labels[ids(play)[1]]

    assert play.deploy(group(label(3)))

    assert ids(play).keys() == {3}


def test_many_labels_take_several_polls_and_are_all_there(play: Play) -> None:
    assert play.deploy(group(*map(label, range(1, 751)))), play.stack.reasons
    assert play.world.calls.count("CreateLabel") == 750
    assert ids(play).keys() == {*range(1, 751)}
    play.check()

    assert play.deploy(group(*map(label, range(500, 900)))), play.stack.reasons
    assert ids(play).keys() == {*range(500, 900)}
    play.check()


def test_long_notes_take_more_polls(play: Play) -> None:
    """A record has room for few of them."""
    labels = [label(minute, Notes=f"{minute} " + "漢" * 2500) for minute in range(12)]

    assert play.deploy(group(*labels)), play.stack.reasons

    assert ids(play).keys() == {*range(12)}
    assert max(len(item[0]) for item in play.world.records.items.values()) < 100_000
    play.check()


def test_a_record_has_room_for_five_thousand_labels(play: Play) -> None:
    assert play.deploy(group(*map(label, range(1, 101))))
    size = max(len(item[0]) for item in play.world.records.items.values())

    assert size / 100 * 5000 + 60_000 < 400_000


@pytest.mark.parametrize("fault", [KILLED, KILLED_AFTER, LOST_ANSWER], ids=lambda fault: fault.name)
def test_a_creation_of_many_is_interrupted_and_rolled_back(play: Play, fault: Fault) -> None:
    """Nothing stays of it, and what was there before is there again."""
    for index in (8, 9, 10, 60, 108, 109, 110, 111):
        again = play.fresh()
        assert again.deploy(group(label(1), label(2)))
        people = somebody_labels(again, 5)
        again.world.arm(index, fault)
        again.deploy(group(label(2), *map(label, range(10, 160))), sibling_fails=True)
        again.check()
        assert not again.stack.stuck, again.stack.reasons
        assert ids(again).keys() == {1, 2, 5}
        assert people in again.world.service.labels


def test_a_label_that_is_refused_fails_the_deployment_and_leaves_nothing(play: Play) -> None:
    assert play.deploy(group(label(1)))
    wrong = group(label(2), label(3, FaultCode="ghost"), label(4))

    assert not play.deploy(wrong)

    assert "ghost is not one of the group" in play.stack.reasons[0]
    assert ids(play).keys() == {1}
    play.check()


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([{"StartTime": "2024-03-01"}], "label 1.EndTime is required"),
        ([label(1), label(2, Colour="red")], "unknown property label 2.Colour"),
        ([{**label(1), "EndTime": "soon"}], "label 1.EndTime is 'soon': give a time with zone"),
        ([{**label(1), "Rating": "BAD"}], "label 1.Rating is 'BAD': use one of ANOMALY"),
        (["x"], "label 1 is 'x': give an object"),
    ],
)
def test_a_label_that_cannot_be_is_named(play: Play, labels: list[Any], text: str) -> None:
    assert not play.deploy(group(*labels))

    assert text in play.stack.reasons[0], play.stack.reasons
    assert "pump-1" in play.stack.reasons[0]
    assert not play.stack.live


def test_brackets_without_end_are_no_labels(play: Play) -> None:
    assert not play.deploy(group() | {"Labels": [{"InlineLabels": "[" * 50_000}]})

    assert "Correct the labels, then deploy again" in play.stack.reasons[0], play.stack.reasons
    assert not play.stack.live


def test_labels_come_from_a_staged_file(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCHEMAS, "labels.json", json.dumps([label(1), label(2)]))
    place = {"Bucket": "assets", "Key": "labels.json", "Sha256": "0" * 64}

    added = {"InlineLabels": json.dumps([label(3)])}
    assert play.deploy({**group(), "Labels": [place, added]}), play.stack.reasons
    before = ids(play)
    assert before.keys() == {1, 2, 3}

    assert play.deploy(group(label(3), label(2), label(1)))
    assert ids(play) == before, "the same labels, written otherwise"


def test_a_poll_that_is_overtaken_by_a_rollback_leaves_nothing(play: Play) -> None:
    """The rollback runs from beginning to end at every call of the update that follows its note."""

    def updates(again: Play) -> tuple[Operation, Operation]:
        """An update that has come to the end of on_event, and its rollback."""
        assert again.deploy(group(label(1)))
        live = again.stack.live[LOGICAL]
        changed = Live(live.type, live.physical_id, stringify(group(label(1), label(2), label(3))))
        update = Operation(again.world, again.stack.event("Update", LOGICAL, changed, live.properties))
        back = Operation(again.world, again.stack.event("Update", LOGICAL, live, changed.properties))
        update.step()
        return update, back

    counted = play.fresh()
    update, _ = updates(counted)
    start = len(counted.world.calls)
    update.run()
    noted = counted.world.calls.index("CreateLabel", start) - start - 1
    assert counted.world.calls[start + noted] == "records:write"
    for index in range(noted, noted + 4):  # the note, two labels, and the note of their ids
        again = play.fresh()
        update, back = updates(again)
        again.world.interrupt(index, "after", back.run)
        update.run()
        assert not again.world.hooks
        assert ids(again).keys() == {1}, f"after call {index}"
