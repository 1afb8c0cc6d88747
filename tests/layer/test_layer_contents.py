"""What is in the numeric layer that is deployed: numpy with a BLAS, all that it is linked to, room to spare.

The first run fetches the layer, as the first synthesis would. Without network these tests are skipped.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from constructs_l4e._packages import FILES, package_folder
from engine.detect.blas import blas_in
from l4e_layer import DEPLOYED, LayerError, layer_file
from tests.layer.elf import Library

MEBIBYTE = 1 << 20
MOST_UNZIPPED = 250 * MEBIBYTE
"""Lambda's limit for a function with its layers."""

SYSTEM = {
    "ld-linux-aarch64.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libstdc++.so.6",
}
"""What Amazon Linux 2023 has, and the Lambda runtime with it."""


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    """The files of the layer, by their path."""
    try:
        file = layer_file()
    except LayerError as error:
        if "HASH" in str(error).upper():
            raise
        pytest.skip(str(error))
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def libraries(files: Mapping[str, bytes]) -> Mapping[str, Library]:
    """The shared libraries of the layer, by their path."""
    return {
        name: Library.read(content)
        for name, content in files.items()
        if ".so" in PurePosixPath(name).suffixes and content.startswith(b"\x7fELF")
    }


def test_is_where_lambda_looks_for_packages(files: Mapping[str, bytes]) -> None:
    assert {name.split("/")[0] for name in files} == {"python"}


def test_numpy_multiplies_with_openblas(files: Mapping[str, bytes], libraries: Mapping[str, Library]) -> None:
    (openblas,) = (name for name in libraries if name.startswith("python/numpy.libs/"))
    assert "openblas" in openblas
    linked = {
        PurePosixPath(name).name.partition(".")[0]
        for name, library in libraries.items()
        if PurePosixPath(openblas).name in library.needed
    }
    assert {"_multiarray_umath", "_umath_linalg"} <= linked
    # Another processor cannot import the module; but for the SIMD extensions, its text says all.
    source = files["python/numpy/__config__.py"].decode()
    config = source[source.index("CONFIG = ") : source.index("def _check_pyyaml")]
    names: dict[str, object] = {
        "_cleanup": lambda value: value,
        "__cpu_baseline__": [],
        "__cpu_dispatch__": [],
        "__cpu_features__": {},
    }
    exec(compile(config, "__config__.py", "exec"), names)  # noqa: S102 - a package whose hash we know
    found = names["CONFIG"]
    assert isinstance(found, dict)
    assert blas_in(found) == "scipy-openblas"


def test_is_for_the_processor_of_the_functions(libraries: Mapping[str, Library]) -> None:
    assert len(libraries) > 40
    assert {library.machine for library in libraries.values()} == {str(DEPLOYED)}


def test_has_all_that_its_libraries_are_linked_to(libraries: Mapping[str, Library]) -> None:
    there = {PurePosixPath(name).name for name in libraries}
    missing = {
        (name, needed)
        for name, library in libraries.items()
        for needed in library.needed
        if needed not in there | SYSTEM
    }
    assert missing == set()


@pytest.mark.parametrize(
    "module", ["lib", "_compute", "_csv", "_parquet", "_dataset", "_acero", "_substrait"]
)
def test_has_the_parts_of_pyarrow_that_are_imported(libraries: Mapping[str, Library], module: str) -> None:
    names = [name for name in libraries if name.startswith(f"python/pyarrow/{module}.cpython-314-")]
    assert len(names) == 1


def test_fits_into_lambda_with_the_code(files: Mapping[str, bytes]) -> None:
    layer = sum(map(len, files.values()))
    code = sum(
        path.stat().st_size
        for package in ("service", "engine", FILES)
        for path in package_folder(package).rglob("*.py")
    )
    assert layer + code < MOST_UNZIPPED
    assert layer < 150 * MEBIBYTE


def test_says_under_which_terms_it_is_passed_on(files: Mapping[str, bytes]) -> None:
    licences = {Path(name).parts[1].partition("-")[0] for name in files if "/licenses/" in name}
    assert licences == {"numpy", "pyarrow"}
