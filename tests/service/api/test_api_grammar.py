"""The rules that API and jobs share, without a network."""

from decimal import Decimal
from typing import Any

import pytest

from custom_resources import errors
from service.aws_errors import THROTTLING_CODES
from service.errors import ValidationError, quoted
from service.members.durations import seconds
from service.members.key_pattern import KeyPattern, require_key_pattern
from service.members.off_rule import OffRule
from service.members.time_zone import offset_seconds, require_time_zone
from service.members.training_windows import (
    TimeSpan,
    TrainingWindows,
    WindowError,
    WindowTooShortError,
    WindowWithoutDataError,
)
from tests.off_conditions import ACCEPTED, REFUSED, SENSORS, Accepted, Refused

DAY = 86_400


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: repr(case.text))
def test_an_off_condition_is_read(case: Accepted) -> None:
    rule = OffRule.parse(case.text).resolved(SENSORS)
    assert (rule.sensor, rule.operator, rule.threshold) == (case.sensor, case.operator, case.threshold)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.why)
def test_an_off_condition_is_refused(case: Refused) -> None:
    with pytest.raises(ValidationError, match=r"^OffCondition '"):
        OffRule.parse(case.text).resolved(case.sensors)


def test_an_off_condition_with_the_backslash_of_json_is_explained() -> None:
    with pytest.raises(ValidationError, match="write one backslash, which JSON doubles"):
        OffRule.parse(r"pump\\flow < 1").resolved(SENSORS)


@pytest.mark.parametrize("mark", ["/", ".", "_", "-", " "])
def test_key_patterns_are_read(mark: str) -> None:
    text = f"{{prefix}}/{{component_name}}{mark}*"
    assert KeyPattern.parse(text) == KeyPattern(text=text, delimiter=mark)


@pytest.mark.parametrize(
    "text", ["", "{prefix}/*", "{prefix}/{component_name}*", "{prefix}/{component_name}__*", "*"]
)
def test_other_key_patterns_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=r"is not supported: use '\{prefix\}/\{component_name\}/\*' or"):
        require_key_pattern(text, dataset="d", has_schema=True)


def test_a_key_pattern_is_needed_to_detect_a_schema() -> None:
    require_key_pattern(None, dataset="d", has_schema=True)
    with pytest.raises(ValidationError, match="KeyPattern is missing and the dataset 'd' has no schema"):
        require_key_pattern(None, dataset="d", has_schema=False)


@pytest.mark.parametrize(
    ("text", "offset"),
    [(None, 0), ("+00:00", 0), ("+05:30", 19_800), ("-12:00", -43_200), ("+14:00", 50_400)],
)
def test_time_zones_are_read(text: str | None, offset: int) -> None:
    require_time_zone(text)
    assert offset_seconds(text) == offset


@pytest.mark.parametrize("text", ["", "5", "05:30", "+5:30", "+05:30 ", "-12:15", "+14:15", "+05:10"])
def test_other_time_zones_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=r"^InputTimeZoneOffset '"):
        require_time_zone(text)


def test_durations_are_read() -> None:
    assert [seconds(text) for text in ("PT1S", "PT5M", "PT1H")] == [1, 300, 3600]
    with pytest.raises(ValueError, match="'P1D' is not a duration"):
        seconds("P1D")


def span(start: float, end: float) -> TimeSpan:
    """Days from an origin."""
    return TimeSpan(start=Decimal(start) * DAY, end=Decimal(end) * DAY)


def windows(
    training: tuple[float | None, float | None], evaluation: tuple[float | None, float | None], **rules: Any
) -> TrainingWindows:
    """The windows of a record over the data of days 10 to 100."""
    names = (
        "TrainingDataStartTime",
        "TrainingDataEndTime",
        "EvaluationDataStartTime",
        "EvaluationDataEndTime",
    )
    record = {
        name: Decimal(day) * DAY
        for name, day in zip(names, (*training, *evaluation), strict=True)
        if day is not None
    }
    return TrainingWindows.of(record, data=span(10, 100), **{"minimum_days": 14, **rules})


NONE = (None, None)


@pytest.mark.parametrize(
    ("training", "evaluation", "expected"),
    [
        (NONE, NONE, (span(10, 100), None)),
        ((20, 40), NONE, (span(20, 40), None)),
        ((0, 40), NONE, (span(10, 40), None)),
        ((20, None), NONE, (span(20, 100), None)),
        (NONE, (60, 200), (span(10, 60), span(60, 100))),
        ((20, 40), (50, 60), (span(20, 40), span(50, 60))),
        ((0, 24), NONE, (span(10, 24), None)),
    ],
)
def test_windows_are_cut_to_the_data(training: Any, evaluation: Any, expected: Any) -> None:
    found = windows(training, evaluation)
    assert (found.training, found.evaluation) == expected


@pytest.mark.parametrize(
    ("training", "evaluation", "error"),
    [
        ((0, 10), NONE, WindowWithoutDataError("Training", span(0, 10))),
        ((100, 120), NONE, WindowWithoutDataError("Training", span(100, 120))),
        ((20, 40), (100, None), WindowWithoutDataError("Evaluation", span(100, 100))),
        ((0, 23.75), NONE, WindowTooShortError(span(10, 23.75))),
        (NONE, (20, None), WindowTooShortError(span(10, 20))),
    ],
)
def test_windows_that_nothing_can_be_learned_from(training: Any, evaluation: Any, error: WindowError) -> None:
    with pytest.raises(type(error)) as raised:
        windows(training, evaluation)
    assert raised.value.args == error.args


def test_a_training_may_be_allowed_to_be_short() -> None:
    assert windows((10, 10.5), NONE, minimum_days=None).training.days == 0.5
    assert windows((10, 10.5), NONE, minimum_days=0.5).training.days == 0.5


def test_a_window_reads_as_two_times() -> None:
    assert str(span(0, 1)) == "1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z"


def test_names_in_messages_are_quoted_and_counted() -> None:
    assert quoted(["a", "b"]) == "'a', 'b'"
    assert quoted((f"s{number}" for number in range(9)), limit=2) == "'s0', 's1' and 7 more"
    assert quoted([]) == ""


def test_service_and_custom_resources_know_the_same_throttling() -> None:
    """There are two copies: the custom resources are deployed without the service, and may not import it."""
    assert errors.THROTTLING_CODES == THROTTLING_CODES
