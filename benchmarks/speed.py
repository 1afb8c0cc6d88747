"""Time and memory of the engine on generated data of given size.

    python -m benchmarks.speed [--rows N] [--sensors N] [--drift] [--large] [--versus] [--turns N]
                               [--json FILE]

Each measurement runs in a fresh process, so that no peak hides another. `--versus` times ECOD and PCA T2+Q
alongside, in turns, in one process.
"""

import argparse
import gc
import io
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from benchmarks.wide import wide_frame
from engine import Frame, build_frame, convert_csv, evaluate, fit, merge_component

BULK_ROWS, WINDOW_ROWS, WINDOWS = 20_000, 5, 200
TURNS = 3
_P = ParamSpec("_P")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Seconds and MiB; `peak_mib` is the peak of the process behind the fit, `data_mib` the values.

    `fit_cpu_seconds` is the work of all threads: under load it says more than the wall time. `span` is
    the baseline against drift that was chosen, 0 for none. A window reads and writes the state.
    """

    rows: int
    sensors: int
    drift: bool
    data_mib: float
    fit_seconds: float
    fit_cpu_seconds: float
    peak_mib: float
    span: int
    score_microseconds_per_row: float
    window_milliseconds: float
    window_milliseconds_p95: float


def measure_speed(rows: int, sensors: int, *, drift: bool = False) -> Speed:
    """Fit, score 20,000 rows at once, and score 200 five-row windows with state, in a process of its own."""
    return _alone(_measure_speed, rows, sensors, drift=drift)


def _measure_speed(rows: int, sensors: int, *, drift: bool) -> Speed:
    after = BULK_ROWS + WINDOWS * WINDOW_ROWS
    frame = wide_frame(rows + after, sensors, drift=drift)
    train = frame.part(0, rows)
    start, cpu = time.perf_counter(), time.process_time()
    detector = fit(train)
    fitted, worked = time.perf_counter() - start, time.process_time() - cpu
    peak = peak_mib()
    detector.score(train.part(0, 256))
    start = time.perf_counter()
    state = detector.score(frame.part(rows, rows + BULK_ROWS)).state
    scored = time.perf_counter() - start
    times = []
    for at in range(rows + BULK_ROWS, rows + after, WINDOW_ROWS):
        window = frame.part(at, at + WINDOW_ROWS)
        start = time.perf_counter()
        state = detector.score(window, state=state).state
        times.append(time.perf_counter() - start)
    return Speed(
        rows=rows,
        sensors=sensors,
        drift=drift,
        data_mib=train.values.nbytes / 2**20,
        fit_seconds=fitted,
        fit_cpu_seconds=worked,
        peak_mib=peak,
        span=detector.pipeline.baseline.span,
        score_microseconds_per_row=scored / BULK_ROWS * 1e6,
        window_milliseconds=float(np.median(times)) * 1e3,
        window_milliseconds_p95=float(np.quantile(times, 0.95)) * 1e3,
    )


def versus(rows: int, sensors: int, turns: int = TURNS) -> dict[str, dict[str, float]]:
    """Measure and print median seconds of a fit, by the clock and of work, and the engine's share of them.

    All are fitted to the same rows in turns, so that other work on the machine meets them alike. The fit of
    PCA includes the scores of training for its limits.
    """
    found = _alone(_versus, rows, sensors, turns)
    for name, each in found.items():
        shares = [found["engine"][unit] / each[unit] for unit in each]
        print(
            f"{name:10} {each['seconds']:6.1f} s, {each['cpu_seconds']:6.1f} s of work; the engine takes "
            f"{shares[0]:.2f} and {shares[1]:.2f} of it",
            flush=True,
        )
    return found


def _versus(rows: int, sensors: int, turns: int) -> dict[str, dict[str, float]]:
    from benchmarks.baselines import BASELINES  # noqa: PLC0415 - its imports are no part of another peak

    frame = wide_frame(rows, sensors)
    fits: dict[str, Callable[[], Any]] = {
        "engine": lambda: fit(frame),
        "ECOD": lambda: BASELINES["ECOD"](frame.values),
        "PCA T2+Q": lambda: BASELINES["PCA T2+Q"](frame.values),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in fits}
    for _ in range(turns):
        for name, run in fits.items():
            gc.collect()
            start, cpu = time.perf_counter(), time.process_time()
            run()
            times[name].append((time.perf_counter() - start, time.process_time() - cpu))
    medians = {name: np.median(each, axis=0).tolist() for name, each in times.items()}
    return {name: {"seconds": clock, "cpu_seconds": cpu} for name, (clock, cpu) in medians.items()}


def end_to_end(rows: int, sensors: int) -> dict[str, float]:
    """From a CSV file to metrics: convert, merge, frame, fit on two thirds, score and evaluate the rest."""
    return _alone(_end_to_end, rows, sensors)


def _end_to_end(rows: int, sensors: int) -> dict[str, float]:
    frame = wide_frame(rows, sensors)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        _write_csv(frame, path)
        size = path.stat().st_size / 1e6
        start = time.perf_counter()
        part, merged = io.BytesIO(), io.BytesIO()
        with path.open("rb") as file:
            report = convert_csv(file, part, columns=None)
        converted = time.perf_counter() - start
        merge_component([part], [report], merged)
        built = build_frame(
            {"c": merged}, sensors=frame.sensors, start=None, end=None, step_seconds=60, off=None
        )
        cut = rows * 2 // 3
        detector = fit(built.part(0, cut))
        evaluate(detector.score(built.part(cut, rows)), [], step=built.step)
        total = time.perf_counter() - start
    return {"csv_mb": size, "csv_mb_per_second": size / converted, "seconds": total}


def _write_csv(frame: Frame, path: Path) -> None:
    with path.open("w") as file:
        file.write("Timestamp," + ",".join(f"s{at}" for at in range(len(frame.sensors))) + "\n")
        for stamp, row in zip(frame.times, frame.values, strict=True):
            file.write(f"{stamp}," + ",".join(f"{value:.4f}" for value in row) + "\n")


def peak_mib() -> float:
    """Return the most memory this process has had: of its own, not what it was started from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) / 1024


def _alone(work: Callable[_P, _Result], *arguments: _P.args, **named: _P.kwargs) -> _Result:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **named).result()


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--sensors", type=int, default=300)
    parser.add_argument("--drift", action="store_true", help="also with every sensor drifting")
    parser.add_argument("--large", action="store_true", help="1.5 million rows instead")
    parser.add_argument("--versus", action="store_true", help="time ECOD and PCA alongside")
    parser.add_argument("--turns", type=int, default=TURNS, help="fits of each detector to compare")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    rows = 1_500_000 if options.large else options.rows
    result: dict[str, Any] = {}
    for drift in (False, True) if options.drift else (False,):
        found = asdict(measure_speed(rows, options.sensors, drift=drift))
        result["drift" if drift else "no drift"] = found
        print(", ".join(f"{name} {value:,.1f}" for name, value in found.items()), flush=True)
    if options.versus:
        result["versus"] = versus(rows, options.sensors, options.turns)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
