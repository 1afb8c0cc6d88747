"""What `l4e validate` says of label files and of files of label groups, held against sensor data."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from constructs_l4e import Label
from l4e_cli.errors import CliError
from l4e_cli.files.layout import demo_layout
from l4e_cli.files.places import Folder
from l4e_cli.main import run
from l4e_cli.terminal import Terminal
from l4e_cli.validate.command import Options, validate

DATA = "Timestamp,Flow\n" + "".join(
    f"2026-{month:02d}-{day:02d},{(month * 7 + day) % 13}\n" for month in range(1, 8) for day in range(1, 29)
)
"""A row a day, from January to July."""


def checked(folder: Path, **options: Any) -> tuple[dict[str, Any], str]:
    """The JSON document of the data with labels, and what the terminal shows."""
    history = folder / "data" / "pump"
    history.mkdir(parents=True, exist_ok=True)
    (history / "a.csv").write_text(DATA)
    out = io.StringIO()
    terminal = Terminal(out=Console(file=out, width=10_000), err=Console(file=io.StringIO(), width=10_000))
    path = str(folder / "data")
    passed = validate(terminal, Options(path=path, as_json=True, **options))
    document: dict[str, Any] = json.loads(out.getvalue())
    assert passed == (document["errors"] == 0)
    out.truncate(0)
    assert validate(terminal, Options(path=path, **options)) == passed
    return document, out.getvalue()


def of_file(folder: Path, text: str | bytes) -> dict[str, Any]:
    """What is said with a label file."""
    (folder / "l.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return checked(folder, labels=str(folder / "l.csv"))[0]


def of_group(folder: Path, text: str, **options: Any) -> dict[str, Any]:
    """What is said with the file of a label group."""
    (folder / "group.csv").write_text(text)
    return checked(folder, label_group=folder / "group.csv", **options)[0]


def labels_said(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Severity, rule and text of all findings about labels."""
    return [
        (each["severity"], each["rule"], each["text"])
        for each in document["findings"]
        if each["rule"] not in {"short-history", "categorical"}
    ]


@pytest.mark.parametrize(
    ("text", "severity", "rule", "words"),
    [
        ("26/06/2026 00:00,26/06/2026 10:00\n", None, None, ""),
        ("26/06/2026,27/06/2026\n05/06/2026,06/06/2026\n", None, None, ""),
        ("start,end\n2026-06-05T00:00:00Z,2026-06-06T00:00:00Z\n", None, None, ""),
        (
            "10/02/2026 00:00,10/02/2026 10:00\n",
            "warning",
            "labels-outside",
            "10/02/2026 10:00', read as 2026-10-02T00:00:00Z to 2026-10-02T10:00:00Z. 1 of them would lie in",
        ),
        (
            "2026-06-05,2026-06-06\n2020-06-05,2020-06-06\n2020-07-05,2020-07-06\n",
            "warning",
            "labels-outside",
            "2 of 3 labels lie outside all data, which is from 2026-01-01T00:00:00Z to 2026-07-28T00:00:00Z",
        ),
        (
            "2026-06-05,2026-06-08\n2026-06-06,2026-06-07\n2026-06-07,2026-06-09\n",
            "warning",
            "labels-overlap",
            "2 labels begin before another one of the same rating ends, and each pair counts as one: line",
        ),
        (
            "2026-06-06,2026-06-05\n2026-06-07,2026-06-08\n2026-06-09,2026-06-08\n",
            "error",
            "refused-labels",
            "line 1: the end '2026-06-05' lies before the start '2026-06-06', and so in line 3: each line is",
        ),
        ("end,start\n2026-06-05,2026-06-06\n", "error", "refused-labels", "names the end before the start"),
        ("start 1,end 1\n2026-06-05,2026-06-06\n", "error", "refused-labels", "a header has no digits"),
        ("start,end,why\n2026-06-05,2026-06-06,x\n", "error", "refused-labels", "has 3 columns, but a label"),
        ("start;end\n2026-06-05;2026-06-06\n", "error", "refused-labels", "is separated by semicolons"),
        (
            "26.09.2026 00:00,26.09.2026 10:00\n",
            "error",
            "refused-labels",
            "is not a timestamp (it looks like a date with points)",
        ),
        ("2026-06-05,\n", "error", "refused-labels", "line 1 '2026-06-05,' has no end"),
        ("2026-06-05,2026-06-06\n".encode("utf-16"), "error", "refused-labels", "UTF-16"),
        (
            "2026-02-05,2026-07-06\n2026-07-07,2026-07-08\n",
            "warning",
            "labels-cover-most",
            "2 labels cover 73% of the training window, and nothing is learned from what they cover. The",
        ),
        (
            "2025-06-05,2026-04-06\n2026-04-06,2026-09-09\n",
            "error",
            "labels-cover-all",
            "2 labels cover all of the training window, and nothing is learned from what they cover, so the",
        ),
        ("start,end\n", "error", "no-label", "no label is there, so the training would fail"),
    ],
)
def test_label_files(
    tmp_path: Path, text: str | bytes, severity: str | None, rule: str | None, words: str
) -> None:
    said = labels_said(of_file(tmp_path, text))
    found = [each for each in said if each[0] != "note"]
    assert [each[:2] for each in found] == ([] if severity is None else [(severity, rule)]), said
    assert words in "".join(each[2] for each in found)


def test_an_order_that_no_date_shows_is_told(tmp_path: Path) -> None:
    ((severity, rule, text),) = labels_said(of_file(tmp_path, "03/02/2026,03/03/2026\n"))
    assert (severity, rule) == ("note", "reading")
    assert text.startswith("l.csv: no date shows whether day or month comes first: line 1")


def test_a_folder_without_label_files(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    ((severity, rule, _),) = labels_said(checked(tmp_path, labels=str(tmp_path / "labels"))[0])
    assert (severity, rule) == ("error", "no-label")


def test_a_label_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.jobs.training.training_labels._MOST_BYTES", 10)
    ((_, rule, text),) = labels_said(of_file(tmp_path, "2026-06-05,2026-06-06\n"))
    assert rule == "refused-labels"
    assert "has 22 bytes, more than the 10 that a label file may have" in text


GROUP = "start,end,rating,fault_code,equipment,notes\n"


def test_a_label_group_that_is_good(tmp_path: Path) -> None:
    (tmp_path / "group.csv").write_text(
        f"{GROUP}2026-06-05,2026-06-06,,bearing,pump 1,worn\n2026-06-07,2026-06-08,NEUTRAL,,,\n"
    )
    document, shown = checked(tmp_path, label_group=tmp_path / "group.csv")
    assert labels_said(document) == []
    assert document["label_group"]["file"] == "group.csv"
    assert document["label_group"]["labels"][0] == {
        "start": "2026-06-05T00:00:00+00:00",
        "end": "2026-06-06T00:00:00+00:00",
        "rating": "ANOMALY",
        "fault_code": "bearing",
        "equipment": "pump 1",
        "notes": "worn",
    }
    assert "2 labels for a label group in group.csv: 1 ANOMALY, 1 NEUTRAL" in shown


REFUSED_GROUPS = [
    (f"{GROUP}2026-06-06,2026-06-05,,,,\n", "refused-labels", "line 2: the end '2026-06-05' lies before the"),
    ("start,end,cause\n2026-06-05,2026-06-06,x\n", "refused-labels", "'cause' is not a column of labels"),
    ("2026-06-05,2026-06-06,NEUTRAL\n", "refused-labels", "has 3 columns and is no header: write 'start,"),
    (f"{GROUP}2026-06-05,2026-06-06,BAD,,,\n", "refused-labels", "line 2: the rating 'BAD' is not one of"),
    (
        f"{GROUP}2026-06-05,2026-06-06,,{'x' * 101},,\n2026-06-07,2026-06-08,,{'y' * 101},,\n",
        "refused-labels",
        "and so 1 more; shorten or correct it",
    ),
    (f"{GROUP}2026-06-05,2026-06-06,,,{'x' * 201},\n", "refused-labels", "length less than or equal to 200"),
    (f"{GROUP}2026-06-05,2026-06-06,,,,{'x' * 2561}\n", "refused-labels", "less than or equal to 2560"),
    (f"{GROUP}03/02/2026,03/03/2026,,,,\n", "reading", "no date shows whether day or month comes first"),
    (
        GROUP + "2026-06-05,2026-06-06,,,,\n" * 3,
        "labels-twice",
        "line 3, '2026-06-05,2026-06-06', says what an earlier line says, and so 1 more",
    ),
    (
        GROUP + "".join(f"2026-06-05T00:{n:02d},2026-06-06,,code {n},,\n" for n in range(51)),
        "quota",
        "51 fault codes, more than the 50 of a group",
    ),
]


@pytest.mark.parametrize(("text", "rule", "words"), REFUSED_GROUPS)
def test_a_label_group_that_is_refused(tmp_path: Path, text: str, rule: str, words: str) -> None:
    errors = [each for each in labels_said(of_group(tmp_path, text)) if each[0] == "error"]
    assert [each[1] for each in errors] == [rule], errors
    assert words in errors[0][2]


@pytest.mark.parametrize("text", [each[0] for each in REFUSED_GROUPS if each[1] != "labels-twice"][:-1])
def test_the_construct_refuses_what_is_an_error_here(tmp_path: Path, text: str) -> None:
    (tmp_path / "group.csv").write_text(text)
    with pytest.raises(ValueError, match=r'labels ".*group\.csv"'):
        Label.from_csv(tmp_path / "group.csv")


def test_labels_of_a_group_that_count_for_nothing(tmp_path: Path) -> None:
    text = (
        f"{GROUP}2026-06-05,2026-06-07,NO_ANOMALY,,,\n2026-06-06,2026-06-08,,,,\n2020-06-06,2020-06-08,,,,\n"
    )
    said = labels_said(of_group(tmp_path, text))
    assert [each[:2] for each in said] == [("warning", "labels-contradict"), ("warning", "labels-outside")]
    assert "line 2 of 'group.csv', '2026-06-05,2026-06-07'" in said[0][2]
    assert "1 of 3 labels lie outside all data" in said[1][2]


def test_a_label_group_without_a_label(tmp_path: Path) -> None:
    assert [each[:2] for each in labels_said(of_group(tmp_path, GROUP))] == [("warning", "no-label")]


def asset(folder: Path, limits: str = "") -> dict[str, Any]:
    """Options with an asset whose label group is in a file beside its declaration."""
    (folder / "assets.toml").write_text(
        f"[service.limits]\n{limits}\n[assets.pump1]\nlabel_group = 'group.csv'\n"
        "training = { start = 2026-01-01T00:00:00Z, end = 2026-06-01T00:00:00Z }\n"
        "evaluation = { start = 2026-06-15T00:00:00Z, end = 2026-07-28T00:00:00Z }\n"
        "[assets.pump1.sensors]\npump = ['Flow']\n"
    )
    history = folder / "data" / "pump1" / "history" / "pump"
    history.mkdir(parents=True)
    (history / "a.csv").write_text(DATA)
    return {"asset": "pump1", "assets_file": folder / "assets.toml"}


DAYS = "".join(f"2026-06-{day:02d},2026-06-{day:02d}T12:00:00,,,,\n" for day in range(1, 6))


def test_the_label_group_of_an_asset_is_held_to_its_windows_and_to_its_limits(tmp_path: Path) -> None:
    options = asset(tmp_path, "labels_per_group = 4")
    (tmp_path / "group.csv").write_text(GROUP + DAYS)
    said = labels_said(checked(tmp_path, **options)[0])
    assert [each[:2] for each in said] == [
        ("error", "quota"),
        ("warning", "labels-unused"),
        ("note", "labels-outside"),
    ]
    assert said[0][2] == (
        "5 labels, more than the limit of 4: line 6, '2026-06-05,2026-06-05T12:00:00', is the first beyond "
        "it; leave out labels, or raise the setting labels_per_group of the service"
    )
    assert said[1][2].startswith("4 labels in the data lie neither in the training nor in the evaluation")
    assert said[2][2].startswith("no fault lies in it")


@pytest.mark.parametrize("limits", ["", "labels_per_group = 9000", "labels_per_group = 0"])
def test_an_app_describes_five_thousand_labels(tmp_path: Path, limits: str) -> None:
    options = asset(tmp_path, limits)
    lines = [f"2026-02-{day:02d}T{n // 60:02d}:{n % 60:02d}" for day in range(1, 6) for n in range(1001)]
    (tmp_path / "group.csv").write_text(GROUP + "".join(f"{each},{each},,,,\n" for each in lines))
    errors = [each for each in labels_said(checked(tmp_path, **options)[0]) if each[0] == "error"]
    assert [each[1] for each in errors] == ["quota"]
    assert "5,005 labels, more than the limit of 5,000: line 5002" in errors[0][2]
    assert ("raise the setting" in errors[0][2]) is (not limits)


def test_labels_among_sensor_files_are_recognised(tmp_path: Path) -> None:
    faults = tmp_path / "data" / "faults" / "2026.csv"
    faults.parent.mkdir(parents=True)
    faults.write_text("2026-06-05,2026-06-06\n")
    said = [each for each in checked(tmp_path)[0]["findings"] if each["where"] == "faults/2026.csv"]
    assert ["It reads as labels: move it out of the sensor files" in each["text"] for each in said] == [True]


def test_a_folder_of_labels_for_the_demo(tmp_path: Path) -> None:
    (tmp_path / "Labels").mkdir()
    (tmp_path / "Labels" / "2026.csv").write_text("2026-06-05,2026-06-06\n")
    (tmp_path / "pump.csv").write_text(DATA)
    layout = demo_layout(Folder(tmp_path))
    assert list(layout.components) == ["pump"]
    assert [file.name for file in layout.labels] == ["Labels/2026.csv"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"'.*nothing\.csv' is no file: name the CSV file with the labels"):
        checked(tmp_path, label_group=tmp_path / "nothing.csv")


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pump").mkdir()
    (tmp_path / "pump" / "a.csv").write_text(DATA)
    (tmp_path / "group.txt").write_text(f"{GROUP}2026-06-06,2026-06-05,,,,\n")
    assert run(["validate", str(tmp_path), "--label-group", str(tmp_path / "group.txt"), "--json"]) == 1
    assert "lies before the start" in capsys.readouterr().out
