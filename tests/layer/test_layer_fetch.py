"""How the layer is fetched, packed and kept: by the real pip, from wheels of a few bytes, without network."""

import hashlib
import importlib.util
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import l4e_layer.archive
import l4e_layer.contents
from l4e_layer import LayerError, Machine, cache_file, layer_file
from l4e_layer.archive import _installation

FILES = {
    "numpy/__init__.py": b"",
    "numpy/core.cpython-314-aarch64-linux-gnu.so": b"\x7fELF",
    "numpy/tests/test_core.py": b"",
    "numpy-9.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: numpy\nVersion: 9.0\n",
    "numpy-9.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
    b"Tag: cp314-cp314-manylinux_2_28_aarch64\n",
    "numpy-9.0.dist-info/RECORD": b"",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Where pip looks for wheels, and the requirements of the layer."""

    wheel: Path
    requirements: Path

    def lock(self, content: bytes) -> None:
        """Require the wheel with the hash of `content`."""
        self.requirements.write_text(f"numpy==9.0 --hash=sha256:{hashlib.sha256(content).hexdigest()}\n")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    found = Index(
        wheel=wheels / "numpy-9.0-cp314-cp314-manylinux_2_28_aarch64.whl",
        requirements=tmp_path / "requirements.txt",
    )
    with zipfile.ZipFile(found.wheel, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    found.lock(found.wheel.read_bytes())
    monkeypatch.setattr(l4e_layer.archive, "REQUIREMENTS", found.requirements)
    monkeypatch.setattr(l4e_layer.contents, "REQUIREMENTS", found.requirements)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return found


def test_holds_what_is_needed_of_the_wheels(index: Index) -> None:
    file = layer_file()
    assert file == cache_file()
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "python/numpy/__init__.py",
            "python/numpy/core.cpython-314-aarch64-linux-gnu.so",
            "python/numpy-9.0.dist-info/METADATA",
            "python/numpy-9.0.dist-info/WHEEL",
        ]
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_is_the_same_file_when_made_again(index: Index) -> None:
    first = layer_file().read_bytes()
    cache_file().unlink()
    assert layer_file().read_bytes() == first


def test_is_fetched_once(index: Index) -> None:
    made = layer_file()
    index.wheel.unlink()
    assert layer_file() == made


def test_refuses_a_wheel_that_is_not_the_locked_one(index: Index) -> None:
    index.lock(b"another wheel")
    with pytest.raises(LayerError, match="could not be fetched") as raised:
        layer_file()
    assert "DO NOT MATCH THE HASHES" in str(raised.value)
    assert not cache_file().exists()


def test_refuses_a_wheel_for_another_machine(index: Index) -> None:
    with pytest.raises(LayerError, match="No matching distribution found for numpy"):
        layer_file(Machine.X86_64)


def command(monkeypatch: pytest.MonkeyPatch, *, pip: bool) -> Sequence[str]:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object() if pip else None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return _installation(Path("target"), Machine.AARCH64)


@pytest.mark.parametrize("pip", [True, False], ids=["pip", "uv"])
def test_is_fetched_with_hashes_and_as_wheels_by_either_installer(
    monkeypatch: pytest.MonkeyPatch, *, pip: bool
) -> None:
    told = command(monkeypatch, pip=pip)
    assert {"--require-hashes", "--no-deps", "--only-binary", ":all:"} <= set(told)
    assert told[told.index("--python-version") + 1] == "3.14"
    assert any("aarch64" in each and "manylinux_2_28" in each for each in told)
    assert "pip" in told[:3]
    assert ("/usr/bin/uv" in told) is not pip
