"""Runs the requests of CloudFormation under the provider framework of CDK.

`on_event` checks and claims, and changes nothing in the service. A Create that fails there leaves nothing
behind, which matters because the framework ignores the Delete that follows. `is_complete` does the work: each
poll brings the service nearer to the requested state. Every failure after the first change is therefore
reported under the physical id of the resource, and the Delete that follows finds what is to be removed.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from custom_resources.client import Equipment
from custom_resources.errors import (
    BrokenError,
    CallError,
    ConflictError,
    DeniedError,
    FailedError,
    NotFoundError,
    NotYetError,
    UnavailableError,
)
from custom_resources.properties import S3Object
from custom_resources.records import Claim, RecordTable, claim, finish, note_trouble
from custom_resources.request import BEGUN, INCOMING_ID, PhysicalId, Request
from custom_resources.resource import STUCK, Again, Context, Done, Outcome, Resource, Wait

LOG: Final = logging.getLogger(__name__)

# Seconds that permissions and roles need to reach every part of AWS when they were created just before.
_PROPAGATION_SECONDS: Final = 120
# Seconds that a rollback waits for the removal of what it rolls back.
_TIDY_SECONDS: Final = 120
# The longest chain in one poll: stop, update, start, look.
_STEPS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """The handlers, with everything that they reach passed in. `clock` returns epoch seconds."""

    resources: Sequence[Resource]
    equipment: Equipment
    records: RecordTable
    read_object: Callable[[S3Object], str]
    clock: Callable[[], float]

    def on_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Check the request, claim its resource, and return its physical id.

        Raises:
            FailedError: when the request is wrong or superseded.
        """
        request = Request.parse(event)
        LOG.info("%s %s of %s", request.type, request.logical_id, request.stack_id)
        wanted = None if request.type == "Delete" else self._wanted(request)
        try:
            granted = claim(self.records, request, wanted, self.clock())
        except (NotYetError, CallError) as error:
            LOG.warning("claim postponed: %s", error)  # is_complete claims again
            granted = None
        if granted and granted.successor and request.type != "Delete":
            raise _superseded(request, granted)
        identity = {"PhysicalResourceId": str(wanted) if wanted else request.physical_id, BEGUN: self.clock()}
        # An event without a physical id has no incoming one to hand on.
        return identity | ({INCOMING_ID: request.physical_id} if request.physical_id else {})

    def is_complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Take the next steps, and return whether the requested state is reached.

        Raises:
            FailedError: when the request has failed.
        """
        request = Request.parse(event)
        subject = request.physical_id or request.logical_id
        try:
            outcome = self._advance(request)
        except FailedError:
            LOG.exception("%s %s of %s failed", request.type, subject, request.owner)
            raise
        except Exception as error:
            LOG.exception("%s %s of %s ended in an unexpected error", request.type, subject, request.owner)
            raise FailedError(
                f"{subject}: the custom resource broke on {request.type} ({type(error).__name__}). "
                "Read its log for the cause, then deploy again."
            ) from error
        if isinstance(outcome, Done):
            return {"IsComplete": True, "Data": dict(outcome.data)}
        LOG.info("%s %s: %s", request.type, subject, outcome)
        return {"IsComplete": False}

    def _advance(self, request: Request) -> Outcome:
        wanted = None if request.type == "Delete" else self._wanted(request)
        done: set[str] = set()
        granted: Claim | None = None
        broken: BrokenError | None = None
        try:
            for _ in range(_STEPS):
                granted = claim(self.records, request, wanted, self.clock())
                outcome = self._step(request, wanted, granted, done)
                if isinstance(outcome, Done) and wanted:
                    finish(self.records, request, self.clock())
                if not isinstance(outcome, Again):
                    break
            else:
                outcome = Wait(reason="every step asks for one more. Deploy again")
        except NotYetError as error:
            outcome = Wait(reason=str(error))
        except CallError as error:
            outcome = _outcome_of(error)
            broken = error if isinstance(error, BrokenError) else None
        if broken or (granted and granted.troubled):
            self._give_up_on(broken, request, wanted)
        age = self._age(request)
        if isinstance(outcome, Wait) and age >= outcome.patience:
            waited = f"after {age / 60:.0f} minutes, " if outcome.patience else ""
            raise FailedError(f"{_subject(request, wanted)}: {waited}{outcome.reason}.")
        return outcome

    def _give_up_on(self, broken: BrokenError | None, request: Request, wanted: PhysicalId | None) -> None:
        """Fail when every poll has ended in the same internal error for a long time; otherwise record it."""
        trouble = f"{broken.operation} {broken.code}" if broken else None
        try:
            lasted = note_trouble(self.records, request, trouble, self.clock())
        except CallError as error:
            LOG.warning("internal error not recorded: %s", error)
            return
        if broken and lasted >= STUCK:
            raise FailedError(
                f"{_subject(request, wanted)}: for {lasted / 60:.0f} minutes, {broken}. {broken.next_step}."
            )

    def _step(self, request: Request, wanted: PhysicalId | None, granted: Claim, done: set[str]) -> Outcome:
        context = Context(
            request=request,
            equipment=self.equipment,
            records=self.records,
            read_object=self.read_object,
            done=done,
            now=self.clock(),
        )
        if wanted is None:
            if granted.successor:
                raise _superseded(request, granted)
            return self._delete(context)
        resource = self._resource(request)
        if granted.successor is None:
            outcome = resource.advance(context, resource.parse(self.equipment, request.properties))
            return self._tidy(context, resource, granted) or outcome if isinstance(outcome, Done) else outcome
        # CloudFormation has given this request up and may not know what it made: remove that, and only that.
        if granted.wanted != str(wanted) and not granted.finished:
            outcome = resource.remove(context, wanted.name, made_by=request.request_id)
            if not isinstance(outcome, Done):
                return outcome
        raise _superseded(request, granted)

    def _tidy(self, context: Context, resource: Resource, granted: Claim) -> Outcome | None:
        """Remove what a cancelled update has made without CloudFormation knowing of it.

        A removal that takes long is left to the polls of that update, if they still go on.

        Returns:
            The outcome of a removal that is not done yet; None when nothing is left to remove.
        """
        for text, made_by in granted.leftovers:
            identity = PhysicalId.parse(text)
            if identity is None or identity.kind != resource.kind:
                continue
            outcome = resource.remove(context, identity.name, made_by=made_by)
            if not isinstance(outcome, Done) and self._age(context.request) < _TIDY_SECONDS:
                return outcome if isinstance(outcome, Again) else Wait(reason=outcome.reason)
        return None

    def _age(self, request: Request) -> float:
        return 0 if request.begun is None else self.clock() - request.begun

    def _delete(self, context: Context) -> Outcome:
        request = context.request
        resource = self._known(request)
        if resource is None or request.properties.get("RemovalPolicy") == "retain":
            return Done(data={})
        identity = PhysicalId.parse(request.physical_id)
        if identity is None:
            # An id that is not ours stands for a Create that never answered: the properties name what it
            # made, if that is a name at all.
            made = PhysicalId(kind=resource.kind, name=str(request.properties.get(resource.name_member, "")))
            identity = PhysicalId.parse(str(made))
        if identity is None or identity.kind != resource.kind:
            return Done(data={})
        return resource.remove(context, identity.name)

    def _wanted(self, request: Request) -> PhysicalId:
        resource = self._resource(request)
        properties = resource.parse(self.equipment, request.properties)
        return PhysicalId(kind=resource.kind, name=properties.members[resource.name_member])

    def _resource(self, request: Request) -> Resource:
        resource = self._known(request)
        if resource is None:
            known = ", ".join(each.resource_type for each in self.resources)
            raise FailedError(f"{request.resource_type!r} is not a known resource type: use one of {known}")
        return resource

    def _known(self, request: Request) -> Resource | None:
        return next((each for each in self.resources if each.resource_type == request.resource_type), None)


def _outcome_of(error: CallError) -> Wait:
    """Return what follows from an error that no step has handled: wait, or fail at once."""
    reason = f"{error}. {error.next_step}"
    if isinstance(error, UnavailableError):
        return Wait(reason=reason)
    if isinstance(error, DeniedError):
        return Wait(reason=reason, patience=_PROPAGATION_SECONDS)
    # These are seen between two states, or before a change is visible.
    if isinstance(error, ConflictError | NotFoundError):
        return Wait(reason=reason, patience=STUCK)
    return Wait(reason=reason, patience=0)


def _subject(request: Request, wanted: PhysicalId | None) -> str:
    identity = wanted or PhysicalId.parse(request.physical_id)
    return f"{identity.kind} {identity.name!r}" if identity else request.logical_id


def _superseded(request: Request, granted: Claim) -> FailedError:
    return FailedError(
        f"{request.logical_id}: this {request.type} was given up for a later {granted.successor} of the same "
        "resource. Deploy again if the resource is missing."
    )
