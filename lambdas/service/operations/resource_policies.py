"""Resource policies of datasets, models and model versions: who may import them."""

import secrets
from typing import Any

from service.context import Context
from service.errors import ConflictError, NotFoundError, ValidationError
from service.operations.tags import require_resource
from service.requests.idempotency import Plan, create_once
from service.sharing.resource_policy import parse_policy
from service.storage.names import LABEL_GROUP, RESOURCE, SCHEDULER, new_uuid, policies_of, policy_key
from service.storage.records import ResourcePolicyRecord
from service.storage.retry_on_change import retry_on_change
from service.storage.store import Update


def put_resource_policy(context: Context, request: dict[str, Any]) -> ResourcePolicyRecord:
    """Attach a policy to a resource, or replace the one that it has."""
    arn, text = request["ResourceArn"], request["ResourcePolicy"]
    _require_importable(arn)
    parse_policy(text, resource=arn)

    def plan() -> Plan[ResourcePolicyRecord]:
        owner = _require_owner(context, arn)
        present = context.records.resource_policy(owner, arn)
        _require_revision(present, arn, request.get("PolicyRevisionId"))
        now = context.timestamp()
        changed = {
            "PolicyRevisionId": secrets.token_hex(16),
            "ResourcePolicy": text,
            "LastModifiedTime": now,
        }
        if present is None:
            created: Any = {
                "pk": policies_of(owner),
                "sk": policy_key(arn),
                "uuid": new_uuid(),
                "ResourceArn": arn,
                "CreationTime": now,
                **changed,
            }
            return Plan(record=created)
        replaced: Any = {**present, **changed}
        expected = {"PolicyRevisionId": present["PolicyRevisionId"]}
        return Plan(record=replaced, replaces=Update(present["pk"], present["sk"], changed, expect=expected))

    return create_once(context, "PutResourcePolicy", request, identity="uuid", plan=plan)


def describe_resource_policy(context: Context, request: dict[str, Any]) -> ResourcePolicyRecord:
    """Return the policy of a resource."""
    return _require_policy(context, request["ResourceArn"])


def delete_resource_policy(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Remove the policy of a resource: other accounts cannot import it any more."""

    def attempt() -> None:
        policy = _require_policy(context, request["ResourceArn"])
        revision = {"PolicyRevisionId": policy["PolicyRevisionId"]}
        context.store.delete(policy["pk"], policy["sk"], expect=revision)

    retry_on_change(attempt)
    return {}


def _require_importable(arn: str) -> None:
    """Require that the ARN is not that of a resource that nobody can import."""
    match = RESOURCE.fullmatch(arn.split(":", 5)[-1])
    if match is not None and match[1] in {SCHEDULER, LABEL_GROUP}:
        raise ValidationError(
            f"ResourceArn '{arn}' cannot be imported, so it has no policy: give the ARN of a dataset, a "
            "model or a model version"
        )


def _require_owner(context: Context, arn: str) -> str:
    """Return the uuid of the dataset or model with the `arn`, or of the model of that version.

    Raises:
        NotFoundError: when there is none.
        ValidationError: when it is a resource that nobody can import.
    """
    resource = require_resource(context, arn)
    _require_importable(arn)
    return str(resource["uuid"])


def _require_policy(context: Context, arn: str) -> ResourcePolicyRecord:
    policy = context.records.resource_policy(_require_owner(context, arn), arn)
    if policy is None:
        raise NotFoundError(f"the resource '{arn}' has no resource policy: attach one with PutResourcePolicy")
    return policy


def _require_revision(present: ResourcePolicyRecord | None, arn: str, expected: str | None) -> None:
    revision = None if present is None else present["PolicyRevisionId"]
    if expected is None or expected.lower() == revision:
        return
    state = "it has no policy" if revision is None else f"it is at revision '{revision}'"
    raise ConflictError(
        f"PolicyRevisionId '{expected}' is not the revision of the policy of '{arn}': {state}; look at it "
        "with DescribeResourcePolicy, or leave PolicyRevisionId out to replace whatever there is"
    )


OPERATIONS = {
    "PutResourcePolicy": put_resource_policy,
    "DescribeResourcePolicy": describe_resource_policy,
    "DeleteResourcePolicy": delete_resource_policy,
}
