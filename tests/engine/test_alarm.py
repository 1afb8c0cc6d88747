"""How alarms open, close and forget, on ratios of score to limit given by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detect.alarm import MEMORY_ROWS, MUTED_RATIO, Alarm

CALM = 0.3


def fused(
    lag: list[float], *, window: list[float] | None = None, scale: list[float] | None = None
) -> np.ndarray:
    rest = [CALM] * len(lag)
    return Alarm.closed().fuse(
        {"lag": np.array(lag), "window": np.array(window or rest), "scale": np.array(scale or rest)}
    )


def calm(rows: int) -> list[float]:
    return [CALM] * rows


@pytest.mark.parametrize("height", [1.5, 24.0])
def test_a_single_row_does_not_alarm(height: float) -> None:
    assert fused([*calm(10), height, *calm(20)]).max() < 1


@pytest.mark.parametrize(("height", "rows"), [(3.0, 2), (1.3, 3)])
def test_an_alarm_opens_within_the_first_rows(height: float, rows: int) -> None:
    ratio = fused([*calm(10), *[height] * 5, *calm(20)])
    assert (ratio[: 10 + rows - 1] < 1).all()
    assert (ratio[10 + rows - 1 : 15] > 1).all(), "a fault of five rows is an alarm before it is over"


def test_an_open_alarm_does_not_flicker_but_closes() -> None:
    dips = [1.4, 0.8, 1.2, 0.9, 0.8, 1.3] * 4
    ratio = fused([*calm(10), 2.0, 2.0, 2.0, *dips, *calm(20)])
    assert (ratio[13 : 13 + len(dips)] > 1).all()
    assert (ratio[13 + len(dips) + 2 :] < 1).all()
    assert fused([*calm(10), *[0.93] * 50]).max() < 1, "nothing opens below the limit"


@pytest.mark.parametrize("view", ["window", "scale"])
def test_what_only_memory_still_sees_is_over_soon(view: str) -> None:
    rows = MEMORY_ROWS[view] - 1  # type: ignore[index]  # the names are those of the views
    memory = [*calm(10), *[5.0] * (30 + rows), *calm(10)]
    lag = [*calm(10), *[6.0] * 30, *calm(rows + 10)]
    tail = fused(lag, **{view: memory})[40:]
    assert (tail[7:] < 1).all()
    assert tail[7 : rows - 1].min() > MUTED_RATIO - 0.1, "what is muted still ranks above calm rows"


@pytest.mark.parametrize("lag", [calm(60), [*calm(10), 1.1, *calm(49)]], ids=["never", "hardly"])
def test_what_the_lag_view_did_not_see_is_not_muted(lag: list[float]) -> None:
    assert (fused(lag, window=[*calm(10), *[5.0] * 50])[12:] > 1).all()


def test_a_fault_that_goes_on_alarms_again_once_memory_holds_nothing_else() -> None:
    ratio = fused([*calm(10), *[6.0] * 5, *calm(60)], scale=[*calm(10), *[5.0] * 65])
    assert (ratio[11:15] > 1).all()
    assert (ratio[15 + MEMORY_ROWS["scale"] + 2 :] > 1).all()


RATIOS = st.lists(
    st.tuples(*[st.floats(0, 30) | st.sampled_from([0.6, 0.7, 0.9, 0.95, 1.0, 1.05])] * 3), max_size=80
)


@settings(max_examples=60)
@given(rows=RATIOS, cuts=st.lists(st.integers(0, 80), max_size=6))
def test_any_cut_into_windows_gives_the_same(rows: list[tuple[float, ...]], cuts: list[int]) -> None:
    table = np.array(rows).reshape(-1, 3)
    parts = np.split(table, sorted(min(cut, len(table)) for cut in cuts))
    alarm = Alarm.closed()
    pieces = [alarm.fuse(dict(zip(("lag", "window", "scale"), part.T, strict=True))) for part in parts]
    whole = Alarm.closed().fuse(dict(zip(("lag", "window", "scale"), table.T, strict=True)))
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@settings(max_examples=60)
@given(rows=RATIOS.filter(bool), factor=st.floats(1, 3))
def test_it_is_finite_and_causal(rows: list[tuple[float, ...]], factor: float) -> None:
    table = np.array(rows)
    whole = Alarm.closed().fuse(dict(zip(("lag", "window", "scale"), table.T, strict=True)))
    assert np.isfinite(whole).all()
    assert (whole >= 0).all()
    changed = table.copy()
    changed[-1] *= factor
    again = Alarm.closed().fuse(dict(zip(("lag", "window", "scale"), changed.T, strict=True)))
    np.testing.assert_array_equal(again[:-1], whole[:-1])


@settings(max_examples=60)
@given(rows=RATIOS.filter(bool))
def test_a_tiny_change_changes_little(rows: list[tuple[float, ...]]) -> None:
    table = np.array(rows)[:20]
    one, two = (
        Alarm.closed().fuse(dict(zip(("lag", "window", "scale"), (table + d).T, strict=True)))
        for d in (0, 1e-12)
    )
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_an_alarm_that_opens_over_the_end_of_a_window() -> None:
    ratios = np.array([*calm(10), 3.0, 3.0, 3.0, *calm(3)])
    whole = Alarm.closed().fuse({"lag": ratios})
    alarm = Alarm.closed()
    pieces = [alarm.fuse({"lag": part}) for part in np.split(ratios, [11, 12])]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert whole[11] > 1
