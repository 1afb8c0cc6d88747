"""The role of a scheduler, tried before it is accepted: by the inference function, which will assume it."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from service.aws_errors import THROTTLING_CODES
from service.context import Context
from service.errors import ValidationError

_log = logging.getLogger(__name__)


def require_access(context: Context, scheduler: Mapping[str, Any]) -> None:
    """Require that the role of a scheduler lets the service list its input and write its output.

    A trial that cannot be made refuses nothing: the first execution then says what is wrong.

    Raises:
        ValidationError: saying what was refused and what to change.
    """
    members = ("InferenceSchedulerArn", "RoleArn", "DataInputConfiguration", "DataOutputConfiguration")
    event = {"Step": "try-access", **{member: scheduler[member] for member in members}}
    try:
        reply = context.client("lambda").invoke(
            FunctionName=context.environment.infer_function, Payload=json.dumps(event).encode()
        )
        outcome = json.loads(reply["Payload"].read())
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in THROTTLING_CODES:
            raise
        _log.exception("the role '%s' could not be tried", scheduler["RoleArn"])
        return
    if "FunctionError" in reply:
        _log.error("the role '%s' could not be tried: %s", scheduler["RoleArn"], outcome)
    elif outcome["Refusal"] is not None:
        raise ValidationError(
            f"the role of the inference scheduler does not give the access it needs: {outcome['Refusal']}. "
            "A role or policy that is new takes some seconds to become known: then try again"
        )
