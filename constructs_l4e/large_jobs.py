"""Training that does not fit into a function: what an app says of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

# vCPU -> smallest memory, largest memory and step in GiB. Source: Amazon ECS, "Task CPU and memory".
_FARGATE = {1: (2, 8, 1), 2: (4, 16, 1), 4: (8, 30, 1), 8: (16, 60, 4), 16: (32, 120, 8)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeJobs:
    """Trainings above a size run as AWS Batch tasks on Fargate instead of in a function.

    Raises:
        ValueError: Fargate has no such combination of `cpu` and `memory`, or `threshold_cells` is no size.
    """

    vpc: ec2.IVpc
    """Where the tasks run. They need ways to DynamoDB, KMS, Lambda, S3, STS and CloudWatch Logs, and to the
    registry of `image`."""
    vpc_subnets: ec2.SubnetSelection | None = None
    """Default: the private subnets of the VPC."""
    assign_public_ip: bool = False
    """Whether tasks get a public address: their way to `image` in public subnets, where no NAT leads out."""
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    """Default: a new one, which lets everything out and nothing in."""
    threshold_cells: int | None = None
    """Rows of the longer window times sensors, above which a training is a task. Default: 450 million, which
    is the service's own quota of 1,500,000 rows and 300 sensors, for a training function of 10,240 MiB; less
    in proportion for a smaller one."""
    cpu: int = 4
    """vCPUs of a task: 1, 2, 4, 8 or 16."""
    memory: cdk.Size | None = None
    """Memory of a task. Default: the most that Fargate has for its `cpu`, 30 GiB for 4."""
    ephemeral_storage: cdk.Size = field(default_factory=lambda: cdk.Size.gibibytes(100))
    """Disk of a task, 21 to 200 GiB, for the columns of the dataset. Default: 100 GiB."""
    timeout: cdk.Duration = field(default_factory=lambda: cdk.Duration.hours(12))
    """How long one task may run. Default: 12 hours."""
    image: ecs.ContainerImage | None = None
    """Image to start. Default: AWS's public image of the functions' own Python runtime. Another one needs
    what that has: bash, curl, the AWS CLI, python3.14 on arm64, and boto3."""

    def __post_init__(self) -> None:
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
        """Memory of a task, the default included."""
        return self.memory or cdk.Size.gibibytes(_FARGATE[self.cpu][1])
