"""Every public construct: with what it needs, with everything set, and imported in every way that there is.

What is new must be added here: the tables are compared with the signatures.
"""

import datetime as dt
import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from canonical import (
    EVALUATION,
    JOB_ROLE,
    PROVIDER_ROLE,
    PUMP,
    SERVICE_TOKEN,
    TRAINING,
    findings,
    imported_service,
    lint,
    stack,
    template,
)
from constructs import Construct, IConstruct

import constructs_l4e as l4e

DESTROY = cdk.RemovalPolicy.DESTROY
ARN = "arn:aws:lookoutequipment:eu-west-1:111122223333:{}/one/12345678-1234-1234-1234-123456789012"

VERSION = f"{ARN.format('model')}/model-version/1"


class Plant:
    """A stack with what constructs refer to."""

    def __init__(self) -> None:
        self.stack = stack()
        self._networks = 0
        self.service = imported_service(self.stack)
        self.bucket = s3.Bucket.from_bucket_name(self.stack, "Data", "sensor-data")
        self.key = kms.Key.from_key_arn(
            self.stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
        )
        self.role = iam.Role.from_role_arn(
            self.stack, "Role", "arn:aws:iam::111122223333:role/lookoutequipment/mine"
        )
        self.group = ec2.SecurityGroup.from_security_group_id(self.stack, "Group", "sg-0123456789abcdef0")
        self.subnet = ec2.Subnet.from_subnet_attributes(
            self.stack, "Subnet", subnet_id="subnet-0123456789abcdef9", availability_zone="eu-west-1a"
        )
        self.dataset = l4e.Dataset.from_dataset_attributes(
            self.stack, "Dataset", service=self.service, dataset_name="history", schema=PUMP
        )
        self.model = l4e.Model.from_model_name(self.stack, "Model", service=self.service, model_name="tuned")
        self.scheduler = l4e.InferenceScheduler.from_inference_scheduler_attributes(
            self.stack,
            "Scheduler",
            service=self.service,
            inference_scheduler_name="line-4",
            model_name="tuned",
            data_upload_frequency="PT5M",
        )
        self.action = actions.SnsAction(
            sns.Topic.from_topic_arn(self.stack, "Topic", "arn:aws:sns:eu-west-1:111122223333:alerts")
        )

    @property
    def alarms(self) -> l4e.SchedulerAlarms:
        return l4e.SchedulerAlarms(self.stack, "Alarms", scheduler=self.scheduler)

    def network(self) -> ec2.IVpc:
        """A VPC that nothing else uses."""
        self._networks += 1
        return ec2.Vpc.from_vpc_attributes(
            self.stack,
            f"Network{self._networks}",
            vpc_id="vpc-0123456789abcdef0",
            vpc_cidr_block="10.20.0.0/16",
            availability_zones=["eu-west-1a"],
            private_subnet_ids=["subnet-0123456789abcdef0"],
        )

    def place(self, prefix: str) -> l4e.S3Location:
        return l4e.S3Location(bucket=self.bucket, prefix=prefix)

    def allowed(self, account: str = "111122223333") -> iam.PolicyStatement:
        return iam.PolicyStatement(
            principals=[iam.AccountPrincipal(account)], actions=["lookoutequipment:ImportModelVersion"]
        )

    @property
    def locations(self) -> l4e.AssetLocations:
        storage = l4e.AssetStorage.from_bucket(self.stack, "Found", self.bucket)
        cdk.Annotations.of(storage).acknowledge_warning("constructs-l4e:BucketKey", "it has none")
        return storage.for_asset("Pump1")


Props = Callable[[Plant], dict[str, Any]]

NEEDED: Mapping[type[Construct], Props] = {
    l4e.AssetDashboard: lambda of: {"scheduler": of.scheduler},
    l4e.AssetStorage: lambda of: {},
    l4e.DataIngestion: lambda of: {"dataset": of.dataset, "source": of.place("history/")},
    l4e.Dataset: lambda of: {"service": of.service},
    l4e.EquipmentKey: lambda of: {"service": of.service},
    l4e.FunctionVpcEndpoints: lambda of: {"vpc": of.network(), "without": ["dynamodb", "s3"]},
    l4e.ImportedDataset: lambda of: {"service": of.service, "source_dataset_arn": ARN.format("dataset")},
    l4e.ImportedModel: lambda of: {"dataset": of.dataset, "source_model_version_arn": VERSION},
    l4e.InferenceScheduler: lambda of: {
        "model": of.model,
        "data_upload_frequency": "PT5M",
        "data_input": of.place("in/"),
        "data_output": of.place("out/"),
    },
    l4e.LabelGroup: lambda of: {"service": of.service},
    l4e.Model: lambda of: {"dataset": of.dataset},
    l4e.MonitoredAsset: lambda of: {"service": of.service, "locations": of.locations, "schema": PUMP},
    l4e.ResourcePolicy: lambda of: {"resource": of.model, "statements": [of.allowed()]},
    l4e.RetrainingScheduler: lambda of: {"model": of.model, "retraining_frequency": "P3M"},
    l4e.SchedulerAlarms: lambda of: {"scheduler": of.scheduler},
    l4e.ServiceRole: lambda of: {
        "service": of.service,
        "reads": [of.place("in/")],
        "trusted_resources": [ARN.format("model")],
    },
    l4e.ServiceVpcEndpoint: lambda of: {"vpc": of.network()},
}
"""What each construct cannot do without. The service has tests of its own."""

EXCLUSIVE: Mapping[type[Construct], set[str]] = {
    l4e.ServiceVpcEndpoint: {"operations", "service"},
    l4e.MonitoredAsset: {"dataset", "model", "scheduler"},
}
"""What cannot be set beside everything else, or is a prop of another form of the construct."""


def everything(of: Plant) -> dict[type[Construct], dict[str, Any]]:
    tags = {"line": "4"}
    thresholds = l4e.AlarmThresholds(
        failed=l4e.Executions(count=1, out_of=2, actions=[of.action]),
        invalid_input=l4e.Executions(count=1),
        fault_began=l4e.Executions(count=1),
        level_moved=l4e.Executions(count=1),
        warning=l4e.Executions(count=1),
    )
    naming = l4e.InputNaming(
        timestamp_format=l4e.TimestampFormat.EPOCH, delimiter="_", time_zone_offset="+01:00"
    )
    return {
        l4e.AssetDashboard: {
            "alarms": [of.alarms],
            "retraining": l4e.RetrainingScheduler.from_model_name(
                of.stack, "Retraining", service=of.service, model_name="tuned"
            ),
            "results": of.place("out/"),
            "title": "Feed pump",
            "dashboard_name": "feed-pump",
            "default_interval": cdk.Duration.days(1),
        },
        l4e.AssetStorage: {
            "bucket_name": "sensor-data-2",
            "encryption_key": of.key,
            "access_logs_bucket": of.bucket,
            "removal_policy": cdk.RemovalPolicy.RETAIN,
        },
        l4e.DataIngestion: {
            "key_pattern": l4e.KeyPattern.DOT,
            "role": of.role,
            "revision": "2",
            "wait": False,
        },
        l4e.Dataset: {
            "schema": PUMP,
            "dataset_name": "one",
            "encryption_key": of.key,
            "tags": tags,
            "removal_policy": DESTROY,
        },
        l4e.EquipmentKey: {
            "users": [iam.AccountRootPrincipal()],
            "alias": "alias/pump",
            "description": "Pumps",
            "removal_policy": DESTROY,
        },
        l4e.FunctionVpcEndpoints: {
            "subnets": ec2.SubnetSelection(subnets=[of.subnet]),
            "security_groups": [of.group],
            "open": False,
            "without": ["dynamodb", "s3", "sts"],
        },
        l4e.ImportedDataset: {
            "schema": PUMP,
            "dataset_name": "one",
            "revision": "2",
            "encryption_key": of.key,
            "tags": tags,
            "removal_policy": DESTROY,
        },
        l4e.ImportedModel: {
            "model_name": "one",
            "inference_data": "OVERWRITE",
            "labels": of.place("labels/"),
            "label_group": l4e.LabelGroup.from_label_group_name(
                of.stack, "LabelsOfCopy", service=of.service, label_group_name="known"
            ),
            "target_sampling_rate": "PT1M",
            "role": of.role,
            "encryption_key": of.key,
            "adaptation": "hold",
            "active_version": 1,
            "tags": tags,
            "removal_policy": DESTROY,
        },
        l4e.InferenceScheduler: {
            "inference_scheduler_name": "one",
            "data_delay_offset": cdk.Duration.minutes(5),
            "input_naming": naming,
            "output_encryption_key": of.key,
            "role": of.role,
            "encryption_key": of.key,
            "running": False,
            "tags": tags,
            "removal_policy": cdk.RemovalPolicy.RETAIN,
        },
        l4e.LabelGroup: {
            "label_group_name": "one",
            "fault_codes": ["leak"],
            "labels": [l4e.Label.between("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", fault_code="leak")],
            "tags": tags,
            "removal_policy": DESTROY,
        },
        l4e.Model: {
            "model_name": "one",
            "label_group": l4e.LabelGroup.from_label_group_name(
                of.stack, "Labels", service=of.service, label_group_name="known"
            ),
            "training": TRAINING,
            "evaluation": EVALUATION,
            "labels": of.place("labels/"),
            "target_sampling_rate": "PT1M",
            "off_condition": r"pump\speed < 10",
            "schema": PUMP,
            "diagnostics": of.place("diagnostics/"),
            "diagnostics_encryption_key": of.key,
            "role": of.role,
            "encryption_key": of.key,
            "adaptation": "hold",
            "tags": tags,
            "active_version": 1,
            "wait": False,
            "removal_policy": DESTROY,
        },
        l4e.MonitoredAsset: {
            "key_pattern": l4e.KeyPattern.DOT,
            "revision": "2",
            "training": TRAINING,
            "evaluation": EVALUATION,
            "labelled": True,
            "diagnostics": True,
            "target_sampling_rate": "PT1M",
            "off_condition": r"pump\speed < 10",
            "adaptation": "hold",
            "label_group": {"fault_codes": ["leak"]},
            "retraining": {"retraining_frequency": "P3M"},
            "dashboard": {"title": "Feed pump"},
            "wait": False,
            "data_upload_frequency": "PT5M",
            "data_delay_offset": cdk.Duration.minutes(5),
            "input_naming": naming,
            "running": False,
            "alarm_thresholds": thresholds,
            "alarm_actions": [of.action],
            "notify_when_over": True,
            "dataset_name": "two",
            "model_name": "two",
            "inference_scheduler_name": "two",
            "encryption_key": of.key,
            "tags": tags,
            "removal_policy": DESTROY,
            "role": of.role,
        },
        l4e.ResourcePolicy: {"statements": [of.allowed(), of.allowed("444455556666")]},
        l4e.RetrainingScheduler: {
            "lookback_window": "P180D",
            "start_date": dt.date(2027, 1, 1),
            "promote_mode": "MANUAL",
            "running": False,
            "removal_policy": cdk.RemovalPolicy.RETAIN,
        },
        l4e.SchedulerAlarms: {"thresholds": thresholds, "actions": [of.action], "notify_when_over": True},
        l4e.ServiceRole: {
            "writes": [of.place("out/")],
            "output_keys": [of.key],
            "role_name": "pump",
            "description": "Pumps",
        },
        l4e.ServiceVpcEndpoint: {
            "level": l4e.AccessLevel.READ,
            "subnets": ec2.SubnetSelection(subnets=[of.subnet]),
            "security_groups": [of.group],
            "private_dns_enabled": True,
            "open": False,
        },
    }


def props_of(kind: type[Construct]) -> set[str]:
    return set(inspect.signature(kind.__init__).parameters) - {"self", "scope", "id"}


def test_every_construct_is_here() -> None:
    public = {
        each
        for each in vars(l4e).values()
        if inspect.isclass(each) and issubclass(each, Construct) and not each.__name__.endswith("Base")
    }

    assert public - {l4e.EquipmentService} == set(NEEDED) == set(everything(Plant()))


@pytest.mark.parametrize("kind", NEEDED, ids=lambda kind: kind.__name__)
def test_everything_is_everything(kind: type[Construct]) -> None:
    of = Plant()

    assert NEEDED[kind](of).keys() | everything(of)[kind].keys() == props_of(kind) - EXCLUSIVE.get(
        kind, set()
    )


@pytest.fixture(scope="module")
def bare() -> Plant:
    """A stack with each construct as it is without props that can be left out."""
    of = Plant()
    for kind, props in NEEDED.items():
        kind(Construct(of.stack, f"With{kind.__name__}"), "Made", **props(of))
    return of


@pytest.fixture(scope="module")
def full() -> Plant:
    """A stack with each construct with everything set."""
    of = Plant()
    every = everything(of)
    for kind, props in NEEDED.items():
        kind(Construct(of.stack, f"With{kind.__name__}"), "Made", **{**props(of), **every[kind]})
    return of


@pytest.mark.parametrize("form", ["bare", "full"])
def test_rule_packs_find_nothing(form: str, request: pytest.FixtureRequest) -> None:
    of: Plant = request.getfixturevalue(form)

    assert findings(of.stack) == set()


@pytest.mark.parametrize("form", ["bare", "full"])
def test_cfn_lint_is_clean(form: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    of: Plant = request.getfixturevalue(form)
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template(of.stack)))

    assert lint(path) == ""


@pytest.mark.parametrize("kind", NEEDED, ids=lambda kind: kind.__name__)
def test_everything_set_is_another_template(kind: type[Construct], bare: Plant, full: Plant) -> None:
    """No prop is without effect as a whole."""

    def of(plant: Plant) -> dict[str, Any]:
        made = template(plant.stack)["Resources"]
        return {name: body for name, body in made.items() if name.startswith(f"With{kind.__name__}Made")}

    assert of(full) != of(bare) != {}


SERVICE_ATTRIBUTES = {
    "api_id": "abcde12345",
    "api_stage": "v1",
    "data_access_role_arn": JOB_ROLE,
    "provider_service_token": SERVICE_TOKEN,
    "provider_role_arn": PROVIDER_ROLE,
}
Import = Callable[[Plant, Callable[..., Any]], IConstruct]


def by_service(**props: Any) -> Import:
    return lambda of, method: method(of.stack, "Import", service=of.service, **props)


IMPORTS: Mapping[str, tuple[Import, type]] = {
    "AssetStorage.from_bucket": (lambda of, method: method(of.stack, "Import", of.bucket), l4e.IAssetStorage),
    "Dataset.from_dataset_name": (by_service(dataset_name="one"), l4e.IDataset),
    "Dataset.from_dataset_arn": (by_service(dataset_arn=ARN.format("dataset")), l4e.IDataset),
    "Dataset.from_dataset_attributes": (by_service(dataset_name="one", schema=PUMP), l4e.IDataset),
    "EquipmentService.from_equipment_service_attributes": (
        lambda of, method: method(of.stack, "Import", **SERVICE_ATTRIBUTES),
        l4e.IEquipmentService,
    ),
    "EquipmentService.from_parameter": (
        lambda of, method: method(of.stack, "Import", parameter_name="/plant/service"),
        l4e.IEquipmentService,
    ),
    "EquipmentService.from_stack_name": (
        lambda of, method: method(of.stack, "Import", stack_name="Platform"),
        l4e.IEquipmentService,
    ),
    "InferenceScheduler.from_inference_scheduler_name": (
        by_service(inference_scheduler_name="one"),
        l4e.IInferenceScheduler,
    ),
    "InferenceScheduler.from_inference_scheduler_arn": (
        by_service(inference_scheduler_arn=ARN.format("inference-scheduler")),
        l4e.IInferenceScheduler,
    ),
    "InferenceScheduler.from_inference_scheduler_attributes": (
        by_service(inference_scheduler_name="one", model_name="one", data_upload_frequency="PT5M"),
        l4e.IInferenceScheduler,
    ),
    "LabelGroup.from_label_group_name": (by_service(label_group_name="one"), l4e.ILabelGroup),
    "LabelGroup.from_label_group_arn": (
        by_service(label_group_arn=ARN.format("label-group")),
        l4e.ILabelGroup,
    ),
    "LabelGroup.from_label_group_attributes": (by_service(label_group_name="one"), l4e.ILabelGroup),
    "RetrainingScheduler.from_model_name": (by_service(model_name="one"), l4e.IRetrainingScheduler),
    "Model.from_model_name": (by_service(model_name="one"), l4e.IModel),
    "Model.from_model_arn": (by_service(model_arn=ARN.format("model")), l4e.IModel),
    "Model.from_model_attributes": (by_service(model_name="one", target_sampling_rate="PT1M"), l4e.IModel),
}


def test_every_import_is_here() -> None:
    public = {
        f"{kind.__name__}.{name}"
        for kind in (*NEEDED, l4e.EquipmentService)
        for base in kind.__mro__
        if base.__module__.startswith("constructs_l4e")
        for name in vars(base)
        if name.startswith("from_")
    }

    assert public == set(IMPORTS)


@pytest.mark.parametrize("name", IMPORTS)
def test_an_import_makes_nothing_and_is_what_its_interface_says(name: str) -> None:
    of = Plant()
    kind, method = name.split(".")
    make, interface = IMPORTS[name]
    found = make(of, getattr(getattr(l4e, kind), method))

    assert isinstance(found, interface)
    assert found.node.path == "Test/Import"
    assert "Resources" not in template(of.stack)
