"""The demo from start to end: what a stranger sees after `make demo`."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.cloud import Demo
from tests.waiting import PATIENCE

SECONDS = 300 + 3 * PATIENCE
"""How long the demo may take: five minutes are the wait for the scheduler's next wake, the rest is work."""


@pytest.fixture(scope="module")
def output(watched_demo: Demo) -> str:
    try:
        output, errors = watched_demo.process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        watched_demo.process.terminate()
        output, errors = watched_demo.process.communicate()
    assert watched_demo.process.returncode == 0, output + errors
    return str(output)


def test_the_faults_of_the_past_are_found(output: str) -> None:
    assert "labelled faults found: 2 of 2" in output
    assert len(re.findall(r" fault  .*\bFlow\b", output)) == 2


def test_the_fault_in_fresh_data_is_found_by_the_scheduler(output: str) -> None:
    assert re.search(r"scheduler woke for \d\d:\d\d to \d\d:\d\d UTC", output)
    anomaly = re.search(r"anomalous: \d{4}-.*\n +\d+\.\d%  (\S+)", output)
    assert anomaly is not None
    assert anomaly[1] == r"pump\Flow"


def test_the_alarm_is_raised(output: str) -> None:
    states = {name.split("Alarms")[1]: state for state, name in re.findall(r"(\w+) +(Pump1-\S+)", output)}
    raised = [name for name, state in states.items() if state == "ALARM"]
    assert len(states) == 2
    assert [re.match(r"[A-Za-z]+", name)[0] for name in raised] == ["Anomaly"]  # type: ignore[index]


def test_picture_and_results_are_there(output: str, watched_demo: Demo) -> None:
    named = [Path(path) for path in re.findall(r"(/\S+\.(?:png|jsonl))$", output, re.MULTILINE)]
    copies = [path for path in named if watched_demo.output in path.parents]
    assert {path.name for path in copies} == {"picture.png", "results.jsonl"}
    assert all(path.stat().st_size for path in copies)


def test_nothing_is_left_running(output: str, watched_demo: Demo) -> None:
    assert output.endswith("embedded AWS stopped, its files removed\n")
    assert not watched_demo.state.exists()


def test_output_in_a_pipe_is_plain(output: str) -> None:
    assert "\x1b" not in output
