"""Which files of an export are prepared, and where their results may go."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from l4e_cli.errors import CliError
from l4e_cli.prepare import run
from l4e_cli.prepare.decision import Answers
from l4e_cli.prepare.files import report_files
from l4e_cli.prepare.run import Options, prepare
from l4e_cli.terminal import Terminal

ROWS = "Timestamp,Flow\n" + "".join(f"2026-03-{day:02d}T00:00:00,{day % 7}\n" for day in range(1, 29))


def shown(source: Path, target: Path) -> str:
    out = io.StringIO()
    terminal = Terminal(out=Console(file=out, width=10_000), err=Console(file=io.StringIO(), width=10_000))
    prepare(terminal, Options(source=source, target=target, answers=Answers(time_zone="UTC")))
    return out.getvalue()


def write(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(ROWS)


def test_files_in_deeper_folders_are_told(tmp_path: Path) -> None:
    export, deep = tmp_path / "export", tmp_path / "export" / "pump" / "2026" / "b.csv"
    write(deep)
    with pytest.raises(CliError, match=r"only deeper ones such as .*b.csv: name the folder above its folder"):
        shown(export, tmp_path / "data")
    write(export / "pump" / "a.csv")
    assert f"1 file in deeper folders left out, such as {deep}" in shown(export, tmp_path / "data")
    assert "in deeper folders" not in shown(export / "pump" / "2026", tmp_path / "other")


def test_results_are_no_export_the_next_time(tmp_path: Path) -> None:
    write(tmp_path / "pump" / "a.csv")
    for target in (tmp_path / "out", tmp_path / "pump" / "out"):
        first, second = shown(tmp_path, target), shown(tmp_path, target)
        assert "in deeper folders" not in first + second
        assert first.count(".csv written") == second.count(".csv written") == 1
        shutil.rmtree(target)
        for report in report_files(target):
            report.unlink()


def test_results_of_another_target_are_no_export_either(tmp_path: Path) -> None:
    export = tmp_path / "export"
    write(export / "pump.csv", export / "valve" / "a.csv")
    for target in (export / "out", export / "valve" / "out"):
        shown(export, target)
        second = shown(export, tmp_path / "data")
        assert second.count(".csv written") == 2
        assert (
            f"{target} left out, with out.report.json and out.names.csv beside it: `l4e prepare` wrote"
            in second
        )
        shutil.rmtree(target)
        assert shown(export, tmp_path / "data").count(".csv written") == 2  # the reports are left
        for report in report_files(target):
            report.unlink()
        assert "left out" not in shown(export, tmp_path / "data")


def test_results_lie_apart_from_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = tmp_path / "export"
    write(export / "pump.txt", tmp_path / "valve" / "valve.txt")
    for source, target in ((export, export), (tmp_path / "valve", tmp_path)):
        with pytest.raises(
            CliError, match=r"\.csv would lie in .*, the folder that is read, and be taken for"
        ):
            shown(source, target)
    shutil.rmtree(tmp_path / "valve")
    monkeypatch.chdir(export)
    shown(export / "pump.txt", Path())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "export",
        "export.names.csv",
        "export.report.json",
    ]


def test_numbers_that_name_sensors_under_any_name_can_be_told(tmp_path: Path) -> None:
    export, target = tmp_path / "pump.csv", tmp_path / "data"
    times = [f"2026-03-{day:02d}T00:00:00" for day in range(1, 29)]
    rows = [f"{time},{place},{place}.5\n" for place in (101, 102) for time in times]
    export.write_text("Zeit,Ort,Wert\n" + "".join(rows))
    with pytest.raises(CliError):
        shown(export, target)
    answers = Answers(by_key={"tag": "Ort", "value": "Wert"}, time_zone="UTC")
    quiet = Terminal(out=Console(file=io.StringIO()), err=Console(file=io.StringIO()))
    prepare(quiet, Options(source=export, target=target, answers=answers))
    (written,) = target.rglob("*.csv")
    assert written.read_text().splitlines()[:2] == ["Timestamp,101,102", "2026-03-01T00:00:00,101.5,102.5"]


def test_times_with_a_zone_of_their_own_are_counted(tmp_path: Path) -> None:
    zones = ("Z", "", "", "")
    rows = (f"2026-03-{day:02d}T00:00:00{zones[day % 4]},{day}" for day in range(1, 29))
    (tmp_path / "pump.csv").write_text("\n".join(["Timestamp,Flow", *rows, ""]))
    assert "UTC: --time-zone; converted to UTC, but for 7 of 28 times, which name their own" in shown(
        tmp_path / "pump.csv", tmp_path / "out"
    )


def test_two_that_write_the_same_at_once_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "pump.csv", tmp_path / "elsewhere" / "pump.csv"
    write(one, other)
    other.write_text(ROWS.replace("2026-03", "2027-03"))
    check = run.check_output
    others = iter([other])

    def check_while_another_runs(*arguments: Any) -> Any:
        for source in others:
            with monkeypatch.context() as patch:
                patch.setattr("os.getpid", lambda: 1)
                shown(source, tmp_path / "out")
            assert "2027-03-01" in (tmp_path / "out" / "pump" / "pump.csv").read_text()
        return check(*arguments)

    monkeypatch.setattr(run, "check_output", check_while_another_runs)
    shown(one, tmp_path / "out")
    (made,) = (tmp_path / "out" / "pump").iterdir()
    assert "2026-03-01" in made.read_text()
    assert "2027" not in made.read_text()
