"""Answers of the CDK that never change, kept on the object that was asked.

Every question to a construct travels to the Node process and back, which is most of the time of a synthesis.
"""

from collections.abc import Callable
from typing import TypeVar

import aws_cdk as cdk
from constructs import IConstruct, Node

_Answer = TypeVar("_Answer")
_ANSWERS = "_constructs_l4e_answers"


def once(of: object, question: str, ask: Callable[[], _Answer]) -> _Answer:
    """Return the answer to a question about an object, which is asked the first time only."""
    answers: dict[str, _Answer] = vars(of).setdefault(_ANSWERS, {})
    if question not in answers:
        answers[question] = ask()
    return answers[question]


def stack_of(scope: IConstruct) -> cdk.Stack:
    """Return the stack of a construct."""
    return scope if isinstance(scope, cdk.Stack) else once(scope, "stack", lambda: cdk.Stack.of(scope))


def placed(construct: IConstruct, scope: IConstruct) -> None:
    """Remember the stack of a construct, which is that of its parent."""
    once(construct, "stack", lambda: stack_of(scope))


def node_of(stack: cdk.Stack) -> Node:
    """Return the node of a stack."""
    return once(stack, "node", lambda: stack.node)


def region_of(stack: cdk.Stack) -> str:
    """Return the Region of a stack, which may be a token."""
    return once(stack, "Region", lambda: stack.region)


def path_of(scope: IConstruct) -> str:
    """Return the path of a construct."""
    return once(scope, "path", lambda: scope.node.path)


def address_of(scope: IConstruct) -> str:
    """Return the address of a construct, which no other construct of the app has."""
    return once(scope, "addr", lambda: scope.node.addr)
