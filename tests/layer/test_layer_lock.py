"""What the numeric layer is made of: the packages of uv.lock, for the functions' Python, without the rest."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import Marker

import l4e_layer.contents
from l4e_layer import PYTHON, Machine, layer_key, locked_versions
from l4e_layer.contents import REQUIREMENTS, is_needed, platform_tags

ROOT = Path(__file__).parents[2]
PACKAGES = ("numpy", "pyarrow")


def locked() -> Iterator[str]:
    """The lines of the requirements, made from uv.lock."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    for package in lock["package"]:
        markers = package.get("resolution-markers", ["python_version > '0'"])
        applies = any(Marker(each).evaluate({"python_full_version": f"{PYTHON}.0"}) for each in markers)
        if package["name"] in PACKAGES and applies:
            yield f"{package['name']}=={package['version']} {' '.join(hashes(package['wheels']))}\n"


def hashes(wheels: list[dict[str, str]]) -> Iterator[str]:
    """The hash of the wheel for each machine."""
    abi = f"cp{PYTHON.replace('.', '')}"
    for machine in Machine:
        (found,) = (
            wheel["hash"]
            for wheel in wheels
            for python, tag, platforms in [wheel["url"].removesuffix(".whl").rsplit("-", 3)[1:]]
            if (python, tag) == (abi, abi) and set(platforms.split(".")) & set(platform_tags(machine))
        )
        yield f"--hash={found}"


def test_is_what_the_project_is_tested_with(request: pytest.FixtureRequest) -> None:
    """After a change of uv.lock: `pytest tests/layer --snapshot-update`."""
    text = "".join(locked())
    if request.config.getoption("--snapshot-update"):
        REQUIREMENTS.write_text(text, encoding="utf-8")
    assert REQUIREMENTS.read_text(encoding="utf-8") == text


def test_says_which_versions_those_are() -> None:
    versions = locked_versions()
    assert tuple(versions) == PACKAGES
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in versions.values())


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("numpy/__init__.py", True),
        ("numpy/typing/__init__.py", True),
        ("numpy/_core/_multiarray_umath.cpython-314-aarch64-linux-gnu.so", True),
        ("numpy.libs/libscipy_openblas64_-1b7162d6.so", True),
        ("numpy-2.5.5.dist-info/METADATA", True),
        ("numpy-2.5.5.dist-info/licenses/LICENSE.txt", True),
        ("numpy/_core/tests/test_dtype.py", False),
        ("numpy/_core/include/numpy/arrayobject.h", False),
        ("numpy-2.5.5.dist-info/RECORD", False),
        ("pyarrow/_parquet.cpython-314-aarch64-linux-gnu.so", True),
        ("pyarrow/libarrow.so.2600", True),
        ("pyarrow/libarrow_acero.so.2600", True),
        ("pyarrow/libarrow_python.so.2600", True),
        ("pyarrow/libarrow_substrait.so.2600", True),
        ("pyarrow/libarrow_python.so", False),
        ("pyarrow/libarrow_python.so.2600.1.0", False),
        ("pyarrow/libarrow_flight.so.2600", False),
        ("pyarrow/_flight.cpython-314-aarch64-linux-gnu.so", False),
        ("pyarrow/libarrow_s3.so.2600", False),
        ("pyarrow/lib.pyx", False),
        ("bin/f2py", False),
    ],
)
def test_leaves_out_what_the_engine_does_not_need(path: str, *, needed: bool) -> None:
    assert is_needed(path) is needed


@pytest.mark.parametrize(
    ("name", "value"), [("LEFT_OUT", ("*.py",)), ("PYTHON", "3.15"), ("OLDEST_GLIBC", 20)]
)
def test_has_another_key_when_its_content_changes(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = layer_key()
    monkeypatch.setattr(l4e_layer.contents, name, value)
    assert layer_key() != before


def test_has_another_key_when_a_package_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, other = layer_key(), tmp_path / "requirements.txt"
    other.write_text(REQUIREMENTS.read_text(encoding="utf-8") + "pandas==9\n", encoding="utf-8")
    monkeypatch.setattr(l4e_layer.contents, "REQUIREMENTS", other)
    assert layer_key() != before


def test_takes_wheels_for_the_functions_linux() -> None:
    tags = platform_tags(Machine.AARCH64)
    assert tags[0] == "manylinux_2_28_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} < set(tags)
