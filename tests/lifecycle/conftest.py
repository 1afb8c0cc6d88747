"""One boto3 client for all worlds, without real waiting between its retries; for some, the real service."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.lifecycle.world import Wire
from tests.service.api.conftest import aws, clients, deploy, engines, proxy, service, variables

__all__ = ["aws", "clients", "deploy", "engines", "proxy", "service", "variables", "wire"]  # fixtures


@pytest.fixture(scope="session")
def wire() -> Iterator[Wire]:
    """The client. One world uses it at a time."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        yield Wire()
