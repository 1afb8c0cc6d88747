"""The pages about the API say what the code does."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from service.api import OPERATIONS
from service.service_model import service_model
from service.settings import Settings
from tests.service.api.operation_cases import CASES

DOCS = Path(__file__).resolve().parents[3] / "docs"
NOT_QUOTAS = {
    "wide_rows_percent",
    "short_rows_percent",
    "unusable_timestamps_percent",
    "duplicates_percent",
    "inference_catch_up_hours",
    "inference_fill_hours",
    "partial_inference",
    "execution_retention_days",
    "false_alarm_hours",
    "adaptation",
    "poor_recall",
    "poor_precision",
    "poor_auc",
    "bucket_owners",
    "access_role_path",
    "client_token_hours",
    "page_size",
}
"""Settings that are no limits of what there may be."""


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


def test_quotas_are_those_of_the_settings() -> None:
    found = {row[2].strip("`"): row[1] for row in table("quotas.md", "# Quotas")}
    settings = Settings()
    limits = {each.name for each in fields(settings)} - NOT_QUOTAS

    assert found.keys() == limits
    for name, text in found.items():
        value = getattr(settings, name)
        values = value.values() if isinstance(value, Mapping) else [value]
        assert text.removesuffix(" at least") == ", ".join(
            f"{each:,g}" if each < 1e6 else f"{each:,}" for each in values
        )


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+?\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
