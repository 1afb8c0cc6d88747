"""The pages about the API say what the code does."""

from collections.abc import Iterator
from pathlib import Path

from service.api import OPERATIONS
from service.requests.service_model import service_model
from tests.service.api.operation_cases import CASES

DOCS = Path(__file__).resolve().parents[3] / "docs"


def table(page: str, under: str) -> Iterator[list[str]]:
    """The cells of the rows of the first table under a heading of a page."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(under)[2]
    rows = text[text.index("|---") :].partition("\n")[2].partition("\n\n")[0]
    for row in rows.splitlines():
        yield [cell.strip() for cell in row.strip().strip("|").split("|")]


def test_compatibility_has_every_operation() -> None:
    found = {row[0]: row[1:] for row in table("compatibility.md", "## Operations")}

    assert found == {f"`{name}`": _expected(name) for name in sorted(service_model().operation_names)}


def _expected(name: str) -> list[str]:
    if name not in OPERATIONS:
        return ["not yet", ""]
    own = sorted(error.removesuffix("Exception") for error in CASES[name].fails)
    return ["yes", ", ".join(f"`{each}`" for each in own)]


def test_differences_are_of_operations_that_there_are() -> None:
    for operations, *_ in table("compatibility.md", "## What differs"):
        for name in operations.split(", "):
            assert name.startswith("all") or name.strip("`") in OPERATIONS, name
