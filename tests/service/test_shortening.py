"""Documents about sensors within the length of the API: what is kept and counted, what old clients read."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4e_cli.demo.findings import Evaluation
from service.members.shortening import longest, shortened_diagnostics, shortened_metrics
from service.requests.service_model import service_model

MOST = 50_000
WHERE = "s3://service/documents/1/metrics-1-complete.json"
BEGIN = datetime(2026, 1, 1)  # noqa: DTZ001 - naive UTC, as in the document


def interval(number: int, minutes: int) -> dict[str, Any]:
    start = BEGIN + timedelta(hours=number)
    return {
        "start": start.isoformat(timespec="microseconds"),
        "end": (start + timedelta(minutes=minutes)).isoformat(timespec="microseconds"),
    }


def sensor(number: int, letters: int = 10) -> str:
    return f"pump\\{'s' * letters}{number}"


def shares(count: int, *, letters: int = 10, first: int = 0) -> list[dict[str, Any]]:
    """Shares that grow from the sensor `first` on, around and up to the one before it."""
    total = count * (count + 1) / 2
    values = {(first + rank) % count: (rank + 1) / total for rank in range(count)}
    return [{"name": sensor(at, letters), "value": values[at]} for at in range(count)]


def metrics(
    *,
    ranges: int = 0,
    sensors: int = 300,
    labels: int = 0,
    events: int = 0,
    notes: int = 0,
    letters: int = 10,
) -> dict[str, Any]:
    """A document whose ranges are the longer, the later they are."""
    document = {
        "labeled_ranges": [interval(at, 30) for at in range(labels)],
        "labeled_event_metrics": {
            "num_labeled": labels,
            "num_identified": labels,
            "total_warning_time_in_seconds": 60.0 * labels,
        },
        "predicted_ranges": [
            {**interval(at, 1 + at % 59), "diagnostics": shares(sensors, letters=letters, first=at % sensors)}
            for at in range(ranges)
        ],
        "unknown_event_metrics": {"num_identified": ranges, "total_duration_in_seconds": 60.0 * ranges},
        "data_start_time": "2026-01-01",
        "data_end_time": "2027-01-01",
        "labels_present": labels > 0,
    }
    if events:
        document["events"] = [
            {**interval(at, 30 + at % 20), "summary": sensor(at, 2 * letters)} for at in range(events)
        ]
    if notes:
        document["labels"] = {
            "num_labels": labels,
            "notes": [f"file {at}: {'n' * 80}" for at in range(notes)],
        }
    return document


def text_of(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def shortened(document: Mapping[str, Any]) -> dict[str, Any]:
    text = shortened_metrics(text_of(document), complete=WHERE)
    assert len(text) <= MOST
    found: dict[str, Any] = json.loads(text)
    return found


def lengths(ranges: list[dict[str, Any]]) -> list[timedelta]:
    return [datetime.fromisoformat(one["end"]) - datetime.fromisoformat(one["start"]) for one in ranges]


def test_the_length_is_that_of_the_service_model() -> None:
    assert longest() == MOST
    event = service_model().shape_for("InferenceEventSummary")
    assert event.members["Diagnostics"].metadata["max"] == MOST


def test_a_document_that_is_short_enough_stays_as_it_is() -> None:
    text = json.dumps(metrics(ranges=3, sensors=30, labels=1, events=2, notes=2))
    assert len(text) < MOST
    assert shortened_metrics(text, complete=WHERE) == text
    edge = f"{text}{' ' * (MOST - len(text))}"
    assert shortened_metrics(edge, complete=WHERE) == edge
    assert shortened_metrics(f"{edge} ", complete=WHERE) != edge


def test_the_longest_ranges_stay_each_with_its_largest_shares_in_order() -> None:
    whole = metrics(ranges=500)
    found = shortened(whole)
    kept = found["predicted_ranges"]
    places = [[one["start"] for one in whole["predicted_ranges"]].index(one["start"]) for one in kept]
    assert places == sorted(places)
    gone = [one for at, one in enumerate(whole["predicted_ranges"]) if at not in places]
    assert min(lengths(kept)) >= max(lengths(gone))
    for at, one in zip(places, kept, strict=True):
        assert len(one["diagnostics"]) == len(kept[0]["diagnostics"]) >= 5
        before = whole["predicted_ranges"][at]["diagnostics"]
        largest = sorted(before, key=lambda share: -share["value"])[: len(one["diagnostics"])]
        assert one["diagnostics"] == [
            {"name": share["name"], "value": round(share["value"], 5)} for share in before if share in largest
        ]


def test_what_is_left_out_is_counted_and_said_where_it_is() -> None:
    whole = metrics(ranges=500, labels=800, events=400, notes=200)
    found = shortened(whole)
    left_out = found["left_out"]
    assert left_out["complete_document"] == WHERE
    for name in ("labeled_ranges", "predicted_ranges", "events"):
        assert left_out[name] == len(whole[name]) - len(found[name]) > 0
    assert left_out["notes"] == 200 - len(found["labels"]["notes"]) > 0
    assert left_out["sensors_per_range"] == 300 - len(found["predicted_ranges"][0]["diagnostics"])
    kept = {"labeled_event_metrics", "unknown_event_metrics", "labels_present", "data_end_time"}
    assert {name: found[name] for name in kept} == {name: whole[name] for name in kept}


def test_few_ranges_of_many_sensors_all_stay() -> None:
    """A document that is a little too long loses digits and the smallest shares, no range."""
    found = shortened(metrics(ranges=5))
    assert len(found["predicted_ranges"]) == 5
    assert found["left_out"]["predicted_ranges"] == 0
    assert len(found["predicted_ranges"][0]["diagnostics"]) > 150


def test_room_that_ranges_do_not_need_goes_to_labels() -> None:
    found = shortened(metrics(ranges=2, sensors=3, labels=2000))
    assert len(text_of(found)) > 0.99 * MOST
    assert len(found["predicted_ranges"]) == 2


def test_a_client_that_knows_nothing_of_it_reads_the_document() -> None:
    found = Evaluation.from_metrics(text_of(shortened(metrics(ranges=500, labels=20, events=50))))
    assert found.unknown == 500
    assert found.identified == 20
    assert 0 < len(found.ranges) < 500
    assert all(0 < sum(one.shares.values()) <= 1.001 for one in found.ranges)
    assert len(found.ranges) + found.ranges_left_out == 500
    assert found.all_labels == 20


@settings(max_examples=60)
@given(
    ranges=st.integers(0, 400),
    sensors=st.sampled_from([1, 4, 5, 6, 30, 300]),
    labels=st.integers(0, 1500),
    events=st.integers(0, 100),
    notes=st.integers(0, 600),
    letters=st.integers(1, 390),
)
def test_every_document_fits_and_nothing_is_lost_uncounted(**size: int) -> None:
    whole = metrics(**size)
    found = shortened(whole)
    left_out = found.get("left_out", dict.fromkeys(("labeled_ranges", "predicted_ranges", "events"), 0))
    for name in ("labeled_ranges", "predicted_ranges", "events"):
        there = found.get(name, [])
        assert len(there) + left_out[name] == len(whole.get(name, []))
        starts = [one["start"] for one in there]
        assert starts == sorted(starts)
    assert size["ranges"] == 0 or found["predicted_ranges"]


def test_diagnostics_that_are_short_enough_stay_as_they_are() -> None:
    text = json.dumps(shares(300, letters=100))
    assert len(text) <= MOST
    assert shortened_diagnostics(text) == text


@pytest.mark.parametrize("more", ["level_moved_since", "fault_since"])
@pytest.mark.parametrize("letters", [150, 390])
def test_long_diagnostics_keep_the_largest_shares_and_what_else_is_said(letters: int, more: str) -> None:
    whole = shares(300, letters=letters, first=100)
    marked = min(whole, key=lambda share: share["value"])
    marked[more] = "2026-01-01T00:00:00Z"
    text = shortened_diagnostics(json.dumps(whole))
    assert 0.98 * MOST < len(text) <= MOST
    found = json.loads(text)
    assert marked in found
    others = [share for share in found if share != marked]
    gone = [share for share in whole if share not in found]
    assert gone
    assert min(share["value"] for share in others) > max(share["value"] for share in gone)
    assert found == [share for share in whole if share in found]
