"""The state machines of ingestion, training and custom resources: what failed in the last day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from l4e_cli.doctor.deployment import REPAIR, Deployment
from l4e_cli.doctor.finding import Finding, ok, problem
from l4e_cli.doctor.reading import LOOK_BACK, Account, Unread, read
from l4e_cli.words import count

AREA = "Jobs"
_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")
_MOST_READ = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A state machine, and how many of its executions ended badly; `failures` is None when it is gone."""

    name: str
    failures: int | Unread | None


def collect(account: Account, deployment: Deployment, *, now: datetime) -> Sequence[Machine]:
    """Read how the latest executions ended."""
    client = account.client("stepfunctions")
    return [
        Machine(
            name=arn.rpartition(":")[2],
            failures=read("states:ListExecutions", partial(_failures, client, arn, now)),
        )
        for arn in deployment.of("AWS::StepFunctions::StateMachine")
    ]


def _failures(client: Any, arn: str, now: datetime) -> int:
    """Return how many of the latest executions ended badly; they come newest first."""
    return sum(
        execution["startDate"] > now - LOOK_BACK
        for status in _BADLY
        for execution in client.list_executions(
            stateMachineArn=arn, statusFilter=status, maxResults=_MOST_READ
        )["executions"]
    )


def check(machines: Sequence[Machine]) -> Iterator[Finding]:
    """Yield what the facts mean."""
    wrong = [found for each in machines if (found := _fault(each)) is not None]
    yield from wrong
    if machines and not wrong:
        yield ok("executions", f"{count(len(machines), 'state machine')}, nothing failed in the last day")


def _fault(machine: Machine) -> Finding | None:
    match machine.failures:
        case Unread() as unread:
            return unread.finding("executions")
        case None:
            return problem(
                "executions",
                f"state machine {machine.name} does not exist any more",
                fix=REPAIR,
            )
        case 0:
            return None
        case failures:
            return problem(
                "executions",
                f"{count(failures, 'execution')} of {machine.name} ended badly in the last day",
                fix="DescribeDataIngestionJob or DescribeModel says why (FailedReason)",
            )
