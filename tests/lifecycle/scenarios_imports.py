"""Scenarios: imported model versions, of which one after the other becomes active."""

from typing import Any

from tests.lifecycle.cases import Case, case_of, version_of
from tests.lifecycle.fake_service import ApiError, Thing
from tests.lifecycle.play import Play

OWNER = "222222222222"
REFUSAL = (
    "somebody is not authorized to perform lookoutequipment:ImportModelVersion on the resource: its owner, "
    f"account {OWNER}, must allow it in the resource policy of the resource"
)


def _is_model(case: Case) -> bool:
    return case.kind == "ImportedModel"


def _from(number: int, **more: Any) -> dict[str, Any]:
    source = version_of("bad") if number == 0 else version_of("pump", number)
    return case_of("ImportedModel").base | {"SourceModelVersionArn": source, **more}


def _active(play: Play) -> Any:
    return play.world.service.models["pump-1"].record["ActiveModelVersion"]


def another_source(play: Play) -> None:
    """Another source becomes the next version, and active. Going back to a source imports nothing."""
    if not _is_model(play.case):
        return
    play.created()
    before = play.thing()
    for number, active in ((2, 2), (1, 1), (2, 2), (3, 3)):
        assert play.deploy(_from(number)), play.stack.reasons
        play.check()
        assert _active(play) == active
        assert play.thing() is before
    assert len(play.world.service.copies) == 3, "a copy too many"


def copied_again(play: Play) -> None:
    """Another revision copies the source again, once. A failed copy leaves the data, and is not undone."""
    if play.case.kind != "ImportedDataset":
        return
    play.created()
    before = play.thing()
    jobs = play.world.service.jobs
    base = play.case.base
    steps: tuple[tuple[dict[str, Any], int], ...] = (
        ({"Revision": "2"}, 2),
        ({"Revision": "2", "Tags": []}, 2),
        ({"Revision": "1"}, 3),
        ({"Revision": "2"}, 4),
    )
    for change, imports in steps:
        assert play.deploy(base | change), play.stack.reasons
        play.check()
        assert len(jobs) == imports, f"{len(jobs)} imports after {change}"
        assert play.thing() is before
    play.world.service.spoil = True
    assert not play.deploy(base | {"Revision": "3"})
    assert "no usable data" in play.stack.reasons[0], play.stack.reasons
    play.check()
    assert len(jobs) == 5, "the rollback copied again"
    assert before is not None
    assert before.record["Status"] == "ACTIVE", "the data is lost"
    play.world.service.spoil = False
    assert play.deploy(base | {"Revision": "3"}), play.stack.reasons
    without = {name: value for name, value in base.items() if name != "Revision"}
    assert play.deploy(without), play.stack.reasons
    play.check()
    assert len(jobs) == 7


def import_fails_in_place(play: Play) -> None:
    """The next version cannot be imported: the reason is told, the one before stays, a later one is taken."""
    if not _is_model(play.case):
        return
    play.created()
    assert not play.deploy(_from(0))
    assert "no usable data" in play.stack.reasons[0], play.stack.reasons
    assert version_of("bad") in play.stack.reasons[0]
    play.check()
    assert _active(play) == 1
    play.world.service.data_corrected = True
    assert play.deploy(_from(0)), play.stack.reasons
    assert _active(play) == 3, "the failed import was taken for a copy"
    play.check()


def retrained_version_stays(play: Play) -> None:
    """What a retraining has made active stays so while the source stays, unless a version is asked for."""
    if not _is_model(play.case):
        return
    play.created()
    play.world.service.versions["pump-1"] = {7: "SUCCESS"}
    play.world.service.call("UpdateActiveModelVersion", {"ModelName": "pump-1", "ModelVersion": 7})
    assert play.deploy(_from(1, Tags=[])), play.stack.reasons
    assert _active(play) == 7, "an update of something else went back"
    assert play.deploy(_from(1, ActiveVersion=1)), play.stack.reasons
    assert _active(play) == 1
    assert play.deploy(_from(2, ActiveVersion=7)), play.stack.reasons
    assert _active(play) == 7, "the version that is asked for goes before the new one"
    assert play.deploy(_from(2, ActiveVersion=8)), play.stack.reasons
    play.check()


def not_shared(play: Play) -> None:
    """The owner allows the import a minute late, or never: then the reason says who must allow it."""
    if not play.case.kind.startswith("Imported"):
        return
    again = play.fresh()
    for one, opens_after in ((play, 60), (again, 10_000)):
        _close(one, until=one.world.now + opens_after)
    play.created()
    play.check()
    assert not again.deploy(again.case.base)
    assert f"its owner, account {OWNER}, must allow it" in again.stack.reasons[0], again.stack.reasons
    assert "Have its owner allow that" in again.stack.reasons[0], again.stack.reasons
    again.check()


def made_meanwhile(play: Play) -> None:
    """Somebody makes a dataset of that name between the look for one and its creation: it stays theirs."""
    if not play.case.kind.endswith("Dataset"):
        return
    service, call = play.world.service, play.world.service.call
    theirs: list[Thing] = []

    def answer(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if operation in {"CreateDataset", "ImportDataset"} and not theirs:
            theirs.append(service.seed_dataset("pump-1"))
        return call(operation, parameters)

    service.call = answer  # type: ignore[method-assign, assignment]
    assert not play.deploy(play.case.base)
    assert "exists and does not belong to this resource" in play.stack.reasons[0], play.stack.reasons
    assert service.datasets["pump-1"] is theirs[0]
    assert (theirs[0].record["Status"], theirs[0].tags) == ("ACTIVE", {}), "it was written over"
    assert "SourceDatasetArn" not in theirs[0].record
    play.check()


def _close(play: Play, *, until: float) -> None:
    call = play.world.service.call

    def answer(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if operation.startswith("Import") and play.world.now < until:
            raise ApiError("AccessDeniedException", REFUSAL, 403)
        return call(operation, parameters)

    play.world.service.call = answer  # type: ignore[method-assign, assignment]
