"""Trials remove what they made, whatever happens, and say so when they cannot."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from l4e_cli.doctor import trial
from l4e_cli.doctor.finding import Finding
from l4e_cli.errors import CliError

PLACE = trial.Place(
    bucket="data",
    job_role_arn="arn:aws-cn:iam::111122223333:role/jobs",
    access_role_path="/lookoutequipment/",
    region="cn-north-1",
)


def error(operation: str, code: str, message: str = "told so") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class FakeAws:
    """All clients in one: remembers what exists, fails operations that it is told to, or loses a reply."""

    failing: dict[str, Exception] = field(default_factory=dict)
    statuses: dict[str, list[str]] = field(default_factory=dict)
    existing: dict[str, Any] = field(default_factory=dict)
    trust: str = ""
    losing: str = ""

    def __getattr__(self, operation: str) -> Any:
        def call(**members: Any) -> Any:
            if operation in self.failing:
                raise self.failing[operation]
            reply = getattr(self, f"_{operation}", self._nothing)(**members)
            if operation == self.losing:
                raise ReadTimeoutError(endpoint_url="https://x")
            return reply

        return call

    def remove(self, what: str) -> None:
        if what not in self.existing:
            raise error(
                f"Delete{what}", "NoSuchEntity" if what in {"role", "policy"} else "ResourceNotFoundException"
            )
        del self.existing[what]

    def _nothing(self, **_: Any) -> dict[str, Any]:
        return {}

    def _put_object(self, **members: Any) -> None:
        self.existing["object"] = members["Key"]

    def _list_object_versions(self, **_: Any) -> Any:
        found = self.existing.get("object")
        return {"Versions": [{"Key": found, "VersionId": "1"}] if found else []}

    def _delete_object(self, **_: Any) -> None:
        self.remove("object")

    def _get_bucket_encryption(self, **_: Any) -> Any:
        return {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {}}]}}

    def _create_role(self, **members: Any) -> Any:
        self.trust = members["AssumeRolePolicyDocument"]
        self.existing["role"] = members["RoleName"]
        return {"Role": {"Arn": f"arn:aws-cn:iam::111122223333:role{members['Path']}{members['RoleName']}"}}

    def _put_role_policy(self, **members: Any) -> None:
        self.existing["policy"] = members["PolicyName"]

    def _delete_role_policy(self, **_: Any) -> None:
        self.remove("policy")

    def _delete_role(self, **_: Any) -> None:
        assert "policy" not in self.existing, "IAM refuses to delete a role that has one"
        self.remove("role")

    def _create_dataset(self, **members: Any) -> None:
        assert members["Tags"] == [trial.TAG]
        self.existing["dataset"] = members["DatasetName"]

    def _delete_dataset(self, **_: Any) -> None:
        assert "model" not in self.existing, "the service refuses to delete a dataset that has one"
        self.remove("dataset")

    def _create_model(self, **members: Any) -> None:
        assert members["Tags"] == [trial.TAG]
        self.existing["model"] = members["ModelName"]

    def _delete_model(self, **_: Any) -> None:
        self.remove("model")

    def _start_data_ingestion_job(self, **_: Any) -> Any:
        return {"JobId": "job"}

    def _described(self, operation: str) -> Any:
        left = self.statuses.get(operation, ["SUCCESS"])
        return {"Status": left.pop(0) if len(left) > 1 else left[0], "FailedReason": "too little data"}

    def _describe_data_ingestion_job(self, **_: Any) -> Any:
        return self._described("ingest")

    def _describe_model(self, **_: Any) -> Any:
        return self._described("train")


def tried(aws: FakeAws) -> Finding:
    clients = trial.Clients(s3=aws, iam=aws, equipment=aws, sleep=lambda _: None)
    return trial.try_training(clients, PLACE)


def test_a_training_that_succeeds_leaves_nothing() -> None:
    aws = FakeAws(statuses={"ingest": ["IN_PROGRESS", "SUCCESS"], "train": ["IN_PROGRESS", "SUCCESS"]})

    found = tried(aws)

    assert (found.status, found.text) == ("ok", "100 rows ingested from data, and a model trained")
    assert aws.existing == {}
    assert "arn:aws-cn:lookoutequipment:cn-north-1:111122223333:*/l4e-doctor-" in aws.trust


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("put_object", "PutObject"),
        ("create_role", "CreateRole"),
        ("put_role_policy", "PutRolePolicy"),
        ("get_bucket_encryption", "GetBucketEncryption"),
        ("create_dataset", "CreateDataset"),
        ("start_data_ingestion_job", "StartDataIngestionJob"),
        ("create_model", "CreateModel"),
        ("describe_model", "DescribeModel"),
    ],
)
def test_a_refused_call_leaves_nothing(operation: str, what: str) -> None:
    aws = FakeAws(failing={operation: error(what, "AccessDenied")})

    found = tried(aws)

    assert (found.status, found.text) == ("not checked", f"these credentials may not call {what}")
    assert aws.existing == {}


def test_what_was_refused_is_not_said_to_be_left() -> None:
    aws = FakeAws(failing={"create_dataset": error("CreateDataset", "AccessDeniedException")})
    aws.failing["delete_dataset"] = error("DeleteDataset", "AccessDeniedException")

    found = tried(aws)

    assert (found.status, found.text) == ("not checked", "these credentials may not call CreateDataset")
    assert aws.existing == {}


@pytest.mark.parametrize(("step", "what"), [("ingest", "ingestion"), ("train", "training")])
def test_a_failed_job_says_why_and_leaves_nothing(step: str, what: str) -> None:
    aws = FakeAws(statuses={step: ["IN_PROGRESS", "FAILED"]})

    found = tried(aws)

    assert (found.status, found.text) == ("problem", f"the {what} ended FAILED: too little data")
    assert aws.existing == {}


def test_a_job_that_does_not_end_is_given_up() -> None:
    found = tried(FakeAws(statuses={"ingest": ["IN_PROGRESS"]}))

    assert (found.status, found.text) == ("problem", "the ingestion has not ended after 15 minutes")


def test_a_refusal_of_the_service_is_a_problem() -> None:
    aws = FakeAws(failing={"create_dataset": error("CreateDataset", "ServiceQuotaExceededException")})

    found = tried(aws)

    assert found.status == "problem"
    assert "ServiceQuotaExceededException" in found.text
    assert aws.existing == {}


@pytest.mark.parametrize("operation", ["create_role", "create_dataset", "create_model", "put_object"])
def test_what_was_made_by_a_request_whose_reply_was_lost_is_removed(operation: str) -> None:
    aws = FakeAws(losing=operation)

    found = tried(aws)

    assert (found.status, "Read timeout" in found.text) == ("problem", True)
    assert aws.existing == {}


def test_what_could_not_be_removed_is_named() -> None:
    aws = FakeAws(failing={"delete_model": error("DeleteModel", "ConflictException")})
    aws.failing["delete_dataset"] = error("DeleteDataset", "ConflictException")

    found = tried(aws)

    assert found.status == "problem"
    assert "left behind: model l4e-doctor-" in found.text
    assert "; dataset l4e-doctor-" in found.text
    assert aws.existing.keys() == {"model", "dataset"}, "and the rest was removed"


def test_an_interrupt_leaves_nothing() -> None:
    aws = FakeAws(failing={"create_model": KeyboardInterrupt()})

    with pytest.raises(KeyboardInterrupt):
        tried(aws)

    assert aws.existing == {}


def test_an_interrupt_that_leaves_something_says_so() -> None:
    aws = FakeAws(failing={"describe_model": KeyboardInterrupt()})
    aws.failing["delete_model"] = error("DeleteModel", "ConflictException")
    aws.failing["delete_dataset"] = error("DeleteDataset", "ConflictException")

    with pytest.raises(CliError, match=r"interrupted; left behind: model l4e-doctor-.*; dataset l4e-doctor-"):
        tried(aws)

    assert aws.existing.keys() == {"model", "dataset"}
