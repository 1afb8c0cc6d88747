"""What is left to do for a stack when the app is complete: tags are known and references final."""

from collections.abc import Callable, Iterable

import aws_cdk as cdk
import jsii
from constructs import IValidation

from constructs_l4e._memory import node_of, once

Task = Callable[[], Iterable[str]]
"""Returns what is wrong, if anything is."""


def when_complete(stack: cdk.Stack, task: Task) -> None:
    """Have a task done before the templates of the app are written and rule packs look at them."""
    once(stack, "tasks", lambda: _Tasks(stack)).add(task)


@jsii.implements(IValidation)
class _Tasks:
    """All tasks of a stack as one validation, for which Node asks once."""

    def __init__(self, stack: cdk.Stack) -> None:
        self._tasks: list[Task] = []
        node_of(stack).add_validation(self)

    def add(self, task: Task) -> None:
        self._tasks.append(task)

    def validate(self) -> list[str]:
        """Return what is wrong."""
        return [problem for task in self._tasks for problem in task()]
