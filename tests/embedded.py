"""The embedded AWS for tests: one ministack process, on loopback, ended by its process id."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from tests.aws_limits import held
from tests.waiting import PATIENCE

REGION = "eu-west-1"
ACCOUNT = "000000000000"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
SESSION = boto3.Session()
"""What the clients of tests are made from: the default session keeps the settings of who used it first."""


@dataclass(frozen=True, slots=True)
class EmbeddedAws:
    """A running emulator."""

    endpoint: str
    _shared: dict[str, Any] = field(default_factory=dict, repr=False)

    def shared_client(self, service: str) -> Any:
        """Return the client of `service` for all tests that change nothing in it: a new one is costly."""
        if service not in self._shared:
            self._shared[service] = self.client(service)
        return self._shared[service]

    def client(self, service: str) -> Any:
        """Return a boto3 client of `service` that talks to the emulator, within AWS's limits."""
        return held(
            SESSION.client(
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            )
        )

    def create_table(self, name: str) -> None:
        """Create the service's table."""
        self.shared_client("dynamodb").create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def create_bucket(self, name: str) -> None:
        """Create a bucket in the emulator's region."""
        self.shared_client("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
        )


@contextmanager
def embedded_aws(directory: Path) -> Iterator[EmbeddedAws]:
    """Run an emulator that keeps what it writes in `directory`; it is gone when the block ends."""
    log = directory / "ministack.log"
    with socket.socket() as listener, log.open("wb") as output:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", 0))  # from now on nobody else can take its port
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "hypercorn", "ministack.app:app", "--workers", "0"]
        command += ["--bind", f"fd://{listener.fileno()}", "--keep-alive", "75", "--log-level", "WARNING"]
        process = subprocess.Popen(
            command,
            cwd=directory,
            pass_fds=(listener.fileno(),),
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(port),
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "TMPDIR": str(directory),
                "MINISTACK_REGION": REGION,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_health(f"http://127.0.0.1:{port}", process, log)
        yield EmbeddedAws(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_health(endpoint: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2):  # noqa: S310  loopback
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise RuntimeError(f"ministack did not start: {log.read_text()[-2000:]}")
