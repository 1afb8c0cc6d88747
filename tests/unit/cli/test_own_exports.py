"""An export in each of ten shapes through `l4e prepare`, `l4e validate` and the reading of the demo."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from l4e_cli.demo.findings import Evaluation
from l4e_cli.demo.folder import read_folder
from l4e_cli.demo.recording import Recording
from l4e_cli.demo.scenario import replay_scenario
from l4e_cli.errors import CliError
from l4e_cli.interval import Interval
from l4e_cli.main import run
from l4e_cli.terminal import Terminal
from tests.unit.cli.own_exports import CONTENT, LABEL, OWN_EXPORTS, TIMES, OwnExport

VALUES = np.array(
    [
        [np.nan if value is None else float(value) for value in row]
        for row in zip(*CONTENT.values(), strict=True)
    ]
)
HOUR = np.timedelta64(1, "h")
NOTHING_FOUND = Evaluation(
    labels=(), ranges=(), identified=0, warning_seconds=0, unknown=0, unknown_seconds=0
)
LABEL_LINE = ",".join(f"{time:%Y-%m-%dT%H:%M:%S}" for time in LABEL) + "\n"


def exported(folder: Path, export: OwnExport) -> Path:
    """A folder with the export of the pump, and the labels of its faults."""
    (folder / "pump").mkdir(parents=True)
    for name, data in export.files.items():
        (folder / "pump" / name).write_bytes(data)
    (folder / "labels.csv").write_text(LABEL_LINE)
    return folder


def require_content(recording: Recording, names: tuple[str, ...]) -> None:
    (part,) = recording.components
    order = [part.sensors.index(name) for name in names]
    assert part.name == "pump"
    assert len(part.sensors) == len(names)
    np.testing.assert_array_equal(
        part.times, np.array([t.replace(tzinfo=None) for t in TIMES], "datetime64[us]")
    )
    np.testing.assert_array_equal(part.values[:, order], VALUES)
    assert recording.labels_csv().decode() == LABEL_LINE


@pytest.mark.parametrize("shape", OWN_EXPORTS)
def test_an_export_goes_all_the_way(shape: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = OWN_EXPORTS[shape]
    source, target = exported(tmp_path / "export", export), tmp_path / "history"

    assert run(["prepare", str(source), str(target), *export.options]) == 0
    capsys.readouterr()
    labels = ["--labels", str(source / "labels.csv")]
    status = run(["validate", str(target), *labels, "--json"])

    document = json.loads(capsys.readouterr().out)
    errors = [found for found in document["findings"] if found["severity"] == "error"]
    assert (status, errors) == (0, [])
    (component,) = document["components"]
    assert (component["name"], component["rows"], component["duplicates"]) == ("pump", len(TIMES), 0)
    assert component["start"] == "2026-03-10T00:00:00.000000"
    assert [file["repairs"] for file in component["files"]] == [[]] * len(export.files)
    sensors = {sensor["name"]: sensor for sensor in component["sensors"]}
    assert set(sensors) == set(export.names)
    for name, column in zip(export.names, CONTENT.values(), strict=True):
        assert sensors[name]["values"] == len(TIMES) - column.count(None)
        assert (sensors[name]["missing"], sensors[name]["invalid"]) == (column.count(None), 0)
    assert [period["seconds"] for period in document["labels"]["periods"]] == [6 * 3600]

    (source / "labels.csv").rename(target / "labels.csv")
    recording = read_folder(Terminal(), target)
    require_content(recording, export.names)
    scenario = replay_scenario(recording, name=shape, train_until=None, off_condition=None)
    moved = np.timedelta64(365, "D")
    window = Interval(start=scenario.evaluation.start + moved, end=scenario.evaluation.start + moved + HOUR)
    fresh = scenario.fresh(window, Interval(start=window.start - 60 * HOUR, end=window.end), NOTHING_FOUND)
    (live,) = fresh.components
    rows = live.between(window).values
    assert np.isfinite(rows).all(axis=1).any()
    assert all(row in VALUES[:, [export.names.index(name) for name in live.sensors]] for row in rows)


@pytest.mark.parametrize("shape", [name for name, export in OWN_EXPORTS.items() if not export.options])
def test_the_demo_prepares_an_export_itself(shape: str, tmp_path: Path) -> None:
    export = OWN_EXPORTS[shape]
    require_content(read_folder(Terminal(), exported(tmp_path / "export", export)), export.names)


def test_the_demo_asks_what_prepare_would_ask(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export", OWN_EXPORTS["R: a header one name short, NA"])
    with pytest.raises(CliError, match=r"Decide with `l4e prepare .* TARGET`, then play TARGET"):
        read_folder(Terminal(), folder)


def test_the_demo_names_what_it_leaves_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = exported(tmp_path / "export", OWN_EXPORTS["comma-separated, ISO times, two files"])
    (folder / "fan.txt").write_text("Time\tFlow\n")
    read_folder(Terminal(), folder)
    assert re.search(r"left out: \S*fan\.txt", re.sub(r"\s+", " ", capsys.readouterr().out))


CASES = {
    "D01: two files of one name": (
        {"Pump 1.csv": "Timestamp,Flow\n2026-03-01,10\n", "Pump_1.csv": "Timestamp,Press\n2026-03-02,1\n"},
        r"Pump 1\.csv.* and .*Pump_1\.csv.* would both become",
    ),
    "D02: a totaliser": (
        {"pump.csv": "Timestamp,Total\n2026-03-01,12345678.4\n2026-03-02,12345679.0\n"},
        {"pump\\Total": [12345678.4, 12345679.0]},
    ),
    "D03: names that become one": (
        {"pump.csv": "Timestamp,Level %,Level #\n2026-03-01,1,2\n2026-03-02,3,4\n"},
        {"pump\\Level_pct": [1, 3], "pump\\Level_#": [2, 4]},
    ),
    "D04: labels in capitals": (
        {
            "pump.csv": "Timestamp,Flow\n2026-03-01,1\n2026-03-02,2\n",
            "Labels.csv": "2026-03-01,2026-03-02\n",
        },
        {"pump\\Flow": [1, 2]},
    ),
}


@pytest.mark.parametrize("through_prepare", [True, False], ids=["prepare", "the demo alone"])
@pytest.mark.parametrize("case", CASES)
def test_folders_of_kind_d(
    case: str,
    through_prepare: bool,  # noqa: FBT001
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files, expected = CASES[case]
    folder = tmp_path / "export"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)

    if isinstance(expected, str):
        if through_prepare:
            assert run(["prepare", str(folder), str(tmp_path / "history")]) == 1
            assert re.search(expected, re.sub(r"\s+", " ", capsys.readouterr().err))
        else:
            with pytest.raises(CliError, match=expected):
                read_folder(Terminal(), folder)
        return
    if through_prepare:
        assert run(["prepare", str(folder), str(tmp_path / "history")]) == 0
        folder = tmp_path / "history"
    recording = read_folder(Terminal(), folder)
    assert {name: recording.sensor(name)[1].tolist() for name in recording.sensor_ids} == expected
