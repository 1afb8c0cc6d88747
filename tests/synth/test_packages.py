"""What the functions are packaged from: where it lies, what is in it, what it imports, its size."""

import ast
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import aws_cdk as cdk
import botocore
import pyarrow.parquet as pq
import pytest
from canonical import stack

import constructs_l4e
from constructs_l4e import EquipmentService, _packages
from engine import convert_csv, merge_component

ROOT = Path(__file__).parents[2]
MEBIBYTE = 1 << 20
MOST_UNZIPPED = 250 * MEBIBYTE
"""Lambda's limit for a function with its layers."""

LARGEST_LAYER = 204 * MEBIBYTE
"""The largest release of the managed layer, 3.16.1 (aws-sdk-pandas issue 3331); 3.17.0 is built smaller."""

LAYER_CODECS = {"SNAPPY", "GZIP", "UNCOMPRESSED"}
"""Parquet codecs of the managed layer's pyarrow (aws-sdk-pandas, building/lambda/build-lambda-layer.sh)."""

NUMERIC = {"numpy", "pandas", "pyarrow"}
IN_THE_RUNTIME = {"boto3", "botocore"}


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders that would be uploaded, by the package in them."""
    target = stack()
    EquipmentService(target, "Service")
    folders = (path for path in Path(target.node.root.outdir).glob("asset.*") if path.is_dir())
    return {
        name: folder
        for folder in folders
        for name in ("service", "custom_resources")
        if (folder / name).is_dir()
    }


def test_hold_the_code_and_the_service_model_and_nothing_else(assets: dict[str, Path]) -> None:
    assert {path.name for path in assets["service"].iterdir()} == {
        "service",
        "engine",
        "l4e_files",
        "botocore_data",
    }
    assert {path.name for path in assets["custom_resources"].iterdir()} == {
        "custom_resources",
        "botocore_data",
        "botocore_extras",
    }
    for folder in assets.values():
        files = {path for path in folder.rglob("*") if path.is_file()}
        assert {path.suffix for path in files} == {".py", ".json"}
        assert not any("test" in path.name for path in files)


def test_hold_only_the_code_of_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lambdas" / "service"
    data = tmp_path / "lambdas" / "data"
    names = ("__init__.py", "jobs/__init__.py", "jobs/infer.py", "__pycache__/x.pyc", "notes.txt")
    for file in [*(package / name for name in names), data / "pump" / "model.json", data / "notes.txt"]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    monkeypatch.setattr(_packages, "lambda_root", lambda: tmp_path / "lambdas")
    target = tmp_path / "target"
    _packages.stage(target, ["service"], ["data"])
    assert {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()} == {
        "service/__init__.py",
        "service/jobs/__init__.py",
        "service/jobs/infer.py",
        "data/pump/model.json",
    }


def test_hold_every_module(assets: dict[str, Path]) -> None:
    for package, folder in (
        ("service", "service"),
        ("engine", "service"),
        ("l4e_files", "service"),
        ("custom_resources",) * 2,
    ):
        root = _packages.package_folder(package).parent
        expected = {path.relative_to(root) for path in (root / package).rglob("*.py")}
        found = {path.relative_to(assets[folder]) for path in (assets[folder] / package).rglob("*.py")}
        assert found == expected


def test_hold_the_model_of_this_project_unchanged(assets: dict[str, Path]) -> None:
    """Byte for byte: what is not ours may not be changed without saying so in NOTICE."""
    digests = {
        "service-2.json": "058e4c9ded3379a2b2d43c436140d3641830edbd8e5fbc4e50c11afa3ba8386f",
        "endpoint-rule-set-1.json": "010bc7272aa565440d92fd3484313a4a52c628d9f2ef530959553a280710cb11",
        "paginators-1.json": "84843b01b2c1b18e1f3d234b54c834752e399ba72364a1538dba7764b878ce3f",
    }
    for folder in assets.values():
        model = folder / "botocore_data" / "lookoutequipment" / "2020-12-15"
        assert {file.name: sha256(file.read_bytes()).hexdigest() for file in model.iterdir()} == digests


def test_are_the_same_whatever_botocore_is_installed(tmp_path: Path) -> None:
    """The constructs do not even look for one: a release of botocore changes no template."""
    botocore_of_another_release = tmp_path / "botocore" / "__init__.py"
    botocore_of_another_release.parent.mkdir()
    botocore_of_another_release.write_text("raise ImportError('not for constructs')")
    program = """
import sys
import aws_cdk as cdk
from constructs_l4e import EquipmentService
app = cdk.App(outdir=sys.argv[1])
EquipmentService(cdk.Stack(app, "Stack"), "Service")
app.synth()
print("botocore" in sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "there")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        check=True,
    )
    app = cdk.App(outdir=str(tmp_path / "here"))
    EquipmentService(cdk.Stack(app, "Stack"), "Service")
    app.synth()
    here, there = ((tmp_path / name / "Stack.template.json").read_bytes() for name in ("here", "there"))
    assert here == there
    assert run.stdout == "False\n"


def test_sign_for_api_gateway_only_when_there_is_one(assets: dict[str, Path]) -> None:
    extras = "botocore_extras/lookoutequipment/2020-12-15/service-2.sdk-extras.json"
    content = json.loads((assets["custom_resources"] / extras).read_text())
    assert content["merge"] == {"metadata": {"signingName": "execute-api"}}
    target = stack()
    EquipmentService.aws_managed(target, "Service")
    assert not list(Path(target.node.root.outdir).rglob("*.sdk-extras.json"))


def test_service_model_is_enough_for_a_client_whose_botocore_has_none(
    assets: dict[str, Path], tmp_path: Path
) -> None:
    """The runtime's own boto3 may drop the service: `endpoints` and the like stay, its folder goes."""
    data = tmp_path / "data"
    data.mkdir()
    for path in (Path(botocore.__file__).parent / "data").iterdir():
        if path.name != "lookoutequipment":
            (data / path.name).symlink_to(path)
    program = """
import sys, botocore.loaders, botocore.session
botocore.loaders.Loader.BUILTIN_DATA_PATH = sys.argv[1]
session = botocore.session.Session()
session.set_config_variable("data_path", sys.argv[2])
client = session.create_client("lookoutequipment", region_name="eu-west-1", aws_access_key_id="a",
    aws_secret_access_key="b", endpoint_url="http://127.0.0.1:9")
print(client.meta.service_model.signing_name)
"""
    paths = os.pathsep.join(
        str(assets["custom_resources"] / name) for name in ("botocore_data", "botocore_extras")
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(data), paths], capture_output=True, text=True, check=False
    )
    assert (run.stdout.strip(), run.stderr) == ("execute-api", "")


def test_fit_into_lambda_with_the_layer(assets: dict[str, Path]) -> None:
    for folder in assets.values():
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        assert size < 2 * MEBIBYTE
        assert size + LARGEST_LAYER < MOST_UNZIPPED


@pytest.mark.parametrize(
    ("package", "entry", "numeric"),
    [
        ("service", "service.api", False),
        ("service", "service.jobs.ingest", True),
        ("service", "service.jobs.train", True),
        ("service", "service.jobs.infer", True),
        ("custom_resources", "custom_resources.handler", False),
    ],
)
def test_import_what_the_function_has(
    assets: dict[str, Path], package: str, entry: str, *, numeric: bool
) -> None:
    allowed = IN_THE_RUNTIME | (NUMERIC if numeric else set())
    foreign = {
        name.partition(".")[0] for _, name in imported(assets[package], entry)
    } - sys.stdlib_module_names
    own = {path.name for path in assets[package].iterdir()}
    assert foreign - own - allowed == set()
    assert bool(foreign & NUMERIC) is numeric


def test_are_found_from_any_working_directory(tmp_path: Path) -> None:
    program = "from constructs_l4e import _packages; print(_packages.lambda_root())"
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(constructs_l4e.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (Path(run.stdout.strip()) / "service" / "api.py").is_file()


def test_are_found_in_an_installed_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "constructs_l4e"
    monkeypatch.setattr(_packages, "__file__", str(package / "_packages.py"))
    with pytest.raises(FileNotFoundError, match=r"no function code beside .*: reinstall constructs-l4e"):
        _packages.lambda_root()
    (package / "_lambdas").mkdir(parents=True)
    assert _packages.lambda_root() == package / "_lambdas"


def test_columns_are_written_with_a_codec_that_the_layer_has() -> None:
    part, merged = io.BytesIO(), io.BytesIO()
    report = convert_csv(io.BytesIO(b"Timestamp,a\n2026-01-01T00:00:00,1\n"), part, columns=["a"])
    part.seek(0)
    merge_component([part], [report], merged)
    for file in (part, merged):
        metadata = pq.ParquetFile(io.BytesIO(file.getvalue())).metadata
        for column in range(metadata.num_columns):
            assert metadata.row_group(0).column(column).compression in LAYER_CODECS


def imported(root: Path, module: str, seen: set[str] | None = None) -> Iterator[tuple[str, str]]:
    """(importing, imported) modules, following what lies in `root`; not imports for type checkers."""
    seen = set() if seen is None else seen
    path = root.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if module in seen or not file.is_file():
        return
    seen.add(module)
    for name in direct_imports(ast.parse(file.read_text())):
        yield module, name
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            yield from imported(root, ".".join(parts[:length]), seen)


def direct_imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case _:
                yield from direct_imports(node)
