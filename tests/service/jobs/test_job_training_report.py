"""What a training tells of its rows: what was not learned, how far slow faults count, how wide limits are."""

import json
import logging
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from engine import Detector, Frame, LearnedChange, Silence, fit
from service.jobs.training.model_metrics import model_metrics
from service.jobs.training.training_report import training_report
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.test_job_documents import EVALUATED, SENSORS, documented, evaluation
from tests.service.jobs.world import World, at


@cache
def _fitted() -> Detector:
    rng = np.random.default_rng(3)
    rows, hour = 1000, np.timedelta64(3600, "s")
    load = rng.normal(size=rows)
    values = np.column_stack([load, load]) + rng.normal(scale=0.2, size=(rows, 2))
    times = np.datetime64("2026-01-01T00:00:00", "us") + np.arange(rows) * hour
    return fit(Frame(sensors=SENSORS, times=times, values=values, off=np.zeros(rows, bool), step=hour))


def trained(*, held: float = 1.0, trust: float = 1.0, **changes: Any) -> Detector:
    """A detector as a training could leave it."""
    slow = _fitted().slow
    assert slow is not None
    slow = replace(slow, held=held, trust=trust)
    none = np.zeros((0, 2), "datetime64[us]")
    return replace(_fitted(), **{"slow": slow, "trimmed": 0.0, "left_out": none, "widening": 1.0, **changes})


LEFT_OUT = {
    "trimmed": 0.0312,
    "left_out": np.array(
        [["2026-01-03T04:00", "2026-01-03T20:00"], ["2026-01-09T00:00", "2026-01-10T06:30"]],
        "datetime64[us]",
    ),
}


@pytest.mark.parametrize(
    ("detector", "told"),
    [
        (
            trained(**LEFT_OUT),
            (
                "3.1 % of the training rows were not learned, as they look like faults that no label "
                "names; the longest stretch is from 2026-01-09T00:00:00Z to 2026-01-10T06:30:00Z: label "
                "it, as an anomaly if it was one, with the rating NO_ANOMALY if the machine runs like that"
            ),
        ),
        (
            trained(trust=0.4),
            (
                "faults that grow over days count in part, because the training window holds less than two "
                "weeks of running: choose a longer one, or set the tag lookoutequipment:adaptation = hold "
                "if levels have to stay"
            ),
        ),
        (
            trained(held=0.0, trust=0.0),
            (
                "faults that grow over days are taken for drift of the plant, because levels drifted in "
                "the training window, too: choose a longer one, or set the tag lookoutequipment:adaptation "
                "= hold if levels have to stay"
            ),
        ),
        (
            trained(slow=None),
            (
                "faults that grow over days are taken for drift of the plant, because the training window "
                "holds too few rows: choose a longer one"
            ),
        ),
        (
            trained(widening=2.44),
            (
                "limits for faults of minutes to hours are 2.4 times as wide as usual, as the second half "
                "of the training window is unlike the first, so that smaller faults go unseen: choose a "
                "window that holds every way in which the machine runs more than once"
            ),
        ),
    ],
)
def test_each_finding_is_told_with_its_cure(detector: Detector, told: str) -> None:
    report = training_report(detector, None)
    assert report is not None
    assert report["notes"] == [told]


LEARNED_CHANGE = LearnedChange(
    share=0.4821,
    sensor=SENSORS[1],
    first=np.datetime64("2026-01-12T00:00", "us"),
    last=np.datetime64("2026-01-14T12:00", "us"),
)


def test_change_that_was_learned_unconfirmed_is_told() -> None:
    report = training_report(trained(learned_change=LEARNED_CHANGE), None)
    assert report is not None
    assert report["unconfirmed_percent"] == 48.21
    (note,) = report["notes"]
    assert note == (
        "48 % of the training rows were learned although the version before alarmed there, or no longer "
        "counted the level of a sensor, and nobody has confirmed that: too few rows are left without them, "
        f"or levels drift; the longest stretch is that of {SENSORS[1]} from 2026-01-12T00:00:00Z to "
        "2026-01-14T12:00:00Z: label it, as an anomaly if it was one, with the rating NO_ANOMALY if the "
        "machine runs like that"
    )


SILENT_ROWS = ("2026-01-12T00:00:00", "2026-01-14T12:00:00")


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.0712, "7.1 % of the training rows were not learned, as sensors have no value there"),
        (
            0.0,
            "rows on which sensors have no value were learned with their last ones, as few others are left",
        ),
    ],
)
def test_silent_sensors_are_told(share: float, told: str) -> None:
    first, last = (np.datetime64(each, "us") for each in SILENT_ROWS)
    silence = Silence(share=share, sensor=SENSORS[1], first=first, last=last)
    report = training_report(trained(), silence)
    assert report is not None
    assert report["silent_percent"] == round(100 * share, 2)
    (note,) = report["notes"]
    assert note == (
        f"{told}; {SENSORS[1]} on most rows, the longest from {SILENT_ROWS[0]}Z to {SILENT_ROWS[1]}Z: choose "
        "a window in which it reports, or leave it out of the schema of the model"
    )


def test_the_numbers_are_beside_the_words() -> None:
    report = training_report(trained(**LEFT_OUT, held=0.5, trust=0.25, widening=3.0), None)
    assert report is not None
    assert len(report.pop("notes")) == 3
    assert report == {
        "not_learned_percent": 3.12,
        "not_learned": [
            {"start": "2026-01-03T04:00:00.000000", "end": "2026-01-03T20:00:00.000000"},
            {"start": "2026-01-09T00:00:00.000000", "end": "2026-01-10T06:30:00.000000"},
        ],
        "unconfirmed_percent": 0.0,
        "silent_percent": 0.0,
        "slow_faults": 0.25,
        "limits_widened": 3.0,
    }


@pytest.mark.parametrize("changes", [{}, {"adaptation": "follow", "trust": 0.0}, {"adaptation": "hold"}])
def test_nothing_to_tell_needs_no_words(changes: dict[str, Any]) -> None:
    assert training_report(trained(**changes), None) is None
    assert "training" not in json.loads(model_metrics(evaluation(), sensors=SENSORS, **EVALUATED))


def test_what_holds_its_levels_counts_slow_faults_in_full() -> None:
    """Under `hold` the trust of training does not matter."""
    report = training_report(trained(held=0.0, trust=0.0, adaptation="hold", **LEFT_OUT), None)
    assert report is not None
    assert (report["slow_faults"], len(report["notes"])) == (1.0, 1)


def test_every_member_is_on_the_page_of_the_metrics() -> None:
    assert documented("training", training_report(trained(trust=0.5), None))


def test_the_log_and_the_metrics_tell_it(
    home: World, dataset: Item, caplog: pytest.LogCaptureFixture
) -> None:
    """The fault of the pump has no label here, and lies in the training window."""
    caplog.set_level(logging.INFO)
    model = home.model(
        dataset,
        pump.SCHEMA,
        TrainingDataEndTime=at("2020-01-19T12:00"),
        EvaluationDataStartTime=at("2020-01-19T12:00"),
        EvaluationDataEndTime=at("2020-01-20"),
    )
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    told = json.loads(home.runtime.service_bucket.get_text(model["metricsKey"])).get("training")
    assert told, "the metrics say nothing of the training"
    (stretch,) = told["not_learned"]
    assert stretch["start"][:16] < pump.FAULT[0] < pump.FAULT[1] < stretch["end"]
    (line,) = [record for record in caplog.messages if record.startswith('{"message": "training"')]
    assert json.loads(line) == {
        "message": "training",
        "ModelName": model["ModelName"],
        "ModelVersion": 1,
        **told,
    }
