"""Rules for the events that a deployed service sends to the default event bus of its account and Region."""

from collections.abc import Sequence
from typing import TypedDict

from aws_cdk import aws_events as events
from constructs import Construct

from constructs_l4e import _environments, _validate
from constructs_l4e.interfaces import IEquipmentService

SOURCE = "constructs-l4e"
"""Source of every event, as the service has it."""

INGESTION_STATE_CHANGE = "Ingestion State Change"
MODEL_VERSION_STATE_CHANGE = "Model Version State Change"
EXECUTION_FAILED = "Inference Execution Failed"
WINDOWS_MISSED = "Inference Windows Missed"
ANOMALY_BEGAN = "Anomaly Began"
ANOMALY_ENDED = "Anomaly Ended"
LEVEL_MOVED = "Level Moved"

_LONGEST_NAME = 64


class EventOptions(TypedDict, total=False):
    """Options of the `on_*` methods: those of `aws_events.OnEventOptions`."""

    target: events.IRuleTarget
    """What is told. Default: nothing; `add_target` of the rule adds targets."""
    cross_stack_scope: Construct
    """Scope of the rule when its target is in another stack, to avoid cycles. Default: the resource."""
    description: str
    """What the rule is for. Default: none."""
    event_pattern: events.EventPattern
    """What events must match besides, as `EventPattern(detail={"Status": ["FAILED"]})`. Default: nothing."""
    rule_name: str
    """Name of the rule, 1 to 64 letters, digits and `._-`. Default: one that CloudFormation makes."""


def rule(
    scope: Construct,
    id: str,
    *,
    service: IEquipmentService,
    arn: str,
    detail_types: Sequence[str],
    options: EventOptions,
) -> events.Rule:
    """Return a rule for events of some kinds about a resource.

    Args:
        scope: the construct of the resource.
        id: construct id of the rule.
        service: the service that has the resource.
        arn: ARN of the resource, or a pattern that ends in `*`.
        detail_types: kinds of events.
        options: what the caller says of the rule.

    Raises:
        ValueError: when the service is AWS's own, or known to be in another account or Region than the rule,
            or the name of the rule is not legal.
    """
    if not service.has_events:
        raise ValueError(
            f'"{scope.node.path}/{id}" would match no event: AWS\'s own service sends none, only a '
            "deployed one does; use alarms on the metrics of the resource"
        )
    _environments.require_environment_of(service, options.get("cross_stack_scope", scope))
    if (name := options.get("rule_name")) is not None:
        _validate.aws_name(name, longest=_LONGEST_NAME, what="rule_name", signs="._-")
    made = events.Rule(
        scope,
        id,
        description=options.get("description"),
        rule_name=name,
        event_pattern=options.get("event_pattern"),
        cross_stack_scope=options.get("cross_stack_scope"),
    )
    made.add_event_pattern(
        source=[SOURCE],
        detail_type=list(detail_types),
        resources=events.Match.prefix(arn.removesuffix("*")) if arn.endswith("*") else [arn],
    )
    made.add_target(options.get("target"))
    return made
