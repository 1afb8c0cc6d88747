"""The demo beside the tests of what the service does."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.cloud import L4E, ROOT, Demo


@pytest.fixture(scope="session", autouse=True)
def watched_demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo | None]:
    """The demo, begun before the first test here, as it mostly waits; None when no test looks at it."""
    if not any("watch_demo" in item.nodeid for item in request.session.items):
        yield None
        return
    folder = tmp_path_factory.mktemp("demo")
    state, output = folder / "state", folder / "output"
    arguments = ["demo", "--state-dir", str(state), "--output", str(output)]
    with subprocess.Popen(
        [*L4E, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield Demo(process=process, state=state, output=output)
        process.terminate()
