"""Findings of rule packs in this library's templates that are accepted, each with the reason.

Ids are those of cdk-nag's AwsSolutions pack. Each is acknowledged on the narrowest construct that raises it.
Wildcard resources are acknowledged where they are granted (`_access.py`), with the reason given there.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from types import MappingProxyType

import aws_cdk as cdk
from constructs import IConstruct

from constructs_l4e import _rule_packs
from constructs_l4e._completion import when_complete
from constructs_l4e._memory import once, stack_of

PACK = "AwsSolutions-"

SERVICE_BUCKET = {
    "S1": "only this service's functions have access; who needs a record of each object request turns on"
    " CloudTrail data events for the bucket",
}
API_LOGS = {
    "APIG1": "access logs need a CloudWatch role that is one setting for all APIs of an account and Region,"
    " which a construct must not take over; the function logs every request that passes authorisation",
    "APIG6": "execution logs need the same account-wide CloudWatch role as access logs",
}
API = {
    "APIG2": "one operation per target header, not per path: the function validates each request against the"
    " service model, which a request validator cannot express",
    "APIG3": "every request must carry an IAM signature, so there is no anonymous traffic to filter; a web"
    " ACL can be associated with the stage",
    "COG4": "callers are AWS clients that sign with IAM credentials; the method requires AWS_IAM",
}
STATE_MACHINE = {
    "SF2": "the execution history and the logs hold every step; tracing would need rights on all resources",
}
DEAD_LETTERS = {
    "SQS3": "it is a dead-letter queue itself: of a function and of rules, not of another queue",
}
VPC_RANGE = {
    "EC23": "the endpoint is open to the address range of its VPC, a reference that the rule cannot read;"
    " open=False keeps it shut",
}
LOG_DELIVERY = (
    "the log-delivery actions that Step Functions logging needs support no resource-level permissions"
)


def acknowledge(
    scope: IConstruct, reasons: Mapping[str, str], *, also: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Acknowledge findings on `scope` and below it.

    Args:
        scope: the narrowest construct that has the findings.
        reasons: reason by rule id, without the prefix of the pack.
        also: those of other packs, in the same call, because each costs time at synthesis.
    """
    own = {f"{PACK}{rule}": reason for rule, reason in reasons.items()}
    _rule_packs.accept(scope, {**own, **also})


def acknowledge_wildcards(
    scope: IConstruct,
    arns: Sequence[str],
    reason: str,
    *,
    of_other_stacks: bool = False,
    also: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Acknowledge the wildcard resources among `arns` in the policies on `scope` and below it.

    Args:
        scope: the construct whose policies hold them.
        arns: the resources, of which those without wildcard are left out.
        reason: why the wildcards are needed.
        of_other_stacks: whether they refer to resources of other stacks. How a template writes those
            (export, parameter of a nested stack, output) the CDK decides once the app is complete.
        also: findings of other packs on `scope`, in the same call, because each costs time at synthesis.
    """
    if of_other_stacks:
        stack = stack_of(scope)
        once(stack, "wildcards", lambda: _Wildcards(stack)).add(scope, arns, reason, also)
    else:
        _acknowledge_texts(scope, template_texts(scope, arns), reason, also)


def _acknowledge_texts(scope: IConstruct, arns: Sequence[str], reason: str, also: Mapping[str, str]) -> None:
    acknowledge(scope, {f"IAM5[Resource::{text}]": reason for text in arns if "*" in text}, also=also)


class _Wildcards:
    """The wildcards of a stack that refer to other stacks; Node is asked once how it writes them."""

    def __init__(self, stack: cdk.Stack) -> None:
        self._stack = stack
        self._granted: list[tuple[IConstruct, Sequence[str], str, Mapping[str, str]]] = []
        when_complete(stack, self._acknowledge)

    def add(self, scope: IConstruct, arns: Sequence[str], reason: str, also: Mapping[str, str]) -> None:
        _rule_packs.validations_of(scope)  # asked for before the synthesis, which should ask for little
        self._granted.append((scope, arns, reason, also))

    def _acknowledge(self) -> Sequence[str]:
        texts = iter(template_texts(self._stack, [arn for _, arns, _, _ in self._granted for arn in arns]))
        for scope, arns, reason, also in self._granted:
            _acknowledge_texts(scope, list(islice(texts, len(arns))), reason, also)
        return ()


def acknowledge_range(
    endpoint: IConstruct,
    *,
    open: bool,  # noqa: A002 - CDK's name for it
    security_groups: Sequence[object] | None,
) -> None:
    """Acknowledge that an interface endpoint lets its VPC in, by the security group that CDK makes for it."""
    if open and not security_groups:
        group = endpoint.node.find_child("SecurityGroup")
        acknowledge(group, VPC_RANGE)
        _rule_packs.accept(group, _rule_packs.VPC_RANGE)


def template_text(scope: IConstruct, value: str) -> str:
    """Return `value` as a template holds it, with references in angle brackets."""
    (text,) = template_texts(scope, [value])
    return text


def template_texts(scope: IConstruct, values: Sequence[str]) -> list[str]:
    """Return `template_text` of many values, for which Node is asked once."""
    return [resolved_text(value) for value in stack_of(scope).resolve(list(values))]


def has_wildcard(scope: IConstruct, arn: str) -> bool:
    """Return whether an ARN, which may hold references, has a wildcard."""
    return "*" in template_text(scope, arn)


def resolved_text(value: object) -> str:
    """Return a resolved template value as rule packs write it: references in angle brackets."""
    match value:
        case {"Ref": str(name)}:
            return f"<{name}>"
        case str(text) | {"Fn::ImportValue": str(text)}:
            return text
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Sub": str(text)}:
            return text.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(resolved_text(part) for part in parts)
    return json.dumps(value, separators=(",", ":"))
