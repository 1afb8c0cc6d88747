"""Where numpy and pyarrow of the functions come from: a Lambda layer made here, or AWS's managed one."""

import shutil
from abc import ABC, abstractmethod
from pathlib import Path

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_l4e import _managed_layer
from constructs_l4e._packages import architecture, runtime
from l4e_layer import EMPTY_LAYER, LOCK, LayerError, layer_file, layer_key, locked_versions


class NumericLayer(ABC):
    """Lambda layer with numpy and pyarrow for the jobs of an `EquipmentService`.

    Example:
        >>> app = cdk.App(context={"constructs-l4e:empty-numeric-layer": True})
        >>> layer = NumericLayer.bundled()
        >>> layer.bind(cdk.Stack(app, "Service")).node.path
        'Service/NumericLayer'
    """

    @staticmethod
    def bundled() -> "NumericLayer":
        """Return a layer made of the packages' own wheels, in locked versions. This is the default.

        Its numpy multiplies with OpenBLAS. The wheels are fetched at the first synthesis, by pip or uv and
        without Docker, or beforehand with `l4e layer`; then they stay in `~/.cache/constructs-l4e`
        (`$XDG_CACHE_HOME`), and synthesis needs no network. Versions of the layer that are replaced stay in
        the account, as one may still be in use.
        """
        return _BundledLayer()

    @staticmethod
    def managed() -> "NumericLayer":
        """Return AWS's managed layer of the Region, "AWS SDK for pandas" 3.17.0. Nothing is fetched.

        The numpy of that release is compiled without a BLAS, by what its build script says: trainings take
        10 to 100 times as long, and those of 100,000 rows of 300 sensors do not end within the 15 minutes of
        a function. Release 3.17.1 has one, as it takes numpy's wheels; to use it, pass the version that its
        documentation names for your Region (`LayerVersion.from_layer_version_arn`) as `numeric_layer`.
        """
        return _ManagedLayer()

    @abstractmethod
    def bind(self, scope: Construct) -> lambda_.ILayerVersion:
        """Return the layer as a child of `scope`. Called by `EquipmentService`.

        Raises:
            ValueError: when the layer cannot be had.
        """


class _BundledLayer(NumericLayer):
    def bind(self, scope: Construct) -> lambda_.ILayerVersion:
        versions = ", ".join(f"{name} {version}" for name, version in locked_versions().items())
        return lambda_.LayerVersion(
            scope,
            "NumericLayer",
            code=_empty_code() if scope.node.try_get_context(EMPTY_LAYER) else _code(),
            description=f"{versions} for LookoutEquipment",
            compatible_runtimes=[runtime()],
            compatible_architectures=[architecture()],
            license="BSD-3-Clause AND Apache-2.0",
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )


class _ManagedLayer(NumericLayer):
    def bind(self, scope: Construct) -> lambda_.ILayerVersion:
        region = cdk.Stack.of(scope).region
        if cdk.Token.is_unresolved(region):
            arns = {name: {"Arn": _managed_layer.layer_arn(name)} for name in _managed_layer.REGIONS}
            table = cdk.CfnMapping(scope, "NumericLayers", mapping=arns)
            arn = table.find_in_map(cdk.Aws.REGION, "Arn")
        else:
            arn = _managed_layer.layer_arn(region)
        return lambda_.LayerVersion.from_layer_version_arn(scope, "NumericLayer", arn)


def _code() -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(LOCK),
        # Of what the layer is made of, so that a template is the same on every machine, bundled or not.
        asset_hash=layer_key(),
        bundling=cdk.BundlingOptions(
            # Required by the CDK, never pulled: the local bundling below always succeeds or raises.
            image=cdk.DockerImage.from_registry("not-used"),
            output_type=cdk.BundlingOutput.ARCHIVED,
            local=_CachedArchive(),
        ),
    )


def _empty_code() -> lambda_.Code:
    # Under a name of its own: the CDK publishes no file twice, and would take this one for the layer.
    return lambda_.Code.from_asset(str(LOCK), asset_hash=f"empty {layer_key()}")


@jsii.implements(cdk.ILocalBundling)
class _CachedArchive:
    """Copies the archive of the layer into the cloud assembly."""

    def try_bundle(self, output_dir: str, *_options: object, **_more: object) -> bool:
        try:
            archive = layer_file()
        except LayerError as error:
            raise ValueError(
                f"{error}\nRun `l4e layer` once where the package index can be reached, or pass"
                " numeric_layer=NumericLayer.managed(), or a layer of your own, to EquipmentService"
            ) from error
        shutil.copy(archive, Path(output_dir, "layer.zip"))
        return True
