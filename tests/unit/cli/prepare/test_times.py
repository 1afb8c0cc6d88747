"""Forms of time, one by one."""

import numpy as np
import pyarrow as pa
import pytest

from l4e_cli.prepare.times import (
    EXCEL,
    NO_TIME,
    SHAPES,
    TimeForm,
    find_epoch,
    find_shape,
    is_numeric_time,
    is_textual_time,
    parse_times,
)
from l4e_files.times import FORMS as ACCEPTED_FORMS
from l4e_files.times import micros

FORMS = [
    ("2026-03-01 00:00:00", "ymd", "2026-03-01T00:00:00"),
    ("2026/3/1 0:00", "ymd", "2026-03-01T00:00:00"),
    ("2026-03-01T00:00:00.123Z", "ymd", "2026-03-01T00:00:00.123"),
    ("2026-03-01 00:00:00,5", "ymd", "2026-03-01T00:00:00.5"),
    ("2026-03-01-06:30", "ymd", "2026-03-01T06:30:00"),
    ("2026-03-01 24:00", "ymd", "2026-03-02T00:00:00"),
    ("2026-03-01", "ymd", "2026-03-01T00:00:00"),
    ("2026-03-01 06", "ymd", "2026-03-01T06:00:00"),
    ("2026-03-01T06Z", "ymd", "2026-03-01T06:00:00"),
    ("2026-03-01t06:30", "ymd", "2026-03-01T06:30:00"),
    ("2026-03-01-06-30-15", "ymd", "2026-03-01T06:30:15"),
    ("2026_03_01_06:30", "ymd", "2026-03-01T06:30:00"),
    ("2026-03-01\u00a006:30", "ymd", "2026-03-01T06:30:00"),
    ("31/03/2026 06:30", "dmy", "2026-03-31T06:30:00"),
    ("3/31/2026 6:30:00 PM", "mdy", "2026-03-31T18:30:00"),
    ("3/31/2026 12:30:00 a.m.", "mdy", "2026-03-31T00:30:00"),
    ("3/31/2026, 12:30\u202fPM", "mdy", "2026-03-31T12:30:00"),
    ("31-03-2026 06:30", "dmy", "2026-03-31T06:30:00"),
    ("31.03.2026 06:30:15,250", "dmy", "2026-03-31T06:30:15.250"),
    ("31.03.2026 06:30:15:250", "dmy", "2026-03-31T06:30:15.250"),
    ("31.03.26 06:30", "dmy", "2026-03-31T06:30:00"),
    ("26-03-31 06:30", "ymd", "2026-03-31T06:30:00"),
    ("01-Mar-26 00:00:00", "ymd", "2026-03-01T00:00:00"),
    ("Sun 01-MAR-2026 00:00:00.5", "ymd", "2026-03-01T00:00:00.5"),
    ("1. März 2026 10:00", "ymd", "2026-03-01T10:00:00"),
    ("Mar 1, 2026 1:02:03 PM", "ymd", "2026-03-01T13:02:03"),
    ("2026-Mar-01 00:00", "ymd", "2026-03-01T00:00:00"),
    ("2026年3月1日 00:05", "ymd", "2026-03-01T00:05:00"),
    ("20260301", "ymd", "2026-03-01T00:00:00"),
    ("202603010005", "ymd", "2026-03-01T00:05:00"),
    ("20260301 000501", "ymd", "2026-03-01T00:05:01"),
    ("20260301000501123", "ymd", "2026-03-01T00:05:01.123"),
    ("2026030106", "ymd", "2026-03-01T06:00:00"),
]


def read(text: str, form: TimeForm) -> str | None:
    (micros,) = parse_times(pa.array([text]), form).micros
    return None if micros == NO_TIME else str(micros.astype("datetime64[us]"))


@pytest.mark.parametrize(("text", "order", "expected"), FORMS)
def test_a_form_is_read(text: str, order: str, expected: str) -> None:
    shape, share = find_shape([text.replace("\u202f", " ")])

    assert shape is not None
    assert share == 1
    form = TimeForm(name=shape.name, shape=shape, order=order)
    assert read(text, form) == str(np.datetime64(expected, "us"))


@pytest.mark.parametrize("text", [form.example for form in ACCEPTED_FORMS])
def test_a_time_that_the_service_accepts_is_read_as_the_service_reads_it(text: str) -> None:
    shape, _ = find_shape([text])
    counted = find_epoch([text]) if shape is None else None

    assert is_textual_time(text) or is_numeric_time(text)
    forms = [TimeForm(name=shape.name, shape=shape, order=order) for order in shape.orders] if shape else []
    forms += [TimeForm(name=counted)] if counted else []
    by_service = micros(text) or micros(text, day_first=True)
    assert str(np.datetime64(by_service, "us")) in {read(text, form) for form in forms}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_example_of_a_shape_is_one(shape: object) -> None:
    found, _ = find_shape([shape.example])  # type: ignore[attr-defined]

    assert found is shape


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30 00:00",
        "2026-03-01 24:01",
        "2026-03-01 00:60",
        "2026-03-01 25",
        "2026-03-01 06-30",
        "2026030125",
        "1767571200",
        "32/01/2026 00:00",
        "13:00 PM",
        "1.3.26 13:00 PM",
        "01-Foo-26 00:00",
        "10.50",
        "yesterday",
        "",
    ],
)
def test_what_is_no_time_is_not_read(text: str) -> None:
    assert find_shape([text]) == (None, 0)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("1772323200", "seconds since 1970", "2026-03-01T00:00:00"),
        ("1772323200.25", "seconds since 1970", "2026-03-01T00:00:00.25"),
        ("1772323200123", "milliseconds since 1970", "2026-03-01T00:00:00.123"),
        ("1772323200123456", "microseconds since 1970", "2026-03-01T00:00:00.123456"),
        ("1772323200123456789", "nanoseconds since 1970", "2026-03-01T00:00:00.123456"),
        ("46082.0006944444", EXCEL, "2026-03-01T00:01:00"),
        ("46082,5", EXCEL, "2026-03-01T12:00:00"),
    ],
)
def test_a_count_is_read(text: str, name: str, expected: str) -> None:
    assert is_numeric_time(text)
    assert name == EXCEL or find_epoch([text]) == name
    assert read(text, TimeForm(name=name)) == str(np.datetime64(expected, "us"))


@pytest.mark.parametrize("text", ["123.456", "01,5", "12345678", "1.234.567,8", "12:30", "Bad"])
def test_numbers_are_no_textual_times(text: str) -> None:
    assert not is_textual_time(text)


def test_null_has_no_time() -> None:
    form = TimeForm(name=SHAPES[0].name, shape=SHAPES[0])

    assert parse_times(pa.array([None, "2026-03-01 00:00:00"]), form).micros.tolist()[0] == NO_TIME
