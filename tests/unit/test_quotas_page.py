"""The page of quotas says what the settings are, and which props change them."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from constructs_l4e import ServiceSettings
from service.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "quotas.md"
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


OTHER_NAMES = {"minimum_training_days": "minimum_training_span"}
"""Props whose names are not those of their settings."""


def rows() -> list[list[str]]:
    """The cells of the table: what, default, setting and prop."""
    found = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in found[1:]]


def test_every_limit_is_there_with_its_default() -> None:
    settings = Settings()
    defaults = {setting: text.removesuffix(" at least") for _, text, setting, _ in rows()}

    assert len(defaults) == len(rows()), "a setting has two rows"
    assert defaults.keys() == {each.name for each in fields(settings)} - NOT_QUOTAS
    for name, text in defaults.items():
        value = getattr(settings, name)
        values = value.values() if isinstance(value, Mapping) else [value]
        assert text == ", ".join(f"{int(each):,}" for each in values), name


def test_props_are_those_of_the_construct() -> None:
    props = {each.name for each in fields(ServiceSettings)}

    for _, _, setting, prop in rows():
        name = OTHER_NAMES.get(setting, setting)
        assert prop == (name if name in props else "API only"), setting
