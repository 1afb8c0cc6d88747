"""Parts of a MonitoredAsset: given, made here, or only their props, and what does not go together."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from canonical import (
    EVALUATION,
    PUMP,
    TRAINING,
    custom,
    imported_service,
    locations,
    only,
    properties,
    resources,
    stack,
    synthesised,
    template,
)

from constructs_l4e import (
    AlarmThresholds,
    Dataset,
    DatasetSchema,
    EquipmentService,
    Executions,
    IEquipmentService,
    IInferenceScheduler,
    InferenceScheduler,
    KeyPattern,
    Model,
    MonitoredAsset,
    RetrainingScheduler,
    S3Location,
)


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda asset, person: asset.grant_ingest(person), "dataset"),
        (lambda asset, person: asset.grant_label(person), "label group"),
        (lambda asset, _: asset.on_ingestion_state_change("Rule"), "dataset"),
        (lambda asset, _: asset.metric_retraining_failed(), "retraining scheduler"),
        (lambda asset, _: asset.metric_version_promoted(), "retraining scheduler"),
        (lambda asset, _: asset.metric_version_not_promoted(), "retraining scheduler"),
    ],
)
def test_what_is_asked_of_a_part_that_the_asset_has_not(ask: Any, what: str) -> None:
    scope = stack()
    asset = MonitoredAsset(
        scope,
        "A",
        service=imported_service(scope),
        locations=locations(scope),
        scheduler=existing_scheduler(scope),
    )
    person = iam.Role(scope, "Person", assumed_by=iam.AccountRootPrincipal())

    with pytest.raises(ValueError, match=f'^asset "Test/A" has no {what}, which is what is asked for$'):
        ask(asset, person)


def test_a_retraining_scheduler_that_exists() -> None:
    scope = stack()
    live = existing_scheduler(scope)
    found = RetrainingScheduler.from_model_name(scope, "Retraining", service=live.service, model_name="tuned")
    asset = MonitoredAsset(
        scope, "A", service=live.service, locations=locations(scope), scheduler=live, retraining=found
    )

    assert asset.retraining is found
    assert resources(template(scope), "Custom::LookoutEquipmentRetrainingScheduler") == {}
    assert asset.metric_retraining_failed().dimensions == {"ModelName": "tuned"}


def test_a_retraining_scheduler_of_another_model_or_service() -> None:
    scope = stack()
    live = existing_scheduler(scope)
    other = EquipmentService.aws_managed(scope, "Other")
    strange = RetrainingScheduler.from_model_name(scope, "R1", service=live.service, model_name="other")
    distant = RetrainingScheduler.from_model_name(scope, "R2", service=other, model_name="tuned")
    common = {"service": live.service, "locations": locations(scope), "scheduler": live}

    with pytest.raises(ValueError, match='scheduler is of model "other", not "tuned": leave one of'):
        MonitoredAsset(scope, "A", retraining=strange, **common)
    with pytest.raises(ValueError, match='scheduler is of service "Test/Other", not of "Test/Service"'):
        MonitoredAsset(scope, "B", retraining=distant, **common)


def test_parts_that_exist_replace_parts_made_here() -> None:
    scope = stack()
    service = imported_service(scope)
    role = iam.Role.from_role_arn(scope, "Role", "arn:aws:iam::111122223333:role/lookoutequipment/mine")
    dataset = Dataset.from_dataset_attributes(scope, "Data", service=service, dataset_name="old", schema=PUMP)
    common = {"service": service, "locations": locations(scope), "role": role}

    ingested = MonitoredAsset(scope, "A", dataset=dataset, training=TRAINING, **common)
    trained = MonitoredAsset(
        scope, "B", model=Model.from_model_name(scope, "M", service=service, model_name="tuned"), **common
    )

    assert (ingested.dataset, ingested.ingestion, ingested.role) == (dataset, None, role)
    assert (trained.dataset, trained.ingestion, trained.model.model_name) == (None, None, "tuned")
    content = cdk.assertions.Template.from_stack(scope)
    content.resource_count_is("AWS::IAM::Role", 0)
    content.resource_count_is("AWS::IAM::Policy", 0)
    content.resource_count_is("Custom::LookoutEquipmentDataset", 0)
    content.resource_count_is("Custom::LookoutEquipmentModel", 1)
    content.resource_count_is("Custom::LookoutEquipmentInferenceScheduler", 2)


def test_a_scheduler_that_exists_is_watched() -> None:
    scope = stack()
    asset = MonitoredAsset(
        scope,
        "A",
        service=imported_service(scope),
        locations=locations(scope),
        scheduler=existing_scheduler(scope),
    )
    asset.add_alarms("Urgent", thresholds=AlarmThresholds(anomaly=Executions(count=12), no_success=None))

    assert (asset.role, asset.dataset, asset.ingestion, asset.model.model_name) == (None, None, None, "tuned")
    found = resources(template(scope), "AWS::CloudWatch::Alarm").values()
    assert sorted(
        (each["Properties"]["MetricName"], each["Properties"]["EvaluationPeriods"]) for each in found
    ) == [("AnomalyDetected", 1), ("AnomalyDetected", 12), ("InferenceSucceeded", 3)]
    assert len(template(scope)["Resources"]) == 3


def existing_scheduler(scope: cdk.Stack) -> IInferenceScheduler:
    service = scope.node.try_find_child("Service") or imported_service(scope)
    assert isinstance(service, IEquipmentService)
    return InferenceScheduler.from_inference_scheduler_attributes(
        scope,
        "Existing",
        service=service,
        inference_scheduler_name="line-4",
        model_name="tuned",
        data_upload_frequency="PT5M",
    )


def test_more_props_of_each_part_go_before_those_of_the_asset() -> None:
    scope = stack()
    own, other = (
        kms.Key.from_key_arn(scope, name, f"arn:aws:kms:eu-west-1:111122223333:key/{name}")
        for name in ("own", "other")
    )
    results = S3Location(bucket=s3.Bucket.from_bucket_name(scope, "Results", "results"), prefix="pump/")
    part = DatasetSchema.from_sensors({"pump": ["speed"]})
    MonitoredAsset(
        scope,
        "A",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        encryption_key=own,
        tags={"site": "north"},
        removal_policy=cdk.RemovalPolicy.DESTROY,
        dataset={"tags": {"site": "south"}},
        model={"encryption_key": other, "schema": part, "removal_policy": cdk.RemovalPolicy.RETAIN},
        scheduler={"data_output": results, "output_encryption_key": other},
    )
    content = template(scope)
    dataset, model, live = (custom(content, kind) for kind in ("Dataset", "Model", "InferenceScheduler"))

    def of(resource: dict[str, Any]) -> tuple[str, str, str]:
        props = resource["Properties"]
        (tag,) = props["Tags"]
        return props["ServerSideKmsKeyId"].rpartition("/")[2], tag["Value"], resource["DeletionPolicy"]

    assert of(dataset) == ("own", "south", "Delete")
    assert of(model) == ("other", "north", "Retain")
    assert of(live) == ("own", "north", "Delete")
    assert json.loads(model["Properties"]["Schema"]["InlineDataSchema"]) == json.loads(part.to_json())
    output = live["Properties"]["DataOutputConfiguration"]
    assert output["S3OutputConfiguration"] == {"Bucket": "results", "Prefix": "pump/"}
    assert output["KmsKeyId"] == other.key_arn
    role = json.dumps(only(content, "AWS::IAM::Role"))
    assert "results/pump/*" in role
    assert "inference-output" not in role
    assert other.key_arn in role


def test_a_part_with_a_role_of_its_own_leaves_the_others_theirs() -> None:
    scope = stack()
    role = iam.Role.from_role_arn(scope, "R", "arn:aws:iam::111122223333:role/lookoutequipment/mine")
    asset = MonitoredAsset(
        scope,
        "A",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        labelled=True,
        scheduler={"role": role},
    )
    content = template(scope)

    assert properties(content, "InferenceScheduler")["RoleArn"] == role.role_arn
    assert asset.role is not role
    made = json.dumps(only(content, "AWS::IAM::Role"))
    assert "history" in made
    assert "labels" in made
    assert "inference" not in made


def test_role_for_an_existing_dataset_may_not_read_its_history() -> None:
    def build(scope: cdk.Stack) -> None:
        service = imported_service(scope)
        dataset = Dataset.from_dataset_name(scope, "Data", service=service, dataset_name="old")
        MonitoredAsset(scope, "A", service=service, locations=locations(scope), dataset=dataset)

    assert "history" not in json.dumps(synthesised(build))


@pytest.mark.parametrize(
    ("given", "other", "message"),
    [
        ("dataset", {"schema": PUMP}, '"schema" has no effect on a "dataset" that exists already'),
        ("dataset", {"revision": "2"}, '"revision" has no effect on a "dataset"'),
        ("model", {"training": TRAINING}, '"training" has no effect on a "model" that exists already'),
        ("model", {"adaptation": "hold"}, '"adaptation" has no effect on a "model"'),
        ("model", {"wait": False}, '"wait" has no effect on a "model"'),
        ("model", {"labelled": True}, '"labelled" has no effect on a "model"'),
        ("model", {"label_group": {}}, '"label_group" has no effect on a "model"'),
        ("model", {"key_pattern": KeyPattern.DOT}, '"key_pattern" has no effect on a "model"'),
        ("model", {"dataset": {"tags": {}}}, '"dataset" has no effect on a "model"'),
        (
            "model",
            {"removal_policy": cdk.RemovalPolicy.RETAIN},
            '"removal_policy" has no effect on a "model"',
        ),
        (
            "scheduler",
            {"training": TRAINING},
            '"training" has no effect on a "scheduler" that exists already',
        ),
        ("scheduler", {"running": False}, '"running" has no effect on a "scheduler"'),
        ("scheduler", {"tags": {"a": "b"}}, '"tags" has no effect on a "scheduler"'),
        ("scheduler", {"model": {"training": TRAINING}}, '"model" has no effect on a "scheduler"'),
    ],
)
def test_props_of_a_part_that_exists_already(given: str, other: dict[str, Any], message: str) -> None:
    scope = stack()
    service = imported_service(scope)
    parts = {
        "dataset": lambda: Dataset.from_dataset_name(scope, "D", service=service, dataset_name="old"),
        "model": lambda: Model.from_model_name(scope, "M", service=service, model_name="old"),
        "scheduler": lambda: existing_scheduler(scope),
    }

    with pytest.raises(ValueError, match=message):
        MonitoredAsset(
            scope, "A", service=service, locations=locations(scope), **{given: parts[given]()}, **other
        )


@pytest.mark.parametrize(
    ("props", "message"),
    [
        (
            {"training": TRAINING, "model": {"training": EVALUATION}},
            '^"training" is given twice, to the asset and in "model": leave it out of one',
        ),
        (
            {"labelled": True, "model": {"labels": None}},
            '^"labels" is given twice, to the asset and in "model"',
        ),
        ({"label_group": {}, "model": {"label_group": None}}, '^"label_group" is given twice'),
        ({"running": False, "scheduler": {"running": True}}, '^"running" is given twice, .* in "scheduler"'),
        ({"dataset": {"schema": PUMP}, "schema": PUMP}, '^"schema" is given twice, .* in "dataset"'),
    ],
)
def test_props_that_are_given_twice(props: dict[str, Any], message: str) -> None:
    scope = stack()
    with pytest.raises(ValueError, match=message):
        MonitoredAsset(scope, "A", service=imported_service(scope), locations=locations(scope), **props)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"scheduler": {"runing": True}}, r"scheduler is {'runing': True}: use an? IInferenceScheduler"),
        ({"model": {"wait": "no"}}, r"model is {'wait': 'no'}: use an? IModel"),
        ({"dataset": "pump"}, r'dataset is "pump": use an? IDataset'),
        ({"label_group": {"label": []}}, r"label_group is {'label': \[\]}: use an? ILabelGroup"),
        ({"retraining": {"tags": {}}}, r"retraining is {'tags': {}}: use an? IRetrainingScheduler"),
    ],
)
def test_what_is_neither_a_part_nor_its_props(part: dict[str, Any], message: str) -> None:
    scope = stack()
    with pytest.raises(
        TypeError,
        match=f'^MonitoredAsset "Test/A": {message} or a dict of props with some of .*removal_policy',
    ):
        MonitoredAsset(scope, "A", service=imported_service(scope), locations=locations(scope), **part)


def test_a_scheduler_of_another_model() -> None:
    scope = stack()
    live = existing_scheduler(scope)
    other = Model.from_model_name(scope, "M", service=live.service, model_name="other")

    with pytest.raises(ValueError, match='scheduler "line-4" is of model "tuned", not "other": leave one of'):
        MonitoredAsset(
            scope, "A", service=live.service, locations=locations(scope), model=other, scheduler=live
        )


def test_a_scheduler_with_its_model() -> None:
    scope = stack()
    live = existing_scheduler(scope)
    own = Model.from_model_name(scope, "M", service=live.service, model_name="tuned")
    asset = MonitoredAsset(
        scope, "A", service=live.service, locations=locations(scope), model=own, scheduler=live
    )

    assert (asset.model, asset.scheduler) == (own, live)


def test_a_scheduler_of_another_service() -> None:
    scope = stack()
    live = existing_scheduler(scope)
    other = EquipmentService.aws_managed(scope, "Other")

    with pytest.raises(ValueError, match=r'^inference scheduler "line-4" is of service "Test/Service"'):
        MonitoredAsset(scope, "A", service=other, locations=locations(scope), scheduler=live)
