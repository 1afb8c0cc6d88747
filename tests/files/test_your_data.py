"""The page for users says what the code does."""

from pathlib import Path
from typing import get_args

import pytest

from l4e_files.repairs import RepairKind, RepairLimits
from l4e_files.times import FORMS, Form
from service.settings import Settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "your-data.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.pattern)
def test_every_form_of_time_is_there_with_its_example(form: Form) -> None:
    row = next(line for line in PAGE.splitlines() if f"`{form.example}`" in line and line.startswith("|"))
    assert form.pattern in row
    assert form.remark in row


@pytest.mark.parametrize("kind", get_args(RepairKind))
def test_every_repair_is_there(kind: str) -> None:
    assert f"`{kind}`" in PAGE


def test_limits_are_those_of_the_settings() -> None:
    for kind in ("wide_rows", "short_rows", "unusable_timestamps", "duplicates"):
        percent = getattr(Settings(), f"{kind}_percent")
        assert percent / 100 == getattr(RepairLimits(), kind)
        row = next(line for line in PAGE.splitlines() if f"(`{kind}_percent`)" in line)
        assert f"{percent} %" in row
