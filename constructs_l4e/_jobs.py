"""Ingestion, training and inference: three functions, and the state machines that run the first two."""

import json
from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_l4e._access import Access, acknowledge_access, role
from constructs_l4e._acknowledge import LOG_DELIVERY, STATE_MACHINE, acknowledge, acknowledge_wildcards
from constructs_l4e._function_controls import machine_access, trace_machine
from constructs_l4e._functions import (
    function,
    function_role,
    lambda_principal,
    log_group,
    state_machine_log_group,
    write_logs,
)
from constructs_l4e._large_training import LargeTraining, TaskFiles, task_principal
from constructs_l4e._network import FunctionNetwork
from constructs_l4e._retries import SHORT_FAULTS, THROTTLED_FOR_AN_HOUR
from constructs_l4e._rule_packs import INLINE_POLICY, accept
from constructs_l4e._state import ServiceState
from constructs_l4e.events import SOURCE
from constructs_l4e.large_jobs import LargeJobs
from constructs_l4e.service_controls import ServiceControls

_LIMIT_MINUTES = 15
"""The longest that a Lambda function may run."""

EVERY_ACCOUNT_MIB = 3008
"""The most memory that a function of a new account can have: for ingestion, and by default for training."""

TRAINING_MIB = range(2048, 10_240 + 1)
"""Memory that a training function may have: below, little is left for values, and Lambda has no more."""

# Faults of the platform, not of the job: the step has not run, or may safely run again.
_RETRY = [
    THROTTLED_FOR_AN_HOUR.retry("Lambda.TooManyRequestsException"),
    SHORT_FAULTS.retry(
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
    ),
]


def training_mebibytes(memory: cdk.Size | None) -> int:
    """Return the memory of the training function; without `memory` it is what every account can have.

    Raises:
        ValueError: when no training function can have that much, or train with so little.
    """
    if memory is None:
        return EVERY_ACCOUNT_MIB
    known = not memory.is_unresolved()
    given = int(memory.to_mebibytes()) if known else 0
    if given not in TRAINING_MIB:
        shown = f"{given:,} MiB" if known else "known to the deployment only"
        raise ValueError(
            f"training_memory is {shown}: give {TRAINING_MIB[0]:,} to {TRAINING_MIB[-1]:,} MiB, such as"
            " Size.mebibytes(3008), the most in a new account, or Size.gibibytes(10)"
        )
    return given


class Jobs(Construct):
    """The functions that access customer data, all with the one role that customer roles trust."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        state: ServiceState,
        code: lambda_.Code,
        layer: lambda_.ILayerVersion,
        environment: Mapping[str, str],
        access_role_path: str,
        metric_namespace: str,
        training_mib: int,
        parallel_reads: int,
        large_jobs: LargeJobs | None,
        import_access: Sequence[Access],
        network: FunctionNetwork,
        controls: ServiceControls,
    ) -> None:
        super().__init__(scope, id)
        self._state = state
        self._controls = controls
        self.publish_metrics = Access(
            actions=("cloudwatch:PutMetricData",),
            resources=("*",),
            # On AWS every such call has this key, so IfExists allows no more than StringEquals. The policy
            # check of the embedded AWS does not know the key.
            conditions={"StringEqualsIfExists": {"cloudwatch:namespace": metric_namespace}},
            wildcard_reason="metrics have no ARN; the condition confines them to the namespace",
        )
        self.send_events = Access(
            actions=("events:PutEvents",),
            resources=(_default_event_bus(self),),
            # AWS has as many values of this key as sources in a request, which takes a set operator; every
            # event has a source. Like IfExists it admits a request without the key, as the policy check of
            # the embedded AWS sees each.
            conditions={"ForAllValues:StringEquals": {"events:source": SOURCE}},
        )
        files = None if large_jobs is None else TaskFiles(self, code=code, layer=layer)
        logs = {name: log_group(self, f"{name}Log", controls) for name in ("Ingest", "Train", "Infer")}
        access_roles = cdk.Stack.of(self).format_arn(
            service="iam",
            region="",
            resource=f"role{access_role_path}*",
            arn_format=cdk.ArnFormat.NO_RESOURCE_NAME,
        )
        self.role = function_role(
            self,
            "Role",
            description="LookoutEquipment jobs: the principal that roles for data access trust",
            # Tasks run under this role too, because it is the one that customer roles trust.
            assumed_by=None
            if files is None
            else iam.CompositePrincipal(lambda_principal(), task_principal(self)),
            access=[
                write_logs(*logs.values()),
                *state.records("GetItem", "PutItem", "Query", "UpdateItem"),
                state.objects(
                    "AbortMultipartUpload",
                    "GetObject",
                    "PutObject",
                    under=("datasets/*", "documents/*", "models/*", "schedulers/*"),
                ),
                # Of a scheduler that was deleted while it inferred.
                state.objects("DeleteObject", under=("schedulers/*",)),
                # Kept rows that an import puts others in place of.
                state.objects("DeleteObject", under=("models/*/accumulated/*",)),
                state.listing(),
                state.object_keys("Decrypt", "GenerateDataKey"),
                Access(
                    actions=("sts:AssumeRole",),
                    resources=(access_roles,),
                    wildcard_reason="requests name the role that may read and write their data; only roles on"
                    " this path that trust the service can be assumed",
                ),
                self.publish_metrics,
                self.send_events,
                *import_access,
                *(files.access if files else ()),
            ],
            network=network,
            controls=controls,
        )
        kept = controls.reserved_concurrency
        reserved = (
            {}
            if kept is None
            else {"Ingest": kept.ingestion, "Train": kept.training, "Infer": kept.inference}
        )

        def job(name: str, description: str, memory_mb: int, scratch_gb: int) -> lambda_.Function:
            return function(
                self,
                name,
                description=description,
                code=code,
                handler=f"service.jobs.{name.lower()}.handler",
                role=self.role,
                log_group=logs[name],
                environment=environment,
                memory_mb=memory_mb,
                timeout=cdk.Duration.minutes(_LIMIT_MINUTES),
                network=network,
                controls=controls,
                reserved=reserved.get(name),
                scratch=cdk.Size.gibibytes(scratch_gb),
                layers=[layer],
            )

        self.memory = {
            "L4E_INGEST_MEMORY_MIB": str(EVERY_ACCOUNT_MIB),
            "L4E_TRAIN_MEMORY_MIB": str(training_mib),
        }
        self.ingest = job("Ingest", "Reads sensor files into columns", EVERY_ACCOUNT_MIB, 10)
        self.train = job("Train", "Trains and evaluates a model version", training_mib, 10)
        self.infer = job("Infer", "Scores new sensor data with a model", 1024, 1)
        self.ingest_machine = self._machine(
            "IngestMachine", self.ingest, _ingest_steps(parallel_reads), distributed=True
        )
        self.large: LargeTraining | None = None
        if large_jobs is not None and files is not None:
            self.large = LargeTraining(
                self,
                "Large",
                jobs=large_jobs,
                role=self.role,
                files=files,
                environment=environment,
                training_mib=training_mib,
                controls=controls,
            )
        self.train_machine = self._machine(
            "TrainMachine", self.train, _train_steps(self.large), large=self.large
        )

    def start_executions(self) -> Access:
        """Return the right to start a job."""
        return Access(actions=("states:StartExecution",), resources=self._machine_arns)

    def look_at_executions(self) -> Access:
        """Return the right to ask whether a job runs, and how it ended."""
        return Access(
            actions=("states:DescribeExecution",),
            resources=[f"{_executions(machine)}:*" for machine in (self.ingest_machine, self.train_machine)],
            wildcard_reason="the executions of the service's own state machines: each job has one",
        )

    def stop_trainings(self) -> Access:
        """Return the right to stop the execution of a training, as of a retraining that is cancelled."""
        return Access(
            actions=("states:StopExecution",),
            resources=(f"{_executions(self.train_machine)}:*",),
            wildcard_reason="the executions of the service's own state machine: each training has one",
        )

    @property
    def _machine_arns(self) -> list[str]:
        return [self.ingest_machine.state_machine_arn, self.train_machine.state_machine_arn]

    def ends_badly(self) -> events.EventPattern:
        """Return the pattern of the events that say that the execution of a job ended badly."""
        return events.EventPattern(
            source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={"status": ["FAILED", "ABORTED", "TIMED_OUT"], "stateMachineArn": self._machine_arns},
        )

    def _machine(
        self,
        name: str,
        worker: lambda_.Function,
        steps: Mapping[str, object],
        *,
        distributed: bool = False,
        large: LargeTraining | None = None,
    ) -> sfn.StateMachine:
        access = [
            Access(actions=("lambda:InvokeFunction",), resources=(worker.function_arn,)),
            *machine_access(self._controls),
        ]
        substitutions = {"Worker": worker.function_arn, "Partition": cdk.Aws.PARTITION}
        if large is not None:
            access += large.access()
            substitutions |= large.substitutions
        if distributed:
            access += [
                self._state.objects("GetObject", under=("datasets/*/manifest.json",)),
                self._state.object_keys("Decrypt"),
                *self._state.records("UpdateItem"),
            ]
            substitutions |= {
                "Table": self._state.table.table_name,
                "UpdateItem": f"arn:{cdk.Aws.PARTITION}:states:::dynamodb:updateItem",
            }
        machine = sfn.StateMachine(
            self,
            name,
            role=role(
                self,
                f"{name}Role",
                description=f"{name}: runs the steps of a LookoutEquipment job",
                assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
                access=access,
            ),
            definition_body=sfn.DefinitionBody.from_string(json.dumps(steps)),
            definition_substitutions=substitutions,
            logs=sfn.LogOptions(
                destination=state_machine_log_group(self, f"{name}Log", self._controls),
                level=sfn.LogLevel.ALL,
            ),
        )
        trace_machine(machine, self._controls)
        if not self._controls.tracing_enabled:
            acknowledge(machine, STATE_MACHINE)
        acknowledge_wildcards(machine.role, ("*",), LOG_DELIVERY)
        if distributed:
            _allow_child_executions(machine)
        return machine


def _default_event_bus(scope: Construct) -> str:
    """Return the ARN of the default event bus of the account and Region."""
    return cdk.Stack.of(scope).format_arn(service="events", resource="event-bus", resource_name="default")


def _allow_child_executions(machine: sfn.StateMachine) -> None:
    """Allow a Distributed Map to start executions of its own machine.

    The rights name the ARN of the machine, so they are in a policy that is made after it.
    """
    executions = _executions(machine)
    access: Sequence[Access] = (
        Access(actions=("states:StartExecution",), resources=(machine.state_machine_arn,)),
        Access(
            actions=("states:DescribeExecution", "states:StopExecution"),
            resources=(f"{executions}:*", f"{executions}/*"),
            wildcard_reason="the executions of this state machine's own map runs",
        ),
    )
    policy = iam.Policy(
        machine, "ChildExecutions", statements=[each.statement() for each in access], roles=[machine.role]
    )
    acknowledge_access(policy, access)
    accept(policy, INLINE_POLICY)


def _executions(machine: sfn.StateMachine) -> str:
    """Return the beginning of the ARN of every execution of a state machine."""
    return cdk.Stack.of(machine).format_arn(
        service="states",
        resource="execution",
        resource_name=machine.state_machine_name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


def _invoke(step: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """Return a task that has the worker function do one step of the job."""
    return {
        "Type": "Task",
        "Resource": "${Worker}",
        "Parameters": {"Step": step, **arguments},
        "TimeoutSeconds": 60 * _LIMIT_MINUTES + 60,
        "Retry": _RETRY,
    }


def _ingest_steps(parallel_reads: int) -> dict[str, object]:
    """Return the steps of an ingestion or an import. One that fails ends it with its own error and cause."""
    job = {"JobId.$": "$.JobId"}
    return {
        "Comment": "Ingest a dataset: plan, read each file, merge; or import one, or a model version",
        "StartAt": "IngestOrImport",
        "States": {
            "IngestOrImport": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.Import", "IsPresent": True, "Next": "Import"}],
                "Default": "Plan",
            },
            "Import": {**_invoke("import", {"Work.$": "$"}), "End": True},
            "Plan": {**_invoke("plan", job), "Next": "ReadFiles"},
            "ReadFiles": {
                "Type": "Map",
                "ItemReader": {
                    "Resource": "arn:${Partition}:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSON"},
                    "Parameters": {"Bucket.$": "$.Manifest.Bucket", "Key.$": "$.Manifest.Key"},
                },
                "ItemSelector": {**job, "Item.$": "$$.Map.Item.Value"},
                "MaxConcurrency": parallel_reads,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Read",
                    "States": _read_steps(job),
                },
                "ResultPath": None,
                "Next": "Finish",
            },
            "Finish": {**_invoke("finish", job), "End": True},
        },
    }


def _read_steps(job: Mapping[str, object]) -> dict[str, object]:
    """Return the steps of a child execution, which reads one file.

    A map with a failed child does not say why the child failed. So the child notes the first failure in the
    record of the job, without a function, for functions may be what fails.
    """
    return {
        "Read": {
            **_invoke("read", {**job, "Item.$": "$.Item"}),
            # Results are in the service bucket: a thousand outputs would not fit into an execution.
            "OutputPath": None,
            "End": True,
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.Error", "Next": "NoteFailure"}],
        },
        "NoteFailure": {
            "Type": "Task",
            "Resource": "${UpdateItem}",
            "Parameters": {
                "TableName": "${Table}",
                "Key": {"pk": {"S": "ingestion-job"}, "sk": {"S.$": "$.JobId"}},
                "ConditionExpression": "attribute_exists(pk)",
                "UpdateExpression": "SET readFailure = if_not_exists(readFailure, :failure)",
                "ExpressionAttributeValues": {
                    ":failure": {"M": {"Error": {"S.$": "$.Error.Error"}, "Cause": {"S.$": "$.Error.Cause"}}}
                },
            },
            "ResultPath": None,
            "Retry": [SHORT_FAULTS.retry("States.TaskFailed")],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "ReadFailed"}],
            "Next": "ReadFailed",
        },
        "ReadFailed": {"Type": "Fail", "ErrorPath": "$.Error.Error", "CausePath": "$.Error.Cause"},
    }


def _train_steps(large: LargeTraining | None) -> dict[str, object]:
    version = {"ModelName.$": "$.ModelName", "ModelVersion.$": "$.ModelVersion"}
    train = {**_invoke("train", version), "End": True}
    if large is None:
        return {
            "Comment": "Train one version of a model",
            "StartAt": "Train",
            "States": {"Train": train},
        }
    cells = "$.Size.Cells"
    return {
        "Comment": "Train one version of a model: in a function, or as a task if it is too large for one",
        "StartAt": "Plan",
        "States": {
            "Plan": {
                **_invoke("plan", version),
                "ResultPath": "$.Size",
                "Next": "Choose",
            },
            "Choose": {
                "Type": "Choice",
                "Choices": [
                    {
                        "And": [
                            {"Variable": cells, "IsPresent": True},  # absent when the version has ended
                            {"Variable": cells, "NumericGreaterThan": large.threshold},
                        ],
                        "Next": "TrainLarge",
                    }
                ],
                "Default": "Train",
            },
            "Train": train,
            "TrainLarge": {**large.step(), "End": True},
        },
    }
