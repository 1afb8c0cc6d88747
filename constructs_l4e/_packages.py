"""Code of the Lambda functions: packages of `lambdas`, and the service model as botocore reads it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

MODEL_DATA = "botocore_data"
"""What botocore has to know of the service (see NOTICE): that of the Lambda runtime may no longer have it."""

SIGNING_DATA = "botocore_extras"
"""Makes botocore sign requests the way API Gateway verifies them."""

SERVICE_MODEL = Path(MODEL_DATA, "lookoutequipment", "2020-12-15", "service-2.json")

FILES = "l4e_files"
"""What the functions and the constructs both know of data files: a package of its own."""


def runtime() -> lambda_.Runtime:
    """Return the newest Python that Lambda, the CDK and the managed numeric layer all support."""
    return lambda_.Runtime.PYTHON_3_14


def architecture() -> lambda_.Architecture:
    """Return the processor of the functions.

    The layer exists for both in every Region; Arm is a fifth cheaper for the same work.
    """
    return lambda_.Architecture.ARM_64


def lambda_root() -> Path:
    """Return the folder of the function packages, in an installed wheel or in a checkout.

    Raises:
        FileNotFoundError: when there is none.
    """
    package = Path(__file__).parent
    for root in (package / "_lambdas", package.parent / "lambdas"):
        if root.is_dir():
            return root
    raise FileNotFoundError(f"no function code beside {package}: reinstall constructs-l4e")


def package_folder(package: str) -> Path:
    """Return the folder of a package that functions have: one of `lambdas`, or `l4e_files` beside it."""
    beside = Path(__file__).parent.parent / package
    return beside if package == FILES else lambda_root() / package


def service_code() -> lambda_.Code:
    """Return the code of the API and job functions."""
    return _code(packages=("service", "engine", FILES), data=(MODEL_DATA,))


def custom_resource_code(*, signing_extras: bool) -> lambda_.Code:
    """Return the code of the custom-resource functions.

    Args:
        signing_extras: whether they call a service behind API Gateway, which needs another signing name.
    """
    data = (MODEL_DATA, SIGNING_DATA) if signing_extras else (MODEL_DATA,)
    return _code(packages=("custom_resources",), data=data)


def stage(target: Path, packages: Iterable[str], data: Iterable[str]) -> None:
    """Write the folder to deploy.

    Args:
        target: folder to write to.
        packages: packages of the functions, of which Python files are copied.
        data: folders of `lambdas` of which JSON files are copied.
    """
    for package in packages:
        shutil.copytree(package_folder(package), target / package, ignore=_only_python)
    for folder in data:
        for file in (lambda_root() / folder).rglob("*.json"):
            copy = target / file.relative_to(lambda_root())
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def _only_python(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not (name.endswith(".py") or _is_package(Path(folder, name)))}


def _is_package(path: Path) -> bool:
    return (path / "__init__.py").is_file()


def _code(*, packages: tuple[str, ...], data: tuple[str, ...]) -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(lambda_root()),
        asset_hash_type=cdk.AssetHashType.OUTPUT,
        bundling=cdk.BundlingOptions(
            # Required by the CDK, never pulled: the local bundling below always succeeds or raises.
            image=cdk.DockerImage.from_registry("not-used"),
            # Distinguishes the two packages of this source folder in the CDK's asset cache.
            command=[*packages, *data],
            local=_Staging(packages, data),
        ),
    )


@jsii.implements(cdk.ILocalBundling)
class _Staging:
    """Copies the files into the cloud assembly, so that the asset hash is the hash of the content."""

    def __init__(self, packages: tuple[str, ...], data: tuple[str, ...]) -> None:
        self._packages = packages
        self._data = data

    def try_bundle(self, output_dir: str, *_options: object, **_more: object) -> bool:
        stage(Path(output_dir), self._packages, self._data)
        return True
