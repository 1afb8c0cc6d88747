"""Strict parsing of resource properties into the types that the API takes.

CloudFormation turns every number and boolean into a string. The types, names and limits of the members are
those of the service model, so that this parser cannot disagree with the service.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from custom_resources.errors import FailedError
from custom_resources.request import TAG_PREFIX

# Version 2 came with schemas that say what they are: inline, or with the hash of what is staged.
_VERSIONS: Final = ("1", "2")
_FRAMEWORK_KEYS: Final = frozenset({"ServiceToken", "ServiceTimeout", "PropertiesVersion"})
# Java's spelling of any character, which Python lacks.
_ANY_CHARACTER: Final = (r"[\P{M}\p{M}]", r"[\s\S]")
# Members we fill in ourselves.
_INTERNAL_MEMBERS: Final = frozenset({"ClientToken", "DatasetSchema"})


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Object:
    """Where a document too large for a property is, and the hash of its content if it is known."""

    bucket: str
    key: str
    sha256: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def content(self) -> str:
        """What is equal for equal documents: in version 1, those at one place."""
        return f"sha256:{self.sha256}" if self.sha256 else str(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineDocument:
    """A document as the property itself."""

    text: str

    def __str__(self) -> str:
        return "in the property"

    @property
    def content(self) -> str:
        """What is equal for equal documents."""
        return f"sha256:{hashlib.sha256(self.text.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """The properties of one custom resource.

    Attributes:
        members: members of the API in the types that boto3 takes. All others are options of the constructs.
        schema: the schema document, or where it is.
        wait: whether the request is complete only when the service has finished.
        running: desired state of a scheduler.
        revision: free text whose change starts a new ingestion.
        active_version: the version of a model that is to be active; None leaves that to the service.
        labels: documents with the labels of a label group, one after the other.
        policy: a resource policy, without its `Id`.
    """

    members: Mapping[str, Any]
    schema: InlineDocument | S3Object | None = None
    wait: bool = True
    running: bool = True
    revision: str = ""
    active_version: int | None = None
    labels: Sequence[InlineDocument | S3Object] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """The user's tags."""
        return tags(self.members.get("Tags", ()))


def tags(pairs: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return tags in the form of the API as values by key."""
    return {pair["Key"]: pair["Value"] for pair in pairs}


def tag_keys(raw: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys of the tags among properties as CloudFormation sends them.

    Those of an update that was refused come back in its rollback: what is no tag in them is passed over.
    """
    pairs = raw.get("Tags")
    keys = [pair.get("Key") for pair in pairs if isinstance(pair, Mapping)] if isinstance(pairs, list) else []
    return frozenset(key for key in keys if isinstance(key, str))


def parse(
    raw: Mapping[str, Any],
    *,
    model: ServiceModel,
    operation: str,
    name_member: str,
    options: Sequence[str],
    subject: str,
) -> Properties:
    """Return the properties in `raw`.

    Args:
        raw: the properties as CloudFormation sends them.
        model: the service model.
        operation: the operation whose input the properties are.
        name_member: the member that names the resource: required, also where the operation has a default.
        options: properties that are not members of the API.
        subject: the resource, for messages.

    Raises:
        FailedError: when a property is wrong; names the property, the rule and the fix.
    """
    shape = model.operation_model(operation).input_shape
    if shape is None:
        raise TypeError(f"{operation} takes no input in this service model")
    try:
        return _read(raw, shape, name_member, options)
    except _WrongError as wrong:
        raise FailedError(f"{subject}: {wrong}. Then deploy again.") from None


def _read(
    raw: Mapping[str, Any], shape: StructureShape, name_member: str, options: Sequence[str]
) -> Properties:
    version = raw.get("PropertiesVersion", _VERSIONS[0])
    if version not in _VERSIONS:
        raise _WrongError(
            f"PropertiesVersion {version!r} is not known here (known: {', '.join(map(repr, _VERSIONS))}): "
            "deploy the service stack with the release of constructs-l4e that the asset stack uses"
        )
    members = shape.members.keys() - _INTERNAL_MEMBERS
    unknown = sorted(raw.keys() - _FRAMEWORK_KEYS - set(options) - members)
    if unknown:
        raise _WrongError(
            f"unknown property {unknown[0]!r}: use one of {', '.join(sorted(members | set(options)))}"
        )
    required = {name_member: None, **dict.fromkeys(shape.required_members)}
    missing = [name for name in required if name not in raw and name in members]
    if missing:
        raise _WrongError(f"property {missing[0]!r} is required: add it")
    values = {name: _value(shape.members[name], raw[name], name) for name in raw if name in members}
    for key in tags(values.get("Tags", ())):
        if key.startswith(TAG_PREFIX):
            raise _WrongError(f"Tags: the key {key!r} is reserved ({TAG_PREFIX}*): choose another key")
    ours = {_OPTIONS[name][0]: _OPTIONS[name][1](name, raw[name]) for name in options if name in raw}
    ours.pop("", None)  # an option that is only checked here
    return Properties(members=values, **ours)


def parse_labels(text: str, *, model: ServiceModel, subject: str) -> list[dict[str, Any]]:
    """Return the labels in a JSON document: members of `CreateLabel` besides the name of the label group.

    Times stay the texts that they are.

    Raises:
        FailedError: when one is wrong; names it, the rule and the fix.
    """
    request = model.operation_model("CreateLabel").input_shape
    if request is None:
        raise TypeError("CreateLabel takes no input in this service model")
    rest = {"LabelGroupName", "ClientToken"}
    members = {name: shape for name, shape in request.members.items() if name not in rest}
    required = [name for name in request.required_members if name not in rest]
    try:
        found = json.loads(text)
        labels: list[dict[str, Any]] = found if isinstance(found, list) else [found]
        for at, label in enumerate(labels):
            _object(members, required, label, f"label {at + 1}")
    except (ValueError, RecursionError) as wrong:  # the latter: thousands of brackets in each other
        raise FailedError(f"{subject}: {wrong}. Correct the labels, then deploy again.") from None
    return labels


class _WrongError(ValueError):
    pass


def _value(shape: Shape, raw: Any, path: str) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, raw, path)
    if isinstance(shape, ListShape):
        if not isinstance(raw, list):
            raise _WrongError(f"{path} is {raw!r}: give a list")
        return [_value(shape.member, item, f"{path}[{index}]") for index, item in enumerate(raw)]
    return _SCALARS[shape.type_name](shape, raw, path)


def _structure(shape: StructureShape, raw: Any, path: str) -> dict[str, Any]:
    return _object(shape.members, shape.required_members, raw, path)


def _object(members: Mapping[str, Shape], required: Sequence[str], raw: Any, path: str) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise _WrongError(f"{path} is {raw!r}: give an object with {', '.join(members)}")
    unknown = sorted(raw.keys() - members.keys())
    if unknown:
        raise _WrongError(f"unknown property {path}.{unknown[0]}: use one of {', '.join(members)}")
    missing = [name for name in required if name not in raw]
    if missing:
        raise _WrongError(f"property {path}.{missing[0]} is required: add it")
    return {name: _value(members[name], value, f"{path}.{name}") for name, value in raw.items()}


def _string(shape: Shape, raw: Any, path: str) -> str:
    if not isinstance(raw, str):
        raise _WrongError(f"{path} is {raw!r}: give a string")
    choices = getattr(shape, "enum", None)
    if choices and raw not in choices:
        raise _WrongError(f"{path} is {raw!r}: use one of {', '.join(choices)}")
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(raw) < low or (high is not None and len(raw) > high):
        raise _WrongError(f"{path} is {raw[:80]!r}, {len(raw)} characters: use {low} to {high}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern.replace(*_ANY_CHARACTER), raw):
        raise _WrongError(f"{path} is {raw!r}: it must match {pattern}")
    return raw


def _integer(shape: Shape, raw: Any, path: str) -> int:
    if isinstance(raw, bool) or not re.fullmatch(r"-?[0-9]{1,18}", str(raw)):
        raise _WrongError(f"{path} is {raw!r}: give a whole number")
    number = int(raw)
    low, high = shape.metadata.get("min", number), shape.metadata.get("max", number)
    if not low <= number <= high:
        raise _WrongError(f"{path} is {number}: use a number from {low} to {high}")
    return number


def _timestamp(_: Shape, raw: Any, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(raw)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):  # the last: in UTC, it is before year 1 or after year 9999
        pass
    raise _WrongError(f"{path} is {raw!r}: give a time with zone in ISO 8601, such as 2024-01-31T00:00:00Z")


def _version_number(path: str, raw: Any) -> int:
    if isinstance(raw, bool) or not re.fullmatch(r"[1-9][0-9]{0,8}", str(raw)):
        raise _WrongError(f"{path} is {raw!r}: give the number of a version")
    return int(raw)


# The members of the operations used here have no other types; another one is a KeyError in the first test.
_SCALARS: Final[Mapping[str, Callable[[Shape, Any, str], Any]]] = {
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "timestamp": _timestamp,
}


def _choice(**values: Any) -> Callable[[str, Any], Any]:
    def read(path: str, raw: Any) -> Any:
        text = str(raw).lower() if isinstance(raw, bool) else raw
        if not isinstance(text, str) or text not in values:
            raise _WrongError(f"{path} is {raw!r}: use one of {', '.join(values)}")
        return values[text]

    return read


_PLACES: Final = ({"Bucket", "Key"}, {"Bucket", "Key", "Sha256"})


def _document(inline: str) -> Callable[[str, Any], InlineDocument | S3Object]:
    """Return the reader of a document, which is the member `inline`, or an object in S3."""

    def read(path: str, raw: Any) -> InlineDocument | S3Object:
        if not isinstance(raw, Mapping) or raw.keys() not in ({inline}, *_PLACES):
            raise _WrongError(
                f"{path} is {raw!r}: give an object with {inline}, or with Bucket, Key and Sha256"
            )
        if not all(isinstance(value, str) and value for value in raw.values()):
            raise _WrongError(f"{path} is {dict(raw)!r}: {', '.join(raw)} must be text")
        if inline in raw:
            return InlineDocument(text=raw[inline])
        return S3Object(bucket=raw["Bucket"], key=raw["Key"], sha256=raw.get("Sha256", ""))

    return read


def _documents(inline: str) -> Callable[[str, Any], Sequence[InlineDocument | S3Object]]:
    """Return the reader of a list of documents."""
    one = _document(inline)

    def read(path: str, raw: Any) -> Sequence[InlineDocument | S3Object]:
        if not isinstance(raw, list):
            raise _WrongError(f"{path} is {raw!r}: give a list")
        return tuple(one(f"{path}[{index}]", each) for index, each in enumerate(raw))

    return read


def _text(path: str, raw: Any) -> str:
    if not isinstance(raw, str):
        raise _WrongError(f"{path} is {raw!r}: give a text")
    return raw


def _policy(path: str, raw: Any) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping) or "Statement" not in raw or "Id" in raw:
        raise _WrongError(f"{path} is {raw!r}: give a policy with a Statement, and without an Id")
    return raw


# Property name -> field of Properties (empty: checked here, used elsewhere) and its reader.
_OPTIONS: Final[Mapping[str, tuple[str, Callable[[str, Any], Any]]]] = {
    "Schema": ("schema", _document("InlineDataSchema")),
    "Labels": ("labels", _documents("InlineLabels")),
    "Wait": ("wait", _choice(true=True, false=False)),
    "DesiredState": ("running", _choice(RUNNING=True, STOPPED=False)),
    "Revision": ("revision", _text),
    "ActiveVersion": ("active_version", _version_number),
    "ResourcePolicy": ("policy", _policy),
    "RemovalPolicy": ("", _choice(retain=True, destroy=False)),
}
