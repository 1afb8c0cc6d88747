"""The slow channel: wear of weeks alarms, on a grid of time, as far as training vouches for it."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from benchmarks.wear import Fault, machine
from engine import BadArtefact, Detector, FitSettings, Frame, fit, score_in_batches
from engine.detect.artefact import pack, unpack
from engine.detect.slow_alarm import JudgedBins, SlowAlarm
from engine.detect.slow_drift import along, bin_scores, fuse
from engine.detect.slow_state import SlowState
from engine.detect.smoothing import ewma
from engine.detect.view import CAP, older_row_scores
from engine.train.slow_fit import NEWEST_LIMIT

STEP = np.timedelta64(600, "s")
DAY = 144
TRAIN = 28 * DAY


@cache
def plant(days: int = 56, *, drift: bool = False) -> Frame:
    """Eight sensors that follow a day's load and two slower causes, a row in ten minutes; off twice."""
    rng = np.random.default_rng(4)
    rows = days * DAY
    load = np.sin(2 * np.pi * np.arange(rows) / DAY) + ewma(rng.normal(size=(rows, 1)), np.zeros(1), 30)[:, 0]
    causes = np.stack([load, load**2, ewma(rng.normal(size=(rows, 1)), np.zeros(1), 90)[:, 0] * 6], axis=1)
    values = causes @ rng.normal(size=(3, 8)) + 0.2 * rng.normal(size=(rows, 8))
    values += 2.5 * ewma(rng.normal(size=(rows, 8)), np.zeros(8), 40)  # what each does of its own
    if drift:
        values += rng.normal(size=(rows, 8)).cumsum(axis=0) * 0.05
    off = np.zeros(rows, bool)
    off[10 * DAY : 10 * DAY + 20] = off[40 * DAY : 40 * DAY + 30] = True
    times = np.datetime64("2026-01-05", "us") + (np.arange(rows) + 1) * STEP
    return Frame(times=times, values=values, sensors=tuple("abcdefgh"), off=off, step=STEP)


def worn(frame: Frame, size: float = 2.0) -> Frame:
    """Two sensors leave their place over twelve days from day 32 on, and are repaired then."""
    values = frame.values.copy()
    start, stop = 32 * DAY, 44 * DAY
    ramp = np.linspace(0, size, stop - start)
    values[start:stop, 2] += ramp * values[:TRAIN, 2].std()
    values[start:stop, 5] -= ramp * values[:TRAIN, 5].std()
    return replace(frame, values=values)


@cache
def detector(*, drift: bool = False) -> Detector:
    return fit(plant(drift=drift).part(0, TRAIN))


def alarms(found: Detector, frame: Frame) -> np.ndarray:
    return found.score(frame.part(TRAIN, len(frame.times))).prediction == 1


LATE = slice(40 * DAY - TRAIN, 44 * DAY - TRAIN)
HEALTHY = slice(47 * DAY - TRAIN, 56 * DAY - TRAIN)


def test_slow_wear_alarms_until_its_repair() -> None:
    found = detector()
    assert found.slow is not None
    assert found.slow.trust == 1
    alarm = alarms(found, worn(plant()))
    assert alarm[LATE].mean() > 0.8
    assert alarm[HEALTHY].mean() < 0.03
    assert alarms(found, plant()).mean() < 0.03


def test_the_worn_sensors_lead() -> None:
    found, frame = detector(), worn(plant()).part(TRAIN, 44 * DAY)
    assert found.slow is not None
    slow = found.slow.run(frame, found.pipeline.scaling, np.timedelta64(2, "h"), found.slow.start())
    late = slow.shares[slow.bins[LATE]].mean(axis=0)
    assert 5 in np.argsort(-late)[:2]
    contributions = found.score(frame).contributions
    np.testing.assert_allclose(contributions.sum(axis=1), 1, atol=1e-4)


def test_a_sensor_whose_residual_moves_alone_leads_whatever_its_shift_does_elsewhere() -> None:
    """What a shift does to others is known on average only: a machine that stands still at night differs."""
    found = detector().slow
    assert found is not None
    effect = np.eye(8)
    effect[0, 1], effect[1, 0] = 5, 2
    found = replace(found, effect=effect * found.units[1])
    alone = np.zeros((300, 8))
    alone[:, 0] = 5 * found.units[1, 0]
    for residuals in (alone, 5 * found.effect[0] * np.ones((300, 1))):
        assert found.shares(found.ratios(residuals, np.arange(300), found.start()).units)[-1].argmax() == 0


def test_the_owner_decides_without_training() -> None:
    frame = worn(plant())
    assert alarms(replace(detector(), adaptation="hold"), frame)[LATE].mean() > 0.8
    assert alarms(replace(detector(), adaptation="follow"), frame)[LATE].mean() < 0.7


def test_a_repair_is_quiet() -> None:
    """The fast views have followed the fault by then: to them, the repaired machine looks far out."""
    fault = Fault(kind="pair", start=44, days=16, size=4)
    case = machine("repair", 2, "linear", train=40, evaluated=34, faults=(fault,), step=300)
    scores = fit(case.part(0, case.train)).score(case.part(case.train, None))
    hours = (scores.times - case.labels[0][1]) / np.timedelta64(1, "h")
    assert scores.prediction[(hours > 3) & (hours < 72)].mean() < 0.01
    assert scores.prediction[case.truth()].mean() > 0.5


def test_a_window_that_remembers_a_fault_makes_no_tracked_view_count() -> None:
    """At a row in 15 minutes, it remembers for five hours; the newest rows are as trained."""
    fault = Fault(kind="one", start=44, days=16, size=4)
    case = machine("repair", 5, "linear", train=40, evaluated=34, faults=(fault,), step=900)
    found = replace(fit(case.part(0, case.train)), adaptation="follow")
    scores = found.score(case.part(case.train, None))
    hours = (scores.times - case.labels[0][1]) / np.timedelta64(1, "h")
    assert not scores.prediction[(hours > 1) & (hours < 72)].any()
    assert scores.prediction[case.truth()].any()


def test_training_that_drifted_is_not_trusted() -> None:
    found = detector(drift=True).slow
    assert found is not None
    assert found.trust == 0


def test_a_plant_whose_sensors_all_drifted_can_still_be_held() -> None:
    """Two sensors, one of which follows weather that nobody measures: `hold` counts both, `auto` neither."""
    frame, rng = plant(), np.random.default_rng(0)
    load = frame.values[:, 0] / frame.values[:TRAIN, 0].std()
    weather = 0.3 * np.sin(2 * np.pi * np.arange(len(load)) / (56 * DAY))
    heat = ewma(load[:, None], load[:1], 6)[:, 0] + weather
    heat[32 * DAY : 44 * DAY] += np.linspace(0, 3, 12 * DAY)
    values = np.stack([load, heat], axis=1) + 0.1 * rng.normal(size=(len(load), 2))
    frame = replace(frame, values=values, sensors=("power", "heat"))
    found = fit(frame.part(0, TRAIN))
    assert found.slow is not None
    assert found.slow.trust == 0
    assert found.slow.steady.min() > 0.4
    rows = frame.part(TRAIN, 44 * DAY)
    slow = found.slow.run(rows, found.pipeline.scaling, np.timedelta64(2, "h"), found.slow.start())
    assert (slow.ratio[LATE] > 1).mean() > 0.8
    assert alarms(replace(found, adaptation="hold"), frame)[LATE].mean() > 0.8


def test_units_contain_what_drifted_in_training_and_grow_as_a_walk_goes_on() -> None:
    found = detector(drift=True).slow
    assert found is not None
    assert found.drift.max() > found.units[1].max() / 2
    bins = found.end + np.array([-10, 0, round(3 / found.walk)])
    expected = [np.maximum(found.units, times * found.drift) for times in (1, 1, 2)]
    np.testing.assert_allclose(found.units_at(bins), np.stack(expected, axis=1))


def test_a_sensor_that_follows_what_nobody_measures_is_quiet_and_the_others_still_alarm() -> None:
    frame = plant()
    values = frame.values.copy()
    day = np.arange(len(values)) / DAY
    values[:, 0] += values[:TRAIN, 0].std() * np.sin(2 * np.pi * day / 75)
    frame = replace(frame, values=values)
    found = replace(fit(frame.part(0, TRAIN)), adaptation="hold")
    assert found.slow is not None
    assert found.slow.drift.argmax() == 0
    assert alarms(found, frame).mean() < 0.15
    assert alarms(found, worn(frame))[LATE].mean() > 0.8


def test_sensors_that_walked_in_training_do_not_mislead_the_others() -> None:
    """They are no measure for those that held their level, wherever they walk after training."""
    frame = plant()
    values = frame.values.copy()
    values[:, :2] += 0.05 * np.random.default_rng(1).normal(size=(len(values), 2)).cumsum(axis=0)
    values[TRAIN:, :2] += np.linspace(0, 10, len(values) - TRAIN)[:, None] * values[:TRAIN, :2].std(axis=0)
    frame = replace(frame, values=values)
    found = fit(frame.part(0, TRAIN))
    assert found.slow is not None
    assert found.slow.trust == pytest.approx(1, abs=0.01)
    assert (found.slow.steady == [0, 0, 1, 1, 1, 1, 1, 1]).all()
    assert alarms(found, frame).mean() < 0.03
    assert alarms(found, worn(frame))[LATE].mean() > 0.8


def limits(budget: float, *, slow: bool = True, faulty_days: int = 0) -> list[float]:
    """Return the limits of the fast views, trained without the days that looked like faults.

    What the trust in the channel does to limits for few days, and far from the states of training, is left
    out.
    """

    def healthy(_: Frame, normal: np.ndarray, *_others: Any) -> np.ndarray:
        return normal & (np.arange(TRAIN) >= faulty_days * DAY)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.train.fit.without_suspicious", healthy)
        patch.setattr("engine.train.fit.state_errors", lambda *_: (np.ones(1), None))
        patch.setattr("engine.train.fit.few_days", lambda *_: 1.0)
        if not slow:
            patch.setattr("engine.train.fit.fit_slow", lambda *_: None)
        found = fit(plant().part(0, TRAIN), settings=FitSettings(false_alarm_hours=budget))
    return [view.limit for view in found.views]


def test_fast_views_leave_half_of_the_budget_to_a_trusted_channel() -> None:
    assert limits(0.4) == limits(0.2, slow=False)


def test_fast_views_keep_the_budget_where_training_held_faults_that_nobody_labelled() -> None:
    assert limits(0.4, faulty_days=3) == limits(0.4, slow=False, faulty_days=3)


def test_training_of_a_week_is_not_trusted() -> None:
    found = fit(plant().part(0, 7 * DAY), settings=None).slow
    assert found is None or found.trust == 0


@pytest.mark.parametrize("rows", [1, 37, 500])
def test_windows_agree_with_one_batch(rows: int) -> None:
    frame = worn(plant()).part(38 * DAY, 46 * DAY if rows > 1 else 39 * DAY)
    whole = detector().score(frame)
    parts = list(score_in_batches(detector(), frame, rows=rows))
    np.testing.assert_allclose(np.concatenate([part.score for part in parts]), whole.score, atol=1e-5)


def test_a_long_frame_is_judged_part_by_part() -> None:
    frame = worn(plant()).part(TRAIN, 46 * DAY)
    whole = detector().score(frame)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.detect.slow_drift._CHUNK", 500)
        parts = detector().score(frame)
    assert (whole.prediction == 1).any()
    np.testing.assert_allclose(parts.score, whole.score, atol=1e-5)
    np.testing.assert_allclose(parts.contributions, whole.contributions, atol=1e-5)


def test_the_same_plant_at_slower_rows_gives_the_same_alarms() -> None:
    def slower(frame: Frame, by: int) -> Frame:
        return Frame(
            times=frame.times[by - 1 :: by],
            values=frame.values.reshape(-1, by, 8).mean(axis=1),
            sensors=frame.sensors,
            off=frame.off.reshape(-1, by).any(axis=1),
            step=by * frame.step,
        )

    fast, slow = worn(plant()), slower(worn(plant()), 3)
    found = fit(slow.part(0, TRAIN // 3))
    first = alarms(detector(), fast)[2::3]
    second = found.score(slow.part(TRAIN // 3, len(slow.times))).prediction == 1
    assert (first == second).mean() > 0.9


def test_missing_sensors_do_not_alarm() -> None:
    frame = plant()
    values = frame.values.copy()
    values[30 * DAY : 36 * DAY, 3] = np.nan
    assert alarms(detector(), replace(frame, values=values)).mean() < 0.03


def test_a_detector_and_its_state_come_back_from_their_bytes() -> None:
    found = detector()
    again = Detector.from_bytes(replace(found, adaptation="hold").to_bytes())
    assert again.adaptation == "hold"
    frame = worn(plant())
    state = found.score(frame.part(TRAIN, 40 * DAY)).state
    later = frame.part(40 * DAY, 42 * DAY)
    assert (found.score(later, state=state).score == again.score(later, state=state).score).all()


@pytest.mark.parametrize(
    "change", [{"width": 0}, {"trust": 2.0}, {"average": 0}, {"opening": "soon"}, {"settling": -1}]
)
def test_a_malformed_channel_is_refused(change: dict[str, object]) -> None:
    meta, arrays = unpack(detector().to_bytes(), "detector")
    meta["slow"] |= change
    with pytest.raises(BadArtefact):
        Detector.from_bytes(pack("detector", meta, arrays))


@pytest.mark.parametrize("change", [{"spell": -1}, {"ratio": "x"}, {"evidence": -2.0}, {"last_bin": []}])
def test_a_malformed_state_is_refused(change: dict[str, object]) -> None:
    meta, arrays = unpack(detector().score(plant().part(TRAIN, TRAIN + 50)).state, "scoring-state")
    meta["slow"] |= change
    with pytest.raises(BadArtefact):
        detector().check_state(pack("scoring-state", meta, arrays))


def test_an_unknown_adaptation_is_refused() -> None:
    meta, arrays = unpack(detector().to_bytes(), "detector")
    with pytest.raises(BadArtefact, match="adaptation"):
        Detector.from_bytes(pack("detector", meta | {"adaptation": "never"}, arrays))


def followed(
    ratios: np.ndarray, averages: np.ndarray, strengths: np.ndarray, points: np.ndarray
) -> list[float]:
    """The ratios of an alarm that four bins open, after bins that say this by themselves."""
    bins = JudgedBins(ratio=ratios, average=averages, strength=strengths, units=np.zeros((len(ratios), 1)))
    alarm = SlowAlarm(4, SlowState.start((1, 1), 1), bins, points[:, None])
    every = np.ones(len(ratios), bool)
    return alarm.follow(every, every).tolist()


def walked(strengths: list[float], points: list[float], back: int | None = None) -> list[float]:
    """The ratios of an alarm that four bins open, after bins with these strengths at these points.

    The average is below its limit from bin `back` on.
    """
    averages = np.array([4.0 if back is None or at < back else 0.9 for at in range(len(points))])
    ratios = np.minimum(averages, np.square(strengths))
    return followed(ratios, averages, np.array(strengths), np.array(points))


def test_an_alarm_opens_on_what_lasts_and_closes_soon() -> None:
    bins = [2.0] * 3 + [0.1] * 8 + [2.0] * 16 + [0.1] * 6
    ratios = walked(bins, [0.0] * len(bins))
    assert max(ratios[:12]) <= 1
    assert ratios[14] > 1
    assert max(ratios[30:]) <= 1


SHIFTS = [*[1.0] * 4, *[0.0] * 3]
"""Operating points of a shift at full load and of the idle time after it."""
WORN = [*[2.0] * 4, *[0.1] * 3]
"""Strengths of them with a fault that shows at full load only."""


def test_a_fault_that_shows_at_full_load_only_alarms_until_full_load_is_quiet() -> None:
    ratios = walked([*WORN * 5, *[0.1] * 7], SHIFTS * 6)
    assert min(ratios[15:35]) > 1  # through each idle time but the first two, before which few were quiet
    assert ratios[35] > 1
    assert max(ratios[36:]) <= 1  # closed by the second quiet bin at full load


def test_a_fault_that_came_fast_is_not_looked_for_where_it_never_was() -> None:
    ratios = walked([*[0.1] * 40, *[2.0] * 6, *[0.1] * 4], [0.0] * 50)
    assert min(ratios[43:47]) > 1
    assert max(ratios[47:]) <= 1


def test_a_repair_is_told_by_what_was_before_it() -> None:
    """Where the fault showed two times of three, quiet bins since then do not speak for its going on."""
    worn = [1.6] * 6 + [1.6, 1.6, 0.1] * 4
    ratios = walked([*worn, *[0.1] * 8], [0.0] * 26)
    assert min(ratios[4:22]) > 1
    assert max(ratios[22:]) <= 1


@pytest.mark.parametrize(("size", "bins"), [(9.0, 2), (2.0, 2), (1.2, 3), (1.05, 4)])
def test_the_smaller_a_fault_the_more_quiet_bins_end_it(size: float, bins: int) -> None:
    ratios = walked([*[size] * 12, *[0.1] * 8], [0.0] * 20)
    assert min(ratios[4 : 11 + bins]) > 1
    assert max(ratios[11 + bins :]) <= 1


@pytest.mark.parametrize("back", [None, 12])
def test_quiet_bins_on_the_side_of_the_fault_do_not_end_it(back: int | None) -> None:
    """No fault is farther from them than one of this size."""
    ratios = walked([*[1.2] * 12, *[0.7] * 8], [0.0] * 20, back)
    assert min(ratios[4:]) > 1


@pytest.mark.parametrize("strength", [0.1, 0.5])
def test_with_the_average_back_any_sign_of_a_repair_is_a_full_one(strength: float) -> None:
    ratios = walked([*[1.2] * 12, *[strength] * 2], [0.0] * 14, back=12)
    assert min(ratios[4:13]) > 1
    assert ratios[13] <= 1


def test_with_the_average_back_quiet_bins_where_a_fault_rarely_showed_say_little() -> None:
    """A day at full load, and a night on which every third bin is above the limit."""
    day, night = [1.2] * 6, [1.2, 0.7, 0.7] * 3
    ratios = walked([*(day + night) * 2, *[0.1] * 3], [*([1.0] * 6 + [0.0] * 9) * 2, *[0.0] * 3], back=30)
    assert min(ratios[4:]) > 1


def test_an_alarm_without_any_sign_of_a_fault_closes_in_the_end() -> None:
    worn, load = [*[2.0] * 4, *[0.1] * 5] * 5, [*[1.0] * 4, *[0.0] * 5] * 5
    ratios = walked([*worn, *[0.1] * 20], [*load, *[0.0] * 20])
    assert ratios[56] > 1  # four bins above are remembered, as many as open an alarm
    assert max(ratios[57:]) <= 1


def test_a_channel_without_axes_and_its_state_are_read() -> None:
    """Written by a release whose alarms knew nothing of operating points."""
    frame = worn(plant())
    meta, arrays = unpack(detector().to_bytes(), "detector")
    unknown = {"slow.axes", "slow.reach", "slow.growth"}
    old = Detector.from_bytes(pack("detector", meta, {k: v for k, v in arrays.items() if k not in unknown}))
    meta, arrays = unpack(old.score(frame.part(TRAIN, 40 * DAY)).state, "scoring-state")
    meta["slow"] = {k: v for k, v in meta["slow"].items() if k != "evidence"} | {"longest": 2.0}
    unknown = {"slow points", "slow above", "slow strengths", "slow place"}
    kept = {k: v for k, v in arrays.items() if k not in unknown}
    later = old.score(frame.part(40 * DAY, 44 * DAY), state=pack("scoring-state", meta, kept))
    assert later.prediction.mean() > 0.8


def test_a_channel_whose_bends_have_no_ends_is_read() -> None:
    meta, arrays = unpack(detector().to_bytes(), "detector")
    bounds = arrays.pop("slow.bounds")
    old, now = Detector.from_bytes(pack("detector", meta, arrays)).slow, detector().slow
    assert old is not None
    assert now is not None
    assert now.model.bounds.tolist() == bounds.tolist()
    assert (old.model.bounds[0] < bounds[0]).all()
    assert (old.model.bounds[1] > bounds[1]).all()


def test_a_channel_of_before_whose_units_know_no_drift_is_read() -> None:
    meta, arrays = unpack(detector(drift=True).to_bytes(), "detector")
    del meta["slow"]["end"], meta["slow"]["walk"], arrays["slow.drift"]
    old = Detector.from_bytes(pack("detector", meta, arrays)).slow
    assert old is not None
    later = np.array([10**6])
    np.testing.assert_array_equal(old.units_at(later)[:, 0], old.units)


def test_a_channel_that_judged_bins_like_rows_is_read_and_alarms_as_it_did() -> None:
    """Written by a release whose bins had the scores of rows, and counted from half of their limit on."""
    frame = worn(plant())
    meta, arrays = unpack(detector().to_bytes(), "detector")
    del meta["slow"]["largest"]
    arrays["slow.limits"] = arrays["slow.limits"] / (NEWEST_LIMIT, 1)  # the quantile itself was kept
    old = Detector.from_bytes(pack("detector", meta, arrays))
    again = Detector.from_bytes(old.to_bytes())
    assert old.slow is not None
    assert again.slow is not None
    assert detector().slow is not None
    assert not again.slow.largest
    assert old.slow.limits.tolist() == again.slow.limits.tolist()
    assert old.slow.limits[0] == pytest.approx(detector().slow.limits[0] / NEWEST_LIMIT / 2)
    assert alarms(old, frame)[LATE].mean() > 0.8
    assert alarms(old, plant()).mean() < 0.03


def test_a_channel_of_before_judges_its_average_as_its_limit_was_fitted() -> None:
    """Written by a release that had one score of rows and did not name it."""
    meta, arrays = unpack(detector().to_bytes(), "detector")
    del meta["slow"]["fourth_powers"]
    arrays["slow.limits"] = arrays["slow.limits"] * (1e-9, 1)  # the average alone decides
    old = Detector.from_bytes(pack("detector", meta, arrays))
    residuals = np.random.default_rng(3).normal(size=(5, 8))
    for found in (old.slow, Detector.from_bytes(old.to_bytes()).slow):
        assert found is not None
        bins = found.end + np.arange(5)
        ratios = found.ratios(residuals, bins, found.start()).ratio
        average = ewma(residuals, np.zeros(8), found.spans.average)
        units = found.units_at(bins)[1]
        expected = older_row_scores(np.abs(average * found.steady / units)) / found.limits[1]
        np.testing.assert_allclose(ratios, expected)


def test_a_fault_of_one_sensor_counts_as_much_among_many() -> None:
    few, many = np.full((1, 4), 0.5), np.full((1, 40), 0.5)
    few[0, 1] = many[0, 1] = 2
    assert bin_scores(few) == bin_scores(many) == 4


def test_noise_of_other_sensors_does_not_keep_an_alarm_open() -> None:
    """What counts is how far a bin lies along its average, on the side of it."""
    averages = np.array([[0.0, 2.0, 0.0]] * 4)
    residuals = np.array([[3.0, 0.0, 0.0], [3.0, 2.0, -3.0], [0.0, -2.0, 0.0], [0.0, 1e6, 0.0]])
    strengths = along(residuals, averages)
    assert strengths.tolist() == [0, 2, -2, CAP]
    now, along_average = [4.0] * 12 + [9.0] * 2, [2.0] * 12 + strengths[[0, 2]].tolist()
    ratios = followed(np.array(now), np.full(14, 4.0), np.array(along_average), np.zeros(14))
    assert min(ratios[4:13]) > 1
    assert ratios[13] <= 1


def test_a_state_that_knows_only_which_bins_were_above_goes_on() -> None:
    frame = worn(plant())
    meta, arrays = unpack(detector().score(frame.part(TRAIN, 42 * DAY)).state, "scoring-state")
    above = arrays["slow above"].astype(float)
    state = pack("scoring-state", meta, {k: v for k, v in arrays.items() if k != "slow strengths"})
    assert detector()._state(state).slow.strengths.tolist() == above.tolist()
    later = detector().score(frame.part(42 * DAY, 56 * DAY), state=state).prediction == 1
    assert later[: 2 * DAY].mean() > 0.8
    assert later[5 * DAY :].mean() < 0.03


def test_quiet_rows_are_lifted_without_an_alarm() -> None:
    fast, slow = np.array([0.2, 0.2, 0.9, 1.5]), np.array([0.0, 19.0, 19.0, 19.0])
    ratio, leads = fuse(fast, slow, held=1.0, weight=0.0)
    assert ratio[0] == 0.2 < ratio[1] < ratio[2] < 1 < ratio[3]
    assert not leads.any()
    ratio, leads = fuse(fast, slow, held=1.0, weight=1.0)
    assert leads.tolist() == [False, True, True, True]


def test_a_level_that_is_taken_over_is_an_event_of_its_own() -> None:
    frame = plant(drift=True)
    values = frame.values.copy()
    values[31 * DAY :, 4] += 3 * values[:TRAIN, 4].std()
    parts = score_in_batches(
        detector(drift=True), replace(frame, values=values).part(TRAIN, len(frame.times)), rows=200
    )
    moved = [event for part in parts for event in part.level_events if event.sensor == "e"]
    assert moved[-1].since > frame.times[31 * DAY]
    assert moved[-1].reads - moved[-1].expected > values[:TRAIN, 4].std()
