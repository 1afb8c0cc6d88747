"""Policies and state machines as tools see them that have not made them: parliament and statelint.

Each finding that stays is listed with the reason why. Templates as a whole are checked by cfn-lint, for all
Regions that it knows, where they are synthesised.
"""

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from deployed import SNAPSHOTS, definitions, identity_policies, of_type

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports pkg_resources
    import parliament

from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType
from test_template_limits import RESOURCE_POLICIES


@dataclass(frozen=True, kw_only=True)
class Known:
    """A finding that stays: where and what about, both as patterns, and the reason why."""

    rule: str
    where: str
    about: str
    reason: str

    def covers(self, finding: "Finding") -> bool:
        return (
            self.rule == finding.rule
            and re.search(self.where, finding.where) is not None
            and re.search(self.about, finding.about) is not None
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    rule: str
    where: str
    about: str


def require_known(found: Iterable[Finding], known: Iterable[Known]) -> None:
    """Every finding is known, and everything known is found."""
    found, known = list(found), list(known)
    new = {finding for finding in found if not any(each.covers(finding) for each in known)}
    assert not new, "\n".join(map(str, sorted(new, key=str)))
    unneeded = [each for each in known if not any(map(each.covers, found))]
    assert not unneeded, unneeded


def policies() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every policy with the place that it is in."""
    for name, template in SNAPSHOTS.items():
        for role, document in identity_policies(template):
            yield f"{name}/{role}", document
        for kind, (member, _) in RESOURCE_POLICIES.items():
            for key, properties in of_type(template, kind):
                yield f"{name}/{key}", properties[member]
        for role, properties in of_type(template, "AWS::IAM::Role"):
            yield f"{name}/{role}/trust", _about_itself(properties["AssumeRolePolicyDocument"])


def _about_itself(trust: Mapping[str, Any]) -> Mapping[str, Any]:
    """A trust policy that says which role it is about: parliament does not know those that leave it out."""
    role = "arn:aws:iam::111122223333:role/itself"
    return {**trust, "Statement": [{**one, "Resource": role} for one in trust["Statement"]]}


def _readable(value: Any) -> Any:
    """A policy without JSON numbers, which parliament cannot read."""
    match value:
        case dict():
            return {key: _readable(each) for key, each in value.items()}
        case list():
            return [_readable(each) for each in value]
        case float():
            return str(value)
    return value


def opinions(where: str, document: Mapping[str, Any]) -> Iterator[Finding]:
    """What parliament finds in a policy."""
    for found in parliament.analyze_policy_string(json.dumps(_readable(document))).findings:
        about = found.detail if isinstance(found.detail, str) else json.dumps(found.detail)
        yield Finding(rule=found.issue, where=where, about=about)


KNOWN_OF_POLICIES = (
    Known(
        rule="MISMATCHED_TYPE",
        where=r"^(service[^/]*|plant\.L4eService)/\w*Bucket",
        about="s3:TlsVersion requires a value of type Numeric but given ",
        reason="parliament knows whole numbers only; AWS's own examples compare with 1.2",
    ),
    Known(
        rule="UNKNOWN_CONDITION_FOR_ACTION",
        where=r"^(service[^/]*|plant\.L4eService)/\w*Bucket",
        about="s3:TlsVersion for action s3:(InitiateReplication|PutAccessPointPublicAccessBlock)",
        reason="the statement denies every action below TLS 1.2; these two have no such key, and no caller",
    ),
    Known(
        rule="MISMATCHED_TYPE",
        where="Role|/Key",
        about="ArnLike requires a value of type Arn but given String",
        reason="members of an encryption context count as strings; AWS's page on encrypted log groups"
        " compares them by ArnLike, too",
    ),
    Known(
        rule="RESOURCE_MISMATCH",
        where="Role",
        about=r'^\[{"action": "states:DescribeExecution", "required_format": "[^"]*:express:[^"]*"}\]$',
        reason="the executions of the service are standard ones",
    ),
    Known(
        rule="RESOURCE_MISMATCH",
        where="^service-(large|controlled)/ServiceJobsTrainMachineRole",
        about=r'^\[{"action": "batch:SubmitJob", "required_format": "arn:\*:batch:\*:\*:job/\*"}\]$',
        reason="jobs are resources of SubmitJob only if it names jobs to wait for",
    ),
    Known(
        rule="RESOURCE_MISMATCH",
        where="^service-managed/ServiceProviderRole",
        about=r'^\[({"action": "lookoutequipment:(Create(Model|InferenceScheduler)|ImportModelVersion)", '
        r"[^}]*}(, )?)+\]$",
        reason="the other resource of the action is in another statement of the policy",
    ),
    Known(
        rule="RESOURCE_STAR",
        where="^service-managed/ServiceProviderRole",
        about=r'^\["lookoutequipment:ListDataIngestionJobs"\]$',
        reason="AWS's page on actions of Lookout for Equipment has no resource for it",
    ),
    Known(
        rule="RESOURCE_STAR",
        where="/ServiceProviderFrameworkwaiterstatemachineRole",
        about=r'^\["logs:CreateLogStream", "logs:PutLogEvents"\]$',
        reason="CDK's framework of custom resources writes it; delivery of logs of state machines has no "
        "narrower resource",
    ),
    Known(
        rule="RESOURCE_MISMATCH",
        where="^service-full/ServiceStateBucketPolicy",
        about='"action": "s3:ListAccessGrants"',
        reason="CDK's function that empties buckets (DESTROY only) may `s3:List*` on this bucket",
    ),
    Known(
        rule="RESOURCE_POLICY_PRIVILEGE_ESCALATION",
        where="^service-full/ServiceStateBucketPolicy",
        about="does allow s3:PutBucketPolicy",
        reason="CDK's function that empties buckets (DESTROY only) first denies all others to write",
    ),
    Known(
        rule="RESOURCE_STAR",
        where=r"/\w*Key\w*$",
        about="^\\[.kms:",
        reason="in the policy of a key, `*` is that key",
    ),
    Known(
        rule="INVALID_ARN",
        where=r"^(plant|stages|watched)\.",
        about="^Does not have 6 parts$",
        reason="the ARN of a bucket of another stack is known to the deployment only",
    ),
    Known(
        rule="UNKNOWN_PRINCIPAL",
        where=r"^(parts|plant\.Pump\d)/\w*Role\w*/trust",
        about="^(p+|i+)$",
        reason="the role of a service of another stack is known to the deployment only",
    ),
)


def test_parliament_objects_to_no_policy_without_a_reason() -> None:
    require_known(
        (finding for where, document in policies() for finding in opinions(where, document)),
        KNOWN_OF_POLICIES,
    )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"Action": "s3:GetObjekt"}, "UNKNOWN_ACTION"),
        ({"Resource": "arn:aws:s3:::bucket"}, "RESOURCE_MISMATCH"),
        ({"Resource": "bucket"}, "INVALID_ARN"),
        ({"Condition": {"StringEquals": {"s3:Prefixes": "a"}}}, "UNKNOWN_CONDITION_FOR_ACTION"),
        ({"Resource": "*"}, "RESOURCE_STAR"),
    ],
)
def test_parliament_sees_mistakes(changes: Mapping[str, Any], rule: str) -> None:
    right = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
    assert list(opinions("here", {"Version": "2012-10-17", "Statement": [right]})) == []
    wrong = {"Version": "2012-10-17", "Statement": [{**right, **changes}]}
    assert rule in {finding.rule for finding in opinions("here", wrong)}


def mistakes(where: str, definition: str) -> Iterator[Finding]:
    """What statelint, AWS Labs' validator of the States Language, finds in a state machine."""
    for text in Linter.validate(json.loads(definition), Config({ProblemType.FLOAT})):
        yield Finding(rule="statelint", where=where, about=text)


KNOWN_OF_MACHINES = (
    Known(
        rule="statelint",
        where="/ServiceJobsIngestMachine",
        about=r'^Field "InputType" not allowed in State Machine\.States\.ReadFiles\.ItemReader\.Reader',
        reason="the States Language leaves it to the service; Step Functions requires it of files in S3",
    ),
)


def test_statelint_objects_to_no_state_machine_without_a_reason() -> None:
    """That a back-off rate is written `2` and not `2.0` makes no difference to JSON."""
    found = [
        finding
        for name, template in SNAPSHOTS.items()
        for key, text in definitions(template)
        for finding in mistakes(f"{name}/{key}", text)
    ]
    require_known(found, KNOWN_OF_MACHINES)


@pytest.mark.parametrize(
    ("before", "after", "about"),
    [
        ('"Next":"Finish"', '"Next":"Finnish"', "Finnish"),
        ('"Type":"Task"', '"Type":"Tusk"', "Tusk"),
        ('"MaxAttempts":', '"MaxAttemps":', "MaxAttemps"),
        ('"End":true', '"End":1', "End"),
    ],
)
def test_statelint_sees_mistakes(before: str, after: str, about: str) -> None:
    ((_, definition),) = (one for one in definitions(SNAPSHOTS["service"]) if "IngestMachine" in one[0])
    definition = json.dumps(json.loads(definition), separators=(",", ":"))
    assert before in definition
    found = [each.about for each in mistakes("here", definition.replace(before, after, 1))]
    assert any(about in each for each in found), found


@pytest.mark.parametrize("about", ["other", "known"])
def test_only_what_is_found_is_known(about: str) -> None:
    known = Known(rule="rule", where="^here$", about="^known$", reason="why")
    require_known([Finding(rule="rule", where="here", about="known")], [known])
    with pytest.raises(AssertionError):
        require_known([Finding(rule="rule", where=f"{about} there", about=about)], [known])
    with pytest.raises(AssertionError):
        require_known([], [known])
