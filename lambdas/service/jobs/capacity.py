"""What a job may hold: how large the values of a frame may be in the memory of this process, and its disk."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MIB = 2**20

_CGROUP = Path("/sys/fs/cgroup/memory.max")
_SPARE = 0.1
"""Share of the memory to leave alone."""
_FIXED = 1100 * MIB
"""The process with its libraries (250 MiB), columns on their way into a frame, and held-out rows."""
_PER_PAIR = 2500
"""Bytes per pair of sensors: moments of 18 sets of rows, and inverses of the largest."""
_PER_ROW = 100
"""Bytes per row that are not values: times, marks, scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Bytes of memory that the process may take, and of disk that it may fill."""

    memory: int
    disk: int

    @classmethod
    def read(cls, environment: Mapping[str, str], cgroup: Path = _CGROUP) -> Self:
        """Return what the function has, else what the container has, else what the machine has."""
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limit = cgroup.read_text().strip() if cgroup.exists() else "max"
        mebibytes = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        if mebibytes is not None:
            memory = int(mebibytes) * MIB
        else:
            memory = machine if limit == "max" else min(machine, int(limit))
        return cls(memory=memory, disk=shutil.disk_usage(tempfile.gettempdir()).free)

    def values(self, sensors: int) -> int:
        """Return how many bytes the values of a frame may take so that a training with it fits into memory.

        A fit needs little beside the values; `docs/benchmarks.md` has the figures.
        """
        free = self.memory * (1 - _SPARE) - _FIXED - _PER_PAIR * sensors * sensors
        return max(0, int(free / (1 + _PER_ROW / (4 * sensors))))
