"""Where the service keeps its state: table, buckets, keys, and the events that it could not handle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from l4e_cli.doctor.deployment import Deployment
from l4e_cli.doctor.finding import Finding, ok, problem
from l4e_cli.doctor.reading import Account, Unread, read
from l4e_cli.words import count

AREA = "State"
Kind = Literal["table", "bucket", "key", "dead letters"]
_KINDS: dict[Kind, str] = {
    "table": "AWS::DynamoDB::Table",
    "bucket": "AWS::S3::Bucket",
    "key": "AWS::KMS::Key",
    "dead letters": "AWS::SQS::Queue",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table, bucket, key or queue.

    Args:
        kind: which of them.
        name: its physical id.
        state: `ACTIVE` of a table, `Enabled` of a key, the number of messages of a queue; None when it does
            not exist.
    """

    kind: Kind
    name: str
    state: str | Unread | None


def collect(account: Account, deployment: Deployment) -> Sequence[Part]:
    """Read the parts of the stack that hold state."""
    return [
        Part(kind=kind, name=name, state=_state(account, kind, name))
        for kind, resource in _KINDS.items()
        for name in deployment.of(resource)
    ]


def _state(account: Account, kind: Kind, name: str) -> str | Unread | None:
    match kind:
        case "table":
            client = account.client("dynamodb")
            return read(
                "dynamodb:DescribeTable",
                lambda: str(client.describe_table(TableName=name)["Table"]["TableStatus"]),
            )
        case "bucket":
            client = account.client("s3")
            return read("s3:ListBucket", lambda: client.head_bucket(Bucket=name) and "there")
        case "key":
            client = account.client("kms")
            return read(
                "kms:DescribeKey", lambda: str(client.describe_key(KeyId=name)["KeyMetadata"]["KeyState"])
            )
        case "dead letters":
            client = account.client("sqs")
            messages = "ApproximateNumberOfMessages"
            return read(
                "sqs:GetQueueAttributes",
                lambda: str(
                    client.get_queue_attributes(QueueUrl=name, AttributeNames=[messages])["Attributes"][
                        messages
                    ]
                ),
            )


def check(parts: Sequence[Part]) -> Iterator[Finding]:
    """Yield what the facts mean: a line for each fault, and one for each kind without any."""
    for kind in _KINDS:
        own = [part for part in parts if part.kind == kind]
        faults = [found for part in own if (found := _fault(part)) is not None]
        yield from faults
        if own and not faults:
            yield ok(kind, _in_order(kind, len(own)))


def _in_order(kind: Kind, number: int) -> str:
    match kind:
        case "dead letters":
            return "no event waits that could not be handled"
        case "key":
            return f"{count(number, 'key')} enabled"
        case "table":
            return f"{count(number, 'table')} active"
        case "bucket":
            return f"{count(number, 'bucket')} there"


def _fault(part: Part) -> Finding | None:
    if isinstance(part.state, Unread):
        return part.state.finding(part.kind)
    wrong = _wrong(part.kind, part.name, part.state)
    return None if wrong is None else problem(part.kind, wrong[0], fix=wrong[1])


def _wrong(kind: Kind, name: str, state: str | None) -> tuple[str, str] | None:
    """Return what is wrong and what to do; None when nothing is."""
    enable = f"aws kms enable-key --key-id {name}"
    match kind, state:
        case _, None:
            return f"{name} does not exist any more", "restore it from a backup, under the same name"
        case ("table", "ACTIVE") | ("bucket", _) | ("key", "Enabled") | ("dead letters", "0"):
            return None
        case "table", _:
            return f"{name} is {state}", "wait; if it stays so, restore it from a backup"
        case "key", "PendingDeletion":
            return (
                f"{name} is about to be deleted, and all state with it",
                f"aws kms cancel-key-deletion --key-id {name} && {enable}",
            )
        case "key", _:
            return f"{name} is {state}, so no state can be read", enable
        case _, messages:
            return (
                f"{count(int(messages), 'event')} could not be handled; records are put right hourly",
                f"read the log of the reconciler, then: aws sqs purge-queue --queue-url {name}",
            )
