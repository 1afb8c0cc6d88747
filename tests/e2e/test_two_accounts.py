"""What one account shares and another imports: under IAM, by resource policies, and in a CDK app."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from botocore.exceptions import ClientError

from constructs_l4e import EquipmentService, ImportedDataset, ImportSource, ServiceSettings
from l4e_cli.instance import start_instance, stop_instance
from tests.e2e.accounts import REGION, Account, let_through, open_door, synthesised
from tests.e2e.cloud import history, policy
from tests.waiting import awaited

OWNER, FRIEND, STRANGER = "111111111111", "222222222222", "333333333333"
IMPORTER, COLLEAGUE = (f"arn:aws:iam::{FRIEND}:role/{name}" for name in ("Importer", "Colleague"))
DATASET, MODEL = "lookoutequipment:ImportDataset", "lookoutequipment:ImportModelVersion"
REFUSED = "is not authorized to perform lookoutequipment:Import"


def app_of_two_accounts(app: cdk.App) -> None:
    """The service of the owner, that of the friend, and copies of what the owner shares."""
    owner = cdk.Stack(app, "Owner", env=cdk.Environment(account=OWNER, region=REGION))
    shares = EquipmentService(
        owner,
        "Service",
        importable_by=[FRIEND],
        settings=ServiceSettings(minimum_training_span=cdk.Duration.days(0)),
    )
    friend = cdk.Stack(app, "Friend", env=cdk.Environment(account=FRIEND, region=REGION))
    door = cdk.CfnParameter(friend, "Door").value_as_string
    imports = EquipmentService(
        friend,
        "Service",
        import_sources=[ImportSource(account=OWNER, region=REGION, api_id=door)],
    )
    for stack, service in ((owner, shares), (friend, imports)):
        cdk.CfnOutput(stack, "Api", value=str(service.api_id))
    cdk.CfnOutput(owner, "Jobs", value=shares.job_role.role_arn)
    copies = cdk.Stack(app, "Copies", env=cdk.Environment(account=FRIEND, region=REGION))
    dataset = ImportedDataset(
        copies,
        "Dataset",
        service=imports,
        source_dataset_arn=cdk.CfnParameter(copies, "Data").value_as_string,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    model = dataset.add_imported_model(
        "Model",
        source_model_version_arn=cdk.CfnParameter(copies, "Version").value_as_string,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    cdk.CfnOutput(copies, "Name", value=model.model_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """An owner with a trained model, and a friend."""

    owner: Account
    friend: Account
    api_of_owner: Any
    api_of_friend: str
    assembly: Path
    dataset: str
    version: str

    @property
    def model(self) -> str:
        """ARN of the model."""
        return self.version.partition("/model-version/")[0]

    def by(self, role: str) -> Any:
        """Return the API of the friend as a role of that account uses it."""
        return self.friend.acting_as(role).equipment(self.api_of_friend)

    def share(self, arn: str, *statements: Mapping[str, Any]) -> None:
        """Have these statements as the only policy of a resource."""
        with suppress(self.api_of_owner.exceptions.ResourceNotFoundException):
            self.api_of_owner.delete_resource_policy(ResourceArn=arn)
        if statements:
            text = json.dumps({"Version": "2012-10-17", "Statement": statements})
            self.api_of_owner.put_resource_policy(ResourceArn=arn, ResourcePolicy=text)


def is_done(found: Mapping[str, Any]) -> bool:
    """Whether a job or a model is not being worked on any more."""
    return not found["Status"].endswith("IN_PROGRESS")


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    directory = tmp_path_factory.mktemp("accounts") / "state"
    instance = start_instance(directory, region=REGION)
    try:
        owner, friend = Account.root(instance, OWNER), Account.root(instance, FRIEND)
        assembly = synthesised(tmp_path_factory.mktemp("app"), app_of_two_accounts)
        of_owner = owner.deploy(assembly, "Owner")
        functions = owner.resources("Owner", "AWS::Lambda::Function")
        [answers] = [name for name in functions if "ServiceApiFunction" in name]
        door = open_door(owner, friend, owner_function=answers)
        of_friend = friend.deploy(assembly, "Friend", Door=door)
        let_through(friend, "Friend", door, owner=OWNER)
        for name in ("Importer", "Colleague"):
            friend.role(name)
        api = owner.equipment(of_owner["Api"])
        dataset, version = learned(owner, api, jobs=of_owner["Jobs"])
        yield Neighbours(
            owner=owner,
            friend=friend,
            api_of_owner=api,
            api_of_friend=of_friend["Api"],
            assembly=assembly,
            dataset=dataset,
            version=version,
        )
    finally:
        stop_instance(directory)


def learned(owner: Account, api: Any, *, jobs: str) -> tuple[str, str]:
    """Ingest and train, and return the ARNs of the dataset and of the version of its model."""
    s3, iam = owner.client("s3"), owner.client("iam")
    s3.create_bucket(Bucket="pumps", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="pumps", Key="history/pump/history.csv", Body=history().to_csv())
    role = iam.create_role(
        RoleName="data",
        Path="/lookoutequipment/",
        AssumeRolePolicyDocument=policy(Principal={"AWS": jobs}, Action="sts:AssumeRole"),
    )["Role"]["Arn"]
    owner.allow("data", Action=["s3:GetObject", "s3:ListBucket"], Resource="*")
    dataset = api.create_dataset(DatasetName="pump")["DatasetArn"]
    source = {"Bucket": "pumps", "Prefix": "history/", "KeyPattern": "{prefix}/{component_name}/*"}
    job = api.start_data_ingestion_job(
        DatasetName="pump", RoleArn=role, IngestionInputConfiguration={"S3InputConfiguration": source}
    )["JobId"]
    assert awaited(lambda: api.describe_data_ingestion_job(JobId=job), is_done)["Status"] == "SUCCESS"
    api.create_model(
        ModelName="wear",
        DatasetName="pump",
        TrainingDataStartTime="2026-01-01T00:00:00Z",
        TrainingDataEndTime="2026-01-03T00:00:00Z",
        EvaluationDataStartTime="2026-01-03T00:00:00Z",
        EvaluationDataEndTime="2026-01-04T00:00:00Z",
    )
    trained = awaited(lambda: api.describe_model(ModelName="wear"), is_done)
    assert trained["Status"] == "SUCCESS", trained
    return dataset, trained["ActiveModelVersionArn"]


def says(effect: str, principal: str, action: str, **condition: Mapping[str, str]) -> dict[str, Any]:
    statement = {"Effect": effect, "Principal": {"AWS": principal}, "Action": action}
    return {**statement, "Condition": condition} if condition else statement


ROWS = {
    "no policy": ([], "Importer", False),
    "the account": ([says("Allow", FRIEND, DATASET)], "Importer", True),
    "the role": ([says("Allow", IMPORTER, DATASET)], "Importer", True),
    "another role": ([says("Allow", IMPORTER, DATASET)], "Colleague", False),
    "another account": ([says("Allow", STRANGER, DATASET)], "Importer", False),
    "everybody of the account": (
        [says("Allow", "*", DATASET, StringEquals={"aws:PrincipalAccount": FRIEND})],
        "Colleague",
        True,
    ),
    "everybody of another account": (
        [says("Allow", "*", DATASET, StringEquals={"aws:PrincipalAccount": STRANGER})],
        "Importer",
        False,
    ),
    "a Deny goes before an Allow": (
        [says("Allow", FRIEND, DATASET), says("Deny", COLLEAGUE, DATASET)],
        "Colleague",
        False,
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_policy_of_a_dataset_decides(neighbours: Neighbours, row: str) -> None:
    statements, role, allowed = ROWS[row]
    neighbours.share(neighbours.dataset, *statements)
    api, name = neighbours.by(role), row.replace(" ", "-")

    if not allowed:
        with pytest.raises(
            ClientError, match=f"AccessDeniedException.*'{role}' of account {FRIEND} {REFUSED}"
        ):
            api.import_dataset(SourceDatasetArn=neighbours.dataset, DatasetName=name)
        assert api.list_datasets(DatasetNameBeginsWith=name)["DatasetSummaries"] == []
        return
    job = api.import_dataset(SourceDatasetArn=neighbours.dataset, DatasetName=name)["JobId"]
    done = awaited(lambda: api.describe_data_ingestion_job(JobId=job), is_done)
    assert done["Status"] == "SUCCESS", done
    copy = api.describe_dataset(DatasetName=name)
    original = neighbours.api_of_owner.describe_dataset(DatasetName="pump")
    assert (copy["Status"], copy["SourceDatasetArn"]) == ("ACTIVE", neighbours.dataset)
    assert copy["DatasetArn"].split(":")[4] == FRIEND
    for member in ("Schema", "DataStartTime", "DataEndTime", "DataQualitySummary"):
        assert copy[member] == original[member]


def test_what_is_refused_and_what_is_not_there_look_the_same(neighbours: Neighbours) -> None:
    neighbours.share(neighbours.dataset)
    nowhere = neighbours.dataset.replace("dataset/pump/", "dataset/none/")
    refusals = []
    for arn in (neighbours.dataset, nowhere):
        with pytest.raises(ClientError) as refused:
            neighbours.by("Importer").import_dataset(SourceDatasetArn=arn, DatasetName="copy")
        refusals.append(str(refused.value).replace(arn, "it"))
    assert refusals[0] == refusals[1]


def test_policies_of_version_and_model_decide_together(neighbours: Neighbours) -> None:
    """The stricter counts; inference data may be kept from who may have the model."""
    neighbours.share(neighbours.dataset, says("Allow", FRIEND, DATASET))
    without_data = says("Allow", FRIEND, MODEL, Bool={"lookoutequipment:IsImportingData": "false"})
    api = neighbours.by("Importer")
    job = api.import_dataset(SourceDatasetArn=neighbours.dataset, DatasetName="for-wear")["JobId"]
    awaited(lambda: api.describe_data_ingestion_job(JobId=job), is_done)

    def ask(name: str, **more: str) -> Any:
        return api.import_model_version(
            SourceModelVersionArn=neighbours.version, DatasetName="for-wear", ModelName=name, **more
        )

    for of_model, of_version in (((), ()), ((without_data,), (says("Allow", STRANGER, MODEL),))):
        neighbours.share(neighbours.model, *of_model)
        neighbours.share(neighbours.version, *of_version)
        with pytest.raises(ClientError, match=REFUSED):
            ask("refused")
    neighbours.share(neighbours.version)
    with pytest.raises(ClientError, match=REFUSED):
        ask("refused", InferenceDataImportStrategy="OVERWRITE")
    ask("wear-copy")
    done = awaited(lambda: api.describe_model(ModelName="wear-copy"), is_done)
    assert (done["Status"], done["SourceModelVersionArn"]) == ("SUCCESS", neighbours.version)
    original = neighbours.api_of_owner.describe_model(ModelName="wear")
    assert done["ModelMetrics"] == original["ModelMetrics"]


def test_only_accounts_that_the_owner_names_reach_its_api(neighbours: Neighbours) -> None:
    """A role without the right to invoke is refused before any policy is looked at."""
    neighbours.friend.role("Nobody")
    neighbours.friend.allow("Nobody", Action="s3:ListBucket", Resource="*")
    with pytest.raises(ClientError, match="is not authorized to perform: execute-api:Invoke"):
        neighbours.by("Nobody").import_dataset(SourceDatasetArn=neighbours.dataset, DatasetName="copy")


def test_an_app_deploys_copies_that_follow_their_source(neighbours: Neighbours) -> None:
    neighbours.share(neighbours.dataset, says("Allow", FRIEND, DATASET))
    neighbours.share(neighbours.model, says("Allow", FRIEND, MODEL))
    friend, owner = neighbours.friend, neighbours.api_of_owner
    api = friend.equipment(neighbours.api_of_friend)
    given = {"Data": neighbours.dataset, "Version": neighbours.version}
    name = friend.deploy(neighbours.assembly, "Copies", **given)["Name"]
    first = api.describe_model(ModelName=name)
    assert (first["Status"], first["ActiveModelVersion"]) == ("SUCCESS", 1)
    assert first["SourceModelVersionArn"] == neighbours.version

    owner.import_model_version(SourceModelVersionArn=neighbours.version, ModelName="wear", DatasetName="pump")
    newer = f"{neighbours.model}/model-version/2"
    found = awaited(lambda: owner.describe_model_version(ModelName="wear", ModelVersion=2), is_done)
    assert found["Status"] == "SUCCESS"
    friend.deploy(neighbours.assembly, "Copies", **{**given, "Version": newer})
    second = api.describe_model(ModelName=name)
    assert second["ModelArn"] == first["ModelArn"], "replaced"
    assert (second["ActiveModelVersion"], second["SourceModelVersionArn"]) == (2, newer)

    friend.deploy(neighbours.assembly, "Copies", **given)
    assert api.describe_model(ModelName=name)["ActiveModelVersion"] == 1
    assert len(api.list_model_versions(ModelName=name)["ModelVersionSummaries"]) == 2, "copied again"
    friend.delete("Copies")
    assert api.list_models(ModelNameBeginsWith=name)["ModelSummaries"] == []
