"""NumericLayer: what functions get by default, what may stand in for it, what is said without either."""

import importlib.util
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import region_info
from canonical import app, only, resources, template

from constructs_l4e import EquipmentService, NumericLayer
from constructs_l4e._managed_layer import layer_arn
from constructs_l4e._packages import architecture, runtime
from l4e_layer import DEPLOYED, EMPTY_LAYER, PYTHON, Machine, cache_file, layer_key

KIND = "AWS::Lambda::LayerVersion"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of one's own, with nothing in it."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def kept(cache: Path) -> Path:
    """The archive of a layer in the cache."""
    file = cache_file()
    file.parent.mkdir(parents=True)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("python/numpy/__init__.py", "")
    return file


def synthesised(folder: Path, layer: NumericLayer | None = None, **context: object) -> Mapping[str, Any]:
    """Template of a stack with the bundled layer, which is not empty unless `context` says so."""
    target = cdk.App(
        analytics_reporting=False,
        outdir=str(folder),
        post_cli_context={EMPTY_LAYER: False, **context},
    )
    stack = cdk.Stack(target, "Test")
    (layer or NumericLayer.bundled()).bind(stack)
    target.synth()
    content: Mapping[str, Any] = json.loads((folder / "Test.template.json").read_text())
    return content


def key(content: Mapping[str, Any]) -> str:
    """The name under which the layer is uploaded."""
    name: str = only(content, KIND)["Properties"]["Content"]["S3Key"]
    return name


class TestBundled:
    def test_is_what_all_jobs_have_by_default(self) -> None:
        target = cdk.Stack(app(), "Test")
        EquipmentService(target, "Service")
        content = template(target)
        (layer,) = resources(content, KIND)
        layers = [
            each["Properties"].get("Layers") for each in resources(content, "AWS::Lambda::Function").values()
        ]
        assert layers.count([{"Ref": layer}]) == 3

    def test_is_for_the_functions(self, kept: Path, tmp_path: Path) -> None:
        properties = only(synthesised(tmp_path / "out"), KIND)["Properties"]
        assert f"python{PYTHON}" == runtime().name
        assert (DEPLOYED is Machine.AARCH64) == (architecture().name == "arm64")
        assert properties["CompatibleRuntimes"] == [runtime().name]
        assert properties["CompatibleArchitectures"] == [architecture().name]
        assert re.fullmatch(r"numpy [\d.]+, pyarrow [\d.]+ for LookoutEquipment", properties["Description"])

    def test_is_uploaded_as_it_lies_in_the_cache(self, kept: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        name = key(synthesised(out))
        (asset,) = out.glob("asset.*.zip")
        assert asset.name == f"asset.{name}"
        assert asset.read_bytes() == kept.read_bytes()

    def test_keeps_the_versions_that_it_replaces(self, kept: Path, tmp_path: Path) -> None:
        layer = only(synthesised(tmp_path / "out"), KIND)
        assert (layer["DeletionPolicy"], layer["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")

    def test_has_the_same_key_where_nothing_is_bundled(self, kept: Path, tmp_path: Path) -> None:
        bundled = synthesised(tmp_path / "bundled")
        kept.unlink()
        assert synthesised(tmp_path / "not", **{"aws:cdk:bundling-stacks": []}) == bundled

    def test_has_another_key_when_it_is_empty(self, kept: Path, tmp_path: Path) -> None:
        """Or an account that has the empty one would never be sent the full one."""
        full, empty = synthesised(tmp_path / "full"), synthesised(tmp_path / "empty", **{EMPTY_LAYER: True})
        assert key(full) != key(empty)

    def test_is_fetched_or_says_how_else(
        self, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
        with pytest.raises(RuntimeError) as raised:
            synthesised(tmp_path / "out")
        said = str(raised.value)
        assert f"not in the cache ({cache_file().parent}), and could not be fetched" in said
        assert "No matching distribution found for numpy" in said
        assert "Run `l4e layer` once" in said
        assert "numeric_layer=NumericLayer.managed()" in said
        assert list(cache.rglob("*.zip")) == []

    def test_needs_pip_or_uv_to_be_fetched(
        self, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
        with pytest.raises(RuntimeError, match="neither pip nor uv is there to fetch the numeric layer"):
            synthesised(tmp_path / "out")


class TestManaged:
    @pytest.mark.parametrize("region", sorted(info.name for info in region_info.RegionInfo.regions))
    def test_is_in_every_region_or_says_what_to_do(self, region: str) -> None:
        partition = region_info.RegionInfo.get(region).partition
        try:
            answer = layer_arn(region)
        except ValueError as error:
            answer = str(error)
        assert re.match(
            rf"arn:{partition}:lambda:{region}:\d{{12}}:layer:AWSSDKPandas-Python314-Arm64:\d+$"
            rf"|region '{region}' has no managed layer .*: leave numeric_layer out",
            answer,
        )

    @pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-northeast-2"])
    def test_is_in_the_regions_of_the_managed_service(self, region: str) -> None:
        assert layer_arn(region)

    def test_is_refused_in_a_region_without_one_when_synthesised(self) -> None:
        target = cdk.Stack(app(), "Test", env=cdk.Environment(region="us-gov-west-1"))
        with pytest.raises(ValueError, match=r"region 'us-gov-west-1' has no managed layer"):
            EquipmentService(target, "Service", numeric_layer=NumericLayer.managed())

    def test_is_found_when_deployed_by_a_stack_for_any_region(self) -> None:
        target = cdk.Stack(app(), "Test")
        EquipmentService(target, "Service", numeric_layer=NumericLayer.managed())
        content = template(target)
        (name, table), *_ = content["Mappings"].items()
        assert table["eu-west-1"] == {"Arn": layer_arn("eu-west-1")}
        used = {
            json.dumps(function["Properties"]["Layers"])
            for function in resources(content, "AWS::Lambda::Function").values()
            if "Layers" in function["Properties"]
        }
        assert used == {json.dumps([{"Fn::FindInMap": [name, {"Ref": "AWS::Region"}, "Arn"]}])}
        assert resources(content, KIND) == {}


def test_a_layer_of_the_user_is_taken_in_any_region() -> None:
    target = cdk.Stack(app(), "Test", env=cdk.Environment(region="us-gov-west-1"))
    layer = lambda_.LayerVersion.from_layer_version_arn(
        target, "Layer", "arn:aws-us-gov:lambda:us-gov-west-1:111122223333:layer:numbers:1"
    )
    EquipmentService(target, "Service", numeric_layer=layer)
    content = template(target)
    assert resources(content, KIND) == {}
    assert "Mappings" not in content


def test_the_key_names_the_machine() -> None:
    assert len({layer_key(machine) for machine in Machine}) == len(Machine)
