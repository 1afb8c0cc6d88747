"""The `l4e` command: arguments in, exit status out."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import numpy as np
from botocore.exceptions import BotoCoreError, ClientError

from l4e_cli import commands
from l4e_cli.demo.run import Options, demo
from l4e_cli.doctor.command import Options as DoctorOptions
from l4e_cli.doctor.command import doctor
from l4e_cli.errors import CliError
from l4e_cli.instance import DEFAULT_DIRECTORY
from l4e_cli.layer import fetch_layer
from l4e_cli.prepare.decision import KEYS, Answers
from l4e_cli.prepare.run import Options as PrepareOptions
from l4e_cli.prepare.run import prepare
from l4e_cli.terminal import Terminal
from l4e_cli.validate import command as validation
from l4e_cli.validate.command import validate

_INTERRUPTED = 130
_TERMINATED = 143


class _Terminated(BaseException):
    """SIGTERM as an exception, so that what runs is cleaned up as after Ctrl-C."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit status.

    The status is 0 when it is done, 1 when it failed, 130 after Ctrl-C and 143 after SIGTERM. Wrong usage
    exits with 2.
    """
    options = _parser().parse_args(arguments)
    terminal = Terminal()
    signal.signal(signal.SIGTERM, _raise_terminated)
    if options.command not in {"configure", "doctor", "validate"}:
        _forget_aws_settings()
    try:
        return _dispatch(options, terminal)
    except CliError as error:
        terminal.error(str(error))
        return 1
    except (BotoCoreError, ClientError) as error:
        terminal.error(f"AWS refused or did not answer: {error}")
        return 1
    except KeyboardInterrupt:
        terminal.error("interrupted")
        return _INTERRUPTED
    except _Terminated:
        return _TERMINATED
    except BrokenPipeError:  # the reader of our output went away
        return 1


def _forget_aws_settings() -> None:
    """Remove the caller's AWS settings: a profile or an endpoint must not lead to a real account."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def _raise_terminated(_number: int, _frame: FrameType | None) -> None:
    raise _Terminated


def _dispatch(options: argparse.Namespace, terminal: Terminal) -> int:
    match options.command:
        case "up":
            instance = commands.up(
                terminal,
                options.state_dir,
                stacks=options.stacks,
                everything=options.all,
                context=options.context,
                region=options.region,
                verbose=options.verbose,
            )
            terminal.line(f"\nRunning at {instance.endpoint}. `l4e status` shows it, `l4e down` stops it.")
        case "down":
            commands.down(terminal, options.state_dir)
        case "status":
            return 0 if commands.status(terminal, options.state_dir, as_json=options.json) else 1
        case "demo":
            demo(
                terminal,
                Options(
                    directory=options.state_dir,
                    output=options.output,
                    region=options.region,
                    data=options.data,
                    train_until=options.train_until,
                    off_condition=options.off_condition,
                    keep=options.keep,
                    verbose=options.verbose,
                ),
            )
        case "validate":
            return 0 if validate(terminal, _validation(options)) else 1
        case "prepare":
            prepare(
                terminal,
                PrepareOptions(
                    source=options.source,
                    target=options.target,
                    answers=Answers.parse(options.set, time_zone=options.time_zone),
                    component=options.component,
                ),
            )
        case "layer":
            fetch_layer(terminal)
        case "doctor":
            return 0 if doctor(terminal, _doctor(options)) else 1
        case "configure":
            commands.configure(
                terminal,
                data_path=options.data_path,
                stack=options.stack,
                endpoint=options.endpoint,
                api_id=options.api_id,
                stage=options.stage,
                region=options.region,
                way_in=options.way_in,
            )
        case _:
            sys.exit(f"unknown command {options.command}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="l4e", description="Equipment monitoring on an embedded AWS.")
    commands_ = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_up(commands_)
    down = commands_.add_parser("down", help="stop the embedded AWS and remove its files")
    _add_state_dir(down)
    status = commands_.add_parser("status", help="show what runs; exit status 1 when nothing does")
    _add_state_dir(status)
    status.add_argument("--json", action="store_true", help="one JSON object: env, stacks, pid, port")
    _add_demo(commands_)
    _add_validate(commands_)
    _add_prepare(commands_)
    _add_configure(commands_)
    commands_.add_parser(
        "layer",
        help="fetch numpy and pyarrow for the functions, so that synthesis needs no network",
        description="They stay in ~/.cache/constructs-l4e ($XDG_CACHE_HOME). A copy of the file that is "
        "named serves a machine without network, at the same place.",
    )
    _add_doctor(commands_)
    return parser


def _add_up(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = subparsers.add_parser(
        "up",
        help="start the embedded AWS and deploy the app of this folder, or the one that comes with l4e",
        description="Stacks that ingest data are deployed when they are named, or with --all.",
    )
    up.add_argument("stacks", nargs="*", metavar="STACK", help="deploy only these stacks")
    up.add_argument("--all", action="store_true", help="deploy every stack, also those that need data first")
    up.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE", help="CDK context")
    _add_region(up)
    _add_verbose(up)
    _add_state_dir(up)


def _add_demo(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo_ = subparsers.add_parser(
        "demo",
        help="deploy one asset, from its history to an anomaly in fresh data",
        description="Without --data it plays a pump whose impeller wears out.",
    )
    demo_.add_argument("--data", type=Path, metavar="DIR", help="play the sensor files of this folder")
    demo_.add_argument(
        "--train-until",
        type=_time,
        metavar="TIME",
        help="with --data: where training ends and evaluation begins, such as 2026-01-31T00:00:00",
    )
    demo_.add_argument(
        "--off-condition",
        metavar="CONDITION",
        help="with --data: off-time, 'pump\\Speed < 100'",
    )
    demo_.add_argument("--keep", action="store_true", help="leave it running, and say how to connect")
    demo_.add_argument(
        "--output",
        type=Path,
        default=Path("l4e-demo"),
        metavar="DIR",
        help="folder for the picture and copies of the results (default: %(default)s)",
    )
    _add_region(demo_)
    _add_verbose(demo_)
    _add_state_dir(demo_)


def _add_validate(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    validate_ = subparsers.add_parser(
        "validate",
        help="read sensor files as the service will, and say what it would make of them",
        description="Without AWS or a deployment; files in S3 are read with your own AWS settings. "
        "Exit status 1 when there are errors.",
    )
    validate_.add_argument("path", metavar="PATH", help="a folder, a file, or s3://bucket/prefix/")
    validate_.add_argument(
        "--asset",
        metavar="NAME",
        help="an asset of the assets file: its sensors, windows and labels are looked at as well",
    )
    validate_.add_argument(
        "--assets-file",
        type=Path,
        default=Path("assets.toml"),
        metavar="FILE",
        help="file that declares the asset (default: %(default)s)",
    )
    validate_.add_argument(
        "--key-pattern",
        metavar="PATTERN",
        help="KeyPattern of the ingestion, such as '{prefix}/{component_name}_*' "
        "(default: a folder per component)",
    )
    validate_.add_argument("--labels", metavar="PATH", help="label files: a file, a folder or an S3 prefix")
    validate_.add_argument(
        "--label-group",
        type=Path,
        metavar="FILE",
        help="CSV file with the labels of a label group (default: that of the asset)",
    )
    validate_.add_argument(
        "--json", action="store_true", help="one JSON object with everything that was found"
    )
    validate_.add_argument(
        "--picture", type=Path, metavar="FILE", help="PNG file: when each sensor has values, gaps and labels"
    )


def _validation(options: argparse.Namespace) -> validation.Options:
    return validation.Options(
        path=options.path,
        asset=options.asset,
        assets_file=options.assets_file,
        key_pattern=options.key_pattern,
        labels=options.labels,
        label_group=options.label_group,
        as_json=options.json,
        picture=options.picture,
    )


def _add_prepare(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    prepare_ = subparsers.add_parser(
        "prepare",
        help="turn an export of a historian into files that the service takes",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Each decision is shown with its evidence. What the file does not decide is asked:\n"
        "run again with --set KEY=VALUE.",
        epilog="keys:\n" + "\n".join(f"  {key:18} {meaning}" for key, meaning in KEYS.items()),
    )
    prepare_.add_argument("source", type=Path, metavar="SOURCE", help="a file, or a folder of files")
    prepare_.add_argument(
        "target", type=Path, metavar="TARGET", help="folder to write to, one folder per component in it"
    )
    prepare_.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="decide what it asks"
    )
    prepare_.add_argument(
        "--time-zone",
        metavar="ZONE",
        help="zone of times that do not name theirs, such as Europe/Berlin or +01:00",
    )
    prepare_.add_argument("--component", metavar="NAME", help="name of the component of a single file")


def _time(text: str) -> np.datetime64:
    try:
        return np.datetime64(text.removesuffix("Z"), "ms")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-01-31T00:00:00") from None


def _add_configure(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    configure = subparsers.add_parser(
        "configure", help="write the settings with which boto3 and the AWS CLI talk to a deployed service"
    )
    address = configure.add_mutually_exclusive_group(required=True)
    address.add_argument("--stack", help="CloudFormation stack of the service")
    address.add_argument("--api-id", help="id of its REST API")
    address.add_argument("--endpoint", help="its whole address")
    configure.add_argument("--stage", default="v1", help="stage of the REST API (default: %(default)s)")
    configure.add_argument("--region", help="region (default: the one your AWS settings name)")
    configure.add_argument(
        "--way-in",
        metavar="PATH",
        help="what you may do, and to what, such as read or full/tag/Team/pumps (default: everything)",
    )
    configure.add_argument(
        "--data-path",
        type=Path,
        default=Path("~/.aws/models"),
        help="folder to write to; botocore also reads the default by itself (default: %(default)s)",
    )


def _add_doctor(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doctor_ = subparsers.add_parser(
        "doctor",
        help="look at an AWS account and the service in it, and say what is wrong and what to do",
        description="Before and after a deployment, with your own AWS settings. Nothing is changed without "
        "--write. Exit status 1 when there are problems.",
    )
    doctor_.add_argument(
        "--stack", default="L4eService", help="CloudFormation stack of the service (default: %(default)s)"
    )
    doctor_.add_argument("--region", help="region (default: the one your AWS settings name)")
    doctor_.add_argument(
        "--qualifier",
        default="hnb659fds",
        help="qualifier that `cdk bootstrap` was run with (default: %(default)s, that of the CDK)",
    )
    doctor_.add_argument(
        "--write",
        action="store_true",
        help="also upload an object in parts and train a model of 100 rows, and remove both",
    )
    doctor_.add_argument(
        "--bucket",
        help="with --write: bucket for both (default: the service's, and the DataBucket of its stack)",
    )
    doctor_.add_argument("--json", action="store_true", help="one JSON object with everything that was found")


def _doctor(options: argparse.Namespace) -> DoctorOptions:
    return DoctorOptions(
        stack=options.stack,
        region=options.region,
        qualifier=options.qualifier,
        write=options.write,
        bucket=options.bucket,
        as_json=options.json,
    )


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-v", "--verbose", action="store_true", help="show the CDK log as it comes")


def _add_region(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--region", default=commands.DEFAULT_REGION, help="region it plays (default: %(default)s)"
    )


def _add_state_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT_DIRECTORY,
        help="folder of the embedded AWS; one folder, one instance (default: %(default)s)",
    )
