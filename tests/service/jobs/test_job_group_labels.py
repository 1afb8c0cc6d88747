"""Trainings with the labels of a label group: what they mean, when they are read, what the model says."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from engine import Detector
from service.jobs import train
from service.jobs.training.training_labels import Label, Labels
from service.members.training_windows import TimeSpan
from service.storage.names import LABEL_GROUP, artefact_key, document_key, labels_of, new_label_id, new_uuid
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.world import World, at, step

WINDOWS = {
    "TrainingDataStartTime": at("2020-01-02"),
    "TrainingDataEndTime": at("2020-01-18"),
    "EvaluationDataStartTime": at("2020-01-18"),
    "EvaluationDataEndTime": at("2020-01-20T12:00"),
    "DataPreProcessingConfiguration": {"TargetSamplingRate": "PT5M"},
}


def group(home: World, *labels: tuple[str, str, str], **more: Any) -> str:
    """Write a label group with labels of (start, end, rating) and return its name."""
    uuid = new_uuid()
    name = f"group-{uuid[:8]}"
    home.runtime.store.create(
        {"pk": LABEL_GROUP, "sk": name, "uuid": uuid, "LabelGroupName": name, "FaultCodes": []}
    )
    for start, end, rating in labels:
        add_label(home, name, start, end, Rating=rating, **more)
    return name


def add_label(home: World, name: str, start: str, end: str, **members: Any) -> None:
    label_id = new_label_id(Decimal(int(at(start))))
    home.runtime.store.create(
        {
            "pk": labels_of(home.get(LABEL_GROUP, name)["uuid"]),
            "sk": label_id,
            "LabelId": label_id,
            "StartTime": at(start),
            "EndTime": at(end),
            **members,
        }
    )


def trained(home: World, dataset: Item, name: str, **members: Any) -> Item:
    config = {"LabelGroupName": name, **members.pop("config", {})}
    model = home.model(dataset, pump.SCHEMA, **WINDOWS, LabelsInputConfiguration=config, **members)
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    return model


def metrics(home: World, model: Item) -> Any:
    return json.loads(home.runtime.service_bucket.get_text(model["metricsKey"]))


def test_a_group_alone_trains_and_evaluates_without_a_role(home: World, dataset: Item) -> None:
    name = group(home, (*pump.FAULT, "ANOMALY"), FaultCode="impeller")
    add_label(home, name, "2020-01-18T10:00", "2020-01-18T11:00", Rating="ANOMALY", FaultCode="ghost")

    model = trained(home, dataset, name)

    found = metrics(home, model)
    assert {"start": "2020-01-19T02:00:00.000000", "end": "2020-01-19T08:00:00.000000"} in found[
        "labeled_ranges"
    ]
    assert found["labeled_event_metrics"]["num_labeled"] == 2
    assert found["fault_codes"] == [
        {"fault_code": "ghost", "num_labeled": 1, "num_identified": 0},
        {"fault_code": "impeller", "num_labeled": 1, "num_identified": 1},
    ]
    assert found["labels_present"] is True
    assert "labels" not in found, "nothing has to be said of them"
    assert home.version(model)["LabelsInputConfiguration"] == {"LabelGroupName": name}


def test_files_and_a_group_count_together(home: World, dataset: Item) -> None:
    home.upload("beside/faults.csv", "2020-01-18T10:00:00,2020-01-18T11:00:00\n")
    name = group(home, (*pump.FAULT, "ANOMALY"))
    files = {"S3InputConfiguration": {"Bucket": home.bucket, "Prefix": "beside/"}}

    model = trained(home, dataset, name, RoleArn=home.role, config=files)

    assert [each["start"][:13] for each in metrics(home, model)["labeled_ranges"]] == [
        "2020-01-18T10",
        "2020-01-19T02",
    ]


def test_neutral_labels_are_neither_found_nor_false_alarms(home: World, dataset: Item) -> None:
    plain = metrics(home, trained(home, dataset, group(home)))
    neutral = metrics(home, trained(home, dataset, group(home, (*pump.FAULT, "NEUTRAL"))))

    assert plain["unknown_event_metrics"]["num_identified"] > 0
    assert (
        neutral["unknown_event_metrics"]["num_identified"] < plain["unknown_event_metrics"]["num_identified"]
    )
    assert neutral["predicted_ranges"] == plain["predicted_ranges"]
    assert (neutral["labeled_ranges"], neutral["labels_present"]) == ([], False)
    report = neutral["labels"]
    assert (report["num_labels"], report["num_neutral"], report["num_no_anomaly"]) == (1, 1, 0)


def test_ratings_reach_the_training(home: World, dataset: Item, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.jobs.training import learn  # noqa: PLC0415  patched here alone

    given: dict[str, Any] = {}
    original = learn.fit

    def fit(frame: Any, **more: Any) -> Detector:
        given.update(more)
        return original(frame, **more)

    monkeypatch.setattr(learn, "fit", fit)
    spans = {
        "labels": ("2020-01-05T00:00", "2020-01-05T01:00", "ANOMALY"),
        "neutral": ("2020-01-06T00:00", "2020-01-06T01:00", "NEUTRAL"),
        "confirmed": ("2020-01-07T00:00", "2020-01-07T01:00", "NO_ANOMALY"),
    }

    trained(home, dataset, group(home, *spans.values()))

    for member, (start, end, _) in spans.items():
        assert [(str(first)[:16], str(last)[:16]) for first, last in given[member]] == [(start, end)]


def test_a_training_keeps_the_labels_that_it_began_with(home: World, dataset: Item) -> None:
    name = group(home, (*pump.FAULT, "ANOMALY"), Notes="secret")
    model = home.model(
        dataset, pump.SCHEMA, train=False, **WINDOWS, LabelsInputConfiguration={"LabelGroupName": name}
    )
    step(home.runtime, train.run, {"Step": "plan", "ModelName": model["ModelName"], "ModelVersion": 1})
    add_label(home, name, "2020-01-18T10:00", "2020-01-18T11:00", Rating="ANOMALY")
    home.runtime.store.delete(LABEL_GROUP, name)

    home.play_training(model["ModelName"])

    model = home.get("model", model["ModelName"])
    assert model["Status"] == "SUCCESS"
    assert metrics(home, model)["labeled_event_metrics"]["num_labeled"] == 1
    kept = home.runtime.service_bucket.get_text(document_key(model["uuid"], "labels-1.json"))
    assert "secret" not in kept
    assert len(json.loads(kept)) == 1


def test_a_group_that_is_gone_fails_the_training_in_words(home: World, dataset: Item) -> None:
    model = home.model(dataset, pump.SCHEMA, **WINDOWS, LabelsInputConfiguration={"LabelGroupName": "gone"})

    assert model["Status"] == "FAILED"
    assert model["FailedReason"] == (
        f"the label group 'gone' of model '{model['ModelName']}' does not exist any more: name "
        "another one with UpdateModel, or create it again, and train again"
    )


def test_an_empty_group_is_told_and_does_not_fail(home: World, dataset: Item) -> None:
    name = group(home)

    model = trained(home, dataset, name)

    assert metrics(home, model)["labels"]["notes"] == [
        f"the label group '{name}' held no label when the training began"
    ]
    assert model["ModelQuality"] == "CANNOT_DETERMINE_QUALITY"


def test_labels_outside_all_data_and_at_any_time_are_told(home: World, dataset: Item) -> None:
    name = group(
        home,
        ("1970-01-01", "1970-01-02", "ANOMALY"),
        ("9999-12-31", "9999-12-31T23:59", "NO_ANOMALY"),
    )

    report = metrics(home, trained(home, dataset, name))["labels"]

    assert (report["num_labels"], report["num_outside_data"]) == (2, 2)
    assert f"of the label group '{name}', read as 1970-01-01T00:00:00Z to 1970-01-02" in report["notes"][0]


def label(start: str, end: str, rating: str) -> Label:
    times = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)]
    return Label(place=f"label {start}", start=times[0], end=times[1], rating=rating)


@pytest.mark.parametrize(
    ("fault", "normal", "contradict"),
    [
        (("2026-01-01", "2026-01-03"), ("2026-01-02", "2026-01-04"), True),
        (("2026-01-01", "2026-01-09"), ("2026-01-02", "2026-01-04"), True),
        (("2026-01-02", "2026-01-02"), ("2026-01-02", "2026-01-02"), True),
        (("2026-01-02", "2026-01-02"), ("2026-01-01", "2026-01-03"), True),
        (("2026-01-01", "2026-01-02"), ("2026-01-02", "2026-01-03"), False),
        (("2026-01-02", "2026-01-03"), ("2026-01-01", "2026-01-02"), False),
        (("2026-01-05", "2026-01-06"), ("2026-01-01", "2026-01-02"), False),
    ],
)
@pytest.mark.parametrize("earlier", [(), (label("2025-12-31", "2026-01-01", "ANOMALY"),)])
def test_labels_that_contradict_each_other_are_told(
    fault: tuple[str, str], normal: tuple[str, str], earlier: tuple[Label, ...], *, contradict: bool
) -> None:
    both = Labels(labels=(label(*normal, "NO_ANOMALY"), *earlier, label(*fault, "ANOMALY")))
    year = TimeSpan(start=Decimal(int(at("2025-12-01"))), end=Decimal(int(at("2026-02-01"))))

    report = both.report(data=year, windows=[year])

    assert report is not None
    assert bool(report["notes"]) == contradict
    if contradict:
        assert report["notes"][0].startswith(
            "1 label with the rating NO_ANOMALY lies at times that others call ANOMALY, which override "
            f"them: label {normal[0]}"
        )


def test_the_artefact_is_the_same_for_the_same_labels(home: World, dataset: Item) -> None:
    home.upload("same/faults.csv", "2020-01-05T00:00:00,2020-01-05T06:00:00\n")
    files = {"S3InputConfiguration": {"Bucket": home.bucket, "Prefix": "same/"}}
    by_file = home.model(dataset, pump.SCHEMA, **WINDOWS, RoleArn=home.role, LabelsInputConfiguration=files)
    by_group = trained(home, dataset, group(home, ("2020-01-05T00:00", "2020-01-05T06:00", "ANOMALY")))

    one, other = (
        home.runtime.service_bucket.find(artefact_key(model["uuid"], 1)) for model in (by_file, by_group)
    )
    assert one is not None
    assert one == other
