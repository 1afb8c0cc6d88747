"""Pages, repeated and simultaneous requests, and tags."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.context import Context
from service.operations import datasets, models, schedulers
from service.storage.names import DATASET, PENDING_DELETION
from service.storage.service_bucket import ServiceBucket
from service.storage.store import Item
from tests.service.api.conftest import ROLE, SCHEMA, Deploy, Service, client_of, walk


@pytest.mark.parametrize(("size", "pages"), [(1, 5), (2, 3), (4, 2), (5, 1), (500, 1)])
def test_every_page_walk_sees_everything_once(service: Service, size: int, pages: int) -> None:
    names = [f"n{number}" for number in range(5)]
    for name in reversed(names):
        service.create_dataset(name)
    found = walk(service.api.list_datasets, "DatasetSummaries", MaxResults=size)
    assert len(found) == pages
    assert [one["DatasetName"] for page in found for one in page] == names


def test_a_walk_survives_the_deletion_of_where_it_stood(service: Service) -> None:
    for name in ("a", "b", "c"):
        service.create_dataset(name)
    first = service.api.list_datasets(MaxResults=2)
    service.api.delete_dataset(DatasetName="b")
    (last,) = service.api.list_datasets(NextToken=first["NextToken"])["DatasetSummaries"]
    assert last["DatasetName"] == "c"


def test_filters_apply_before_pages(service: Service) -> None:
    for name in ("a1", "b1", "a2", "b2", "a3"):
        service.create_dataset(name)
    pages = walk(service.api.list_datasets, "DatasetSummaries", MaxResults=2, DatasetNameBeginsWith="a")
    assert [[one["DatasetName"] for one in page] for page in pages] == [["a1", "a2"], ["a3"]]


def test_the_page_size_without_max_results(deploy: Deploy) -> None:
    service = deploy(page_size=2)
    for name in ("a", "b", "c"):
        service.create_dataset(name)
    assert len(service.api.list_datasets()["DatasetSummaries"]) == 2


def test_a_list_sees_more_than_one_answer_of_the_table(service: Service) -> None:
    names = [f"n{number:03}" for number in range(120)]
    for some in (names[:60], names[60:]):
        service.context.store.create(
            *({"pk": DATASET, "sk": name, "DatasetName": name, "Status": "CREATED"} for name in some)
        )
    found = service.api.list_datasets(MaxResults=500)["DatasetSummaries"]
    assert [one["DatasetName"] for one in found] == names


def test_newest_first_lists_are_walked_backwards(service: Service) -> None:
    jobs = [service.ingested_dataset(name) for name in ("a", "b", "c")]
    pages = walk(service.api.list_data_ingestion_jobs, "DataIngestionJobSummaries", MaxResults=1)
    assert [page[0]["JobId"] for page in pages] == jobs[::-1]


def test_sensor_statistics_are_walked(service: Service) -> None:
    sensors = [{"SensorName": f"s{number}"} for number in range(5)]
    service.ingested_dataset(statistics=sensors)
    request = {"DatasetName": "pump", "MaxResults": 2}
    pages = walk(service.api.list_sensor_statistics, "SensorStatisticsSummaries", **request)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [sensor for page in pages for sensor in page] == sensors

    token = service.api.list_sensor_statistics(**request)["NextToken"]
    service.finish_ingestion(service.start_ingestion(), statistics=sensors)
    with pytest.raises(ClientError, match="was not returned by ListSensorStatistics"):
        service.api.list_sensor_statistics(**request, NextToken=token)


def test_a_token_fits_only_the_request_it_was_made_for(service: Service) -> None:
    for name in ("asset-one", "asset-two"):
        service.create_dataset(name)
    token = service.api.list_datasets(MaxResults=1, DatasetNameBeginsWith="asset")["NextToken"]
    assert "asset-one" not in token
    foreign: list[Callable[[], Any]] = [
        lambda: service.api.list_datasets(NextToken=token),
        lambda: service.api.list_models(NextToken=token),
        lambda: service.api.list_datasets(NextToken="made up"),
        lambda: service.api.list_datasets(NextToken="YQ=="),
    ]
    for attempt in foreign:
        with pytest.raises(service.api.exceptions.ValidationException, match="was not returned by"):
            attempt()
    second = service.api.list_datasets(MaxResults=5, DatasetNameBeginsWith="asset", NextToken=token)
    assert [one["DatasetName"] for one in second["DatasetSummaries"]] == ["asset-two"]


def test_a_repeated_create_returns_the_resource_as_it_is_now(service: Service) -> None:
    first = service.create_dataset("pump", ClientToken="t")
    job = service.start_ingestion("pump", ClientToken="t")
    again = service.create_dataset("pump", ClientToken="t")
    assert again["DatasetArn"] == first["DatasetArn"]
    assert again["Status"] == "INGESTION_IN_PROGRESS"
    assert service.start_ingestion("pump", ClientToken="t") == job

    service.finish_ingestion(job)
    assert service.start_ingestion("pump", ClientToken="t") == job
    model = service.create_model("wear", ClientToken="t")
    service.finish_training("wear")
    again = service.create_model("wear", ClientToken="t")
    assert (again["ModelArn"], again["Status"]) == (model["ModelArn"], "SUCCESS")

    scheduler = service.create_scheduler("watch", ClientToken="t")
    again = service.create_scheduler("watch", ClientToken="t")
    assert again["InferenceSchedulerArn"] == scheduler["InferenceSchedulerArn"]
    assert again["Status"] == "RUNNING"


def test_a_repeated_request_starts_what_the_first_could_not(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function is killed between its write and the start of the execution."""
    service.create_dataset("pump")
    machines = service.context.client("stepfunctions")
    with monkeypatch.context() as killed:
        killed.setattr(machines, "start_execution", _killed)
        with pytest.raises(_Killed):
            service.call("StartDataIngestionJob", _INGESTION)
    (job,) = service.context.records.ingestion_jobs()
    status, reply = service.call("StartDataIngestionJob", _INGESTION)
    assert (status, reply["JobId"]) == (200, job["JobId"])
    machine = service.context.environment.ingest_state_machine
    started = machines.list_executions(stateMachineArn=machine)["executions"]
    assert job["JobId"] in {execution["name"] for execution in started}


_INGESTION = {
    "DatasetName": "pump",
    "IngestionInputConfiguration": {"S3InputConfiguration": {"Bucket": "customer"}},
    "RoleArn": ROLE,
    "ClientToken": "t",
}


class _Killed(BaseException):
    """The end of a process: no handler of errors sees it."""


def _killed(**_: Any) -> None:
    raise _Killed


def test_a_token_is_not_used_for_two_requests(service: Service) -> None:
    service.create_dataset("pump", ClientToken="t")
    with pytest.raises(service.api.exceptions.ValidationException, match=r"'t' was used .* other parameters"):
        service.create_dataset("motor", ClientToken="t")
    with pytest.raises(service.api.exceptions.ValidationException, match="other parameters"):
        service.create_dataset("pump", None, ClientToken="t")


def test_the_token_of_a_deleted_resource_creates_afresh(service: Service) -> None:
    first = service.create_dataset("pump", ClientToken="t")
    service.api.delete_dataset(DatasetName="pump")
    second = service.create_dataset("pump", ClientToken="t")
    assert second["DatasetArn"] != first["DatasetArn"]
    service.api.delete_dataset(DatasetName="pump")
    service.create_dataset("other", ClientToken="t")


def test_a_token_is_forgotten_after_its_time(deploy: Deploy) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    service = deploy(clock=lambda: now)
    service.create_dataset("pump", ClientToken="t")
    now += timedelta(hours=23)
    service.create_dataset("pump", ClientToken="t")
    now += timedelta(hours=2)
    with pytest.raises(service.api.exceptions.ConflictException, match="'pump' already exists"):
        service.create_dataset("pump", ClientToken="t")
    service.create_dataset("motor", ClientToken="t")


def _together(service: Service, call: Callable[[Any, int], Any], count: int = 8) -> list[Any]:
    """Return the outcomes of simultaneous calls: a reply, or the name of an error."""

    def one(number: int) -> Any:
        try:
            return call(clients[number], number)
        except ClientError as error:
            return error.response["Error"]["Code"]

    clients = [client_of(service.url) for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_of_simultaneous_creates_exactly_one_wins(service: Service) -> None:
    outcomes = _together(service, lambda client, _: client.create_dataset(DatasetName="pump")["Status"])
    assert Counter(outcomes) == {"CREATED": 1, "ConflictException": 7}


def test_of_simultaneous_ingestions_exactly_one_starts(service: Service) -> None:
    service.create_dataset("pump")
    outcomes = _together(
        service,
        lambda client, _: client.start_data_ingestion_job(
            DatasetName="pump",
            IngestionInputConfiguration={"S3InputConfiguration": {"Bucket": "customer"}},
            RoleArn=ROLE,
        )["Status"],
    )
    assert Counter(outcomes) == {"IN_PROGRESS": 1, "ConflictException": 7}
    assert len(service.api.list_data_ingestion_jobs()["DataIngestionJobSummaries"]) == 1


def test_simultaneous_requests_with_one_token_create_one_resource(service: Service) -> None:
    service.trained_model()
    request = {
        "InferenceSchedulerName": "watch",
        "ModelName": "wear",
        "DataUploadFrequency": "PT5M",
        "DataInputConfiguration": {"S3InputConfiguration": {"Bucket": "customer"}},
        "DataOutputConfiguration": {"S3OutputConfiguration": {"Bucket": "customer"}},
        "RoleArn": ROLE,
        "ClientToken": "t",
    }
    outcomes = _together(
        service, lambda client, _: client.create_inference_scheduler(**request)["InferenceSchedulerArn"]
    )
    assert len(set(outcomes)) == 1
    assert outcomes[0].startswith("arn:")
    described = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert described["Status"] == "RUNNING"


def test_of_simultaneous_schedulers_of_a_model_exactly_one_wins(service: Service) -> None:
    service.trained_model()
    outcomes = _together(
        service,
        lambda client, number: client.create_inference_scheduler(
            InferenceSchedulerName=f"watch{number}",
            ModelName="wear",
            DataUploadFrequency="PT5M",
            DataInputConfiguration={"S3InputConfiguration": {"Bucket": "customer"}},
            DataOutputConfiguration={"S3OutputConfiguration": {"Bucket": "customer"}},
            RoleArn=ROLE,
        )["Status"],
        4,
    )
    assert Counter(outcomes) == {"PENDING": 1, "ServiceQuotaExceededException": 3}


def test_models_are_created_side_by_side_on_one_dataset(service: Service) -> None:
    service.ingested_dataset()
    outcomes = _together(
        service,
        lambda client, number: client.create_model(ModelName=f"wear{number}", DatasetName="pump")["Status"],
        5,
    )
    assert outcomes == ["IN_PROGRESS"] * 5


def test_a_deletion_notices_what_was_created_after_it_looked(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.ingested_dataset()
    look = datasets._require_unused

    def look_and_lose_time(context: Context, dataset: Item) -> None:
        look(context, dataset)
        if not service.api.list_models()["ModelSummaries"]:
            service.create_model("wear")

    monkeypatch.setattr(datasets, "_require_unused", look_and_lose_time)
    with pytest.raises(service.api.exceptions.ConflictException, match="'wear' is training on it"):
        service.api.delete_dataset(DatasetName="pump")


def test_a_deletion_of_a_model_notices_a_scheduler_created_after_it_looked(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.trained_model()
    look = models._require_unscheduled

    def look_and_lose_time(context: Context, model: Item) -> None:
        look(context, model)
        if not service.api.list_inference_schedulers()["InferenceSchedulerSummaries"]:
            service.create_scheduler("watch")

    monkeypatch.setattr(models, "_require_unscheduled", look_and_lose_time)
    with pytest.raises(service.api.exceptions.ConflictException, match="'watch', which is RUNNING"):
        service.api.delete_model(ModelName="wear")


def test_a_scheduler_is_not_created_beside_one_that_came_after_it_counted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.trained_model()
    count = schedulers._require_room

    def count_and_lose_time(context: Context, model: Item) -> None:
        count(context, model)
        monkeypatch.setattr(schedulers, "_require_room", count)
        if not service.api.list_inference_schedulers()["InferenceSchedulerSummaries"]:
            service.create_scheduler("first")

    monkeypatch.setattr(schedulers, "_require_room", count_and_lose_time)
    with pytest.raises(service.api.exceptions.ServiceQuotaExceededException, match=r"has 1 .*'first'"):
        service.create_scheduler("second")


def test_what_a_deletion_could_not_remove_the_next_one_does(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service.create_dataset("pump")
    service.create_dataset("motor")
    bucket, s3 = service.context.environment.bucket, service.context.client("s3")
    with monkeypatch.context() as broken:
        broken.setattr(
            ServiceBucket, "delete_prefix", lambda *_: (_ for _ in ()).throw(OSError("S3 is away"))
        )
        service.api.delete_dataset(DatasetName="pump")
    assert "S3 is away" in caplog.text
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
    service.api.delete_dataset(DatasetName="motor")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert all("removedAt" in one for one in service.context.store.all(PENDING_DELETION))


def test_simultaneous_tags_are_all_kept(service: Service) -> None:
    arn = service.create_dataset("pump")["DatasetArn"]

    def tag(client: Any, number: int) -> None:
        client.tag_resource(ResourceArn=arn, Tags=[{"Key": f"k{number}", "Value": "v"}])

    assert _together(service, tag, 3) == [None] * 3
    keys = [one["Key"] for one in service.api.list_tags_for_resource(ResourceArn=arn)["Tags"]]
    assert keys == ["k0", "k1", "k2"]


def test_tags_of_every_kind_of_resource(service: Service) -> None:
    tags = [{"Key": "plant", "Value": "north"}, {"Key": "line", "Value": ""}]
    service.create_dataset("pump", Tags=tags)
    service.finish_ingestion(service.start_ingestion())
    service.create_model("wear", Tags=tags)
    service.finish_training("wear")
    service.create_scheduler("watch", Tags=tags)
    model = service.api.describe_model(ModelName="wear")["ModelArn"]
    for arn, present in {
        service.api.describe_dataset(DatasetName="pump")["DatasetArn"]: tags,
        model: tags,
        f"{model}/model-version/1": [],
        service.api.describe_inference_scheduler(InferenceSchedulerName="watch")[
            "InferenceSchedulerArn"
        ]: tags,
    }.items():
        by_key = sorted(present, key=lambda tag: tag["Key"])
        assert service.api.list_tags_for_resource(ResourceArn=arn)["Tags"] == by_key
        service.api.tag_resource(ResourceArn=arn, Tags=[{"Key": "plant", "Value": "south"}])
        service.api.untag_resource(ResourceArn=arn, TagKeys=["line", "never"])
        assert service.api.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
            {"Key": "plant", "Value": "south"}
        ]


def test_the_adaptation_of_a_model_is_a_tag_that_is_checked(service: Service) -> None:
    def tag(value: str) -> list[dict[str, str]]:
        return [{"Key": "lookoutequipment:adaptation", "Value": value}]

    refused = service.api.exceptions.ValidationException
    unknown = "the tag 'lookoutequipment:adaptation' is 'never': use one of auto, hold, follow"
    service.trained_model(Tags=tag("hold"))
    model = service.api.describe_model(ModelName="wear")["ModelArn"]
    with pytest.raises(refused, match=unknown):
        service.create_model("other", Tags=tag("never"))
    with pytest.raises(refused, match=unknown):
        service.api.tag_resource(ResourceArn=model, Tags=tag("never"))
    assert service.api.list_tags_for_resource(ResourceArn=model)["Tags"] == tag("hold")
    for value in ("auto", "follow"):
        service.api.tag_resource(ResourceArn=model, Tags=tag(value))
        assert service.api.list_tags_for_resource(ResourceArn=model)["Tags"] == tag(value)
    service.api.untag_resource(ResourceArn=model, TagKeys=["lookoutequipment:adaptation"])
    assert service.api.list_tags_for_resource(ResourceArn=model)["Tags"] == []

    without_effect = "has an effect on models only: tag the model, by its ModelArn"
    scheduler = service.create_scheduler("watch")["InferenceSchedulerArn"]
    for arn in (scheduler, f"{model}/model-version/1"):
        with pytest.raises(refused, match=without_effect):
            service.api.tag_resource(ResourceArn=arn, Tags=tag("hold"))
    with pytest.raises(refused, match=without_effect):
        service.create_dataset("motor", Tags=tag("hold"))


def test_tags_are_limited_and_their_keys_differ(service: Service) -> None:
    tags = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    arn = service.create_dataset("pump", Tags=tags)["DatasetArn"]
    service.api.tag_resource(ResourceArn=arn, Tags=[{"Key": "k0", "Value": "new"}])
    with pytest.raises(service.api.exceptions.ServiceQuotaExceededException, match="limit of 50 tags"):
        service.api.tag_resource(ResourceArn=arn, Tags=[{"Key": "one-more", "Value": "v"}])
    with pytest.raises(service.api.exceptions.ValidationException, match="same key twice"):
        service.api.tag_resource(ResourceArn=arn, Tags=[{"Key": "k0", "Value": "a"}] * 2)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:lookoutequipment:eu-west-1:000000000000:dataset/pump/other",
        "arn:aws:lookoutequipment:eu-west-1:111122223333:dataset/pump/{uuid}",
        "arn:aws:lookoutequipment:us-east-1:000000000000:dataset/pump/{uuid}",
        "arn:aws:lookoutequipment:eu-west-1:000000000000:model/pump/{uuid}",
        "arn:aws:lookoutequipment:eu-west-1:000000000000:label-group/pump/{uuid}",
        "arn:aws:lookoutequipment:eu-west-1:000000000000:dataset",
        "arn:aws:lookoutequipment:eu-west-1:000000000000:model/pump/{uuid}/model-version/1",
    ],
)
def test_a_resource_is_found_by_its_whole_arn_only(service: Service, arn: str) -> None:
    uuid = service.create_dataset("pump", SCHEMA)["DatasetArn"].rpartition("/")[2]
    arn = arn.format(uuid=uuid)
    missing = service.api.exceptions.ResourceNotFoundException
    with pytest.raises(missing, match=arn):
        service.api.list_tags_for_resource(ResourceArn=arn)
    with pytest.raises(missing, match=arn):
        service.api.tag_resource(ResourceArn=arn, Tags=[])
    with pytest.raises(missing, match=arn):
        service.api.untag_resource(ResourceArn=arn, TagKeys=[])


def test_jobs_of_a_dataset_are_those_of_the_one_that_has_the_name_now(service: Service) -> None:
    def jobs(**filters: str) -> list[str]:
        found = service.api.list_data_ingestion_jobs(**filters)["DataIngestionJobSummaries"]
        return [each["JobId"] for each in found]

    earlier = service.ingested_dataset("pump")
    service.api.delete_dataset(DatasetName="pump")
    assert jobs(DatasetName="pump") == []
    later = service.ingested_dataset("pump")
    assert jobs(DatasetName="pump") == [later]
    assert jobs() == [later, earlier], "what has been stays on record, and its ARN tells which dataset it was"


def test_a_list_of_executions_is_empty_and_one_of_events_refused_for_an_unknown_scheduler(
    service: Service,
) -> None:
    unknown = {"InferenceSchedulerName": "nobody"}
    assert service.api.list_inference_executions(**unknown)["InferenceExecutionSummaries"] == []
    with pytest.raises(
        service.api.exceptions.ResourceNotFoundException, match="inference scheduler 'nobody'"
    ):
        service.api.list_inference_events(**unknown, IntervalStartTime=0, IntervalEndTime=1)
