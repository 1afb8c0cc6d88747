"""An ingestion that nobody waited for, and somebody waits for after all."""

from typing import Any

import pytest

from tests.lifecycle.cases import CASES
from tests.lifecycle.play import Play
from tests.lifecycle.world import Wire

ACCEPTED = {"Wait": False}


@pytest.fixture(params=[False, True], ids=["once", "every event twice"])
def play(wire: Wire, request: pytest.FixtureRequest) -> Play:
    (case,) = (case for case in CASES if case.kind == "DataIngestion")
    return Play(wire, case, duplicates=request.param)


def jobs(play: Play) -> list[dict[str, Any]]:
    return [job.record for job in play.world.service.jobs.values()]


def test_a_job_in_progress_is_awaited_and_not_started_again(play: Play) -> None:
    before = len(jobs(play))
    assert play.deploy(play.case.base | ACCEPTED), play.stack.reasons
    assert jobs(play)[-1]["Status"] == "IN_PROGRESS"
    assert play.deploy(play.case.base), play.stack.reasons
    assert jobs(play)[-1]["Status"] == "SUCCESS"
    assert len(jobs(play)) == before + 1
    play.check()


def test_a_job_that_failed_since_is_not_taken_for_data(play: Play) -> None:
    assert play.case.failing
    assert play.deploy(play.case.failing | ACCEPTED), play.stack.reasons
    assert not play.deploy(play.case.failing)
    assert "failed" in play.stack.reasons[-1]
