"""A pump in two components whose flow follows its speed until the impeller fails. Deterministic."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.service.jobs.world import rows, schema

SCHEMA = schema(drive=("speed", "current"), hydraulics=("flow", "pressure"))
FAULT = ("2020-01-19T02:00", "2020-01-19T08:00")
Reports = Callable[[int, str], bool]
"""Whether a row, by number and time, has a flow."""
SENSORS = ("drive\\speed", "drive\\current", "hydraulics\\flow", "hydraulics\\pressure")


@dataclass(frozen=True)
class Row:
    """One instant; stamps are UTC."""

    time: datetime
    speed: float
    current: float
    flow: float
    pressure: float


def history(
    start: str,
    *,
    count: int,
    step: timedelta,
    faults: tuple[tuple[str, str], ...] = (),
    stops: tuple[tuple[str, str], ...] = (),
    seed: int = 1,
) -> Iterator[Row]:
    """`count` rows from `start`; during a fault only the flow drops, to 60 % of what the speed asks for.

    During a stop the speed is 0, with all that follows from it.
    """
    noise = random.Random(seed)  # noqa: S311 - test data
    begin = datetime.fromisoformat(start)
    failing, stopped = (
        [(datetime.fromisoformat(first), datetime.fromisoformat(last)) for first, last in periods]
        for periods in (faults, stops)
    )

    for index in range(count):
        time = begin + index * step
        hours = (time - datetime(2020, 1, 1)).total_seconds() / 3600  # noqa: DTZ001 - naive UTC
        speed = 1000 + 200 * math.sin(hours / 3) + 80 * math.sin(hours / 1.7) + noise.gauss(0, 4)
        if any(first <= time <= last for first, last in stopped):
            speed = 0.0
        fails = any(first <= time <= last for first, last in failing)
        flow = speed * (0.03 if fails else 0.05) + noise.gauss(0, 0.3)
        yield Row(
            time=time,
            speed=speed,
            current=speed * 0.01 + noise.gauss(0, 0.1),
            flow=flow,
            pressure=2 + speed * 0.002 + noise.gauss(0, 0.02),
        )


def drive(data: list[Row]) -> str:
    """The file of the component `drive`."""
    return rows(
        ("Timestamp", "speed", "current"),
        [
            (one.time.isoformat(timespec="microseconds"), f"{one.speed:.3f}", f"{one.current:.4f}")
            for one in data
        ],
    )


def hydraulics(data: list[Row]) -> str:
    """The file of the component `hydraulics`."""
    return rows(
        ("Timestamp", "flow", "pressure"),
        [
            (one.time.isoformat(timespec="microseconds"), f"{one.flow:.4f}", f"{one.pressure:.4f}")
            for one in data
        ],
    )


def sampled_daily(_: int, time: str) -> bool:
    """Whether a sample is taken: at six on odd days of the month, at ten on even ones."""
    return time[11:16] == ("06:00" if int(time[8:10]) % 2 else "10:00")


def without_flow(text: str, reports: Reports) -> str:
    """Return a file of `hydraulics` with a flow only on the rows that report it, by their number and time."""
    header, *lines = text.splitlines()
    cells = [line.split(",") for line in lines]
    kept = [
        f"{time},{flow if reports(at_row, time) else ''},{pressure}"
        for at_row, (time, flow, pressure) in enumerate(cells)
    ]
    return "\n".join([header, *kept]) + "\n"
