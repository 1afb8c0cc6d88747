"""Trainings that do not fit into a function: where and how they run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from constructs_l4e import _props

# vCPU -> smallest memory, largest memory and step in GiB. Source: Amazon ECS, "Task CPU and memory".
_FARGATE = {1: (2, 8, 1), 2: (4, 16, 1), 4: (8, 30, 1), 8: (16, 60, 4), 16: (32, 120, 8)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeJobs:
    """Trainings above a size run as AWS Batch tasks on Fargate instead of in a function.

    Args:
        vpc: network of the tasks. They need a route to DynamoDB, KMS, Lambda, S3, STS and CloudWatch Logs,
            and to the registry of `image`.
        vpc_subnets: subnets of the tasks. Default: the private subnets of `vpc`.
        assign_public_ip: whether tasks get a public address, which they need in public subnets to reach the
            registry of `image`. Default: False.
        security_groups: security groups of the tasks. Default: a new one with all traffic out and none in.
        threshold_cells: size above which a training is a task: rows of its longer window times sensors, 1 or
            more. Default: what the training function carries: 132 million with 3,008 MiB, in proportion more
            up to 450 million with 10,240 MiB, the service's quota of 1,500,000 rows and 300 sensors.
        cpu: vCPUs of a task: 1, 2, 4, 8 or 16. Default: 4.
        memory: memory of a task. Default: the most that Fargate offers with `cpu`, 30 GiB for 4.
        ephemeral_storage: disk of a task, 21 to 200 GiB, for the columns of the dataset. Default: 100 GiB.
        timeout: how long one task may run. Default: 12 hours.
        image: image to start, with bash, curl, the AWS CLI, python3.14 on arm64, and boto3. Default: AWS's
            public image of the functions' Python runtime.

    Raises:
        ValueError: when Fargate does not offer `memory` with `cpu` (Amazon ECS, "Task CPU and memory"), or
            `threshold_cells` is less than 1.
    """

    vpc: ec2.IVpc
    vpc_subnets: ec2.SubnetSelection | None = None
    assign_public_ip: bool = False
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    threshold_cells: int | None = None
    cpu: int = 4
    memory: cdk.Size | None = None
    ephemeral_storage: cdk.Size = field(default_factory=lambda: cdk.Size.gibibytes(100))
    timeout: cdk.Duration = field(default_factory=lambda: cdk.Duration.hours(12))
    image: ecs.ContainerImage | None = None

    def __post_init__(self) -> None:
        _props.check_fields(self)
        if self.cpu not in _FARGATE:
            raise ValueError(f"cpu is {self.cpu}: Fargate has {', '.join(map(str, _FARGATE))} vCPU")
        if not self.task_memory.is_unresolved():
            least, most, step = _FARGATE[self.cpu]
            given = self.task_memory.to_gibibytes(rounding=cdk.SizeRoundingBehavior.NONE)
            if not (least <= given <= most and given % step == 0):
                raise ValueError(
                    f"memory is {given:g} GiB: with {self.cpu} vCPU Fargate has {least} to {most} GiB in"
                    f" steps of {step}"
                )
        if self.threshold_cells is not None and self.threshold_cells < 1:
            raise ValueError(
                f"threshold_cells is {self.threshold_cells}: give rows times sensors, 1 or more, or leave it"
                " out for what one function carries"
            )

    @property
    def task_memory(self) -> cdk.Size:
        """Memory of a task: `memory`, or its default."""
        return self.memory or cdk.Size.gibibytes(_FARGATE[self.cpu][1])
