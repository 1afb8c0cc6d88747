"""LargeJobs: what a service with tasks has besides, who may do what with it, what is refused or warned of."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from canonical import app, listed, only, resources, stack, template
from services import built, granting, machine, only_role, plant_network

from constructs_l4e import EquipmentService, LargeJobs, NumericLayer, ServiceSettings
from constructs_l4e._large_training import FUNCTION_CELLS, IMAGE, function_cells
from constructs_l4e._packages import architecture, runtime
from service.jobs.capacity import Capacity
from service.settings import Settings


@pytest.fixture(scope="module")
def deployed() -> dict[str, Any]:
    return built("service-large")


def with_jobs(*, settings: ServiceSettings | None = None, **given: Any) -> cdk.Stack:
    target = stack()
    prop = given.pop("training_memory", None)
    jobs = LargeJobs(vpc=plant_network(target), **given)
    EquipmentService(target, "Service", large_jobs=jobs, settings=settings, training_memory=prop)
    return target


def container(content: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = only(content, "AWS::Batch::JobDefinition")["Properties"]["ContainerProperties"]
    return found


def threshold(content: Mapping[str, Any]) -> int:
    (choice,) = machine(content, "Train")["States"]["Choose"]["Choices"]
    (number,) = (rule["NumericGreaterThan"] for rule in choice["And"] if "NumericGreaterThan" in rule)
    assert isinstance(number, int)
    return number


class TestOff:
    def test_is_the_default(self) -> None:
        content = built("service")
        assert not [value for value in content["Resources"].values() if "Batch" in value["Type"]]
        assert machine(content, "Train")["StartAt"] == "Train"


class TestTask:
    def test_runs_what_the_functions_run(self, deployed: Mapping[str, Any]) -> None:
        variables = {each["Name"]: each["Value"] for each in container(deployed)["Environment"]}
        functions = resources(deployed, "AWS::Lambda::Function").values()
        (train,) = (
            each["Properties"]
            for each in functions
            if each["Properties"]["Handler"] == "service.jobs.train.handler"
        )
        (layer,) = resources(deployed, "AWS::Lambda::LayerVersion")
        assert variables["L4E_LAYER"] == {"Ref": layer}
        assert [variables["L4E_LAYER"]] == train["Layers"]
        assert variables["L4E_CODE_BUCKET"] == train["Code"]["S3Bucket"]
        assert variables["L4E_CODE_KEY"] == train["Code"]["S3Key"]
        shared = train["Environment"]["Variables"]
        assert {name: variables[name] for name in shared} == shared

    def test_starts_the_runtime_of_the_functions(self, deployed: Mapping[str, Any]) -> None:
        found = container(deployed)
        assert found["Image"] == IMAGE
        assert f"{runtime().bundling_image.image}:latest-{architecture().name}" == IMAGE
        assert found["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}

    def test_has_the_role_that_customers_trust(self, deployed: Mapping[str, Any]) -> None:
        (role,) = container(deployed)["JobRoleArn"]["Fn::GetAtt"][:1]
        jobs = [
            each["Properties"]["Role"]["Fn::GetAtt"][0]
            for each in resources(deployed, "AWS::Lambda::Function").values()
            if each["Properties"]["Handler"].startswith("service.jobs")
        ]
        assert {role} == set(jobs)
        trust = deployed["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert {each["Principal"]["Service"] for each in trust} == {
            "lambda.amazonaws.com",
            "ecs-tasks.amazonaws.com",
        }

    def test_is_started_for_this_account_and_region_alone(self, deployed: Mapping[str, Any]) -> None:
        trusts = [
            statement
            for role in resources(deployed, "AWS::IAM::Role").values()
            for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            if statement["Principal"].get("Service") == "ecs-tasks.amazonaws.com"
        ]
        assert len(trusts) == 2
        for trust in trusts:
            assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
            assert ":ecs:eu-west-1:" in json.dumps(trust["Condition"]["ArnLike"]["aws:SourceArn"])

    def test_costs_nothing_at_rest_and_is_bounded(self, deployed: Mapping[str, Any]) -> None:
        place = only(deployed, "AWS::Batch::ComputeEnvironment")["Properties"]["ComputeResources"]
        assert (place["Type"], place["MaxvCpus"]) == ("FARGATE", 20)
        assert "MinvCpus" not in place
        assert place["Subnets"] == ["subnet-0123456789abcdef0"]
        definition = only(deployed, "AWS::Batch::JobDefinition")["Properties"]
        assert definition["Timeout"] == {"AttemptDurationSeconds": 12 * 3600}
        assert definition["RetryStrategy"] == {"Attempts": 1}
        assert only(deployed, "AWS::EC2::SecurityGroup")["Properties"].get("SecurityGroupIngress") is None

    def test_is_as_large_as_asked_for(self) -> None:
        target = stack()
        group = ec2.SecurityGroup.from_security_group_id(target, "Group", "sg-0123456789abcdef0")
        jobs = LargeJobs(
            vpc=plant_network(target),
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            assign_public_ip=True,
            security_groups=[group],
            threshold_cells=1_000,
            cpu=16,
            memory=cdk.Size.gibibytes(64),
            ephemeral_storage=cdk.Size.gibibytes(200),
            timeout=cdk.Duration.hours(30),
            image=ecs.ContainerImage.from_registry("example.org/runtime:1"),
        )
        EquipmentService(target, "Service", large_jobs=jobs)
        content = template(target)
        found = container(content)
        assert {each["Type"]: each["Value"] for each in found["ResourceRequirements"]} == {
            "MEMORY": "65536",
            "VCPU": "16",
        }
        assert found["EphemeralStorage"] == {"SizeInGiB": 200}
        assert found["NetworkConfiguration"] == {"AssignPublicIp": "ENABLED"}
        assert found["Image"] == "example.org/runtime:1"
        place = only(content, "AWS::Batch::ComputeEnvironment")["Properties"]["ComputeResources"]
        assert place["Subnets"] == ["subnet-0123456789abcdef1"]
        assert place["SecurityGroupIds"] == ["sg-0123456789abcdef0"]
        assert place["MaxvCpus"] == 80
        step = machine(content, "Train")["States"]["TrainLarge"]
        assert step["TimeoutSeconds"] == (30 + 24) * 3600
        assert threshold(content) == 1_000

    def test_may_pull_an_image_of_the_account(self) -> None:
        target = stack()
        repository = ecr.Repository.from_repository_name(target, "Mirror", "runtime")
        image = ecs.ContainerImage.from_ecr_repository(repository)
        EquipmentService(target, "Service", large_jobs=LargeJobs(vpc=plant_network(target), image=image))
        (pull,) = granting(template(target), "ecr:BatchGetImage")
        assert json.dumps(pull["Resource"]).endswith(':repository/runtime"]]}')

    def test_finds_its_layer_in_any_region(self) -> None:
        target = cdk.Stack(app(), "Test")
        EquipmentService(
            target,
            "Service",
            numeric_layer=NumericLayer.managed(),
            large_jobs=LargeJobs(vpc=plant_network(target)),
        )
        content = template(target)
        variables = {each["Name"]: each["Value"] for each in container(content)["Environment"]}
        (layer,) = granting(content, "lambda:GetLayerVersion")
        assert "Fn::FindInMap" in variables["L4E_LAYER"]
        assert layer["Resource"] == variables["L4E_LAYER"]


class TestStateMachine:
    def test_chooses_by_size(self, deployed: Mapping[str, Any]) -> None:
        states = machine(deployed, "Train")["States"]
        assert machine(deployed, "Train")["StartAt"] == "Plan"
        assert states["Plan"]["Next"] == "Choose"
        assert states["Choose"]["Default"] == "Train"
        assert [choice["Next"] for choice in states["Choose"]["Choices"]] == ["TrainLarge"]

    def test_trains_in_the_function_as_it_did(self, deployed: Mapping[str, Any]) -> None:
        before = machine(built("service"), "Train")["States"]
        assert {name: machine(deployed, "Train")["States"][name] for name in before} == before

    def test_ends_with_the_failure_of_any_step(self, deployed: Mapping[str, Any]) -> None:
        states = machine(deployed, "Train")["States"]
        assert not any("Catch" in states[name] for name in ("Plan", "Train", "TrainLarge"))

    def test_tries_again_only_to_get_into_the_queue(self, deployed: Mapping[str, Any]) -> None:
        retries = machine(deployed, "Train")["States"]["TrainLarge"]["Retry"]
        assert retries[0]["ErrorEquals"] == ["Batch.TooManyRequestsException"]
        assert all(error.startswith("Batch.") for retry in retries for error in retry["ErrorEquals"])

    def test_may_use_this_queue_and_definition_and_no_other(self, deployed: Mapping[str, Any]) -> None:
        rights = only_role(deployed, "TrainMachineRole")
        (submit,) = granting(rights, "batch:SubmitJob")
        (queue,) = resources(deployed, "AWS::Batch::JobQueue")
        (definition,) = resources(deployed, "AWS::Batch::JobDefinition")
        assert submit["Resource"] == [{"Fn::GetAtt": [queue, "JobQueueArn"]}, {"Ref": definition}]
        (end,) = granting(rights, "batch:TerminateJob")
        assert json.dumps(end["Resource"]).endswith(':job/*"]]}')
        (look,) = granting(rights, "batch:DescribeJobs")
        assert look["Action"] == "batch:DescribeJobs"
        (rule,) = granting(rights, "events:PutRule")
        assert json.dumps(rule["Resource"]).endswith(':rule/StepFunctionsGetEventsForBatchJobsRule"]]}')
        others = ("ApiRole", "IngestMachineRole", "ProviderRole")
        assert not any(granting(only_role(deployed, name), "batch:SubmitJob") for name in others)

    def test_gives_the_jobs_no_more_than_code_and_layer(self, deployed: Mapping[str, Any]) -> None:
        def rights(content: Mapping[str, Any]) -> list[dict[str, Any]]:
            (role,) = (
                value["Properties"]
                for key, value in resources(content, "AWS::IAM::Role").items()
                if key.startswith("ServiceJobsRole")
            )
            statements: list[dict[str, Any]] = role["Policies"][0]["PolicyDocument"]["Statement"]
            return statements

        more = [each for each in rights(deployed) if each not in rights(built("service"))]
        assert [listed(each["Action"]) for each in more] == [["s3:GetObject"], ["lambda:GetLayerVersion"]]
        assert "*" not in json.dumps([each["Resource"] for each in more])


class TestThreshold:
    def test_is_the_quota_of_the_service_for_a_function_of_full_size(
        self, deployed: Mapping[str, Any]
    ) -> None:
        limits = Settings()
        assert limits.training_rows == limits.evaluation_rows
        assert (limits.training_rows or 0) * (limits.columns_per_model or 0) == FUNCTION_CELLS
        assert ServiceSettings().largest_training == FUNCTION_CELLS
        assert function_cells(10_240) == FUNCTION_CELLS
        assert threshold(template(with_jobs(training_memory=cdk.Size.gibibytes(10)))) == FUNCTION_CELLS

    def test_is_by_default_what_the_default_function_carries(self, deployed: Mapping[str, Any]) -> None:
        assert threshold(deployed) == function_cells(3008) == 132_187_500

    @pytest.mark.parametrize("mebibytes", [2048, 3008, 4096, 10_240])
    def test_is_within_the_memory_of_the_function_whatever_the_sensors_need(self, mebibytes: int) -> None:
        """The function itself counts with its `Capacity`; a cell that needs float64 takes eight bytes."""
        capacity = Capacity(memory=mebibytes << 20, disk=0)
        assert function_cells(mebibytes) * 4 <= capacity.values(300)
        if mebibytes >= 3008:
            assert function_cells(mebibytes) * 8 <= capacity.values(300)

    def test_goes_with_the_memory_of_the_function(self) -> None:
        content = template(with_jobs(training_memory=cdk.Size.mebibytes(2560)))
        assert threshold(content) == FUNCTION_CELLS / 4


class TestQuota:
    def warnings(self, target: cdk.Stack) -> list[str]:
        return self.texts(assertions.Annotations.from_stack(target).find_warning("*", self.ABOUT_CELLS))

    def information(self, target: cdk.Stack) -> list[str]:
        return self.texts(assertions.Annotations.from_stack(target).find_info("*", self.ABOUT_CELLS))

    ABOUT_CELLS = assertions.Match.string_like_regexp("cells")

    def texts(self, found: Sequence[Any]) -> list[str]:
        return [str(each.entry.data) for each in found]

    @pytest.mark.parametrize(
        ("settings", "cells"),
        [
            (ServiceSettings(training_rows=2_000_000), "600,000,000"),
            (ServiceSettings(evaluation_rows=3_000_000, columns_per_model=200), "600,000,000"),
            (ServiceSettings(training_rows=math.inf), "inf"),
        ],
    )
    def test_beyond_a_function_is_warned_of(self, settings: ServiceSettings, cells: str) -> None:
        target = stack()
        EquipmentService(target, "Service", settings=settings)
        (warning,) = self.warnings(target)
        assert f"trainings of {cells} cells" in warning
        assert "pass large_jobs=, or lower training_rows" in warning

    @pytest.mark.parametrize(
        "settings", [None, ServiceSettings(training_rows=3_000_000, columns_per_model=100)]
    )
    def test_that_a_function_carries_is_not(self, settings: ServiceSettings | None) -> None:
        target = stack()
        EquipmentService(target, "Service", settings=settings)
        assert self.warnings(target) == []

    def test_beyond_the_memory_of_a_new_account_is_told_with_the_way_out(self) -> None:
        target = stack()
        EquipmentService(target, "Service")
        (information,) = self.information(target)
        assert "3,008 MiB carries 132,187,500, such as 440,625 rows of 300 sensors" in information
        assert "Pass training_memory=Size.gibibytes(10)" in information

    def test_that_the_memory_is_enough_for_is_not_mentioned(self) -> None:
        full, small = stack(), stack()
        EquipmentService(full, "Service", training_memory=cdk.Size.gibibytes(10))
        EquipmentService(
            small, "Service", settings=ServiceSettings(training_rows=400_000, evaluation_rows=400_000)
        )
        assert self.information(full) == self.information(small) == []

    def test_that_leaves_nothing_to_the_tasks_is_warned_of(self) -> None:
        (warning,) = self.warnings(with_jobs(training_memory=cdk.Size.gibibytes(10)))
        assert "large_jobs begins above 450,000,000: raise training_rows" in warning

    @pytest.mark.parametrize(
        "given",
        [
            {"threshold_cells": 1_000_000},
            {"settings": ServiceSettings(training_rows=2_000_000)},
            {},
        ],
    )
    def test_that_leaves_something_is_not(self, given: dict[str, Any]) -> None:
        assert self.warnings(with_jobs(**given)) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cpu": 3}, r"cpu is 3: Fargate has 1, 2, 4, 8, 16 vCPU"),
        (
            {"memory": cdk.Size.gibibytes(60)},
            r"memory is 60 GiB: with 4 vCPU Fargate has 8 to 30 GiB in steps of 1",
        ),
        ({"cpu": 8, "memory": cdk.Size.gibibytes(30)}, r"memory is 30 GiB: with 8 vCPU .* in steps of 4"),
        ({"memory": cdk.Size.mebibytes(10_000)}, r"memory is 9\.76562 GiB"),
        ({"threshold_cells": 0}, r"threshold_cells is 0: give rows times sensors, 1 or more"),
    ],
)
def test_what_does_not_exist_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LargeJobs(vpc=plant_network(stack()), **given)


@pytest.mark.parametrize(("cpu", "most"), [(1, 8), (2, 16), (4, 30), (8, 60), (16, 120)])
def test_memory_is_by_default_all_there_is(cpu: int, most: int) -> None:
    assert LargeJobs(vpc=plant_network(stack()), cpu=cpu).task_memory.to_gibibytes() == most
