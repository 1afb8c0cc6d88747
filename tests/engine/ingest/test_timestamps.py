from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import parse_timestamps
from engine.ingest.timestamp_columns import TimestampReader
from l4e_files.times import day_month_order

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
        ("2024_03_07_09_05_08", "2024-03-07T09:05:08.000000"),
        ("2024-03-07_09-05-08", "2024-03-07T09:05:08.000000"),
        ("2024_03_07 09:05:08", "2024-03-07T09:05:08.000000"),
        ("2024-03-07_09:05:08.5Z", "2024-03-07T09:05:08.500000"),
        ("20240307_090508", "2024-03-07T09:05:08.000000"),
        ("20240307_0905", "2024-03-07T09:05:00.000000"),
        ("20240307_09:05", "2024-03-07T09:05:00.000000"),
        ("1709802308", "2024-03-07T09:05:08.000000"),
        ("1709802308123", "2024-03-07T09:05:08.123000"),
        ("  2024-03-07T09:05:08\r", "2024-03-07T09:05:08.000000"),
        ("2024-02-29T00:00:00", "2024-02-29T00:00:00.000000"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00.000000"),
        ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"),
        ("1709802308.25", "2024-03-07T09:05:08.250000"),
        ("1709802308123.5", "2024-03-07T09:05:08.123500"),
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
        "2024_03-07 00:00",
        "2024_03_07_09-05_08",
        "1_709_802_308",
        "2024-03-07T09:05:08 CET",
        "2024-03-07-09-05",
        "2024-03-07 09-05",
        "3/7/2024 9-05",
        "2024-03-07T09-0500",
        "2023/02/30 00:00:00",
        "2024-03-07T24:00:00",
        "2024-03-07T23:59:60",
        "0000-01-01T00:00:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2024-03-07T09:05:08+24:00",
        "2024-03-07T09:05:08+05:60",
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


FORMS = [
    *WITH_SECONDS,
    *WITHOUT_SECONDS,
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%SZ",
    "%m/%d/%Y %H:%M",
    "%s",
]
ODD = [
    "",
    "never",
    " 2024-03-07 09:05:08 ",
    "2023-02-30",
    "2023/2/3 4:05",
    "20240307T09:05:08.5+0530",
    "\u00e9",
    "9" * 99,
]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.datetimes(min_value=datetime(1970, 1, 2)), st.sampled_from(FORMS)).map(  # noqa: DTZ001
                lambda pair: pair[0].replace(tzinfo=UTC).strftime(pair[1])
            ),
            st.sampled_from(ODD),
            st.from_regex(
                r"\A[0-9]{4}[-/ ]?[0-9]{2}[-/ ]?[0-9]{2}[T ][0-9]{2}:[0-9]{2}([+-][0-9]{2}:?[0-9]{2})?\Z"
            ),
            st.text("0123456789-/: TZ+.", max_size=24),
        ),
        max_size=40,
    )
)
def test_columns_are_read_as_their_texts(texts: list[str]) -> None:
    column = pa.array(["header", *texts], pa.string()).slice(1)
    assert np.array_equal(TimestampReader().read(column), parse_timestamps(texts), equal_nan=True)


def test_a_column_of_many_shapes_and_nulls() -> None:
    texts = [f"2024/{month}/{day} {hour}:00" for month in (1, 10) for day in (3, 30) for hour in (5, 15)] * 3
    texts += ["x" * at for at in range(1, 40)]
    assert np.array_equal(TimestampReader().read(pa.array(texts)), parse_timestamps(texts), equal_nan=True)
    assert np.isnat(TimestampReader().read(pa.array([None, "2024"], pa.string()))).all()


@given(
    st.lists(
        st.one_of(
            st.from_regex(r"\A[0-3]?[0-9]/[0-3]?[0-9]/(2024|2025|0000)( [0-2]?[0-9]:[0-5][0-9])?\Z"),
            st.sampled_from([" 1/2/2024\t", "2024/01/02", "x", ""]),
            st.integers(0, 40).map(lambda at: f"{at % 30}/{at % 13}/2024{' ' * at}"),
        ),
        max_size=60,
    ),
    st.booleans(),
)
def test_columns_show_the_order_that_their_texts_show(texts: list[str], day_first: bool) -> None:  # noqa: FBT001
    reader = TimestampReader(day_first=day_first)
    times = reader.read(pa.array(texts, pa.string()))
    assert reader.order == day_month_order(texts)
    assert np.array_equal(times, parse_timestamps(texts, day_first=day_first), equal_nan=True)


def test_many_shapes_show_their_order_too() -> None:
    texts = [*("x" * at for at in range(1, 30)), "13/1/2024"]
    reader = TimestampReader()
    reader.read(pa.array(texts))
    assert reader.order.is_day_first


@pytest.mark.parametrize(
    "text",
    [
        *ODD,
        "1900-02-29 00:00",
        "2024-03-07 09:05:08-0800",
        "2024-03-07 09:05:08.25Z",
    ],
)
def test_a_column_is_read_as_its_texts(text: str) -> None:
    texts = [text] * 3
    assert np.array_equal(TimestampReader().read(pa.array(texts)), parse_timestamps(texts), equal_nan=True)
