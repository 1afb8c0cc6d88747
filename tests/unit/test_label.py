"""Labels in code and from files."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from constructs_l4e import Label, LabelRating

START, END = "2026-03-01T20:00:00Z", "2026-03-02T06:30:00Z"


def test_a_label_says_what_a_request_says() -> None:
    label = Label.between(
        "2026-03-01T21:00:00+01:00",
        END,
        rating="NO_ANOMALY",
        fault_code="bearing",
        equipment="pump 7",
        notes="checked",
    )

    assert label.rating is LabelRating.NO_ANOMALY
    assert label.to_api() == {
        "StartTime": START,
        "EndTime": END,
        "Rating": "NO_ANOMALY",
        "FaultCode": "bearing",
        "Equipment": "pump 7",
        "Notes": "checked",
    }
    assert Label.between(START, START).to_api() == {"StartTime": START, "EndTime": START, "Rating": "ANOMALY"}


@pytest.mark.parametrize(
    ("start", "end", "props", "message"),
    [
        (END, START, {}, 'label ends at "2026-03-01T20:00:00Z", before its start "2026-03-02T06:30:00Z"'),
        ("soon", END, {}, 'start of label "soon" is not ISO 8601'),
        ("2026-03-01", END, {}, "has no time zone: add tzinfo"),
        (START, END, {"rating": "NORMAL"}, 'rating of label "NORMAL" is not supported: use one of ANOMALY'),
        (START, END, {"fault_code": ""}, 'fault code "" has 0 characters: it needs at least 1'),
        (START, END, {"equipment": "x" * 201}, "it may have at most 200"),
        (START, END, {"notes": "x" * 2561}, r' "x{250}\.\.\." has 2561 characters: it may have at most 2560'),
    ],
)
def test_a_label_that_cannot_be_is_refused(start: str, end: str, props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Label.between(start, end, **props)


def test_a_label_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(TypeError, match="start"):
        Label(start=START, end=dt.datetime.now(dt.UTC))  # type: ignore[arg-type]


def test_labels_come_from_a_file_with_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(f"end,start,rating,notes\n{END},{START},NEUTRAL,perhaps\n{END},{START},,\n")

    assert Label.from_csv(file) == [
        Label.between(START, END, rating="NEUTRAL", notes="perhaps"),
        Label.between(START, END),
    ]


def test_labels_come_from_a_label_file_of_the_service(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("2026-03-01 20:00,2026-03-02 06:30\n")

    assert Label.from_csv(str(file)) == [Label.between(START, END)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("start,end,notes\nsoon,later,x\n", r"labels \".*labels.csv\": line 2: 'soon' is not a timestamp"),
        ("01/02/2026,03/02/2026\n", r"labels \".*\": no date shows whether day or month comes first"),
        (f"start,end,equipment\n{START},{END},{'x' * 201}\n", r"labels \".*\", line 2: equipment of label"),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(text)

    with pytest.raises(ValueError, match=message):
        Label.from_csv(file)
