"""The benchmarks read any directory of labelled series, also one that nobody here has seen."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.datasets import shared_cases

ROWS = "time,Speed,Flow\n2025-01-01T00:00:00,900,1\n2025-01-01T01:00:00,,2\n2025-01-01T02:00:00,100,3\n"


def series(folder: Path, *, labels: str = "2025-01-01 01:00:00,2025-01-01T02:00:00\n", **meta: Any) -> None:
    folder.mkdir(parents=True)
    (folder / "data.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    (folder / "labels.csv").write_text(labels)
    (folder / "meta.json").write_text(json.dumps(meta))


def test_series_are_found_and_grouped_by_where_they_lie(tmp_path: Path) -> None:
    series(tmp_path / "beds" / "pump" / "one", train_rows=2)
    series(tmp_path / "beds" / "two", train_rows=2)
    series(tmp_path / "mill_7", train_end="2025-01-01T00:30:00", off_condition="Speed < 150")
    series(tmp_path / "mill_12", train_end="2025-01-01T01:00:00")
    series(tmp_path / "healthy", labels="\n", train_rows=2)
    series(tmp_path / "to failure")
    cases = shared_cases(tmp_path)
    assert [(case.group, case.name, case.train) for case in cases] == [
        ("beds", "one", 2),
        ("beds", "two", 2),
        ("mill", "mill_12", 2),
        ("mill", "mill_7", 1),
    ]
    assert cases[-1].frame.off.tolist() == [False, False, True]
    assert cases[0].frame.off.tolist() == [False] * 3


def test_what_a_series_holds(tmp_path: Path) -> None:
    series(tmp_path / "pump", train_rows=1)
    (case,) = shared_cases(tmp_path)
    assert case.frame.sensors == ("Speed", "Flow")
    assert case.frame.step == np.timedelta64(1, "h")
    np.testing.assert_array_equal(case.frame.values, [[900, 1], [np.nan, 2], [100, 3]])
    assert case.truth().tolist() == [True, True]
    assert case.training_labels() == []


def test_a_directory_without_series_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=f"no labelled series in {tmp_path}"):
        shared_cases(tmp_path)
