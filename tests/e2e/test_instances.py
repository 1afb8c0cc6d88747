"""Starting, finding and ending embedded AWS instances, also when things go wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from l4e_cli.commands import up
from l4e_cli.errors import CliError
from l4e_cli.instance import load_instance, start_instance, stop_instance
from l4e_cli.terminal import Terminal
from tests.e2e.cloud import L4E, ROOT
from tests.waiting import PATIENCE


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "state"
    yield directory
    stop_instance(directory)


def test_two_at_once(state: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    first = start_instance(state, region="us-east-1")
    second = start_instance(other, region="eu-west-1")
    try:
        assert first.port != second.port
        assert load_instance(state) == first
        assert load_instance(other) == second
        with pytest.raises(CliError, match=r"plays us-east-1, not eu-west-1: leave out --region"):
            up(Terminal(), state, region="eu-west-1")
        with pytest.raises(CliError, match=r"already runs in .*state: use it, stop it with `l4e down`"):
            start_instance(state, region="us-east-1")
    finally:
        assert stop_instance(other)
    assert load_instance(other) is None
    assert load_instance(state) == first


def test_nobody_else_can_take_its_port_while_it_starts(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = subprocess.Popen
    ports = []

    def watched(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        ports.append(int(options["env"]["GATEWAY_PORT"]))
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", ports[0]))
        return begin(command, **options)

    monkeypatch.setattr(subprocess, "Popen", watched)
    assert [start_instance(state, region="us-east-1").port] == ports


def test_one_that_was_killed_is_gone_and_can_be_replaced(state: Path) -> None:
    killed = start_instance(state, region="us-east-1")
    os.kill(killed.pid, signal.SIGKILL)
    os.waitpid(killed.pid, 0)
    assert load_instance(state) is None
    replaced = start_instance(state, region="us-east-1")
    assert load_instance(state) == replaced
    assert replaced.pid != killed.pid


def test_nothing_is_left_of_it(state: Path) -> None:
    instance = start_instance(state, region="us-east-1")
    assert (state / "instance.json").stat().st_mode & 0o077 == 0
    assert stop_instance(state)
    assert not state.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(instance.pid, 0)


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Where tests run in the background Ctrl-C is ignored, by them and what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("moment", ["embedded AWS started", "account bootstrapped"])
def test_interrupting_up_leaves_nothing(
    state: Path, moment: str, number: signal.Signals, status: int
) -> None:
    command = [*L4E, "up", "--state-dir", str(state)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if moment in line:
                break
        pid = int((state / "emulator.pid").read_text())
        process.send_signal(number)
        assert process.wait(timeout=PATIENCE) == status
    assert not state.exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_a_failed_deployment_fails_up_and_leaves_it_running(state: Path, tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} -c 'raise SystemExit(1)'"}))
    ended = subprocess.run(
        [*L4E, "up", "--state-dir", str(state)],
        cwd=app,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "cdk synth failed" in ended.stderr
    assert "still runs: `l4e up` tries again" in ended.stdout
    assert load_instance(state) is not None


def test_output_in_a_pipe_is_plain(state: Path) -> None:
    start_instance(state, region="us-east-1")
    ended = subprocess.run(
        [*L4E, "down", "--state-dir", str(state)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert ended.stdout == "✓ embedded AWS stopped, its files removed\n"
