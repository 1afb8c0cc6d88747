"""The labels of a label group that a template describes, among those that people have added.

Labels have no tags that could say whose they are. So the ids of those that a custom resource made are kept in
its records, by a digest of what they say. What is about to be done is noted first: after an interruption, it
is done again. A creation that is repeated under the same client token shows the id of what it made.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from custom_resources.errors import CallError, NotFoundError, NotYetError, RefusedError, UnavailableError
from custom_resources.request import digest
from custom_resources.resource import Context

Label = Mapping[str, Any]
"""Members of `CreateLabel` besides the label group."""

# Labels to create or delete in one poll, and characters of those to create: a record has room for them beside
# the ids of 5,000 labels.
_AT_ONCE: Final = 100
_CHARACTERS: Final = 60_000
_DIGITS: Final = 16


class GroupLabels:
    """What this custom resource has made in the group called `name`, whose ARN is `arn`.

    `made` are ids by digest, `begun` labels by digest that may have been made, `going` ids of labels that may
    have been deleted.
    """

    def __init__(self, context: Context, *, name: str, arn: str) -> None:
        self._context, self._name, self._arn = context, name, arn
        self._made: dict[str, str] = {}
        self._begun: dict[str, Label] = {}
        self._going: list[str] = []
        self._read()

    def advance(self, labels: Sequence[Label]) -> int:
        """Do what a poll may of the changes that lead to `labels`, and return how many are left.

        Raises:
            CallError: when a call is answered with an error; what was done before it is noted.
            NotYetError: when another poll has done something in between.
        """
        if self._begun or self._going:
            self._work(again=True)
        wanted = {digest(label)[:_DIGITS]: label for label in labels}
        gone = [key for key in self._made if key not in wanted]
        new = {key: label for key, label in wanted.items() if key not in self._made}
        if not gone and not new:
            return 0
        removed = gone[:_AT_ONCE]
        added = dict(_fitting(new, _AT_ONCE - len(removed)))
        self._going = [self._made.pop(key) for key in removed]
        self._begun = added
        left = len(gone) + len(new) - len(removed) - len(added)
        self._write({})
        self._work(again=False)
        return left

    @staticmethod
    def forget(context: Context, name: str) -> None:
        """Remove what is remembered of a group that is gone."""
        context.records.remove(_key(context, name))

    def _work(self, *, again: bool) -> None:
        """Do what is noted, and note what of it is done; `again` when it may have been done before."""
        made: dict[str, str] = {}
        try:
            self._do(made, again=again)
        except CallError:
            self._note(made)
            raise
        self._note(made)

    def _do(self, made: dict[str, str], *, again: bool) -> None:
        while self._going:
            self._delete(self._going[-1])
            self._going.pop()
        for key, label in list(self._begun.items()):
            try:
                made[key] = self._create(key, label)
            except CallError as error:
                if again and isinstance(error, RefusedError):  # so it was then
                    del self._begun[key]
                    continue
                if not again and not isinstance(error, UnavailableError):
                    self._begun.clear()  # neither this one nor those behind it were made
                raise
            del self._begun[key]

    def _note(self, made: Mapping[str, str]) -> None:
        self._made |= made
        self._write(made)

    def _create(self, key: str, label: Label) -> str:
        token = digest([self._context.request.owner, self._arn, key])
        answer = self._context.repeat("CreateLabel", LabelGroupName=self._name, **label, ClientToken=token)
        return str(answer["LabelId"])

    def _delete(self, label_id: str) -> None:
        with suppress(NotFoundError):  # deleted by hand, or by a poll that was interrupted
            self._context.repeat("DeleteLabel", LabelGroupName=self._name, LabelId=label_id)

    def _read(self) -> None:
        stored = self._context.records.read(_key(self._context, self._name))
        value, self._version = stored or ({}, 0)
        if value.get("group") != self._arn:  # of an earlier group with this name, or nothing yet
            value = {}
        self._made = dict(value.get("made", {}))
        self._begun = dict(value.get("begun", {}))
        self._going = list(value.get("going", []))

    def _write(self, made: Mapping[str, str]) -> None:
        """Store the record. If another poll has stored one, labels just `made` that it does not know go."""
        value = {"group": self._arn, "made": self._made, "begun": self._begun, "going": self._going}
        key = _key(self._context, self._name)
        if self._context.records.write(key, value, version=self._version, expires_at=None):
            self._version += 1
            return
        self._read()
        for digits, label_id in made.items():
            if digits not in self._made and digits not in self._begun:
                self._delete(label_id)
        raise NotYetError(f"another poll is writing the labels of {self._name!r}")


def _fitting(labels: Mapping[str, Label], most: int) -> Iterator[tuple[str, Label]]:
    """Yield up to `most` labels that the record can hold."""
    characters = 0
    for key, label in list(labels.items())[:most]:
        characters += len(json.dumps(label))
        if characters > _CHARACTERS:
            return
        yield key, label


def _key(context: Context, name: str) -> str:
    return f"labels/{name}/{context.request.owner}"
