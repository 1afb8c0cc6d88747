"""Time and memory of the engine on generated data of given size."""

import io
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import Frame, build_frame, convert_csv, evaluate, fit, merge_component

_STEP = np.timedelta64(60, "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Seconds and MiB; ``peak_mib`` is the peak of the whole process, ``data_mib`` the size of the values."""

    rows: int
    sensors: int
    data_mib: float
    fit_seconds: float
    peak_mib: float
    score_microseconds_per_row: float
    window_milliseconds: float


def synthetic(rows: int, sensors: int) -> Frame:
    """Return float32 rows that mix twenty slow drivers and noise."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(20, sensors)).astype(np.float32)
    values = np.empty((rows, sensors), np.float32)
    for start in range(0, rows, 10_000):
        count = min(10_000, rows - start)
        drivers = rng.normal(size=(count, 20)).cumsum(axis=0).astype(np.float32) * np.float32(0.02)
        values[start : start + count] = drivers @ mixing
        values[start : start + count] += rng.normal(0, 0.5, (count, sensors)).astype(np.float32)
    return Frame(
        times=np.datetime64("2025-01-01", "us") + np.arange(rows) * _STEP,
        values=values,
        sensors=tuple(f"c\\s{at}" for at in range(sensors)),
        off=np.zeros(rows, bool),
        step=_STEP,
    )


def measure_speed(rows: int, sensors: int) -> Speed:
    """Fit, score 20,000 rows at once, and score five-row windows with state."""
    frame = synthetic(rows, sensors)
    start = time.perf_counter()
    detector = fit(frame)
    fitted = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bulk = _tail(frame, min(rows, 20_000))
    detector.score(_tail(frame, 256))
    start = time.perf_counter()
    state = detector.score(bulk).state
    scored = time.perf_counter() - start
    times = []
    for _ in range(20):
        start = time.perf_counter()
        state = detector.score(_tail(frame, 5), state=state).state
        times.append(time.perf_counter() - start)
    return Speed(
        rows=rows,
        sensors=sensors,
        data_mib=frame.values.nbytes / 2**20,
        fit_seconds=fitted,
        peak_mib=peak,
        score_microseconds_per_row=scored / len(bulk.times) * 1e6,
        window_milliseconds=float(np.median(times)) * 1e3,
    )


def end_to_end(rows: int, sensors: int) -> dict[str, float]:
    """From a CSV file to metrics: convert, merge, frame, fit on two thirds, score and evaluate the rest."""
    frame = synthetic(rows, sensors)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        with path.open("w") as file:
            file.write("Timestamp," + ",".join(f"s{at}" for at in range(sensors)) + "\n")
            for stamp, row in zip(frame.times, frame.values, strict=True):
                file.write(f"{stamp}," + ",".join(f"{value:.4f}" for value in row) + "\n")
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
        detector = fit(_rows(built, 0, cut))
        evaluate(detector.score(_rows(built, cut, rows)), [], step=built.step)
        total = time.perf_counter() - start
    return {"csv_mb": size, "csv_mb_per_second": size / converted, "seconds": total}


def _tail(frame: Frame, rows: int) -> Frame:
    return _rows(frame, len(frame.times) - rows, len(frame.times))


def _rows(frame: Frame, start: int, stop: int) -> Frame:
    return Frame(
        times=frame.times[start:stop],
        values=frame.values[start:stop],
        sensors=frame.sensors,
        off=frame.off[start:stop],
        step=frame.step,
    )
