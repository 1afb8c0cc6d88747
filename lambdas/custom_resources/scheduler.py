"""What inference schedulers and retraining schedulers have in common: they run or are stopped."""

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from custom_resources.errors import ConflictError, FailedError, NotFoundError
from custom_resources.properties import Properties
from custom_resources.resource import (
    Again,
    Context,
    Done,
    Found,
    Outcome,
    TaggedResource,
    Wait,
    failed_reason,
)

# What completes a state in which a scheduler only is while its schedule is being changed.
_VERBS = {"PENDING": "Start", "STOPPING": "Stop"}


class Scheduler(TaggedResource):
    """A scheduler of a model.

    Attributes:
        noun: as in the names of its operations.
    """

    noun: ClassVar[str]

    @abstractmethod
    def difference(self, wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members to update, with what they are to be."""

    @abstractmethod
    def attributes(self, name: str, found: Found) -> Mapping[str, str]:
        """Return the attributes of the resource."""

    def blocked(self, context: Context, properties: Properties, conflict: ConflictError) -> Outcome:
        """Wait while the model is in training, and fail when its training failed."""
        with suppress(NotFoundError):
            self.require_training(
                properties, context.call("DescribeModel", ModelName=properties.members["ModelName"])
            )
        return Wait(reason=f"{conflict}. {conflict.next_step}")

    def require_training(self, properties: Properties, model: Mapping[str, Any]) -> None:
        """Require that the training of a model has not failed.

        Raises:
            FailedError: when it has.
        """
        if model["Status"] == "FAILED":
            raise FailedError(
                f"{self.subject(properties)} needs a trained model, and the training of model "
                f"{model['ModelName']!r} failed: {failed_reason(model)}. "
                "Replace the model, then deploy again."
            )

    def settle(self, context: Context, properties: Properties, found: Found) -> Outcome:
        """Update what differs, then start or stop the scheduler."""
        name, status = properties.members[self.name_member], found.record["Status"]
        if status in _VERBS:
            return self._complete(context, name, _VERBS[status], status)
        change = self.difference(properties.members, found.record)
        if change and f"Update{self.noun}" not in context.done:
            try:
                self._act(context, "Update", name, **change)
            except ConflictError:
                if status != "RUNNING":
                    raise
                # A service that updates only stopped schedulers: stop it; later steps update and start it.
                self._act(context, "Stop", name)
            return Again()
        if (status == "RUNNING") == properties.running:
            return Done(data=self.attributes(name, found))
        self._act(context, "Start" if properties.running else "Stop", name)
        return Again()

    def dismantle(self, context: Context, name: str, found: Found) -> Outcome:
        """Stop the scheduler, then delete it. What it made stays."""
        status = found.record["Status"]
        if status in _VERBS:
            return self._complete(context, name, "Stop", status)
        if status == "RUNNING":
            self._act(context, "Stop", name)
            return Again()
        self._act(context, "Delete", name)
        return Done(data={})

    def _complete(self, context: Context, name: str, verb: str, status: str) -> Outcome:
        # A start or a stop that was cut short is completed by repeating it. A service that completes them by
        # itself refuses.
        try:
            self._act(context, verb, name)
        except ConflictError:
            return Wait(reason=f"the scheduler is still {status}. Try again when it has settled")
        return Again()

    def _act(self, context: Context, verb: str, name: str, **parameters: Any) -> None:
        context.act(f"{verb}{self.noun}", **{self.name_member: name}, **parameters)
