import numpy as np
import pytest

from engine import TooLarge
from engine.frame import matrix
from engine.frame.matrix import ColumnMatrix

ROWS = 4000


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done above 1 GiB, at a size a test can afford."""
    monkeypatch.setattr(matrix, "FLOAT64_VALUES", 1000)


def sensors(count: int) -> np.ndarray:
    return np.random.default_rng(1).normal(20, 3, (ROWS, count))


def built(values: np.ndarray) -> np.ndarray:
    result = ColumnMatrix(*values.shape)
    for at in range(values.shape[1]):
        result.append(values[:, at])
    return result.array()


@pytest.mark.parametrize("count", [1, 15, 16, 17, 40])
def test_large_data_takes_half_the_bytes(count: int) -> None:
    values = sensors(count)
    result = built(values)
    assert result.dtype == np.float32
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, values.astype(np.float32))


def test_small_data_keeps_every_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "FLOAT64_VALUES", 2 * ROWS)
    values = sensors(2)
    np.testing.assert_array_equal(built(values), values)


@pytest.mark.parametrize(
    ("name", "column", "kept"),
    [
        ("a temperature in kelvin", np.random.default_rng(2).normal(293.15, 0.1, ROWS), np.float32),
        ("a counter that counts far", np.linspace(1e9, 2e9, ROWS), np.float32),
        ("a counter that counts little", np.linspace(1e9, 1e9 + 1e3, ROWS), np.float64),
        ("seconds since 1970", 1.7e9 + 60 * np.arange(ROWS), np.float64),
        ("a constant", np.full(ROWS, 1e9 + 1), np.float32),
        ("beyond float32", np.linspace(0, 1e39, ROWS), np.float64),
        ("with gaps", np.where(np.arange(ROWS) < 3000, np.nan, np.linspace(0, 1, ROWS)), np.float32),
    ],
)
@pytest.mark.parametrize("at", [0, 17])
def test_all_stays_double_when_one_sensor_would_lose_its_changes(
    name: str, column: np.ndarray, kept: type, at: int
) -> None:
    values = sensors(20)
    values[:, at] = column
    result = built(values)
    assert result.dtype == kept, name
    np.testing.assert_array_equal(result[:, at], values[:, at].astype(kept))
    np.testing.assert_allclose(result, values, rtol=1e-7)


def test_what_does_not_fit_is_refused_before_it_is_taken() -> None:
    with pytest.raises(TooLarge, match=r"4,000 rows x 20 sensors take 320,000 bytes") as refused:
        ColumnMatrix(ROWS, 20, 319_999)
    assert (refused.value.rows, refused.value.sensors, refused.value.size) == (4000, 20, 320_000)
    result = ColumnMatrix(ROWS, 20, 959_999)
    result.append(np.linspace(1e9, 1e9 + 1, ROWS))
    with pytest.raises(TooLarge, match="960,000 bytes"):
        result.array()
