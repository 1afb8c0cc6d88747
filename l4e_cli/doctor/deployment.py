"""The stack of the service, and what is in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from l4e_cli.doctor.finding import Finding, not_checked, ok, problem
from l4e_cli.doctor.reading import Account, Unread, pages, read

AREA = "Stack"
_GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_REST_API = "AWS::ApiGateway::RestApi"
REPAIR = (
    "deploy the stack again, with a change to this resource: CloudFormation leaves alone what is the same"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployed stack.

    Args:
        name: its name.
        status: as CloudFormation calls it.
        reason: why it is in that status, if CloudFormation says so.
        outputs: its outputs by name.
        resources: physical ids by type.
    """

    name: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str]
    resources: Mapping[str, Sequence[str]]

    def of(self, kind: str) -> Sequence[str]:
        """Return the physical ids of one type of resources."""
        return self.resources.get(kind, ())

    @property
    def has_service(self) -> bool:
        """Whether the service is in this stack."""
        return bool(self.of(_REST_API) and self.of("AWS::Lambda::Function"))

    @property
    def rest_api(self) -> str:
        """Id of the API of the service."""
        return self.of(_REST_API)[0]

    @property
    def stage(self) -> str | None:
        """Name of its stage."""
        return next(iter(self.of("AWS::ApiGateway::Stage")), None)


def collect(account: Account, stack: str) -> Deployment | Unread | None:
    """Read the stack; None when there is none of that name."""
    client = account.client("cloudformation")
    described = read("cloudformation:DescribeStacks", lambda: client.describe_stacks(StackName=stack))
    if described is None or isinstance(described, Unread):
        return described
    resources = read("cloudformation:ListStackResources", lambda: _resources(client, stack))
    if resources is None or isinstance(resources, Unread):
        return resources
    found = described["Stacks"][0]
    return Deployment(
        name=found["StackName"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
        resources=resources,
    )


def _resources(client: Any, stack: str) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for each in pages(client, "list_stack_resources", "StackResourceSummaries", StackName=stack):
        if each.get("PhysicalResourceId") and each["ResourceStatus"] != "DELETE_COMPLETE":
            found.setdefault(each["ResourceType"], []).append(each["PhysicalResourceId"])
    return found


def check(deployment: Deployment | Unread | None, *, stack: str) -> Iterator[Finding]:
    """Yield whether the stack is there, as a whole."""
    match deployment:
        case Unread():
            yield deployment.finding("stack")
        case None:
            yield not_checked(
                "stack",
                f"there is no stack {stack!r} in this Region: only the account was looked at",
                fix="deploy the service, or name the stack that has it with --stack",
            )
        case _:
            yield _status(deployment)
            if not deployment.has_service:
                yield problem(
                    "service",
                    f"stack {stack!r} has no REST API with functions",
                    fix="name the stack that has the `EquipmentService` with --stack",
                )


def _status(deployment: Deployment) -> Finding:
    text = f"{deployment.name} is {deployment.status}" + (
        f": {deployment.reason}" if deployment.reason else ""
    )
    if deployment.status in _GOOD:
        return ok("stack", text)
    if deployment.status.endswith("_IN_PROGRESS"):
        return not_checked("stack", f"{text}: what follows may change", fix="look again when it has ended")
    return problem("stack", text, fix="see the events of the stack in CloudFormation, then deploy it again")
