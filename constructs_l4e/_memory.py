"""Answers of the CDK that never change, kept on the object that was asked.

Every question to a construct travels to the Node process and back, which is most of the time of a synthesis.
"""

from collections.abc import Callable
from typing import TypeVar

import aws_cdk as cdk
from constructs import IConstruct, Node

_Answer = TypeVar("_Answer")
_ANSWERS = "_constructs_l4e_answers"
_PLACE = "_constructs_l4e_place"


def once(of: object, question: str, ask: Callable[[], _Answer]) -> _Answer:
    """Return the answer to a question about an object, which is asked the first time only."""
    answers: dict[str, _Answer] = vars(of).setdefault(_ANSWERS, {})
    if question not in answers:
        answers[question] = ask()
    return answers[question]


def stack_of(scope: IConstruct) -> cdk.Stack:
    """Return the stack of a construct."""
    return scope if isinstance(scope, cdk.Stack) else once(scope, "stack", lambda: cdk.Stack.of(scope))


def placed(construct: IConstruct, scope: IConstruct, id: str) -> None:
    """Remember where a construct is: its stack is that of its parent, and its path goes on from there."""
    once(construct, "stack", lambda: stack_of(scope))
    vars(construct)[_PLACE] = scope, id


def node_of(scope: IConstruct) -> Node:
    """Return the node of a construct."""
    return once(scope, "node", lambda: scope.node)


def name_of(stack: cdk.Stack) -> str:
    """Return the name of a stack, which is a token if it is a nested one."""
    return once(stack, "name", lambda: stack.stack_name)


def id_of_this_stack() -> str:
    """Return the UUID that CloudFormation gives the stack that refers to it, and no other one ever."""
    return cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))


def partition_of(stack: cdk.Stack) -> str:
    """Return the partition of a stack, which may be a token."""
    return _arn_of(stack)[1]


def region_of(stack: cdk.Stack) -> str:
    """Return the Region of a stack, which may be a token."""
    return _arn_of(stack)[3]


def account_of(stack: cdk.Stack) -> str:
    """Return the account of a stack, which may be a token."""
    return _arn_of(stack)[4]


def _arn_of(stack: cdk.Stack) -> list[str]:
    """Return the parts of an ARN in a stack: one question, for partition, Region and account."""
    return once(stack, "ARN", lambda: stack.format_arn(service="any", resource="any").split(":"))


def path_of(scope: IConstruct) -> str:
    """Return the path of a construct."""
    return once(scope, "path", lambda: node_of(scope).path)


def ids_below(scope: IConstruct, top: IConstruct) -> list[str]:
    """Return the ids of the constructs from below `top`, which is the construct itself or above it, on."""
    if scope is top:
        return []
    place: tuple[IConstruct, str] | None = vars(scope).get(_PLACE)
    if place is None:
        return path_of(scope).removeprefix(path_of(top)).removeprefix("/").split("/")
    parent, id_ = place
    return [*ids_below(parent, top), id_.replace("/", "--")]


def address_of(scope: IConstruct) -> str:
    """Return the address of a construct, which no other construct of the app has."""
    return once(scope, "addr", lambda: node_of(scope).addr)
