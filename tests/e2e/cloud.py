"""The embedded AWS as the end-to-end tests use it: data in, deployments, what AWS says."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import numpy as np
import pytest

from app import build
from l4e_cli.aws import Aws
from l4e_cli.cdk import Cdk, CdkError
from l4e_cli.demo.pump import SENSORS, Fault, Pump
from l4e_cli.demo.recording import ComponentRecording, Interval
from l4e_cli.instance import Instance
from l4e_layer import EMPTY_LAYER
from tests.aws_limits import require_answer

ROOT = Path(__file__).parents[2]
CONTEXT: Mapping[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]
L4E = (sys.executable, "-m", "l4e_cli")
SERVICE = "L4eService"
FIRST_DAY = np.datetime64("2026-01-01", "D")
TRAINING = "{ start = 2026-01-01T00:00:00Z, end = 2026-01-03T00:00:00Z }"
EVALUATION = "{ start = 2026-01-03T00:00:00Z, end = 2026-01-04T00:00:00Z }"
LABELS = b"2026-01-03T10:00:00,2026-01-03T12:00:00\n"


@dataclass(frozen=True, slots=True)
class Cloud:
    """The embedded AWS and the app in it."""

    instance: Instance
    work: Path

    @property
    def aws(self) -> Aws:
        """Clients, of which that of the service refuses answers that AWS would not hand on."""
        return _clients(self.instance)

    @property
    def bucket(self) -> str:
        return next(stack.outputs["DataBucket"] for stack in self.aws.stacks() if stack.name == SERVICE)

    def environment(self) -> dict[str, str]:
        """What `l4e status --json` gives a client, over a plain process environment."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return inherited | dict(self.instance.environment(service_url=self.aws.service_url()))

    def upload(self, key: str, body: bytes) -> None:
        self.aws.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def upload_history(
        self, asset: str, *, labels: bytes = LABELS, first_day: np.datetime64 = FIRST_DAY
    ) -> None:
        self.upload(f"{asset}/history/pump/history.csv", history(first_day).to_csv())
        self.upload(f"{asset}/labels/labels.csv", labels)

    def access_role(self) -> str:
        """Make a role through which the service reads and writes the data bucket, whatever it works for."""
        iam = self.aws.session.client("iam", endpoint_url=self.instance.endpoint)
        trusted = {"AWS": self.outputs(SERVICE)["DataAccessRoleArn"]}
        name = f"access-{uuid.uuid4()}"
        role: str = iam.create_role(
            RoleName=name,
            Path="/lookoutequipment/",
            AssumeRolePolicyDocument=policy(Principal=trusted, Action="sts:AssumeRole"),
        )["Role"]["Arn"]
        data = policy(Action=["s3:GetObject", "s3:ListBucket", "s3:PutObject"], Resource="*")
        iam.put_role_policy(RoleName=name, PolicyName="data", PolicyDocument=data)
        return role

    def synth(self, assets: Mapping[str, Mapping[str, str]], **context: object) -> Path:
        """The app with these assets: members in TOML by asset; returns the folder of the assembly.

        Synthesised here, which is much cheaper than by the CDK command line, as `refusal` and the demo do.
        """
        declaration = self._declaration(assets)
        assembly = declaration.with_suffix(".out")
        app = cdk.App(
            analytics_reporting=False,
            outdir=str(assembly),
            context={**CONTEXT, EMPTY_LAYER: True, "assets": str(declaration), **context},
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CDK_DEFAULT_REGION", self.instance.region)
            build(app)
        app.synth()
        return assembly

    def refusal(self, assets: Mapping[str, Mapping[str, str]]) -> str:
        """What a person sees when the app cannot be synthesised with these assets."""
        declaration = self._declaration(assets)
        with pytest.raises(CdkError, match="cdk synth failed") as raised:
            self.cdk(declaration.stem).synth(
                ROOT, declaration.with_suffix(".out"), context=[f"assets={declaration}"]
            )
        return str(raised.value)

    def _declaration(self, assets: Mapping[str, Mapping[str, str]]) -> Path:
        file = self.work / f"assets-{len(list(self.work.glob('*.toml')))}.toml"
        file.write_text(assets_file(assets))
        return file

    def deploy(self, assembly: Path, *stacks: str) -> None:
        """Deploy stacks side by side.

        Raises:
            CdkError: of the first that failed.
        """
        with ThreadPoolExecutor(len(stacks)) as pool:
            list(pool.map(lambda stack: self.cdk(stack).deploy(assembly, [stack]), stacks))

    def failure(self, assembly: Path, stack: str) -> str:
        """What a person sees when the deployment fails, as it must."""
        with pytest.raises(CdkError) as raised:
            self.cdk(stack).deploy(assembly, [stack])
        return str(raised.value)

    def destroy(self, assembly: Path, stack: str) -> None:
        self.cdk(stack).destroy(assembly, [stack])

    def cdk(self, log: str) -> Cdk:
        tool = Cdk.of(self.instance)
        return Cdk(
            environment=tool.environment | {"CDK_VALIDATION": "false"},
            log=self.instance.directory / f"cdk-{log}.log",
            account=tool.account,
            region=tool.region,
        )

    def outputs(self, stack: str) -> Mapping[str, str]:
        return next(found.outputs for found in self.aws.stacks() if found.name == stack)

    def status(self, stack: str) -> str | None:
        return next((found.status for found in self.aws.stacks() if found.name == stack), None)


@cache
def _clients(instance: Instance) -> Aws:
    """Clients of one session for all tests: it reads the descriptions of services, which are long, once."""
    found = Aws.of(instance)
    found.session.events.register("after-call.lookoutequipment", require_answer)
    return found


def history(first_day: np.datetime64 = FIRST_DAY) -> ComponentRecording:
    """Three days of a pump, of the same values whichever they are; a fault on the last one."""
    fault = Fault(
        period=Interval(start=np.datetime64("2026-01-03T10:00"), end=np.datetime64("2026-01-03T12:00"))
    )
    span = Interval(start=np.datetime64(FIRST_DAY, "s"), end=np.datetime64("2026-01-04", "s"))
    return Pump().record(span, [fault]).shifted(first_day - FIRST_DAY)


def assets_file(assets: Mapping[str, Mapping[str, str]]) -> str:
    """`assets.toml` with these assets; what one does not say is as in the demo. They leave nothing behind."""
    lines = ["[service.limits]", "minimum_training_days = 0"]
    usual = {
        "labelled": "true",
        "training": TRAINING,
        "evaluation": EVALUATION,
        "target_sampling_rate": '"PT1M"',
        "off_condition": r"'pump\Speed < 100'",
        "data_upload_frequency": '"PT5M"',
        "sensors": f"{{ pump = {json.dumps(SENSORS)} }}",
        "removal_policy": '"destroy"',
    }
    for name, members in assets.items():
        lines += ["", f"[assets.{name}]"]
        lines += [f"{key} = {value}" for key, value in (usual | dict(members)).items()]
    return "\n".join([*lines, ""])


def policy(**allowed: Any) -> str:
    """A policy that allows one thing."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **allowed}]})


def reasons(aws: Aws, stack: str) -> str:
    """Everything CloudFormation says went wrong in a stack."""
    events = aws.cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    return "\n".join(event.get("ResourceStatusReason", "") for event in events)


def names(summaries: Sequence[Mapping[str, Any]], member: str) -> list[str]:
    """One member of each summary."""
    return [summary[member] for summary in summaries]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo that runs beside the tests."""

    process: "subprocess.Popen[str]"
    state: Path
    output: Path
