"""The Lambda entry points, with the environment of the function."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from service.jobs import infer, ingest, runtime, train
from service.jobs.failure import JobFailed
from service.jobs.runtime import current_runtime
from tests.embedded import ACCOUNT, EmbeddedAws


@dataclass
class LambdaContext:
    """What Lambda passes as the second argument."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@pytest.fixture
def function(jobs_aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("L4E_ACCOUNT", ACCOUNT)
    monkeypatch.setenv("L4E_TABLE", "l4e")
    monkeypatch.setenv("L4E_BUCKET", "service")
    monkeypatch.setenv("L4E_METRIC_NAMESPACE", "Plant")
    monkeypatch.setenv("L4E_SETTINGS", '{"minimum_training_days": 1}')
    current_runtime.cache_clear()
    yield
    current_runtime.cache_clear()


@pytest.mark.usefixtures("function")
def test_the_environment_becomes_the_runtime() -> None:
    found = current_runtime()
    assert (found.bucket, found.metric_namespace, found.settings.minimum_training_days) == (
        "service",
        "Plant",
        1,
    )
    assert found.store.table == "l4e"


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize(("blas", "warned"), [(None, True), ("scipy-openblas", False)])
def test_a_numpy_without_blas_is_warned_of_with_the_fix(
    blas: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, warned: bool
) -> None:
    monkeypatch.setattr(runtime, "blas_name", lambda: blas)
    current_runtime()
    warnings = [each for each in caplog.records if each.levelname == "WARNING"]
    assert len(warnings) == warned
    if warned:
        said = json.loads(warnings[0].getMessage())["message"]
        assert said.startswith("numpy has no BLAS: trainings take 10 to 100 times as long")
        assert "Deploy EquipmentService without numeric_layer" in said


@pytest.mark.usefixtures("function")
def test_handlers_of_what_does_not_exist() -> None:
    event = {"InferenceSchedulerName": "none", "Uuid": "none"}
    assert infer.handler(event, LambdaContext()) == {"InferenceSchedulerName": "none", "Executions": {}}
    train_event = {"Step": "train", "ModelName": "none", "ModelVersion": 1}
    assert train.handler(train_event, LambdaContext())["Status"] == "DELETED"
    with pytest.raises(JobFailed, match="ingestion job 'none' does not exist: start a new one"):
        ingest.handler({"Step": "plan", "JobId": "none"}, LambdaContext())


@pytest.mark.usefixtures("function")
def test_the_inference_function_says_what_it_works_with() -> None:
    assert infer.handler({"Step": "libraries"}, LambdaContext()) == {
        "Numpy": np.__version__,
        "Pyarrow": pa.__version__,
        "Blas": "scipy-openblas",
    }
