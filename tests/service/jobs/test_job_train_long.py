"""What trainings do at the size of the quota, at the size of a test."""

import gzip
import json
from typing import Any

import numpy as np
import pytest

from engine.frame import matrix
from service.jobs.training import learn
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.world import World, at


def trained(home: World, dataset: Item) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Metrics and diagnostics of a model with an evaluation window."""
    home.upload("labels/faults.csv", f"start,end\n{pump.FAULT[0]},{pump.FAULT[1]}\n")
    model = home.model(
        dataset,
        pump.SCHEMA,
        RoleArn=home.role,
        EvaluationDataStartTime=at("2020-01-18"),
        EvaluationDataEndTime=at("2020-03-01"),
        LabelsInputConfiguration={"S3InputConfiguration": {"Bucket": home.bucket, "Prefix": "labels/"}},
        ModelDiagnosticsOutputConfiguration={
            "S3OutputConfiguration": {"Bucket": home.bucket, "Prefix": "long/"}
        },
    )
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    key = home.version(model)["ModelDiagnosticsResultsObject"]["Key"]
    lines = gzip.decompress(home.download(key)).decode().splitlines()
    return json.loads(home.runtime.service_bucket.get_text(model["metricsKey"])), [
        json.loads(line) for line in lines
    ]


def test_half_the_bytes_and_scoring_in_parts_come_to_the_same(
    home: World, dataset: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, lines = trained(home, dataset)
    monkeypatch.setattr(matrix, "FLOAT64_VALUES", 1000)
    monkeypatch.setattr(learn, "PART_ROWS", 500)
    built: list[np.dtype[Any]] = []
    score = learn.score_in_batches

    def spied(detector: Any, frame: Any, *, rows: int) -> Any:
        built.append(frame.values.dtype)
        return score(detector, frame, rows=rows)

    monkeypatch.setattr(learn, "score_in_batches", spied)

    halved, parts = trained(home, dataset)

    assert built == [np.float32]
    assert len(parts) == len(lines) == 3 * 1440
    assert [line["timestamp"] for line in parts] == [line["timestamp"] for line in lines]
    scores = np.array(
        [[one["anomaly_score"], other["anomaly_score"]] for one, other in zip(parts, lines, strict=True)]
    )
    np.testing.assert_allclose(scores[:, 0], scores[:, 1], atol=2e-3)
    for one, other in zip(halved["predicted_ranges"], metrics["predicted_ranges"], strict=True):
        assert (one["start"], one["end"]) == (other["start"], other["end"])
        for mine, theirs in zip(one["diagnostics"], other["diagnostics"], strict=True):
            assert mine["name"] == theirs["name"]
            assert mine["value"] == pytest.approx(theirs["value"], abs=2e-3)
    assert halved["labeled_event_metrics"] == metrics["labeled_event_metrics"]
