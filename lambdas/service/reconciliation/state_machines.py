"""Executions of the state machines that run the jobs."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from service.context import Context
from service.reconciliation.failed_reason import Error


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineExecution:
    """What Step Functions says of an execution; `error` is empty unless it ended badly."""

    status: str
    error: Error


def start_execution(context: Context, state_machine: str, name: str, data: Mapping[str, Any]) -> None:
    """Start the execution `name` with the input `data`, unless it was started before.

    Args:
        context: the context of the service.
        state_machine: ARN of the state machine.
        name: identifies the execution; a name is used once per state machine.
        data: input of the execution.
    """
    client = context.client("stepfunctions")
    with suppress(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=state_machine, name=name, input=json.dumps(data))


def find_execution(context: Context, state_machine: str, name: str) -> MachineExecution | None:
    """Return the execution `name`, None when it was never started or ended more than 90 days ago."""
    client = context.client("stepfunctions")
    try:
        found = client.describe_execution(executionArn=_execution_arn(state_machine, name))
    except client.exceptions.ExecutionDoesNotExist:
        return None
    said = {"Error": found.get("error"), "Cause": found.get("cause")}
    return MachineExecution(status=found["status"], error={name: text for name, text in said.items() if text})


def stop_execution(context: Context, state_machine: str, name: str, cause: str) -> None:
    """Stop the execution `name` for a `cause`; one that was never started, or has ended, is left alone."""
    client = context.client("stepfunctions")
    with suppress(client.exceptions.ExecutionDoesNotExist):
        client.stop_execution(executionArn=_execution_arn(state_machine, name), cause=cause)


def _execution_arn(state_machine: str, name: str) -> str:
    return f"{state_machine.replace(':stateMachine:', ':execution:')}:{name}"
