"""One embedded AWS, and the folder with all its files: state, keys, logs, temporary files."""

import contextlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import boto3
from botocore.config import Config

from l4e_cli import client_settings, emulator
from l4e_cli.certificates import create_tls_files
from l4e_cli.errors import CliError
from l4e_cli.whole_file import whole_file
from l4e_layer import EMPTY_LAYER

_STATE = "instance.json"
_TLS = "tls"
# Everything that is made in the folder. Nothing else in it is touched when it is removed. Other folders have
# some of these names too, such as those of CDK apps: only where there is a mark are they of an embedded AWS.
_MARKS = (_STATE, *emulator.OWN_FILES)
_UNMARKED = (_TLS, "tmp", "client", "cdk.out", "work", "cdk.lock", "cdk.log")
_EVERYTHING_ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A running embedded AWS and its administrator, an ordinary IAM user whose requests IAM checks."""

    directory: Path
    pid: int
    port: int
    region: str
    access_key_id: str
    secret_access_key: str

    @property
    def endpoint(self) -> str:
        """URL of all AWS services but that of this project."""
        return f"https://{emulator.HOST}:{self.port}"

    @property
    def authority(self) -> Path:
        """PEM file of the authority that signed the endpoint's certificate."""
        return self.directory / _TLS / "ca.pem"

    @property
    def models(self) -> Path:
        """Folder for `AWS_DATA_PATH`, which tells clients of the service."""
        return self.directory / "client"

    @property
    def log(self) -> Path:
        """Log of the embedded AWS."""
        return self.directory / emulator.LOG

    def environment(self, *, service_url: str | None = None) -> Mapping[str, str]:
        """Return the variables with which any AWS client talks to this instance and to the service in it.

        They also keep the numeric layer of an app empty that is deployed by `cdk`: functions of the embedded
        AWS find numpy and pyarrow where it runs, and those of a real account are for another processor.
        """
        variables = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.authority),
            "AWS_DATA_PATH": str(self.models),
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "CDK_CONTEXT": f"{EMPTY_LAYER}=true",
        }
        if service_url is not None:
            variables[client_settings.ENDPOINT_VARIABLE] = service_url
        return variables


def start_instance(directory: Path, *, region: str) -> Instance:
    """Start an embedded AWS with its files in `directory`, and return it. Files of an ended one are replaced.

    Raises:
        AlreadyRunningError: when one runs there already.
        CliError: when it does not start, or the folder has files of somebody else under names of its own.
    """
    directory = directory.resolve()
    others = [] if _is_marked(directory) else [name for name in _UNMARKED if (directory / name).exists()]
    if others:
        raise CliError(
            f"{directory} has a {others[0]} that is of no embedded AWS, which would replace it: "
            "name another folder with --state-dir"
        )
    with emulator.start_reserved(directory) as lock:
        _remove(directory, [name for name in (*_MARKS, *_UNMARKED) if name != emulator.LOCK])
        tls = create_tls_files(directory / _TLS)
        root = emulator.RootCredentials.generate()
        running = emulator.start_emulator(directory, lock=lock, tls=tls, root=root, region=region)
    try:
        access_key_id, secret_access_key = _create_administrator(running, tls.authority, root, region)
        instance = Instance(
            directory=directory,
            pid=running.pid,
            port=running.port,
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
        )
        client_settings.write_service_model(instance.models)
        _save(instance)
    except BaseException:
        emulator.stop_emulator(running.pid, directory)
        raise
    return instance


def load_instance(directory: Path) -> Instance | None:
    """Return the instance that runs in `directory`; None when none does.

    Raises:
        CliError: when one is being started, or runs and its state is unreadable.
    """
    directory = directory.resolve()
    if not emulator.is_running(directory):
        return None
    try:
        return Instance(directory=directory, **json.loads((directory / _STATE).read_text()))
    except FileNotFoundError as error:
        raise CliError(
            f"an embedded AWS is being started in {directory}: try again in a moment; if its start was "
            "killed, stop it with `l4e down`"
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise CliError(
            f"an embedded AWS runs in {directory} but its {_STATE} is unreadable ({error}): "
            "stop it with `l4e down`"
        ) from error


def stop_instance(directory: Path) -> bool:
    """Stop the instance in `directory`, remove its files, and return whether one was running.

    Raises:
        CliError: when one is being started there.
    """
    directory = directory.resolve()
    was_running = emulator.is_running(directory)
    if was_running:
        emulator.stop_emulator(emulator.recorded_pid(directory), directory)
    remove_files(directory)
    return was_running


def remove_files(directory: Path) -> None:
    """Remove the files of an instance in `directory`, and the folder if nothing else is in it."""
    if not _is_marked(directory):
        return
    _remove(directory, (*_UNMARKED, *_MARKS))  # the marks last, so that an interrupted removal goes on
    with contextlib.suppress(OSError):  # it holds files of somebody else
        directory.rmdir()


def _is_marked(directory: Path) -> bool:
    return any((directory / name).is_file() for name in _MARKS)


def _remove(directory: Path, names: Iterable[str]) -> None:
    for name in names:
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _create_administrator(
    running: emulator.Emulator, authority: Path, root: emulator.RootCredentials, region: str
) -> tuple[str, str]:
    iam = boto3.Session().client(
        "iam",
        endpoint_url=running.endpoint,
        verify=str(authority),
        region_name=region,
        aws_access_key_id=root.access_key_id,
        aws_secret_access_key=root.secret_access_key,
        config=Config(proxies={}),  # loopback, whatever HTTPS_PROXY says
    )
    user = "l4e-admin"
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="admin", PolicyDocument=json.dumps(_EVERYTHING_ALLOWED))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def _save(instance: Instance) -> None:
    state = asdict(instance)
    del state["directory"]
    with whole_file(instance.directory / _STATE) as partial:
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(state, indent=2) + "\n")
