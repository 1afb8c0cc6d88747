"""Files that a command writes are there as a whole or not at all."""

from pathlib import Path

import pytest

from l4e_cli.prepare import report
from l4e_cli.prepare.report import write_names
from l4e_cli.whole_file import whole_file


def write_half(path: Path) -> None:
    with whole_file(path) as partial:
        assert (partial.parent, partial.suffix) == (path.parent, ".png")
        partial.write_text("half")
        raise KeyboardInterrupt


@pytest.mark.parametrize("before", [None, "what was there"])
def test_nothing_is_left_of_one_that_was_cut_short(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "picture.png"
    if before is not None:
        path.write_text(before)
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == (
        {} if before is None else {"picture.png": before}
    )


def test_reports_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def writer(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(report.csv, "writer", writer)
    with pytest.raises(KeyboardInterrupt):
        write_names(tmp_path / "out.names.csv", [])
    assert list(tmp_path.iterdir()) == []
