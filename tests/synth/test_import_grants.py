"""ResourcePolicy, and the grants that make one."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from canonical import PUMP, custom, imported_service, properties, stack, synthesised

from constructs_l4e import Dataset, Model, ResourcePolicy
from custom_resources.handler import RESOURCES
from custom_resources.properties import parse
from service.requests.service_model import service_model
from service.sharing.resource_policy import Import, Principal, is_allowed, parse_policy

FRIEND, STRANGER = "222222222222", "333333333333"
HOME = "arn:aws:lookoutequipment:eu-west-1:111122223333"
UUID = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"


def dataset(scope: cdk.Stack) -> Dataset:
    return Dataset(scope, "Data", service=imported_service(scope), schema=PUMP)


def model(scope: cdk.Stack) -> Model:
    return dataset(scope).add_model("Model")


def document(content: Any, kind: str) -> str:
    """The policy as the service gets it: what CloudFormation resolves and the functions parse."""
    resource = next(each for each in RESOURCES if each.resource_type.endswith(f"Equipment{kind}"))
    text = json.dumps(custom(content, kind)["Properties"])
    raw = json.loads(text.replace('{"Ref": "AWS::Partition"}', '"aws"'), object_hook=_joined)
    parsed = parse(
        raw,
        model=service_model(),
        operation=resource.operation,
        name_member=resource.name_member,
        options=resource.options,
        subject=kind,
    )
    return json.dumps(parsed.policy)


def _joined(value: dict[str, Any]) -> Any:
    return "".join(value["Fn::Join"][1]) if value.keys() == {"Fn::Join"} else value


def allowed(content: Any, kind: str, caller: str, *, data: bool = False) -> bool:
    """Whether the service lets a principal import under the policy of a template."""
    name = "dataset/pump" if kind == "DatasetPolicy" else "model/wear"
    resource = f"{HOME}:{name}/{UUID}"
    policy = parse_policy(document(content, kind), resource=resource)
    wanted = Import(
        action=f"lookoutequipment:Import{'Dataset' if kind == 'DatasetPolicy' else 'ModelVersion'}",
        resource=resource if kind == "DatasetPolicy" else f"{resource}/model-version/1",
        principal=Principal.of(caller),
        importing_data=data,
    )
    return is_allowed([policy], wanted, owner="111122223333")


def session(account: str, role: str = "Importer") -> str:
    return f"arn:aws:sts::{account}:assumed-role/{role}"


def test_an_account_may_import_a_dataset_and_nobody_else() -> None:
    content = synthesised(lambda scope: dataset(scope).grant_import(FRIEND))
    assert allowed(content, "DatasetPolicy", session(FRIEND))
    assert not allowed(content, "DatasetPolicy", session(STRANGER))
    policy, data = custom(content, "DatasetPolicy"), properties(content, "Dataset")
    assert policy["Properties"]["DatasetName"] == data["DatasetName"]
    assert any("Data" in each for each in policy["DependsOn"])
    assert "DeletionPolicy" not in policy or policy["DeletionPolicy"] == "Delete"


def test_a_role_may_import_a_model_without_its_inference_data() -> None:
    def build(scope: cdk.Stack) -> None:
        role = iam.Role.from_role_arn(scope, "R", f"arn:aws:iam::{FRIEND}:role/team/Importer")
        model(scope).grant_import(role, inference_data=False)

    content = synthesised(build)
    assert allowed(content, "ModelPolicy", session(FRIEND))
    assert not allowed(content, "ModelPolicy", session(FRIEND), data=True)
    assert not allowed(content, "ModelPolicy", session(FRIEND, "Admin"))


def test_grants_add_to_one_policy() -> None:
    def build(scope: cdk.Stack) -> None:
        made = model(scope)
        first = made.grant_import(FRIEND)
        assert made.grant_import(iam.AccountPrincipal(STRANGER)) is first

    content = synthesised(build)
    for account in (FRIEND, STRANGER):
        assert allowed(content, "ModelPolicy", session(account), data=True)


def test_an_existing_dataset_can_be_shared_too() -> None:
    def build(scope: cdk.Stack) -> None:
        service = imported_service(scope)
        Dataset.from_dataset_name(scope, "D", service=service, dataset_name="pump").grant_import(FRIEND)

    content = synthesised(build)
    assert allowed(content, "DatasetPolicy", session(FRIEND))


def test_statements_of_ones_own() -> None:
    def build(scope: cdk.Stack) -> None:
        statement = iam.PolicyStatement(
            principals=[iam.AnyPrincipal()],
            actions=["lookoutequipment:ImportDataset"],
            conditions={"StringEquals": {"aws:PrincipalAccount": FRIEND}},
        )
        policy = ResourcePolicy(scope, "P", resource=dataset(scope), statements=[statement])
        assert cdk.Token.is_unresolved(policy.policy_revision_id)

    content = synthesised(build)
    assert allowed(content, "DatasetPolicy", session(FRIEND))
    assert not allowed(content, "DatasetPolicy", session(STRANGER))


def test_what_a_policy_cannot_say_is_refused_at_once() -> None:
    scope = stack()
    data = dataset(scope)
    with pytest.raises(ValueError, match='grantee "12" is no AWS account'):
        data.grant_import("12")
    policy = data.grant_import(FRIEND)
    with pytest.raises(ValueError, match="a dataset has no inference data"):
        policy.grant_import(STRANGER, inference_data=False)
    for action in ("lookoutequipment:ImportModelVersion", "lookoutequipment:*", "*"):
        with pytest.raises(ValueError, match="decides about lookoutequipment:ImportDataset only, not"):
            policy.add_statements(iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=[action]))


@pytest.mark.parametrize(
    "grantee", [iam.ServicePrincipal("ec2.amazonaws.com"), iam.OrganizationPrincipal("o-1234567890")]
)
def test_who_cannot_be_judged_is_refused_at_once(grantee: iam.IPrincipal) -> None:
    with pytest.raises(ValueError, match=f'cannot judge "{type(grantee).__name__}", so name those'):
        dataset(stack()).grant_import(grantee)


def test_a_policy_that_says_nothing_is_an_error() -> None:
    scope = stack()
    ResourcePolicy(scope, "P", resource=dataset(scope))
    with pytest.raises(RuntimeError, match="Test/P: the resource policy says nothing: add a statement"):
        scope.node.root.synth()
