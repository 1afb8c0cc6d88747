"""`l4e up` goes on after what kills it, or the embedded AWS, in the middle of a deployment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from l4e_cli.aws import Aws
from l4e_cli.instance import Instance, load_instance, stop_instance
from tests.e2e.cloud import L4E, ROOT

STACK = "Plenty"
RESOURCES = 200
APP = f"""
import aws_cdk as cdk
app = cdk.App()
stack = cdk.Stack(app, "{STACK}")
before = None
for number in range({RESOURCES}):
    queue = cdk.CfnResource(stack, f"Queue{{number}}", type="AWS::SQS::Queue")
    if before is not None:
        queue.add_dependency(before)
    before = queue
app.synth()
"""
SECONDS = 180


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "state"
    yield directory
    stop_instance(directory)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    (folder / "cdk.json").write_text(f'{{"app": "{sys.executable} app.py"}}')
    return folder


def up(app: Path, state: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*L4E, "up", "--state-dir", str(state)],
        cwd=app,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def in_the_middle(state: Path) -> Instance:
    """Wait until CDK has begun with the stack, which takes it a second or more, and return the instance."""
    deadline = time.monotonic() + SECONDS
    log = state / "cdk.log"
    while time.monotonic() < deadline:
        if log.exists() and f"{STACK}: creating CloudFormation changeset" in log.read_text():
            instance = load_instance(state)
            assert instance is not None
            return instance
        time.sleep(0.01)
    raise TimeoutError("no stack was begun")


def test_after_up_was_killed(app: Path, state: Path) -> None:
    with up(app, state) as first:
        instance = in_the_middle(state)
        first.kill()
    with up(app, state) as second:
        output, _ = second.communicate(timeout=SECONDS)
    assert second.returncode == 0, output
    assert "already runs at" in output
    found = load_instance(state)
    assert found == instance
    assert Aws.of(instance).stacks()[0].status.endswith("_COMPLETE")
    queues = Aws.of(instance).cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    assert {queue["ResourceStatus"] for queue in queues if "Queue" in queue["LogicalResourceId"]} == {
        "CREATE_COMPLETE"
    }


def test_after_up_was_killed_before_the_account_was_bootstrapped(app: Path, state: Path) -> None:
    with up(app, state) as first:
        deadline = time.monotonic() + SECONDS
        while not (state / "instance.json").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)  # the file is written
        first.kill()
    with up(app, state) as second:
        output, _ = second.communicate(timeout=SECONDS)
    assert second.returncode == 0, output
    assert "already runs at" in output
    assert "account bootstrapped for CDK" in output


def test_after_the_embedded_aws_was_killed(app: Path, state: Path) -> None:
    with up(app, state) as first:
        instance = in_the_middle(state)
        os.kill(instance.pid, signal.SIGKILL)
        output, _ = first.communicate(timeout=SECONDS)
    assert first.returncode == 1
    assert "the embedded AWS ended before the app was deployed" in output
    assert "`l4e up` starts a new one" in output
    with up(app, state) as second:
        output, _ = second.communicate(timeout=SECONDS)
    assert second.returncode == 0, output
    found = load_instance(state)
    assert found is not None
    assert found.pid != instance.pid
    assert Aws.of(found).stacks()[0].status == "CREATE_COMPLETE"
