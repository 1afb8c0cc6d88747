"""What AWS allows, above all a new account, and what a first deployment that fails leaves, by template."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from canonical import imported_service, resources, stack, template
from services import BUILDS, built, scopes

from constructs_l4e import AssetStorage, EquipmentKey, EquipmentService

NEW_ACCOUNT_MIB = 3008
NEW_ACCOUNT_FUNCTIONS = 10
"""Functions that run at once in a new account (Lambda, "Quotas")."""
MOST_SCRATCH_MIB = 10_240


def functions(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for value in resources(content, "AWS::Lambda::Function").values():
        yield value["Properties"]


@pytest.mark.parametrize("name", BUILDS)
class TestNewAccount:
    def test_has_the_memory(self, name: str) -> None:
        for each in functions(built(name)):
            assert each.get("MemorySize", 128) <= NEW_ACCOUNT_MIB, each["Description"]

    def test_has_the_disk(self, name: str) -> None:
        for each in functions(built(name)):
            assert each.get("EphemeralStorage", {}).get("Size", 512) <= MOST_SCRATCH_MIB

    def test_has_the_functions(self, name: str) -> None:
        content = built(name)
        # Of the ten runs of a new account none can be reserved: only controls do, where there are more.
        reserving = any("ReservedConcurrentExecutions" in each for each in functions(content))
        assert reserving == (name == "service-controlled")
        kept_warm = ("AWS::Lambda::Alias", "AWS::Lambda::Version")
        assert not any(value["Type"] in kept_warm for value in content["Resources"].values())
        for machine in resources(content, "AWS::StepFunctions::StateMachine").values():
            definition = machine["Properties"]["DefinitionString"]
            if isinstance(definition, str):  # the waiter of the CDK's provider has references, and no map
                for states in scopes(json.loads(definition)):
                    maps = [state for state in states.values() if state["Type"] == "Map"]
                    assert all(0 < each["MaxConcurrency"] <= NEW_ACCOUNT_FUNCTIONS // 2 for each in maps)


@pytest.mark.parametrize("name", BUILDS)
class TestStateMachines:
    def test_log_under_the_prefix_that_needs_no_rule_of_its_own(self, name: str) -> None:
        content = built(name)
        machines = resources(content, "AWS::StepFunctions::StateMachine")
        assert machines
        for machine in machines.values():
            (destination,) = machine["Properties"]["LoggingConfiguration"]["Destinations"]
            (group, _) = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"]
            given = content["Resources"][group]["Properties"]["LogGroupName"]
            assert given["Fn::Join"][1][0].startswith("/aws/vendedlogs/states/Test-Service-")

    def test_do_not_meet_the_log_groups_of_an_earlier_try(self, name: str) -> None:
        for value in resources(built(name), "AWS::Logs::LogGroup").values():
            given = value["Properties"].get("LogGroupName")
            # API Gateway makes up another id for each API, and gives its own log group that name.
            of_an_api = "API-Gateway-Execution-Logs_" in json.dumps(given)
            assert given is None or "AWS::StackId" in json.dumps(given) or of_an_api


NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}


def storage_and_key() -> dict[str, Any]:
    """What stacks of assets keep."""
    target = stack()
    AssetStorage(target, "Storage")
    EquipmentKey(target, "Key", service=imported_service(target))
    return template(target)


KEPT = {name: lambda name=name: built(name) for name in BUILDS} | {"assets": storage_and_key}


@pytest.mark.parametrize("name", KEPT)
class TestFailedFirstDeployment:
    def test_leaves_nothing(self, name: str) -> None:
        """`Retain` would keep what the deployment had made; a key that is kept costs a dollar a month."""
        policies = {key: value.get("DeletionPolicy") for key, value in KEPT[name]()["Resources"].items()}
        assert {key for key, policy in policies.items() if policy == "Retain"} == set()

    def test_is_not_refused_to_take_things_back(self, name: str) -> None:
        """DynamoDB does not delete a protected table, whoever asks."""
        tables = resources(KEPT[name](), "AWS::DynamoDB::Table").values()
        assert not any(table["Properties"].get("DeletionProtectionEnabled") for table in tables)

    def test_leaves_no_name_that_the_next_one_needs(self, name: str) -> None:
        for key, value in KEPT[name]()["Resources"].items():
            assert NAMES.get(value["Type"]) not in value.get("Properties", {}), key


def test_what_is_kept_is_kept_when_the_stack_is_deleted_or_a_part_replaced() -> None:
    kept = [
        value["UpdateReplacePolicy"]
        for content in (built("service"), storage_and_key())
        for value in content["Resources"].values()
        if value.get("DeletionPolicy") == "RetainExceptOnCreate"
    ]
    assert len(kept) == 7
    assert set(kept) == {"Retain"}


def test_the_table_is_protected_on_request() -> None:
    target = stack()
    EquipmentService(target, "Service", deletion_protection=True)
    tables = resources(template(target), "AWS::DynamoDB::Table")
    protected = [key for key, value in tables.items() if value["Properties"].get("DeletionProtectionEnabled")]
    assert len(protected) == 1
    assert "State" in protected[0]


@pytest.mark.parametrize(
    ("memory", "message"),
    [
        (cdk.Size.mebibytes(1024), r"training_memory is 1,024 MiB: give 2,048 to 10,240 MiB, such as"),
        (cdk.Size.gibibytes(11), r"training_memory is 11,264 MiB: give 2,048 to 10,240 MiB"),
        (
            cdk.Size.mebibytes(cdk.Token.as_number({"Ref": "Memory"})),
            r"is known to the deployment only: give",
        ),
    ],
)
def test_memory_that_no_training_function_can_have_is_refused(memory: cdk.Size, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EquipmentService(stack(), "Service", training_memory=memory)
