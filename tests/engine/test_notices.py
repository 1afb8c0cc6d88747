"""What scoring says about its input, and that saying it changes no score."""

import re
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.generator import generated_cases
from engine import BadArtefact, Detector, Frame, Notice, Scores, UnconfirmedChange, describe, fit, ranges
from engine.detect.notices import SILENT_ROWS
from engine.detect.watch import late_rows
from tests.engine.plant import START, STEP, cut, frame, pump
from tests.engine.rounding import assert_windows_agree

TRAIN = 6000


@pytest.fixture(scope="module")
def healthy() -> Frame:
    return pump(TRAIN + 1200, seed=1)


@pytest.fixture(scope="module")
def detector(healthy: Frame) -> Detector:
    return fit(cut(healthy, 0, TRAIN))


@pytest.fixture
def fresh(healthy: Frame) -> Frame:
    return cut(healthy, TRAIN, TRAIN + 600)


def windows(detector: Detector, whole: Frame, width: int) -> list[Scores]:
    """Score a frame window by window."""
    done: list[Scores] = []
    for start in range(0, len(whole.times), width):
        state = done[-1].state if done else None
        done.append(detector.score(cut(whole, start, min(start + width, len(whole.times))), state=state))
    return done


def kinds(scores: Scores) -> list[str]:
    return [notice.kind for notice in scores.notices]


def of_kind(kind: str, *several: Scores) -> list[Notice]:
    return [notice for scores in several for notice in scores.notices if notice.kind == kind]


def changed(frame: Frame, sensor: int, rows: slice, values: float | np.ndarray) -> Frame:
    copy = frame.values.copy()
    copy[rows, sensor] = values
    return replace(frame, values=copy)


def test_healthy_windows_with_their_state_say_nothing(detector: Detector, fresh: Frame) -> None:
    first, *others = windows(detector, fresh, 60)
    assert kinds(first) == ["no-state"]
    assert [scores.notices for scores in others] == [()] * len(others)


def test_a_lost_state_says_how_many_rows_are_silent(detector: Detector, fresh: Frame) -> None:
    scores = detector.score(fresh)
    (notice,) = scores.notices
    assert notice.sensor is None
    assert notice.text == (
        "no earlier rows to look back on: the first 3 rows are not judged, and rows up to 30 only in part"
    )
    assert (scores.score[:3] == 0).all()
    assert (scores.score[3:40] > 0).all()
    short = detector.score(cut(fresh, 0, 2))
    assert "the first 2 rows are not judged" in short.notices[0].text
    (notice,) = detector.score(cut(fresh, 2, 9), state=short.state).notices
    assert notice.text.startswith("only 2 earlier rows to look back on: the first row is not judged")


def test_the_silence_after_a_restart_is_intended(detector: Detector, fresh: Frame) -> None:
    off = np.arange(60) < 50
    before = detector.score(replace(cut(fresh, 0, 50), off=off[:50]), state=detector.score(fresh).state)
    stopped = detector.score(replace(cut(fresh, 0, 60), off=off[:60]))
    assert kinds(detector.score(cut(fresh, 60, 90), state=stopped.state)) == []
    assert kinds(before) == ["late-rows"]


def test_a_gap_says_from_when_to_when(detector: Detector, fresh: Frame) -> None:
    before = detector.score(cut(fresh, 0, 100))
    assert kinds(detector.score(cut(fresh, 150, 200), state=before.state)) == []
    (notice,) = detector.score(cut(fresh, 200, 250), state=before.state).notices
    assert notice.kind == "gap"
    assert notice.text.startswith(f"no rows between {fresh.times[99]!s:.19}Z and {fresh.times[200]!s:.19}Z")


@pytest.mark.parametrize("late", [1, 40, 100])
def test_late_rows_are_not_scored_and_leave_no_trace(detector: Detector, fresh: Frame, late: int) -> None:
    """Even absurd ones: scores and state are those of the other rows alone."""
    before = detector.score(cut(fresh, 0, 100))
    timely = detector.score(cut(fresh, 100, 160), state=before.state)
    mixed = cut(fresh, 100 - late, 160)
    mixed = replace(mixed, values=np.concatenate([np.full((late, 5), 1e6), mixed.values[late:]]))
    scores = detector.score(mixed, state=before.state)
    assert (scores.score[:late] == 0).all()
    assert (scores.prediction[:late] == 0).all()
    assert np.allclose(scores.contributions.sum(axis=1), 1)
    assert scores.state == timely.state
    assert scores.score[late:].tolist() == timely.score.tolist()
    (notice,) = scores.notices
    rows = "1 row" if late == 1 else f"{late} rows"
    assert notice.text == (
        f"{rows} up to {fresh.times[99]!s:.19}Z came late and are not scored: "
        f"rows up to {fresh.times[99]!s:.19}Z were scored before"
    )


def test_late_rows_with_the_machine_off_start_no_grace(detector: Detector, fresh: Frame) -> None:
    before = detector.score(cut(fresh, 0, 100))
    again = replace(cut(fresh, 50, 100), off=np.ones(50, bool))
    scores = detector.score(again, state=before.state)
    assert kinds(scores) == ["late-rows"]
    assert scores.state == before.state


def test_a_window_given_twice_is_late_as_a_whole(detector: Detector, fresh: Frame) -> None:
    before = detector.score(cut(fresh, 0, 100))
    assert detector.score(cut(fresh, 40, 100), state=before.state).state == before.state


def test_rows_out_of_order_are_late_too() -> None:
    minutes = START + np.array([1, 2, 2, 5, 3, 4, 6]) * STEP
    assert late_rows(minutes, None).tolist() == [False, False, True, False, True, True, False]
    assert late_rows(minutes, minutes[1]).tolist() == [True, True, True, False, True, True, False]
    assert late_rows(minutes[:0], None).tolist() == []


def test_a_silent_sensor_has_no_share_and_is_named_with_its_last_value(
    detector: Detector, fresh: Frame
) -> None:
    frame = changed(fresh, 1, slice(100, None), np.nan)
    scores = windows(detector, frame, 60)
    assert kinds(scores[1]) == ["no-values"], "20 of its rows are enough"
    for each in scores[2:]:
        (notice,) = each.notices
        assert notice.sensor == "pump\\Flow"
        assert notice.text == (
            f"pump\\Flow has no values since {fresh.times[99]!s:.19}Z: left out of score and contributions"
        )
        alarms = each.prediction == 1
        assert (each.contributions[alarms, 1] == 0).all()


@pytest.mark.parametrize("silent", [[0], [1], [4], [3, 4], [0, 1, 2], [0, 1, 2, 3, 4]])
def test_a_silent_sensor_misleads_no_other(detector: Detector, healthy: Frame, silent: list[int]) -> None:
    """Its last value would contradict the others for as long as it is silent."""
    values = cut(healthy, TRAIN, TRAIN + 1200).values.copy()
    values[100:, silent] = np.nan
    frame = replace(cut(healthy, TRAIN, TRAIN + 1200), values=values)
    whole = detector.score(frame)
    assert whole.prediction.mean() < 0.05
    parts = windows(detector, frame, 7)
    assert_windows_agree(detector, parts, whole)


def test_faults_are_still_found_while_another_sensor_is_silent(detector: Detector, fresh: Frame) -> None:
    faulty = changed(fresh, 1, slice(300, None), 0.7 * fresh.values[300:, 1])
    scores = detector.score(changed(faulty, 3, slice(100, None), np.nan))
    assert scores.prediction[:300].mean() < 0.03
    assert scores.prediction[330:].mean() > 0.9
    assert (scores.contributions[330:].argmax(axis=1) == 1).mean() > 0.9


def test_the_sentence_of_an_event_does_not_mind_a_silent_sensor(detector: Detector, fresh: Frame) -> None:
    """The last value of a silent pressure would make the flow look too high at any other speed."""
    faulty = changed(fresh, 1, slice(300, None), 0.7 * fresh.values[300:, 1])
    frame = changed(faulty, 2, slice(0, None), np.nan)
    event = max(ranges(detector.score(frame), step=STEP), key=lambda each: each.rows)
    found = re.match(
        r"Flow fell (\d+) % below what the other sensors predict", describe(detector, frame, event)
    )
    assert found is not None
    assert 25 <= int(found[1]) <= 31


def test_a_short_silence_is_no_notice(detector: Detector, fresh: Frame) -> None:
    frame = changed(fresh, 1, slice(100, 100 + SILENT_ROWS - 1), np.nan)
    assert windows(detector, frame, 100 + SILENT_ROWS - 1)[0].notices[1:] == ()


def test_a_silent_component_is_one_notice(detector: Detector, fresh: Frame) -> None:
    values = fresh.values.copy()
    values[:, 3:] = np.nan
    (_, notice) = detector.score(replace(fresh, values=values)).notices
    assert (notice.kind, notice.sensor) == ("no-values", None)
    assert notice.text.startswith("component motor has no values in any row so far")


@pytest.mark.parametrize("width", [5, 60, 600])
@pytest.mark.parametrize(
    ("sensor", "conversion", "words"),
    [
        (1, (1 / 3.6, 0), "times 0.2778 (l/s instead of m3/h?)"),
        (2, (14.503774, 0), "times 14.5 (psi instead of bar?)"),
        (4, (1.8, 32), "times 1.8 plus 32 (°F instead of °C?)"),
        (4, (1, 273.15), "plus 273.15 (K instead of °C?)"),
        (0, (1 / 60, 0), "times 0.01667 (per second instead of per minute?)"),
    ],
)
def test_a_new_unit_is_named(
    detector: Detector, fresh: Frame, sensor: int, conversion: tuple[float, float], words: str, *, width: int
) -> None:
    factor, offset = conversion
    frame = changed(fresh, sensor, slice(130, None), factor * fresh.values[130:, sensor] + offset)
    scores = windows(detector, frame, width)
    found = of_kind("unit", *scores)
    assert {notice.sensor for notice in found} == {fresh.sensors[sensor]}
    assert {notice.text for notice in found} == {
        f"{fresh.sensors[sensor]} reads like its training values {words}; its score is unchanged"
    }
    assert scores[-1].notices[-1] in found
    assert scores[-1].prediction[-20:].all(), "a changed unit is not excused"


def test_two_sensors_may_change_together(detector: Detector, fresh: Frame) -> None:
    values = fresh.values.copy()
    values[:, 1] *= 1000 / 60
    values[:, 2] *= 100
    found = of_kind("unit", detector.score(replace(fresh, values=values)))
    assert [notice.text.split(" values ")[1].split("; ")[0] for notice in found] == [
        "times 16.67 (l/min instead of m3/h?)",
        "times 100 (kPa or % instead of bar or a fraction?)",
    ]


def test_a_stuck_sensor_has_no_unit(detector: Detector, fresh: Frame) -> None:
    frame = changed(fresh, 1, slice(130, None), 3.6 * fresh.values[130, 1])
    assert of_kind("unit", *windows(detector, frame, 60)) == []


def test_nor_has_a_slow_rise_far_out_of_the_range(detector: Detector, fresh: Frame) -> None:
    ramp = np.linspace(1, 4, 470)
    frame = changed(fresh, 1, slice(130, None), ramp * fresh.values[130:, 1])
    assert of_kind("unit", *windows(detector, frame, 30)) == []


@pytest.mark.parametrize("factor", [1.5, 2, 5, 30])
def test_nor_has_a_factor_that_is_no_conversion(detector: Detector, fresh: Frame, factor: float) -> None:
    frame = changed(fresh, 2, slice(130, None), factor * fresh.values[130:, 2])
    assert of_kind("unit", *windows(detector, frame, 60)) == []


def test_a_level_that_has_moved_for_good_is_told_and_a_short_fault_is_not(
    detector: Detector, healthy: Frame
) -> None:
    whole = pump(4000, seed=7)
    moved = changed(whole, 2, slice(500, None), whole.values[500:, 2] + 0.4)
    scores = windows(detector, moved, 100)
    (first, *_) = [at for at, each in enumerate(scores) if of_kind("level", each)]
    assert 8 <= first <= 20, "a fault alarms for hundreds of rows before it is taken for a level"
    (notice,) = of_kind("level", scores[-1])
    assert (notice.sensor, notice.text.split(" has moved")[0]) == (
        "pump\\Pressure",
        "the level of pump\\Pressure",
    )
    short = changed(whole, 2, slice(500, 800), whole.values[500:800, 2] + 0.4)
    assert of_kind("level", *windows(detector, short, 100)) == []


def test_one_level_of_many_sensors_is_told_and_not_learned() -> None:
    """A fiftieth of the sensors is too little for tracked views to count, but no reason to be silent."""
    rng = np.random.default_rng(4)
    drivers = np.cumsum(rng.normal(size=(9000, 3)), axis=0) / 30
    values = drivers @ rng.normal(size=(3, 50)) + rng.normal(size=(9000, 50))
    values[5000:, 7] += 5
    whole = frame(values, sensors=tuple(f"s{at}" for at in range(50)))
    detector = fit(cut(whole, 0, 4000))
    scores = detector.score(cut(whole, 4000, 9000))
    assert scores.prediction[2000:].mean() < 0.1, "the level was taken over"
    assert [event.sensor for event in scores.level_events] == ["s7"]
    assert scores.moved is not None
    assert np.flatnonzero(scores.moved > 0.5).tolist() == [7]
    with pytest.raises(UnconfirmedChange, match="holds 's7' to its training, and the rows drift there"):
        fit(whole, prior=replace(detector, adaptation="hold"))


def test_plants_that_drift_and_fail_keep_their_units() -> None:
    """Modes, gaps, drift and six kinds of faults, all of them real: no change of unit among them."""
    for case in generated_cases((5,))[::5]:
        detector = fit(case.part(0, case.train))
        scores = windows(detector, case.part(case.train, None), 240)
        assert of_kind("unit", *scores) == [], case.name


def test_notices_do_not_depend_on_how_much_is_scored_at_once(detector: Detector, fresh: Frame) -> None:
    frame = changed(fresh, 1, slice(130, None), 3.6 * fresh.values[130:, 1])
    whole, parts = detector.score(frame), windows(detector, frame, 7)
    assert_windows_agree(detector, parts, whole)
    assert parts[-1].notices[-1] == whole.notices[-1]


def test_a_unit_can_only_trace_sensors_of_the_model(detector: Detector, fresh: Frame) -> None:
    """A state of a detector with other sensors is refused, not read past the end."""
    two = fit(replace(cut(fresh, 0, 600), values=fresh.values[:600, :2], sensors=fresh.sensors[:2]))
    narrow = replace(cut(fresh, 0, 50), values=fresh.values[:50, :2], sensors=fresh.sensors[:2])
    with pytest.raises(BadArtefact, match="2 sensors, not 5"):
        detector.score(cut(fresh, 50, 60), state=two.score(narrow).state)
