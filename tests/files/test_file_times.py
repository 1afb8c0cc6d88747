"""Which timestamps are accepted, and what a file's dates show about the order of day and month."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4e_files.times import (
    ACCEPTED,
    FORMS,
    Form,
    day_month_order,
    have_short_years,
    micros,
    unaccepted_form,
)

MOMENT = datetime(2026, 3, 31, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.pattern)
def test_the_example_of_every_form_is_accepted(form: Form) -> None:
    day_first = form.pattern.startswith("d/")
    assert micros(form.example, day_first=day_first) == MOMENT.timestamp() * 1_000_000


def test_the_forms_in_error_texts_are_accepted() -> None:
    examples = re.findall(r"'([^']+)'", ACCEPTED)
    assert len(examples) == 6
    assert all(micros(example) is not None for example in examples)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("01-Mar-26 00:00:00", "name of the month, as PI"),
        ("1-MAR-2026", "name of the month"),
        ("Mar 1, 2026 06:00", "name of the month"),
        ("Sun, 01 Mar 2026 06:00:00 GMT", "name of the month"),
        ("03/01/2026 12:00:00 AM", "twelve hours"),
        ("2026-03-01 6:00 p.m.", "twelve hours"),
        ("1772323200000000000", "nanoseconds"),
        ("1772323200000000", "microseconds"),
        ("134168400000000000", "Windows file time"),
        ("46082.25", "serial day of Excel"),
        ("46082,25", "serial day of Excel"),
        ("01.03.2026 06:00", "date with points"),
        ("2026.03.01 06:00:00", "date with points"),
        ("2026-03-01 06.30.15", "time of day with points"),
        ("1. M\u00e4rz 2026 06:00", "name of the month"),
        ("########", "a column that is too narrow"),
        ("26-03-01 06:00", "year of two digits"),
        ("01-03-2026 06:00", "hyphens"),
        ("1/3/26 6:00", "year of two digits"),
        ("2026-03-01 06:00:00 CET", "time zone with a name"),
        ("06:00:00", "without its date"),
        ("2026-03-01-06-00", "hour and minutes with '-'"),
        ("2026_03_01_06_00", "hour and minutes with '-'"),
        ("2026-03-01 06-00", "hour and minutes with '-'"),
        ("30:15.0", "minutes and seconds alone, as Excel"),
        ("1.772323E+09", "spreadsheet has rounded"),
        ("1,77232E+12", "spreadsheet has rounded"),
        ("260301000000", "year of two digits"),
        ("2026-W09-7 06:00", "week of the year"),
        ("2026-060 06:00", "day of the year"),
        ("2026-060T06:00:00", "day of the year"),
        ("2026:03:01 06:00:00", "a date with colons"),
        ("2026-03-01 06:00:00:500", "a fraction after a colon"),
        ("2026-03-01T0600", "without a colon"),
        ("2026-03-01 06:00 GMT+1", "time zone with a name"),
        ("2026-03-01 06:00+1", "an offset without two digits"),
        ("2026-03-01 06:00:00-5:00", "an offset without two digits"),
        ("2026-03-01 06:00\u221205:00", "a dash that is no hyphen"),
        ("2026\u5e7403\u670801\u65e5 06:00", "characters for year"),
        ("\u0662\u0660\u0662\u0666-\u0660\u0663-\u0660\u0661", "digits of another script"),
        ("2026-03-01 06:00\0\0", "bytes of zero"),
        ("2026-03-01 24:00", "end of a day as 24:00"),
        ("2026/03/01T24:00:00Z", "end of a day as 24:00"),
        ("2026-03-01\u00a006:00", "no-break space"),
        ("2026-03-01 06:00:00;10,5;11", "separated by no comma"),
        ("2026-03-01T06:00:00+01:00[Europe/Berlin]", "time zone with a name after its offset"),
    ],
)
def test_forms_that_are_not_accepted_are_named(text: str, words: str) -> None:
    assert micros(text) is None
    assert words in str(unaccepted_form(text))


@given(
    st.integers(10**9, 10**10 - 200_000),
    st.sampled_from([1, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 86_400]),
    st.integers(100, 200),
)
def test_seconds_since_1970_are_never_taken_for_dates(first: int, step: int, count: int) -> None:
    assert not have_short_years(str(first + at * step) for at in range(count))


@given(st.text(max_size=30))
def test_no_text_raises(text: str) -> None:
    assert micros(text) is None or unaccepted_form(text) is None


@pytest.mark.parametrize(
    ("texts", "day_first", "ambiguous"),
    [
        (["1/2/2026", "13/2/2026"], True, False),
        (["1/2/2026", "2/13/2026"], False, False),
        (["1/2/2026 06:00", "2/2/2026"], False, True),
        (["2/2/2026"], False, False),
        (["2026-02-01", "x", ""], False, False),
        (["30/2/2026"], False, False),
        (["13/1/2026", "14/1/2026", "1/13/2026"], True, False),
    ],
)
def test_dates_show_the_order_of_day_and_month(texts: list[str], day_first: bool, ambiguous: bool) -> None:  # noqa: FBT001
    order = day_month_order(texts)
    assert (order.is_day_first, order.ambiguous) == (day_first, ambiguous)
