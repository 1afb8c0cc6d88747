"""EquipmentService: what is deployed, what it can be told, and the services that others deploy."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from canonical import only, resources, stack, template
from services import built, environment, granting, machine, managed, roles, scopes, service

from constructs_l4e import Adaptation, EquipmentService, IEquipmentService, ServiceSettings
from service.settings import Settings
from service.storage.names import INGESTION_JOB
from service.storage.records import IngestionJobRecord


@pytest.fixture(scope="module")
def deployed() -> dict[str, Any]:
    return built("service")


class TestApi:
    def test_is_a_signed_post_at_the_root_and_at_ways_in(self, deployed: Mapping[str, Any]) -> None:
        for method in resources(deployed, "AWS::ApiGateway::Method").values():
            properties = method["Properties"]
            assert (properties["HttpMethod"], properties["AuthorizationType"]) == ("POST", "AWS_IAM")
            assert properties["Integration"]["Type"] == "AWS_PROXY"
        assert only(deployed, "AWS::ApiGateway::Resource")["Properties"]["PathPart"] == "{proxy+}"
        api = only(deployed, "AWS::ApiGateway::RestApi")["Properties"]
        assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}

    def test_leaves_the_settings_of_the_account_alone(self, deployed: Mapping[str, Any]) -> None:
        assert resources(deployed, "AWS::ApiGateway::Account") == {}

    def test_function_knows_where_everything_is(self, deployed: Mapping[str, Any]) -> None:
        assert environment(deployed, "service.api.handler").keys() == {
            "L4E_ACCOUNT",
            "L4E_TABLE",
            "L4E_BUCKET",
            "L4E_METRIC_NAMESPACE",
            "L4E_SETTINGS",
            "L4E_INGEST_MEMORY_MIB",
            "L4E_TRAIN_MEMORY_MIB",
            "L4E_INGEST_STATE_MACHINE",
            "L4E_TRAIN_STATE_MACHINE",
            "L4E_INFER_FUNCTION",
            "L4E_SCHEDULE_GROUP",
            "L4E_SCHEDULE_ROLE",
            "L4E_RETRAINING_FUNCTION",
            "L4E_RETRAINING_SCHEDULE_ROLE",
        }

    def test_may_be_called_by_whom_it_is_granted_to(self) -> None:
        target = stack()
        caller = iam.Role(target, "Caller", assumed_by=iam.AccountRootPrincipal())
        service(target).grant_full_access(caller)
        grant = granting(template(target), "execute-api:Invoke")[-1]
        assert json.dumps(grant["Resource"]).endswith('"/v1/POST/*"]]}')


class TestJobs:
    @pytest.mark.parametrize("name", ["Ingest", "Train"])
    def test_end_with_the_error_of_the_step_that_failed(self, deployed: Mapping[str, Any], name: str) -> None:
        names: Counter[str] = Counter()
        whole, *children = scopes(machine(deployed, name))
        for states in (whole, *children):
            names.update(states.keys())
            for state, body in states.items():
                following = [body.get("Next"), *(catch["Next"] for catch in body.get("Catch", []))]
                assert all(step in states for step in following if step), state
        assert {state for state, count in names.items() if count > 1} == set()
        assert not any("Catch" in body for body in whole.values())
        for states in children:
            (failed,) = (body for body in states.values() if body["Type"] == "Fail")
            assert failed == {"Type": "Fail", "ErrorPath": "$.Error.Error", "CausePath": "$.Error.Cause"}

    def test_note_why_a_read_failed_where_its_job_is_recorded(self, deployed: Mapping[str, Any]) -> None:
        _, states = scopes(machine(deployed, "Ingest"))
        (catch,) = states["Read"]["Catch"]
        assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "NoteFailure")
        note = states["NoteFailure"]
        assert note["Parameters"]["Key"] == {"pk": {"S": INGESTION_JOB}, "sk": {"S.$": "$.JobId"}}
        (attribute,) = re.findall(r"SET (\w+) =", note["Parameters"]["UpdateExpression"])
        assert attribute in IngestionJobRecord.__optional_keys__
        # A failure that cannot be noted still ends the child.
        assert [catch["Next"] for catch in note["Catch"]] == [note["Next"]] == ["ReadFailed"]

    @pytest.mark.parametrize("name", ["Ingest", "Train"])
    def test_wait_about_an_hour_for_a_free_function(self, deployed: Mapping[str, Any], name: str) -> None:
        for states in scopes(machine(deployed, name)):
            for body in states.values():
                if body.get("Resource") != "${Worker}":
                    continue
                retry = body["Retry"][0]
                assert retry["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
                assert (retry["JitterStrategy"], retry["BackoffRate"]) == ("FULL", 2)
                waits = (retry["IntervalSeconds"] * 2**n for n in range(retry["MaxAttempts"]))
                expected = sum(min(wait, retry["MaxDelaySeconds"]) / 2 for wait in waits)
                assert 55 * 60 < expected < 65 * 60

    def test_read_as_many_files_at_once_as_they_are_told(self, deployed: Mapping[str, Any]) -> None:
        assert machine(deployed, "Ingest")["States"]["ReadFiles"]["MaxConcurrency"] == 5
        target = stack()
        EquipmentService(target, "Service", parallel_reads=100)
        assert machine(template(target), "Ingest")["States"]["ReadFiles"]["MaxConcurrency"] == 100
        with pytest.raises(ValueError, match=r"^parallel_reads is 0: give the number"):
            EquipmentService(stack(), "Service", parallel_reads=0)

    @pytest.mark.parametrize("name", ["Ingest", "Train"])
    def test_are_only_tried_again_when_the_platform_failed(
        self, deployed: Mapping[str, Any], name: str
    ) -> None:
        for states in scopes(machine(deployed, name)):
            for body in states.values():
                if body.get("Resource") == "${Worker}":
                    errors = [error for retry in body["Retry"] for error in retry["ErrorEquals"]]
                    assert all(error.startswith("Lambda.") for error in errors)

    def test_read_the_files_of_the_manifest_in_child_executions(self, deployed: Mapping[str, Any]) -> None:
        read = machine(deployed, "Ingest")["States"]["ReadFiles"]
        assert read["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
        assert read["ItemReader"]["Parameters"] == {
            "Bucket.$": "$.Manifest.Bucket",
            "Key.$": "$.Manifest.Key",
        }
        assert read.keys().isdisjoint({"ToleratedFailurePercentage", "ToleratedFailureCount"})

    def test_run_on_the_runtime_of_the_layer(self, deployed: Mapping[str, Any]) -> None:
        for function in resources(deployed, "AWS::Lambda::Function").values():
            properties = function["Properties"]
            if properties["Handler"].startswith("framework"):
                continue
            assert (properties["Runtime"], properties["Architectures"]) == ("python3.14", ["arm64"])
            is_job = properties["Handler"].startswith("service.jobs")
            (layer,) = resources(deployed, "AWS::Lambda::LayerVersion")
            assert properties.get("Layers", []) == ([{"Ref": layer}] if is_job else [])

    def test_use_the_layer_and_memory_they_are_given(self) -> None:
        functions = resources(built("service-full"), "AWS::Lambda::Function").values()
        jobs = [f["Properties"] for f in functions if f["Properties"]["Handler"].startswith("service.jobs")]
        assert {tuple(job["Layers"]) for job in jobs} == {
            ("arn:aws:lambda:eu-west-1:111122223333:layer:numbers:1",)
        }
        assert max(job["MemorySize"] for job in jobs) == 3008


class TestReconciler:
    def test_is_told_of_every_bad_end_and_looks_every_hour(self, deployed: Mapping[str, Any]) -> None:
        rule = only(deployed, "AWS::Events::Rule")["Properties"]
        machines = [
            name for name in resources(deployed, "AWS::StepFunctions::StateMachine") if "Jobs" in name
        ]
        assert rule["EventPattern"] == {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {
                "status": ["FAILED", "ABORTED", "TIMED_OUT"],
                "stateMachineArn": [{"Ref": name} for name in machines],
            },
        }
        assert len(machines) == 2
        assert rule["ScheduleExpression"] == "rate(1 hour)"
        assert rule["State"] == "ENABLED"

    def test_is_a_function_of_its_own_that_is_tried_for_hours(self, deployed: Mapping[str, Any]) -> None:
        (target,) = only(deployed, "AWS::Events::Rule")["Properties"]["Targets"]
        (function,) = target["Arn"]["Fn::GetAtt"][:1]
        properties = deployed["Resources"][function]["Properties"]
        assert properties["Handler"] == "service.reconciler.handler"
        assert "Layers" not in properties
        handled = only(deployed, "AWS::Lambda::EventInvokeConfig")["Properties"]
        assert handled["FunctionName"] == {"Ref": function}
        assert (handled["MaximumEventAgeInSeconds"], handled["MaximumRetryAttempts"]) == (6 * 3600, 2)
        (queue,) = resources(deployed, "AWS::SQS::Queue")
        letters = {"Fn::GetAtt": [queue, "Arn"]}
        assert handled["DestinationConfig"] == {"OnFailure": {"Destination": letters}}
        assert target["DeadLetterConfig"] == {"Arn": letters}

    def test_knows_what_the_api_knows(self, deployed: Mapping[str, Any]) -> None:
        known = dict(environment(deployed, "service.api.handler"))
        del known["L4E_RETRAINING_FUNCTION"]  # itself, which Lambda tells it
        assert environment(deployed, "service.reconciler.handler") == known


class TestState:
    STATEFUL = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key")

    def test_outlives_the_stack(self, deployed: Mapping[str, Any]) -> None:
        kept = {
            key
            for key, value in deployed["Resources"].items()
            if (value.get("DeletionPolicy"), value.get("UpdateReplacePolicy"))
            == ("RetainExceptOnCreate", "Retain")
        }
        stateful = {key for kind in self.STATEFUL for key in resources(deployed, kind) if "State" in key}
        assert kept == stateful | resources(deployed, "AWS::Lambda::LayerVersion").keys()

    def test_goes_with_the_stack_on_request(self) -> None:
        content = built("service-full")
        for kind in self.STATEFUL:
            for value in resources(content, kind).values():
                assert value["DeletionPolicy"] == "Delete"
        assert resources(content, "AWS::KMS::Key") == {}

    def test_is_encrypted_recoverable_and_private(self, deployed: Mapping[str, Any]) -> None:
        assert only(deployed, "AWS::KMS::Key")["Properties"]["EnableKeyRotation"] is True
        for table in resources(deployed, "AWS::DynamoDB::Table").values():
            properties = table["Properties"]
            assert properties["BillingMode"] == "PAY_PER_REQUEST"
            assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
            assert properties["SSESpecification"]["SSEType"] == "KMS"
            assert properties["TimeToLiveSpecification"] == {"AttributeName": "ExpiresAt", "Enabled": True}
        bucket = only(deployed, "AWS::S3::Bucket")["Properties"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        policy = only(deployed, "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [statement["Condition"] for statement in policy]

    def test_logs_expire(self, deployed: Mapping[str, Any]) -> None:
        for group in resources(deployed, "AWS::Logs::LogGroup").values():
            assert group["Properties"]["RetentionInDays"] == 90


class TestSettings:
    def test_reach_the_service_as_it_reads_them(self) -> None:
        given = ServiceSettings(
            datasets=3,
            models=math.inf,
            minimum_training_span=cdk.Duration.hours(12),
            inference_catch_up=cdk.Duration.days(2),
            false_alarm_time=cdk.Duration.minutes(3),
            partial_inference=True,
            adaptation=Adaptation.FOLLOW,
            wide_rows_percent=2,
            duplicates_percent=math.inf,
            bucket_owners={"shared-data": "111122223333"},
        )
        read = Settings.from_json(given.to_json())
        assert (read.datasets, read.models) == (3, None)
        assert (read.minimum_training_days, read.inference_catch_up_hours) == (0.5, 48)
        assert (read.false_alarm_hours, read.partial_inference) == (0.05, True)
        assert read.adaptation == "follow"
        assert (read.wide_rows_percent, read.duplicates_percent) == (2, None)
        assert read.bucket_owners == {"shared-data": "111122223333"}
        assert read.pending_models == Settings().pending_models

    def test_all_are_known_to_the_service(self) -> None:
        names = ServiceSettings.__dataclass_fields__
        values: dict[object, Any] = {
            float | None: 7,
            cdk.Duration | None: cdk.Duration.hours(7),
            bool | None: False,
            Adaptation | None: Adaptation.HOLD,
            Mapping[str, str] | None: {"shared-data": "111122223333"},
        }
        every = ServiceSettings(**{name: values[field.type] for name, field in names.items()})
        assert len(json.loads(every.to_json())) == len(names)
        Settings.from_json(every.to_json())

    @pytest.mark.parametrize("owner", ["", "me", "1111-2222-3333", "1111222233334", "11112222333x"])
    def test_refuse_an_owner_that_is_no_account(self, owner: str) -> None:
        with pytest.raises(ValueError, match=r'the owner of "data" is .*: give the id of an AWS account'):
            ServiceSettings(bucket_owners={"data": owner})

    @pytest.mark.parametrize("value", [0, -1, 2.5, math.nan, -math.inf])
    def test_refuse_what_is_no_limit(self, value: float) -> None:
        with pytest.raises(
            ValueError, match=r"models is .*: give a whole number from 1, math.inf for no limit"
        ):
            ServiceSettings(models=value)

    def test_refuse_more_rows_than_all(self) -> None:
        with pytest.raises(
            ValueError, match="wide_rows_percent is 101: give rows of a hundred, from 1 to 100"
        ):
            ServiceSettings(wide_rows_percent=101)
        assert ServiceSettings(wide_rows_percent=100, short_rows_percent=math.inf).short_rows_percent

    @pytest.mark.parametrize(("hours", "shown"), [(0, "0 hours"), (24, "1 day"), (36, "1 day 12 hours")])
    def test_refuse_what_is_no_time_of_a_day(self, hours: float, shown: str) -> None:
        with pytest.raises(
            ValueError,
            match=rf"false_alarm_time is {shown}: give the time a day, .* such as Duration.minutes\(5\)",
        ):
            ServiceSettings(false_alarm_time=cdk.Duration.hours(hours))

    @pytest.mark.parametrize("minutes", [0, 59])
    def test_refuse_a_catch_up_that_would_miss_every_window(self, minutes: float) -> None:
        with pytest.raises(
            ValueError, match=rf"inference_catch_up is {minutes} minutes: give an hour or more"
        ):
            ServiceSettings(inference_catch_up=cdk.Duration.minutes(minutes))

    def test_metric_namespace_of_aws_is_refused(self) -> None:
        with pytest.raises(
            ValueError, match=r"metric_namespace 'AWS/X': accounts cannot publish .* use another"
        ):
            EquipmentService(stack(), "Service", metric_namespace="AWS/X")

    @pytest.mark.parametrize("name", ["", ":Plant", "Plant!", "Anlage/Köln", "x" * 256])
    def test_metric_namespace_that_cloudwatch_does_not_take_is_refused(self, name: str) -> None:
        words = rf"^metric_namespace '{name}' is no namespace of CloudWatch: use 1 to 255 letters, "
        with pytest.raises(ValueError, match=words):
            EquipmentService(stack(), "Service", metric_namespace=name)


class TestOtherServices:
    def test_the_managed_one_is_granted_operation_by_operation(self) -> None:
        target = stack()
        caller = iam.Role(target, "Caller", assumed_by=iam.AccountRootPrincipal())
        managed(target).grant_full_access(caller)
        (statement,) = granting(template(target), "lookoutequipment:ListDatasets")[-1:]
        assert "lookoutequipment:CreateModel" in statement["Action"]
        assert not any("*" in action for action in statement["Action"])

    def test_an_imported_one_trusts_and_is_called_the_same_way(self) -> None:
        target = stack()
        imported = EquipmentService.from_equipment_service_attributes(
            target,
            "Service",
            api_id="abcde12345",
            api_stage="v1",
            data_access_role_arn="arn:aws:iam::111122223333:role/jobs",
            provider_service_token="arn:aws:lambda:eu-west-1:111122223333:function:provider",
            provider_role_arn="arn:aws:iam::111122223333:role/provider",
        )
        assert isinstance(imported, IEquipmentService)
        iam.Role(target, "Role", assumed_by=imported.role_trust(), path=imported.access_role_path)
        properties = only(template(target), "AWS::IAM::Role")["Properties"]
        assert properties["Path"] == "/lookoutequipment/"
        (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:role/jobs"}
        assert list(statement["Condition"]) == ["StringLike"]
        (external_id,) = statement["Condition"]["StringLike"].values()
        assert ":lookoutequipment:eu-west-1:" in json.dumps(external_id)

    def test_the_managed_one_has_a_provider_that_calls_aws(self) -> None:
        target = stack()
        found = managed(target)
        assert isinstance(found, IEquipmentService)
        assert (found.api_id, found.endpoint_url, found.access_role_path) == (None, None, None)
        iam.Role(target, "AccessRole", assumed_by=found.role_trust())
        content = template(target)
        handler = environment(content, "custom_resources.handler.on_event")
        assert handler.keys() == {"L4E_ACCOUNT", "L4E_RECORDS_TABLE"}
        assert granting(content, "execute-api:Invoke") == []
        (create,) = granting(content, "lookoutequipment:CreateDataset")
        assert json.dumps(create["Resource"]).endswith(':dataset/*"]]}')
        (trusted,) = roles(content, "lookoutequipment.amazonaws.com")
        assert trusted["AssumeRolePolicyDocument"]["Statement"][0]["Condition"].keys() == {
            "StringEquals",
            "ArnLike",
        }
