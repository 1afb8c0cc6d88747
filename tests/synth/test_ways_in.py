"""Ways into a deployed service: URLs, grants, and the trust of roles."""

import json
from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from canonical import (
    PUMP,
    app,
    findings,
    imported_service,
    listed,
    only,
    resources,
    stack,
    statements,
    synthesised,
    template,
    warnings,
)

from constructs_l4e import (
    AccessLevel,
    AssetStorage,
    Dataset,
    EquipmentService,
    IEquipmentService,
    InferenceScheduler,
    KeyPattern,
    Model,
    MonitoredAsset,
    S3Location,
    ServiceRole,
    _service_model,
    _ways_in,
)
from service.requests.operation_rules import OPERATION_RULES
from service.requests.way_in import way_in_of

Build = Callable[[cdk.Stack, IEquipmentService, iam.Role], object]
PUMPS = ("Team", "pumps")


def user(scope: cdk.Stack) -> iam.Role:
    return iam.Role(scope, "User", assumed_by=iam.AccountRootPrincipal())


def granted(build: Build) -> list[str]:
    """The paths that the grants of `build` are for."""
    scope = stack()
    build(scope, imported_service(scope), user(scope))
    assert not {finding for finding in findings(scope) if "IAM5" in finding[0]}
    found = []
    for statement in statements(template(scope)):
        if statement["Action"] == "execute-api:Invoke":
            for arn in listed(statement["Resource"]):
                api, _, path = arn["Fn::Join"][1][-1].partition("/POST/")
                assert api == ":execute-api:eu-west-1:111122223333:abcde12345/api"
                found.append(path)
    return found


def asset(scope: cdk.Stack, service: IEquipmentService, id_: str = "Pump", **props: Any) -> MonitoredAsset:
    storage = AssetStorage.from_bucket(scope, f"Storage{id_}", bucket(scope))
    cdk.Annotations.of(storage).acknowledge_warning("constructs-l4e:BucketKey", "it has none")
    places = storage.for_asset("Pump")
    return MonitoredAsset(scope, id_, service=service, locations=places, schema=PUMP, **props)


def bucket(scope: cdk.Stack) -> s3.IBucket:
    found = scope.node.try_find_child("Bucket")
    return cast("s3.IBucket", found) if found else s3.Bucket.from_bucket_name(scope, "Bucket", "sensor-data")


def place(scope: cdk.Stack) -> S3Location:
    return S3Location(bucket=bucket(scope), prefix="")


def test_both_sides_know_the_same_levels() -> None:
    for operation in _service_model.operations():
        assert _ways_in.level_of([operation]).name == OPERATION_RULES[operation].level.name


@pytest.mark.parametrize("level", AccessLevel)
@pytest.mark.parametrize("name", [None, "pump-"])
@pytest.mark.parametrize("tag", [None, PUMPS])
def test_url_is_a_way_in_that_the_service_understands(
    level: AccessLevel, name: str | None, tag: tuple[str, str] | None
) -> None:
    service = imported_service(stack())
    url = service.endpoint_url_for(level, name=name, tag=tag)
    assert url is not None
    path = url.removeprefix(f"{service.endpoint_url}/")
    found = way_in_of(
        {"pathParameters": {"proxy": path}, "requestContext": {"stage": "api", "path": f"/api/{path}"}}
    )
    assert (found.level.name, found.name) == (level.name, name)
    assert (found.tag and (found.tag.key, found.tag.value)) == tag


def test_level_as_text() -> None:
    service = imported_service(stack())
    assert str(service.endpoint_url_for("read", tag=PUMPS)).endswith("/api/read/tag/Team/pumps")


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"level": "write"}, 'access level "write" is not supported: use one of read, operate, full'),
        (
            {"level": "read", "name": "pump 1"},
            'name "pump 1" cannot stand in the path of a way in: use letters',
        ),
        ({"level": "read", "name": ""}, 'name "" cannot stand in the path'),
        ({"level": "read", "tag": ("Te/am", "x")}, 'tag key "Te/am" cannot stand in the path'),
        ({"level": "read", "tag": ("Team", "*")}, 'tag value "[*]" cannot stand in the path'),
        ({"level": "read", "tag": ("Team", "${aws:PrincipalTag/Team}")}, "cannot stand in the path"),
    ],
)
def test_what_cannot_stand_in_a_url(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        imported_service(stack()).endpoint_url_for(**props)


def both(path: str) -> list[str]:
    """A narrow way in, with and without the slash that some SDKs append."""
    return [path, f"{path}/"]


GRANTS: dict[str, tuple[Build, list[str]]] = {
    "read": (lambda _, service, who: service.grant_read(who), ["read", "read/*"]),
    "operate": (lambda _, service, who: service.grant_operate(who), ["operate", "operate/*"]),
    "full": (lambda _, service, who: service.grant_full_access(who), ["*"]),
    "name": (lambda _, service, who: service.grant_read(who, name="pump-"), both("read/name/pump-")),
    "tag": (lambda _, service, who: service.grant_full_access(who, tag=PUMPS), both("full/tag/Team/pumps")),
    "both": (
        lambda _, service, who: service.grant_operate(who, name="p_", tag=PUMPS),
        both("operate/name/p_/tag/Team/pumps"),
    ),
    "tag of the caller": (
        lambda _, service, who: service.grant_full_access(who, tag=("Team", "${aws:PrincipalTag/Team}")),
        both("full/tag/Team/${aws:PrincipalTag/Team}"),
    ),
    "dataset": (
        lambda scope, service, who: imported_dataset(scope, service).grant_read(who),
        both("read/name/history"),
    ),
    "dataset, operate": (
        lambda scope, service, who: imported_dataset(scope, service).grant_operate(who),
        both("operate/name/history"),
    ),
    "dataset, full": (
        lambda scope, service, who: imported_dataset(scope, service).grant_full_access(who),
        both("full/name/history"),
    ),
    "dataset, ingest": (
        lambda scope, service, who: imported_dataset(scope, service).grant_ingest(who),
        both("full/name/history"),
    ),
    "dataset, operations": (
        lambda scope, service, who: imported_dataset(scope, service).grant(who, "DescribeDataset"),
        both("read/name/history"),
    ),
    "model": (
        lambda scope, service, who: imported_model(scope, service).grant_read(who),
        both("read/name/wear"),
    ),
    "model, operate": (
        lambda scope, service, who: imported_model(scope, service).grant_operate(who),
        both("operate/name/wear"),
    ),
    "model, full": (
        lambda scope, service, who: imported_model(scope, service).grant_full_access(who),
        both("full/name/wear"),
    ),
    "scheduler": (
        lambda scope, service, who: imported_scheduler(scope, service).grant_read(who),
        both("read/name/watch"),
    ),
    "scheduler, start and stop": (
        lambda scope, service, who: imported_scheduler(scope, service).grant_start_stop(who),
        both("operate/name/watch"),
    ),
    "scheduler, full": (
        lambda scope, service, who: imported_scheduler(scope, service).grant_full_access(who),
        both("full/name/watch"),
    ),
    "asset": (
        lambda scope, service, who: asset(scope, service).grant_read(who),
        both("read/name/Test-Pump-"),
    ),
    "asset, operate": (
        lambda scope, service, who: asset(scope, service).grant_operate(who),
        both("operate/name/Test-Pump-"),
    ),
    "asset, full": (
        lambda scope, service, who: asset(scope, service).grant_full_access(who),
        both("full/name/Test-Pump-"),
    ),
}


def imported_dataset(scope: cdk.Stack, service: IEquipmentService) -> Any:
    return Dataset.from_dataset_name(scope, "D", service=service, dataset_name="history")


def imported_model(scope: cdk.Stack, service: IEquipmentService) -> Any:
    return Model.from_model_name(scope, "M", service=service, model_name="wear")


def imported_scheduler(scope: cdk.Stack, service: IEquipmentService) -> Any:
    return InferenceScheduler.from_inference_scheduler_attributes(
        scope,
        "S",
        service=service,
        inference_scheduler_name="watch",
        model_name="wear",
        data_upload_frequency="PT5M",
    )


@pytest.mark.parametrize("name", GRANTS)
def test_grants_are_for_exactly_these_paths(name: str) -> None:
    build, paths = GRANTS[name]
    assert granted(build) == paths


def test_a_grant_from_another_stack_is_clean_for_the_rule_pack() -> None:
    home = app()
    service = EquipmentService(cdk.Stack(home, "Service", env=cdk.Environment(region="eu-west-1")), "Service")
    target = cdk.Stack(home, "Users", env=cdk.Environment(region="eu-west-1"))
    service.grant_read(user(target))
    home.synth()
    assert not {finding for finding in findings(target) if "IAM5" in finding[0]}


def test_grant_of_nothing() -> None:
    scope = stack()
    with pytest.raises(ValueError, match='no operation is granted on "history"'):
        imported_dataset(scope, imported_service(scope)).grant(user(scope))


def test_aws_s_own_service_has_no_ways_in() -> None:
    scope = stack()
    managed = EquipmentService.aws_managed(scope, "Service")
    assert managed.endpoint_url_for("read") is None
    with pytest.raises(ValueError, match="hold callers of a deployed service only"):
        managed.grant_read(user(scope), tag=PUMPS)


@pytest.mark.parametrize(("grant", "level"), [("grant_read", "READ"), ("grant_operate", "OPERATE")])
def test_levels_at_aws_s_own_service_are_actions(grant: str, level: str) -> None:
    def build(scope: cdk.Stack) -> None:
        getattr(EquipmentService.aws_managed(scope, "S"), grant)(user(scope))

    [policy] = [
        value
        for key, value in resources(synthesised(build), "AWS::IAM::Policy").items()
        if key.startswith("User")
    ]
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == {
        f"lookoutequipment:{name}"
        for name, rule in OPERATION_RULES.items()
        if rule.level.name in {"READ", level}
    }


class TestAssets:
    def test_the_prefix_begins_all_names(self) -> None:
        scope = stack()
        made = asset(scope, imported_service(scope))
        assert isinstance(made.dataset, Dataset)
        names = made.dataset.dataset_name, made.model.model_name, made.scheduler.inference_scheduler_name
        assert all(name.startswith(made.name_prefix) for name in names)
        assert made.name_prefix == "Test-Pump-"

    def test_another_asset_that_would_be_open_too_is_refused(self) -> None:
        scope = stack()
        service = imported_service(scope)
        asset(scope, service).grant_read(user(scope))
        asset(scope, service, "Pump-2")
        with pytest.raises(Exception, match='begin with "Test-Pump-", and so does "Test-Pump-2-Dataset-'):
            cdk.App.of(scope).synth()  # type: ignore[union-attr]

    def test_neighbours_of_other_names_are_fine(self) -> None:
        scope = stack()
        service = imported_service(scope)
        asset(scope, service).grant_read(user(scope))
        asset(scope, service, "Pump2")
        cdk.App.of(scope).synth()  # type: ignore[union-attr]

    def test_a_path_too_long_for_the_names(self) -> None:
        scope = stack()
        made = asset(scope, imported_service(scope), "P" * 250)
        with pytest.raises(ValueError, match="the path of the asset is too long for it: shorten the ids"):
            made.grant_read(user(scope))


def trusted(content: dict[str, Any], part: str = "") -> list[str]:
    """The ends of the ARNs for which the one role whose logical id begins so trusts the service."""
    [role] = [
        value["Properties"]
        for key, value in resources(content, "AWS::IAM::Role").items()
        if key.startswith(part) and "ExternalId" in json.dumps(value)
    ]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    arns = statement["Condition"]["StringLike"]["sts:ExternalId"]
    return [arn["Fn::Join"][1][-1] for arn in listed(arns)]


def service_role(scope: cdk.Stack, service: IEquipmentService, **props: Any) -> ServiceRole:
    return ServiceRole(scope, "Shared", service=service, reads=[place(scope)], **props)


class TestTrust:
    def test_is_for_the_asset_s_own_resources_over_their_replacements(self) -> None:
        scope = stack()
        made = asset(scope, imported_service(scope))
        assert isinstance(made.dataset, Dataset)
        found = trusted(template(scope))
        assert found == [
            f":dataset/{made.dataset.dataset_name[:-8]}????????/*",
            f":inference-scheduler/{made.scheduler.inference_scheduler_name[:-8]}????????/*",
        ]
        assert warnings(scope) == []

    def test_of_a_role_that_is_given_is_for_what_uses_it(self) -> None:
        scope = stack()
        service = imported_service(scope)
        by_scripts = "arn:aws:lookoutequipment:eu-west-1:111122223333:dataset/script-*"
        role = service_role(scope, service, trusted_resources=[by_scripts])
        dataset = imported_dataset(scope, service)
        dataset.add_ingestion("I", source=place(scope), key_pattern=KeyPattern.FOLDER, role=role)
        dataset.add_model("M", model_name="fixed", role=role, labels=place(scope))
        [role_properties] = resources(template(scope), "AWS::IAM::Role").values()
        text = json.dumps(role_properties["Properties"]["AssumeRolePolicyDocument"])
        for part in (by_scripts, ":dataset/history/*", ":model/fixed/*"):
            assert part in text
        assert warnings(scope) == []

    def test_of_a_role_that_nothing_uses_is_wide_and_says_so(self) -> None:
        scope = stack()
        service_role(scope, imported_service(scope))
        assert trusted(template(scope)) == [":*"]
        [warning] = warnings(scope)
        assert "trusts the service for every resource of the account" in warning

    def test_of_a_role_that_very_many_use_is_wide_and_says_so(self) -> None:
        scope = stack()
        service = imported_service(scope)
        role = service_role(scope, service)
        for number in range(40):
            role.trust_for(f"arn:aws:lookoutequipment:eu-west-1:111122223333:dataset/pump-{number}/*")
        assert trusted(template(scope)) == [":*"]
        assert len(warnings(scope)) == 1

    def test_fits_a_trust_policy(self) -> None:
        scope = stack()
        service = imported_service(scope)
        role = service_role(scope, service)
        for number in range(20):
            role.trust_for(f"arn:aws:lookoutequipment:eu-west-1:111122223333:dataset/pump-{number}/*")
        content = only(template(scope), "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]
        assert "pump-19" in json.dumps(content)
        assert len(json.dumps(content, separators=(",", ":"))) <= 2048

    def test_of_a_role_from_elsewhere_is_asked_for(self) -> None:
        scope = stack()
        service = imported_service(scope)
        found = iam.Role.from_role_arn(
            scope, "Theirs", "arn:aws:iam::111122223333:role/lookoutequipment/theirs"
        )
        asset(scope, service, role=found)
        texts = [text for text in warnings(scope) if "RoleRights" not in text]
        assert len(texts) == 2
        assert all("let it trust the service with sts:ExternalId" in text for text in texts)
        assert any(":dataset/Test-Pump-Dataset-C70504A4-????????/*" in text for text in texts)

    def test_of_a_role_for_aws_s_own_service_stays(self) -> None:
        scope = stack()
        service = EquipmentService.aws_managed(scope, "Service")
        role = service_role(scope, service)
        imported_dataset(scope, service).add_ingestion(
            "I", source=place(scope), key_pattern=KeyPattern.FOLDER, role=role
        )
        assert "SourceArn" in json.dumps(template(scope))
        assert warnings(scope) == []
