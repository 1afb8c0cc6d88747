"""What a session of the customer's role may do: what the job at hand needs, however much the role allows.

Jobs parse files of others. Should one of them ever gain control of the parser, the credentials it finds reach
the places of its own job. Pure.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9 !'()+,./:=@_-]{0,200}")
"""How much of a prefix is in a policy: IAM takes `*`, `?` and `$` for patterns, Latin characters only, and
2,048 characters in all. A shorter prefix allows more, never less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The objects of a bucket whose keys begin with a prefix."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> "Place":
        """Return the place that a structure of the API names by `Bucket` and perhaps `Prefix`."""
        return cls(bucket=configuration["Bucket"], prefix=configuration.get("Prefix", ""))


def session_policy(partition: str, *, reads: Sequence[Place] = (), writes: Sequence[Place] = ()) -> str:
    """Return the policy of a session that reads and lists some places and writes others.

    Args:
        partition: the partition of AWS, such as `aws`.
        reads: objects that are read. Their whole buckets may be listed, for messages about wrong prefixes.
        writes: objects that are written.
    """
    statements: list[dict[str, Any]] = []
    if reads:
        buckets = list(dict.fromkeys(f"arn:{partition}:s3:::{place.bucket}" for place in reads))
        statements.append(_allow(["s3:ListBucket"], buckets))
        statements.append(_allow(["s3:GetObject"], _objects(partition, reads)))
    if writes:
        statements.append(_allow(["s3:PutObject"], _objects(partition, writes)))
    # Which keys encrypt the objects is not known here; the role names them.
    keys = _allow(["kms:Decrypt", "kms:GenerateDataKey"], ["*"])
    statements.append({**keys, "Condition": {"StringLike": {"kms:ViaService": "s3.*"}}})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def _allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _objects(partition: str, places: Sequence[Place]) -> list[str]:
    return [f"arn:{partition}:s3:::{place.bucket}/{_beginning(place.prefix)}*" for place in places]


def _beginning(prefix: str) -> str:
    found = _PLAIN.match(prefix)
    return "" if found is None else found[0]
