"""What goes on with records when nobody reads them: a function, its events, its dead letters.

It ends the records of jobs that could not do so themselves, and begins retrainings.
"""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_l4e import _rule_packs
from constructs_l4e._access import Access
from constructs_l4e._acknowledge import DEAD_LETTERS, acknowledge
from constructs_l4e._functions import function, function_role, log_group, write_logs
from constructs_l4e._jobs import Jobs
from constructs_l4e._key_policies import let_events_use
from constructs_l4e._network import FunctionNetwork
from constructs_l4e._state import ServiceState
from constructs_l4e.service_controls import ServiceControls

_INTERVAL_HOURS = 1
"""How often every record in progress and every schedule is looked at, whether or not there was an event."""

_PATIENCE_HOURS = 6
"""How long Lambda tries to run the function: the longest it can, in case the whole account is throttled."""

_KEPT_DAYS = 14
"""How long an event that could not be handled is kept: the longest that a queue can."""


class Reconciler(Construct):
    """Ends the records of executions that failed, were stopped, or were never started; begins retrainings.

    It is not one of the functions that do the work: when these are throttled or broken, it still runs, or is
    tried again for hours. What it misses is found when the record is read.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        state: ServiceState,
        jobs: Jobs,
        code: lambda_.Code,
        environment: Mapping[str, str],
        keep_schedules: Sequence[Access],
        network: FunctionNetwork,
        controls: ServiceControls,
    ) -> None:
        super().__init__(scope, id)
        log = log_group(self, "Log", controls)
        self.dead_letters = controls.dead_letter_queue or self._queue()
        if cdk.Resource.is_owned_resource(self.dead_letters):
            _rule_packs.accept(self.dead_letters, _rule_packs.DEAD_LETTERS)
        if self.dead_letters.encryption_master_key is not None:
            let_events_use(self, self.dead_letters.encryption_master_key)
        send = Access(actions=("sqs:SendMessage",), resources=(self.dead_letters.queue_arn,))
        reserved = controls.reserved_concurrency
        self.function = handler = function(
            self,
            "Function",
            description="Ends LookoutEquipment jobs that could not record their end, and begins retrainings",
            code=code,
            handler="service.reconciler.handler",
            role=function_role(
                self,
                "Role",
                description="LookoutEquipment reconciler: compares records with executions",
                access=[
                    write_logs(log),
                    *state.records("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
                    state.objects("GetObject", under=("datasets/*/manifest.json",)),
                    # Which sensors a model has, and when they have data: the windows of a retraining.
                    state.objects("GetObject", under=("datasets/*/report.json", "documents/*/schema*.json")),
                    # Of resources that are deleted.
                    state.objects(
                        "DeleteObject", under=("datasets/*", "documents/*", "models/*", "schedulers/*")
                    ),
                    state.listing(),
                    state.object_keys("Decrypt"),
                    jobs.start_executions(),
                    jobs.look_at_executions(),
                    jobs.stop_trainings(),
                    jobs.publish_metrics,
                    jobs.send_events,
                    *keep_schedules,
                    *([] if controls.dead_letter_queue else [send]),
                ],
                network=network,
                controls=controls,
            ).without_policy_updates(),
            log_group=log,
            environment=environment,
            memory_mb=256,
            timeout=cdk.Duration.minutes(5),
            network=network,
            controls=controls,
            reserved=None if reserved is None else reserved.reconciler,
        )
        handler.configure_async_invoke(
            max_event_age=cdk.Duration.hours(_PATIENCE_HOURS),
            retry_attempts=2,
            on_failure=destinations.SqsDestination(self.dead_letters),
        )
        events.Rule(
            self,
            "Rule",
            description="LookoutEquipment: when the execution of a job ended badly, and every hour",
            event_pattern=jobs.ends_badly(),
            schedule=events.Schedule.rate(cdk.Duration.hours(_INTERVAL_HOURS)),
            targets=[targets.LambdaFunction(handler, dead_letter_queue=self.dead_letters)],
        )

    def _queue(self) -> sqs.IQueue:
        queue = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(_KEPT_DAYS),
        )
        acknowledge(queue, DEAD_LETTERS)
        return queue
