"""What is in the layer, and the key that names exactly that content. Pure."""

import hashlib
import json
import re
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

PYTHON = "3.14"
"""Python of the functions."""

LOCK = Path(__file__).parent / "lock"
"""Folder of the requirements alone: what an asset that is not bundled consists of."""

REQUIREMENTS = LOCK / "requirements.txt"

NEWEST_GLIBC, OLDEST_GLIBC = 28, 17
"""Wheels for glibc 2.17 (manylinux2014) to 2.28 are taken; Amazon Linux 2023 has 2.34."""

EMPTY_LAYER = "constructs-l4e:empty-numeric-layer"
"""CDK context with which the layer holds nothing, for places where functions find the packages elsewhere.

The embedded AWS is one. Tests of templates are faster with it, and need neither network nor cache.
"""

LEFT_OUT = (
    # Arrow Flight and S3: the functions read files that they have fetched themselves.
    "pyarrow/_flight.*",
    "pyarrow/_s3fs.*",
    "pyarrow/libarrow_flight.so*",
    "pyarrow/libarrow_python_flight.so*",
    "pyarrow/libarrow_s3.so*",
    # Copies under the names for linking and for the full version: only the soname is loaded.
    "pyarrow/libarrow_python*.so",
    "pyarrow/libarrow_python*.so.*.*",
    # Tests, headers and sources.
    "*/tests/*",
    "pyarrow/_pyarrow_cpp_tests.*",
    "*/include/*",
    "pyarrow/includes/*",
    "pyarrow/src/*",
    "*.c",
    "*.h",
    "*.pxd",
    "*.pxi",
    "*.pyx",
    # What installers write: commands, compiled files, notes on the installation.
    "bin/*",
    "*.pyc",
    ".lock",
    "*.dist-info/INSTALLER",
    "*.dist-info/RECORD",
    "*.dist-info/REQUESTED",
    "*.dist-info/uv_cache.json",
)
"""Patterns of the files of the wheels that the engine does not need: a third of the bytes.

Substrait, dataset, acero and compute look unused as well, but every extension of pyarrow is linked to them.
"""


class Machine(StrEnum):
    """A processor that the wheels are there for."""

    AARCH64 = "aarch64"
    X86_64 = "x86_64"


DEPLOYED = Machine.AARCH64
"""The processor of the functions."""


def is_needed(path: str) -> bool:
    """Return whether a file of the wheels belongs into the layer; `path` is relative, with slashes."""
    return not any(fnmatchcase(path, pattern) for pattern in LEFT_OUT)


def platform_tags(machine: Machine) -> list[str]:
    """Return the tags of wheels that run on the functions' Linux, newest first."""
    glibc = range(NEWEST_GLIBC, OLDEST_GLIBC - 1, -1)
    return [*(f"manylinux_2_{minor}_{machine}" for minor in glibc), f"manylinux2014_{machine}"]


def layer_key(machine: Machine = DEPLOYED) -> str:
    """Return the name of the layer's content: it changes when the packages, the rules or the platform do.

    It is not the hash of the archive: other releases of zlib compress the same files to other bytes.
    """
    content = {
        "requirements": REQUIREMENTS.read_text(encoding="utf-8"),
        "left out": LEFT_OUT,
        "platform": [PYTHON, *platform_tags(machine)],
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def locked_versions() -> dict[str, str]:
    """Return the version of each package of the layer."""
    return dict(re.findall(r"^([a-z]+)==(\S+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE))
