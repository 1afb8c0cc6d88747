"""Parts of other services, accounts and Regions: what works together, and what is refused in words."""

import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from canonical import PUMP, app, locations, only, properties, resources, stack, statements, template

from constructs_l4e import (
    AlarmThresholds,
    AssetStorage,
    DataIngestion,
    Dataset,
    EquipmentService,
    Executions,
    IEquipmentService,
    InferenceScheduler,
    Model,
    MonitoredAsset,
    SchedulerAlarms,
    ServiceRole,
)
from constructs_l4e.interfaces import IModel

ACCOUNT, REGION = "111122223333", "eu-west-1"


def imported(
    scope: cdk.Stack, *, region: str = REGION, name: str = "one", **changes: str
) -> IEquipmentService:
    attributes = {
        "api_id": "abcde12345",
        "api_stage": "v1",
        "data_access_role_arn": f"arn:aws:iam::{ACCOUNT}:role/jobs",
        "provider_service_token": f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}",
        "provider_role_arn": f"arn:aws:iam::{ACCOUNT}:role/provider",
    }
    return EquipmentService.from_equipment_service_attributes(
        scope, f"Service-{name}", **{**attributes, **changes}
    )


def owned(scope: cdk.Stack) -> EquipmentService:
    return EquipmentService(
        scope,
        "Service",
        numeric_layer=lambda_.LayerVersion.from_layer_version_arn(
            scope, "Layer", f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:numbers:1"
        ),
    )


def test_an_imported_service_is_where_its_arn_says() -> None:
    scope = cdk.Stack(app(), "Watch", env=cdk.Environment(account=ACCOUNT, region="us-east-1"))
    service = imported(scope)
    dataset = Dataset.from_dataset_name(scope, "Dataset", service=service, dataset_name="pump")
    model = Model.from_model_name(scope, "Model", service=service, model_name="pump")
    user = iam.Role(scope, "User", assumed_by=iam.AccountRootPrincipal())
    service.grant_read(user)
    ((grant,),) = ([each for each in statements(template(scope)) if "execute-api" in str(each)],)

    for each in (service, dataset, model):
        assert (each.env.account, each.env.region) == (ACCOUNT, REGION)
    assert str(scope.resolve(service.endpoint_url)).count(f"abcde12345.execute-api.{REGION}.") == 1
    assert f":execute-api:{REGION}:{ACCOUNT}:abcde12345/v1/POST/read" in str(grant["Resource"])
    assert f":lookoutequipment:{REGION}:{ACCOUNT}:model/pump/*" in str(scope.resolve(model.model_arn))


def test_metrics_of_an_imported_scheduler_are_where_it_is() -> None:
    scope = cdk.Stack(app(), "Watch", env=cdk.Environment(account="444455556666", region=REGION))
    scheduler = InferenceScheduler.from_inference_scheduler_attributes(
        scope,
        "Scheduler",
        service=imported(scope),
        inference_scheduler_name="pump",
        model_name="pump",
        data_upload_frequency="PT5M",
    )
    SchedulerAlarms(
        scope, "Alarms", scheduler=scheduler, thresholds=AlarmThresholds(no_success=Executions(count=1))
    )
    found = resources(template(scope), "AWS::CloudWatch::Alarm")

    assert len(found) == 2
    for alarm in found.values():
        assert [each["AccountId"] for each in alarm["Properties"]["Metrics"]] == [ACCOUNT]


def test_options_of_metrics() -> None:
    scope = stack()
    scheduler = InferenceScheduler.from_inference_scheduler_attributes(
        scope,
        "Scheduler",
        service=imported(scope),
        inference_scheduler_name="pump",
        model_name="pump",
        data_upload_frequency="PT5M",
    )
    metric = scheduler.metric_anomaly_detected(
        account="444455556666", region="us-east-1", id="a", visible=False
    )

    assert (metric.account, metric.region, metric.id, metric.visible) == (
        "444455556666",
        "us-east-1",
        "a",
        False,
    )
    assert (scheduler.metric_anomaly_detected().account, scheduler.metric_anomaly_detected().region) == (
        None,
        None,
    )


def users(scope: cdk.Stack, service: IEquipmentService) -> dict[str, Any]:
    """What a user of the library writes, each of which needs the service in its own environment."""
    places = locations(scope)
    dataset = Dataset.from_dataset_name(scope, "D", service=service, dataset_name="pump")
    model = Model.from_model_name(scope, "M", service=service, model_name="pump")
    return {
        "MyData": lambda: Dataset(scope, "MyData", service=service),
        "MyIngestion": lambda: DataIngestion(
            scope,
            "MyIngestion",
            dataset=dataset,
            source=places.history,
            key_pattern="{prefix}/{component_name}/*",
        ),
        "MyModel": lambda: Model(scope, "MyModel", dataset=dataset),
        "MyScheduler": lambda: InferenceScheduler(
            scope,
            "MyScheduler",
            model=model,
            data_upload_frequency="PT5M",
            data_input=places.inference_input,
            data_output=places.inference_output,
        ),
        "MyAsset": lambda: MonitoredAsset(scope, "MyAsset", service=service, locations=places, schema=PUMP),
    }


@pytest.mark.parametrize("name", ["MyData", "MyIngestion", "MyModel", "MyScheduler", "MyAsset"])
@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"account": ACCOUNT, "region": "us-east-1"}, 'in Region "us-east-1".* in Region "eu-west-1"'),
        (
            {"account": "444455556666", "region": REGION},
            'in account "444455556666".* in account "111122223333"',
        ),
    ],
)
def test_an_imported_service_of_another_environment(name: str, env: dict[str, str], words: str) -> None:
    scope = cdk.Stack(app(), "Plant", env=cdk.Environment(**env), cross_region_references=True)
    build = users(scope, imported(scope))[name]

    with pytest.raises(ValueError, match=f'^"Plant/{name}[^"]*" is {words}'):
        build()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        (
            {"account": ACCOUNT, "region": "us-east-1"},
            'is in Region "us-east-1", and its service "Platform/Service"',
        ),
        ({}, 'is in account that is not known .*"Platform/Service" in account "111122223333"'),
    ],
)
def test_a_service_of_the_same_app_in_another_environment(env: dict[str, str], words: str) -> None:
    of = app()
    platform = cdk.Stack(of, "Platform", env=cdk.Environment(account=ACCOUNT, region=REGION))
    scope = cdk.Stack(of, "Plant", env=cdk.Environment(**env), cross_region_references=True)

    with pytest.raises(ValueError, match=f'^"Plant/Pump/Dataset" {words}'):
        MonitoredAsset(scope, "Pump", service=owned(platform), locations=locations(scope), schema=PUMP)


def test_environments_that_are_not_known_are_not_refused() -> None:
    scope = cdk.Stack(app(), "Plant")
    MonitoredAsset(scope, "Pump", service=imported(scope), locations=locations(scope), schema=PUMP)

    assert only(template(scope), "Custom::LookoutEquipmentModel")


@pytest.mark.parametrize(
    ("region", "account", "words"),
    [
        ("us-east-1", ACCOUNT, 'has Region "us-east-1".*is in "eu-west-1"'),
        (REGION, "444455556666", 'has account "444455556666".*is in "111122223333"'),
    ],
)
def test_an_arn_of_another_environment_than_its_service(region: str, account: str, words: str) -> None:
    scope = stack()
    service = imported(scope)
    prefix, suffix = (
        f"arn:aws:lookoutequipment:{region}:{account}",
        "pump/12345678-1234-1234-1234-123456789012",
    )

    with pytest.raises(ValueError, match=f'^dataset ARN "{prefix}.*{words}'):
        Dataset.from_dataset_arn(scope, "D", service=service, dataset_arn=f"{prefix}:dataset/{suffix}")
    with pytest.raises(ValueError, match=f'^model ARN "{prefix}.*{words}'):
        Model.from_model_arn(scope, "M", service=service, model_arn=f"{prefix}:model/{suffix}")


def test_a_bucket_of_another_region() -> None:
    of = app()
    data = cdk.Stack(of, "Data", env=cdk.Environment(account=ACCOUNT, region="us-east-1"))
    scope = cdk.Stack(of, "Plant", env=cdk.Environment(account=ACCOUNT, region=REGION))
    storage = AssetStorage(data, "Storage")

    with pytest.raises(
        ValueError, match='bucket "Data/Storage/Bucket" is in Region "us-east-1", and "Plant/Role'
    ):
        ServiceRole(scope, "Role", service=imported(scope), reads=[storage.for_asset("Pump").history])


def test_a_bucket_of_another_account_is_accepted() -> None:
    scope = cdk.Stack(app(), "Plant", env=cdk.Environment(account=ACCOUNT, region=REGION))
    bucket = s3.Bucket.from_bucket_attributes(
        scope, "Bucket", bucket_name="theirs", account="444455556666", region=REGION
    )
    places = AssetStorage.from_bucket(scope, "Storage", bucket).for_asset("Pump")
    MonitoredAsset(scope, "Pump", service=imported(scope), locations=places, schema=PUMP)

    assert "theirs/Pump/history/*" in str(only(template(scope), "AWS::IAM::Role"))


def key(scope: cdk.Stack, *, region: str = REGION, account: str = ACCOUNT) -> kms.IKey:
    arn = f"arn:aws:kms:{region}:{account}:key/12345678-1234-1234-1234-123456789012"
    return kms.Key.from_key_arn(scope, "Key", arn)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"region": "us-east-1"}, 'is in Region "us-east-1", .*"Plant/Pump/Dataset", .* in "eu-west-1"'),
        ({"account": "444455556666"}, 'is in account "444455556666", .* in "111122223333": use a key'),
    ],
)
def test_a_key_of_another_environment(place: dict[str, str], words: str) -> None:
    scope = cdk.Stack(app(), "Plant", env=cdk.Environment(account=ACCOUNT, region=REGION))
    with pytest.raises(ValueError, match=f'^key "Plant/Key" {words}'):
        MonitoredAsset(
            scope,
            "Pump",
            service=imported(scope),
            locations=locations(scope),
            schema=PUMP,
            encryption_key=key(scope, **place),
        )


def test_a_key_of_results_is_of_their_region_and_perhaps_of_another_account() -> None:
    scope = cdk.Stack(app(), "Plant", env=cdk.Environment(account=ACCOUNT, region=REGION))
    at, model = locations(scope), model_of(scope, imported(scope))

    def results(id_: str, found: kms.IKey) -> InferenceScheduler:
        return InferenceScheduler(
            scope,
            id_,
            model=model,
            data_upload_frequency="PT5M",
            data_input=at.inference_input,
            data_output=at.inference_output,
            output_encryption_key=found,
        )

    results("Theirs", key(scope, account="444455556666"))
    elsewhere = kms.Key.from_key_arn(scope, "Far", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/far")
    with pytest.raises(ValueError, match=r'^key "Plant/Far" is in Region "us-east-1", .* in "eu-west-1"'):
        results("Scheduler", elsewhere)


def test_aws_s_own_service_may_use_keys_of_another_account() -> None:
    scope = cdk.Stack(app(), "Plant", env=cdk.Environment(account=ACCOUNT, region=REGION))
    service = EquipmentService.aws_managed(scope, "Aws")
    theirs = key(scope, account="444455556666")
    Dataset(scope, "Dataset", service=service, schema=PUMP, encryption_key=theirs)

    assert properties(template(scope), "Dataset")["ServerSideKmsKeyId"] == theirs.key_arn


def model_of(scope: cdk.Stack, service: IEquipmentService) -> IModel:
    return Model.from_model_name(scope, "Model", service=service, model_name="tuned")


@pytest.mark.parametrize("other", ["imported", "owned", "managed"])
def test_parts_of_another_service_are_refused(other: str) -> None:
    scope = stack()
    elsewhere = cdk.Stack(scope.node.root, "Other", env=cdk.Environment(region=REGION))
    one, two = {
        "imported": lambda: (imported(scope), imported(scope, name="two")),
        "owned": lambda: (owned(scope), owned(elsewhere)),
        "managed": lambda: (imported(scope), EquipmentService.aws_managed(scope, "Aws")),
    }[other]()
    places = locations(scope)
    dataset = Dataset.from_dataset_name(scope, "Dataset", service=one, dataset_name="pump")
    role = ServiceRole(scope, "Role", service=one, reads=[places.history])
    words = re.escape(f'is of service "{one.node.path}", not of "{two.node.path}": pass that service')

    with pytest.raises(ValueError, match=f'^model "tuned" {words}'):
        MonitoredAsset(scope, "A", service=two, locations=places, model=model_of(scope, one))
    with pytest.raises(ValueError, match=f'^dataset "pump" {words}'):
        MonitoredAsset(scope, "B", service=two, locations=places, dataset=dataset)
    with pytest.raises(ValueError, match=f'^role "[^"]*/Role" {words}'):
        MonitoredAsset(scope, "C", service=two, locations=places, schema=PUMP, role=role)


def test_the_same_service_imported_twice_is_one() -> None:
    scope = stack()
    other = cdk.Stack(scope.node.root, "Other", env=cdk.Environment(region=REGION))
    model = model_of(scope, imported(scope))
    MonitoredAsset(other, "Pump", service=imported(other), locations=locations(other), model=model)

    assert only(template(other), "Custom::LookoutEquipmentInferenceScheduler")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"api_id": "https://abcde12345.execute-api"},
            'api_id "https://abcde12345.execute-api" is not a part',
        ),
        ({"api_stage": "v1/read"}, 'api_stage "v1/read" is not a part'),
        (
            {"provider_service_token": "provider"},
            'provider_service_token "provider" is not the ARN of a function',
        ),
        ({"provider_role_arn": "provider"}, 'provider_role_arn "provider" is not the ARN of a role'),
        (
            {"data_access_role_arn": "arn:aws:iam::444455556666:role/jobs"},
            'provider_service_token of account "111122223333", .*role_arn of account "444455556666"',
        ),
    ],
)
def test_attributes_that_cannot_be_a_service(changes: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        imported(stack(), **changes)


def test_an_imported_service_may_be_known_in_the_deployment_only() -> None:
    scope = stack()
    names = ("api_id", "api_stage", "data_access_role_arn", "provider_service_token", "provider_role_arn")
    service = imported(scope, **{name: cdk.CfnParameter(scope, name).value_as_string for name in names})
    MonitoredAsset(scope, "Pump", service=service, locations=locations(scope), schema=PUMP)

    assert only(template(scope), "Custom::LookoutEquipmentModel")["Properties"]["ServiceToken"] == {
        "Ref": "providerservicetoken"
    }
    assert service.env.region == REGION


def test_one_parameter_connects_an_app() -> None:
    platform = cdk.Stack(app(), "Platform", env=cdk.Environment(region=REGION))
    made = owned(platform)
    made.add_parameter("Handle", parameter_name="/plant/lookoutequipment")
    parameter = only(template(platform), "AWS::SSM::Parameter")["Properties"]
    scope = cdk.Stack(app(), "Plant", env=cdk.Environment(region=REGION))
    service = EquipmentService.from_parameter(scope, "Service", parameter_name="/plant/lookoutequipment")
    MonitoredAsset(scope, "Pump", service=service, locations=locations(scope), schema=PUMP)
    content = template(scope)

    assert (parameter["Name"], parameter["Type"]) == ("/plant/lookoutequipment", "StringList")
    published = [
        made.api_id,
        made.api_stage,
        made.job_role.role_arn,
        made.provider_service_token,
        made.provider_role.role_arn,
        made.metric_namespace,
    ]
    assert parameter["Value"] == {"Fn::Join": [",", platform.resolve(published)]}
    (name, read), *others = [
        item
        for item in content["Parameters"].items()
        if "AWS::SSM" in item[1]["Type"] and "plant" in str(item)
    ]
    assert others == []
    assert read == {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/plant/lookoutequipment"}
    for index, value in enumerate(
        (
            service.api_id,
            service.api_stage,
            only(content, "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"][0][
                "Principal"
            ]["AWS"],
            only(content, "Custom::LookoutEquipmentModel")["Properties"]["ServiceToken"],
            service.provider_role.role_arn,
            service.metric_namespace,
        )
    ):
        assert scope.resolve(value) == {"Fn::Select": [index, {"Ref": name}]}


def test_a_service_is_found_by_the_name_of_its_stack() -> None:
    platform = cdk.Stack(app(), "Platform", env=cdk.Environment(region=REGION))
    owned(platform).add_parameter("Handle")
    published = only(template(platform), "AWS::SSM::Parameter")["Properties"]["Name"]
    scope = cdk.Stack(app(), "Plant", env=cdk.Environment(region=REGION))
    service = EquipmentService.from_stack_name(scope, "Service", stack_name="Platform")
    ((name, read),) = [item for item in template(scope)["Parameters"].items() if "List" in item[1]["Type"]]

    assert published == read["Default"] == "/lookoutequipment/Platform"
    assert scope.resolve(service.api_id) == {"Fn::Select": [0, {"Ref": name}]}


@pytest.mark.parametrize("name", ["1st", "my_service", "", "arn:aws:cloudformation:::stack/x"])
def test_a_name_that_no_stack_can_have(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f'stack_name "{name}"')):
        EquipmentService.from_stack_name(stack(), "Service", stack_name=name)


def test_a_nested_stack_has_no_name_to_be_found_by() -> None:
    nested = cdk.NestedStack(stack(), "Nested")
    with pytest.raises(ValueError, match="pass a parameter_name"):
        owned(nested).add_parameter("Handle")


@pytest.mark.parametrize("name", ["plant", "/plant/", "/plant lookout", "${Token[TOKEN.1]}"])
def test_a_name_that_no_parameter_can_have(name: str) -> None:
    with pytest.raises(ValueError, match="parameter_name"):
        EquipmentService.from_parameter(stack(), "Service", parameter_name=name)
