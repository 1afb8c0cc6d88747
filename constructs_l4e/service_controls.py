"""What the rules of an account ask of the service, beyond what every account gets."""

from dataclasses import dataclass, fields

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

CUSTOM_RESOURCE_FUNCTIONS = 5
"""Two of this library, three of CDK's provider framework."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedConcurrency:
    """Runs that are kept for each function, and the most that it can have at once.

    They are taken from the account's concurrent executions, of which AWS keeps 100 for functions without a
    reservation. An account with the quota of new ones, 10, can reserve none.

    Args:
        api: of the API function: requests that are answered at once. Default: 20.
        ingestion: of the ingestion function, with `parallel_reads` for each ingestion job. Default: 25.
        training: of the training function, one for each model. Default: 5.
        inference: of the inference function, one for each scheduler that is due. Default: 15.
        reconciler: of the function that ends jobs which cannot do so themselves. Default: 2.
        custom_resources: of each of the five functions behind the custom resources. Default: 5.

    Raises:
        ValueError: when a number is below 1, which would switch the function off.
    """

    api: int = 20
    ingestion: int = 25
    training: int = 5
    inference: int = 15
    reconciler: int = 2
    custom_resources: int = 5

    def __post_init__(self) -> None:
        for each in fields(self):
            given = getattr(self, each.name)
            if isinstance(given, bool) or not isinstance(given, int):
                raise TypeError(f"{each.name} is {given!r}, and runs are counted in whole numbers, from 1")
            if not cdk.Token.is_unresolved(given) and given < 1:
                raise ValueError(
                    f"{each.name} is {given}, and a function without runs is switched off: give the runs to"
                    " keep for it, from 1"
                )

    @property
    def total(self) -> int:
        """Concurrent executions of the account that all functions together take."""
        single = self.api + self.ingestion + self.training + self.inference + self.reconciler
        return single + CUSTOM_RESOURCE_FUNCTIONS * self.custom_resources


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceControls:
    """What the rules of an account ask of a service, such as those of NIST 800-53, HIPAA or PCI DSS.

    Args:
        reserved_concurrency: runs that are kept for each function. Default: none, all functions of the
            account share its quota.
        dead_letter_queue: standard SQS queue of the events that functions and rules could not handle.
            Default: a queue of the service, for its reconciler only; scheduled inferences that could not be
            started are found by the next one.
        tracing_enabled: whether X-Ray traces the API, the functions and the state machines. Default: False.
        log_retention: how long every log is kept. Default: three months.
        log_encryption_key: key of every log. CloudWatch Logs is let in by the policy of a key that the app
            makes; an imported one must allow it already. Default: `encryption_key` of the service; if that
            has none either, the key of CloudWatch Logs.
        api_logging: whether API Gateway logs each request and its own errors. The account must have a role
            for that, which is one setting for all its APIs in the Region (`apigateway.CfnAccount`).
            Default: False; the API function logs the requests that reach it.
        api_throttle: requests a second, and at once, that the API takes, before it answers
            `ThrottlingException`. Default: what the account allows.
        access_logs_bucket: bucket for the server access logs of the service's bucket; an imported one needs
            a policy that lets them in. Default: there are none.
        permissions_boundary: boundary of all roles of the service. Default: none.

    Raises:
        ValueError: when `api_throttle` lacks one of its two limits, or the queue is a FIFO queue.
    """

    reserved_concurrency: ReservedConcurrency | None = None
    dead_letter_queue: sqs.IQueue | None = None
    tracing_enabled: bool = False
    log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS
    log_encryption_key: kms.IKey | None = None
    api_logging: bool = False
    api_throttle: apigateway.ThrottleSettings | None = None
    access_logs_bucket: s3.IBucket | None = None
    permissions_boundary: iam.IManagedPolicy | None = None

    def __post_init__(self) -> None:
        throttle = self.api_throttle
        if throttle is not None and None in (throttle.rate_limit, throttle.burst_limit):
            missing = "rate_limit" if throttle.rate_limit is None else "burst_limit"
            raise ValueError(
                f"api_throttle has no {missing}, and API Gateway takes both limits: give"
                " ThrottleSettings(rate_limit=50, burst_limit=100), for instance"
            )
        if self.dead_letter_queue is not None and self.dead_letter_queue.fifo:
            raise ValueError(
                f"dead_letter_queue '{self.dead_letter_queue.node.path}' is a FIFO queue, to which neither"
                " Lambda nor EventBridge sends what it could not handle: give a standard queue"
            )
