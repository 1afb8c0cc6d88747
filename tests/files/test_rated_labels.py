"""Files of labels with what people say of them."""

from datetime import UTC, datetime

import pytest

from l4e_files.rated_labels import RatedLabel, read_rated_labels
from l4e_files.unusable import UnusableFile

DAY = "2026-03-01"
START, END = datetime(2026, 3, 1, 20, tzinfo=UTC), datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
TIMES = "2026-03-01T20:00:00,2026-03-02T06:30:00"


def only(text: str) -> RatedLabel:
    (label,) = read_rated_labels(text.encode()).labels
    assert (label.period.start, label.period.end) == (START, END)
    return label


def said(label: RatedLabel) -> tuple[str, str | None, str | None, str | None]:
    return label.rating, label.fault_code, label.equipment, label.notes


@pytest.mark.parametrize(
    "text",
    [
        TIMES,
        f"start,end\n{TIMES}\n",
        f"start,end,rating\n{TIMES}\n",
        f"start,end,rating,fault_code\n{TIMES},,\n",
        f"sep=,\nStart,End,Notes\n{TIMES},\n",
        "\ufeffstart,end,equipment,,\n2026-03-01 20:00,2026-03-02 06:30,,,\n",
    ],
)
def test_what_is_not_said_is_an_anomaly_of_nothing_in_particular(text: str) -> None:
    assert said(only(text)) == ("ANOMALY", None, None, None)


@pytest.mark.parametrize(
    "header",
    [
        "start,end,rating,fault_code,equipment,notes",
        "StartTime,EndTime,Rating,FaultCode,Equipment,Notes",
        "START TIME, end_time ,RATING,fault code,EQUIPMENT,Notes",
    ],
)
def test_columns_have_the_names_of_the_api_in_many_spellings(header: str) -> None:
    text = f'{header}\n{TIMES},neutral,bearing,pump 7,"worn, replaced\nby shift 2"\n'

    assert said(only(text)) == ("NEUTRAL", "bearing", "pump 7", "worn, replaced\nby shift 2")


def test_columns_come_in_any_order() -> None:
    text = f"notes,end,start\nlate,{END:%Y-%m-%d %H:%M},{START:%Y-%m-%d %H:%M}\n"

    assert said(only(text)) == ("ANOMALY", None, None, "late")


def test_digits_in_a_header_make_it_none() -> None:
    with pytest.raises(UnusableFile, match=r"line 1 .* has 3 columns and is no header: write 'start,end,"):
        read_rated_labels(b"start1,end1,rating\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"start,end,color\n{TIMES},x\n",
            r"line 1: 'color' is not a column of labels: use start, end, rating",
        ),
        (
            f"start,end,Start Time\n{TIMES},x\n",
            r"line 1: 'Start Time' stands for 'start', as another one does",
        ),
        ("start,rating\n2026-03-01,ANOMALY\n", r"line 1 'start,rating' has no column 'end': add it"),
        ("start,rating,notes\n", r"line 1 .* has no column 'end': add it"),
        (f"start,end,rating\n{TIMES},BAD\n", r"line 2: the rating 'BAD' is not one of ANOMALY, NO_ANOMALY"),
        (f"start,end,notes\n{TIMES},worn, replaced\n", r"line 2: 'replaced' lies beyond the 3 columns"),
        (f"start,end,notes\n{TIMES},\n{DAY},soon,\n", r"line 3: 'soon' is not a timestamp"),
        (f"start,end,notes\n{DAY}\n", r"line 2 '2026-03-01,' has no end: write both"),
        (f"start,end,notes\n2026-03-02,{DAY},\n", r"line 2: the end '2026-03-01' lies before the start"),
        ("start;end;notes\n", r"separated by semicolons"),
        (b"PK\x03\x04[Content_Types].xml".decode(), r"Excel workbook"),
    ],
)
def test_a_wrong_file_names_line_rule_and_fix(text: str, message: str) -> None:
    with pytest.raises(UnusableFile, match=message):
        read_rated_labels(text.encode())


def test_dates_that_can_be_read_in_two_ways_are_remarked_on() -> None:
    found = read_rated_labels(b"start,end,notes\n01/02/2026,03/02/2026,x\n")

    assert "no date shows whether day or month comes first" in found.remarks[0]


def test_a_last_line_that_may_be_cut_off_is_remarked_on() -> None:
    whole = "start,end,rating\n2026-03-01T06:00,2026-03-02T18:00,ANOMALY\n2026-03-05T06:00,2026-03-06T1"
    found = read_rated_labels(whole.encode())
    assert "line 3, '2026-03-05T06:00,2026-03-06T1', may be cut off" in found.remarks[0]
    for end in ("8:00", "8:00,NEUTRAL", "\n"):
        assert read_rated_labels(f"{whole}{end}".encode()).remarks == ()
