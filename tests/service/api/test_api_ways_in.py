"""The API by ways in: what each lets be done, to which resources, and what it says when it does not."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from service.api import OPERATIONS, respond
from service.context import Context
from service.errors import NotAllowedError
from service.requests.authorization import require_allowed
from service.requests.operation_rules import NAMING_MEMBERS, OPERATION_RULES
from service.requests.service_model import service_model
from service.requests.way_in import Level, Tag, WayIn
from service.storage.names import DATASET, MODEL
from tests.service.api.conftest import INPUT, OUTPUT, ROLE, Deploy, Service
from tests.service.api.in_process import in_process

PUMPS = {"Key": "Team", "Value": "pumps"}
VALVES = {"Key": "Team", "Value": "valves"}
TAG = "tag/Team/pumps"


def refusal(call: Callable[..., Any], **request: Any) -> str:
    """Return the reason of a refusal: status 403 and the error that clients handle."""
    with pytest.raises(ClientError) as raised:
        call(**request)
    response = raised.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (
        "AccessDeniedException",
        403,
    )
    message: str = response["Error"]["Message"]
    return message


def code(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    found: str = raised.value.response["Error"]["Code"]
    return found


_tokens = itertools.count()


def creation(name: str, *tags: dict[str, str]) -> dict[str, Any]:
    return {"DatasetName": name, "ClientToken": f"t{next(_tokens)}", "Tags": list(tags)}


@pytest.fixture
def role(service: Service) -> Iterator[Callable[..., str]]:
    """Makes roles with tags."""
    iam, made = service.context.client("iam"), []

    def make(name: str, *tags: dict[str, str]) -> str:
        made.append(f"{name}-{service.context.environment.table}")
        iam.create_role(
            RoleName=made[-1], Path="/lookoutequipment/", AssumeRolePolicyDocument="{}", Tags=list(tags)
        )
        return ROLE.replace("/access", f"/{made[-1]}")

    yield make
    for name in made:
        iam.delete_role(RoleName=name)


@pytest.fixture
def teams(service: Service) -> Service:
    """Two teams: `pumps` has the dataset pump with a model and a scheduler, `valves` the dataset valve.

    Each has a label group.
    """
    service.create_dataset("pump", Tags=[PUMPS])
    service.finish_ingestion(service.start_ingestion("pump"), statistics=[])
    service.trained_model("wear", Tags=[PUMPS])
    service.create_scheduler("watch", Tags=[PUMPS])
    service.create_dataset("valve", Tags=[VALVES])
    service.finish_ingestion(service.start_ingestion("valve"), statistics=[])
    service.create_model("stiction", DatasetName="valve", Tags=[VALVES])
    service.finish_training("stiction")
    service.create_scheduler("listen", ModelName="stiction", Tags=[VALVES])
    for name, tag in (("pump-labels", PUMPS), ("valve-labels", VALVES)):
        service.api.create_label_group(LabelGroupName=name, Tags=[tag])
        service.api.create_label(LabelGroupName=name, StartTime=0, EndTime=1, Rating="ANOMALY")
    return service


class TestTable:
    def test_has_every_operation_of_the_model(self) -> None:
        assert len(OPERATION_RULES) == 49
        assert set(OPERATION_RULES) == set(service_model().operation_names)
        assert set(OPERATIONS) <= set(OPERATION_RULES)

    def test_reading_is_what_describes_and_lists(self) -> None:
        reading = {name for name, rule in OPERATION_RULES.items() if rule.level is Level.READ}
        assert reading == {name for name in OPERATION_RULES if re.match(r"(Describe|List)[A-Z]", name)}

    def test_operating_is_schedulers_and_labels(self) -> None:
        assert {name for name, rule in OPERATION_RULES.items() if rule.level is Level.OPERATE} == {
            *(
                f"{verb}{kind}Scheduler"
                for verb in ("Start", "Stop", "Update")
                for kind in ("Inference", "Retraining")
            ),
            *(f"{verb}LabelGroup" for verb in ("Create", "Update", "Delete")),
            *("CreateLabel", "DeleteLabel"),
        }

    @pytest.mark.parametrize("operation", sorted(OPERATION_RULES))
    def test_holds_every_resource_of_a_request(self, operation: str) -> None:
        """Each request names a resource in a member that is held, or its reply is filtered."""
        rule, shape = OPERATION_RULES[operation], service_model().operation_model(operation).input_shape
        assert shape is not None
        naming = {*NAMING_MEMBERS, "JobId", "ResourceArn"}
        assert rule.widens or rule.lists or naming & set(shape.required_members)
        like_names = {member for member in shape.members if re.search(r"(Name|Arn|Id)$", member)} - {
            "RoleArn",
            "ServerSideKmsKeyId",
            "PolicyRevisionId",
            "LabelId",
        }
        assert rule.widens or like_names <= naming | {"IngestionJobId"}
        if rule.creates is not None:
            assert "Tags" in shape.members
        elif not rule.widens and operation != "TagResource":
            assert "Tags" not in shape.members


@pytest.fixture(scope="module")
def anywhere() -> Context:
    """A service with nothing in it: levels ask for no resource."""
    return in_process().context


@pytest.mark.parametrize("operation", sorted(OPERATION_RULES))
@pytest.mark.parametrize("level", list(Level))
def test_each_level_has_its_operations(anywhere: Context, operation: str, level: Level) -> None:
    context = replace(anywhere, way_in=WayIn(level=level, path="here"))
    needed = OPERATION_RULES[operation].level
    if needed <= level:
        require_allowed(context, operation, {})
        return
    with pytest.raises(NotAllowedError) as raised:
        require_allowed(context, operation, {})
    assert str(raised.value) == (
        f"not authorized to perform lookoutequipment:{operation} by the way in 'here': "
        f"it needs '{needed.name.lower()}'"
    )


@pytest.mark.parametrize(
    "path", ["Read", "write", "read/tag/Team", "read//", "read/../full", "read/name/a%20b"]
)
def test_a_path_that_is_no_way_in_is_refused(service: Service, path: str) -> None:
    assert "way in" in refusal(service.by(path).list_datasets)


def test_levels_over_http(teams: Service) -> None:
    read, operate, full = (teams.by(level) for level in ("read", "operate/", "full"))
    assert read.describe_dataset(DatasetName="pump")["DatasetName"] == "pump"
    assert "it needs 'operate'" in refusal(read.stop_inference_scheduler, InferenceSchedulerName="watch")
    assert operate.stop_inference_scheduler(InferenceSchedulerName="watch")["Status"] in {
        "STOPPING",
        "STOPPED",
    }
    assert "it needs 'full'" in refusal(operate.delete_inference_scheduler, InferenceSchedulerName="watch")
    full.delete_inference_scheduler(InferenceSchedulerName="watch")


@pytest.mark.parametrize("way_in", ["read/name/pump", f"read/{TAG}", f"read/name/pump/{TAG}"])
class TestReading:
    """Of the team `pumps`, whose resources are called pump, wear and watch."""

    def test_one_s_own(self, teams: Service, way_in: str) -> None:
        api = teams.by(way_in)
        assert api.describe_dataset(DatasetName="pump")["DatasetName"] == "pump"
        assert api.list_sensor_statistics(DatasetName="pump")["SensorStatisticsSummaries"] == []
        [job] = api.list_data_ingestion_jobs()["DataIngestionJobSummaries"]
        assert api.describe_data_ingestion_job(JobId=job["JobId"].upper())["DatasetArn"] == job["DatasetArn"]
        assert api.list_tags_for_resource(ResourceArn=job["DatasetArn"])["Tags"] == [PUMPS]
        group = api.describe_label_group(LabelGroupName="pump-labels")
        assert api.list_tags_for_resource(ResourceArn=group["LabelGroupArn"])["Tags"] == [PUMPS]
        [label] = api.list_labels(LabelGroupName="pump-labels")["LabelSummaries"]
        assert api.describe_label(LabelGroupName="pump-labels", LabelId=label["LabelId"])["Rating"]

    def test_others(self, teams: Service, way_in: str) -> None:
        api = teams.by(way_in)
        [job] = teams.api.list_data_ingestion_jobs(DatasetName="valve")["DataIngestionJobSummaries"]
        for call, request in (
            (api.describe_dataset, {"DatasetName": "valve"}),
            (api.describe_data_ingestion_job, {"JobId": job["JobId"]}),
            (api.list_sensor_statistics, {"DatasetName": "valve"}),
            (api.list_sensor_statistics, {"DatasetName": "pump", "IngestionJobId": job["JobId"]}),
            (api.describe_model, {"ModelName": "stiction"}),
            (api.list_model_versions, {"ModelName": "stiction"}),
            (api.describe_model_version, {"ModelName": "stiction", "ModelVersion": 1}),
            (api.describe_inference_scheduler, {"InferenceSchedulerName": "listen"}),
            (api.list_inference_executions, {"InferenceSchedulerName": "listen"}),
            (api.describe_label_group, {"LabelGroupName": "valve-labels"}),
            (api.list_labels, {"LabelGroupName": "valve-labels"}),
            (api.describe_label, {"LabelGroupName": "valve-labels", "LabelId": "0" * 32}),
            (api.list_tags_for_resource, {"ResourceArn": job["DatasetArn"]}),
            (api.list_tags_for_resource, {"ResourceArn": "arn:aws:s3:::bucket"}),
        ):
            assert f"by the way in '{way_in}': " in refusal(call, **request)

    def test_lists(self, teams: Service, way_in: str) -> None:
        api = teams.by(way_in)
        assert names(api.list_datasets()["DatasetSummaries"], "DatasetName") == ["pump"]
        assert names(api.list_data_ingestion_jobs()["DataIngestionJobSummaries"], "DatasetName") == ["pump"]
        assert api.list_data_ingestion_jobs(DatasetName="valve")["DataIngestionJobSummaries"] == []
        own = "name" not in way_in
        assert names(api.list_models()["ModelSummaries"], "ModelName") == (["wear"] if own else [])
        schedulers = api.list_inference_schedulers()["InferenceSchedulerSummaries"]
        assert names(schedulers, "InferenceSchedulerName") == (["watch"] if own else [])
        groups = api.list_label_groups()["LabelGroupSummaries"]
        assert names(groups, "LabelGroupName") == ["pump-labels"]


def names(summaries: list[dict[str, Any]], member: str) -> list[str]:
    return [each[member] for each in summaries]


@pytest.mark.parametrize("way_in", ["read/name/own-", f"read/{TAG}"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_are_full_and_miss_nothing(deploy: Deploy, way_in: str, size: int) -> None:
    service = deploy(datasets=None)
    for number in range(9):
        mine = number % 3 != 1
        service.create_dataset(f"{'own' if mine else 'strange'}-{number}", Tags=[PUMPS if mine else VALVES])
    api = service.by(way_in)
    page = api.list_datasets(MaxResults=size)
    found = [names(page["DatasetSummaries"], "DatasetName")]
    while "NextToken" in page:
        page = api.list_datasets(MaxResults=size, NextToken=page["NextToken"])
        found.append(names(page["DatasetSummaries"], "DatasetName"))
    assert [name for each in found for name in each] == [f"own-{n}" for n in (0, 2, 3, 5, 6, 8)]
    assert all(len(each) == size for each in found[:-1])
    assert found[-1]


def test_a_job_of_a_dataset_that_is_gone_is_nobody_s(teams: Service) -> None:
    [job] = teams.api.list_data_ingestion_jobs(DatasetName="valve")["DataIngestionJobSummaries"]
    teams.api.stop_inference_scheduler(InferenceSchedulerName="listen")
    teams.api.delete_inference_scheduler(InferenceSchedulerName="listen")
    teams.api.delete_dataset(DatasetName="valve")
    teams.create_dataset("valve", Tags=[PUMPS])
    api = teams.by(f"read/{TAG}")
    assert "does not have the tag" in refusal(api.describe_data_ingestion_job, JobId=job["JobId"])
    assert "valve" not in names(api.list_data_ingestion_jobs()["DataIngestionJobSummaries"], "DatasetName")


def test_what_does_not_exist_is_not_found(teams: Service) -> None:
    for way_in in ("read", f"read/{TAG}", "read/name/nothing"):
        assert code(teams.by(way_in).describe_dataset, DatasetName="nothing") == "ResourceNotFoundException"
        assert (
            code(teams.by(way_in).describe_data_ingestion_job, JobId="0" * 32) == "ResourceNotFoundException"
        )


class TestCreating:
    def test_by_name(self, teams: Service) -> None:
        api = teams.by("full/name/pump")
        api.create_dataset(**creation("pump-2"))
        assert "is outside the name 'pump'" in refusal(api.create_dataset, **creation("pump2"))
        assert "is outside the name 'pump'" in refusal(
            api.create_model, ModelName="pump-m", DatasetName="valve", ClientToken="1"
        )
        assert "is outside the name 'pump'" in refusal(
            api.create_model, ModelName="m", DatasetName="pump", ClientToken="1"
        )
        api.create_model(ModelName="pump-m", DatasetName="pump", ClientToken="1")

    def test_by_tag(self, teams: Service) -> None:
        api = teams.by(f"full/{TAG}")
        api.create_dataset(**creation("pump-2", PUMPS, {"Key": "Site", "Value": "north"}))
        for tags in ([], [VALVES], [{"Key": "team", "Value": "pumps"}], [PUMPS, VALVES]):
            assert "must be created with the tag Team=pumps" in refusal(
                api.create_dataset, **creation("pump-3", *tags)
            )
        assert "the dataset 'valve' does not have the tag Team=pumps" in refusal(
            api.create_model, ModelName="m", DatasetName="valve", ClientToken="1", Tags=[PUMPS]
        )
        assert "must be created with the tag" in refusal(
            api.create_model, ModelName="m", DatasetName="pump", ClientToken="1"
        )
        api.create_model(ModelName="m", DatasetName="pump", ClientToken="1", Tags=[PUMPS])

    def test_a_label_group_of_a_model_is_held_too(self, teams: Service) -> None:
        request = {
            "ModelName": "pump-m",
            "DatasetName": "pump",
            "ClientToken": "1",
            "Tags": [PUMPS],
            "LabelsInputConfiguration": {"LabelGroupName": "valve-labels"},
        }
        for way_in in ("full/name/pump", f"full/{TAG}"):
            assert "the label group 'valve-labels'" in refusal(teams.by(way_in).create_model, **request)

    def test_labels_are_made_and_removed_by_operators_of_their_group(self, teams: Service) -> None:
        label = {"StartTime": 0, "EndTime": 1, "Rating": "NEUTRAL"}
        for way_in in ("operate/name/pump", f"operate/{TAG}"):
            api = teams.by(way_in)
            made = api.create_label(LabelGroupName="pump-labels", **label)["LabelId"]
            api.delete_label(LabelGroupName="pump-labels", LabelId=made)
            api.update_label_group(LabelGroupName="pump-labels", FaultCodes=["a"])
            for call, request in (
                (api.create_label, label),
                (api.delete_label, {"LabelId": made}),
                (api.update_label_group, {}),
                (api.delete_label_group, {}),
            ):
                assert "the label group 'valve-labels'" in refusal(
                    call, LabelGroupName="valve-labels", **request
                )
        api = teams.by(f"operate/{TAG}")
        assert "must be created with the tag" in refusal(api.create_label_group, LabelGroupName="more")
        api.create_label_group(LabelGroupName="more", Tags=[PUMPS])
        api.delete_label_group(LabelGroupName="more")
        read = teams.by("read")
        assert "it needs 'operate'" in refusal(read.create_label, LabelGroupName="pump-labels", **label)

    def test_imports_need_all(self, teams: Service) -> None:
        source = teams.api.describe_dataset(DatasetName="valve")["DatasetArn"]
        request = {"SourceDatasetArn": source, "DatasetName": "pump-2", "ClientToken": "1", "Tags": [PUMPS]}
        for way_in in ("full/name/pump", f"full/{TAG}"):
            assert "which only 'full' allows" in refusal(teams.by(way_in).import_dataset, **request)
        assert teams.by("full").import_dataset(**request)["Status"] == "IMPORT_IN_PROGRESS"


class TestChanging:
    @pytest.mark.parametrize("way_in", ["full/name/pump", f"full/{TAG}"])
    def test_others_is_refused(self, teams: Service, way_in: str) -> None:
        api = teams.by(way_in)
        scheduler, model = {"InferenceSchedulerName": "listen"}, {"ModelName": "stiction"}
        for call, request in (
            (api.delete_dataset, {"DatasetName": "valve"}),
            (api.delete_model, model),
            (api.update_model, model),
            (api.start_inference_scheduler, scheduler),
            (api.stop_inference_scheduler, scheduler),
            (api.update_inference_scheduler, scheduler),
            (api.delete_inference_scheduler, scheduler),
        ):
            refusal(call, **request)
        assert teams.api.describe_inference_scheduler(**scheduler)["Status"] == "RUNNING"
        assert teams.context.store.get(DATASET, "valve") is not None
        assert teams.context.store.get(MODEL, "stiction") is not None

    def test_one_s_own(self, teams: Service) -> None:
        api = teams.by(f"full/{TAG}")
        api.stop_inference_scheduler(InferenceSchedulerName="watch")
        api.delete_inference_scheduler(InferenceSchedulerName="watch")
        api.delete_model(ModelName="wear")
        api.delete_dataset(DatasetName="pump")


class TestTagging:
    def arn(self, service: Service, name: str) -> str:
        found: str = service.api.describe_dataset(DatasetName=name)["DatasetArn"]
        return found

    def test_cannot_leave_the_tag(self, teams: Service) -> None:
        api, own = teams.by(f"full/{TAG}"), self.arn(teams, "pump")
        site = {"Key": "Site", "Value": "north"}
        for call, request in (
            (api.tag_resource, {"Tags": [site, VALVES]}),
            (api.untag_resource, {"TagKeys": ["Site", "Team"]}),
        ):
            assert "the tag 'Team' decides who has access" in refusal(call, ResourceArn=own, **request)
        api.tag_resource(ResourceArn=own, Tags=[PUMPS, site])
        api.untag_resource(ResourceArn=own, TagKeys=["Site"])
        assert api.list_tags_for_resource(ResourceArn=own)["Tags"] == [PUMPS]

    @pytest.mark.parametrize("way_in", ["full/name/pump", f"full/{TAG}"])
    def test_cannot_take_others_in(self, teams: Service, way_in: str) -> None:
        api, strange = teams.by(way_in), self.arn(teams, "valve")
        refusal(api.tag_resource, ResourceArn=strange, Tags=[PUMPS])
        refusal(api.untag_resource, ResourceArn=strange, TagKeys=["Team"])
        assert teams.api.list_tags_for_resource(ResourceArn=strange)["Tags"] == [VALVES]

    def test_a_version_is_held_by_its_model(self, teams: Service) -> None:
        api = teams.by(f"full/{TAG}")
        for model, held in (("wear", True), ("stiction", False)):
            version = teams.api.describe_model_version(ModelName=model, ModelVersion=1)["ModelVersionArn"]
            if held:
                assert api.list_tags_for_resource(ResourceArn=version)["Tags"] == []
            else:
                refusal(api.list_tags_for_resource, ResourceArn=version)

    def test_an_arn_of_a_namesake_that_is_gone(self, teams: Service) -> None:
        gone = self.arn(teams, "pump").rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"
        refusal(teams.by(f"full/{TAG}").tag_resource, ResourceArn=gone, Tags=[PUMPS])


class TestRoles:
    """By tag, since names alone decide whom a role trusts, and anyone may take a free name."""

    def test_of_others_are_refused(self, teams: Service, role: Callable[..., str]) -> None:
        api = teams.by(f"full/{TAG}")
        ingestion = {
            "DatasetName": "pump",
            "ClientToken": "1",
            "IngestionInputConfiguration": {"S3InputConfiguration": {"Bucket": "customer"}},
        }
        for strange in (role("plain"), role("valves", VALVES)):
            assert "does not have the tag Team=pumps: tag the role" in refusal(
                api.start_data_ingestion_job, RoleArn=strange, **ingestion
            )
            assert "tag the role" in refusal(
                api.update_inference_scheduler, InferenceSchedulerName="watch", RoleArn=strange
            )
        assert "there is no role" in refusal(api.start_data_ingestion_job, RoleArn=ROLE, **ingestion)
        elsewhere = ROLE.replace("/lookoutequipment/", "/")
        assert code(api.start_data_ingestion_job, RoleArn=elsewhere, **ingestion) == "ValidationException"
        api.start_data_ingestion_job(RoleArn=role("pumps", PUMPS), **ingestion)

    def test_of_a_new_scheduler(self, teams: Service, role: Callable[..., str]) -> None:
        teams.trained_model("wear-2", Tags=[PUMPS])
        request = {
            "InferenceSchedulerName": "new",
            "ModelName": "wear-2",
            "DataUploadFrequency": "PT5M",
            "DataInputConfiguration": INPUT,
            "DataOutputConfiguration": OUTPUT,
            "ClientToken": "1",
            "Tags": [PUMPS],
        }
        api = teams.by(f"full/{TAG}")
        refusal(api.create_inference_scheduler, RoleArn=role("plain"), **request)
        api.create_inference_scheduler(RoleArn=role("pumps", PUMPS), **request)


def test_a_role_is_refused_when_iam_does_not_answer(teams: Service) -> None:
    """As in a VPC without a route to IAM, which has no endpoint in most Regions."""

    class Unreachable:
        def list_role_tags(self, **_: str) -> None:
            raise ConnectTimeoutError(endpoint_url="https://iam.amazonaws.com/")

    context = teams.context
    way_in = replace(
        context,
        client=lambda name: Unreachable() if name == "iam" else context.client(name),
        way_in=WayIn(level=Level.FULL, tag=Tag(key="Team", value="pumps"), path=f"full/{TAG}"),
    )
    request = {"DatasetName": "pump", "RoleArn": ROLE}
    with pytest.raises(NotAllowedError, match="IAM does not answer: the subnets of the API function need"):
        require_allowed(way_in, "StartDataIngestionJob", request)


def test_the_refusal_has_the_shape_of_the_service_s_errors(service: Service) -> None:
    reply = respond(
        {
            "headers": {"X-Amz-Target": "AWSLookoutEquipmentFrontendService.DeleteModel"},
            "body": json.dumps({"ModelName": "m"}),
            "pathParameters": {"proxy": "read"},
            "requestContext": {"stage": "v1", "path": "/v1/read"},
        },
        service.context,
    )
    assert reply["statusCode"] == 403
    assert json.loads(reply["body"]) == {
        "__type": "com.amazonaws.thorbrain#AccessDeniedException",
        "Message": "not authorized to perform lookoutequipment:DeleteModel by the way in 'read': "
        "it needs 'full'",
    }
