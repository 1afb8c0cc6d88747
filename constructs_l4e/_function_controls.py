"""Controls on the functions and state machines of a service, and the rights that these need for them."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import IConstruct

from constructs_l4e._access import Access, service_name
from constructs_l4e.service_controls import ServiceControls

NONE = ServiceControls()
"""The controls of a service that is given none."""

_SEGMENTS = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
_SAMPLING = ("xray:GetSamplingRules", "xray:GetSamplingTargets")
_TRACING_REASON = "AWS offers no resource-level permissions for the actions that traces are sent with"


def function_access(scope: IConstruct, controls: ServiceControls) -> tuple[Access, ...]:
    """Return the rights that the role of every function needs."""
    access: list[Access] = []
    if controls.tracing_enabled:
        access.append(Access(actions=_SEGMENTS, resources=("*",), wildcard_reason=_TRACING_REASON))
    queue = controls.dead_letter_queue
    if queue is not None:
        access.append(Access(actions=("sqs:SendMessage",), resources=(queue.queue_arn,)))
        if queue.encryption_master_key is not None:
            access.append(_send_encrypted(scope, queue.encryption_master_key))
    return tuple(access)


def _send_encrypted(scope: IConstruct, key: kms.IKey) -> Access:
    return Access(
        actions=("kms:Decrypt", "kms:GenerateDataKey"),
        resources=(key.key_arn,),
        conditions={"StringEquals": {"kms:ViaService": service_name(scope, "sqs")}},
    )


def machine_access(controls: ServiceControls) -> tuple[Access, ...]:
    """Return the rights that the role of every state machine needs."""
    if not controls.tracing_enabled:
        return ()
    return (Access(actions=(*_SAMPLING, *_SEGMENTS), resources=("*",), wildcard_reason=_TRACING_REASON),)


def control_function(function: lambda_.IFunction, controls: ServiceControls, *, reserved: int | None) -> None:
    """Apply the controls to a function, whose role must have `function_access`.

    They are set on the resource: CDK's props would add rights of their own, and its provider framework has
    no such props.
    """
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)  # noqa: S101 - what lambda_.Function consists of
    if reserved is not None:
        resource.reserved_concurrent_executions = reserved
    if controls.tracing_enabled:
        resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
    if controls.dead_letter_queue is not None:
        resource.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(
            target_arn=controls.dead_letter_queue.queue_arn
        )


def trace_machine(machine: IConstruct, controls: ServiceControls) -> None:
    """Turn on tracing of a state machine, whose role must have `machine_access`."""
    if not controls.tracing_enabled:
        return
    resource = machine.node.default_child
    assert isinstance(resource, sfn.CfnStateMachine)  # noqa: S101 - what a state machine consists of
    resource.tracing_configuration = sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True)
