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
    """Remember where a construct is: its stack is that of its parent, and its path continues that one."""
    once(construct, "stack", lambda: stack_of(scope))
    vars(construct)[_PLACE] = scope, id


def node_of(scope: IConstruct) -> Node:
    """Return the node of a construct."""
    return once(scope, "node", lambda: scope.node)


def name_of(stack: cdk.Stack) -> str:
    """Return the name of a stack, which is a token if it is a nested one."""
    return once(stack, "name", lambda: stack.stack_name)


def region_of(stack: cdk.Stack) -> str:
    """Return the Region of a stack, which may be a token."""
    return once(stack, "Region", lambda: stack.region)


def path_of(scope: IConstruct) -> str:
    """Return the path of a construct."""
    return once(scope, "path", lambda: _path(scope))


def _path(scope: IConstruct) -> str:
    place: tuple[IConstruct, str] | None = vars(scope).get(_PLACE)
    if place is None:
        return node_of(scope).path
    parent, id_ = place
    return "/".join(part for part in (path_of(parent), id_.replace("/", "--")) if part)


def address_of(scope: IConstruct) -> str:
    """Return the address of a construct, which no other construct of the app has."""
    return once(scope, "addr", lambda: node_of(scope).addr)
