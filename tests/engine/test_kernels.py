"""The numeric core under every kernel of OpenBLAS that this machine can run, not only under its own.

`OPENBLAS_CORETYPE` names the kernel, `OPENBLAS_VERBOSE=2` lets OpenBLAS say which one it took: a build has
kernels for some processors, and takes a near one for the others. What the machine cannot run dies of SIGILL.
"""

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.engine.test_determinism import elsewhere, on_threads

ROOT = Path(__file__).parents[2]
CORES: Mapping[str, str] = {
    "x86_64": "Prescott Core2 Nehalem Sandybridge Haswell Zen SkylakeX Cooperlake SapphireRapids Bulldozer "
    "Excavator Barcelona Bobcat Atom",
    "aarch64": "ARMV8 ARMV8SVE CortexA53 CortexA57 CortexA72 CortexA76 NeoverseN1 NeoverseN2 NeoverseV1 "
    "ThunderX ThunderX2T99 ThunderX3T110 TSV110 Falkor EMAG8180 A64FX",
}
DEFAULT = ""
"""The name that leaves the choice to OpenBLAS."""
PRODUCTS = ["tests/engine/test_cross_prediction.py", "tests/engine/test_batches.py"]
CORE = [
    *PRODUCTS,
    "tests/engine/test_fit.py::test_levels_go_on_from_window_to_window[False-small-7]",
    "tests/engine/test_fit.py::test_levels_go_on_from_window_to_window[True-several-64]",
    "tests/engine/test_fit.py::test_levels_go_on_from_window_to_window[False-large-999]",
    "tests/engine/test_detector.py::test_healthy_operation_raises_almost_no_alarm",
    "tests/engine/test_detector.py::test_window_by_window_equals_one_batch",
    "tests/engine/test_detector.py::test_equal_data_gives_equal_bytes_and_bytes_give_the_detector_back",
]
BARE = [f"-pno:{plugin}" for plugin in ("cacheprovider", "hypothesispytest", "pytest_cov", "xdist")]
"""What these tests do not need of pytest takes half a second in each process."""
PROBE = """
import numpy as np
for kind in (np.float32, np.float64):
    for size in (3, 40, 300):
        matrix = np.eye(size, dtype=kind) + np.ones((size, size), kind) / size
        assert np.allclose(np.linalg.cholesky(matrix @ np.linalg.inv(matrix)), np.eye(size), atol=1e-4)
"""


def environment(core: str, threads: int) -> dict[str, str]:
    """Return the variables of a process that runs one kernel on some threads."""
    chosen = {"OPENBLAS_CORETYPE": core} if core else {}
    others = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    return others | chosen | on_threads(threads)


def taken(core: str) -> str | None:
    """Return the kernel that OpenBLAS takes for a name: None if it cannot run here, "" without OpenBLAS."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=environment(core, 1) | {"OPENBLAS_VERBOSE": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == -signal.SIGILL:
        return None
    assert done.returncode == 0, f"{core}: {done.stderr}"
    said = [line.removeprefix("Core: ") for line in done.stderr.splitlines() if line.startswith("Core: ")]
    return said[-1].strip() if said else ""


def distinct(cores: Iterable[str]) -> dict[str, str]:
    """Return one name for every kernel that the names lead to."""
    with ThreadPoolExecutor(2) as pool:
        names = list(cores)
        found = zip(pool.map(taken, names), names, strict=True)
        return {kernel: name for kernel, name in reversed(list(found)) if kernel is not None}


def failure(core: str, threads: int, tests: Iterable[str]) -> str | None:
    """Return what the tests print in a process with that kernel, None if they pass."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--noconftest", *BARE, *tests],
        cwd=ROOT,
        env=environment(core, threads),
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"{core} on {threads} threads:\n{done.stdout[-5000:]}{done.stderr}"
    return said if done.returncode else None


@pytest.fixture(scope="module")
def kernels() -> dict[str, str]:
    return distinct([DEFAULT, *CORES.get(platform.machine(), "").split()])


def test_openblas_says_which_kernels_there_are(kernels: dict[str, str]) -> None:
    print(f"kernels: {', '.join(kernels)}")
    assert DEFAULT in kernels.values(), "what the machine takes by itself is among them"
    if "" in kernels:
        pytest.skip("numpy has no OpenBLAS that names its kernels: only its own way to multiply is tested")


def test_the_numeric_core_holds_on_every_kernel(kernels: dict[str, str]) -> None:
    """On one thread, where the machine's own kernel may be that of the tests themselves, and on two."""
    runs = [(core, *run) for core in kernels.values() for run in ((1, CORE), (2, PRODUCTS))]
    if os.environ.get("OPENBLAS_NUM_THREADS") == "1":
        runs.remove((DEFAULT, 1, CORE))
    with ThreadPoolExecutor(2) as pool:
        failures = [found for found in pool.map(lambda run: failure(*run), runs) if found]
    assert not failures, "\n\n".join(failures)


def test_predictions_are_equal_on_every_kernel(kernels: dict[str, str]) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, *others = pool.map(lambda core: elsewhere(environment(core, 1)), kernels.values())
    for other in others:
        assert other["prediction"] == first["prediction"]
        np.testing.assert_allclose(other["score"], first["score"], atol=1e-4)


def test_a_failure_under_a_kernel_is_found() -> None:
    assert "not found" in (failure(DEFAULT, 1, ["tests/engine/test_none.py"]) or "")
