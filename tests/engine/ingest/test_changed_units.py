"""Sensors in another unit from one file on are told from machines that changed."""

import io
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine import FileReport, changed_units, convert_csv
from engine.ingest.file_levels import RowSample, levels_of_columns
from tests.engine.ingest.test_far_rows import MEMBERS

Floats = NDArray[np.float64]
Change = Callable[[Floats], Floats]

START = np.datetime64("2026-01-01", "s")
ROWS = 400


def machine(file: int, rows: int = ROWS) -> dict[str, Floats]:
    """Sensors of a machine in one file: of a level each, one with stops, one about zero."""
    rng = np.random.default_rng(file)
    load = np.sin(np.arange(rows) / 30) + rng.normal(0, 0.3, rows)
    return {
        "flow": 50 + 6 * load,
        "temp": 60 + 9 * load + file / 4,
        "press": 4 + 0.3 * load + rng.normal(0, 0.1, rows),
        "valve": np.where(np.arange(rows) % 50 < 20, 0, 0.5 + 0.2 * load),
        "error": rng.normal(0, 1, rows),
    }


def read(month: float, sensors: Mapping[str, Floats], columns: Sequence[str] | None = None) -> FileReport:
    """Read sensors, all or those of a schema, as the file of a month."""
    rows = len(next(iter(sensors.values())))
    times = START + (round(month * 4320) + np.arange(rows)) * np.timedelta64(600, "s")
    lines = [",".join(map(str, cells)) for cells in zip(times, *sensors.values(), strict=True)]
    text = "\n".join([",".join(["Timestamp", *sensors]), *lines, ""])
    return convert_csv(io.BytesIO(text.encode()), io.BytesIO(), columns=columns)


def months(changes: Mapping[tuple[str, int], Change], *, files: int = 4) -> list[FileReport]:
    """Read some months, with sensors that are changed in some of them."""

    def changed(name: str, file: int, values: Floats) -> Floats:
        return changes[name, file](values) if (name, file) in changes else values

    return [
        read(file, {name: changed(name, file, values) for name, values in machine(file).items()})
        for file in range(files)
    ]


def told(reports: Sequence[FileReport]) -> list[tuple[str, int, int, str]]:
    """Return sensor, first file, number of files and conversion of what is told."""
    found = changed_units(reports, set(machine(0)))
    return [(each.sensor, each.file, each.files, str(each.conversion)) for each in found]


def from_on(sensor: str, file: int, change: Change, *, until: int = 4) -> dict[tuple[str, int], Change]:
    return {(sensor, each): change for each in range(file, until)}


def test_files_of_one_unit_tell_nothing() -> None:
    assert told(months({})) == []


@pytest.mark.parametrize(
    ("sensor", "change", "conversion"),
    [
        ("flow", lambda x: 10 * x, "times 10 (bar instead of MPa?)"),
        ("press", lambda x: 100 * x, "times 100 (kPa or % instead of bar or a fraction?)"),
        ("press", lambda x: x / 1000, "times 0.001 (the whole unit instead of thousandths?)"),
        ("temp", lambda x: 1.8 * x + 32, "times 1.8 plus 32 (°F instead of °C?)"),
        ("temp", lambda x: x + 273.15, "plus 273.15 (K instead of °C?)"),
    ],
)
@pytest.mark.parametrize("file", [1, 3])
def test_a_sensor_in_another_unit_is_told_with_its_files(
    sensor: str, change: Change, conversion: str, file: int
) -> None:
    assert told(months(from_on(sensor, file, change))) == [(sensor, file, 4 - file, conversion)]


def test_files_in_another_unit_may_be_between_others() -> None:
    ((sensor, file, files, _),) = told(months(from_on("flow", 1, lambda x: x * 1000, until=3)))
    assert (sensor, file, files) == ("flow", 1, 2)


def test_an_export_in_other_units_changes_many_sensors() -> None:
    changes = from_on("flow", 2, lambda x: x * 1000) | from_on("temp", 2, lambda x: 1.8 * x + 32)
    assert [(sensor, file) for sensor, file, *_ in told(months(changes))] == [("flow", 2), ("temp", 2)]


def test_a_sensor_may_have_files_of_its_own() -> None:
    reports = [
        read(file, {name: values * (100 if (name, file) == ("press", 1) else 1)})
        for file in range(2)
        for name, values in machine(file).items()
    ]
    assert [(sensor, file) for sensor, file, *_ in told(reports)] == [("press", 7)]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(from_on("flow", 2, lambda x: 7 * x), id="no conversion"),
        pytest.param(from_on("flow", 2, lambda x: x + 60), id="a level that moved"),
        pytest.param(from_on("flow", 2, lambda x: 500 + 0.1 * (x - 50)), id="ten times as high, not as wide"),
        pytest.param(
            from_on("flow", 2, lambda x: 10 * x) | from_on("press", 2, lambda x: 3 * x),
            id="a machine that changed",
        ),
        pytest.param(
            from_on("flow", 1, lambda x: 10 * x, until=2) | from_on("flow", 3, lambda x: 10 * x),
            id="back and forth",
        ),
        pytest.param(
            {("flow", file): lambda x, by=10.0**file: by * x for file in range(4)}, id="ever larger"
        ),
        pytest.param({("flow", 2): lambda x: np.where(np.arange(ROWS) < 50, x, 10 * x)}, id="within a file"),
        pytest.param(from_on("error", 2, lambda x: 10 * x), id="about zero"),
        pytest.param(from_on("valve", 2, lambda x: 10 * x), id="with stops"),
    ],
)
def test_other_changes_tell_nothing(changes: Mapping[tuple[str, int], Change]) -> None:
    assert told(months(changes)) == []


def test_files_at_the_same_time_tell_nothing() -> None:
    """They may be of two machines, or of two sensors under one name."""
    reports = [read(0, {"flow": machine(file)["flow"] * 10**file}) for file in range(2)]
    assert told(reports) == []


def test_the_last_row_of_a_file_may_be_the_first_of_the_next() -> None:
    reports = [
        read(month * 400 / 4320, {"flow": machine(month, 401)["flow"] * 10**month}) for month in range(2)
    ]
    assert reports[0].end == reports[1].start
    assert [sensor for sensor, *_ in told(reports)] == ["flow"]


def test_only_the_sensors_in_question_are_judged() -> None:
    reports = months(from_on("flow", 2, lambda x: 10 * x) | from_on("press", 2, lambda x: 3 * x))
    assert [found.sensor for found in changed_units(reports, {"flow"})] == ["flow"]


def test_few_values_tell_nothing() -> None:
    reports = [read(file, {"flow": machine(file, 29)["flow"] * 10**file}) for file in range(2)]
    assert ([report.levels for report in reports], told(reports)) == (["", ""], [])


def test_a_report_of_before_says_nothing_about_levels() -> None:
    reports = months(from_on("flow", 2, lambda x: 10 * x))
    assert told([FileReport.from_json(MEMBERS), *reports])[0][1] == 3


@given(
    rows=st.integers(30, 40_000),
    cuts=st.lists(st.integers(1, 40_000), max_size=5),
    period=st.integers(2, 5_000),
)
def test_a_sample_shows_the_levels_however_a_file_is_cut(rows: int, cuts: list[int], period: int) -> None:
    """Whatever the cycle of the machine."""
    values = np.arange(rows) % period / period
    table = pa.table({"Timestamp": np.arange(rows), "a": values})
    whole, parts = RowSample(), RowSample()
    whole.add(table)
    for start, end in pairwise(sorted({0, *(cut for cut in cuts if cut < rows), rows})):
        parts.add(table.slice(start, end - start))
    assert parts.levels() == whole.levels()
    levels = levels_of_columns(["a"], whole.levels())["a"]
    for share, level in zip((0.05, 0.25, 0.5, 0.75, 0.95), levels, strict=True):
        below, within = np.mean(values < level - 1e-5), np.mean(values <= level + 1e-5)
        assert below - 0.1 < share < within + 0.1
