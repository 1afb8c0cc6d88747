"""AssetStorage and S3Location."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from canonical import findings, listed, resources, stack, synthesised, template

from constructs_l4e import AssetStorage, IAssetStorage, S3Location

BUCKET = "AWS::S3::Bucket"


@pytest.fixture(scope="module")
def default() -> dict[str, Any]:
    return synthesised(lambda scope: AssetStorage(scope, "Storage"))


def data_bucket(content: dict[str, Any]) -> dict[str, Any]:
    [found] = [
        value
        for value in resources(content, BUCKET).values()
        if "LoggingConfiguration" in value["Properties"]
    ]
    return found


def test_data_stays_and_is_closed_to_the_world(default: dict[str, Any]) -> None:
    bucket = data_bucket(default)

    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert encryption(bucket) == "AES256"
    assert "BucketName" not in properties


def encryption(bucket: dict[str, Any]) -> str:
    [rule] = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    algorithm: str = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
    return algorithm


def test_every_bucket_takes_tls_requests_only(default: dict[str, Any]) -> None:
    policies = resources(default, "AWS::S3::BucketPolicy").values()

    assert len(policies) == len(resources(default, BUCKET)) == 2
    for policy in policies:
        denied = [
            each
            for each in policy["Properties"]["PolicyDocument"]["Statement"]
            if each["Effect"] == "Deny" and each["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        assert len(denied) == 1


def test_access_logs_come_from_the_data_bucket_only(default: dict[str, Any]) -> None:
    logging = data_bucket(default)["Properties"]["LoggingConfiguration"]
    [data_id] = [key for key, value in resources(default, BUCKET).items() if value is data_bucket(default)]
    [allowed] = [
        each
        for policy in resources(default, "AWS::S3::BucketPolicy").values()
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if each["Effect"] == "Allow"
    ]

    assert logging["LogFilePrefix"] == "asset-storage/"
    assert allowed["Action"] == "s3:PutObject"
    assert allowed["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert allowed["Resource"]["Fn::Join"][1][-1] == "/asset-storage/*"
    assert allowed["Condition"] == {
        "ArnLike": {"aws:SourceArn": {"Fn::GetAtt": [data_id, "Arn"]}},
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    }


def test_key_logs_and_name_of_your_own() -> None:
    def build(scope: cdk.Stack) -> None:
        AssetStorage(
            scope,
            "Storage",
            bucket_name="sensor-data",
            encryption_key=kms.Key(scope, "Key"),
            access_logs_bucket=s3.Bucket.from_bucket_name(scope, "Logs", "logs"),
        )

    content = synthesised(build)
    [bucket] = resources(content, BUCKET).values()
    assert bucket["Properties"]["BucketName"] == "sensor-data"
    assert bucket["Properties"]["LoggingConfiguration"]["DestinationBucketName"] == "logs"
    assert encryption(bucket) == "aws:kms"


def test_storage_that_may_go_is_emptied() -> None:
    content = synthesised(
        lambda scope: AssetStorage(scope, "Storage", removal_policy=cdk.RemovalPolicy.DESTROY)
    )

    assert {each["DeletionPolicy"] for each in resources(content, BUCKET).values()} == {"Delete"}
    assert len(resources(content, "Custom::S3AutoDeleteObjects")) == 2


def test_nag_finds_nothing() -> None:
    scope = stack()
    AssetStorage(scope, "Storage")

    assert findings(scope) == set()


def test_prefixes_of_an_asset() -> None:
    scope = stack()
    bucket = s3.Bucket.from_bucket_name(scope, "Bucket", "sensor-data")
    at = AssetStorage.from_bucket(scope, "Storage", bucket).for_asset("Pump1")

    assert {part: getattr(at, part).uri for part in at.__dataclass_fields__} == {
        "history": "s3://sensor-data/Pump1/history/",
        "labels": "s3://sensor-data/Pump1/labels/",
        "inference_input": "s3://sensor-data/Pump1/inference-input/",
        "inference_output": "s3://sensor-data/Pump1/inference-output/",
        "diagnostics": "s3://sensor-data/Pump1/diagnostics/",
    }
    assert at.history.to_api() == {"Bucket": "sensor-data", "Prefix": "Pump1/history/"}
    assert listed(template(scope).get("Resources", {})) == [{}]


def test_results_in_a_bucket_of_their_own() -> None:
    scope = stack()
    data, results = (s3.Bucket.from_bucket_name(scope, name, name) for name in ("historian", "results"))
    storage = AssetStorage.from_bucket(scope, "Storage", data, results_bucket=results)
    at = storage.for_asset("Pump1")

    assert isinstance(storage, IAssetStorage)
    assert (storage.bucket, storage.results_bucket) == (data, results)
    assert {part: getattr(at, part).uri.split("/")[2] for part in at.__dataclass_fields__} == {
        "history": "historian",
        "labels": "historian",
        "inference_input": "historian",
        "inference_output": "results",
        "diagnostics": "results",
    }


def test_storage_has_one_bucket_unless_told_otherwise() -> None:
    scope = stack()
    own = AssetStorage(scope, "Own")
    found = AssetStorage.from_bucket(scope, "Found", own.bucket)

    assert isinstance(own, IAssetStorage)
    assert own.results_bucket is own.bucket is found.bucket is found.results_bucket


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("data", 'S3 prefix "data" does not match .*: write "data/"'),
        ("/data/", 'S3 prefix "/data/" starts with a slash: write "data/"'),
        ("/", 'S3 prefix "/" starts with a slash: write ""'),
        ("d\u0101ta/", "use printable Latin-1 characters"),
        ("x" * 1024 + "/", "1025 characters: it may have at most 1024"),
    ],
)
def test_wrong_prefix(prefix: str, message: str) -> None:
    bucket = s3.Bucket.from_bucket_name(stack(), "B", "sensor-data")

    with pytest.raises(ValueError, match=message):
        S3Location(bucket=bucket, prefix=prefix)


@pytest.mark.parametrize("prefix", ["", "a/", "a b/c/"])
def test_legal_prefix(prefix: str) -> None:
    bucket = s3.Bucket.from_bucket_name(stack(), "B", "sensor-data")

    assert S3Location(bucket=bucket, prefix=prefix).uri == f"s3://sensor-data/{prefix}"


def test_wrong_names() -> None:
    scope = stack()

    with pytest.raises(ValueError, match='bucket name "Data" does not match'):
        AssetStorage(scope, "A", bucket_name="Data")
    with pytest.raises(ValueError, match=r'asset name "Pump 1" does not match .*: it becomes the start'):
        AssetStorage(scope, "B").for_asset("Pump 1")
