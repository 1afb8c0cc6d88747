"""EquipmentService: what is deployed, who may do what, and what is told to rule packs."""

import functools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import region_info
from canonical import (
    app,
    check_snapshot,
    findings,
    lint,
    listed,
    only,
    resources,
    stack,
    statements,
    template,
)

from constructs_l4e import EquipmentService, IEquipmentService, ServiceSettings
from constructs_l4e._access import Access, role
from constructs_l4e._layers import layer_arn
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
MOST_RESOURCES = 50
"""What the service may cost in resources of its stack."""


def service(scope: cdk.Stack) -> EquipmentService:
    return EquipmentService(scope, "Service")


def everything(scope: cdk.Stack) -> EquipmentService:
    return EquipmentService(
        scope,
        "Service",
        numeric_layer=lambda_.LayerVersion.from_layer_version_arn(
            scope, "Layer", "arn:aws:lambda:eu-west-1:111122223333:layer:numbers:1"
        ),
        settings=ServiceSettings(models=math.inf, minimum_training_span=cdk.Duration.days(1)),
        metric_namespace="Plant/Equipment",
        encryption_key=kms.Key.from_key_arn(
            scope, "Key", "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
        ),
        training_memory=cdk.Size.mebibytes(3008),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def managed(scope: cdk.Stack) -> IEquipmentService:
    return EquipmentService.aws_managed(scope, "Service")


BUILDS: Mapping[str, Callable[[cdk.Stack], object]] = {
    "service": service,
    "service-full": everything,
    "service-managed": managed,
}


@functools.cache
def built(name: str) -> dict[str, Any]:
    """Template of one of the builds; synthesised once, not to be changed."""
    target = stack()
    BUILDS[name](target)
    return template(target)


@pytest.fixture(scope="module")
def deployed() -> dict[str, Any]:
    return built("service")


def environment(content: Mapping[str, Any], handler: str) -> dict[str, Any]:
    functions = resources(content, "AWS::Lambda::Function").values()
    (found,) = (f["Properties"] for f in functions if f["Properties"]["Handler"] == handler)
    variables: dict[str, Any] = found.get("Environment", {}).get("Variables", {})
    return variables


def machine(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    (found,) = (
        value
        for key, value in resources(content, "AWS::StepFunctions::StateMachine").items()
        if name in key and "RolePolicy" not in key
    )
    definition: dict[str, Any] = json.loads(found["Properties"]["DefinitionString"])
    return definition


def roles(content: Mapping[str, Any], principal: str) -> list[dict[str, Any]]:
    return [
        value["Properties"]
        for value in resources(content, "AWS::IAM::Role").values()
        if principal in json.dumps(value["Properties"]["AssumeRolePolicyDocument"])
    ]


def only_role(content: Mapping[str, Any], part: str) -> dict[str, Any]:
    """A template with nothing but the one role whose logical id contains `part`."""
    (found,) = (item for item in resources(content, "AWS::IAM::Role").items() if part in item[0])
    return {"Resources": dict([found])}


def role_of(content: Mapping[str, Any], part: str) -> set[str]:
    """All actions in the inline policies of the one role whose logical id contains `part`."""
    return {
        action for statement in statements(only_role(content, part)) for action in listed(statement["Action"])
    }


def granting(content: Mapping[str, Any], action: str) -> list[dict[str, Any]]:
    return [statement for statement in statements(content) if action in listed(statement["Action"])]


class TestTemplate:
    @pytest.mark.parametrize("name", BUILDS)
    def test_is_as_reviewed(self, name: str, request: pytest.FixtureRequest) -> None:
        check_snapshot(
            name, without_hashes(built(name)), update=request.config.getoption("--snapshot-update")
        )

    @pytest.mark.parametrize("name", BUILDS)
    def test_has_nothing_cfn_lint_objects_to(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / "template.json"
        path.write_text(json.dumps(built(name)))
        assert lint(path) == ""

    def test_costs_few_resources(self, deployed: Mapping[str, Any]) -> None:
        count = len(deployed["Resources"])
        kinds = Counter(resource["Type"] for resource in deployed["Resources"].values())
        assert count <= MOST_RESOURCES, f"{count} resources: {kinds}"

    def test_is_the_same_byte_for_byte_when_synthesised_again(self, tmp_path: Path) -> None:
        contents = []
        for run in ("first", "second"):
            folder = tmp_path / run
            target = cdk.App(analytics_reporting=False, outdir=str(folder))
            service(cdk.Stack(target, "Test"))
            target.synth()
            contents.append(
                {
                    str(file.relative_to(folder)): file.read_bytes()
                    for file in folder.rglob("*")
                    if file.is_file()
                }
            )
        first, second = contents
        assert any(name.startswith("asset.") for name in first)
        assert first == second


class TestRulePacks:
    @pytest.mark.parametrize("name", BUILDS)
    @pytest.mark.parametrize(
        ("region", "flags"),
        [(None, False), ("eu-west-1", False), ("eu-west-1", True), ("cn-north-1", True)],
        ids=["any Region", "a Region", "recommended flags", "China"],
    )
    def test_find_nothing(self, name: str, region: str | None, *, flags: bool) -> None:
        context = json.loads((ROOT / "cdk.json").read_text())["context"] if flags else {}
        target = cdk.Stack(
            cdk.App(analytics_reporting=False, context=context), "Test", env=cdk.Environment(region=region)
        )
        BUILDS[name](target)
        assert findings(target) == set()

    @pytest.mark.parametrize("name", BUILDS)
    def test_would_find_what_is_acknowledged(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[tuple[str, str]] = []

        @dataclass
        class Recorder:
            path: str

            def acknowledge(self, *entries: cdk.Acknowledgment) -> None:
                for entry in entries:
                    assert len(entry.reason) >= 30, f"{entry.id}: say why"
                    told.append((entry.id, self.path))

        monkeypatch.setattr(cdk.Validations, "of", lambda scope: Recorder(scope.node.path))
        target = stack()
        BUILDS[name](target)
        monkeypatch.undo()
        found = findings(target)
        unneeded = [
            (rule, path)
            for rule, path in told
            if not any(rule == other and f"{place}/".startswith(f"{path}/") for other, place in found)
        ]
        assert unneeded == []

    def test_a_wildcard_needs_a_reason(self) -> None:
        lambda_service = iam.ServicePrincipal("lambda.amazonaws.com")
        access = Access(actions=("s3:GetObject",), resources=("arn:aws:s3:::bucket/*",))
        with pytest.raises(ValueError, match=r"^s3:GetObject on a wildcard resource: give wildcard_reason=$"):
            role(stack(), "Role", description="d", assumed_by=lambda_service, access=[access])


class TestRights:
    @pytest.mark.parametrize("name", BUILDS)
    def test_are_listed_action_by_action(self, name: str) -> None:
        actions = {action for statement in statements(built(name)) for action in listed(statement["Action"])}
        assert {action for action in actions if "*" in action} == set()

    @pytest.mark.parametrize("name", BUILDS)
    def test_hold_no_managed_policy(self, name: str) -> None:
        for found in resources(built(name), "AWS::IAM::Role").values():
            assert "ManagedPolicyArns" not in found["Properties"]

    def test_of_the_api_end_at_its_own_state(self, deployed: Mapping[str, Any]) -> None:
        assert role_of(deployed, "ApiRole") == {
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "iam:PassRole",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:ListBucket",
            "s3:PutObject",
            "scheduler:CreateSchedule",
            "scheduler:DeleteSchedule",
            "scheduler:UpdateSchedule",
            "states:StartExecution",
        }

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
        (read,) = granting(only_role(built(name), "ProviderRole"), "s3:GetObject")
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
        (statement,) = granting(deployed, "iam:PassRole")
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
        (schedules,) = roles(deployed, "scheduler.amazonaws.com")
        trust = schedules["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        assert trust["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
        (group,) = resources(deployed, "AWS::Scheduler::ScheduleGroup")
        assert trust["aws:SourceArn"] == {"Fn::GetAtt": [group, "Arn"]}

    def test_of_a_schedule_fit_the_name_the_api_gives_it(self) -> None:
        target = cdk.Stack(app(), "AStackWithAVeryLongName" * 3)
        service(target)
        content = template(target)
        group = only(content, "AWS::Scheduler::ScheduleGroup")["Properties"]["Name"]
        uuid_length = 36
        assert len(f"{group}-") + uuid_length <= 64
        (statement,) = granting(content, "scheduler:CreateSchedule")
        assert f":schedule/*/{group}-*" in json.dumps(statement["Resource"])

    def test_to_publish_metrics_end_at_the_namespace(self) -> None:
        (statement,) = granting(built("service-full"), "cloudwatch:PutMetricData")
        # IfExists: without it a policy check that does not know the key refuses every call.
        assert statement["Condition"] == {"StringEqualsIfExists": {"cloudwatch:namespace": "Plant/Equipment"}}


class TestApi:
    def test_is_one_signed_post(self, deployed: Mapping[str, Any]) -> None:
        method = only(deployed, "AWS::ApiGateway::Method")["Properties"]
        assert (method["HttpMethod"], method["AuthorizationType"]) == ("POST", "AWS_IAM")
        assert method["Integration"]["Type"] == "AWS_PROXY"
        api = only(deployed, "AWS::ApiGateway::RestApi")["Properties"]
        assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}

    def test_leaves_the_settings_of_the_account_alone(self, deployed: Mapping[str, Any]) -> None:
        assert resources(deployed, "AWS::ApiGateway::Account") == {}

    def test_function_knows_where_everything_is(self, deployed: Mapping[str, Any]) -> None:
        assert environment(deployed, "service.api.handler").keys() == {
            "L4E_TABLE",
            "L4E_BUCKET",
            "L4E_METRIC_NAMESPACE",
            "L4E_SETTINGS",
            "L4E_INGEST_STATE_MACHINE",
            "L4E_TRAIN_STATE_MACHINE",
            "L4E_INFER_FUNCTION",
            "L4E_SCHEDULE_GROUP",
            "L4E_SCHEDULE_ROLE",
        }

    def test_may_be_called_by_whom_it_is_granted_to(self) -> None:
        target = stack()
        caller = iam.Role(target, "Caller", assumed_by=iam.AccountRootPrincipal())
        service(target).grant_invoke(caller)
        grant = granting(template(target), "execute-api:Invoke")[-1]
        assert json.dumps(grant["Resource"]).endswith('"/v1/POST/"]]}')


class TestJobs:
    @pytest.mark.parametrize("name", ["Ingest", "Train"])
    def test_record_every_failure(self, deployed: Mapping[str, Any], name: str) -> None:
        names: Counter[str] = Counter()
        for states in scopes(machine(deployed, name)):
            names.update(states.keys())
            for state, body in states.items():
                following = [body.get("Next"), *(catch["Next"] for catch in body.get("Catch", []))]
                assert all(step in states for step in following if step), state
                if body["Type"] == "Task" and body["Parameters"]["Step"] != "fail":
                    (catch,) = body["Catch"]
                    assert catch["ErrorEquals"] == ["States.ALL"]
                    assert states[catch["Next"]]["Parameters"]["Step"] == "fail"
                    assert states[states[catch["Next"]]["Next"]]["Type"] == "Fail"
        assert {state for state, count in names.items() if count > 1} == set()

    @pytest.mark.parametrize("name", ["Ingest", "Train"])
    def test_are_only_tried_again_when_the_platform_failed(
        self, deployed: Mapping[str, Any], name: str
    ) -> None:
        for states in scopes(machine(deployed, name)):
            for body in states.values():
                for retry in body.get("Retry", []):
                    assert all(error.startswith("Lambda.") for error in retry["ErrorEquals"])

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
            assert properties.get("Layers", []) == ([layer_arn("eu-west-1")] if is_job else [])

    def test_use_the_layer_and_memory_they_are_given(self) -> None:
        functions = resources(built("service-full"), "AWS::Lambda::Function").values()
        jobs = [f["Properties"] for f in functions if f["Properties"]["Handler"].startswith("service.jobs")]
        assert {tuple(job["Layers"]) for job in jobs} == {
            ("arn:aws:lambda:eu-west-1:111122223333:layer:numbers:1",)
        }
        assert max(job["MemorySize"] for job in jobs) == 3008


class TestState:
    STATEFUL = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key")

    def test_outlives_the_stack(self, deployed: Mapping[str, Any]) -> None:
        kept = {
            key
            for key, value in deployed["Resources"].items()
            if value.get("DeletionPolicy") == value.get("UpdateReplacePolicy") == "Retain"
        }
        assert {key for kind in self.STATEFUL for key in resources(deployed, kind) if "State" in key} == kept

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
        )
        read = Settings.from_json(given.to_json())
        assert (read.datasets, read.models) == (3, None)
        assert (read.minimum_training_days, read.inference_catch_up_hours) == (0.5, 48)
        assert read.pending_models == Settings().pending_models

    def test_all_are_known_to_the_service(self) -> None:
        names = ServiceSettings.__dataclass_fields__
        every = ServiceSettings(
            **{
                name: cdk.Duration.days(1) if name in {"minimum_training_span", "inference_catch_up"} else 7
                for name in names
            }
        )
        assert len(json.loads(every.to_json())) == len(names)
        Settings.from_json(every.to_json())

    @pytest.mark.parametrize("value", [0, -1, 2.5, math.nan, -math.inf])
    def test_refuse_what_is_no_limit(self, value: float) -> None:
        with pytest.raises(
            ValueError, match=r"models is .*: give a whole number from 1, math.inf for no limit"
        ):
            ServiceSettings(models=value)

    def test_metric_namespace_of_aws_is_refused(self) -> None:
        with pytest.raises(
            ValueError, match=r"metric_namespace 'AWS/X': accounts cannot publish .* use another"
        ):
            EquipmentService(stack(), "Service", metric_namespace="AWS/X")


class TestNumericLayer:
    @pytest.mark.parametrize("region", sorted(info.name for info in region_info.RegionInfo.regions))
    def test_every_region_has_one_or_says_what_to_do(self, region: str) -> None:
        partition = region_info.RegionInfo.get(region).partition
        try:
            answer = layer_arn(region)
        except ValueError as error:
            answer = str(error)
        assert re.match(
            rf"arn:{partition}:lambda:{region}:\d{{12}}:layer:AWSSDKPandas-Python314-Arm64:\d+$"
            rf"|region '{region}' has no managed layer .*: pass numeric_layer=",
            answer,
        )

    @pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-northeast-2"])
    def test_the_regions_of_the_managed_service_have_one(self, region: str) -> None:
        assert layer_arn(region)

    def test_a_region_without_one_is_refused_when_synthesised(self) -> None:
        target = cdk.Stack(app(), "Test", env=cdk.Environment(region="us-gov-west-1"))
        with pytest.raises(ValueError, match=r"region 'us-gov-west-1' has no managed layer"):
            service(target)

    def test_a_region_without_one_takes_a_layer_of_the_user(self) -> None:
        target = cdk.Stack(app(), "Test", env=cdk.Environment(region="us-gov-west-1"))
        layer = lambda_.LayerVersion.from_layer_version_arn(
            target, "Layer", "arn:aws-us-gov:lambda:us-gov-west-1:111122223333:layer:numbers:1"
        )
        EquipmentService(target, "Service", numeric_layer=layer)
        assert "Mappings" not in template(target)

    def test_a_stack_for_any_region_finds_it_when_deployed(self) -> None:
        target = cdk.Stack(app(), "Test")
        service(target)
        content = template(target)
        (name, table), *_ = content["Mappings"].items()
        assert table["eu-west-1"] == {"Arn": layer_arn("eu-west-1")}
        used = {
            json.dumps(function["Properties"]["Layers"])
            for function in resources(content, "AWS::Lambda::Function").values()
            if "Layers" in function["Properties"]
        }
        assert used == {json.dumps([{"Fn::FindInMap": [name, {"Ref": "AWS::Region"}, "Arn"]}])}


class TestOtherServices:
    def test_the_managed_one_is_granted_operation_by_operation(self) -> None:
        target = stack()
        caller = iam.Role(target, "Caller", assumed_by=iam.AccountRootPrincipal())
        managed(target).grant_invoke(caller)
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
        assert handler.keys() == {"L4E_RECORDS_TABLE"}
        assert granting(content, "execute-api:Invoke") == []
        (create,) = granting(content, "lookoutequipment:CreateDataset")
        assert json.dumps(create["Resource"]).endswith(':dataset/*"]]}')
        (trusted,) = roles(content, "lookoutequipment.amazonaws.com")
        assert trusted["AssumeRolePolicyDocument"]["Statement"][0]["Condition"].keys() == {
            "StringEquals",
            "ArnLike",
        }


def scopes(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The states of a machine, and those of the maps in it."""
    yield definition["States"]
    for state in definition["States"].values():
        if "ItemProcessor" in state:
            yield from scopes(state["ItemProcessor"])


def without_hashes(content: Any) -> Any:
    """A template without the hashes of its assets, which change with every line of code."""
    match content:
        case {"S3Bucket": _, "S3Key": _}:
            return "<asset>"
        case dict():
            return {key: without_hashes(value) for key, value in content.items()}
        case list():
            return [without_hashes(value) for value in content]
    return content
