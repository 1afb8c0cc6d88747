"""Import every module of the engine and the jobs, read a file, fit, say with what. See test_layer_runs."""

import importlib
import io
import json
import pkgutil

import numpy as np
import pyarrow as pa

import engine
import l4e_files
import service.jobs

ROWS = 4000


def main() -> None:
    """Print one JSON object."""
    for package in (engine, l4e_files, service.jobs):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    times = np.datetime64("2026-01-01T00:00:00") + np.arange(ROWS) * np.timedelta64(60, "s")
    values = np.random.default_rng(1).normal(size=(ROWS, 2))
    lines = [f"{time},{a},{b}" for time, (a, b) in zip(times, values, strict=True)]
    file = io.BytesIO("\n".join(["Timestamp,a,b", *lines]).encode())
    part, columns = io.BytesIO(), io.BytesIO()
    report = engine.convert_csv(file, part, columns=["a", "b"])
    part.seek(0)
    engine.merge_component([part], [report], columns)
    columns.seek(0)
    frame = engine.build_frame(
        {"pump": columns},
        sensors=["pump\\a", "pump\\b"],
        start=None,
        end=None,
        step_seconds=None,
        off=None,
    )
    said = {
        "files": {module.__name__: module.__file__ for module in (np, pa)},
        "versions": {module.__name__: module.__version__ for module in (np, pa)},
        "blas": engine.blas_name(),
        "rows": len(frame.times),
        "model": len(engine.fit(frame).to_bytes()),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
