"""One boto3 client for all worlds, without real waiting between its retries; for some, the real service."""

from types import SimpleNamespace

import pytest

from tests.lifecycle.world import Wire
from tests.service.api.conftest import aws, clients, deploy, engines, proxy, service, variables

__all__ = ["aws", "clients", "deploy", "engines", "proxy", "service", "variables", "wire"]  # fixtures


@pytest.fixture(scope="session")
def wire() -> Wire:
    """The client. One world uses it at a time."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        return Wire()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
