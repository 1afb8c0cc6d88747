"""A column that goes on under another name is told from sensors that come and go."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from engine import FileReport, renamed_columns
from tests.engine.ingest.test_changed_units import Floats, machine, read

NAMES = ("flow", "temp", "press")


def files(
    *names: Mapping[str, str],
    columns: Mapping[str, Floats] | None = None,
    months: Sequence[float] = range(9),
    listed: Sequence[str] | None = None,
) -> list[FileReport]:
    """Read a file a month, with other names for some of its columns, or without those named ''."""
    found = []
    for file, (month, each) in enumerate(zip(months, names, strict=False)):
        sensors = {name: machine(file)[name] for name in NAMES} | dict(columns or {})
        named = {each.get(name, name): values for name, values in sensors.items()}
        found.append(read(month, {name: values for name, values in named.items() if name}, listed))
    return found


def told(reports: Sequence[FileReport]) -> list[tuple[str, str, int, int]]:
    return [(found.old, found.new, found.last, found.first) for found in renamed_columns(reports)]


def test_files_with_the_same_names_tell_nothing() -> None:
    assert told([]) == []
    assert told(files({}, {}, {})) == []


def test_a_column_of_another_name_is_told_with_the_files_on_both_sides() -> None:
    assert told(files({}, {}, {"flow": "FT-101.PV"}, {"flow": "FT-101.PV"})) == [("flow", "FT-101.PV", 1, 2)]


def test_the_order_of_files_is_that_of_their_times() -> None:
    reports = files({}, {"flow": "FT-101.PV"}, {}, {"flow": "FT-101.PV"}, months=(0, 2, 1, 3))
    assert told(reports) == [("flow", "FT-101.PV", 2, 1)]


def test_all_names_may_change_and_change_again() -> None:
    tags = {"flow": "FT1", "temp": "TT1", "press": "PT1"}
    assert told(files({}, tags, tags | {"flow": "FT-1"})) == [
        ("flow", "FT1", 0, 1),
        ("temp", "TT1", 0, 1),
        ("press", "PT1", 0, 1),
        ("FT1", "FT-1", 1, 2),
    ]


def test_the_last_row_of_a_file_may_be_the_first_of_the_next() -> None:
    reports = files(
        {}, {}, {"flow": "FT1"}, {"flow": "FT-1"}, months=[file * 399 / 4320 for file in range(4)]
    )
    assert reports[0].end == reports[1].start
    assert told(reports) == [("flow", "FT1", 1, 2), ("FT1", "FT-1", 2, 3)]


def test_a_sensor_may_have_files_of_its_own() -> None:
    reports = [
        read(month, {"FT1" if name == "flow" and month else name: machine(month)[name]})
        for month in range(2)
        for name in NAMES
    ]
    assert told(reports) == [("flow", "FT1", 0, 3)]


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param(files({}, {"flow": ""}), id="a sensor that ends"),
        pytest.param(files({"flow": ""}, {}), id="a sensor that begins"),
        pytest.param(files({"temp": ""}, {"flow": ""}), id="another sensor begins"),
        pytest.param(files({}, {"flow": ""}, {"flow": "FT1"}), id="a file between"),
        pytest.param(files({}, {"flow": "FT1"}, {}), id="the old name comes back"),
        pytest.param(
            files({"flow": "FT1"}, {"flow": "FT1"}, {}, {"flow": "FT1"}), id="the new name was there"
        ),
        pytest.param(files({}, {"flow": "FT1"}, months=(0, 0)), id="at the same time"),
        pytest.param(
            files({"a": ""}, {"b": ""}, columns={"a": machine(3)["flow"], "b": 9 - machine(3)["flow"]}),
            id="other values",
        ),
        pytest.param(
            files({"z": ""}, {"flow": ""}, columns={"z": machine(3)["flow"]}),
            id="another place in the header",
        ),
        pytest.param(
            files(
                {"c": "", "d": ""}, {"a": "", "b": ""}, columns={name: machine(3)["temp"] for name in "abcd"}
            ),
            id="tests of sensors of one kind",
        ),
        pytest.param(
            files({"z": ""}, {"a": ""}, columns={name: np.full(400, 5.0) for name in "az"}), id="constants"
        ),
    ],
)
def test_sensors_that_come_and_go_tell_nothing(reports: Sequence[FileReport]) -> None:
    assert told(reports) == []


def test_a_name_that_the_schema_does_not_list_is_told_by_its_place_alone() -> None:
    def listed(*names: str) -> list[FileReport]:
        return files({}, {"flow": "FT1"}, listed=names)

    assert told(listed("flow", "temp")) == [("flow", "FT1", 0, 1)]
    assert told(listed("FT1")) == [("flow", "FT1", 0, 1)]
    assert told(listed("temp")) == []


def test_files_without_rows_for_levels_tell_nothing() -> None:
    few = [
        read(
            month,
            {"FT1" if month else "flow": machine(month, 20)["flow"], "temp": machine(month, 20)["temp"]},
        )
        for month in range(2)
    ]
    assert told(few) == []
