"""Executions of the state machines that run the jobs."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from service.context import Context


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
