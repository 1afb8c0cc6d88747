"""What is refused before the CDK deploys to the embedded AWS."""

from pathlib import Path

import aws_cdk as cdk
import pytest

from constructs_l4e import AssetStorage
from l4e_cli.cdk import Cdk, CdkError


def test_a_stack_that_empties_its_buckets(tmp_path: Path) -> None:
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    AssetStorage(cdk.Stack(app, "Plant"), "Data", removal_policy=cdk.RemovalPolicy.DESTROY)
    app.synth()
    commands = Cdk(environment={}, log=tmp_path / "cdk.log", account="000000000000", region="us-east-1")

    with pytest.raises(CdkError, match=r"stack Plant empties its buckets.*leave removal_policy"):
        commands.deploy(tmp_path, ["Plant"])

    assert not commands.log.exists()
