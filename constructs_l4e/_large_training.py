"""Training as an AWS Batch task on Fargate: queue, job definition, and the step of the state machine.

There is no image to build. A task starts AWS's public image of the functions' runtime (the SAM build image,
which the CDK bundles with: the Lambda base image with the AWS CLI, without entry point) and fetches what the
functions run: the same code asset, and the same layer with numpy and pyarrow. So function and task cannot
differ, and neither synthesis nor deployment needs Docker. An image of our own would need Docker, would pin
the numeric packages a second time, and would be built again for every change of the code.
"""

import math
from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_batch as batch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_l4e._access import Access
from constructs_l4e._functions import log_group
from constructs_l4e._retries import SHORT_FAULTS, THROTTLED_FOR_AN_HOUR
from constructs_l4e._rule_packs import INLINE_POLICY, accept
from constructs_l4e.large_jobs import LargeJobs
from constructs_l4e.service_controls import ServiceControls
from constructs_l4e.settings import ServiceSettings

IMAGE = "public.ecr.aws/sam/build-python3.14:latest-arm64"
"""For the runtime and the processor of `_packages`."""

FUNCTION_CELLS = 1_500_000 * 300
"""Rows times sensors that a training function with the most memory can train: the service's quota."""
FUNCTION_MIB = 10_240
_FULL_WIDTH = 300
"""Sensors that sizes are told with, as people think in rows."""

PARALLEL_TASKS = 5
"""Tasks that run at once: the default of `pending_models`. More wait in the queue."""

QUEUE_SECONDS = 86_400
"""How long a task may wait to be started."""

START = """\
set -euo pipefail
folder=$(mktemp -d)
aws s3api get-object --bucket "$L4E_CODE_BUCKET" --key "$L4E_CODE_KEY" \
  --expected-bucket-owner "$L4E_ACCOUNT" "$folder/code.zip" > /dev/null
layer=$(aws lambda get-layer-version-by-arn --arn "$L4E_LAYER" --query Content.Location --output text)
curl --fail --silent --show-error --output "$folder/layer.zip" "$layer"
for part in code layer; do
  python3.14 -m zipfile -e "$folder/$part.zip" "$folder/$part"
done
export PYTHONPATH="$folder/code:$folder/layer/python:/var/runtime"
exec python3.14 -m service.jobs.task "$@"
"""

# Faults while the task is submitted, not failures of the task itself.
_RETRY = [
    THROTTLED_FOR_AN_HOUR.retry("Batch.TooManyRequestsException"),
    SHORT_FAULTS.retry(
        "Batch.AWSBatchException",
        "Batch.BatchException",
        "Batch.SdkClientException",
        "Batch.ServerException",
    ),
]


def function_cells(training_mib: int) -> int:
    """Return the rows times sensors that a training function carries: its memory and processors go together.

    It is about a third of what memory holds, so that sensors which need float64 fit as well.
    """
    return math.floor(FUNCTION_CELLS * min(1, training_mib / FUNCTION_MIB))


class TaskFiles:
    """Where a task finds the code and the layer of the functions: its environment and its rights."""

    def __init__(self, scope: Construct, *, code: lambda_.Code, layer: lambda_.ILayerVersion) -> None:
        location = cast("s3.Location", code.bind(scope).s3_location)
        self.environment = {
            "L4E_CODE_BUCKET": location.bucket_name,
            "L4E_CODE_KEY": location.object_key,
            "L4E_LAYER": layer.layer_version_arn,
        }
        code_arn = cdk.Stack.of(scope).format_arn(
            service="s3",
            region="",
            account="",
            resource=location.bucket_name,
            resource_name=location.object_key,
        )
        self.access = (
            Access(actions=("s3:GetObject",), resources=(code_arn,)),
            Access(actions=("lambda:GetLayerVersion",), resources=(layer.layer_version_arn,)),
        )


def task_principal(scope: Construct) -> iam.IPrincipal:
    """Return the ECS principal, for tasks of this account and Region only."""
    stack = cdk.Stack.of(scope)
    tasks = stack.format_arn(service="ecs", resource="*", arn_format=cdk.ArnFormat.NO_RESOURCE_NAME)
    return iam.ServicePrincipal(
        "ecs-tasks.amazonaws.com",
        conditions={
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": tasks},
        },
    )


class LargeTraining(Construct):
    """Queue and job definition of large trainings; they cost nothing while nothing is trained."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        jobs: LargeJobs,
        role: iam.IRole,
        files: TaskFiles,
        environment: Mapping[str, str],
        training_mib: int,
        controls: ServiceControls,
    ) -> None:
        super().__init__(scope, id)
        self._jobs = jobs
        self._controls = controls
        self.threshold = jobs.threshold_cells or function_cells(training_mib)
        place = batch.FargateComputeEnvironment(
            self,
            "Environment",
            vpc=jobs.vpc,
            vpc_subnets=jobs.vpc_subnets,
            security_groups=list(jobs.security_groups) if jobs.security_groups else None,
            maxv_cpus=jobs.cpu * PARALLEL_TASKS,
        )
        self._queue = batch.JobQueue(
            self,
            "Queue",
            compute_environments=[batch.OrderedComputeEnvironment(compute_environment=place, order=1)],
        )
        self._definition = batch.EcsJobDefinition(
            self,
            "Definition",
            container=self._container(role, {**environment, **files.environment}),
            timeout=jobs.timeout,
            # A second attempt would not help: a task records its failures, or ends because of its size.
            retry_attempts=1,
        )

    def _container(
        self, role: iam.IRole, environment: Mapping[str, str]
    ) -> batch.EcsFargateContainerDefinition:
        jobs = self._jobs
        # Starts the container: the CDK lets it write the log, and pull an image that needs a right.
        execution_role = iam.Role(
            self,
            "ExecutionRole",
            description="LookoutEquipment tasks: starts their containers",
            assumed_by=task_principal(self),
        )
        accept(execution_role, INLINE_POLICY)
        return batch.EcsFargateContainerDefinition(
            self,
            "Container",
            image=jobs.image or ecs.ContainerImage.from_registry(IMAGE),
            command=["bash", "-c", START, "task", "train"],
            environment={**environment, "AWS_DEFAULT_REGION": cdk.Aws.REGION},
            cpu=jobs.cpu,
            memory=jobs.task_memory,
            ephemeral_storage_size=jobs.ephemeral_storage,
            fargate_cpu_architecture=ecs.CpuArchitecture.ARM64,
            fargate_operating_system_family=ecs.OperatingSystemFamily.LINUX,
            assign_public_ip=jobs.assign_public_ip,
            job_role=role,
            execution_role=execution_role,
            logging=ecs.LogDriver.aws_logs(
                log_group=log_group(self, "Log", self._controls), stream_prefix="train"
            ),
        )

    def step(self) -> dict[str, object]:
        """Return the step that runs a training as a task; `substitutions` holds what it refers to."""
        return {
            "Type": "Task",
            "Resource": "${SubmitJob}",
            "Parameters": {
                "JobName.$": "$$.Execution.Name",
                "JobQueue": "${Queue}",
                "JobDefinition": "${Definition}",
                "ContainerOverrides": {
                    "Environment": [{"Name": "L4E_EVENT", "Value.$": "States.JsonToString($)"}]
                },
            },
            "TimeoutSeconds": self._jobs.timeout.to_seconds() + QUEUE_SECONDS,
            "Retry": _RETRY,
        }

    @property
    def substitutions(self) -> dict[str, str]:
        """Values of the placeholders in the step."""
        return {
            "SubmitJob": f"arn:{cdk.Aws.PARTITION}:states:::batch:submitJob.sync",
            "Queue": self._queue.job_queue_arn,
            "Definition": self._definition.job_definition_arn,
        }

    def access(self) -> list[Access]:
        """Return the rights that a state machine needs to run the step."""
        stack = cdk.Stack.of(self)
        return [
            Access(
                actions=("batch:SubmitJob",),
                resources=(self._queue.job_queue_arn, self._definition.job_definition_arn),
            ),
            Access(
                actions=("batch:DescribeJobs",),
                resources=("*",),
                wildcard_reason="AWS offers no resource-level permissions for this action",
            ),
            Access(
                actions=("batch:TerminateJob",),
                resources=(stack.format_arn(service="batch", resource="job", resource_name="*"),),
                wildcard_reason="a job gets its id when it is submitted; a stopped execution ends its job",
            ),
            Access(
                actions=("events:DescribeRule", "events:PutRule", "events:PutTargets"),
                resources=(
                    stack.format_arn(
                        service="events",
                        resource="rule",
                        resource_name="StepFunctionsGetEventsForBatchJobsRule",
                    ),
                ),
            ),
        ]


def check_quota(
    scope: Construct, settings: ServiceSettings, *, training_mib: int, threshold: int | None
) -> None:
    """Say when the settings allow trainings that the function does not carry, or none that would be a task.

    It is a warning where no memory would help, and an information where more of it does: the default settings
    are the quotas of the service, and the default function is what a new account can have.

    Args:
        scope: the construct that carries the message.
        settings: the limits.
        training_mib: memory of the training function.
        threshold: rows times sensors above which a training is a task; None when there are no tasks.
    """
    largest, carried = settings.largest_training, function_cells(training_mib)
    if threshold is None and largest > FUNCTION_CELLS:
        cdk.Annotations.of(scope).add_warning_v2(
            "constructs-l4e:trainingBeyondFunction",
            f"the settings allow trainings of {largest:,.0f} cells (rows x sensors), one function carries"
            f" {FUNCTION_CELLS:,}: pass large_jobs=, or lower training_rows, evaluation_rows or"
            " columns_per_model",
        )
    elif threshold is None and largest > carried:
        rows = carried // _FULL_WIDTH
        cdk.Annotations.of(scope).add_info_v2(
            "constructs-l4e:trainingBeyondMemory",
            f"the settings allow trainings of {largest:,.0f} cells (rows x sensors); a function of"
            f" {training_mib:,} MiB carries {carried:,}, such as {rows:,} rows of {_FULL_WIDTH} sensors, and"
            " larger ones may fail. Pass training_memory=Size.gibibytes(10) when the account may have it, or"
            " large_jobs=, for more",
        )
    if threshold is not None and largest <= threshold:
        cdk.Annotations.of(scope).add_warning_v2(
            "constructs-l4e:largeJobsUnused",
            f"the settings allow trainings of {largest:,.0f} cells (rows x sensors), and large_jobs begins"
            f" above {threshold:,}: raise training_rows, evaluation_rows or columns_per_model, or lower"
            " threshold_cells",
        )
