"""Requests that no SDK sends, drawn from a seed: wrong in one place or in all, sensible enough to get far.

`Attacker.event(number)` is the same for the same seed, number and tokens seen so far.
"""

import base64
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from service.requests.service_model import service_model
from tests.embedded import ACCOUNT
from tests.service.api.conftest import ROLE, SCHEMA

MODEL = service_model()
TARGET = MODEL.metadata["targetPrefix"]
_GONE = object()
_REMEMBERED = 60

Item = dict[str, Any]

TEXTS: Sequence[str] = (
    "",
    " ",
    "\x00",
    "\n",
    "a\x00b",
    "é",
    "\ud800",
    "\udfff\ud800",
    "\U0001f600" * 50,
    "\u202egnp.exe",
    "a" * 201,
    "x" * 5_000,
    "%s%n{}{0}$(x)`x`",
    "' OR '1'='1",
    "../../etc/passwd",
    "a#b",
    "#",
    "null",
    "NaN",
    "0",
    "-1",
    "arn:::::",
    "arn:aws:iam::000000000000:role/lookoutequipment/../x",
    f"arn:aws:lookoutequipment:eu-west-1:{ACCOUNT}:dataset/pump/x",
    f"arn:aws:lookoutequipment:eu-west-1:{ACCOUNT}:model/wear/x/model-version/9999999999",
    f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/" + "0" * 36,
    "[" * 2_000,
    '{"Components": []}',
    '{"Components": [{"ComponentName": "c", "Columns": [{"Name": "t", "Type": "DATETIME"}]}]}',
    "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "0000-00-00",
    "pump\\flow < 1e999",
)
NUMBERS: Sequence[Any] = (
    *(0, 1, -1, 501, 2**31 - 1, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**40),
    *(0.5, -0.0, 1e-300, 1e300, 1767225600, 1767225600.0004, 253402300799, 253402300800),
    *(float("nan"), float("inf"), float("-inf")),
)
OTHERS: Sequence[Any] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    {"": {}},
    [{}] * 300,
    {"a": {"b": {"c": []}}},
)

# What leads on to the operation itself, by the name of the shape.
SENSIBLE: dict[str, Sequence[str]] = {
    "DatasetIdentifier": ("pump", "motor", "fan", "none"),
    "DatasetName": ("pump", "motor", "fan", "none", "blower", "press", "mill"),
    "ModelName": ("wear", "leak", "heat", "none", "rust", "dust", "tear"),
    "InferenceSchedulerName": ("watch", "guard", "none", "third", "fourth"),
    "InferenceSchedulerIdentifier": ("watch", "guard", "none"),
    "IamRoleArn": (ROLE,),
    "RetrainingFrequency": ("P30D", "P2M", "P1Y"),
    "LookbackWindow": ("P180D", "P720D"),
    "InlineDataSchema": (json.dumps(SCHEMA), json.dumps({"Components": SCHEMA["Components"][:1]})),
    "OffCondition": (r"pump\flow < 1", r"motor\speed > 0.5"),
    "KeyPattern": ("{prefix}/{component_name}/*", "{prefix}/{component_name}_*"),
    "S3Bucket": ("customer",),
    "S3Prefix": ("", "history/"),
    "TagKey": ("line", "site"),
    "IdempotenceToken": ("t1", "t2", "t3"),
    "KmsKeyArn": (f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1b4e28ba-2fa1-41d2-883f-0016d3cca427",),
    "NameOrArn": ("1b4e28ba-2fa1-41d2-883f-0016d3cca427",),
    "TimeZoneOffset": ("+00:00", "+05:30"),
    "FileNameTimestampFormat": ("EPOCH",),
    "ComponentTimestampDelimiter": ("_", ""),
    "IngestionJobId": ("0" * 32,),
    "LabelGroupName": ("faults", "north"),
    "LabelId": ("0" * 32,),
    "FaultCode": ("bearing", "seal"),
    "Policy": tuple(
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": f"lookoutequipment:Import{kind}",
                },
            }
        )
        for kind in ("Dataset", "ModelVersion")
    ),
}
_ID = re.compile("[0-9a-f]{32}")


def _fits(shape: Any, text: str) -> bool:
    """Return whether a text that was seen in a reply belongs to a shape."""
    if shape.name in {"IngestionJobId", "LabelId"}:
        return _ID.fullmatch(text) is not None
    return text.startswith("arn:") and "Arn" in shape.name and shape.name != "IamRoleArn"


@dataclass
class Attacker:
    """Draws proxy events of API Gateway.

    `seen` are ids and ARNs of replies, `pages` list requests together with the NextToken of their replies:
    later requests use and damage them.
    """

    seed: str
    seen: list[str] = field(default_factory=list)
    pages: list[tuple[str, Item]] = field(default_factory=list)

    def event(self, number: int) -> Item:
        """Return an event."""
        rng = random.Random(f"{self.seed}-{number}")  # noqa: S311  repeatable, not secret
        if self.pages and rng.random() < 0.05:
            name, request = rng.choice(self.pages)
            body = json.dumps(request | {"NextToken": _forged(request["NextToken"], rng)})
        else:
            name = rng.choice(MODEL.operation_names)
            body = self._body(name, rng)
        event: Item = {
            "headers": {rng.choice(("X-Amz-Target", "x-amz-target")): f"{TARGET}.{name}"},
            "body": body,
            "requestContext": {"requestId": f"r-{number}"},
        }
        if rng.random() < 0.1:
            rng.choice(ENVELOPES)(event, rng)
        return event

    def learn(self, operation: str, request: Any, reply: Any) -> None:
        """Remember what later requests may name: ids, ARNs and tokens of a reply."""
        self.seen += [text for text in _texts(reply) if text.startswith("arn:") or _ID.fullmatch(text)]
        if "NextToken" in reply:
            self.pages.append((operation, {**request, "NextToken": reply["NextToken"]}))
        del self.seen[:-_REMEMBERED], self.pages[:-_REMEMBERED]

    def _known(self, shape: Any, rng: random.Random) -> str:
        """Return a text that an SDK might send for a shape."""
        fitting = [text for text in self.seen if _fits(shape, text)]
        if fitting and rng.random() < 0.8:
            return rng.choice(fitting)
        return rng.choice(SENSIBLE.get(shape.name) or shape.enum or ("north", "pump"))

    def _body(self, name: str, rng: random.Random) -> str:
        shape = MODEL.operation_model(name).input_shape
        request = self._valid(shape, rng, rng.choice((0, 0.1, 0.4, 0.8)))
        for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
            changed = self._damaged(shape, request, rng)
            request = {} if changed is _GONE else changed
        text = json.dumps(request)
        return rng.choice(TEXT_DAMAGES)(text, rng) if rng.random() < 0.1 else text

    def _valid(self, shape: Shape, rng: random.Random, share: float) -> Any:
        """Return a value that the model allows, with a `share` of the members that may be left out."""
        if isinstance(shape, StructureShape):
            return {
                name: self._valid(member, rng, share)
                for name, member in shape.members.items()
                if name in shape.required_members or rng.random() < share
            }
        if isinstance(shape, ListShape):
            return [self._valid(shape.member, rng, share) for _ in range(rng.choice((0, 1, 2)))]
        if shape.type_name == "string":
            return self._known(shape, rng)
        if shape.type_name == "timestamp":
            return rng.choice((1767225600, 1782864000, "2026-03-01T00:00:00Z", 1775000000.5))
        return rng.choice((1, 2, 5))

    def _damaged(self, shape: Shape, value: Any, rng: random.Random) -> Any:
        """Return a value that is another one, none, or has one more somewhere."""
        if rng.random() < 0.1 or not value:
            return self._wrong(value, rng)
        if isinstance(shape, ListShape) and isinstance(value, list):
            at = rng.randrange(len(value))
            changed = self._damaged(shape.member, value[at], rng)
            return value[:at] + ([] if changed is _GONE else [changed]) + value[at + 1 :]
        if isinstance(shape, StructureShape) and isinstance(value, dict):
            if rng.random() < 0.1:
                return value | {rng.choice(TEXTS): rng.choice((*OTHERS, *NUMBERS))}
            name = rng.choice([*shape.members])
            changed = self._damaged(shape.members[name], value.get(name), rng)
            rest = {key: each for key, each in value.items() if key != name}
            return rest if changed is _GONE else rest | {name: changed}
        return self._wrong(value, rng)

    def _wrong(self, value: Any, rng: random.Random) -> Any:
        text = rng.choice(TEXTS)
        ways: Sequence[Callable[[], Any]] = (
            lambda: _GONE,
            lambda: [value],
            lambda: rng.choice(NUMBERS),
            lambda: rng.choice(OTHERS),
            lambda: _forged(value if isinstance(value, str) else text, rng),
            lambda: _forged(rng.choice(self.seen or [text]), rng),
            lambda: text * rng.choice((1, 2, 40)),
            lambda: text,
        )
        return rng.choice(ways)()


def _forged(text: str, rng: random.Random) -> str:
    """Return a text a little different: cut, turned, longer, or another one in the same encoding."""
    at = rng.randrange(len(text) + 1)
    ways: Sequence[Callable[[], str]] = (
        lambda: text[:at],
        lambda: text[at:],
        lambda: text[:at] + chr(rng.randrange(1, 0x250)) + text[at + 1 :],
        text.upper,
        lambda: text + text,
        lambda: base64.urlsafe_b64encode(_decoded(text)[:32]).decode(),
        lambda: base64.urlsafe_b64encode(_decoded(text)[:32] + b"x" * 1500).decode(),
        lambda: base64.urlsafe_b64encode(_decoded(text) + bytes([rng.randrange(256)])).decode(),
        lambda: base64.urlsafe_b64encode(rng.randbytes(rng.randrange(80))).decode(),
    )
    return rng.choice(ways)()


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text)
    except ValueError:
        return b""


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _texts(each)]


def _nested(text: str, rng: random.Random) -> str:
    """Return a body with something nested deeply in it. At about 1,000 levels Python's parser gives up."""
    depth = rng.choice((50, 400, *range(900, 1000), 5_000, 100_000))
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
    deep = opening * depth + ("1" if opening != "[" else "") + closing * depth
    return deep if rng.random() < 0.3 else text[:1] + f'"Deep": {deep},' + text[1:]


TEXT_DAMAGES: Sequence[Callable[[str, random.Random], str]] = (
    lambda text, rng: text[: rng.randrange(len(text) + 1)],
    lambda text, rng: text[: (at := rng.randrange(len(text)))] + chr(rng.randrange(0x300)) + text[at + 1 :],
    lambda text, _: text + text,
    lambda text, _: f"\ufeff{text}",
    lambda text, _: f"[{text}]",
    lambda text, _: json.dumps(text),
    lambda text, _: text.replace('"', "'"),
    lambda text, rng: text.replace("1", rng.choice(("1e400", "-0", "1" * 5000, "01", "1.", "NaN", "1e-400"))),
    lambda text, _: text.replace("{", '{"DatasetName": "pump", "DatasetName": null, ', 1),
    lambda text, rng: " " * rng.choice((1, 100_000)) + text,
    _nested,
    _nested,
)


def _encoded(event: Item, rng: random.Random) -> None:
    raw = (event["body"] or "").encode("utf-8", "surrogatepass")
    event["body"] = base64.b64encode(rng.choice((raw, raw[:-1], b"\xff" + raw, rng.randbytes(40)))).decode()
    event["isBase64Encoded"] = True


def _set(name: str, *values: Any) -> Callable[[Item, random.Random], None]:
    def change(event: Item, rng: random.Random) -> None:
        event[name] = rng.choice(values)

    return change


def _headed(*headers: Any) -> Callable[[Item, random.Random], None]:
    def change(event: Item, rng: random.Random) -> None:
        event["headers"] = event["headers"] | rng.choice(headers)

    return change


ENVELOPES: Sequence[Callable[[Item, random.Random], None]] = (
    _set("body", None, "", "{", "null", "0", '""', "[]", "\x00", "\ud800"),
    _set("headers", None, {}, {"x-amz-target": ""}, {"X-AMZ-TARGET": f"{TARGET}."}),
    _set(
        "headers",
        {"x-amz-target": "ListDatasets"},
        {"x-amz-target": f"{TARGET}.listdatasets"},
        {"x-amz-target": f"Other.{TARGET}.ListDatasets"},
        {"x-amz-target": f"{TARGET}.ListDatasets\n"},
        {"x-amz-target": "é\u202e" * 1000},
        {"x-amz-target": f"{TARGET}.__class__"},
    ),
    _headed({"Content-Type": "text/xml"}, {"content-type": ""}, {"Content-Length": "-1"}, {"Expect": "\x00"}),
    _set("requestContext", None, {}, {"requestId": ""}, {"requestId": "x" * 5000}, {"identity": None}),
    _set("isBase64Encoded", 1),
    _encoded,
    _encoded,
)
