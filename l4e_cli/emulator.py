"""The embedded AWS as a child process: loopback only, one port, TLS, IAM policies enforced."""

import contextlib
import fcntl
import http.client
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from l4e_cli.certificates import TlsFiles
from l4e_cli.errors import AlreadyRunningError, CliError
from l4e_cli.interrupts import interruptions_put_off
from l4e_cli.whole_file import whole_file

ACCOUNT = "000000000000"
HOST = "127.0.0.1"
_START_SECONDS = 60
_STOP_SECONDS = 10
LOCK = "emulator.lock"
_PID = "emulator.pid"
LOG = "emulator.log"
OWN_FILES = (LOCK, _PID, LOG)
_HEALTH_PATH = "/_ministack/health"
# What the emulator may see of the caller's environment. No AWS_*: a profile, proxy endpoint or credential of
# the user must not leak into it, nor into the functions it runs, which inherit its environment.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCredentials:
    """Credentials of the root user, which IAM does not restrict; used once, to create the administrator."""

    access_key_id: str
    secret_access_key: str

    @classmethod
    def generate(cls) -> "RootCredentials":
        """Return random credentials."""
        return cls(
            access_key_id="AKIA" + secrets.token_hex(8).upper(), secret_access_key=secrets.token_urlsafe(30)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A running embedded AWS."""

    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        """URL for AWS clients, with an IP address, so that clients keep bucket names in the path."""
        return f"https://{HOST}:{self.port}"


@contextlib.contextmanager
def start_reserved(directory: Path) -> Iterator[BinaryIO]:
    """Hold the lock of `directory` in the block, so that nobody else starts one there meanwhile.

    Raises:
        AlreadyRunningError: when an embedded AWS runs there, or is being started.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(
                f"an embedded AWS already runs in {directory}: use it, stop it with `l4e down`, "
                "or name another folder with --state-dir"
            ) from None
        yield lock


def start_emulator(
    directory: Path, *, lock: BinaryIO, tls: TlsFiles, root: RootCredentials, region: str
) -> Emulator:
    """Start the embedded AWS on a free port and wait until it answers.

    The process outlives the caller.

    Args:
        directory: folder for its log and temporary files.
        lock: the lock of the folder, which it holds from now on.
        tls: certificate and key of the server.
        root: credentials of the root user.
        region: Region that it is in.

    Raises:
        CliError: when it ends, or does not answer within a minute; the message quotes the end of its log.
    """
    temporary = directory / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    log = directory / LOG
    listener = _listener()
    port: int = listener.getsockname()[1]
    # Its own command also listens on port 443 if it can. Run directly under its server, it uses one port.
    command = [sys.executable, "-m", "hypercorn", "ministack.app:app"]
    command += ["--bind", f"fd://{listener.fileno()}", "--workers", "0", "--keep-alive", "75"]
    command += ["--log-level", "WARNING", "--certfile", str(tls.certificate), "--keyfile", str(tls.key)]
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": region,
        "MINISTACK_SSL_CERT": str(tls.certificate),
        "MINISTACK_SSL_KEY": str(tls.key),
        "NO_PROXY": f"{HOST},localhost",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(temporary),
        "USE_SSL": "1",
    }
    with listener, log.open("wb") as output, interruptions_put_off():
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command,
            cwd=temporary,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(lock.fileno(), listener.fileno()),
            start_new_session=True,  # Ctrl-C in the terminal reaches only us; we then stop it
        )
        with whole_file(directory / _PID) as partial:
            partial.write_text(str(process.pid))
    emulator = Emulator(pid=process.pid, port=port)
    try:
        _wait_until_ready(process, emulator, tls, log)
    except BaseException:
        stop_emulator(process.pid, directory)
        raise
    process.returncode = 0  # it outlives this object, which would warn otherwise
    return emulator


def stop_emulator(pid: int, directory: Path) -> None:
    """Stop the embedded AWS that was started in `directory`, if it still runs."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _STOP_SECONDS
        if is_running(directory):
            os.killpg(pid, number)
        while is_running(directory) and time.monotonic() < deadline:
            time.sleep(0.05)
    with contextlib.suppress(ChildProcessError):  # of an earlier command
        os.waitpid(pid, 0)


def recorded_pid(directory: Path) -> int:
    """Return the process id of the embedded AWS last started in `directory`; it may have ended since.

    Raises:
        CliError: when it is being started.
    """
    try:
        return int((directory / _PID).read_text())
    except FileNotFoundError:
        raise CliError(f"an embedded AWS is being started in {directory}: try again in a moment") from None


def is_running(directory: Path) -> bool:
    """Return whether the embedded AWS that was started in `directory` runs.

    It holds a lock on a file there while it runs. A process id would not do, as another process may have it.
    """
    try:
        with (directory / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _listener() -> socket.socket:
    """Return a socket with a free port, which nobody else can take until the emulator listens on it."""
    found = socket.socket()
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as its server has it
    found.bind((HOST, 0))
    return found


def _wait_until_ready(process: subprocess.Popen[bytes], emulator: Emulator, tls: TlsFiles, log: Path) -> None:
    context = ssl.create_default_context(cafile=str(tls.authority))
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPSConnection(HOST, emulator.port, context=context, timeout=5)
        try:
            connection.request("GET", _HEALTH_PATH)
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    state = "ended" if process.poll() is not None else f"did not answer within {_START_SECONDS} s"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise CliError(f"the embedded AWS {state}; the end of its log {log}:\n{tail}")
