"""The audit record: one line of JSON a call, with the fields that AWS CloudTrail has for the managed service.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import json
import sys
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from service.context import Context
from service.requests.caller import Caller
from service.requests.wire import Exchange

_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail writes in place of a value that it must not show."""

_NOT_SHOWN = frozenset({"InlineDataSchema", "NextToken", "Notes"})
"""Members that hold the customer's data (names of sensors, remarks), or let their owner read on."""

_LONGEST_ELEMENT = 100_000
"""Characters of request or reply; CloudTrail leaves out what is larger than 100 KB."""

_LONGEST_NAME = 100
_LONGEST_PATH = 1000
_READING = ("Describe", "List")

_TYPES = {
    "dataset": "AWS::LookoutEquipment::Dataset",
    "inference-scheduler": "AWS::LookoutEquipment::InferenceScheduler",
    "label-group": "AWS::LookoutEquipment::LabelGroup",
    "model": "AWS::LookoutEquipment::Model",
}


def record(exchange: Exchange, caller: Caller, context: Context) -> dict[str, Any]:
    """Return the audit record of a call: who, from where, with what parameters, and how it ended."""
    reads = exchange.operation.startswith(_READING)
    account, region = context.arns.account, context.arns.region
    return {
        "eventVersion": "1.08",
        "userIdentity": _identity(caller),
        "eventTime": f"{context.now():%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "lookoutequipment.amazonaws.com",
        "eventName": exchange.operation[:_LONGEST_NAME],
        "awsRegion": region,
        "sourceIPAddress": caller.source_ip,
        "userAgent": caller.user_agent,
        **_failure(exchange),
        "requestParameters": _element(exchange.request),
        # As in CloudTrail, only of calls that change something.
        "responseElements": None if reads else _element(exchange.reply),
        "additionalEventData": {
            "path": caller.path[:_LONGEST_PATH],
            "httpStatus": exchange.status,
            "milliseconds": exchange.milliseconds,
        },
        "requestID": exchange.request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": reads,
        "resources": list(_resources(exchange, account)),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        **({"vpcEndpointId": caller.vpc_endpoint} if caller.vpc_endpoint else {}),
    }


def write(record: Mapping[str, Any]) -> None:
    """Write an audit record as a line of its own to the log of the function.

    Not through `logging`, whose lines in a function are JSON of their own, with this one as a text inside:
    CloudWatch Logs Insights finds fields only in a line that is JSON itself.
    """
    sys.stdout.write(f"{json.dumps(record, default=float)}\n")


def _identity(caller: Caller) -> dict[str, Any]:
    identity: dict[str, Any] = {
        "type": caller.kind,
        "principalId": caller.principal_id,
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": caller.access_key,
    }
    if caller.role is not None:
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": caller.principal_id.partition(":")[0],
                "accountId": caller.account,
                "userName": caller.role,
            }
        }
    return identity


def _failure(exchange: Exchange) -> dict[str, str | None]:
    if exchange.error is None:
        return {}
    return {"errorCode": exchange.error.code, "errorMessage": exchange.message}


def _resources(exchange: Exchange, account: str) -> Iterator[dict[str, str]]:
    """Yield the resources of the service that request and reply name by their ARN."""
    found = {
        value: None
        for part in (exchange.request, exchange.reply)
        for name, value in (part or {}).items()
        if name.endswith("Arn") and isinstance(value, str)
    }
    for arn in found:
        kind = arn.rpartition(":")[2].partition("/")[0]
        if ":lookoutequipment:" in arn and kind in _TYPES:
            yield {"ARN": arn, "accountId": account, "type": _TYPES[kind]}


def _element(value: Mapping[str, Any] | None) -> Any:
    """Return a request or a reply as the record shows it."""
    if not value:
        return None
    shown = _shown(value)
    size = len(json.dumps(shown, default=float))
    if size > _LONGEST_ELEMENT:
        return {"omitted": True, "originalSize": size, "reason": "too large"}
    return shown


def _shown(value: Any) -> Any:
    """Return a value with the names of members as CloudTrail writes them, and without what is not shown."""
    if isinstance(value, Mapping):
        return {
            f"{name[:1].lower()}{name[1:]}": _HIDDEN if name in _NOT_SHOWN else _shown(member)
            for name, member in value.items()
        }
    return [_shown(one) for one in value] if isinstance(value, list) else value
