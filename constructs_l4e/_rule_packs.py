"""Findings of the NIST 800-53 R5, HIPAA, PCI DSS and Serverless packs that are accepted, with reasons.

What a user can satisfy by props is not here. `_acknowledge.py` has those of AwsSolutions.
"""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct

from constructs_l4e._memory import once

_NIST, _HIPAA, _PCI, _SERVERLESS = "NIST.800.53.R5-", "HIPAA.Security-", "PCI.DSS.321-", "Serverless-"


def _in(packs: tuple[str, ...], rule: str, reason: str) -> dict[str, str]:
    return {f"{pack}{rule}": reason for pack in packs}


_ALL_THREE = (_NIST, _HIPAA, _PCI)

INLINE_POLICY = _in(
    _ALL_THREE,
    "IAMNoInlinePolicy",
    "the policy is for this one role, exists as soon as the role does and ends with it; a managed policy"
    " could be attached to others. A permissions boundary holds the role: ServiceControls",
)
STAR = _in(
    (_SERVERLESS,),
    "LambdaStarPermissions",
    "only actions for which AWS offers no resource-level permissions, each with its reason and, where there"
    " is one, with a condition: the acknowledgements of AwsSolutions-IAM5 have them",
)
FRAMEWORK_FUNCTION = _in(
    (_SERVERLESS,),
    "LambdaDefaultMemorySize",
    "a function of CDK's provider framework passes small events on, for which Lambda's default is enough",
)
DEAD_LETTERS = _in(
    (_SERVERLESS,),
    "SQSRedrivePolicy",
    "it is a dead-letter queue itself: of functions and of rules, not of another queue",
)
STAGE = {
    **_in(
        _ALL_THREE,
        "APIGWCacheEnabledAndEncrypted",
        "every operation is a signed POST whose answer depends on its body and its caller: a cache would give"
        " old answers, and those of others",
    ),
    **_in(
        _ALL_THREE,
        "APIGWSSLEnabled",
        "a client certificate is for HTTP back ends; behind this stage is a function, which only this API may"
        " invoke, by IAM",
    ),
    **_in(
        (_NIST, _PCI),
        "APIGWAssociatedWithWAF",
        "every request must carry an IAM signature, so there is no anonymous traffic to filter; a web ACL can"
        " be associated with the stage",
    ),
}
NO_REPLICA = _in(
    _ALL_THREE,
    "S3BucketReplicationEnabled",
    "objects are versioned, and kept for 30 days when deleted; a copy in another Region is the choice of the"
    " owner of the data: replication rules on the bucket, or a bucket of your own",
)
EXPIRING_RECORDS = _in(
    (_NIST, _HIPAA),
    "DynamoDBInBackupPlan",
    "notes on requests in progress, which expire; the table can be restored to any second of 35 days",
)
ACCESS_LOGS_BUCKET = {
    **_in(
        _ALL_THREE,
        "S3BucketReplicationEnabled",
        "access logs, which expire; who must keep them elsewhere gives a bucket with replication as"
        " access_logs_bucket",
    ),
    **_in(
        _ALL_THREE,
        "S3BucketVersioningEnabled",
        "S3 writes each log once, under a new key, and nothing overwrites it before it expires",
    ),
    **_in(
        _ALL_THREE,
        "S3DefaultEncryptionKMS",
        "S3 delivers server access logs only to buckets with its own keys (SSE-S3), not with those of KMS",
    ),
}
_RANGE = (
    "the endpoint is open on port 443 to the address range of its VPC, a reference that the rule cannot read;"
    " open=False keeps it shut"
)
VPC_RANGE = {
    **_in(_ALL_THREE, "EC2RestrictedCommonPorts", _RANGE),
    **_in(_ALL_THREE, "EC2RestrictedSSH", _RANGE),
}


def accept(scope: IConstruct, reasons: Mapping[str, str]) -> None:
    """Acknowledge findings, by full id, on `scope` and below it."""
    validations_of(scope).acknowledge(
        *(cdk.Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items())
    )


def validations_of(scope: IConstruct) -> cdk.Validations:
    """Return what takes the acknowledgements of a construct."""
    return once(scope, "validations", lambda: cdk.Validations.of(scope))
