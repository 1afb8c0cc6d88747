"""What a step shows while it runs and when it is done."""

import io

import pytest
from rich.console import Console

from l4e_cli.terminal import Terminal


def terminal(*, moving: bool) -> tuple[Terminal, io.StringIO]:
    written = io.StringIO()
    out = Console(file=written, force_terminal=moving, highlight=False, soft_wrap=True, width=120)
    return Terminal(out=out), written


def test_a_pipe_gets_the_end_alone() -> None:
    plain, written = terminal(moving=False)
    with plain.step("deploying stack Pump1", done="stack Pump1 deployed") as task:
        task.update(done=1, total=2, text="Dataset")
        assert written.getvalue() == ""
    assert written.getvalue() == "✓ stack Pump1 deployed  (0 s)\n"


def test_a_terminal_sees_what_goes_on_and_then_that_it_is_done() -> None:
    moving, written = terminal(moving=True)
    with moving.step("deploying stack Pump1", done="stack Pump1 deployed") as task:
        task.update(done=1, total=2, text="Dataset")
        moving.out.print("")  # makes the moving line be drawn
        assert "deploying stack Pump1" in written.getvalue()
        assert "deployed" not in written.getvalue()
    assert "stack Pump1 deployed" in written.getvalue().splitlines()[-1]


def test_a_step_that_fails_is_not_said_to_be_done() -> None:
    plain, written = terminal(moving=False)
    with pytest.raises(RuntimeError), plain.step("deploying", done="deployed"):
        raise RuntimeError
    assert written.getvalue() == ""
