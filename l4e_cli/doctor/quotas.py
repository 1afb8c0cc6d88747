"""What the account may run at once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from l4e_cli.doctor.deployment import Deployment
from l4e_cli.doctor.finding import Finding, not_checked, ok, problem
from l4e_cli.doctor.reading import Account, Unread, read
from l4e_cli.words import count

AREA = "Quotas"
_PARALLEL_READS = 5
"""Files that an ingestion reads at once, by default."""
_BESIDES = 2
"""Functions that run besides readers and inferences: the API, and what waits for it or tidies up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How many functions the account may run at once that reserve nothing, and what may run.

    Args:
        concurrency: the quota, less what other functions reserve.
        parallel_reads: files that an ingestion reads at once.
        schedulers: inference schedulers that run; all of them may be due in the same minute.
        memory_mib: memory of the largest function that is deployed; None when none is.
    """

    concurrency: int | Unread
    parallel_reads: int = _PARALLEL_READS
    schedulers: int = 0
    memory_mib: int | None = None


def collect(
    account: Account, deployment: Deployment | None, *, schedulers: int, memory_mib: int | None
) -> Facts:
    """Read the quota of the account and the width of the ingestion."""
    settings = read("lambda:GetAccountSettings", account.client("lambda").get_account_settings)
    return Facts(
        concurrency=Unread("AWS does not know this account")
        if settings is None
        else settings
        if isinstance(settings, Unread)
        else settings["AccountLimit"]["UnreservedConcurrentExecutions"],
        parallel_reads=_parallel_reads(account, deployment),
        schedulers=schedulers,
        memory_mib=memory_mib,
    )


def _parallel_reads(account: Account, deployment: Deployment | None) -> int:
    client = account.client("stepfunctions")
    for arn in () if deployment is None else deployment.of("AWS::StepFunctions::StateMachine"):
        machine = read(
            "states:DescribeStateMachine", partial(client.describe_state_machine, stateMachineArn=arn)
        )
        if machine is not None and not isinstance(machine, Unread):
            width = widest_map(json.loads(machine["definition"]))
            if width is not None:
                return width
    return _PARALLEL_READS


def widest_map(definition: Any) -> int | None:
    """Return how many children the map of a state machine has at once; None when it has no map."""
    states = definition.get("States", {}).values()
    return max((state["MaxConcurrency"] for state in states if "MaxConcurrency" in state), default=None)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what the facts mean."""
    yield _concurrency(facts)
    yield _memory(facts)


def _concurrency(facts: Facts) -> Finding:
    name, most = "concurrent functions", facts.concurrency
    if isinstance(most, Unread):
        return most.finding(name)
    needed = facts.parallel_reads + facts.schedulers + _BESIDES
    use = (
        f"{needed} may be wanted at once: {facts.parallel_reads} to read files, {facts.schedulers} to infer, "
        f"{_BESIDES} for the API"
    )
    if most < needed:
        return problem(
            name,
            f"the account may run {count(most, 'function')} at once, {use}; what is too much waits",
            fix="raise 'Concurrent executions' of AWS Lambda (L-B99A9384) in Service Quotas, or set a lower "
            "parallel_reads",
        )
    return ok(name, f"the account may run {most:,}; {use}")


def _memory(facts: Facts) -> Finding:
    name = "memory of a function"
    if facts.memory_mib is None:
        return not_checked(
            name,
            "AWS does not say how much an account may have: new accounts may be held to 3,008 MiB",
            fix="deploy: a function with more memory than allowed is refused",
        )
    return ok(name, f"the account has a function with {facts.memory_mib:,} MiB; AWS does not say its limit")
