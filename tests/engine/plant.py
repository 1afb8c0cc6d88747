"""A small simulated pump for the engine's tests: modes of speed, and everything else follows from speed."""

import numpy as np

from engine import Frame

SENSORS = ("pump\\Speed", "pump\\Flow", "pump\\Pressure", "motor\\Current", "motor\\Temperature")
STEP = np.timedelta64(60, "s")
START = np.datetime64("2026-01-01T00:00:00", "us")


def pump(rows: int, *, seed: int, start: np.datetime64 = START) -> Frame:
    """Healthy operation: speed set points every few hours, flow and pressure follow, temperature lags."""
    rng = np.random.default_rng(seed)
    speed = np.repeat(rng.uniform(600, 1500, rows // 240 + 1), 240)[:rows]
    speed = np.convolve(np.concatenate([np.full(14, speed[0]), speed]), np.full(15, 1 / 15), "valid")
    speed = speed + rng.normal(0, 4, rows)
    flow = 0.05 * speed + rng.normal(0, 0.4, rows)
    pressure = 0.004 * speed + 1 + rng.normal(0, 0.03, rows)
    current = 0.02 * speed + 0.1 * flow + rng.normal(0, 0.2, rows)
    temperature = np.empty(rows)
    level = 30 + 0.02 * speed[0]
    for at in range(rows):
        level += 0.05 * (30 + 0.02 * speed[at] - level)
        temperature[at] = level
    temperature += rng.normal(0, 0.15, rows)
    return frame(np.stack([speed, flow, pressure, current, temperature], axis=1), start=start)


def frame(
    values: np.ndarray, *, start: np.datetime64 = START, sensors: tuple[str, ...] | None = None
) -> Frame:
    """Wrap values into a frame of one row a minute with the machine always on."""
    rows = len(values)
    return Frame(
        times=start + np.arange(rows) * STEP,
        values=values,
        sensors=sensors or SENSORS[: values.shape[1]],
        off=np.zeros(rows, bool),
        step=STEP,
    )


def cut(whole: Frame, start: int, stop: int) -> Frame:
    """Return some rows of a frame."""
    return Frame(
        times=whole.times[start:stop],
        values=whole.values[start:stop],
        sensors=whole.sensors,
        off=whole.off[start:stop],
        step=whole.step,
    )
