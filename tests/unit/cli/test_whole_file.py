"""Files that a command writes are there as a whole or not at all."""

from pathlib import Path

import pytest

from l4e_cli import client_settings, instance
from l4e_cli.client_settings import write_service_model
from l4e_cli.instance import Instance
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


def test_the_state_of_an_embedded_aws_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = Instance(
        directory=tmp_path, pid=1, port=2, region="us-east-1", access_key_id="a", secret_access_key="s"
    )
    instance._save(state)
    before = (tmp_path / "instance.json").read_text()

    def write_half(path: Path, text: str) -> None:
        path.write_bytes(text[: len(text) // 2].encode())
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(KeyboardInterrupt):
        instance._save(state)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("instance.json", before)]


def test_the_description_of_the_service_is_replaced_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_service_model(tmp_path)
    (description,) = tmp_path.rglob("service-2.json*")
    before = description.read_bytes()

    def copy_half(source: str, target: Path) -> None:
        target.write_bytes(Path(source).read_bytes()[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(client_settings.shutil, "copyfile", copy_half)
    with pytest.raises(KeyboardInterrupt):
        write_service_model(tmp_path)
    assert description.read_bytes() == before
