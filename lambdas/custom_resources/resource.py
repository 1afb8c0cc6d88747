"""What the kinds of resource share: the context of a step, its outcomes, and the rules of ownership.

A step looks at the service and makes at most one change towards the requested state. It keeps no state of its
own: it can be repeated, interrupted or run twice, and the result is the same.
"""

import json
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from custom_resources.client import Equipment
from custom_resources.errors import ConflictError, FailedError, NotFoundError, NotYetError
from custom_resources.properties import InlineDocument, Properties, S3Object, parse, tag_keys, tags
from custom_resources.records import RecordTable
from custom_resources.request import (
    CONFIGURATION_TAG,
    EQUAL_TAG,
    OWNER_TAG,
    REQUEST_TAG,
    TAG_PREFIX,
    PhysicalId,
    Request,
    digest,
)

LOG: Final = logging.getLogger(__name__)

# Seconds a request may take. CloudFormation gives up after the ServiceTimeout of an hour and the framework
# shortly before; a reason of our own must come first.
BUDGET: Final = 2700
# Seconds to wait for what seldom passes by itself.
STUCK: Final = 600
# Context value of the constructs with which names stay as they were; they cannot be imported here.
NAMES_BY_LOCATION: Final = "constructs-l4e:namesByLocation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The requested state is reached. `data` are the attributes of the resource."""

    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A later poll continues, until the request is `patience` seconds old; then it fails with `reason`."""

    reason: str
    patience: float = BUDGET


@dataclass(frozen=True, slots=True)
class Again:
    """Something was changed: take the next step at once."""


Outcome = Done | Wait | Again


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a step works with, at `now` (epoch seconds). `done` collects the operations of this poll."""

    request: Request
    equipment: Equipment
    records: RecordTable
    read_object: Callable[[S3Object], str]
    done: set[str]
    now: float

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation that changes nothing.

        Raises:
            CallError: when the call is answered with an error.
        """
        return self.equipment.call(operation, **parameters)

    def act(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation that changes something, at most once per poll.

        Raises:
            CallError: when the call is answered with an error.
            NotYetError: when this poll has called it before, so that its effect cannot be visible yet.
        """
        if operation in self.done:
            raise NotYetError(f"{operation} was accepted, and its effect is not visible yet")
        LOG.info("%s %s: %s", self.request.type, self.request.logical_id, operation)
        answer = self.equipment.call(operation, **parameters)
        self.done.add(operation)
        return answer

    def repeat(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation that changes something else each time: any number of times per poll.

        Raises:
            CallError: when the call is answered with an error.
        """
        return self.equipment.call(operation, **parameters)

    def create(self, operation: str, *, instead_of: str = "", **parameters: Any) -> dict[str, Any]:
        """Call an operation that takes a client token; see `act`.

        Args:
            operation: the operation.
            instead_of: what an earlier attempt of the same request created in vain.
            parameters: its parameters.
        """
        return self.act(
            operation, **parameters, ClientToken=self._token(operation, parameters, instead_of=instead_of)
        )

    def replay(self, operation: str, *, instead_of: str = "", **parameters: Any) -> dict[str, Any]:
        """Call an operation that takes a client token, any number of times: see `create`.

        The service does it once, and answers each time how it stands.

        Raises:
            CallError: when the call is answered with an error.
        """
        return self.equipment.call(
            operation, **parameters, ClientToken=self._token(operation, parameters, instead_of=instead_of)
        )

    def _token(self, operation: str, parameters: Mapping[str, Any], *, instead_of: str) -> str:
        return self.request.client_token(
            operation, {**parameters, **({"": instead_of} if instead_of else {})}
        )


class Resource(ABC):
    """One kind of resource.

    Attributes:
        kind: its name in physical ids and messages.
        resource_type: its type in templates.
        operation: the operation whose input its properties are.
        name_member: the property that names it.
        options: its properties that are not members of the API.
    """

    kind: ClassVar[str]
    resource_type: ClassVar[str]
    operation: ClassVar[str]
    name_member: ClassVar[str]
    options: ClassVar[tuple[str, ...]]

    def parse(self, equipment: Equipment, raw: Mapping[str, Any]) -> Properties:
        """Return the typed properties.

        Raises:
            FailedError: when a property is wrong.
        """
        subject = f"{self.kind} {raw.get(self.name_member, '(unnamed)')!r}"
        return parse(
            raw,
            model=equipment.model,
            operation=self.operation,
            name_member=self.name_member,
            options=self.options,
            subject=subject,
        )

    @abstractmethod
    def advance(self, context: Context, properties: Properties) -> Outcome:
        """Take one step towards the resource that `properties` describe."""

    @abstractmethod
    def remove(self, context: Context, name: str, *, made_by: str | None = None) -> Outcome:
        """Take one step towards the removal of the resource `name`, if it belongs to this owner.

        With `made_by`, only when the request with that id created it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A resource as the service describes it."""

    record: Mapping[str, Any]
    arn: str
    tags: Mapping[str, str]


class TaggedResource(Resource):
    """A kind whose resources are named, described and tagged. Tags say which custom resource owns them.

    Attributes:
        describe: the operation that describes one.
        arn_member: the member of its description that holds its ARN.
        mutable: the properties that can change without a new resource.
    """

    describe: ClassVar[str]
    arn_member: ClassVar[str]
    mutable: ClassVar[frozenset[str]]

    def advance(self, context: Context, properties: Properties) -> Outcome:
        """Take one step towards the resource that `properties` describe."""
        name = properties.members[self.name_member]
        found = self.find(context, name)
        if found is None:
            self._refuse_to_make_again(context, properties)
            try:
                return self.create(context, properties)
            except ConflictError as conflict:
                if self.find(context, name):  # another request was faster: look at it from the start
                    return Again()
                return self.blocked(context, properties, conflict)
        self._require_ours(context, properties, found)
        if self._tag(context, properties, found):
            return Again()
        return self.settle(context, properties, found)

    def remove(self, context: Context, name: str, *, made_by: str | None = None) -> Outcome:
        """Take one step towards the removal of the resource `name`, if it belongs to this owner.

        With `made_by`, only when the request with that id created it.
        """
        found = self.find(context, name)
        if found is None:
            return Done(data={})
        if found.tags.get(OWNER_TAG) != context.request.owner:
            LOG.info("%s %s is not of %s: left alone", self.kind, name, context.request.owner)
            return Done(data={})
        if made_by is not None and found.tags.get(REQUEST_TAG) != made_by:
            return Done(data={})
        try:
            return self.dismantle(context, name, found)
        except NotFoundError:
            return Done(data={})

    @abstractmethod
    def create(self, context: Context, properties: Properties) -> Outcome:
        """Create the resource, which does not exist."""

    @abstractmethod
    def settle(self, context: Context, properties: Properties, found: Found) -> Outcome:
        """Take one step that makes the existing resource what `properties` describe."""

    @abstractmethod
    def dismantle(self, context: Context, name: str, found: Found) -> Outcome:
        """Take one step that removes the existing resource."""

    def blocked(self, _context: Context, _properties: Properties, conflict: ConflictError) -> Outcome:
        """Return what follows from a `ConflictError` on creation when no resource of that name is visible."""
        return Wait(reason=f"{conflict}. {conflict.next_step}")

    def find(self, context: Context, name: str) -> Found | None:
        """Return the resource `name` with its tags, None when it does not exist."""
        try:
            record = context.call(self.describe, **{self.name_member: name})
        except NotFoundError:
            return None
        arn = record[self.arn_member]
        try:
            pairs = context.call("ListTagsForResource", ResourceArn=arn).get("Tags", [])
        except NotFoundError as missing:
            raise NotYetError(str(missing)) from missing
        return Found(record=record, arn=arn, tags=tags(pairs))

    def tags(self, request: Request, properties: Properties) -> list[dict[str, str]]:
        """Return the tags of a new resource in the form of the API: those of the user and ours."""
        ours = {
            OWNER_TAG: request.owner,
            CONFIGURATION_TAG: self.configuration(properties),
            REQUEST_TAG: request.request_id,
        }
        return [{"Key": key, "Value": value} for key, value in (properties.tags | ours).items()]

    def configuration(self, properties: Properties) -> str:
        """Return a hash of everything that cannot change without a new resource."""
        schema = properties.schema
        return digest([self._fixed(properties), schema.content if schema else "None"])

    def _fixed(self, properties: Properties) -> dict[str, Any]:
        return {key: value for key, value in properties.members.items() if key not in self.mutable}

    def _require_ours(self, context: Context, properties: Properties, found: Found) -> None:
        owner = found.tags.get(OWNER_TAG)
        if owner != context.request.owner:
            raise FailedError(
                f"{self.subject(properties)} exists and does not belong to this resource "
                f"(tag {OWNER_TAG}: {owner or 'none'}). If it was kept when its stack was deleted, put "
                f"`{self._kept(properties)}` in place of the construct that would make it. Otherwise choose "
                f"another {self.name_member}, or delete the existing one, then deploy again."
            )
        if self._is_tagged(found, properties) or self._only_writes_the_schema_otherwise(
            context, properties, found
        ):
            return
        old, new = context.request.old_properties, context.request.properties
        options = {"Schema"} & set(self.options)
        changed = sorted(
            key
            for key in (old.keys() | new.keys()) & (found.record.keys() | properties.members.keys() | options)
            if key not in self.mutable and old.get(key) != new.get(key)
        )
        what = f" ({', '.join(changed)})" if old and changed else ""
        identity = PhysicalId(kind=self.kind, name=properties.members[self.name_member])
        # A rollback comes here too, of an update that made anew what was deleted outside CloudFormation.
        way_out = f" {when_stuck(context.request)}" if context.request.incoming_id == str(identity) else ""
        raise FailedError(
            f"{self.subject(properties)} cannot be changed in place{what}, and its replacement cannot take "
            f"a name that is in use. Change {self.name_member} as well, or leave it unset to have one "
            f"generated, then deploy again.{way_out}"
        )

    def _kept(self, properties: Properties) -> str:
        """Return the line of an app that uses the resource as it is."""
        name, words = properties.members[self.name_member], self.kind.split("-")
        kind, construct = "_".join(words), "".join(word.capitalize() for word in words)
        return f'{construct}.from_{kind}_name(self, "Kept{construct}", service=service, {kind}_name="{name}")'

    def _is_tagged(self, found: Found, properties: Properties) -> bool:
        return self.configuration(properties) in {
            found.tags.get(CONFIGURATION_TAG),
            found.tags.get(EQUAL_TAG),
        }

    def _only_writes_the_schema_otherwise(
        self, context: Context, properties: Properties, found: Found
    ) -> bool:
        """Return whether the update changes nothing but where the schema is: in S3, elsewhere, or inline."""
        if not context.request.old_properties:
            return False
        old = self.parse(context.equipment, context.request.old_properties)
        return (
            self._is_tagged(found, old)
            and self._fixed(old) == self._fixed(properties)
            and old.schema is not None
            and _has_schema(context, found, properties)
        )

    def _refuse_to_make_again(self, context: Context, properties: Properties) -> None:
        """Refuse to replace a resource by an equal one, of which only the generated name differs.

        Raises:
            FailedError: when this would lose what was ingested or trained, for nothing.
        """
        request, name = context.request, properties.members[self.name_member]
        before = PhysicalId.parse(request.incoming_id)
        if request.type != "Update" or before is None or not _generated_alike(before.name, name):
            return
        old = self.parse(context.equipment, request.old_properties)
        if self._fixed(old) | {self.name_member: name} != self._fixed(properties):
            return
        found = self.find(context, before.name)
        if found is None or found.tags.get(OWNER_TAG) != request.owner:
            return
        if not (old.schema is properties.schema is None or _has_schema(context, found, properties)):
            return
        raise FailedError(
            f"{self.subject(properties)} would replace {before.name!r}, which has the same properties under "
            "a name that another rule generated, so nothing was made. To keep it, set the context value "
            f'"{NAMES_BY_LOCATION}" to true if an earlier release of constructs-l4e deployed it, leave that '
            "out if not, and refer to its key as before. To have a new one all the same, set "
            f"{self.name_member}. Then deploy again."
        )

    def _tag(self, context: Context, properties: Properties, found: Found) -> bool:
        known = self._is_tagged(found, properties)
        wanted = properties.tags | ({} if known else {EQUAL_TAG: self.configuration(properties)})
        add = {key: value for key, value in wanted.items() if found.tags.get(key) != value}
        if add:
            pairs = [{"Key": key, "Value": value} for key, value in add.items()]
            context.act("TagResource", ResourceArn=found.arn, Tags=pairs)
            return True
        # Only tags that this resource has added are removed: other tools add tags too.
        before = tag_keys(context.request.old_properties)
        drop = sorted(
            key for key in (before - wanted.keys()) & found.tags.keys() if not key.startswith(TAG_PREFIX)
        )
        if drop:
            context.act("UntagResource", ResourceArn=found.arn, TagKeys=drop)
            return True
        return False

    def subject(self, properties: Properties) -> str:
        """Return the resource as messages name it."""
        return f"{self.kind} {properties.members[self.name_member]!r}"


def when_stuck(request: Request) -> str:
    """Return how a stack goes on whose rollback the resource of a request has made fail."""
    return (
        "If the stack is in UPDATE_ROLLBACK_FAILED, continue its rollback first, and skip "
        f"{request.logical_id}."
    )


def failed_reason(record: Mapping[str, Any]) -> str:
    """Return the reason that the service gives for a failed job or training."""
    return str(record.get("FailedReason", "no reason given")).rstrip(".")


def read_schema(context: Context, properties: Properties, subject: str) -> dict[str, Any]:
    """Return the parameter `DatasetSchema`, or no parameter when the properties name no schema.

    Raises:
        FailedError: when the schema is not JSON.
    """
    if properties.schema is None:
        return {}
    text = document_text(context, properties.schema)
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter: thousands of brackets in each other
        raise FailedError(
            f"{subject}: the schema {properties.schema} is not JSON: {error}. Correct it, then deploy again."
        ) from None
    return {"DatasetSchema": {"InlineDataSchema": text}}


def document_text(context: Context, document: InlineDocument | S3Object) -> str:
    """Return the text of a document, in a property or in S3.

    Raises:
        CallError: when it cannot be read.
    """
    return document.text if isinstance(document, InlineDocument) else context.read_object(document)


def _has_schema(context: Context, found: Found, properties: Properties) -> bool:
    """Return whether the resource has the schema of `properties`, as the service describes it."""
    if properties.schema is None or "Schema" not in found.record:
        return False
    try:
        wanted = json.loads(document_text(context, properties.schema))
    except ValueError:
        return False
    return bool(json.loads(found.record["Schema"]) == wanted)


def _generated_alike(one: str, other: str) -> bool:
    """Return whether two names differ in the hash only that constructs append to what they generate.

    A hash of the path is before it, which names by hand, such as those that end in a date, do not have.
    """
    generated = r"(.*-[0-9A-F]{8})-[0-9a-f]{8}"
    matches = re.fullmatch(generated, one), re.fullmatch(generated, other)
    return one != other and all(matches) and len({match and match[1] for match in matches}) == 1
