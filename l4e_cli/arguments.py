"""The arguments of the `l4e` command, read without importing what carries the commands out."""

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path

from l4e_cli.prepare.decision import KEYS

_STATE_DIRECTORY = Path(".l4e")
_REGION_NAME = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    top = argparse.ArgumentParser(prog="l4e", description="Equipment monitoring on an embedded AWS.")
    commands_ = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
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
    return top


def _add_up(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = subparsers.add_parser(
        "up",
        help="start the embedded AWS and deploy the app of this folder, or the one that comes with l4e",
        description="Stacks that ingest data are deployed when they are named, or with --all.",
    )
    up.add_argument("stacks", nargs="*", metavar="STACK", help="deploy only these stacks")
    up.add_argument("--all", action="store_true", help="deploy every stack, also those that need data first")
    up.add_argument(
        "-c",
        "--context",
        type=_context,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="CDK context",
    )
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
        type=_folder,
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
        metavar="FILE",
        help="file that declares the asset (default: assets.toml)",
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
        "--picture",
        type=_picture,
        metavar="FILE",
        help="PNG file: when each sensor has values, gaps and labels",
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


def _add_configure(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    configure = subparsers.add_parser(
        "configure", help="write the settings with which boto3 and the AWS CLI talk to a deployed service"
    )
    address = configure.add_mutually_exclusive_group(required=True)
    address.add_argument("--stack", help="CloudFormation stack of the service")
    address.add_argument("--api-id", type=_api_id, help="id of its REST API")
    address.add_argument("--endpoint", type=_endpoint, help="its whole address")
    configure.add_argument(
        "--stage", type=_stage, default="v1", help="stage of the REST API (default: %(default)s)"
    )
    configure.add_argument("--region", help="region (default: the one your AWS settings name)")
    configure.add_argument(
        "--way-in",
        metavar="PATH",
        help="what you may do, and to what, such as read or full/tag/Team/pumps (default: everything)",
    )
    configure.add_argument(
        "--data-path",
        type=_folder,
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
    doctor_.add_argument("--region", type=_region, help="region (default: the one your AWS settings name)")
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


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-v", "--verbose", action="store_true", help="show the CDK log as it comes")


def _add_region(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--region", type=_region, help="region it plays (default: us-east-1, or that of the one that runs)"
    )


def _add_state_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state-dir",
        type=_folder,
        default=_STATE_DIRECTORY,
        help="folder of the embedded AWS; one folder, one instance (default: %(default)s)",
    )


def _time(text: str) -> datetime:
    """Return a time in UTC, without a time zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-01-31T00:00:00") from None
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def _region(text: str) -> str:
    if not _REGION_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a Region such as eu-west-1")
    return text


def _context(text: str) -> str:
    if not text.partition("=")[1]:
        raise argparse.ArgumentTypeError(f"{text!r} has no value: write KEY=VALUE")
    return text


def _api_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the id of a REST API such as a1b2c3d4e5")
    return text


def _stage(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a stage such as v1")
    return text


def _endpoint(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address: write it whole, as https://API_ID.execute-api.eu-west-1.amazonaws.com/v1"
        )
    return text


def _folder(text: str) -> Path:
    path = Path(text)
    if not text:
        raise argparse.ArgumentTypeError("'' names no folder: the present one is '.'")
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(
            f"{text!r} is a file: name a folder, which is made if it is not there"
        )
    return path


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .png: the picture is a PNG file")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder: name a file in it")
    return path
