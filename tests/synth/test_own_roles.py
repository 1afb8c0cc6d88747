"""Roles of one's own: warnings of what they lack, and the path that they need."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from canonical import JOB_ROLE, PUMP, app, imported_service, locations, stack, warnings

from constructs_l4e import AssetStorage, EquipmentService, IEquipmentService, Model, MonitoredAsset

PATH = "/lookoutequipment/"


def asset(make: Callable[[cdk.Stack, IEquipmentService], iam.IRole]) -> list[str]:
    scope = stack()
    of = imported_service(scope)
    at = locations(scope)
    MonitoredAsset(scope, "Pump", service=of, locations=at, schema=PUMP, role=make(scope, of))
    return warnings(scope)


def mine(scope: cdk.Stack, trust: iam.IPrincipal, path: str | None = PATH) -> iam.Role:
    return iam.Role(scope, "Mine", assumed_by=trust, path=path)


def data(scope: cdk.Stack) -> s3.IBucket:
    found: Any = scope.node.find_child("DataBucket")
    bucket: s3.IBucket = found
    return bucket


def bare(scope: cdk.Stack, of: IEquipmentService) -> iam.IRole:
    """Trusts the account, and may do nothing."""
    return mine(scope, iam.AccountRootPrincipal())


def granted(scope: cdk.Stack, of: IEquipmentService) -> iam.IRole:
    """With the trust of the service, and grants of the CDK."""
    role = mine(scope, of.role_trust())
    data(scope).grant_read(role, "Pump1/*")
    data(scope).grant_put(role, "Pump1/*")
    return role


def statements(*actions: str, under: str = "*") -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            actions=list(actions),
            resources=["arn:aws:s3:::sensor-data", f"arn:aws:s3:::sensor-data/{under}"],
        )
    ]


ALL = ("s3:GetObject", "s3:PutObject", "s3:List*")


def with_inline_policy(scope: cdk.Stack, of: IEquipmentService) -> iam.IRole:
    return iam.Role(
        scope,
        "Mine",
        assumed_by=of.role_trust(),
        path=PATH,
        inline_policies={"Data": iam.PolicyDocument(statements=statements(*ALL))},
    )


def with_attached_policy(scope: cdk.Stack, of: IEquipmentService) -> iam.IRole:
    role = mine(scope, of.role_trust())
    role.attach_inline_policy(iam.Policy(scope, "Data", statements=statements(*ALL)))
    return role


def with_managed_policy(scope: cdk.Stack, of: IEquipmentService) -> iam.IRole:
    role = mine(scope, of.role_trust())
    role.add_managed_policy(iam.ManagedPolicy(scope, "Data", statements=statements(*ALL)))
    return role


@pytest.mark.parametrize("make", [granted, with_inline_policy, with_attached_policy, with_managed_policy])
def test_an_own_role_that_has_everything(make: Callable[[cdk.Stack, IEquipmentService], iam.IRole]) -> None:
    assert asset(make) == []


def test_an_own_role_that_trusts_too_much_and_may_do_nothing() -> None:
    found = asset(bare)

    for kind in ("dataset", "inference-scheduler"):
        (wide,) = (each for each in found if f":{kind}/" in each)
        assert 'role "Test/Mine" trusts the service for every resource, so whoever may call' in wide
        assert re.search(r'add service.role_trust\(\["arn:\*:lookoutequipment:.*\?/\*"\]\)', wide)
    bucket = "arn:*:s3:::sensor-data"
    for need in (
        f"lacks s3:GetObject on {bucket}/Pump1/history/*, s3:ListBucket on {bucket}, unless",
        (
            f"lacks s3:GetObject on {bucket}/Pump1/inference-input/*, s3:ListBucket on {bucket}, "
            f"s3:PutObject on {bucket}/Pump1/inference-output/*, unless"
        ),
    ):
        assert sum(need in each for each in found) == 1
    assert len(found) == 4


@pytest.mark.parametrize(
    ("trust", "words"),
    [
        (iam.ServicePrincipal("ec2.amazonaws.com"), "does not trust the service: add"),
        (iam.ArnPrincipal("arn:aws:iam::111122223333:role/other"), "does not trust the service: add"),
        (iam.ArnPrincipal(JOB_ROLE), "trusts the service for every resource"),
        (iam.StarPrincipal(), "trusts the service for every resource"),
        (
            iam.PrincipalWithConditions(
                iam.ArnPrincipal(JOB_ROLE),
                {"StringEquals": {"sts:ExternalId": "arn:aws:lookoutequipment:eu-west-1:1:model/pump/*"}},
            ),
            'does not trust the service for "arn:*:lookoutequipment:eu-west-1:<AWS::AccountId>:dataset/Test-',
        ),
    ],
)
def test_an_own_role_that_trusts_others(trust: iam.IPrincipal, words: str) -> None:
    def make(scope: cdk.Stack, of: IEquipmentService) -> iam.IRole:
        role = mine(scope, trust)
        for each in statements(*ALL):
            role.add_to_policy(each)
        return role

    found = asset(make)
    assert len(found) == 2
    assert any(words in each for each in found), found


@pytest.mark.parametrize(
    ("allowed", "under", "lacking"),
    [
        (("s3:GetObject", "s3:ListBucket"), "*", {"s3:PutObject"}),
        (("s3:*",), "Pump2/*", {"s3:GetObject", "s3:PutObject"}),
        (("s3:Get*", "s3:PutObject"), "*", {"s3:ListBucket"}),
    ],
)
def test_an_own_role_that_lacks_rights(allowed: Sequence[str], under: str, lacking: set[str]) -> None:
    def make(scope: cdk.Stack, of: IEquipmentService) -> iam.IRole:
        role = mine(scope, of.role_trust())
        for each in statements(*allowed, under=under):
            role.add_to_policy(each)
        return role

    found = asset(make)
    needed = "s3:GetObject", "s3:PutObject", "s3:ListBucket"
    assert {name for name in needed if name in str(found)} == lacking


def test_a_right_to_everything_else_is_no_right() -> None:
    def make(scope: cdk.Stack, of: IEquipmentService) -> iam.IRole:
        role = mine(scope, of.role_trust())
        role.add_to_policy(iam.PolicyStatement(not_actions=["iam:*"], resources=["*"]))
        return role

    assert all("lacks s3:GetObject" in each for each in asset(make))


def test_an_own_role_needs_the_key_of_the_bucket() -> None:
    def found(*actions: str) -> list[str]:
        scope = stack()
        of = imported_service(scope)
        key = kms.Key(scope, "Key")
        role = mine(scope, of.role_trust())
        bucket = s3.Bucket(scope, "Own", encryption_key=key)
        role.add_to_policy(
            iam.PolicyStatement(actions=list(ALL), resources=[bucket.bucket_arn, bucket.arn_for_objects("*")])
        )
        if actions:
            role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[key.key_arn]))
        at = AssetStorage.from_bucket(scope, "Storage", bucket).for_asset("Pump1")
        model = Model.from_model_name(scope, "M", service=of, model_name="tuned")
        model.add_scheduler(
            "S",
            data_upload_frequency="PT5M",
            data_input=at.inference_input,
            data_output=at.inference_output,
            role=role,
        )
        return warnings(scope)

    (nothing,) = found()
    assert re.search(
        r"lacks kms:Decrypt on <Key.*\.Arn>, kms:GenerateDataKey on <Key.*\.Arn>, unless", nothing
    )
    (one,) = found("kms:Decrypt")
    assert "lacks kms:GenerateDataKey" in one
    assert found("kms:Decrypt", "kms:GenerateDataKey*") == []


def test_an_own_role_of_another_stack() -> None:
    of = app()
    roles, scope = cdk.Stack(of, "Roles"), cdk.Stack(of, "Plant")
    found = imported_service(scope)
    at = locations(scope)
    MonitoredAsset(
        scope, "Pump", service=found, locations=at, schema=PUMP, role=mine(roles, found.role_trust())
    )

    shown = [each for each in warnings(scope) if "constructs-l4e" in each]
    assert [each.partition(" on ")[0] for each in shown] == ['role "Roles/Mine" lacks s3:GetObject'] * 2
    assert warnings(roles) == []


def test_an_own_role_for_aws_s_own_service() -> None:
    def found(trusted: str) -> list[str]:
        scope = stack()
        of = EquipmentService.aws_managed(scope, "Service")
        role = iam.Role(scope, "Mine", assumed_by=iam.ServicePrincipal(trusted))
        for each in statements(*ALL):
            role.add_to_policy(each)
        MonitoredAsset(scope, "Pump", service=of, locations=locations(scope), schema=PUMP, role=role)
        return warnings(scope)

    assert found("lookoutequipment.amazonaws.com") == []
    assert all("does not trust the service: add" in each for each in found("ec2.amazonaws.com"))


def test_an_imported_role_for_aws_s_own_service_may_lack_rights() -> None:
    scope = stack()
    of = EquipmentService.aws_managed(scope, "Service")
    role = iam.Role.from_role_arn(scope, "R", "arn:aws:iam::111122223333:role/mine")
    MonitoredAsset(scope, "Pump", service=of, locations=locations(scope), schema=PUMP, role=role)

    assert ["it needs s3:" in each for each in warnings(scope)] == [True, True]


def test_a_warning_about_an_own_role_can_be_acknowledged() -> None:
    scope = stack()
    of = imported_service(scope)
    at = locations(scope)
    made = MonitoredAsset(scope, "Pump", service=of, locations=at, schema=PUMP, role=bare(scope, of))
    for rule in ("RoleTrust", "RoleRights"):
        cdk.Annotations.of(made).acknowledge_warning(f"constructs-l4e:{rule}", "the owners know")

    assert warnings(scope) == []


def test_an_imported_role_may_lack_everything() -> None:
    found = asset(
        lambda scope, _: iam.Role.from_role_arn(scope, "R", f"arn:aws:iam::111122223333:role{PATH}mine")
    )

    assert sum("the trust policy of role" in each and "is not made here" in each for each in found) == 2
    assert sum("it needs s3:GetObject and s3:ListBucket for s3://" in each for each in found) == 2


@pytest.mark.parametrize(("path", "shown"), [(None, "/"), ("/other/", "/other/")])
def test_an_own_role_needs_the_path_of_the_service(path: str | None, shown: str) -> None:
    words = f'role "Test/Mine" has the path "{shown}" and cannot be used by the service'
    with pytest.raises(ValueError, match=words):
        asset(lambda scope, of: mine(scope, of.role_trust(), path))
