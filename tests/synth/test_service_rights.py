"""Who may do what in a deployed service."""

import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from canonical import app, listed, only, resources, stack, statements, template
from services import BUILDS, built, granting, only_role, role_of, roles, service

from constructs_l4e._access import Access, role
from service.event_bus.bus_event import SOURCE


@pytest.fixture(scope="module")
def deployed() -> dict[str, Any]:
    return built("service")


class TestRights:
    @pytest.mark.parametrize("name", BUILDS)
    def test_are_listed_action_by_action(self, name: str) -> None:
        actions = {action for statement in statements(built(name)) for action in listed(statement["Action"])}
        assert {action for action in actions if "*" in action} == set()

    @pytest.mark.parametrize("name", BUILDS)
    def test_hold_no_managed_policy(self, name: str) -> None:
        """But for the role of the function with which the CDK empties buckets, which the CDK makes."""
        for key, found in resources(built(name), "AWS::IAM::Role").items():
            emptying = key.startswith("CustomS3AutoDeleteObjects")
            assert "ManagedPolicyArns" not in found["Properties"] or emptying

    def test_of_the_api_end_at_its_own_state(self, deployed: Mapping[str, Any]) -> None:
        assert role_of(deployed, "ApiRole") == {
            "dynamodb:BatchGetItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "iam:ListRoleTags",
            "iam:PassRole",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
            "lambda:InvokeFunction",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:ListBucket",
            "s3:PutObject",
            "scheduler:CreateSchedule",
            "scheduler:DeleteSchedule",
            "scheduler:GetSchedule",
            "scheduler:UpdateSchedule",
            "states:DescribeExecution",
            "states:StartExecution",
            "states:StopExecution",
        }

    def test_of_the_reconciler_end_at_what_it_reconciles(self, deployed: Mapping[str, Any]) -> None:
        assert {
            action for action in role_of(deployed, "ReconcilerRole") if not action.startswith("kms:")
        } == {
            "cloudwatch:PutMetricData",
            "dynamodb:BatchGetItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "events:PutEvents",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:ListBucket",
            "scheduler:CreateSchedule",
            "scheduler:DeleteSchedule",
            "scheduler:GetSchedule",
            "scheduler:UpdateSchedule",
            "iam:PassRole",
            "sqs:SendMessage",
            "states:DescribeExecution",
            "states:StartExecution",
            "states:StopExecution",
        }

    def test_to_stop_executions_end_at_trainings(self, deployed: Mapping[str, Any]) -> None:
        (machine,) = (
            name
            for name in resources(deployed, "AWS::StepFunctions::StateMachine")
            if name.startswith("ServiceJobsTrainMachine")
        )
        for part in ("ApiRole", "ReconcilerRole"):
            (stop,) = granting(only_role(deployed, part), "states:StopExecution")
            arn = json.dumps(stop["Resource"])
            assert f'{{"Fn::GetAtt": ["{machine}", "Name"]}}' in arn
            assert arn.endswith('":*"]]}')

    def test_to_look_at_executions_end_at_the_machines_of_the_service(
        self, deployed: Mapping[str, Any]
    ) -> None:
        machines = [
            name for name in resources(deployed, "AWS::StepFunctions::StateMachine") if "Jobs" in name
        ]
        for part in ("ApiRole", "ReconcilerRole"):
            (look,) = granting(only_role(deployed, part), "states:DescribeExecution")
            named = [json.dumps(arn) for arn in look["Resource"]]
            assert len(named) == len(machines) == 2
            for arn, name in zip(named, machines, strict=True):
                assert f'{{"Fn::GetAtt": ["{name}", "Name"]}}' in arn
                assert arn.endswith('":*"]]}')

    def test_of_the_ingest_machine_to_write_records_end_at_updates(self, deployed: Mapping[str, Any]) -> None:
        rights = only_role(deployed, "IngestMachineRole")
        assert {a for a in role_of(deployed, "IngestMachineRole") if a.startswith("dynamodb:")} == {
            "dynamodb:UpdateItem"
        }
        (update,) = granting(rights, "dynamodb:UpdateItem")
        (table,) = (name for name in resources(deployed, "AWS::DynamoDB::Table") if "State" in name)
        assert update["Resource"] == {"Fn::GetAtt": [table, "Arn"]}

    def test_to_read_tags_of_roles_end_at_those_that_the_service_may_assume(
        self, deployed: Mapping[str, Any]
    ) -> None:
        (tags,) = granting(deployed, "iam:ListRoleTags")
        (assume,) = granting(deployed, "sts:AssumeRole")
        assert tags["Resource"] == assume["Resource"]
        assert json.dumps(tags["Resource"]).endswith(':role/lookoutequipment/*"]]}')

    def test_of_the_jobs_reach_customers_only_through_their_roles(self, deployed: Mapping[str, Any]) -> None:
        (assume,) = granting(deployed, "sts:AssumeRole")
        assert json.dumps(assume["Resource"]).endswith(':role/lookoutequipment/*"]]}')
        own_bucket = next(key for key in resources(deployed, "AWS::S3::Bucket") if "State" in key)
        provider = granting(only_role(deployed, "ProviderRole"), "s3:GetObject")
        for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
            for statement in granting(deployed, action):
                for arn in listed(statement["Resource"]):
                    assert own_bucket in json.dumps(arn) or statement in provider, f"{action} on {arn}"

    @pytest.mark.parametrize("name", BUILDS)
    def test_of_the_provider_in_s3_end_at_json_files_in_the_cdk_s_bucket(self, name: str) -> None:
        (read,) = granting(only_role(built(name), "ServiceProviderRole"), "s3:GetObject")
        bucket = {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-eu-west-1"}
        assert read == {
            "Action": "s3:GetObject",
            "Effect": "Allow",
            "Resource": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", bucket, "/*.json"]]},
        }

    def test_of_the_provider_in_s3_follow_the_synthesizer(self) -> None:
        target = cdk.Stack(
            app(),
            "Test",
            synthesizer=cdk.DefaultStackSynthesizer(file_assets_bucket_name="staged", bucket_prefix="l4e/"),
        )
        service(target)
        (read,) = granting(only_role(template(target), "ProviderRole"), "s3:GetObject")
        assert read["Resource"]["Fn::Join"][1] == ["arn:", {"Ref": "AWS::Partition"}, ":s3:::staged/*.json"]

    def test_to_use_any_key_end_at_objects_of_the_service_bucket(self, deployed: Mapping[str, Any]) -> None:
        for statement in granting(deployed, "kms:Decrypt"):
            if "key/*" in json.dumps(statement["Resource"]):
                via = statement["Condition"]["StringEquals"]["kms:ViaService"]
                assert via == {"Fn::Join": ["", ["s3.eu-west-1.", {"Ref": "AWS::URLSuffix"}]]}
                assert "kms:EncryptionContext:aws:s3:arn" in statement["Condition"]["ArnLike"]

    def test_to_pass_a_role_end_at_the_schedules(self, deployed: Mapping[str, Any]) -> None:
        for statement in granting(deployed, "iam:PassRole"):
            assert statement["Condition"] == {
                "StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}
            }
        both = roles(deployed, "scheduler.amazonaws.com")
        assert len(both) == 2, "one to infer, one to retrain"
        for schedules in both:
            trust = schedules["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
            assert trust["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
            (group,) = resources(deployed, "AWS::Scheduler::ScheduleGroup")
            assert trust["aws:SourceArn"] == {"Fn::GetAtt": [group, "Arn"]}

    def test_of_the_schedules_of_retraining_end_at_the_reconciler(self, deployed: Mapping[str, Any]) -> None:
        role, policy = (
            next(
                (name, each["Properties"])
                for name, each in resources(deployed, kind).items()
                if name.startswith("ServiceApiRetrainingSchedule")
            )
            for kind in ("AWS::IAM::Role", "AWS::IAM::Policy")
        )
        assert not role[1].keys() & {"Policies", "ManagedPolicyArns"}
        assert policy[1]["Roles"] == [{"Ref": role[0]}]
        (reconciler,) = (
            name
            for name, each in resources(deployed, "AWS::Lambda::Function").items()
            if each["Properties"]["Handler"] == "service.reconciler.handler"
        )
        (statement,) = policy[1]["PolicyDocument"]["Statement"]
        assert statement == {
            "Action": "lambda:InvokeFunction",
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": [reconciler, "Arn"]},
        }

    def test_of_a_schedule_fit_the_name_the_api_gives_it(self) -> None:
        target = cdk.Stack(app(), "AStackWithAVeryLongName" * 3)
        service(target)
        content = template(target)
        group = only(content, "AWS::Scheduler::ScheduleGroup")["Properties"]["Name"]
        uuid_length = 36
        assert len(f"{group}-") + uuid_length <= 64
        for part in ("ApiRole", "ReconcilerRole"):
            (statement,) = granting(only_role(content, part), "scheduler:CreateSchedule")
            assert f":schedule/*/{group}-*" in json.dumps(statement["Resource"])

    def test_to_publish_metrics_end_at_the_namespace(self) -> None:
        statements = granting(built("service-full"), "cloudwatch:PutMetricData")
        assert len(statements) == 2, "of the jobs and of the reconciler"
        # IfExists: without it a policy check that does not know the key refuses every call.
        only = {"StringEqualsIfExists": {"cloudwatch:namespace": "Plant/Equipment"}}
        assert all(statement["Condition"] == only for statement in statements)

    @pytest.mark.parametrize("name", BUILDS)
    def test_to_send_events_end_at_those_of_the_service_on_the_default_bus(self, name: str) -> None:
        found = granting(built(name), "events:PutEvents")
        if name == "service-managed":
            assert found == []
            return
        senders = [
            granting(only_role(built(name), part), "events:PutEvents")
            for part in ("JobsRole", "ReconcilerRole")
        ]
        assert [len(each) for each in senders] == [1, 1]
        assert len(found) == 2
        for statement in found:
            place = ["arn:", {"Ref": "AWS::Partition"}, ":events:eu-west-1:", {"Ref": "AWS::AccountId"}]
            assert statement["Resource"] == {"Fn::Join": ["", [*place, ":event-bus/default"]]}
            assert statement["Condition"] == {"ForAllValues:StringEquals": {"events:source": SOURCE}}

    def test_a_wildcard_needs_a_reason(self) -> None:
        lambda_service = iam.ServicePrincipal("lambda.amazonaws.com")
        access = Access(actions=("s3:GetObject",), resources=("arn:aws:s3:::bucket/*",))
        with pytest.raises(ValueError, match=r"^s3:GetObject on a wildcard resource: give wildcard_reason=$"):
            role(stack(), "Role", description="d", assumed_by=lambda_service, access=[access])
