"""Label groups and labels through boto3: states, errors, orders, filters, quotas, tags and races."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.operations import label_groups
from service.storage.names import LABEL_GROUP, MODEL, PENDING_DELETION, labels_of, new_label_id
from tests.service.api.conftest import ROLE, Deploy, Service, walk
from tests.waiting import PATIENCE

DAY = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def create_group(service: Service, name: str = "faults", **more: Any) -> str:
    return str(service.api.create_label_group(LabelGroupName=name, **more)["LabelGroupArn"])


def create_label(
    service: Service, start: datetime = DAY, end: datetime | None = None, group: str = "faults", **more: Any
) -> str:
    request = {"Rating": "ANOMALY", "StartTime": start, "EndTime": end or start + HOUR, **more}
    return str(service.api.create_label(LabelGroupName=group, **request)["LabelId"])


def listed(service: Service, **filters: Any) -> list[str]:
    found = service.api.list_labels(LabelGroupName="faults", **filters)["LabelSummaries"]
    return [label["LabelId"] for label in found]


def error_of(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


class TestGroups:
    def test_a_group_is_described_as_it_was_created(self, service: Service) -> None:
        arn = create_group(service, FaultCodes=["bearing", "seal"], Tags=[{"Key": "site", "Value": "north"}])

        found = service.api.describe_label_group(LabelGroupName="faults")

        assert arn.startswith("arn:aws:lookoutequipment:eu-west-1:000000000000:label-group/faults/")
        assert (found["LabelGroupName"], found["LabelGroupArn"]) == ("faults", arn)
        assert found["FaultCodes"] == ["bearing", "seal"]
        assert found["CreatedAt"] == found["UpdatedAt"]
        tags = service.api.list_tags_for_resource(ResourceArn=arn)["Tags"]
        assert tags == [{"Key": "site", "Value": "north"}]

    def test_a_group_without_fault_codes_has_an_empty_list_of_them(self, service: Service) -> None:
        create_group(service)

        assert service.api.describe_label_group(LabelGroupName="faults")["FaultCodes"] == []

    def test_an_update_replaces_all_fault_codes_and_labels_keep_theirs(self, service: Service) -> None:
        create_group(service, FaultCodes=["bearing"])
        label = create_label(service, FaultCode="bearing")
        before = service.api.describe_label_group(LabelGroupName="faults")

        service.api.update_label_group(LabelGroupName="faults", FaultCodes=["seal"])

        after = service.api.describe_label_group(LabelGroupName="faults")
        assert after["FaultCodes"] == ["seal"]
        assert after["UpdatedAt"] > before["UpdatedAt"]
        assert after["CreatedAt"] == before["CreatedAt"]
        kept = service.api.describe_label(LabelGroupName="faults", LabelId=label)
        assert kept["FaultCode"] == "bearing"
        service.api.update_label_group(LabelGroupName="faults")
        assert service.api.describe_label_group(LabelGroupName="faults")["FaultCodes"] == ["seal"]

    def test_groups_are_listed_by_name_and_prefix(self, service: Service) -> None:
        for name in ("valve", "pump-2", "Pump", "pump-1"):
            create_group(service, name)

        def names(**filters: Any) -> list[list[str]]:
            pages = walk(service.api.list_label_groups, "LabelGroupSummaries", **filters)
            return [[group["LabelGroupName"] for group in page] for page in pages]

        assert names() == [["Pump", "pump-1", "pump-2", "valve"]]
        assert names(LabelGroupNameBeginsWith="pump", MaxResults=1) == [["pump-1"], ["pump-2"]]
        (group,) = service.api.list_label_groups(LabelGroupNameBeginsWith="valve")["LabelGroupSummaries"]
        assert group.keys() == {"LabelGroupName", "LabelGroupArn", "CreatedAt", "UpdatedAt"}

    def test_a_deleted_group_is_gone_with_its_labels_and_its_name_is_free(self, service: Service) -> None:
        arn = create_group(service)
        label = create_label(service)
        uuid = arn.rpartition("/")[2]

        service.api.delete_label_group(LabelGroupName="faults")

        assert list(service.context.store.all(labels_of(uuid))) == []
        assert create_group(service) != arn
        assert listed(service) == []
        code, text = error_of(service.api.describe_label, LabelGroupName="faults", LabelId=label)
        assert (code, label in text) == ("ResourceNotFoundException", True)

    def test_a_group_of_five_thousand_labels_is_deleted_in_one_request(self, service: Service) -> None:
        uuid = create_group(service).rpartition("/")[2]
        store = service.context.store
        ids = [new_label_id(Decimal(1_770_000_000 + 60 * at)) for at in range(5_000)]
        for at in range(0, len(ids), 100):
            store.create(
                *({"pk": labels_of(uuid), "sk": one, "Notes": "x" * 500} for one in ids[at : at + 100])
            )

        service.api.delete_label_group(LabelGroupName="faults")

        assert list(store.all(labels_of(uuid))) == []

    @pytest.mark.parametrize(
        ("request_", "code", "text"),
        [
            ({"FaultCodes": ["a", "b", "a", "b"]}, "ValidationException", "'a', 'b' more than once"),
            ({"FaultCodes": [f"code {at}" for at in range(51)]}, "ValidationException", "equal to 50"),
            ({"FaultCodes": ["x" * 101]}, "ValidationException", "less than or equal to 100"),
            ({"LabelGroupName": "taken"}, "ConflictException", "the label group 'taken' already exists"),
            ({"LabelGroupName": "third"}, "ServiceQuotaExceededException", "limit of 2 label groups"),
            ({"Tags": [{"Key": "a", "Value": "1"}] * 2}, "ValidationException", "the same key twice"),
            (
                {"Tags": [{"Key": "lookoutequipment:adaptation", "Value": "hold"}]},
                "ValidationException",
                "models",
            ),
        ],
    )
    def test_a_group_that_cannot_be_is_refused(
        self, deploy: Deploy, request_: dict[str, Any], code: str, text: str
    ) -> None:
        service = deploy(label_groups=2)
        create_group(service, "taken")
        if request_.get("LabelGroupName") == "third":
            create_group(service, "second")

        found = error_of(service.api.create_label_group, **{"LabelGroupName": "faults", **request_})

        assert found[0] == code
        assert text in found[1]

    def test_what_names_no_group_says_so(self, service: Service) -> None:
        api = service.api
        label = {"LabelGroupName": "none", "LabelId": "0" * 32}
        for call, request in (
            (api.describe_label_group, {"LabelGroupName": "none"}),
            (api.update_label_group, {"LabelGroupName": "none", "FaultCodes": []}),
            (api.delete_label_group, {"LabelGroupName": "none"}),
            (api.describe_label, label),
            (api.delete_label, label),
            (
                api.create_label,
                {"LabelGroupName": "none", "StartTime": DAY, "EndTime": DAY, "Rating": "NEUTRAL"},
            ),
        ):
            code, text = error_of(call, **request)
            assert code == "ResourceNotFoundException"
            assert "the label group 'none' does not exist" in text
        assert api.list_labels(LabelGroupName="none")["LabelSummaries"] == []

    def test_a_repeated_creation_is_the_same_group(self, service: Service) -> None:
        arn = create_group(service, FaultCodes=["a"], ClientToken="once")

        assert create_group(service, FaultCodes=["a"], ClientToken="once") == arn
        code, text = error_of(
            service.api.create_label_group, LabelGroupName="faults", FaultCodes=["b"], ClientToken="once"
        )
        assert (code, "other parameters" in text) == ("ValidationException", True)

    def test_tags_of_a_group_change_and_go_with_it(self, service: Service) -> None:
        arn = create_group(service, Tags=[{"Key": "site", "Value": "north"}, {"Key": "line", "Value": "4"}])

        service.api.tag_resource(ResourceArn=arn, Tags=[{"Key": "site", "Value": "south"}])
        service.api.untag_resource(ResourceArn=arn, TagKeys=["line"])

        tags = service.api.list_tags_for_resource(ResourceArn=arn)["Tags"]
        assert tags == [{"Key": "site", "Value": "south"}]
        service.api.delete_label_group(LabelGroupName="faults")
        assert error_of(service.api.list_tags_for_resource, ResourceArn=arn)[0] == "ResourceNotFoundException"


class TestLabels:
    def test_a_label_is_described_with_all_its_members(self, service: Service) -> None:
        arn = create_group(service, FaultCodes=["bearing"])
        members = {"FaultCode": "bearing", "Equipment": "pump 7", "Notes": "worn, replaced\nby shift 2"}

        label = create_label(service, end=DAY + timedelta(hours=7.5), **members)

        found = service.api.describe_label(LabelGroupName="faults", LabelId=label.upper())
        found.pop("ResponseMetadata")
        assert found.pop("CreatedAt").tzinfo is not None
        assert found == {
            "LabelGroupName": "faults",
            "LabelGroupArn": arn,
            "LabelId": label,
            "StartTime": DAY,
            "EndTime": DAY + timedelta(hours=7.5),
            "Rating": "ANOMALY",
            **members,
        }
        (summary,) = service.api.list_labels(LabelGroupName="faults")["LabelSummaries"]
        assert "Notes" not in summary
        assert {name: summary[name] for name in ("FaultCode", "Equipment", "Rating")} == {
            "FaultCode": "bearing",
            "Equipment": "pump 7",
            "Rating": "ANOMALY",
        }

    def test_labels_are_listed_by_their_start_whenever_they_were_made(self, service: Service) -> None:
        create_group(service)
        made = {hours: create_label(service, DAY + hours * HOUR) for hours in (5, -3, 0, 24, 1)}

        pages = walk(service.api.list_labels, "LabelSummaries", LabelGroupName="faults", MaxResults=2)

        assert [len(page) for page in pages] == [2, 2, 1]
        found = [label["LabelId"] for page in pages for label in page]
        assert found == [made[hours] for hours in sorted(made)]

    def test_an_interval_lists_the_labels_that_reach_into_it(self, service: Service) -> None:
        create_group(service)
        spans = {
            "before": (-5, -1),
            "ends at the start": (-5, 0),
            "long ago, and long": (-500, 3),
            "inside": (1, 2),
            "starts at the end": (4, 5),
            "one row": (3, 3),
        }
        ids = {
            create_label(service, DAY + first * HOUR, DAY + last * HOUR): name
            for name, (first, last) in spans.items()
        }

        def names(**filters: Any) -> set[str]:
            return {ids[label] for label in listed(service, **filters)}

        assert names(IntervalStartTime=DAY, IntervalEndTime=DAY + 4 * HOUR) == {
            "ends at the start",
            "long ago, and long",
            "inside",
            "one row",
        }
        assert names(IntervalEndTime=DAY) == {"before", "ends at the start", "long ago, and long"}
        assert names(IntervalStartTime=DAY + 3 * HOUR) == {
            "long ago, and long",
            "starts at the end",
            "one row",
        }
        assert names(IntervalStartTime=DAY, IntervalEndTime=DAY) == {
            "ends at the start",
            "long ago, and long",
        }

    def test_fault_code_and_equipment_filter(self, service: Service) -> None:
        create_group(service, FaultCodes=["a", "b"])
        first = create_label(service, FaultCode="a", Equipment="one")
        second = create_label(service, DAY + HOUR, FaultCode="b", Equipment="one")
        third = create_label(service, DAY + 2 * HOUR)

        assert listed(service) == [first, second, third]
        assert listed(service, FaultCode="b") == [second]
        assert listed(service, Equipment="one") == [first, second]
        assert listed(service, FaultCode="a", Equipment="two") == []

    def test_a_list_of_an_interval_reads_few_labels_of_many(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create_group(service)
        create_label(service, end=DAY + 2 * HOUR)
        group = service.context.records.label_group("faults")
        assert group is not None
        for days in range(1, 300):
            start = Decimal(int((DAY - timedelta(days=days)).timestamp()))
            label = {"pk": labels_of(group["uuid"]), "sk": new_label_id(start), "EndTime": start}
            service.context.store.create(label)
        read: list[Any] = []
        query = service.context.store.client.query

        def counted(**request: Any) -> Any:
            answer = query(**request)
            read.extend(answer["Items"])
            return answer

        monkeypatch.setattr(service.context.store.client, "query", counted)

        assert len(listed(service, IntervalStartTime=DAY, IntervalEndTime=DAY + HOUR)) == 1
        assert len(read) == 1

    @pytest.mark.parametrize(
        ("members", "text"),
        [
            (
                {"EndTime": DAY - HOUR},
                "EndTime 2026-02-28T23:00:00Z is before StartTime 2026-03-01T00:00:00Z",
            ),
            (
                {"FaultCode": "rust"},
                "'rust' is not one of the label group 'faults', it has 'bearing', 'seal'",
            ),
            ({"Rating": "NORMAL"}, "ANOMALY, NO_ANOMALY, NEUTRAL"),
            ({"Notes": "x" * 2561}, "less than or equal to 2560"),
            ({"Equipment": "x" * 201}, "less than or equal to 200"),
        ],
    )
    def test_a_label_that_cannot_be_is_refused(
        self, service: Service, members: dict[str, Any], text: str
    ) -> None:
        create_group(service, FaultCodes=["bearing", "seal"])
        request = {"LabelGroupName": "faults", "StartTime": DAY, "EndTime": DAY, "Rating": "ANOMALY"}

        code, message = error_of(service.api.create_label, **{**request, **members})

        assert (code, text in message) == ("ValidationException", True), message
        assert listed(service) == []

    def test_a_fault_code_of_a_group_without_any_is_refused_in_words(self, service: Service) -> None:
        create_group(service)

        assert "it has none" in error_of(create_label, service=service, FaultCode="rust")[1]

    def test_an_interval_that_ends_before_it_starts_is_refused(self, service: Service) -> None:
        request = {"LabelGroupName": "faults", "IntervalStartTime": DAY, "IntervalEndTime": DAY - HOUR}

        code, text = error_of(service.api.list_labels, **request)

        assert (code, "must not be after" in text) == ("ValidationException", True)

    def test_a_group_takes_as_many_labels_as_the_settings_say(self, deploy: Deploy) -> None:
        service = deploy(labels_per_group=2)
        create_group(service)
        create_group(service, "others")
        first, _ = create_label(service), create_label(service)

        code, text = error_of(create_label, service=service)

        assert code == "ServiceQuotaExceededException"
        assert "limit of 2 labels in the label group 'faults' is reached, there are 2" in text
        assert "'labels_per_group'" in text
        create_label(service, group="others")
        service.api.delete_label(LabelGroupName="faults", LabelId=first)
        create_label(service)
        assert len(listed(service)) == 2

    @pytest.mark.parametrize("label_id", ["0" * 32, "0" * 31, "a"])
    def test_an_unknown_label_is_not_found(self, service: Service, label_id: str) -> None:
        create_group(service)

        for call in (service.api.describe_label, service.api.delete_label):
            code, text = error_of(call, LabelGroupName="faults", LabelId=label_id)
            assert (code, f"the label 'faults/{label_id}'" in text) == ("ResourceNotFoundException", True)

    def test_a_deleted_label_is_gone_and_the_rest_is_not(self, service: Service) -> None:
        create_group(service)
        first, second = create_label(service), create_label(service)

        service.api.delete_label(LabelGroupName="faults", LabelId=first)

        assert listed(service) == [second]
        code, _ = error_of(service.api.delete_label, LabelGroupName="faults", LabelId=first)
        assert code == "ResourceNotFoundException"
        group = service.context.records.label_group("faults")
        assert group is not None
        assert group["labels"] == 1

    def test_a_repeated_creation_is_the_same_label(self, service: Service) -> None:
        create_group(service)
        label = create_label(service, ClientToken="once")

        assert create_label(service, ClientToken="once") == label
        assert listed(service) == [label]
        assert error_of(create_label, service=service, Rating="NEUTRAL", ClientToken="once")[0] == (
            "ValidationException"
        )
        service.api.delete_label(LabelGroupName="faults", LabelId=label)
        assert create_label(service, ClientToken="once") != label


class TestTrainings:
    """What a group and the models that are trained with it ask of each other."""

    def train(self, service: Service, **more: Any) -> None:
        service.ingested_dataset()
        service.create_model(LabelsInputConfiguration={"LabelGroupName": "faults"}, **more)

    def test_a_model_needs_no_role_for_a_group_and_shows_it(self, service: Service) -> None:
        create_group(service)
        self.train(service)

        for found in (
            service.api.describe_model(ModelName="wear"),
            service.api.describe_model_version(ModelName="wear", ModelVersion=1),
        ):
            assert found["LabelsInputConfiguration"] == {"LabelGroupName": "faults"}

    def test_files_come_with_a_role_also_beside_a_group(self, service: Service) -> None:
        create_group(service)
        service.ingested_dataset()
        both = {"LabelGroupName": "faults", "S3InputConfiguration": {"Bucket": "customer", "Prefix": "l/"}}

        code, text = error_of(service.create_model, LabelsInputConfiguration=both)

        assert (code, "without RoleArn" in text) == ("ValidationException", True)
        service.create_model(LabelsInputConfiguration=both, RoleArn=ROLE)
        assert service.api.describe_model(ModelName="wear")["LabelsInputConfiguration"] == both

    def test_a_group_that_a_model_names_must_exist(self, service: Service) -> None:
        service.trained_model("other")
        config = {"LabelsInputConfiguration": {"LabelGroupName": "faults"}}

        for call, request in (
            (service.create_model, config),
            (service.api.update_model, {"ModelName": "other", **config}),
        ):
            code, text = error_of(call, **request)
            assert (code, "'faults' does not exist" in text) == ("ResourceNotFoundException", True)

    def test_a_group_in_use_by_a_training_is_not_deleted(self, service: Service) -> None:
        create_group(service)
        create_label(service)
        self.train(service)

        code, text = error_of(service.api.delete_label_group, LabelGroupName="faults")

        assert code == "ConflictException"
        assert "the model 'wear' is training with its labels" in text
        assert len(listed(service)) == 1
        service.finish_training()
        service.api.delete_label_group(LabelGroupName="faults")
        found = service.api.describe_model(ModelName="wear")
        assert found["LabelsInputConfiguration"] == {"LabelGroupName": "faults"}

    def test_a_group_in_use_by_a_retraining_is_not_deleted(self, service: Service) -> None:
        create_group(service)
        self.train(service)
        service.finish_training()
        under_way = {
            "LatestScheduledRetrainingStatus": "IN_PROGRESS",
            "LatestScheduledRetrainingModelVersion": 1,
        }
        service.context.store.update(MODEL, "wear", under_way)

        code, text = error_of(service.api.delete_label_group, LabelGroupName="faults")

        assert (code, "'wear' is training" in text) == ("ConflictException", True)

    def test_a_training_that_begins_during_a_deletion_keeps_the_group(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create_group(service)
        original = label_groups._require_unused

        def look(*arguments: Any) -> None:
            original(*arguments)
            monkeypatch.setattr(label_groups, "_require_unused", original)
            self.train(service)

        monkeypatch.setattr(label_groups, "_require_unused", look)

        code, text = error_of(service.api.delete_label_group, LabelGroupName="faults")

        assert (code, "'wear' is training" in text) == ("ConflictException", True)
        assert service.api.describe_label_group(LabelGroupName="faults")


class TestRaces:
    def test_many_clients_label_at_once_and_every_label_counts(self, service: Service) -> None:
        create_group(service)

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda at: create_label(service, DAY + at * HOUR), range(40)))

        assert listed(service) == made
        group = service.context.records.label_group("faults")
        assert group is not None
        assert group["labels"] == 40

    def test_no_label_outlives_a_group_that_is_deleted_meanwhile(self, service: Service) -> None:
        uuid = create_group(service).rpartition("/")[2]
        begun = threading.Event()

        def label() -> str:
            for at in range(2000):  # far more than the deletion leaves time for, also on a busy machine
                try:
                    create_label(service, DAY + at * HOUR)
                except ClientError as error:
                    return str(error.response["Error"]["Code"])
                if at == 5:
                    begun.set()
            return "never refused"

        with ThreadPoolExecutor(4) as pool:
            outcomes = [pool.submit(label) for _ in range(3)]
            assert begun.wait(PATIENCE)
            service.api.delete_label_group(LabelGroupName="faults")

        assert {outcome.result() for outcome in outcomes} == {"ResourceNotFoundException"}
        assert list(service.context.store.all(labels_of(uuid))) == []
        assert service.context.store.get(LABEL_GROUP, "faults") is None

    def test_labels_that_a_killed_deletion_left_are_removed_later(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        uuid = create_group(service).rpartition("/")[2]
        create_label(service)
        with monkeypatch.context() as patch:
            patch.setattr(label_groups, "delete_pending", lambda _: None)
            service.api.delete_label_group(LabelGroupName="faults")
        assert len(list(service.context.store.all(labels_of(uuid)))) == 1
        assert len(list(service.context.store.all(PENDING_DELETION))) == 1

        create_group(service, "other")
        service.api.delete_label_group(LabelGroupName="other")

        assert list(service.context.store.all(labels_of(uuid))) == []


def test_an_event_is_labelled_from_its_record_in_one_call(service: Service) -> None:
    service.trained_model()
    arn = service.create_scheduler()["InferenceSchedulerArn"]
    create_group(service)
    for start, end in ((1_772_000_000, 1_772_003_600), (1_772_100_000, 1_772_100_000)):
        service.context.store.create(
            {
                "pk": f"event#{arn.rpartition('/')[2]}",
                "sk": f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%SZ}",
                "InferenceSchedulerName": "watch",
                "InferenceSchedulerArn": arn,
                "EventStartTime": start,
                "EventEndTime": end,
                "EventDurationInSeconds": end - start,
                "Diagnostics": "[]",
            }
        )
    interval = {"IntervalStartTime": 1_771_000_000, "IntervalEndTime": 1_773_000_000}
    found = service.api.list_inference_events(InferenceSchedulerName="watch", **interval)

    for event in found["InferenceEventSummaries"]:
        service.api.create_label(
            LabelGroupName="faults",
            StartTime=event["EventStartTime"],
            EndTime=event["EventEndTime"],
            Rating="ANOMALY",
            Equipment=event["InferenceSchedulerName"],
        )

    labels = service.api.list_labels(LabelGroupName="faults", **interval)["LabelSummaries"]
    assert [(label["StartTime"], label["EndTime"]) for label in labels] == [
        (event["EventStartTime"], event["EventEndTime"]) for event in found["InferenceEventSummaries"]
    ]
    assert len(labels) == 2
