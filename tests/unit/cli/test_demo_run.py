"""A demo from its trained model on: what remains when inference fails."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from l4e_cli.demo import run
from l4e_cli.demo.findings import Evaluation, Scored
from l4e_cli.demo.recording import ComponentRecording, Recording
from l4e_cli.demo.scenario import replay_scenario
from l4e_cli.errors import CliError
from l4e_cli.terminal import Terminal

START = np.datetime64("2026-01-01", "us")


class FailingDemo(run._Demo):
    """A demo whose model is trained, and whose inference fails."""

    def _synthesise(self) -> Path:
        return Path()

    def _deploy(self, assembly: Path, stacks: Any) -> None:
        pass

    def _upload_history(self) -> None:
        pass

    def _outputs(self, name: str) -> dict[str, str]:
        return {"ModelName": "m", "InferenceSchedulerName": "s"}

    def _evaluation(self, model: str) -> Evaluation:
        return Evaluation(labels=(), ranges=(), identified=0, warning_seconds=0, unknown=0, unknown_seconds=0)

    def _evaluation_scores(self, model: str) -> Scored | None:
        return None

    def _infer(self, scheduler: str, evaluation: Evaluation) -> Any:
        raise CliError("inference of this window failed: no rows")


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FailingDemo:
    monkeypatch.setattr(run, "synthesised_stacks", lambda _assembly: [])
    times = START + np.arange(3000) * np.timedelta64(1, "m")
    part = ComponentRecording(
        name="p", sensors=("A",), times=times, values=np.sin(np.arange(3000.0))[:, None]
    )
    scenario = replay_scenario(Recording(components=(part,)), name="x", train_until=None, off_condition=None)
    options = run.Options(directory=tmp_path / ".l4e", output=tmp_path / "out", region="us-east-1")
    nothing: Any = None
    return FailingDemo(Terminal(), options, scenario, nothing, nothing)


def test_a_failed_inference_leaves_the_picture_and_the_failure(
    demo: FailingDemo, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CliError, match="no rows"):
        demo.play()
    picture = demo.options.output / "picture.png"
    assert picture.stat().st_size > 10_000
    assert str(picture) in capsys.readouterr().out
