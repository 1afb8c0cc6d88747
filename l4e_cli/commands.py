"""`l4e up`, `down`, `status` and `configure`."""

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3

from l4e_cli import client_settings
from l4e_cli.aws import Aws, Stack, rest_api
from l4e_cli.cdk import Cdk, Progress, SynthesisedStack, find_app, synthesised_stacks
from l4e_cli.errors import AlreadyRunningError, CliError
from l4e_cli.instance import Instance, load_instance, start_instance, stop_instance
from l4e_cli.terminal import Terminal

_DEFAULT_REGION = "us-east-1"


def up(
    terminal: Terminal,
    directory: Path,
    *,
    stacks: Sequence[str] = (),
    everything: bool = False,
    context: Sequence[str] = (),
    region: str | None = None,
    verbose: bool = False,
) -> Instance:
    """Start the embedded AWS in `directory` unless it runs, and deploy the app of the current folder.

    Without `stacks` and `everything`, stacks that ingest data are left out: their data has to be uploaded
    first, into buckets of the other stacks.

    Raises:
        CliError: when the start or the deployment failed, or the instance that runs plays another Region.
            After a failed deployment the instance still runs.
    """
    running = load_instance(directory)
    if running is not None and region not in {None, running.region}:
        raise CliError(
            f"the embedded AWS in {directory} plays {running.region}, not {region}: leave out --region, stop "
            "it with `l4e down`, or name another folder with --state-dir"
        )
    instance = running
    try:
        if running is not None:
            _resume(terminal, running, verbose=verbose)
        instance = running or start(terminal, directory, region=region, verbose=verbose)
        _deploy_app(terminal, instance, stacks, everything=everything, context=context, verbose=verbose)
    except CliError as error:
        if load_instance(directory) is not None:
            terminal.line("The embedded AWS still runs: `l4e up` tries again, `l4e down` stops it.")
        elif instance is not None:
            raise CliError(
                f"the embedded AWS ended before the app was deployed (its log: {instance.log}): "
                "`l4e up` starts a new one"
            ) from error
        raise
    except BaseException:
        if running is None:
            stop_instance(directory)
        raise
    return instance


def _resume(terminal: Terminal, running: Instance, *, verbose: bool) -> None:
    """Make up for what a command that was killed left undone."""
    terminal.done(f"embedded AWS already runs at {running.endpoint}")
    if not Aws.of(running).is_bootstrapped():
        _bootstrap(terminal, running, verbose=verbose)


def _bootstrap(terminal: Terminal, instance: Instance, *, verbose: bool) -> None:
    with terminal.step("bootstrapping the account for CDK", done="account bootstrapped for CDK"):
        cdk(terminal, instance, verbose=verbose).bootstrap()


def _deploy_app(
    terminal: Terminal,
    instance: Instance,
    stacks: Sequence[str],
    *,
    everything: bool,
    context: Sequence[str],
    verbose: bool,
) -> None:
    assembly = synth(terminal, instance, find_app(Path.cwd()), context=context, verbose=verbose)
    chosen = _choose(synthesised_stacks(assembly), stacks, everything=everything)
    deploy(terminal, instance, assembly, [stack.name for stack in chosen], verbose=verbose)
    for stack in synthesised_stacks(assembly):
        if not stacks and stack not in chosen:
            terminal.line(f"- {stack.name} not deployed: upload its data, then `l4e up {stack.name}`")


def start(
    terminal: Terminal, directory: Path, *, region: str | None = None, verbose: bool = False
) -> Instance:
    """Start and bootstrap an embedded AWS, and return it. After a failure nothing is left of it."""
    try:
        with terminal.step("starting the embedded AWS", done="embedded AWS started"):
            instance = start_instance(directory, region=region or _DEFAULT_REGION)
        _bootstrap(terminal, instance, verbose=verbose)
    except AlreadyRunningError:
        raise
    except BaseException:
        stop_instance(directory)
        raise
    return instance


def synth(
    terminal: Terminal, instance: Instance, app: Path, *, context: Sequence[str] = (), verbose: bool = False
) -> Path:
    """Synthesise `app`, and return the folder of the assembly."""
    assembly = instance.directory / "cdk.out"
    with terminal.step(f"synthesising app {app.name}", done=f"app {app.name} synthesised"):
        cdk(terminal, instance, verbose=verbose).synth(app, assembly, context=context)
    return assembly


def deploy(
    terminal: Terminal, instance: Instance, assembly: Path, stacks: Sequence[str], *, verbose: bool = False
) -> None:
    """Deploy `stacks` of a synthesised app, and show a line for each."""
    sizes = {stack.name: stack.resources for stack in synthesised_stacks(assembly)}
    for name in stacks:
        with terminal.step(
            f"deploying stack {name}", done=f"stack {name} deployed, {sizes[name]} resources"
        ) as task:

            def show(progress: Progress) -> None:
                at = progress.resource_type.rpartition(":")[2]
                task.update(done=progress.done, total=progress.total or None, text=at)

            cdk(terminal, instance, verbose=verbose).deploy(assembly, [name], on_progress=show)


def down(terminal: Terminal, directory: Path) -> None:
    """Stop the embedded AWS in `directory` and remove its files."""
    if stop_instance(directory):
        terminal.done("embedded AWS stopped, its files removed")
    else:
        terminal.line(f"no embedded AWS runs in {directory.resolve()}")


def status(terminal: Terminal, directory: Path, *, as_json: bool) -> bool:
    """Show what runs in `directory`, and return whether anything does."""
    instance = load_instance(directory)
    if as_json:
        terminal.out.file.write(json.dumps(_description(instance), indent=2) + "\n")
    elif instance is None:
        terminal.line(f"no embedded AWS runs in {directory.resolve()}: start one with `l4e up`")
    else:
        aws = Aws.of(instance)
        terminal.done(f"embedded AWS at {instance.endpoint}, process {instance.pid}, {directory.resolve()}")
        for stack in aws.stacks():
            _show_stack(terminal, stack)
    return instance is not None


def configure(
    terminal: Terminal,
    *,
    data_path: Path,
    stack: str | None,
    endpoint: str | None,
    api_id: str | None,
    stage: str,
    region: str | None,
    way_in: str | None,
) -> None:
    """Write the client settings for a deployed service and print the lines a shell needs.

    The address is `endpoint`, or made of `api_id` and `stage`, or read from the `stack`. The `way_in` follows
    it, if one is given.

    Raises:
        CliError: when the address cannot be found, or the way in is none.
    """
    path = None if way_in is None else client_settings.way_in_path(way_in)
    session = boto3.Session(region_name=region)
    if endpoint is None:
        if session.region_name is None:
            raise CliError("no region: pass --region, or set AWS_DEFAULT_REGION")
        if api_id is None:
            api_id, stage = _api_of(session, str(stack))
        endpoint = client_settings.api_url(api_id=api_id, stage=stage, region=session.region_name)
    if path is not None:
        endpoint = f"{endpoint.rstrip('/')}/{path}"
    client_settings.write_service_model(data_path.expanduser())
    terminal.line(export(client_settings.DATA_PATH_VARIABLE, str(data_path.expanduser().resolve())))
    terminal.line(export(client_settings.ENDPOINT_VARIABLE, endpoint))


def export(name: str, value: str) -> str:
    """Return the line that sets a variable in a POSIX shell."""
    return f"export {name}={shlex.quote(value)}"


def cdk(terminal: Terminal, instance: Instance, *, verbose: bool) -> Cdk:
    """Return the CDK for `instance`, whose output is shown if `verbose`."""
    if verbose:
        return Cdk.of(instance, echo=terminal.line)
    return Cdk.of(instance)


def _choose(
    available: Sequence[SynthesisedStack], named: Sequence[str], *, everything: bool
) -> list[SynthesisedStack]:
    unknown = set(named) - {stack.name for stack in available}
    if unknown:
        raise CliError(
            f"no stack named {', '.join(sorted(unknown))}: the app has {', '.join(s.name for s in available)}"
        )
    if named:
        return [stack for stack in available if stack.name in named]
    without_data = [stack for stack in available if not stack.needs_data]
    return list(available) if everything or not without_data else without_data


def _description(instance: Instance | None) -> dict[str, Any]:
    if instance is None:
        return {"running": False, "env": {}, "stacks": {}}
    aws = Aws.of(instance)
    return {
        "running": True,
        "pid": instance.pid,
        "port": instance.port,
        "state_dir": str(instance.directory),
        "env": dict(instance.environment(service_url=aws.service_url())),
        "stacks": {
            stack.name: {"status": stack.status, "outputs": dict(stack.outputs)} for stack in aws.stacks()
        },
    }


def _show_stack(terminal: Terminal, stack: Stack) -> None:
    terminal.line(
        f"  {stack.name}  {stack.status}" + (f": {stack.reason}" if stack.reason else ""),
        style="green" if stack.is_deployed else "yellow",
    )
    for key, value in sorted(stack.outputs.items()):
        terminal.line(f"    {key} = {value}")


def _api_of(session: boto3.Session, stack: str) -> tuple[str, str]:
    """Return the beginning of the API's host name, and its stage.

    Of a private API that is its id with that of an endpoint, if an output of the stack has such an address.
    """
    cloudformation = session.client("cloudformation")
    found = rest_api(cloudformation, stack)
    if found is None:
        raise CliError(
            f"stack {stack!r} in {session.region_name} has no REST API: name the stack of the service"
        )
    api_id, stage = found
    [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    through = re.compile(rf"https://({re.escape(api_id)}-vpce-[0-9a-f]+)\.execute-api\.")
    for output in described.get("Outputs", []):
        if match := through.match(output["OutputValue"]):
            return match.group(1), stage
    return found
