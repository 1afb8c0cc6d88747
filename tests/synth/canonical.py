"""Canonical apps and the checks every template of this library must pass."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template
from cdk_nag import (
    AwsSolutionsChecks,
    HIPAASecurityChecks,
    NIST80053R5Checks,
    PCIDSS321Checks,
    ServerlessChecks,
)
from constructs import IConstruct

from constructs_l4e import (
    AssetLocations,
    AssetStorage,
    DatasetSchema,
    EquipmentService,
    IEquipmentService,
    IInferenceScheduler,
    InferenceScheduler,
    TimeRange,
)

PUMP = DatasetSchema.from_sensors({"pump": ["speed", "flow"], "motor": ["current"]})
LARGE = DatasetSchema.from_sensors({"pump": [f"sensor{number}" for number in range(150)]})
"""Too long for a property."""
LARGE_PART = DatasetSchema.from_sensors({"pump": [f"sensor{number}" for number in range(120)]})
TRAINING = TimeRange.between("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")
EVALUATION = TimeRange.between("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
JOB_ROLE = "arn:aws:iam::111122223333:role/jobs"
PROVIDER_ROLE = "arn:aws:iam::111122223333:role/provider"
SERVICE_TOKEN = "arn:aws:lambda:eu-west-1:111122223333:function:provider"


def app() -> cdk.App:
    return cdk.App(analytics_reporting=False)


def imported_service(scope: cdk.Stack, staging_bucket_name: str | None = None) -> IEquipmentService:
    """A service of another app: cheap, because nothing of it is synthesised."""
    return EquipmentService.from_equipment_service_attributes(
        scope,
        "Service",
        api_id="abcde12345",
        api_stage="api",
        data_access_role_arn=_of_environment(scope, JOB_ROLE),
        provider_service_token=_of_environment(scope, SERVICE_TOKEN),
        provider_role_arn=_of_environment(scope, PROVIDER_ROLE),
        staging_bucket_name=staging_bucket_name,
    )


def imported_scheduler(
    scope: cdk.Stack, *, managed: bool = False, frequency: str = "PT15M", running: bool = True
) -> IInferenceScheduler:
    """A scheduler of another app, with all that its metrics and alarms need."""
    service = EquipmentService.aws_managed(scope, "S") if managed else imported_service(scope)
    return InferenceScheduler.from_inference_scheduler_attributes(
        scope,
        "Imported",
        service=service,
        inference_scheduler_name="line-4",
        model_name="tuned",
        data_upload_frequency=frequency,
        running=running,
    )


def warnings(scope: cdk.Stack) -> list[str]:
    """The warnings of a stack, in the order of its constructs."""
    found = Annotations.from_stack(scope).find_warning("*", Match.any_value())
    return [str(each.entry.data) for each in found]


def _of_environment(scope: cdk.Stack, arn: str) -> str:
    """An ARN of these tests, in the environment of a stack as far as that is known."""
    for usual, own in (("eu-west-1", scope.region), ("111122223333", scope.account)):
        arn = arn if cdk.Token.is_unresolved(own) else arn.replace(usual, own)
    return arn


def stack() -> cdk.Stack:
    return cdk.Stack(app(), "Test", env=cdk.Environment(region="eu-west-1"))


def locations(scope: cdk.Stack, name: str = "Pump1") -> AssetLocations:
    bucket = cdk.aws_s3.Bucket.from_bucket_name(scope, "DataBucket", "sensor-data")
    storage = AssetStorage.from_bucket(scope, "Storage", bucket)
    cdk.Annotations.of(storage).acknowledge_warning("constructs-l4e:BucketKey", "it has none")
    return storage.for_asset(name)


def synthesised(build: Callable[[cdk.Stack], object]) -> dict[str, Any]:
    """Template of a stack that `build` fills."""
    target = stack()
    build(target)
    return template(target)


def template(of: cdk.Stack) -> dict[str, Any]:
    content: dict[str, Any] = Template.from_stack(of).to_json()
    return content


def resources(content: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Resources of a type, by logical id."""
    return {key: value for key, value in content["Resources"].items() if value["Type"] == kind}


def only(content: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The one resource of a type."""
    found = resources(content, kind)
    assert len(found) == 1, f"{len(found)} resources of type {kind}"
    return next(iter(found.values()))


def custom(content: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The one custom resource of a kind, such as `Dataset`."""
    return only(content, f"Custom::LookoutEquipment{kind}")


def properties(content: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The API members that a custom resource of a kind sends."""
    common = {"ServiceToken", "ServiceTimeout", "PropertiesVersion"}
    return {key: value for key, value in custom(content, kind)["Properties"].items() if key not in common}


def statements(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every statement of every identity policy."""
    for role in resources(content, "AWS::IAM::Role").values():
        for policy in role["Properties"].get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]
    for policy in resources(content, "AWS::IAM::Policy").values():
        yield from policy["Properties"]["PolicyDocument"]["Statement"]


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


PACKS = {
    "AwsSolutions": AwsSolutionsChecks,
    "Serverless": ServerlessChecks,
    "NIST 800-53 R5": NIST80053R5Checks,
    "HIPAA": HIPAASecurityChecks,
    "PCI DSS 3.2.1": PCIDSS321Checks,
}


def findings(scope: IConstruct, pack: str = "AwsSolutions") -> set[tuple[str, str]]:
    """(rule, construct path) of every finding of a pack under `scope` that nobody acknowledged."""
    report = PACKS[pack]().validate_scope(scope)
    return {
        (violation.rule_name, place.construct_path)
        for violation in report.violations
        for place in violation.violating_resources
    }


def unneeded_acknowledgements(
    build: Callable[[cdk.Stack], object], monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str]]:
    """(id, construct path) of what a stack acknowledges and no pack would find; each must have its reason."""
    told: list[tuple[str, str]] = []

    @dataclass
    class Recorder:
        path: str

        def acknowledge(self, *entries: cdk.Acknowledgment) -> None:
            for entry in entries:
                assert len(entry.reason) >= 30, f"{entry.id}: say why"
                told.append((entry.id, self.path))

    target = stack()
    with monkeypatch.context() as patch:
        patch.setattr(cdk.Validations, "of", lambda scope: Recorder(scope.node.path))
        build(target)
    found = set().union(*(findings(target, pack) for pack in PACKS))
    assert told
    return [
        (rule, path)
        for rule, path in told
        if not any(rule == other and f"{place}/".startswith(f"{path}/") for other, place in found)
    ]


def synth_with_nag(of: cdk.App) -> None:
    """Synthesise as a user with the rule pack does; raises when something is found."""
    cdk.Validations.of(of).add_plugins(AwsSolutionsChecks(of))
    of.synth()


def lint(path: Path) -> str:
    """What cfn-lint says of a template in any Region: nothing, if all is well.

    W3005 is CDK's way to order resources.
    """
    from cfnlint.api import ManualArgs, lint_file  # noqa: PLC0415  the oldest CDK is tested without it

    settings = ManualArgs(ignore_checks=["W3005"], regions=["ALL_REGIONS"])
    return "\n".join(str(finding) for finding in lint_file(path, config=settings))


def check_snapshot(name: str, content: Mapping[str, Any], *, update: bool) -> None:
    """Compare a template with the committed one; `--snapshot-update` writes it."""
    path = Path(__file__).parent / "snapshots" / f"{name}.json"
    text = json.dumps(content, indent=1, sort_keys=True) + "\n"
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"no snapshot {path.name}: run pytest with --snapshot-update and review it"
    assert json.loads(path.read_text(encoding="utf-8")) == content
