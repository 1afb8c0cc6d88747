"""Resource policies are attached, replaced, shown and removed."""

import json
from typing import Any

import pytest

from service.storage.names import policies_of
from tests.service.api.conftest import Service

FRIEND = "222222222222"


def policy(action: str = "ImportDataset", **changes: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": FRIEND}, "Action": f"lookoutequipment:{action}"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | changes]})


def put(service: Service, arn: str, text: str | None = None, **more: Any) -> str:
    answer = service.api.put_resource_policy(ResourceArn=arn, ResourcePolicy=text or policy(), **more)
    assert answer["ResourceArn"] == arn
    return str(answer["PolicyRevisionId"])


def described(service: Service, arn: str) -> dict[str, Any]:
    answer = service.api.describe_resource_policy(ResourceArn=arn)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def none_attached(service: Service, arn: str) -> None:
    with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="has no resource policy"):
        described(service, arn)


def test_a_policy_goes_through_its_life(service: Service, dataset_arn: str) -> None:
    none_attached(service, dataset_arn)
    first = put(service, dataset_arn)
    shown = described(service, dataset_arn)
    assert shown["PolicyRevisionId"] == first
    assert shown["ResourcePolicy"] == policy()
    assert shown["CreationTime"] == shown["LastModifiedTime"]

    second = put(service, dataset_arn, policy(Effect="Deny"))
    replaced = described(service, dataset_arn)
    assert replaced["PolicyRevisionId"] == second != first
    assert replaced["ResourcePolicy"] == policy(Effect="Deny")
    assert replaced["CreationTime"] == shown["CreationTime"] < replaced["LastModifiedTime"]

    service.api.delete_resource_policy(ResourceArn=dataset_arn)
    none_attached(service, dataset_arn)
    with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="has no resource policy"):
        service.api.delete_resource_policy(ResourceArn=dataset_arn)


def test_a_model_and_its_versions_have_policies_of_their_own(service: Service) -> None:
    service.trained_model()
    model = service.api.describe_model(ModelName="wear")["ModelArn"]
    version = f"{model}/model-version/1"
    put(service, model, policy("ImportModelVersion"))
    none_attached(service, version)
    put(service, version, policy("ImportModelVersion", Effect="Deny"))
    service.api.delete_resource_policy(ResourceArn=model)
    none_attached(service, model)
    assert "Deny" in described(service, version)["ResourcePolicy"]


def test_a_revision_makes_a_replacement_conditional(service: Service, dataset_arn: str) -> None:
    conflict = service.api.exceptions.ConflictException
    with pytest.raises(conflict, match=r"'abc' is not the revision .* it has no policy"):
        put(service, dataset_arn, PolicyRevisionId="abc")
    first = put(service, dataset_arn)
    second = put(service, dataset_arn, PolicyRevisionId=first.upper())
    with pytest.raises(conflict, match=f"it is at revision '{second}'"):
        put(service, dataset_arn, PolicyRevisionId=first)
    assert described(service, dataset_arn)["PolicyRevisionId"] == second


def test_a_repeated_request_changes_nothing(service: Service, dataset_arn: str) -> None:
    first = put(service, dataset_arn, ClientToken="one")
    assert put(service, dataset_arn, ClientToken="one") == first
    with pytest.raises(service.api.exceptions.ValidationException, match="with other parameters"):
        put(service, dataset_arn, policy(Effect="Deny"), ClientToken="one")

    second = put(service, dataset_arn, policy(Effect="Deny"), ClientToken="two")
    assert put(service, dataset_arn, ClientToken="one") == second, "a late repetition replaces nothing"
    service.api.delete_resource_policy(ResourceArn=dataset_arn)
    put(service, dataset_arn, ClientToken="one")
    assert described(service, dataset_arn)["ResourcePolicy"] == policy()


def test_a_policy_goes_with_its_resource(service: Service, dataset_arn: str) -> None:
    put(service, dataset_arn)
    service.api.delete_dataset(DatasetName="pump")
    service.trained_model()
    model = service.api.describe_model(ModelName="wear")["ModelArn"]
    put(service, model, policy("ImportModelVersion"))
    put(service, f"{model}/model-version/1", policy("ImportModelVersion"))
    service.api.delete_model(ModelName="wear")

    for arn in (dataset_arn, model):
        with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="does not exist"):
            described(service, arn)
        partition = policies_of(arn.rpartition("/")[2])
        assert list(service.context.store.all(partition)) == []


def test_only_what_can_be_imported_has_a_policy(service: Service) -> None:
    service.trained_model()
    scheduler = service.create_scheduler()["InferenceSchedulerArn"]
    group = service.api.create_label_group(LabelGroupName="faults")["LabelGroupArn"]
    for arn in (scheduler, group):
        for call, request in (
            (service.api.put_resource_policy, {"ResourcePolicy": policy("ImportModelVersion")}),
            (service.api.describe_resource_policy, {}),
            (service.api.delete_resource_policy, {}),
        ):
            with pytest.raises(service.api.exceptions.ValidationException, match="cannot be imported"):
                call(ResourceArn=arn, **request)


@pytest.mark.parametrize("arn", ["dataset/pump/other", "model/wear/x", "model/wear/x/model-version/1"])
def test_a_resource_that_is_not_there_has_no_policy(service: Service, dataset_arn: str, arn: str) -> None:
    other = f"{dataset_arn.partition(':dataset/')[0]}:{arn}"
    text = policy("ImportDataset" if arn.startswith("dataset") else "ImportModelVersion")
    with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="does not exist"):
        put(service, other, text)


def test_what_cannot_be_judged_is_not_put(service: Service, dataset_arn: str) -> None:
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    with pytest.raises(service.api.exceptions.ValidationException, match="'aws:SourceIp': this service"):
        put(service, dataset_arn, policy(Condition=condition))
    none_attached(service, dataset_arn)
    with pytest.raises(service.api.exceptions.ValidationException, match="less than or equal to 20000"):
        put(service, dataset_arn, policy(Sid="x" * 20_000))


def test_a_replacement_that_met_another_is_judged_again(
    service: Service, dataset_arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put(service, dataset_arn)
    store = type(service.context.store)
    original = store.transact

    def faster(self: Any, *writes: Any) -> None:
        monkeypatch.setattr(store, "transact", original)
        put(service, dataset_arn, policy(Effect="Deny"))
        original(self, *writes)

    monkeypatch.setattr(store, "transact", faster)
    with pytest.raises(service.api.exceptions.ConflictException, match="is not the revision"):
        put(service, dataset_arn, policy(Sid="late"), PolicyRevisionId=first)
    assert "Deny" in described(service, dataset_arn)["ResourcePolicy"]

    monkeypatch.setattr(store, "transact", faster)
    last = put(service, dataset_arn, policy(Sid="last"))
    assert described(service, dataset_arn)["PolicyRevisionId"] == last
    assert "last" in described(service, dataset_arn)["ResourcePolicy"]
