"""`l4e up` goes on after what kills it, or the embedded AWS, in the middle of a deployment."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from l4e_cli.aws import Aws
from l4e_cli.instance import Instance, load_instance, stop_instance
from tests.e2e.cloud import L4E, ROOT
from tests.waiting import PATIENCE, awaited

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
WAITS = """
const { existsSync } = require("fs")
while (!existsSync("%s")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
process.exit(1)
"""
"""Has Node do nothing until a file exists: CDK outlives its command, and might bootstrap meanwhile."""


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


def up(app: Path, state: Path, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*L4E, "up", "--state-dir", str(state)],
        cwd=app,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def in_the_middle(state: Path) -> Instance:
    """Wait until CDK has begun with the stack, which takes it a second or more, and return the instance."""
    log = state / "cdk.log"
    begun = f"{STACK}: creating CloudFormation changeset"
    awaited(lambda: log.read_text() if log.exists() else "", lambda text: begun in text, pause=0.01)
    instance = load_instance(state)
    assert instance is not None
    return instance


def test_after_up_was_killed(app: Path, state: Path) -> None:
    with up(app, state) as first:
        instance = in_the_middle(state)
        first.kill()
    with up(app, state) as second:
        output, _ = second.communicate(timeout=PATIENCE)
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
    killed = app / "killed"
    (app / "waits.js").write_text(WAITS % killed)
    with up(app, state, NODE_OPTIONS=f"--require {app / 'waits.js'}") as first:
        assert first.stdout is not None
        assert any("embedded AWS started" in line for line in first.stdout)
        first.kill()
    killed.touch()
    with up(app, state) as second:
        output, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 0, output
    assert "already runs at" in output
    assert "account bootstrapped for CDK" in output


def test_after_the_embedded_aws_was_killed(app: Path, state: Path) -> None:
    with up(app, state) as first:
        instance = in_the_middle(state)
        os.kill(instance.pid, signal.SIGKILL)
        output, _ = first.communicate(timeout=PATIENCE)
    assert first.returncode == 1
    assert "the embedded AWS ended before the app was deployed" in output
    assert "`l4e up` starts a new one" in output
    with up(app, state) as second:
        output, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 0, output
    found = load_instance(state)
    assert found is not None
    assert found.pid != instance.pid
    assert Aws.of(found).stacks()[0].status == "CREATE_COMPLETE"
