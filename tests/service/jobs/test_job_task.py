"""A training as a plain process: the command that AWS Batch runs, on the embedded AWS."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.jobs import task, train
from service.jobs.training import train_version
from service.reconciliation.failed_reason import reason_of
from service.storage.names import MODEL
from service.storage.store import Item
from tests.embedded import ACCOUNT, CREDENTIALS, EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.world import World, at
from tests.waiting import awaited

ROOT = Path(__file__).resolve().parents[3]


def variables(aws: EmbeddedAws, **more: str) -> dict[str, str]:
    """The environment of a task: that of a function, on the embedded AWS."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "lambdas"),
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "L4E_ACCOUNT": ACCOUNT,
        "L4E_TABLE": "l4e",
        "L4E_BUCKET": "service",
        "L4E_METRIC_NAMESPACE": "LookoutEquipment",
        **more,
    }


def process(aws: EmbeddedAws, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "service.jobs.task", *arguments],
        env=variables(aws, **more),
        capture_output=True,
        text=True,
        check=False,
    )


def event_of(model: Item) -> str:
    return json.dumps({"ModelName": model["ModelName"], "ModelVersion": 1})


def lines(run: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    """What the process logged, without the traceback of a failure."""
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def test_trains_as_the_function_does_and_again_changes_nothing(
    jobs_aws: EmbeddedAws, home: World, dataset: Item, model: Item
) -> None:
    twin = home.model(dataset, pump.SCHEMA, train=False, **asked_for(model))

    run = process(jobs_aws, "train", event_of(twin))

    assert run.returncode == 0, run.stdout + run.stderr
    trained = home.get(MODEL, twin["ModelName"])
    assert (trained["Status"], trained["ActiveModelVersion"]) == ("SUCCESS", 1)
    metrics = [home.runtime.service_bucket.get_text(item["metricsKey"]) for item in (model, trained)]
    assert metrics[0] == metrics[1]
    told = lines(run)
    messages = ["task started", "training succeeded", "short training history", "task done"]
    assert [line["message"] for line in told] == messages
    assert told[-1]["Status"] == "SUCCESS"
    assert told[-1]["PeakMiB"] > 0

    again = process(jobs_aws, "train", L4E_EVENT=event_of(twin))

    assert again.returncode == 0
    assert home.get(MODEL, twin["ModelName"]) == trained


def asked_for(model: Item) -> dict[str, Any]:
    """What a request said of how to train, for another model that is trained the same way."""
    asked = {
        name: model[name]
        for name in (
            "RoleArn",
            "TrainingDataEndTime",
            "EvaluationDataStartTime",
            "LabelsInputConfiguration",
            "DataPreProcessingConfiguration",
            "OffCondition",
        )
    }
    return {**asked, "EvaluationDataEndTime": at("2020-03-01")}


def test_a_failure_has_the_reason_the_function_would_give(
    jobs_aws: EmbeddedAws, home: World, dataset: Item
) -> None:
    wrong = {"TrainingDataStartTime": at("2021-01-01"), "TrainingDataEndTime": at("2021-06-01")}
    expected = home.model(dataset, pump.SCHEMA, **wrong)["FailedReason"]
    model = home.model(dataset, pump.SCHEMA, train=False, **wrong)

    run = process(jobs_aws, "train", event_of(model))

    assert run.returncode == 1
    failed = home.get(MODEL, model["ModelName"])
    assert (failed["Status"], failed["FailedReason"]) == ("FAILED", expected)
    assert home.version(model)["FailedReason"] == expected
    assert [line["message"] for line in lines(run)] == ["task started", "training failed"]
    assert "Traceback" in run.stdout

    caught = {"Error": "States.TaskFailed", "Cause": json.dumps(ended("Essential container in task exited"))}
    train.fail(home.runtime, {"ModelName": model["ModelName"], "ModelVersion": 1}, caught)
    assert home.get(MODEL, model["ModelName"]) == failed, "the first reason stays"


def test_an_internal_error_is_recorded_as_one(
    home: World, dataset: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = home.model(dataset, pump.SCHEMA, train=False)

    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(train_version, "learn", broken)
    assert task.work(home.runtime, json.loads(event_of(model))) == 1
    assert home.get(MODEL, model["ModelName"])["FailedReason"] == (
        f"the service could not finish the training of model '{model['ModelName']}' because of an internal "
        f"error: RuntimeError: a fault of ours; look for execution '{model['uuid']}-1' of the state machine"
    )


def test_shows_that_it_is_alive(
    home: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def patient(*_: object) -> dict[str, str]:
        def said() -> bool:
            return any("task at work" in text for text in caplog.messages)

        awaited(said, bool, pause=0.01)
        return {"Status": "SUCCESS"}

    monkeypatch.setattr(train, "run", patient)
    with caplog.at_level("INFO", "service.jobs"):
        assert task.work(home.runtime, {"ModelName": "pump", "ModelVersion": 1}, log_interval=0.001) == 0
    at_work = next(json.loads(text) for text in caplog.messages if "task at work" in text)
    assert at_work.keys() == {"message", "Seconds", "PeakMiB"}


@pytest.mark.parametrize("arguments", [(), ("train",), ("ingest", "{}"), ("train", "{}", "more")])
def test_wrong_usage(
    arguments: tuple[str, ...], jobs_aws: EmbeddedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert task.main(arguments, {}) == 2
    assert capsys.readouterr().err.startswith("usage: python -m service.jobs.task train [EVENT]")


def test_without_its_environment_it_ends_badly(jobs_aws: EmbeddedAws) -> None:
    run = process(jobs_aws, "train", '{"ModelName": "pump", "ModelVersion": 1}', L4E_SETTINGS="[]")
    assert run.returncode == 1
    assert "settings must be a JSON object" in run.stderr


def ended(status: str, **container: object) -> dict[str, object]:
    """What Step Functions says of a task that failed: the description of the job, members in capitals."""
    return {
        "JobName": "x",
        "Attempts": [],
        "Container": {"ExitCode": 137, **container},
        "StatusReason": status,
    }


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            ended(
                "Essential container in task exited",
                Reason="OutOfMemoryError: container killed",
                LogStreamName="large/1",
            ),
            "OutOfMemoryError: container killed; Essential container in task exited; log stream 'large/1'",
        ),
        (ended("Job attempt duration exceeded timeout"), "Job attempt duration exceeded timeout"),
        ({"StatusReason": "Terminated"}, "Terminated"),
    ],
)
def test_a_task_that_could_not_say_why(cause: dict[str, object], said: str) -> None:
    error = {"Error": "States.TaskFailed", "Cause": json.dumps(cause)}
    assert reason_of(error, work="the training of model 'pump'", execution="u-1") == (
        "the service could not finish the training of model 'pump' because of an internal error: "
        f"States.TaskFailed: {said}; look for execution 'u-1' of the state machine"
    )
