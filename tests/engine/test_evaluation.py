import numpy as np
import pytest

from engine import Scores, alarmed, evaluate, ranges

STEP = np.timedelta64(60, "s")


def minute(at: float) -> np.datetime64:
    return np.datetime64("2024-01-01", "us") + np.timedelta64(round(at * 60), "s")


def scores(alarms: str, *, minutes: list[int] | None = None) -> Scores:
    """One character per row: 1 alarm, 0 normal, - off."""
    count = len(alarms)
    prediction = np.array([mark == "1" for mark in alarms], np.int8)
    contributions = np.tile(np.array([0.75, 0.25], np.float32), (count, 1))
    return Scores(
        times=np.array([minute(at) for at in (minutes or range(count))], "datetime64[us]"),
        off=np.array([mark == "-" for mark in alarms], bool),
        score=prediction * 0.8 + 0.1,
        prediction=prediction,
        contributions=contributions,
        state=b"",
    )


def spans(alarms: str, minutes: list[int] | None = None) -> list[tuple[int, int, int]]:
    found = ranges(scores(alarms, minutes=minutes), step=STEP)
    return [(int((r.start - minute(0)) / STEP), int((r.end - minute(0)) / STEP), r.rows) for r in found]


def test_ranges_split_at_normal_off_and_gap() -> None:
    assert spans("0110100") == [(1, 2, 2), (4, 4, 1)]
    assert spans("11-11") == [(0, 1, 2), (3, 4, 2)]
    assert spans("1111", [0, 1, 3, 4]) == [(0, 1, 2), (3, 4, 2)]
    assert spans("000") == spans("") == []


def test_range_contributions_sum_to_one() -> None:
    (found,) = ranges(scores("11"), step=STEP)
    assert found.contributions.tolist() == [0.75, 0.25]


def test_evaluation_counts() -> None:
    result = evaluate(
        scores("0011000011000001"),
        [(minute(1), minute(6)), (minute(8), minute(9)), (minute(12), minute(13))],
        step=STEP,
    )
    assert (len(result.labeled), result.identified, result.unknown) == (3, 2, 1)
    assert result.warning_seconds == 4 * 60 + 60
    assert result.unknown_seconds == 0
    assert result.precision == pytest.approx(2 / 3)
    assert result.recall == pytest.approx(2 / 3)
    assert result.mean_fractional_lead_time == pytest.approx((4 / 5 + 1) / 2)
    assert result.auc is not None
    assert 0.5 < result.auc < 1


def test_overlapping_labels_merge_and_outside_ones_do_not_count() -> None:
    labels = [
        (minute(1), minute(3)),
        (minute(2), minute(4)),
        (minute(100), minute(120)),
        (minute(-60), minute(0)),
    ]
    result = evaluate(scores("10100"), labels, step=STEP)
    assert result.labeled == ((minute(1), minute(4)),)
    assert result.unknown == 0


def test_without_labels_only_the_unknown_side_speaks() -> None:
    result = evaluate(scores("01100"), [], step=STEP)
    assert (result.labeled, result.identified, result.unknown, result.unknown_seconds) == ((), 0, 1, 60.0)
    assert result.precision is result.recall is result.auc is result.mean_fractional_lead_time is None


def test_auc_is_the_share_of_ordered_pairs() -> None:
    base = scores("0000")
    rows = Scores(
        times=base.times,
        off=base.off,
        score=np.array([0.1, 0.4, 0.4, 0.2]),
        prediction=base.prediction,
        contributions=base.contributions,
        state=b"",
    )
    assert evaluate(rows, [(minute(1), minute(1))], step=STEP).auc == pytest.approx(2.5 / 3)


@pytest.mark.parametrize("label", [(3, 6), (0, 2), (2, 3), (3, 3)])
def test_an_alarm_at_either_end_of_a_label_is_no_unknown_one(label: tuple[int, int]) -> None:
    result = evaluate(scores("00110000"), [(minute(label[0]), minute(label[1]))], step=STEP)
    assert (result.identified, result.unknown, result.precision) == (1, 0, 1)


def test_alarms_in_neutral_periods_are_neither_right_nor_wrong() -> None:
    alarms, label = scores("0110001101100010"), [(minute(1), minute(2))]
    neutral = [(minute(6), minute(7)), (minute(0), minute(2))]

    plain, result = evaluate(alarms, label, step=STEP), evaluate(alarms, label, step=STEP, neutral=neutral)

    assert (plain.unknown, plain.precision, plain.neutral_seconds) == (3, 1 / 4, 0)
    assert (result.unknown, result.precision) == (2, pytest.approx(1 / 3))
    assert (result.unknown_seconds, result.neutral_seconds) == (60, 60)
    assert len(result.predicted) == 4
    assert (result.identified, result.recall) == (1, 1)
    assert plain.auc is not None
    assert result.auc is not None
    assert result.auc > plain.auc


def test_only_neutral_alarms_say_nothing_of_precision() -> None:
    result = evaluate(
        scores("0001100"), [(minute(0), minute(1))], step=STEP, neutral=[(minute(3), minute(4))]
    )
    assert (result.unknown, result.precision, result.recall) == (0, None, 0)


def test_intervals_with_an_alarm() -> None:
    found = [(minute(0), minute(1)), (minute(2), minute(2)), (minute(3), minute(9))]
    assert alarmed(scores("00110"), found) == [False, True, True]
    assert alarmed(scores(""), found[:1]) == [False]
