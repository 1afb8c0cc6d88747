"""One embedded AWS with the service in it, IAM and TLS enforced, shared by the tests of a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from l4e_cli import commands
from l4e_cli.instance import stop_instance
from l4e_cli.terminal import Terminal
from tests.aws_limits import require_deployed
from tests.e2e.cloud import SERVICE, Cloud
from tests.parallel import in_parallel


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and put them where they belong in the order of all tests.

    One after the other they run last: the others are faster to tell what is wrong. Beside the others they run
    first: they are the longest pieces of work that one process has to do.
    """

    def is_ours(item: pytest.Item) -> bool:
        return Path(__file__).parent in item.path.parents

    for item in filter(is_ours, items):
        item.add_marker("e2e")
    items.sort(key=is_ours, reverse=in_parallel(config))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    directory = tmp_path_factory.mktemp("cloud") / "state"
    instance = commands.start(Terminal(out=Console(quiet=True)), directory)
    try:
        running = Cloud(instance, tmp_path_factory.mktemp("work"))
        running.deploy(running.synth({}), SERVICE)
        yield running
        session, endpoint = running.aws.session, running.instance.endpoint
        require_deployed(
            session.client("lambda", endpoint_url=endpoint),
            session.client("stepfunctions", endpoint_url=endpoint),
        )
    finally:
        stop_instance(directory)
