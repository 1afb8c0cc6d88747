"""The template of the service: as reviewed, the same each time, and what rule packs say of it."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from canonical import findings, lint, unneeded_acknowledgements
from services import BUILDS, built

ROOT = Path(__file__).resolve().parents[2]
MOST_RESOURCES = 68
"""What the service may cost in resources of its stack."""


@pytest.fixture(scope="module")
def deployed() -> dict[str, Any]:
    return built("service")


class TestTemplate:
    @pytest.mark.parametrize("name", BUILDS)
    def test_has_nothing_cfn_lint_objects_to(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / "template.json"
        path.write_text(json.dumps(built(name)))
        assert lint(path) == ""

    def test_costs_few_resources(self, deployed: Mapping[str, Any]) -> None:
        count = len(deployed["Resources"])
        kinds = Counter(resource["Type"] for resource in deployed["Resources"].values())
        assert count <= MOST_RESOURCES, f"{count} resources: {kinds}"


class TestRulePacks:
    @pytest.mark.parametrize("name", BUILDS)
    @pytest.mark.parametrize(
        ("region", "flags"),
        [(None, False), ("eu-west-1", False), ("eu-west-1", True), ("cn-north-1", True)],
        ids=["any Region", "a Region", "recommended flags", "China"],
    )
    def test_find_nothing(self, name: str, region: str | None, *, flags: bool) -> None:
        context = json.loads((ROOT / "cdk.json").read_text())["context"] if flags else {}
        target = cdk.Stack(
            cdk.App(analytics_reporting=False, context=context), "Test", env=cdk.Environment(region=region)
        )
        BUILDS[name](target)
        assert findings(target) == set()

    @pytest.mark.parametrize("name", BUILDS)
    def test_would_find_what_is_acknowledged(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert unneeded_acknowledgements(BUILDS[name], monkeypatch) == []
