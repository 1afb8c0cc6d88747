"""Facts that can or cannot be read, and how findings are shown."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from rich.console import Console

from l4e_cli.doctor import alarms
from l4e_cli.doctor.finding import not_checked, ok, problem
from l4e_cli.doctor.reading import Unread, read
from l4e_cli.doctor.report import Area, conclude, document, show
from l4e_cli.terminal import Terminal


def raising(error: Exception) -> Callable[[], str]:
    def call() -> str:
        raise error

    return call


def refused(code: str, message: str = "") -> Callable[[], str]:
    return raising(ClientError({"Error": {"Code": code, "Message": message}}, "DescribeTable"))


def test_what_can_be_read() -> None:
    assert read("x:Read", lambda: "fact") == "fact"


@pytest.mark.parametrize(
    "call",
    [
        refused("ResourceNotFoundException"),
        refused("404"),
        refused("ParameterNotFound"),
        refused("ValidationError", "Stack with id X does not exist"),
    ],
)
def test_what_is_not_there(call: Callable[[], str]) -> None:
    assert read("x:Read", call) is None


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation"])
def test_a_missing_right_is_named(code: str) -> None:
    found = read("dynamodb:DescribeTable", refused(code, "User: me ..."))

    assert found == Unread(
        "these credentials may not call dynamodb:DescribeTable",
        fix="allow dynamodb:DescribeTable, or ask somebody who may",
    )


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (refused("Throttling", "Rate exceeded"), "x:Read failed: Throttling Rate exceeded"),
        (
            raising(EndpointConnectionError(endpoint_url="https://x")),
            'x:Read got no answer: Could not connect to the endpoint URL: "https://x"',
        ),
    ],
)
def test_other_faults_say_what_happened(call: Callable[[], str], why: str) -> None:
    assert read("x:Read", call) == Unread(why)


def metric(namespace: str, *dimensions: str) -> dict[str, Any]:
    return {
        "Namespace": namespace,
        "MetricName": "InferenceFailed",
        "Dimensions": [{"Name": name, "Value": "x"} for name in dimensions],
    }


PLAIN = metric("Plant", "ModelName", "InferenceSchedulerName")
IN_EXPRESSION = {"Metrics": [{"Expression": "a"}, {"MetricStat": {"Metric": PLAIN}}]}
OF_A_FUNCTION = metric("Plant", "FunctionName")


@pytest.mark.parametrize("namespace", ["Plant", None])
@pytest.mark.parametrize("alarm", [PLAIN, IN_EXPRESSION])
def test_alarms_on_schedulers_are_found(alarm: dict[str, Any], namespace: str | None) -> None:
    assert alarms.metric_of(alarm, namespace) == PLAIN


@pytest.mark.parametrize(
    ("alarm", "namespace"),
    [
        (PLAIN, "Other"),
        (IN_EXPRESSION, "Other"),
        (OF_A_FUNCTION, "Plant"),
        ({"Metrics": [{"MetricStat": {"Metric": OF_A_FUNCTION}}]}, None),
    ],
)
def test_other_alarms_are_left_alone(alarm: dict[str, Any], namespace: str | None) -> None:
    assert alarms.metric_of(alarm, namespace) is None


AREAS = (
    Area(name="Account", findings=[ok("credentials", "me")]),
    Area(
        name="State",
        findings=[
            problem("key", "k is [bold]Disabled", fix="aws kms enable-key --key-id k"),
            not_checked("table", "these credentials may not call it", fix="allow it"),
            not_checked("bucket", "no answer"),
        ],
    ),
)


def test_a_log_shows_a_line_for_each_check_and_each_fix() -> None:
    printed = io.StringIO()
    terminal = Terminal(out=Console(file=printed, highlight=False, soft_wrap=True))
    for area in AREAS:
        show(terminal, area)
    conclude(terminal, AREAS)

    assert printed.getvalue() == (
        """
Account
  ok           credentials: me

State
  problem      key: k is [bold]Disabled
               -> aws kms enable-key --key-id k
  not checked  table: these credentials may not call it
               -> allow it
  not checked  bucket: no answer

1 ok, 1 problem, 2 not checked
"""
    )


def test_the_document_says_everything() -> None:
    found = document(AREAS)

    assert found["ok"] is False
    assert found["checks"][1] == {
        "area": "State",
        "check": "key",
        "status": "problem",
        "text": "k is [bold]Disabled",
        "fix": "aws kms enable-key --key-id k",
    }
    assert [each["status"] for each in found["checks"]] == ["ok", "problem", "not checked", "not checked"]
    assert document(AREAS[:1])["ok"] is True


def test_the_page_names_every_right_that_is_needed() -> None:
    root = Path(__file__).parents[4]
    source = "".join(path.read_text() for path in (root / "l4e_cli" / "doctor").glob("*.py"))
    needed = set(re.findall(r'read\(\s*"([a-z0-9-]+:[A-Za-z]+)"', source))
    page = (root / "docs" / "doctor.md").read_text().partition("## Rights")[2].partition("##")[0]

    assert len(needed) > 10
    assert set(re.findall(r"`([a-z0-9-]+:[A-Za-z]+)`", page)) == needed
