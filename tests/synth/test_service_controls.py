"""ServiceControls: what a service is held to when an account asks for it, and what rule packs say."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match
from canonical import (
    EVALUATION,
    PACKS,
    PUMP,
    TRAINING,
    findings,
    imported_service,
    listed,
    locations,
    only,
    resources,
    stack,
    synthesised,
    unneeded_acknowledgements,
)
from services import built, controlled, granting, in_backup_plan, only_role, private, service

from constructs_l4e import (
    AssetStorage,
    EquipmentService,
    MonitoredAsset,
    ReservedConcurrency,
    ServiceControls,
)
from constructs_l4e.service_controls import CUSTOM_RESOURCE_FUNCTIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "compliance.md"
KEY_ARN = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
QUEUE = {"Fn::GetAtt": ["DeadLettersBBF8BAAB", "Arn"]}


@pytest.fixture(scope="module")
def held() -> dict[str, Any]:
    return built("service-controlled")


@pytest.fixture(scope="module")
def free() -> dict[str, Any]:
    return built("service")


def functions(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of the functions of the service by logical id."""
    found = resources(content, "AWS::Lambda::Function")
    return {key: each["Properties"] for key, each in found.items()}


def log_groups(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources(content, "AWS::Logs::LogGroup").values()]


def roles_of(principal: str, content: Mapping[str, Any]) -> set[str]:
    return {
        key
        for key, each in resources(content, "AWS::IAM::Role").items()
        if principal in json.dumps(each["Properties"]["AssumeRolePolicyDocument"])
    }


class TestFunctions:
    def test_each_has_every_control(self, held: dict[str, Any]) -> None:
        found = functions(held)
        assert len(found) == 10
        for properties in found.values():
            assert properties["TracingConfig"] == {"Mode": "Active"}
            assert properties["DeadLetterConfig"] == {"TargetArn": QUEUE}
            assert properties["ReservedConcurrentExecutions"] >= 1

    def test_none_has_any_by_default(self, free: dict[str, Any]) -> None:
        for properties in functions(free).values():
            controls = {"TracingConfig", "DeadLetterConfig", "ReservedConcurrentExecutions"}
            assert not controls & properties.keys()

    def test_runs_are_kept_for_the_function_that_they_are_named_for(self) -> None:
        kept = ReservedConcurrency(
            api=11, ingestion=12, training=13, inference=14, reconciler=15, custom_resources=16
        )
        content = synthesised(lambda scope: controlled(scope, reserved_concurrency=kept))
        by_handler: dict[str, int] = {}
        for properties in functions(content).values():
            by_handler[properties["Handler"]] = properties["ReservedConcurrentExecutions"]

        assert by_handler == {
            "service.api.handler": 11,
            "service.jobs.ingest.handler": 12,
            "service.jobs.train.handler": 13,
            "service.jobs.infer.handler": 14,
            "service.reconciler.handler": 15,
            "custom_resources.handler.on_event": 16,
            "custom_resources.handler.is_complete": 16,
            "framework.onEvent": 16,
            "framework.isComplete": 16,
            "framework.onTimeout": 16,
        }
        assert sum(by_handler.values()) == kept.total
        assert sum("resource" in each or "framework" in each for each in by_handler) == (
            CUSTOM_RESOURCE_FUNCTIONS
        )

    def test_the_role_of_each_may_send_what_the_controls_need(self, held: dict[str, Any]) -> None:
        used = {properties["Role"]["Fn::GetAtt"][0] for properties in functions(held).values()}
        assert len(used) == 6
        for role in used:
            inline = only_role(held, role)
            [send] = granting(inline, "sqs:SendMessage")
            assert send["Resource"] == QUEUE
            [trace] = granting(inline, "xray:PutTraceSegments")
            assert set(trace["Action"]) == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
            via = "kms:ViaService"
            [encrypt] = [
                each
                for each in granting(inline, "kms:GenerateDataKey")
                if "sqs." in json.dumps(each.get("Condition", {}).get("StringEquals", {}).get(via, ""))
            ]
            assert encrypt["Resource"] == {"Fn::GetAtt": ["Key961B73FD", "Arn"]}

    def test_a_queue_without_a_key_needs_no_right_to_one(self) -> None:
        def build(scope: cdk.Stack) -> None:
            queue = sqs.Queue(scope, "DeadLetters")
            EquipmentService(scope, "Service", controls=ServiceControls(dead_letter_queue=queue))

        inline = only_role(synthesised(build), "ServiceProviderEventRole")
        assert granting(inline, "sqs:SendMessage")
        assert granting(inline, "kms:GenerateDataKey") == []

    def test_nobody_has_rights_for_controls_by_default(self, free: dict[str, Any]) -> None:
        assert granting(free, "xray:PutTraceSegments") == []
        senders = {
            key
            for key in resources(free, "AWS::IAM::Role")
            if granting(only_role(free, key), "sqs:SendMessage")
        }
        assert len(senders) == 1


class TestDeadLetters:
    def test_the_queue_takes_those_of_the_rules_and_of_the_reconciler_too(self, held: dict[str, Any]) -> None:
        assert len(resources(held, "AWS::SQS::Queue")) == 1
        rule = only(held, "AWS::Events::Rule")["Properties"]
        assert [target["DeadLetterConfig"]["Arn"] for target in rule["Targets"]] == [QUEUE]
        invoke = only(held, "AWS::Lambda::EventInvokeConfig")["Properties"]
        assert invoke["DestinationConfig"]["OnFailure"]["Destination"] == QUEUE

    def test_are_an_attribute_of_the_service(self) -> None:
        scope = stack()
        queue = sqs.Queue(scope, "Mine")
        made = EquipmentService(scope, "Service", controls=ServiceControls(dead_letter_queue=queue))
        assert made.dead_letters is queue

    def test_the_key_of_the_queue_lets_rules_in(self, held: dict[str, Any]) -> None:
        [statement] = key_statements(held, "events.amazonaws.com")
        assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def key_statements(content: Mapping[str, Any], principal: str) -> list[dict[str, Any]]:
    """Statements of the policy of the app's key for a service."""
    policy = resources(content, "AWS::KMS::Key")["Key961B73FD"]["Properties"]["KeyPolicy"]
    return [each for each in policy["Statement"] if principal in json.dumps(each["Principal"])]


class TestTracing:
    def test_state_machines_are_traced(self, held: dict[str, Any]) -> None:
        machines = resources(held, "AWS::StepFunctions::StateMachine").values()
        assert len(machines) == 3
        assert all(each["Properties"]["TracingConfiguration"] == {"Enabled": True} for each in machines)

    def test_with_the_rights_that_step_functions_asks_for(self, held: dict[str, Any]) -> None:
        granted = granting(held, "xray:GetSamplingRules")
        assert len(granted) == 3
        for each in granted:
            assert {action for action in listed(each["Action"]) if action.startswith("xray:")} == {
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
            }


class TestLogs:
    def test_are_all_kept_as_long_and_under_the_key(self, held: dict[str, Any]) -> None:
        found = log_groups(held)
        assert len(found) == 13
        for each in found:
            assert each["RetentionInDays"] == 365
            assert each["KmsKeyId"] == {"Fn::GetAtt": ["Key961B73FD", "Arn"]}

    def test_have_the_key_of_their_service_by_default(self, free: dict[str, Any]) -> None:
        for each in log_groups(free):
            assert each["RetentionInDays"] == 90
            assert "KmsKeyId" not in each

    @pytest.mark.parametrize(
        ("state", "log", "expected"),
        [(True, False, "State"), (False, True, "Log"), (True, True, "Log")],
    )
    def test_take_their_own_key_or_that_of_the_state(self, *, state: bool, log: bool, expected: str) -> None:
        def build(scope: cdk.Stack) -> None:
            EquipmentService(
                scope,
                "Service",
                encryption_key=kms.Key(scope, "StateKey") if state else None,
                controls=ServiceControls(log_encryption_key=kms.Key(scope, "LogKey") if log else None),
            )

        used = {each["KmsKeyId"]["Fn::GetAtt"][0] for each in log_groups(synthesised(build))}
        assert len(used) == 1
        assert used.pop().startswith(f"{expected}Key")

    def test_cloudwatch_logs_may_use_the_key_for_logs_of_the_account(self, held: dict[str, Any]) -> None:
        [statement] = key_statements(held, "logs.")
        assert statement["Principal"]["Service"]["Fn::Join"][1][0] == "logs.eu-west-1."
        assert not [action for action in statement["Action"] if "*" in action]
        [[operator, condition]] = statement["Condition"].items()
        assert operator == "ArnLike"
        arn = condition["kms:EncryptionContext:aws:logs:arn"]["Fn::Join"][1]
        assert arn[-3:] == [":logs:eu-west-1:", {"Ref": "AWS::AccountId"}, ":log-group:*"]

    def test_a_key_that_must_allow_it_itself_is_warned_of(self) -> None:
        scope = stack()
        EquipmentService(scope, "Service", encryption_key=kms.Key.from_key_arn(scope, "Key", KEY_ARN))
        pattern = "the policy of key 'Test/Key' cannot be changed.*kms:Encrypt.*to 'logs'.*fails"
        [found] = Annotations.from_stack(scope).find_warning("*", Match.string_like_regexp(pattern))
        assert "constructs-l4e:keyPolicy:logs" in str(found.entry.data)

    def test_a_key_of_the_app_is_not(self) -> None:
        scope = stack()
        EquipmentService(scope, "Service", encryption_key=kms.Key(scope, "Key"))
        assert Annotations.from_stack(scope).find_warning("*", Match.string_like_regexp("keyPolicy")) == []


class TestApi:
    def test_logs_requests_and_errors_without_their_bodies(self, held: dict[str, Any]) -> None:
        stage = only(held, "AWS::ApiGateway::Stage")
        logged = stage["Properties"]["AccessLogSetting"]
        assert set(json.loads(logged["Format"])) >= {"requestId", "caller", "user", "status", "resourcePath"}
        [settings] = stage["Properties"]["MethodSettings"]
        assert settings["LoggingLevel"] == "ERROR"
        assert settings["DataTraceEnabled"] is False

    def test_makes_the_log_that_api_gateway_would_keep_for_ever(self, held: dict[str, Any]) -> None:
        api = next(iter(resources(held, "AWS::ApiGateway::RestApi")))
        name = {"Fn::Join": ["", ["API-Gateway-Execution-Logs_", {"Ref": api}, "/v1"]]}
        [key] = [
            key
            for key, each in resources(held, "AWS::Logs::LogGroup").items()
            if each["Properties"].get("LogGroupName") == name
        ]
        assert key in only(held, "AWS::ApiGateway::Stage")["DependsOn"]

    def test_is_throttled_and_traced(self, held: dict[str, Any]) -> None:
        stage = only(held, "AWS::ApiGateway::Stage")["Properties"]
        [settings] = stage["MethodSettings"]
        assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (50, 100)
        assert stage["TracingEnabled"] is True

    def test_has_nothing_of_it_by_default(self, free: dict[str, Any]) -> None:
        stage = only(free, "AWS::ApiGateway::Stage")["Properties"]
        assert not {"AccessLogSetting", "MethodSettings", "TracingEnabled"} & stage.keys()


class TestBoundary:
    def test_holds_every_role(self, held: dict[str, Any]) -> None:
        found = resources(held, "AWS::IAM::Role").values()
        assert len(found) >= 10
        for each in found:
            assert ":policy/boundary" in json.dumps(each["Properties"]["PermissionsBoundary"])

    def test_is_not_there_by_default(self, free: dict[str, Any]) -> None:
        for each in resources(free, "AWS::IAM::Role").values():
            assert "PermissionsBoundary" not in each["Properties"]


class TestBucket:
    def test_its_access_logs_go_where_they_are_kept(self, held: dict[str, Any]) -> None:
        [bucket] = resources(held, "AWS::S3::Bucket").values()
        assert bucket["Properties"]["LoggingConfiguration"] == {
            "DestinationBucketName": "access-logs-of-the-account",
            "LogFilePrefix": "service/",
        }

    @pytest.mark.parametrize(
        "policy", [each for each in cdk.RemovalPolicy if each != cdk.RemovalPolicy.SNAPSHOT]
    )
    def test_is_emptied_when_those_of_the_data_are(self, policy: cdk.RemovalPolicy) -> None:
        """With DESTROY both are emptied, and with nothing else."""

        def emptied(build: Callable[[cdk.Stack], object]) -> set[str]:
            found = resources(synthesised(build), "Custom::S3AutoDeleteObjects").values()
            return {each["Properties"]["BucketName"]["Ref"] for each in found}

        of_service = emptied(lambda scope: EquipmentService(scope, "Service", removal_policy=policy))
        of_data = emptied(lambda scope: AssetStorage(scope, "Data", removal_policy=policy))
        destroyed = policy == cdk.RemovalPolicy.DESTROY
        assert any("Bucket" in name for name in of_service) == destroyed
        assert any("Bucket" in name for name in of_data) == destroyed


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda _: ReservedConcurrency(training=0),
            ValueError,
            (
                "training is 0, and a function without runs is switched off: give the runs to keep for it,"
                " from 1"
            ),
        ),
        (
            lambda _: ReservedConcurrency(api="20"),
            TypeError,
            "api is '20', and runs are counted in whole numbers, from 1",
        ),
        (
            lambda _: ReservedConcurrency(reconciler=True),
            TypeError,
            "reconciler is True, and runs are counted in whole numbers, from 1",
        ),
        (
            lambda _: ServiceControls(api_throttle=apigateway.ThrottleSettings(rate_limit=5)),
            ValueError,
            (
                "api_throttle has no burst_limit, and API Gateway takes both limits: give"
                " ThrottleSettings(rate_limit=50, burst_limit=100), for instance"
            ),
        ),
        (
            lambda scope: ServiceControls(dead_letter_queue=sqs.Queue(scope, "Fifo", fifo=True)),
            ValueError,
            (
                "dead_letter_queue 'Test/Fifo' is a FIFO queue, to which neither Lambda nor EventBridge sends"
                " what it could not handle: give a standard queue"
            ),
        ),
    ],
)
def test_what_cannot_work(make: Callable[[cdk.Stack], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        make(stack())
    assert str(refused.value) == message


def data(scope: cdk.Stack) -> AssetStorage:
    return AssetStorage(scope, "Data")


def asset(scope: cdk.Stack, **given: Any) -> MonitoredAsset:
    return MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        training=TRAINING,
        evaluation=EVALUATION,
        **given,
    )


def told_asset(scope: cdk.Stack) -> MonitoredAsset:
    topic = sns.Topic.from_topic_arn(scope, "Alarms", "arn:aws:sns:eu-west-1:111122223333:alarms")
    return asset(scope, alarm_actions=[actions.SnsAction(topic)])


def regional_compliant(scope: cdk.Stack) -> None:
    in_backup_plan(controlled(scope))


def private_compliant(scope: cdk.Stack) -> None:
    in_backup_plan(controlled(scope, private=True, large=True))


def data_compliant(scope: cdk.Stack) -> None:
    AssetStorage(scope, "Data", encryption_key=kms.Key(scope, "Key", enable_key_rotation=True))


ROWS: Mapping[str, Callable[[cdk.Stack], object]] = {
    "`EquipmentService`": service,
    "the same, private, with its network": private,
    "`AssetStorage`": data,
    "`MonitoredAsset`": asset,
    "`EquipmentService` with controls": regional_compliant,
    "the same, private, with large jobs": private_compliant,
    "`AssetStorage` with a key": data_compliant,
    "`MonitoredAsset` with alarm actions": told_asset,
}
COMPLIANT = [
    "`EquipmentService` with controls",
    "the same, private, with large jobs",
    "`AssetStorage` with a key",
    "`MonitoredAsset` with alarm actions",
]


def counts(name: str) -> list[int]:
    scope = stack()
    ROWS[name](scope)
    return [len(findings(scope, pack)) for pack in PACKS]


class TestRulePacks:
    @pytest.mark.parametrize("name", COMPLIANT)
    def test_find_nothing_that_props_cannot_put_right(self, name: str) -> None:
        scope = stack()
        ROWS[name](scope)
        found = {pack: findings(scope, pack) for pack in PACKS}
        assert found == {pack: set() for pack in PACKS}

    @pytest.mark.parametrize("name", ROWS)
    def test_find_what_the_page_says(self, name: str) -> None:
        rows = re.findall(r"^\| (.+?) \|(( \d+ \|)+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        now = {label: [int(each) for each in re.findall(r"\d+", cells)] for label, cells, _ in rows}
        assert now[name] == counts(name)

    @pytest.mark.parametrize("build", [data, data_compliant, asset, regional_compliant])
    def test_would_find_what_is_acknowledged(
        self, build: Callable[[cdk.Stack], object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert unneeded_acknowledgements(build, monkeypatch) == []

    @pytest.mark.parametrize(
        ("control", "rules"),
        [
            ({"reserved_concurrency": None}, {"LambdaConcurrency"}),
            ({"dead_letter_queue": None}, {"LambdaDLQ"}),
            (
                {"tracing_enabled": False},
                {"LambdaTracing", "StepFunctionStateMachineXray", "APIGWXrayEnabled"},
            ),
            ({"log_encryption_key": None}, {"CloudWatchLogGroupEncrypted"}),
            ({"api_logging": False}, {"APIGWAccessLogging", "APIGWExecutionLoggingEnabled"}),
            ({"api_throttle": None}, {"APIGWDefaultThrottling"}),
            ({"access_logs_bucket": None}, {"S3BucketLoggingEnabled"}),
            ({"log_retention": logs.RetentionDays.INFINITE}, {"CloudWatchLogGroupRetentionPeriod"}),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_find_what_each_control_puts_right(self, control: dict[str, Any], rules: set[str]) -> None:
        scope = stack()
        in_backup_plan(controlled(scope, **control))
        found = {
            rule.rpartition("-")[2]
            for pack in PACKS
            for rule, path in findings(scope, pack)
            if path.startswith("Test/Service/")
        }
        assert found == rules
