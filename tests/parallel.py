"""Tests in several processes (`make test`): what shares a costly fixture goes to one of them.

A file is a piece of work, so that fixtures of a module are made once. The files of a folder in `tests/e2e`
are one: they share a deployment on the embedded AWS, which takes minutes. Those beside the folders do not.
"""

from typing import Any

import pytest

E2E = "tests/e2e/"


def in_parallel(config: pytest.Config) -> bool:
    """Whether these tests are run by several processes."""
    return hasattr(config, "workerinput")


def piece_of(nodeid: str) -> str:
    """Return the piece of work that a test belongs to."""
    file = nodeid.partition("::")[0]
    folder = file.removeprefix(E2E).rpartition("/")[0]
    return E2E + folder if folder and file.startswith(E2E) else file


def scheduler_of(config: pytest.Config, log: Any) -> Any:
    """Return what hands out the pieces with `--dist loadfile`; None leaves the other ways to pytest-xdist."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415  not needed, nor always there, in one process

    class ByPiece(LoadFileScheduling):  # type: ignore[misc]  # has no types
        def _split_scope(self, nodeid: str) -> str:
            return piece_of(nodeid)

    config.option.loadscopereorder = False  # the order of collection has the longest piece first
    return ByPiece(config, log)
