"""Which parts work together: those of one service, in its account and Region."""

from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.interfaces import ResourceEnvironment
from aws_cdk.region_info import RegionInfo
from constructs import IConstruct

from constructs_l4e._memory import account_of, once, region_of, stack_of
from constructs_l4e._props import is_token
from constructs_l4e.interfaces import IEquipmentService

MANAGED = "AWS-managed"
"""Kind of identity of AWS's own service, of which an account has one in a Region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Account and Region of a service, which may be tokens."""

    account: str
    region: str


def home_of(service: IEquipmentService) -> Home:
    """Return account and Region of a service."""
    return once(service, "home", lambda: _home(service.env))


def _home(env: ResourceEnvironment) -> Home:
    return Home(account=env.account, region=env.region)


def require_environment_of(service: IEquipmentService, user: IConstruct) -> None:
    """Require that `user` is in the account and the Region of its service.

    Raises:
        ValueError: when it is known not to be, or refers to a service of this app in another environment.
    """
    stack, home = stack_of(user), home_of(service)
    refers = is_token(service.provider_service_token)
    for what, mine, theirs in (
        ("account", account_of(stack), home.account),
        ("Region", region_of(stack), home.region),
    ):
        known_mine, known_theirs = _known(mine), _known(theirs)
        if known_mine == known_theirs or not (refers or (known_mine and known_theirs)):
            continue
        raise ValueError(
            f'"{user.node.path}" is in {what} {_shown(known_mine)}, and its service "{service.node.path}" in '
            f"{what} {_shown(known_theirs)}: CloudFormation reaches the service from its own account and "
            "Region only, also with cross_region_references; give both stacks the same env=, or use a "
            "service that is deployed there"
        )


def require_region_of(part: s3.IBucket | kms.IKey, user: IConstruct, *, kind: str = "bucket") -> None:
    """Require that a bucket or a key is in the Region of its user, as far as both are known.

    Raises:
        ValueError: when it is in another one.
    """
    theirs, mine = once(part, "Region", lambda: part.env.region), region_of(stack_of(user))
    if is_known_to_differ(theirs, mine):
        raise ValueError(
            f'{kind} "{part.node.path}" is in Region "{theirs}", and "{user.node.path}", which uses it, in '
            f'"{mine}": the service uses {kind}s of its own Region only, so use one there, for instance a '
            "replica"
        )


def require_home_of_key(key: kms.IKey, service: IEquipmentService, user: IConstruct) -> None:
    """Require that a key is where the service is that encrypts with it, as far as both are known.

    Raises:
        ValueError: when it is in another Region, or in another account than a deployed service.
    """
    home, mine = once(key, "home", lambda: _home(key.env)), home_of(service)
    managed = service.identity is not None and service.identity[0] == MANAGED
    for what, theirs, ours in (
        ("Region", home.region, mine.region),
        ("account", mine.account if managed else home.account, mine.account),
    ):
        if is_known_to_differ(theirs, ours):
            raise ValueError(
                f'key "{key.node.path}" is in {what} "{theirs}", and the service of "{user.node.path}", '
                f'which encrypts with it, in "{ours}": use a key that was made there'
            )


def require_same_service(part: str, theirs: IEquipmentService, service: IEquipmentService) -> None:
    """Require that a part that exists already is not of another service.

    Args:
        part: the part, such as `model "tuned"`.
        theirs: the service that has it.
        service: the service that it is to be used with.

    Raises:
        ValueError: when they are known to be different.
    """
    if theirs is service or theirs.identity is None or service.identity is None:
        return
    kinds = {theirs.identity[0], service.identity[0]}
    if theirs.identity != service.identity and (len(kinds) == 1 or MANAGED in kinds):
        raise ValueError(
            f'{part} is of service "{theirs.node.path}", not of "{service.node.path}": pass that service, or '
            "a part of this one"
        )


def require_environment_of_arn(arn: str, what: str, service: IEquipmentService) -> None:
    """Require that the ARN of a part has the account and the Region of its service, as far as known.

    Raises:
        ValueError: when it has others.
    """
    if is_token(arn):
        return
    _, _, _, region, account, *_ = arn.split(":")
    for part, mine, theirs in (
        ("Region", region, home_of(service).region),
        ("account", account, home_of(service).account),
    ):
        if is_known_to_differ(mine, theirs):
            raise ValueError(
                f'{what} "{arn}" has {part} "{mine}", and its service "{service.node.path}" is in '
                f'"{theirs}": pass an ARN of that {part}, or import the service that has it'
            )


def require_partition_of_source(arn: str, what: str, service: IEquipmentService) -> None:
    """Require that what is imported has the partition of the service that gets it, as far as that is known.

    Raises:
        ValueError: when it has another.
    """
    region = _known(home_of(service).region)
    if is_token(arn) or not region:
        return
    mine, theirs = arn.split(":")[1], RegionInfo.get(region).partition
    if theirs is not None and mine != theirs:
        raise ValueError(
            f'{what} "{arn}" is of the partition "{mine}", and the service "{service.node.path}" runs in '
            f'"{theirs}", out of reach of other partitions: name what begins with "arn:{theirs}:"'
        )


def is_known_to_differ(one: str, other: str) -> bool:
    """Return whether two accounts or two Regions are known, and not the same."""
    return bool(_known(one) and _known(other)) and one != other


def _known(value: str) -> str:
    return "" if is_token(value) else value


def _shown(value: str) -> str:
    return f'"{value}"' if value else "that is not known (env= is not set)"
