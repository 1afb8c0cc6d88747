"""Speed and peak memory of `l4e prepare` on large exports, wide and long, in order and not.

Each file is prepared by a process of its own, which reports its processor time and its peak memory.

    python -m benchmarks.prepare --megabytes 300
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from l4e_cli.main import run

KINDS = ("wide, German", "wide, rows shuffled", "long", "long, one sensor after the other")
_START = np.datetime64("2024-01-01T00:00:00")
_ROWS = 20_000


def main() -> None:
    """Measure and print, or prepare one file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--one", type=Path, help="prepare this file only")
    arguments = parser.parse_args()
    if arguments.one:
        status = run(["prepare", str(arguments.one), str(arguments.one.parent / "out")])
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(f"\n{status} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}")
        return
    for kind in KINDS:
        measure(kind, arguments.megabytes)


def measure(kind: str, megabytes: int) -> None:
    """Write a file of a kind, prepare it and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(wide(kind, megabytes << 20) if "wide" in kind else long(kind, megabytes << 20))
        made = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "benchmarks.prepare", "--one", str(path)],
            capture_output=True,
            check=True,
            text=True,
        )
        status, seconds, peak = map(float, made.stdout.splitlines()[-1].split())
        size = path.stat().st_size / 1e6
    assert status == 0, made.stderr
    print(f"{kind:34} {size:4.0f} MB: {size / seconds:4.1f} MB per processor second, peak {peak:.0f} MiB")


def wide(kind: str, size: int) -> Iterator[str]:
    """Yield lines of ten sensors with semicolons and decimal commas."""
    rng = np.random.default_rng(1)
    yield "Zeit;" + ";".join(f"Sensor {at}" for at in range(10)) + "\n"
    done = written = 0
    while written < size:
        numbers = np.arange(done, done + _ROWS)
        done += _ROWS
        if "shuffled" in kind:
            numbers = (numbers * 7_919_993) % 40_000_003
        times = (_START + numbers * np.timedelta64(10, "s")).tolist()
        for time, row in zip(times, rng.normal(100, 30, (_ROWS, 10)), strict=True):
            line = (
                f"{time:%d.%m.%Y %H:%M:%S};"
                + ";".join(f"{value:.4f}" for value in row).replace(".", ",")
                + "\n"
            )
            written += len(line)
            yield line


def long(kind: str, size: int) -> Iterator[str]:
    """Yield lines of one value each, with the sensor and a quality."""
    rng = np.random.default_rng(1)
    yield "Timestamp,Tag,Value,Quality\n"
    count = size // 55
    for at, value in enumerate(rng.normal(100, 30, count)):
        sensor, row = divmod(at, count // 20 + 1) if "one" in kind else (at % 20, at // 20)
        yield f"{_START + row * np.timedelta64(10, 's')},Area1.Pump.Sensor{sensor},{value:.4f},192\n"


if __name__ == "__main__":
    main()
