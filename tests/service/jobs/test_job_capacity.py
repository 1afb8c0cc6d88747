"""How much a process may take."""

from pathlib import Path

import pytest

from service.jobs.capacity import MIB, Capacity
from service.members.sizes import readable


def test_a_function_has_its_memory_size(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(f"{512 * MIB}\n")
    assert Capacity.read({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008"}, limit).memory == 3008 * MIB
    assert Capacity.read({}, limit).memory == 512 * MIB


@pytest.mark.parametrize("text", ["max\n", f"{2**60}\n", None])
def test_a_plain_process_has_the_machine(tmp_path: Path, text: str | None) -> None:
    limit = tmp_path / "memory.max"
    if text is not None:
        limit.write_text(text)
    found = Capacity.read({}, limit)
    assert 100 * MIB < found.memory < 2**45
    assert found.disk > 0


def test_the_quota_fits_into_the_largest_function_and_not_into_a_new_account() -> None:
    quota = 1_500_000 * 300
    assert Capacity(memory=10_240 * MIB, disk=0).values(300) > quota * (
        4 + 8
    )  # float32, made float64 on the way
    assert quota * 2 < Capacity(memory=3_008 * MIB, disk=0).values(300) < quota * 4
    assert Capacity(memory=512 * MIB, disk=0).values(300) == 0


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 KB"), (1600, "2 KB"), (1_500_000, "1.5 MB"), (3_600_000_000, "3.6 GB")],
)
def test_sizes_are_readable(size: int, text: str) -> None:
    assert readable(size) == text
