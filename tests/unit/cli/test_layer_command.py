"""`l4e layer`: the numeric layer before a synthesis needs it."""

import zipfile
from pathlib import Path

import pytest

from l4e_cli.main import run
from l4e_layer import cache_file


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no package index in reach."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path / "cache"


def test_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    file = cache_file()
    file.parent.mkdir(parents=True)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("python/numpy/__init__.py", b" " * 2_000_000)
    assert run(["layer"]) == 0
    first, packages, place = capsys.readouterr().out.splitlines()
    assert first.startswith("✓ numeric layer found")
    assert packages.endswith(" for Python 3.14 on aarch64")
    assert place == f"  2 MB, unpacked 2 MB: {file}"


def test_says_why_it_cannot_be_fetched(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["layer"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: numpy and pyarrow for the numeric layer are not in the cache (")
    assert "No matching distribution found for numpy" in captured.err
    assert list(cache.rglob("*.zip")) == []


def test_says_that_the_cache_cannot_be_written(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.write_text("a file where the folder should be")
    assert run(["layer"]) == 1
    assert f"the numeric layer cannot be kept in {cache_file().parent}: " in capsys.readouterr().err
