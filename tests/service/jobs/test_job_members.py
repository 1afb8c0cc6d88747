"""Every member of a reply that tells of the work of jobs is filled by that work.

The cases of `test_api_conformance` write the records of finished work themselves. Here ingestions, trainings,
inference, retrainings and imports write them, and members that none of them fills are listed with reasons.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from service.context import Context
from service.jobs import ingest
from service.requests.service_model import service_model
from service.schedulers.retraining import retrain_if_due
from service.storage.names import SCHEDULER
from tests.embedded import EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.test_job_api import Call, caller, new_context
from tests.service.jobs.world import World, at, rows, schema, step

STEP = timedelta(minutes=5)
FAULT = ("2026-01-16T02:00", "2026-01-16T08:00")
SENSORS = {"drive": ("speed", "current"), "hydraulics": ("flow", "pressure"), "odd": ("hours", "valve")}

KEYS = "a key is echoed as it was sent: test_api_keys, test_job_keys"
PAGES = "lists have pages: test_api_conformance"
UNFILLED: Mapping[str, str] = {
    "ServerSideKmsKeyId": KEYS,
    "KmsKeyId": KEYS,
    "NextToken": PAGES,
}
"""Members that the work here leaves out, each with the reason."""


def members(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, bool]]:
    """Every member of a reply by its path, and whether the reply has it."""
    if isinstance(shape, ListShape):
        for entry in value or [None]:
            yield from members(shape.member, entry, path)
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            inner = (value or {}).get(name)
            yield f"{path}.{name}", inner is not None
            yield from members(member, inner, f"{path}.{name}")


@dataclass
class Story:
    """A plant from its files to imported copies, and the members that its replies have had."""

    world: World
    context: Context
    call: Call
    every: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)

    def look(self, operation: str, **request: Any) -> None:
        """Call an operation and note which members its reply has."""
        reply = self.call(operation, **request)
        shape = service_model().operation_model(operation).output_shape
        for path, there in members(shape, reply, operation):
            self.every.add(path)
            if there:
                self.filled.add(path)

    def place(self, prefix: str, **more: str) -> dict[str, Any]:
        return {"Bucket": self.world.bucket, "Prefix": prefix, **more}

    def ingest(self) -> None:
        """An ingestion with something of everything, and one that fails."""
        history = list(pump.history("2026-01-01", count=16 * 288, step=STEP, faults=(FAULT,)))
        odd = [
            ("2025-11-01T00:00", 0, 0),
            *((row.time.isoformat(), n, n % 2) for n, row in enumerate(history)),
        ]
        self.world.upload("train/drive/1.csv", pump.drive(history))
        self.world.upload("train/hydraulics/1.csv", pump.hydraulics(history))
        self.world.upload("train/odd/1.csv", rows(("Timestamp", *SENSORS["odd"]), odd))
        self.world.upload("train/odd/notes.txt", "no CSV file")
        self.world.set_clock("2026-01-17T00:00")
        whole = {"InlineDataSchema": schema(**SENSORS)}
        self.call("CreateDataset", DatasetName="plant", DatasetSchema=whole, ClientToken="t")
        for prefix in ("train/", "nothing/"):
            source = self.place(prefix, KeyPattern="{prefix}/{component_name}/*")
            job = self.call(
                "StartDataIngestionJob",
                DatasetName="plant",
                IngestionInputConfiguration={"S3InputConfiguration": source},
                RoleArn=self.world.role,
                ClientToken=prefix,
            )["JobId"]
            self.look("DescribeDataIngestionJob", JobId=job)
            self.world.play_ingestion(job)
            self.look("DescribeDataIngestionJob", JobId=job)
        for operation in ("DescribeDataset", "ListSensorStatistics", "ListDataIngestionJobs"):
            self.look(operation, DatasetName="plant")

    def train(self) -> None:
        """A training with everything: windows, labels, off condition, rate, diagnostics; one fails."""
        self.world.upload("labels/1.csv", f"{FAULT[0]},{FAULT[1]}\n")
        self.call("CreateLabelGroup", LabelGroupName="faults", ClientToken="t")
        self.call(
            "CreateModel",
            ModelName="wear",
            DatasetName="plant",
            DatasetSchema={"InlineDataSchema": pump.SCHEMA},
            TrainingDataStartTime=at("2026-01-01"),
            TrainingDataEndTime=at("2026-01-15"),
            EvaluationDataStartTime=at("2026-01-15"),
            EvaluationDataEndTime=at("2026-01-17"),
            DataPreProcessingConfiguration={"TargetSamplingRate": "PT5M"},
            OffCondition="drive\\speed < 100",
            LabelsInputConfiguration={
                "S3InputConfiguration": self.place("labels/"),
                "LabelGroupName": "faults",
            },
            ModelDiagnosticsOutputConfiguration={"S3OutputConfiguration": self.place("points/")},
            RoleArn=self.world.role,
            ClientToken="t",
        )
        self.world.play_training("wear")
        nothing = {"S3InputConfiguration": self.place("nothing/")}
        self.call(
            "CreateModel",
            ModelName="broken",
            DatasetName="plant",
            LabelsInputConfiguration=nothing,
            RoleArn=self.world.role,
            ClientToken="u",
        )
        self.world.play_training("broken")
        self.look("DescribeModel", ModelName="broken")
        self.call(
            "CreateRetrainingScheduler",
            ModelName="wear",
            RetrainingFrequency="P30D",
            LookbackWindow="P180D",
            ClientToken="t",
        )
        self.look("DescribeRetrainingScheduler", ModelName="wear")
        self.look("ListRetrainingSchedulers")

    def infer(self) -> None:
        """Two windows with an event, and one without files."""
        fault = ("2026-01-17T09:50", "2026-01-17T10:40")
        fresh = list(pump.history("2026-01-17T09:30", count=13, step=STEP, faults=(fault,)))
        self.world.upload("in/drive_20260117093000.csv", pump.drive(fresh))
        self.world.upload("in/hydraulics_20260117093000.csv", pump.hydraulics(fresh))
        self.world.set_clock("2026-01-17T09:40")
        naming = {"TimestampFormat": "yyyyMMddHHmmss", "ComponentTimestampDelimiter": "_"}
        self.look(
            "CreateInferenceScheduler",
            InferenceSchedulerName="watch",
            ModelName="wear",
            DataUploadFrequency="PT30M",
            DataInputConfiguration={
                "S3InputConfiguration": self.place("in/"),
                "InputTimeZoneOffset": "+00:00",
                "InferenceInputNameConfiguration": naming,
            },
            DataOutputConfiguration={"S3OutputConfiguration": self.place("out/")},
            RoleArn=self.world.role,
            ClientToken="t",
        )
        self.world.set_clock("2026-01-17T11:00:05")
        outcomes = self.world.tick(self.world.get(SCHEDULER, "watch"))
        assert sorted(outcomes.values()) == ["FAILED", "SUCCESS", "SUCCESS"]
        name = {"InferenceSchedulerName": "watch"}
        self.look("DescribeInferenceScheduler", **name)
        self.look("ListInferenceSchedulers")
        self.look("ListInferenceExecutions", **name)
        day = {"IntervalStartTime": at("2026-01-17"), "IntervalEndTime": at("2026-01-18")}
        self.look("ListInferenceEvents", **name, **day)

    def retrain(self) -> None:
        """A retraining whose version is activated by hand, and one that fails: its labels are gone."""
        self.retrain_at("2026-01-18T00:01", number=2)
        self.look("UpdateActiveModelVersion", ModelName="wear", ModelVersion=2)
        self.look("DescribeModel", ModelName="wear")
        self.world.customer.delete_object(Bucket=self.world.bucket, Key="labels/1.csv")
        self.retrain_at("2026-02-17T00:01", number=3)
        self.look("DescribeModel", ModelName="wear")
        for number in (1, 2, 3):
            self.look("DescribeModelVersion", ModelName="wear", ModelVersion=number)
        self.look("ListModels")
        self.look("ListModelVersions", ModelName="wear")

    def retrain_at(self, time: str, *, number: int) -> None:
        self.world.set_clock(time)
        scheduler = self.context.records.retraining_scheduler("wear")
        assert scheduler is not None
        assert retrain_if_due(self.context, scheduler)
        self.world.play_training("wear", number)

    def copy(self) -> None:
        """Imports of the dataset and of the first version."""
        source = self.call("DescribeDataset", DatasetName="plant")["DatasetArn"]
        request = {"SourceDatasetArn": source, "DatasetName": "copy", "ClientToken": "t"}
        job = self.call("ImportDataset", **request)["JobId"]
        self.play_import({"JobId": job})
        self.look("DescribeDataIngestionJob", JobId=job)
        self.look("DescribeDataset", DatasetName="copy")
        self.look("ListDatasets")
        version = self.call("DescribeModelVersion", ModelName="wear", ModelVersion=1)["ModelVersionArn"]
        self.look(
            "ImportModelVersion",
            SourceModelVersionArn=version,
            DatasetName="copy",
            ModelName="twin",
            ClientToken="t",
        )
        self.play_import({"ModelName": "twin", "ModelVersion": 1})
        self.look("DescribeModel", ModelName="twin")
        self.look("DescribeModelVersion", ModelName="twin", ModelVersion=1)

    def play_import(self, work: Mapping[str, Any]) -> None:
        step(self.world.runtime, ingest.run, {"Step": "import", "Work": {**work, "Import": True}})


def test_work_fills_every_member(jobs_aws: EmbeddedAws, world: World) -> None:
    context = new_context(jobs_aws, world)
    story = Story(world=world, context=context, call=caller(context))
    story.ingest()
    story.train()
    story.infer()
    story.retrain()
    story.copy()

    empty = {path for path in story.every - story.filled if path.rpartition(".")[2] not in UNFILLED}
    assert empty == set(), "no work fills these members, and nobody says why"
    assert {path.rpartition(".")[2] for path in story.every - story.filled} == set(UNFILLED)
