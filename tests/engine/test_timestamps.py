from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import parse_timestamps
from engine.timestamps import probe_format

MOMENT = datetime(2024, 3, 7, 9, 5, 8, tzinfo=UTC)
WITH_SECONDS = [
    "%Y-%m-%d-%H-%M-%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d-%H:%M:%S",
    "%Y/%m/%dT%H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y %m %dT%H:%M:%S",
    "%Y %m %d %H:%M:%S",
    "%Y%m%dT%H:%M:%S",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d%H%M%S",
]
WITHOUT_SECONDS = [
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d-%H:%M",
    "%Y/%m/%dT%H:%M",
    "%Y/%m/%d %H:%M",
    "%Y %m %dT%H:%M",
    "%Y %m %d %H:%M",
    "%Y%m%dT%H:%M",
    "%Y%m%d %H:%M",
    "%Y%m%d%H%M",
]


def one(text: str) -> str:
    return str(parse_timestamps([text])[0])


def test_there_are_21_documented_forms() -> None:
    assert len(WITH_SECONDS) + len(WITHOUT_SECONDS) == 21


@pytest.mark.parametrize("form", WITH_SECONDS)
def test_documented_forms_with_seconds(form: str) -> None:
    assert one(MOMENT.strftime(form)) == "2024-03-07T09:05:08.000000"


@pytest.mark.parametrize("form", WITHOUT_SECONDS)
def test_documented_forms_without_seconds(form: str) -> None:
    assert one(MOMENT.strftime(form)) == "2024-03-07T09:05:00.000000"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-07T09:05:08.5", "2024-03-07T09:05:08.500000"),
        ("2024-03-07T09:05:08.123456789", "2024-03-07T09:05:08.123456"),
        ("2024-03-07T09:05:08Z", "2024-03-07T09:05:08.000000"),
        ("2024-03-07T09:05:08.25+05:30", "2024-03-07T03:35:08.250000"),
        ("2024-03-07 09:05:08-0800", "2024-03-07T17:05:08.000000"),
        ("2024/3/7 9:05", "2024-03-07T09:05:00.000000"),
        ("2020/1/1 0:00", "2020-01-01T00:00:00.000000"),
        ("1/31/2020 0:00", "2020-01-31T00:00:00.000000"),
        ("1709802308", "2024-03-07T09:05:08.000000"),
        ("1709802308123", "2024-03-07T09:05:08.123000"),
        ("  2024-03-07T09:05:08\r", "2024-03-07T09:05:08.000000"),
        ("2024-02-29T00:00:00", "2024-02-29T00:00:00.000000"),
    ],
)
def test_tolerated_forms(text: str, expected: str) -> None:
    assert one(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NaN",
        "yesterday",
        "12",
        "123456789",
        "2024-13-01T00:00:00",
        "2023-02-29 00:00",
        "31/1/2020 0:00",
        "2024-03-07T25:00:00",
        "2024-03/07 00:00",
        "2024-03-07T09:05:08 CET",
        "\u0662\u0660\u0662\u0664-01-01T00:00:00",
    ],
)
def test_everything_else_is_no_timestamp(text: str) -> None:
    assert one(text) == "NaT"


@given(
    moment=st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001 - wall time
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_any_moment_and_offset_comes_back(moment: datetime, minutes: int) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = np.datetime64(local.astimezone(UTC).replace(tzinfo=None), "us")
    assert parse_timestamps([local.isoformat()])[0] == expected


@given(st.text(max_size=30))
def test_no_text_raises(text: str) -> None:
    assert parse_timestamps([text]).dtype == np.dtype("datetime64[us]")


def test_probe_finds_one_common_form_or_none() -> None:
    assert probe_format(["2024-03-07T09:05:08", "2024-03-07 09:05:08.25"]) == "ISO8601"
    assert probe_format(["2024/03/07 09:05:08"]) == "%Y/%m/%d %H:%M:%S"
    assert probe_format(["2024-03-07T09:05:08", "2024/03/07 09:05:08"]) is None
    assert probe_format([]) is None
