"""The `l4e` command: arguments in, exit status out. A command imports what it needs when it is called."""

import argparse
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from l4e_cli.arguments import parser
from l4e_cli.errors import CliError
from l4e_cli.interrupts import KILLED_BY, TERMINATIONS, is_heeded

if TYPE_CHECKING:
    from l4e_cli.terminal import Terminal

_SHOWN = 200
_MISSING_SETTINGS = {
    "NoCredentialsError": "there are no AWS credentials: set them for the account, such as by AWS_PROFILE",
    "NoRegionError": "there is no Region: set AWS_DEFAULT_REGION, or that of your AWS profile",
}
"""What is said of errors of botocore that are about the settings of the caller."""


class _Terminated(BaseException):
    """SIGTERM or SIGHUP as an exception, so that what runs is cleaned up as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit status.

    The status is 0 when it is done, 1 when it failed, 130 after Ctrl-C, 143 after SIGTERM and 129 when its
    terminal was closed. Wrong usage exits with 2. With `--json`, what failed is in a document on standard
    output as well.
    """
    options = parser().parse_args(arguments)
    status = 1
    try:
        with _terminations_raised():
            return _run(options)
    except CliError as error:
        text = str(error)
    except KeyboardInterrupt:
        text, status = "interrupted", KILLED_BY + signal.SIGINT
    except _Terminated as error:
        text, status = "terminated", KILLED_BY + error.number
    except BrokenPipeError:  # the reader of our output went away
        return status
    except OSError as error:
        named = "" if error.filename is None else f"{str(error.filename)[:_SHOWN]!r}: "
        text = f"{named}{error.strerror or error}"
    from l4e_cli.terminal import Terminal

    terminal = Terminal()
    with suppress(OSError):  # the output itself can be what failed
        terminal.error(text)
        if getattr(options, "json", False):
            terminal.out.file.write(json.dumps({"error": text}, indent=2) + "\n")
    return status


def _run(options: argparse.Namespace) -> int:
    from botocore.exceptions import BotoCoreError, ClientError

    from l4e_cli.terminal import Terminal

    of_caller = options.command in {"configure", "doctor", "validate"}
    try:
        with nullcontext() if of_caller else _without_aws_settings():
            return _COMMANDS[options.command](options, Terminal())
    except (BotoCoreError, ClientError) as error:
        text = f"AWS refused or did not answer: {error}"
        raise CliError(_MISSING_SETTINGS.get(type(error).__name__, text)) from error


@contextmanager
def _terminations_raised() -> Iterator[None]:
    """Raise `_Terminated` on SIGTERM and SIGHUP in the block; after it they do what they did before."""
    before = {
        number: signal.signal(number, _raise_terminated) for number in TERMINATIONS if is_heeded(number)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _without_aws_settings() -> Iterator[None]:
    """Hide the caller's AWS settings: a profile or an endpoint must not lead to a real account."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    empty = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    for name in hidden:
        del os.environ[name]
    os.environ.update(empty)
    try:
        yield
    finally:
        for name in empty:
            del os.environ[name]
        os.environ.update(hidden)


def _raise_terminated(number: int, _frame: FrameType | None) -> None:
    raise _Terminated(number)


def _up(options: argparse.Namespace, terminal: "Terminal") -> int:
    from l4e_cli import commands

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
    return 0


def _down(options: argparse.Namespace, terminal: "Terminal") -> int:
    from l4e_cli import commands

    commands.down(terminal, options.state_dir)
    return 0


def _status(options: argparse.Namespace, terminal: "Terminal") -> int:
    from l4e_cli import commands

    return 0 if commands.status(terminal, options.state_dir, as_json=options.json) else 1


def _demo(options: argparse.Namespace, terminal: "Terminal") -> int:
    from l4e_cli.demo.run import Options, demo

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
    return 0


def _validate(options: argparse.Namespace, terminal: "Terminal") -> int:
    from l4e_cli.validate.command import Options, validate

    if options.assets_file is not None and options.asset is None:
        raise CliError("--assets-file declares the asset of --asset: give both, or neither")
    found = validate(
        terminal,
        Options(
            path=options.path,
            asset=options.asset,
            assets_file=options.assets_file or Path("assets.toml"),
            key_pattern=options.key_pattern,
            labels=options.labels,
            label_group=options.label_group,
            as_json=options.json,
            picture=options.picture,
        ),
    )
    return 0 if found else 1


def _prepare(options: argparse.Namespace, terminal: "Terminal") -> int:
    from l4e_cli.prepare.decision import Answers
    from l4e_cli.prepare.run import Options, prepare

    prepare(
        terminal,
        Options(
            source=options.source,
            target=options.target,
            answers=Answers.parse(options.set, time_zone=options.time_zone),
            component=options.component,
        ),
    )
    return 0


def _configure(options: argparse.Namespace, terminal: "Terminal") -> int:
    from l4e_cli import commands

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
    return 0


def _layer(_options: argparse.Namespace, terminal: "Terminal") -> int:
    from l4e_cli.layer import fetch_layer

    fetch_layer(terminal)
    return 0


def _doctor(options: argparse.Namespace, terminal: "Terminal") -> int:
    from l4e_cli.doctor.command import Options, doctor

    if options.bucket is not None and not options.write:
        raise CliError("--bucket is where --write writes: give both, or neither")
    found = doctor(
        terminal,
        Options(
            stack=options.stack,
            region=options.region,
            qualifier=options.qualifier,
            write=options.write,
            bucket=options.bucket,
            as_json=options.json,
        ),
    )
    return 0 if found else 1


_COMMANDS: Mapping[str, Callable[[argparse.Namespace, "Terminal"], int]] = {
    "up": _up,
    "down": _down,
    "status": _status,
    "demo": _demo,
    "validate": _validate,
    "prepare": _prepare,
    "configure": _configure,
    "layer": _layer,
    "doctor": _doctor,
}
