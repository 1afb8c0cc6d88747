import io

import numpy as np
import pytest

from engine import LastValue, build_frame, convert_csv, last_values

CSV = """t,a,b,c
2024-01-01T00:00:10,1,,
2024-01-01T00:00:50,3,7,
2024-01-01T00:01:00,,8,
2024-01-01T00:01:30,5,,
2024-01-01T00:05:00,9,9,9
"""


def at(text: str) -> np.datetime64:
    return np.datetime64(f"2024-01-01T{text}", "us")


def columns() -> io.BytesIO:
    sink = io.BytesIO()
    convert_csv(io.BytesIO(CSV.encode()), sink, columns=None)
    return sink


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("00:00:09.999999", {}),
        ("00:00:10", {"a": LastValue(1.0, at("00:00:10"))}),
        ("00:01:00", {"a": LastValue(3.0, at("00:00:50")), "b": LastValue(8.0, at("00:01:00"))}),
        ("00:04:59", {"a": LastValue(5.0, at("00:01:30")), "b": LastValue(8.0, at("00:01:00"))}),
        ("00:05:00", {name: LastValue(9.0, at("00:05:00")) for name in "abc"}),
    ],
)
def test_the_last_value_up_to_a_time(end: str, expected: dict[str, LastValue]) -> None:
    found = last_values(columns(), ["a", "b", "c", "d"], end=at(end), step_seconds=None)
    assert found == expected


def test_of_buckets_it_is_the_mean_as_in_a_frame() -> None:
    found = last_values(columns(), ["a", "b"], end=at("00:01:00"), step_seconds=60)
    assert found == {"a": LastValue(2.0, at("00:00:50")), "b": LastValue(7.5, at("00:01:00"))}
    frame = build_frame(
        {"m": columns()},
        sensors=["m\\a", "m\\b"],
        start=None,
        end=at("00:01:00"),
        step_seconds=60,
        off=None,
    )
    assert frame.values.tolist() == [[2.0, 7.5]]
