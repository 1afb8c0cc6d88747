"""Speed and memory of CSV to columns, against plain readers that check nothing.

Every reader converts the same file from disk to Parquet, in turn, in one process; the figures are medians.
The CSV is what historians export: ISO stamps and numbers of four decimals.

    python -m benchmarks.ingest
"""

import gzip
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from engine import convert_csv

ROUNDS = 5
BYTES = 100_000_000
PLAIN = "pyarrow read_csv, write_table"


def measure_ingest(*, large_megabytes: int = 1_000) -> dict[str, Any]:
    """Measure and print; per kind of file and reader MB (uncompressed) per second, and per processor second.

    Then the peak memory (MiB) of a process that converts a large file, and of one that converts nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        speeds = {kind: _in_turn(path, size) for kind, (path, size) in _files(Path(folder))}
    for kind, figures in speeds.items():
        plain = figures[PLAIN]["mb_per_second"]
        for name, each in figures.items():
            speed, work = each["mb_per_second"], each["mb_per_processor_second"]
            print(
                f"{kind:32} {name:30} {speed:4.0f} MB/s, {speed / plain:.2f} times plain pyarrow; "
                f"{work:4.0f} MB per processor second"
            )
    peak, idle = _peaks(large_megabytes)
    print(f"{large_megabytes} MB of CSV to columns: peak {peak:.0f} MiB, of which libraries {idle:.0f}")
    return {"speeds": speeds, "peak_mib": peak, "idle_mib": idle}


def _peaks(megabytes: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        with path.open("wb") as file:
            _write(file.write, sensors=50, size=megabytes * 1_000_000)
        whole, idle = (
            subprocess.run(  # noqa: S603 - our own interpreter and script
                [sys.executable, "-m", "benchmarks.ingest", "--peak", *arguments],
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            for arguments in ([str(path)], [])
        )
    return float(whole), float(idle)


def _files(folder: Path) -> Iterator[tuple[str, tuple[Path, int]]]:
    for kind, sensors in (("wide, 50 sensors", 50), ("long, 1 sensor", 1)):
        path = folder / f"{sensors}.csv"
        with path.open("wb") as file:
            size = _write(file.write, sensors=sensors, size=BYTES)
        packed = path.with_suffix(".csv.gz")
        packed.write_bytes(gzip.compress(path.read_bytes(), compresslevel=6))
        yield kind, (path, size)
        yield f"{kind}, gz", (packed, size)
    odd = folder / "odd.csv"
    text = (folder / "50.csv").read_bytes().replace(b"50.1", b"Bad Input")
    odd.write_bytes(text)
    yield "wide, some text in every column", (odd, len(text))
    zoned = folder / "zoned.csv"
    text = (folder / "1.csv").read_bytes().replace(b",", b"Z,")
    zoned.write_bytes(text)
    yield "long, stamps with a zone", (zoned, len(text))


def _write(write: Callable[[bytes], object], *, sensors: int, size: int) -> int:
    rng = np.random.default_rng(0)
    header = ",".join(["Timestamp", *(f"s{at}" for at in range(sensors))]) + "\n"
    written, row = len(header), 0
    write(header.encode())
    while written < size:
        count = 200_000 // sensors
        stamps = np.datetime64("2024-01-01T00:00:00") + np.arange(row, row + count)
        values = rng.normal(50, 10, (sensors, count)).round(4)
        table = pa.table([pa.array(stamps.astype(str)), *values], names=["t", *map(str, range(sensors))])
        buffer = pa.BufferOutputStream()
        options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
        pa_csv.write_csv(table, buffer, options)
        block = buffer.getvalue().to_pybytes()
        write(block)
        written, row = written + len(block), row + count
    return written


def _engine(path: Path, target: Path) -> None:
    with path.open("rb") as source, target.open("wb") as sink:
        convert_csv(source, sink, columns=None, gzip=path.suffix == ".gz")


def _plain(path: Path, target: Path) -> None:
    pq.write_table(pa_csv.read_csv(path), target)


def _pandas(path: Path, target: Path) -> None:
    import pandas as pd  # noqa: PLC0415 - only where it is installed

    pq.write_table(pa.Table.from_pandas(pd.read_csv(path, parse_dates=[0])), target)


def _readers() -> dict[str, Callable[[Path, Path], None]]:
    readers: dict[str, Callable[[Path, Path], None]] = {"engine": _engine, PLAIN: _plain}
    if find_spec("pandas") is None:
        return readers
    return {**readers, "pandas read_csv, write_table": _pandas}


def _in_turn(path: Path, size: int) -> dict[str, dict[str, float]]:
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in _readers()}
    with tempfile.NamedTemporaryFile() as target:
        for _ in range(ROUNDS):
            for name, reader in _readers().items():
                start, worked = time.perf_counter(), time.process_time()
                reader(path, Path(target.name))
                seconds[name].append((time.perf_counter() - start, time.process_time() - worked))
    megabytes = size / 1e6
    return {
        name: {
            "mb_per_second": megabytes / statistics.median(wall for wall, _ in times),
            "mb_per_processor_second": megabytes / statistics.median(work for _, work in times),
        }
        for name, times in seconds.items()
    }


def _peak(paths: list[str]) -> None:
    """Convert the files and print the peak of this process in MiB."""
    for path in paths:
        with tempfile.TemporaryFile() as sink, Path(path).open("rb") as source:
            convert_csv(source, sink, columns=None)
    status = Path("/proc/self/status").read_text()  # getrusage would count what the parent had when it forked
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    print(int(peak[1]) / 1024)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        _peak(sys.argv[2:])
    else:
        measure_ingest()
