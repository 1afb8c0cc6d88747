"""Model."""

import inspect
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from canonical import (
    EVALUATION,
    LARGE,
    LARGE_PART,
    PUMP,
    TRAINING,
    custom,
    imported_service,
    locations,
    only,
    properties,
    resources,
    stack,
    statements,
    synthesised,
)

from constructs_l4e import (
    Adaptation,
    Dataset,
    DatasetSchema,
    EquipmentService,
    IModel,
    Model,
    OffCondition,
    S3Location,
    TargetSamplingRate,
    TimeRange,
)
from constructs_l4e.model import ModelProps
from constructs_l4e.settings import ADAPTATION_TAG
from service.members.diagnostics_place import diagnostics_key

ARN = "arn:aws:lookoutequipment:eu-west-1:111122223333:model/tuned/1b4e28ba-2fa1-41d2-883f-0016d3cca427"
PART = DatasetSchema.from_sensors({"pump": ["flow"]})


def model(scope: cdk.Stack, **props: Any) -> Model:
    dataset = Dataset(scope, "Data", service=imported_service(scope), schema=PUMP, dataset_name="pump-7")
    return dataset.add_model("Model", **props)


def place(scope: cdk.Stack, prefix: str) -> S3Location:
    bucket = scope.node.try_find_child("B") or cdk.aws_s3.Bucket.from_bucket_name(scope, "B", "sensor-data")
    return S3Location(bucket=bucket, prefix=prefix)


def name(**props: Any) -> str:
    return model(stack(), **props).model_name


def test_name_follows_what_replaces_the_model() -> None:
    names = [
        name(),
        name(training=TRAINING),
        name(training=EVALUATION),
        name(training=TRAINING, evaluation=EVALUATION),
        name(target_sampling_rate="PT1M"),
        name(off_condition=r"pump\speed < 1"),
        name(off_condition=r"pump\speed < 2"),
        name(schema=PART),
        name(encryption_key=kms.Key.from_key_arn(stack(), "K", "arn:aws:kms:eu-west-1:111122223333:key/x")),
    ]

    assert len(set(names)) == len(names)


def test_name_does_not_follow_what_changes_in_place() -> None:
    scope = stack()

    assert name() == model(scope, labels=place(scope, "a/"), tags={"a": "b"}).model_name


def test_name_follows_the_dataset() -> None:
    scope = stack()
    service = imported_service(scope)
    first = Dataset(scope, "A", service=service, dataset_name="one")
    second = Dataset(scope, "B", service=service, dataset_name="two")

    assert (
        Model(cdk.Stack(scope.node.root, "X"), "M", dataset=first).model_name[-8:]
        != (Model(cdk.Stack(scope.node.root, "Y"), "M", dataset=second).model_name[-8:])
    )


def test_off_condition_may_be_text_or_value() -> None:
    assert name(off_condition=r"pump\speed<1") == name(off_condition=OffCondition.below(r"pump\speed", 1.0))


def test_sensors_may_be_a_part_of_the_dataset() -> None:
    def build(scope: cdk.Stack) -> None:
        service = imported_service(scope, "staged-elsewhere")
        Dataset(scope, "Data", service=service, schema=LARGE).add_model("Model", schema=LARGE_PART)

    content = synthesised(build)
    dataset, trained = properties(content, "Dataset"), properties(content, "Model")

    assert trained["Schema"]["Key"] != dataset["Schema"]["Key"]
    [statement] = [each for each in statements(content) if each["Action"] == "s3:GetObject"]
    assert len(statement["Resource"]) == 2


def test_role_is_made_when_there_is_need_only() -> None:
    plain = synthesised(model)
    labelled = synthesised(lambda scope: model(scope, labels=place(scope, "labels/")))
    diagnosed = synthesised(lambda scope: model(scope, diagnostics=place(scope, "out/")))

    assert resources(plain, "AWS::IAM::Role") == {}
    assert "RoleArn" not in properties(plain, "Model")
    assert actions(labelled) == ["s3:ListBucket", "s3:GetObject"]
    assert actions(diagnosed) == ["s3:ListBucket", "s3:PutObject"]


def test_diagnostics_have_keys_that_s3_allows() -> None:
    scope, room = stack(), 1024 - len(diagnostics_key("/", "wear", 9_999))

    model(scope, model_name="wear", diagnostics=place(scope, "x" * room + "/"))
    with pytest.raises(ValueError, match=r"diagnostics has the Prefix .* 1,025 bytes .* by 1 byte"):
        model(stack(), model_name="wear", diagnostics=place(scope, "x" * room + "x/"))


def actions(content: dict[str, Any]) -> list[str]:
    [policy] = only(content, "AWS::IAM::Role")["Properties"]["Policies"]
    return [each["Action"] for each in policy["PolicyDocument"]["Statement"]]


def test_diagnostics_with_a_key() -> None:
    def build(scope: cdk.Stack) -> None:
        key = kms.Key.from_key_arn(scope, "K", "arn:aws:kms:eu-west-1:111122223333:key/x")
        model(scope, diagnostics=place(scope, "out/"), diagnostics_encryption_key=key)

    content = synthesised(build)
    assert properties(content, "Model")["ModelDiagnosticsOutputConfiguration"] == {
        "S3OutputConfiguration": {"Bucket": "sensor-data", "Prefix": "out/"},
        "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/x",
    }
    [via_s3] = [each for each in statements(content) if "kms:GenerateDataKey" in each["Action"]]
    assert via_s3["Resource"] == "arn:aws:kms:eu-west-1:111122223333:key/x"
    assert "kms:ViaService" in via_s3["Condition"]["StringEquals"]


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"model_name": "my model"}, 'model name "my model" does not match'),
        (
            {"training": EVALUATION, "evaluation": TRAINING},
            'evaluation starts at "2026-01-01T00:00:00.*", before training ends at "2026-04-01T00:00:00',
        ),
        (
            {
                "training": TRAINING,
                "evaluation": TimeRange.between("2026-02-28T23:59:59Z", "2026-04-01T00:00:00Z"),
            },
            "a model must be tested on data it has not seen, so move one of them",
        ),
        (
            {"target_sampling_rate": "PT2M"},
            'target sampling rate "PT2M" is not supported: use one of PT1S, PT5S, .*, PT1H',
        ),
        ({"off_condition": r"pump\torque < 1"}, r'"pump\\torque < 1.0" names no sensor of the schema'),
        ({"off_condition": r"pump\speed < 1", "schema": PART}, "names no sensor of the schema: use one of"),
        ({"off_condition": "off"}, 'off condition "off" is not understood'),
        ({"adaptation": "never"}, 'adaptation "never" is not supported: use one of auto, hold, follow'),
        (
            {"tags": {ADAPTATION_TAG: "never"}},
            'tag "lookoutequipment:adaptation": "never" is not supported: use one of auto, hold, follow',
        ),
        (
            {"adaptation": "hold", "tags": {ADAPTATION_TAG: "auto"}},
            'tag "lookoutequipment:adaptation" and adaptation "hold" say the same thing: leave the tag out',
        ),
        (
            {"schema": DatasetSchema.from_sensors({"pump": ["torque"]})},
            r'sensor "pump\\torque" is not in the schema of the dataset',
        ),
    ],
)
def test_bad_props(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        name(**props)


@pytest.mark.parametrize("props", [{"adaptation": Adaptation.HOLD}, {"tags": {ADAPTATION_TAG: "hold"}}])
def test_adaptation_is_a_tag_of_the_model(props: dict[str, Any]) -> None:
    content = synthesised(lambda scope: model(scope, **props))

    assert properties(content, "Model")["Tags"] == [{"Key": "lookoutequipment:adaptation", "Value": "hold"}]
    assert name(**props) == name(), "changes in place"


def test_adaptation_needs_a_deployed_service() -> None:
    scope = stack()
    dataset = Dataset.from_dataset_name(
        scope, "D", service=EquipmentService.aws_managed(scope, "S"), dataset_name="d"
    )

    with pytest.raises(ValueError, match='adaptation "hold" has no effect at the AWS-managed service'):
        dataset.add_model("M", adaptation="hold")


def test_a_tag_of_the_app_that_has_no_effect_is_refused() -> None:
    def build(scope: cdk.Stack) -> None:
        model(scope)
        cdk.Tags.of(scope).add(ADAPTATION_TAG, "hold", **narrowed)

    narrowed: dict[str, Any] = {"include_resource_types": ["Custom::LookoutEquipmentModel"]}
    assert properties(synthesised(build), "Model")["Tags"][0]["Value"] == "hold"
    narrowed = {}
    with pytest.raises(Exception, match=r"an effect on models only.*include_resource_types"):
        synthesised(build)


def test_role_the_service_cannot_assume() -> None:
    scope = stack()
    role = iam.Role.from_role_arn(scope, "R", "arn:aws:iam::111122223333:role/mine")

    with pytest.raises(ValueError, match=r'role "arn:.*:role/mine" cannot be used .* "/lookoutequipment/"'):
        model(scope, role=role, labels=place(scope, "labels/"))


def test_model_without_role_can_be_granted_nothing() -> None:
    scope = stack()

    with pytest.raises(ValueError, match='model "Test/Data/Model" has no role'):
        _ = model(scope).grant_principal


def test_attributes() -> None:
    scope = stack()
    trained = model(scope, labels=place(scope, "labels/"))

    assert isinstance(trained, IModel)
    assert scope.resolve(trained.status)["Fn::GetAtt"][1] == "Status"
    assert scope.resolve(trained.model_arn)["Fn::GetAtt"][1] == "ModelArn"
    assert trained.role is not None
    assert trained.grant_principal is not None


@pytest.mark.parametrize(
    ("given", "policy"),
    [
        ({}, "RetainExceptOnCreate"),
        ({"removal_policy": cdk.RemovalPolicy.RETAIN}, "Retain"),
        ({"removal_policy": cdk.RemovalPolicy.DESTROY}, "Delete"),
    ],
)
def test_a_model_outlives_its_stack_but_not_its_replacement(given: dict[str, Any], policy: str) -> None:
    found = custom(synthesised(lambda scope: model(scope, **given)), "Model")

    assert (found["DeletionPolicy"], found["UpdateReplacePolicy"]) == (policy, "Delete")


def test_single_operations_are_a_level_of_the_deployed_service() -> None:
    scope = stack()
    user = iam.Role(scope, "User", assumed_by=iam.AccountRootPrincipal())
    model(scope, model_name="tuned").grant(user, "DescribeModel")

    (granted,) = (
        each
        for each in statements(cdk.assertions.Template.from_stack(scope).to_json())
        if each["Action"] == "execute-api:Invoke"
    )
    assert "/POST/read/name/tuned" in str(granted["Resource"])


def test_imports() -> None:
    scope = stack()
    service = imported_service(scope)
    by_name = Model.from_model_name(scope, "A", service=service, model_name="tuned")
    by_arn = Model.from_model_arn(scope, "B", service=service, model_arn=ARN)
    by_attributes = Model.from_model_attributes(
        scope, "C", service=service, model_name="tuned", target_sampling_rate=TargetSamplingRate.PT1H
    )

    assert all(isinstance(each, IModel) for each in (by_name, by_arn, by_attributes))
    assert {each.model_name for each in (by_name, by_arn, by_attributes)} == {"tuned"}
    assert by_arn.model_arn == ARN
    assert scope.resolve(by_name.model_arn)["Fn::Join"][1][-1] == (
        ":lookoutequipment:eu-west-1:111122223333:model/tuned/*"
    )
    assert (by_name.target_sampling_rate, by_attributes.target_sampling_rate) == (None, "PT1H")
    with pytest.raises(ValueError, match='model ARN "tuned" '):
        Model.from_model_arn(scope, "D", service=service, model_arn="tuned")
    with pytest.raises(ValueError, match="is that of a version: give that of its model"):
        Model.from_model_arn(scope, "E", service=service, model_arn=f"{ARN}/model-version/1")


def test_grant_read_at_the_managed_service() -> None:
    def build(scope: cdk.Stack) -> None:
        user = iam.Role(scope, "User", assumed_by=iam.AccountRootPrincipal())
        service = EquipmentService.aws_managed(scope, "S")
        Model.from_model_name(scope, "M", service=service, model_name="m").grant_read(user)

    [policy] = [
        value
        for key, value in resources(synthesised(build), "AWS::IAM::Policy").items()
        if key.startswith("User")
    ]
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == [
        "lookoutequipment:DescribeModel",
        "lookoutequipment:DescribeModelVersion",
        "lookoutequipment:DescribeRetrainingScheduler",
        "lookoutequipment:ListModelVersions",
        "lookoutequipment:ListTagsForResource",
    ]


def test_factory_takes_the_props_of_the_construct() -> None:
    declared = set(inspect.signature(Model.__init__).parameters) - {"self", "scope", "id", "dataset"}

    assert set(ModelProps.__annotations__) == declared


def test_scheduler_of_an_imported_dataset_and_model() -> None:
    def build(scope: cdk.Stack) -> None:
        at = locations(scope)
        Model.from_model_name(scope, "M", service=imported_service(scope), model_name="tuned").add_scheduler(
            "S", data_upload_frequency="PT1H", data_input=at.inference_input, data_output=at.inference_output
        )

    assert properties(synthesised(build), "InferenceScheduler")["ModelName"] == "tuned"
