"""The table of files that people bring, through the commands that read without a deployment."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from l4e_cli.demo.folder import read_folder
from l4e_cli.errors import CliError
from l4e_cli.files.layout import service_layout
from l4e_cli.files.places import Folder
from l4e_cli.terminal import Terminal
from l4e_cli.validate.check import check
from tests.service.jobs.bad_files import BAD_FILES, GOOD_FILES, readings

ASKED_OR_REFUSED = {
    "decimal commas without quotation marks",
    "a header that is one name short",
    "a fraction after a comma",
    "am and pm",  # 01/05/2026 may be May
    "nanoseconds since 1970",
    "no header",
    "Latin-1",  # a name for a column that the rows do not have
    "a row per sensor",
    "an Excel workbook",
}
"""Kinds that the demo cannot play without a person."""


def write(folder: Path, body: str | bytes) -> Path:
    (folder / "hydraulics").mkdir()
    (folder / "hydraulics" / "a.csv").write_bytes(body if isinstance(body, bytes) else body.encode())
    return folder


@pytest.mark.parametrize("kind", BAD_FILES)
def test_validate_explains_what_the_service_does_not_take(tmp_path: Path, kind: str) -> None:
    make, words = BAD_FILES[kind]
    folder = Folder(write(tmp_path, make(readings())))
    result = check(str(folder), service_layout(folder))
    text = "\n".join(found.text for found in result.of("error"))
    assert not [word for word in words if word not in text], text
    assert result.of("error")[0].where == "hydraulics/a.csv"


@pytest.mark.parametrize("kind", GOOD_FILES)
def test_validate_takes_what_the_service_takes(tmp_path: Path, kind: str) -> None:
    folder = Folder(write(tmp_path, GOOD_FILES[kind](readings())))
    result = check(str(folder), service_layout(folder))
    assert {found.rule for found in result.of("error")} == {"short-history"}
    (component,) = result.components
    assert component.report is not None
    assert component.report.rows == 5
    assert [sensor.sensor for sensor in component.report.sensors] == ["flow", "pressure"]


@pytest.mark.parametrize("kind", [*BAD_FILES, *GOOD_FILES])
def test_the_demo_plays_it_as_it_was_meant_or_says_why_not(tmp_path: Path, kind: str) -> None:
    make = BAD_FILES[kind][0] if kind in BAD_FILES else GOOD_FILES[kind]
    folder = write(tmp_path, make(readings()))
    terminal = Terminal(out=Console(quiet=True))
    if kind in ASKED_OR_REFUSED:
        with pytest.raises(CliError, match=r"a\.csv"):
            read_folder(terminal, folder)
        return
    (part,) = read_folder(terminal, folder).components
    columns = dict(zip(part.sensors, part.values.T, strict=True))
    np.testing.assert_allclose(columns["flow"], [reading.flow for reading in readings()])
    np.testing.assert_allclose(columns["pressure"], [reading.pressure for reading in readings()])
