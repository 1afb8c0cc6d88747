"""Warnings at synthesis of what will fail or disappoint; each can be acknowledged."""

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Annotations
from canonical import JOB_ROLE, PROVIDER_ROLE, PUMP, SERVICE_TOKEN, app, locations, stack

from constructs_l4e import (
    AssetStorage,
    Dataset,
    DatasetSchema,
    EquipmentService,
    IEquipmentService,
    ImportedDataset,
    ImportedModel,
    Label,
    LabelGroup,
    Model,
    MonitoredAsset,
    ServiceSettings,
    TimeRange,
)

ROOT = Path(__file__).resolve().parents[2]
MANY = DatasetSchema.from_sensors({"pump": [f"s{number}" for number in range(301)]})
PARTS = DatasetSchema.from_sensors({f"part{number}": ["speed"] for number in range(301)})
PATH = "/lookoutequipment/"
DAY = TimeRange.between("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
MONTH = TimeRange.between("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
FEBRUARY = TimeRange.between("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")


def service(scope: cdk.Stack, settings: ServiceSettings | None) -> IEquipmentService:
    return EquipmentService.from_equipment_service_attributes(
        scope,
        "Service",
        api_id="abcde12345",
        api_stage="v1",
        data_access_role_arn=JOB_ROLE,
        provider_service_token=SERVICE_TOKEN,
        provider_role_arn=PROVIDER_ROLE,
        settings=settings,
    )


def warnings(scope: cdk.Stack) -> list[str]:
    found = Annotations.from_stack(scope).find_warning("*", cdk.assertions.Match.any_value())
    return [str(each.entry.data) for each in found]


def model(settings: ServiceSettings | None, *, schema: DatasetSchema = PUMP, **props: Any) -> list[str]:
    scope = stack()
    of = service(scope, settings)
    Model(scope, "Model", dataset=Dataset(scope, "Data", service=of, schema=schema), **props)
    return warnings(scope)


LIMITS: dict[str, tuple[dict[str, Any], str]] = {
    "sensors": ({"schema": MANY}, "301 sensors are more than 300 (columns_per_model), and the service will"),
    "components": ({"schema": PARTS}, "301 components are more than 300 (components_per_model)"),
    "short": ({"training": DAY}, "the training window of 1 days is shorter than 14 (minimum_training_span)"),
    "training rows": (
        {"training": MONTH, "target_sampling_rate": "PT1S"},
        "the training window has 2,678,400 rows at PT1S, more than 1,500,000 (training_rows)",
    ),
    "evaluation rows": (
        {"evaluation": FEBRUARY, "target_sampling_rate": "PT1S"},
        "the evaluation window has 2,419,200 rows at PT1S, more than 1,500,000 (evaluation_rows)",
    ),
}
LIFTED = ServiceSettings(
    columns_per_model=400,
    components_per_model=400,
    minimum_training_span=cdk.Duration.days(1),
    training_rows=3_000_000,
    evaluation_rows=3_000_000,
)


@pytest.mark.parametrize("name", LIMITS)
def test_more_than_the_service_takes(name: str) -> None:
    props, message = LIMITS[name]

    found = model(ServiceSettings(), **props)
    assert [each for each in found if message in each], found
    assert model(LIFTED, **props) == []
    assert model(None, **props) == []  # its limits are not known


DAYS = [Label.between(f"2026-03-{day:02d}T00:00:00Z", f"2026-03-{day:02d}T12:00:00Z") for day in range(1, 6)]


def few(**limits: float) -> tuple[cdk.Stack, IEquipmentService]:
    """A stack, and a service with limits that are soon reached."""
    scope = stack()
    return scope, service(scope, ServiceSettings(**limits))


def datasets(of: IEquipmentService, scope: cdk.Stack, number: int) -> list[Dataset]:
    return [Dataset(scope, f"Data{each}", service=of, schema=PUMP) for each in range(number)]


def label_group(scope: cdk.Stack, of: IEquipmentService, labels: int, *, added: int = 0) -> LabelGroup:
    group = LabelGroup(scope, "Faults", service=of, labels=DAYS[:labels])
    for day in range(1, added + 1):
        group.add_label(f"2026-04-{day:02d}T00:00:00Z", f"2026-04-{day:02d}T12:00:00Z")
    return group


@pytest.mark.parametrize(("labels", "added"), [(5, 0), (3, 1), (0, 5), (4, 3)])
def test_more_labels_than_a_group_takes(labels: int, added: int) -> None:
    scope, of = few(labels_per_group=3)
    label_group(scope, of, labels, added=added)

    (found,) = warnings(scope)
    assert f"the app describes {max(labels, 4)} labels or more" in found
    assert "a label group of the service takes 3 (labels_per_group): the deployment will be refused" in found


@pytest.mark.parametrize("limit", [5, math.inf, None])
def test_as_many_labels_as_a_group_takes(limit: float | None) -> None:
    scope = stack()
    label_group(scope, service(scope, ServiceSettings(labels_per_group=limit)), 3, added=2)

    assert warnings(scope) == []


def test_labels_at_a_service_whose_limits_are_not_known() -> None:
    scope = stack()
    label_group(scope, service(scope, None), 5)

    assert warnings(scope) == []


def test_more_datasets_models_and_label_groups_than_a_service_takes() -> None:
    scope, of = few(datasets=2, models=2, label_groups=1)
    for data in datasets(of, scope, 4):
        data.add_model("Model")
    for name in ("A", "B", "C"):
        LabelGroup(scope, name, service=of)

    assert [
        re.sub(r"or more.*takes", "takes", each.partition(":")[0]) for each in sorted(warnings(scope))
    ] == [
        "with this one the app makes 2 label groups takes 1 (label_groups)",
        "with this one the app makes 3 datasets takes 2 (datasets)",
        "with this one the app makes 3 models takes 2 (models)",
    ]


def test_as_many_datasets_as_the_service_takes() -> None:
    scope = stack()
    datasets(service(scope, ServiceSettings()), scope, 15)
    assert warnings(scope) == []

    scope = stack()
    datasets(service(scope, ServiceSettings()), scope, 16)
    (found,) = warnings(scope)
    assert "makes 16 datasets or more, and the service takes 15 (datasets)" in found

    scope = stack()
    datasets(service(scope, ServiceSettings(datasets=math.inf)), scope, 16)
    datasets(service(cdk.Stack(scope, "Other"), None), scope.node.find_child("Other"), 16)
    assert warnings(scope) == []


def test_imported_datasets_and_models_count_too() -> None:
    scope, of = few(datasets=1, models=1)
    (data,) = datasets(of, scope, 1)
    data.add_model("Model")
    theirs = "arn:aws:lookoutequipment:eu-west-1:222222222222"
    copy = ImportedDataset(
        scope,
        "Copy",
        service=of,
        source_dataset_arn=f"{theirs}:dataset/pump/1b4e28ba-2fa1-41d2-883f-0016d3cca427",
    )
    ImportedModel(
        scope, "Twin", dataset=copy, source_model_version_arn=f"{theirs}:model/wear/1b4e28ba/model-version/1"
    )

    assert [" 2 datasets " in each or " 2 models " in each for each in warnings(scope)] == [True, True]


def test_datasets_of_two_services_are_counted_apart() -> None:
    scope, of = few(datasets=2)
    datasets(of, scope, 2)
    other = cdk.Stack(scope, "Other")
    datasets(service(other, ServiceSettings(datasets=2)), other, 2)

    assert warnings(scope) == []


def test_two_schedulers_of_one_model() -> None:
    scope, of = few()
    at = locations(scope)
    made = Dataset(scope, "Data", service=of, schema=PUMP).add_model("Model")
    for name in ("One", "Two", "Three"):
        made.add_scheduler(
            name,
            data_upload_frequency="PT5M",
            data_input=at.inference_input,
            data_output=replace(at.inference_output, prefix=f"{name}/"),
        )
    for name in ("First", "Second"):
        made.add_retraining_scheduler(name, retraining_frequency="P30D")

    inference, retraining = sorted(warnings(scope))
    assert 'model "Test/Data/Model" has another inference scheduler in this app' in inference
    assert 'model "Test/Data/Model" has another retraining scheduler in this app' in retraining
    for name, rule in (("Two", "TooManySchedulers"), ("Second", "TooManySchedulers")):
        cdk.Annotations.of(made.node.find_child(name)).acknowledge_warning(f"constructs-l4e:{rule}", "known")
    assert warnings(scope) == []


def test_two_schedulers_that_would_overwrite_each_other() -> None:
    scope = stack()
    of, at = service(scope, None), locations(scope)
    for name in ("Pump", "Same", "Other"):
        if name == "Other":
            at = replace(at, inference_output=replace(at.inference_output, prefix="other/"))
        MonitoredAsset(scope, name, service=of, locations=at, schema=PUMP)

    (warning,) = warnings(scope)
    assert warning.startswith('results go to "Pump1/inference-output/", as those of "Test/Pump/Scheduler" do')
    second = scope.node.find_child("Same")
    cdk.Annotations.of(second).acknowledge_warning("constructs-l4e:SharedOutput", "they take turns")
    assert warnings(scope) == []


@pytest.mark.parametrize(
    ("days", "words"),
    [(179, "has 179 days, and"), (89, "below 90 days a model rarely knows all that is normal"), (180, None)],
)
def test_a_short_history_is_told(days: int, words: str | None) -> None:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    training = TimeRange.between(start.isoformat(), (start + dt.timedelta(days=days)).isoformat())

    found = model(ServiceSettings(), training=training)
    assert [words is not None and words in each for each in found] == ([] if words is None else [True])
    assert model(LIFTED, training=training) == []


def test_sensors_that_are_not_known_are_not_counted() -> None:
    scope = stack()
    of = service(scope, ServiceSettings())
    data = Dataset.from_dataset_name(scope, "Data", service=of, dataset_name="history")
    Model(scope, "Model", dataset=data)

    assert warnings(scope) == []


def test_every_warning_is_in_the_list_of_the_documentation() -> None:
    sources = "".join(each.read_text(encoding="utf-8") for each in (ROOT / "constructs_l4e").glob("*.py"))
    ids = re.findall(r'add_warning_v2\(\s*f?"constructs-l4e:(\w+)', sources)
    page = (ROOT / "docs" / "cdk-apps.md").read_text(encoding="utf-8")
    assert len(ids) > 5
    assert [each for each in ids if f"`{each}" not in page] == []


def test_a_warning_can_be_acknowledged() -> None:
    scope = stack()
    data = Dataset(scope, "Data", service=service(scope, ServiceSettings()), schema=PUMP)
    made = Model(scope, "Model", dataset=data, training=DAY)
    cdk.Annotations.of(made).acknowledge_warning("constructs-l4e:ShortTraining", "a trial")

    assert warnings(scope) == []


def asset(make: Callable[[cdk.Stack, IEquipmentService], iam.IRole]) -> list[str]:
    scope = stack()
    of = service(scope, None)
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
        of = service(scope, None)
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
    found = service(scope, None)
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
    of = service(scope, None)
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


def test_an_imported_bucket_may_have_a_key() -> None:
    scope = cdk.Stack(app(), "Test")
    key = kms.Key.from_key_arn(scope, "Key", "arn:aws:kms:eu-west-1:111122223333:key/one")
    known = s3.Bucket.from_bucket_attributes(scope, "Known", bucket_name="known", encryption_key=key)
    AssetStorage.from_bucket(scope, "A", known)
    AssetStorage.from_bucket(scope, "B", s3.Bucket(scope, "Own"))
    AssetStorage.from_bucket(scope, "C", s3.Bucket.from_bucket_name(scope, "Unknown", "unknown"))

    AssetStorage.from_bucket(
        scope, "D", known, results_bucket=s3.Bucket.from_bucket_name(scope, "Results", "results")
    )

    found = warnings(scope)
    assert len(found) == 2
    for name, each in zip(("Unknown", "Results"), found, strict=True):
        assert f'whether the imported bucket "Test/{name}" has a key is not known' in each
