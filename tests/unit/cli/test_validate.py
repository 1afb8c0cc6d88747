"""`l4e validate`: what it says about files, and its exit status."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib.image as mpl_image
import numpy as np
import pytest
from botocore.response import StreamingBody
from rich.console import Console

from l4e_cli.errors import CliError
from l4e_cli.files.layout import demo_layout, service_layout
from l4e_cli.files.places import Folder
from l4e_cli.interval import Interval
from l4e_cli.main import run
from l4e_cli.terminal import Terminal
from l4e_cli.validate.command import Options, validate
from l4e_cli.validate.coverage import Grid

START = np.datetime64("2026-01-01")

Cell = Callable[[int], object]


def csv(days: float, *, every: int = 60, skip: tuple[int, int] = (0, 0), **sensors: Cell) -> str:
    """A file of a row each `every` minutes, without those of the days `skip`."""
    lines = ["Timestamp," + ",".join(sensors)]
    for row in range(int(days * 1440 / every)):
        if not skip[0] <= row * every / 1440 < skip[1]:
            time = START + np.timedelta64(row * every, "m")
            lines.append(f"{time}," + ",".join(str(cell(row)) for cell in sensors.values()))
    return "\n".join(lines) + "\n"


def varying(row: int) -> float:
    return round(float(np.sin(row / 7) + row % 13), 3)


GOOD = csv(200, Flow=varying, Press=varying)


class Validation:
    """Writes files, and runs the command on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.text = ""

    def write(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(self, path: str = "", **options: Any) -> dict[str, Any]:
        """The JSON document; the text of the terminal is kept."""
        out, errors = io.StringIO(), io.StringIO()
        terminal = Terminal(out=Console(file=out, width=10_000), err=Console(file=errors, width=10_000))
        path = path or str(self.folder)
        passed = validate(terminal, Options(path=path, as_json=True, **options))
        document: dict[str, Any] = json.loads(out.getvalue())
        assert passed == (document["errors"] == 0)
        out.truncate(0)
        assert validate(terminal, Options(path=path, **options)) == passed
        self.text = out.getvalue()
        return document


@pytest.fixture
def validation(tmp_path: Path) -> Validation:
    return Validation(tmp_path / "data")


def rules(document: Mapping[str, Any], severity: str) -> dict[str, str]:
    """Where and rule of the findings of a severity."""
    return {found["where"]: found["rule"] for found in document["findings"] if found["severity"] == severity}


def texts(document: Mapping[str, Any]) -> str:
    return "\n".join(f"{found['where']}: {found['text']}" for found in document["findings"])


class TestComponents:
    def test_good_files_have_nothing_to_say(self, validation: Validation) -> None:
        validation.write("pump/a.csv", GOOD)
        document = validation.run()
        assert document["findings"] == []
        (component,) = document["components"]
        assert (component["name"], component["rows"], component["step_seconds"]) == ("pump", 4800, 3600)
        assert component["gaps"] == []
        assert [sensor["name"] for sensor in component["sensors"]] == ["Flow", "Press"]
        assert "rows     4,800, one every 1 h" in validation.text
        assert "the service takes these files: 0 errors, 0 warnings" in validation.text

    def test_files_of_a_component_are_merged(self, validation: Validation) -> None:
        validation.write("pump/a.csv", csv(200, Flow=varying))
        validation.write("pump/b.csv", csv(200, Press=varying))
        (component,) = validation.run()["components"]
        assert component["rows"] == 4800
        assert component["duplicates"] == 0  # each file has a sensor of its own
        assert [sensor["values"] for sensor in component["sensors"]] == [4800, 4800]

    def test_what_only_the_files_together_show_is_told(self, validation: Validation) -> None:
        validation.write("pump/a.csv", csv(200, Flow=varying))
        validation.write("pump/b.csv", csv(200, Flow=lambda at: varying(at) + 1, flow=varying))
        validation.write("pump/c.csv", "Timestamp,Flow\n2026-01-01T01:30:00+01:00,7\n")
        validation.write("pump/d.csv", "Timestamp,Flow\n1970-01-01T00:00:00Z,7\n")
        told = {found["rule"]: found["text"] for found in validation.run()["findings"]}
        assert told["contradictions"].startswith("4,800 row(s) have the time of a row of a later file")
        assert "in 'pump/a.csv'" in told["contradictions"]
        assert told["mixed-offsets"].startswith("9,600 timestamp(s) have no offset and were read as UTC")
        assert "in 2 files" in told["mixed-offsets"]
        assert "('1970-01-01T00:00:00.000000') in 'pump/d.csv'" in told["far-timestamps"]
        assert told["reading"].startswith("the columns 'Flow', 'flow' differ in upper and lower case alone")

    def test_files_of_two_sensors_under_one_name_are_told(self, validation: Validation) -> None:
        validation.write("pump/Flow.csv", csv(200, Value=varying))
        validation.write("pump/Press.csv", csv(200, Value=varying).replace(":00,", ":30,"))
        told = {found["rule"]: found["text"] for found in validation.run()["findings"]}
        assert told["files-in-turns"].startswith("2 file(s) have most of their rows between those of another")
        assert told["files-in-turns"].endswith("('pump/Press.csv') in 'pump/Flow.csv'")

    def test_times_in_the_future_are_told(self, validation: Validation) -> None:
        validation.write("pump/a.csv", GOOD.replace("2026-", "2569-"))
        (told,) = [each["text"] for each in validation.run()["findings"] if each["rule"] == "reading"]
        assert told.startswith("the last time is 2569-07-19T23:00:00, in the future: a year, a calendar or")

    def test_a_clock_beside_the_time_is_told_once(self, validation: Validation) -> None:
        def epoch(row: int) -> int:
            return 1_767_225_600_000 + row * 3_600_000

        validation.write("pump/a.csv", csv(100, Flow=varying, Epoch=epoch, Index=float))
        validation.write("pump/b.csv", csv(200, skip=(0, 100), Flow=varying, Epoch=epoch, Index=float))
        validation.write("pump/c.csv", "Timestamp,Flow,Epoch\n2026-01-01T00:20:00,7,1767226800000\n")
        found = [each for each in validation.run()["findings"] if "Epoch" in each["where"]]
        assert [(each["rule"], each["severity"]) for each in found] == [("clock-column", "warning")]
        assert found[0]["text"].startswith("sensor 'Epoch' counts time or rows in all of its 4,800 rows, and")
        assert (
            "('milliseconds since 1970, 1767225600000 in the first row') in 'pump/a.csv'" in found[0]["text"]
        )

    def test_another_unit_from_a_file_on_is_told(self, validation: Validation) -> None:
        validation.write("pump/a.csv", csv(100, Flow=varying, Press=lambda row: 20 + varying(row)))
        validation.write(
            "pump/b.csv", csv(200, skip=(0, 100), Flow=varying, Press=lambda row: 2000 + 100 * varying(row))
        )
        (found,) = [each for each in validation.run()["findings"] if each["rule"] == "changed-unit"]
        assert (found["where"], found["severity"]) == ("pump\\Press", "warning")
        assert found["text"].startswith("sensor 'Press' is in another range in 1 file(s), as in another")
        assert "20.21 to 31.45 before, then 2004 to 3181: times 100 (kPa or %" in found["text"]
        assert found["text"].endswith(" in 'pump/b.csv'")

    def test_a_renamed_column_is_told(self, validation: Validation) -> None:
        validation.write("pump/a.csv", csv(100, Flow=varying, Press=varying))
        validation.write("pump/b.csv", csv(200, skip=(0, 100), **{"FT-101.PV": varying, "Press": varying}))
        (found,) = [each for each in validation.run()["findings"] if each["rule"] == "renamed-column"]
        assert (found["where"], found["severity"]) == ("pump\\Flow", "warning")
        assert found["text"].startswith(
            "column 'Flow' ends where another one begins, in its place in 1 file(s)"
        )
        assert found["text"].endswith("('FT-101.PV') in 'pump/b.csv'")

    def test_running_hours_are_a_sensor(self, validation: Validation) -> None:
        validation.write("pump/a.csv", csv(200, Flow=varying, Hours=float))
        assert rules(validation.run(), "warning") == {"pump\\Hours": "monotonic"}

    def test_marks_of_quality_are_told(self, validation: Validation) -> None:
        columns = {
            "Flow": varying,
            "Flow_Quality": lambda _row: 192,
            "FlowQC": varying,
            "Air_Quality": varying,
        }
        validation.write("pump/a.csv", csv(200, **columns))
        (told,) = [each["text"] for each in validation.run()["findings"] if each["rule"] == "reading"]
        assert told.startswith("the columns 'Flow_Quality', 'FlowQC' are by the name marks of quality, which")

    @pytest.mark.parametrize("year", ["1970", "1990", "0026"])
    def test_times_of_a_clock_that_was_not_set_are_told(self, validation: Validation, year: str) -> None:
        validation.write("pump/a.csv", GOOD.replace("2026-", f"{year}-"))
        (told,) = [each["text"] for each in validation.run()["findings"] if each["rule"] == "reading"]
        assert told.startswith(f"the first time is {year}-01-01T00:00:00, before 1991: a clock that was not")

    def test_many_rows_of_a_clock_that_began_again_are_told(self, validation: Validation) -> None:
        validation.write("pump/a.csv", GOOD)
        validation.write("pump/b.csv", csv(40, Flow=varying, Press=varying).replace("2026-", "2000-"))
        (found,) = [each for each in validation.run()["findings"] if each["where"] == "pump"]
        assert (found["rule"], found["severity"]) == ("decade-gap", "warning")
        assert found["text"].startswith(
            "960 row(s) are more than ten years from most, as of a clock that was"
        )
        assert found["text"].endswith("first in line 2 ('2000-01-01T00:00:00.000000') in 'pump/b.csv'")

    @pytest.mark.parametrize("mark", [-9999, 65535, 2147483647, -32768])
    def test_numbers_that_stand_for_no_value_are_told(self, validation: Validation, mark: int) -> None:
        def marked(row: int) -> float:
            return mark if row % 100 == 7 else varying(row)

        validation.write("pump/a.csv", csv(200, Flow=marked, Press=varying, Level=lambda _row: -999))
        told = [each["text"] for each in validation.run()["findings"] if each["rule"] == "reading"]
        (note,) = told
        assert note.startswith(
            f"sensor 'Flow' has {mark} in 48 cells, as a mark of missing values or an overflow: it is learned"
        )

    def test_a_gap_is_measured(self, validation: Validation) -> None:
        validation.write("pump/a.csv", csv(200, Flow=varying, skip=(20, 25)))
        (component,) = validation.run()["components"]
        (gap,) = component["gaps"]
        assert (gap["start"], gap["seconds"]) == ("2026-01-20T23:00:00.000000", 5 * 86_400 + 3600)
        assert component["sensors"][0]["longest_gap"] == gap

    def test_what_the_service_refuses_is_an_error_with_its_reason(self, validation: Validation) -> None:
        validation.write("pump/a.csv", GOOD)
        validation.write("pump/b.csv", "Timestamp,Flow\nnever,1\n")
        validation.write("pump/read.me", "hello")
        document = validation.run()
        assert rules(document, "error") == {"pump/b.csv": "refused-file"}
        assert rules(document, "warning") == {"pump/read.me": "ignored-file"}
        assert "the file would be left out: " in texts(document)
        assert "2 files" in validation.text
        assert "1 refused" in validation.text

    def test_a_component_without_a_number_would_fail(self, validation: Validation) -> None:
        validation.write("valve/a.csv", csv(200, State=lambda _row: "OPEN", Load=lambda row: f"{row} %"))
        document = validation.run()
        assert rules(document, "error") == {"valve": "no-value"}

    def test_a_component_without_a_usable_file(self, validation: Validation) -> None:
        validation.write("pump/a.csv", GOOD)
        validation.write("motor/a.csv", b"PK\x03\x04nothing")
        document = validation.run()
        assert rules(document, "error")["motor"] == "no-usable-file"

    @pytest.mark.parametrize(
        ("cell", "rule", "words"),
        [
            (lambda _row: 7.5, "constant", "never changes"),
            (lambda row: row / 2, "monotonic", "only ever rises"),
            (lambda row: row // 50 % 2, "categorical", "2 values only"),
            (lambda row: varying(row) if row < 100 or row > 2000 else "", "large-gap", "79.2 days"),
            (
                lambda row: varying(row) if row > 1000 else "",
                "late-start",
                "first value is at 2026-02-11 17:00",
            ),
            (lambda row: varying(row) if row < 4000 else "", "early-end", "silent since 2026-06-16 15:00"),
            (lambda row: varying(row) if row % 10 < 4 else "", "missing", "60 % of its cells"),
        ],
    )
    def test_practices(self, validation: Validation, cell: Cell, rule: str, words: str) -> None:
        validation.write("pump/a.csv", csv(200, Flow=varying, Other=cell))
        document = validation.run()
        found = {
            each["rule"]: each["text"] for each in document["findings"] if each["where"] == "pump\\Other"
        }
        assert words in found[rule]
        assert document["errors"] == 0

    @pytest.mark.parametrize(("rows", "few"), [(1, True), (2, True), (9, True), (10, False)])
    def test_too_few_rows_to_judge_sensors(self, validation: Validation, rows: int, *, few: bool) -> None:
        """It is said once, and nothing that holds for any few numbers is said of sensors."""
        validation.write("pump/a.csv", csv(rows, every=1440, Flow=float, Press=lambda row: -row))
        document = validation.run()
        found = rules(document, "warning")
        if few:
            assert found == {"pump": "few-rows"}
            assert f"it has {rows} row{'s' if rows > 1 else ''}: too few to say" in texts(document)
        else:
            assert found == {"pump\\Flow": "monotonic", "pump\\Press": "monotonic"}

    def test_too_few_values_to_judge_a_sensor(self, validation: Validation) -> None:
        few = {4000: 1, 4001: 2}
        validation.write("pump/a.csv", csv(200, Flow=varying, Oil=lambda row: few.get(row, "")))
        document = validation.run()
        said = [each["rule"] for each in document["findings"] if each["where"] == "pump\\Oil"]
        assert "few-rows" in said
        assert "monotonic" not in said
        assert "it has a value in 2 of 4,800 rows only" in texts(document)

    def test_a_sensor_that_reports_seldom_is_not_sparse(self, validation: Validation) -> None:
        validation.write(
            "pump/a.csv", csv(200, Flow=varying, Oil=lambda row: "" if row % 24 else varying(row))
        )
        document = validation.run()
        assert document["findings"] == []
        assert document["components"][0]["sensors"][1]["step_seconds"] == 86_400

    @pytest.mark.parametrize(
        ("days", "severity", "words"),
        [
            (10, "error", "less than the 14 days"),
            (60, "warning", "L4E asks for 180: add history, or train the model again every month"),
            (120, "warning", "if the machine has seasons: add history, or train the model again every month"),
        ],
    )
    def test_short_history(self, validation: Validation, days: int, severity: str, words: str) -> None:
        validation.write("pump/a.csv", csv(days, Flow=varying))
        document = validation.run()
        assert rules(document, severity) == {"history": "short-history"}
        assert words in texts(document)

    def test_quotas(self, validation: Validation) -> None:
        names = {f"S{number}": varying for number in range(301)}
        validation.write("pump/a.csv", csv(200, every=1440, **names))
        document = validation.run()
        assert rules(document, "warning") == {"model": "quota"}
        assert "301 sensors, more than the limit of 300 per model" in texts(document)
        assert "and 301 sensors more" in validation.text


class TestLayout:
    def test_what_prepare_wrote_about_names_is_no_component(self, tmp_path: Path) -> None:
        for name in ("pump.csv", "out.report.json", "out.names.csv", "tap.names.csv"):
            (tmp_path / name).touch()
        layout = demo_layout(Folder(tmp_path))
        assert sorted(layout.components) == ["pump", "tap.names"]
        assert ("out.names.csv", "`l4e prepare` wrote it, of names of sensors") in layout.ignored

    def test_a_key_pattern(self, validation: Validation) -> None:
        validation.write("pump_2026.csv", GOOD)
        validation.write("motor_2026.csv", GOOD)
        document = validation.run(key_pattern="{prefix}/{component_name}_*")
        assert [component["name"] for component in document["components"]] == ["motor", "pump"]
        assert document["findings"] == []

    def test_a_wrong_key_pattern(self, validation: Validation) -> None:
        validation.write("pump_2026.csv", GOOD)
        with pytest.raises(CliError, match="KeyPattern 'x' is not supported"):
            validation.run(key_pattern="x")

    def test_a_folder_for_the_demo(self, validation: Validation) -> None:
        validation.write("pump.csv", GOOD)
        validation.write("Labels.csv", "2026-02-01,2026-02-02\n")
        document = validation.run()
        assert [component["name"] for component in document["components"]] == ["pump"]
        assert document["labels"]["files"] == ["Labels.csv"]
        assert rules(document, "warning") == {"files": "layout"}

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("Pump 1/a.csv", "component name 'Pump 1' must be"), ("a.csv", "its name does not fit KeyPattern")],
    )
    def test_why_an_ingestion_would_take_nothing(
        self, validation: Validation, name: str, reason: str
    ) -> None:
        validation.write(name, GOOD)
        (finding,) = validation.run()["findings"]
        assert finding["text"].startswith(f"an ingestion would take none of the files ('{name}': {reason}")

    def test_one_file(self, validation: Validation) -> None:
        validation.write("pump.csv", GOOD)
        document = validation.run(str(validation.folder / "pump.csv"))
        assert [component["name"] for component in document["components"]] == ["pump"]
        assert document["findings"] == []

    def test_one_file_that_is_no_csv_is_not_taken(self, validation: Validation) -> None:
        validation.write("read.me", "hello")
        with pytest.raises(CliError, match=r"read\.me' is not called \.csv or \.csv\.gz, .*`l4e prepare`"):
            validation.run(str(validation.folder / "read.me"))

    def test_nothing_there(self, validation: Validation) -> None:
        validation.write("read.me", "hello")
        with pytest.raises(CliError, match=r"no CSV file in .*<component>/<file>.csv"):
            validation.run()

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CliError, match=r"'.*nowhere' is not a folder"):
            validate(Terminal(), Options(path=str(tmp_path / "nowhere")))

    def test_layouts_agree_on_folders(self, tmp_path: Path) -> None:
        for name in ("pump/a.csv", "pump/b.csv.gz", "motor/c.csv", ".hidden/d.csv"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("x")
        layouts = [service_layout(Folder(tmp_path)), demo_layout(Folder(tmp_path))]
        files = [
            {name: [file.name for file in each] for name, each in one.components.items()} for one in layouts
        ]
        assert files[0] == files[1] == {"motor": ["motor/c.csv"], "pump": ["pump/a.csv", "pump/b.csv.gz"]}


ASSETS = """
[service.limits]
minimum_training_days = 0
[assets.P1]
labelled = true
target_sampling_rate = "PT1M"
training = { start = 2026-01-01T00:00:00Z, end = 2026-06-01T00:00:00Z }
evaluation = { start = 2026-06-01T00:00:00Z, end = 2026-07-15T00:00:00Z }
[assets.P1.sensors]
pump = ["Flow", "Press"]
"""


class TestAsset:
    @pytest.fixture(autouse=True)
    def _assets(self, validation: Validation, tmp_path: Path) -> None:
        self.file = tmp_path / "assets.toml"
        self.file.write_text(ASSETS)

    def change(self, old: str, new: str) -> None:
        assert old in ASSETS
        self.file.write_text(ASSETS.replace(old, new))

    def run(self, validation: Validation, path: str = "") -> dict[str, Any]:
        return validation.run(path, asset="P1", assets_file=self.file)

    def good(self, validation: Validation) -> None:
        validation.write("P1/history/pump/a.csv", GOOD)
        validation.write("P1/labels/l.csv", "2026-06-05,2026-06-06\n")

    @pytest.mark.parametrize("path", ["", "P1"])
    def test_its_files_are_found(self, validation: Validation, path: str) -> None:
        self.good(validation)
        document = self.run(validation, path and str(validation.folder / path))
        assert document["asset"] == "P1"
        assert rules(document, "error") == {}
        assert rules(document, "warning") == {"training": "short-history"}
        assert rules(document, "note") == {"pump": "rate"}
        assert document["labels"]["files"] == ["l.csv"]

    def test_columns_and_components_that_no_file_has(self, validation: Validation) -> None:
        self.good(validation)
        self.change('pump = ["Flow", "Press"]', 'pump = ["flow", "Press"]\nmotor = ["Current"]')
        document = self.run(validation)
        assert rules(document, "error") == {"motor": "absent-component", "pump\\flow": "absent-column"}
        assert "did you mean 'Flow'?" in texts(document)

    def test_columns_that_it_does_not_use_are_not_judged(self, validation: Validation) -> None:
        self.good(validation)
        validation.write(
            "P1/history/pump/a.csv", csv(200, Flow=varying, Press=varying, State=lambda _row: "ON")
        )
        assert rules(self.run(validation), "error") == {}

    @pytest.mark.parametrize(
        ("labels", "where", "words"),
        [
            (
                "2020-01-01,2020-01-02\n2026-06-05,2026-06-06\n",
                "labels",
                "1 of 2 labels lie outside all data",
            ),
            ("2026-01-01,2026-01-02\n", "evaluation", "no fault lies in it"),
            ("26.09.2026 00:00,26.09.2026 10:00\n", "l.csv", "line 1: '26.09.2026 00:00' is not a timestamp"),
            ("", "labels", "no label is there"),
        ],
    )
    def test_labels(self, validation: Validation, labels: str, where: str, words: str) -> None:
        self.good(validation)
        validation.write("P1/labels/l.csv", labels)
        found = [each["text"] for each in self.run(validation)["findings"] if each["where"] == where]
        assert any(words in text for text in found), found

    @pytest.mark.parametrize(
        ("old", "new", "where", "rule"),
        [
            ("end = 2026-07-15", "end = 2026-06-04", "evaluation", "short-evaluation"),
            ("start = 2026-06-01", "start = 2026-05-01", "evaluation", "overlapping-windows"),
            ("end = 2026-07-15", "end = 2026-09-15", "evaluation", "window-beyond-data"),
            ("{ start = 2026-06-01", "{ start = 2026-07-14", "evaluation", "short-evaluation"),
        ],
    )
    def test_windows(self, validation: Validation, old: str, new: str, where: str, rule: str) -> None:
        self.good(validation)
        self.change(old, new)
        found = {(each["where"], each["rule"]) for each in self.run(validation)["findings"]}
        assert (where, rule) in found

    def test_a_window_without_data(self, validation: Validation) -> None:
        self.good(validation)
        self.file.write_text(ASSETS.replace("2026-", "2020-"))
        document = self.run(validation)
        assert rules(document, "error") == {"evaluation": "empty-window", "training": "empty-window"}

    def test_no_files(self, validation: Validation) -> None:
        validation.write("P2/history/pump/a.csv", GOOD)
        with pytest.raises(CliError, match=r"no file of asset 'P1' in .*P1/history/<component>/"):
            self.run(validation)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("[assets.X]", r"has no \[assets.P1\]: it has X"),
            ("[assets.P1]", r"\[assets.P1\] has no 'sensors'"),
            (ASSETS.replace("minimum_training_days", "minimum_days"), "unknown setting 'minimum_days'"),
            (ASSETS.replace("start = 2026-01-01T00:00:00Z", "start = 'soon'"), "cannot be read"),
            ("[", "is not a TOML file"),
            (ASSETS.replace("Z, end", ", end", 1), "is not a time with zone, such as 2026-01-01T00:00:00Z"),
        ],
    )
    def test_a_wrong_assets_file(self, validation: Validation, content: str, message: str) -> None:
        validation.write("P1/history/pump/a.csv", GOOD)
        self.file.write_text(content)
        with pytest.raises(CliError, match=message):
            self.run(validation)

    def test_an_asset_folder_is_recognised_without_its_declaration(self, validation: Validation) -> None:
        self.good(validation)
        document = validation.run(str(validation.folder / "P1"))
        assert [component["name"] for component in document["components"]] == ["pump"]
        assert document["labels"]["files"] == ["l.csv"]


class FakeS3:
    """Objects of one bucket."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = objects

    def get_paginator(self, _operation: str) -> "FakeS3":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert Bucket == "data"
        for key, body in self.objects.items():
            if key.startswith(Prefix):
                yield {"Contents": [{"Key": key, "Size": len(body)}]}
        yield {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "data"
        body = self.objects[Key]
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}


class TestS3:
    def run(self, validation: Validation, path: str, **objects: str) -> dict[str, Any]:
        s3: Any = FakeS3({key.replace("__", "/"): body.encode() for key, body in objects.items()})
        return validation.run(path, client=lambda: s3)

    @pytest.mark.parametrize("path", ["s3://data/P1/history", "s3://data/P1/history/", "s3://data/P1"])
    def test_a_prefix(self, validation: Validation, path: str) -> None:
        document = self.run(
            validation,
            path,
            **{"P1__history__pump__a.csv": GOOD, "P1__history__pump__": "", "P2__x__y.csv": ""},
        )
        assert [component["rows"] for component in document["components"]] == [4800]
        assert document["findings"] == []
        assert document["place"] == "s3://data/P1/history/"

    def test_a_prefix_with_the_component_in_it_is_an_error(self, validation: Validation) -> None:
        document = self.run(validation, "s3://data/P1/history/pump", **{"P1__history__pump__a.csv": GOOD})
        assert rules(document, "error") == {"files": "layout"}

    def test_an_address_without_bucket(self, validation: Validation) -> None:
        with pytest.raises(CliError, match="'s3://' names no bucket"):
            self.run(validation, "s3://")


def test_exit_status_and_streams(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    (tmp_path / "pump").mkdir()
    (tmp_path / "pump" / "a.csv").write_text(GOOD)
    assert run(["validate", str(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["errors"] == 0
    assert "1 file in" in captured.err
    (tmp_path / "pump" / "b.csv").write_text("nonsense")
    assert run(["validate", str(tmp_path)]) == 1
    assert "1 error, 0 warnings" in capsys.readouterr().out
    assert run(["validate", str(tmp_path / "nowhere")]) == 1


def test_the_picture(validation: Validation, tmp_path: Path) -> None:
    validation.write("history/pump/a.csv", csv(200, Flow=varying, Dead=lambda _row: "", skip=(20, 40)))
    validation.write("labels/l.csv", "2026-06-05,2026-06-06\n")
    picture = tmp_path / "pictures" / "coverage.png"
    validation.run(picture=picture)
    pixels = mpl_image.imread(picture)[:, :, :3]
    for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0), (0xE6, 0x9F, 0)):  # values, a gap, a label
        assert (np.abs(pixels - np.array(colour) / 255).max(axis=2) < 0.02).sum() > 20, colour
    assert str(picture) in validation.text


def test_every_instant_has_a_bin() -> None:
    for microseconds in (1, 7, 1_000_003):
        end = np.datetime64("2026-01-01", "us") + np.timedelta64(microseconds, "us")
        grid = Grid(span=Interval(start=np.datetime64("2026-01-01", "us"), end=end), bins=480)
        places = grid.places(np.array([grid.span.start, end]))
        assert places[0] == 0
        assert places[1] < 480


def test_one_file_decides_the_order_of_day_and_month_for_all(validation: Validation) -> None:
    rows = [f"{day:02d}/03/2026 00:00,{day}\n" for day in range(1, 21)]
    validation.write("pump/a.csv", "Timestamp,Flow\n" + "".join(rows[:5]))
    validation.write("motor/b.csv", "Timestamp,Current\n" + "".join(rows[5:]))
    motor, pump = validation.run()["components"]
    assert (pump["start"][:10], pump["end"][:10]) == ("2026-03-01", "2026-03-05")
    assert (motor["start"][:10], motor["end"][:10]) == ("2026-03-06", "2026-03-20")


def test_rows_of_two_files_are_told_with_the_first(validation: Validation) -> None:
    validation.write("pump/a.csv", GOOD)
    validation.write("pump/b.csv", csv(1, Flow=varying, Press=varying))
    document = validation.run()
    assert document["components"][0]["duplicates"] == 24
    assert (
        "24 rows repeat a timestamp of another file, first 2026-01-01T00:00:00.000000 in 'pump/a.csv' and "
        "again in 'pump/b.csv'; the later file was kept" in texts(document)
    )
