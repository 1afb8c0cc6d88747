"""Measured figures reach the rows of docs/benchmarks.md that they belong to, and no others."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.docs_tables import detection_cells, length_cells, rewritten, slow_cells

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md").read_text()
FAULT = {"fifths": [0, 10, 49, 50, 52], "lead": 123.4, "events": 2, "quiet_after": 0.55}


def changed(page: str) -> list[tuple[str, ...]]:
    """Return of each line that is not as before the cells that differ."""
    lines = zip(PAGE.splitlines(), page.splitlines(), strict=True)
    return [
        tuple(now.strip() for was, now in zip(before.split("|"), after.split("|"), strict=True) if was != now)
        for before, after in lines
        if before != after
    ]


def case(name: str, group: str, faults: int) -> dict[str, Any]:
    """Return what a benchmark of slow faults says of a case."""
    return {
        "case": name,
        "group": group,
        "faults": [FAULT] * faults,
        "false_hours_per_day": 9.876,
        "false_events_per_week": 11.26,
        "f1": 0.4567,
    }


def test_detection_changes_one_column_of_four_rows_and_the_best_is_bold() -> None:
    of = {
        "ap": 0.12345,
        "f1": 0.2,
        "false_alarm_percent": 3.14,
        "found": 7,
        "events": 19,
        "false_hours_per_day": 2.55,
    }
    page = rewritten(PAGE, detection_cells({"engine": {"synthpump": of}}))
    assert [cells[0] for cells in changed(page)] == [".123", ".200 / 3.1", "7 of 19", "2.55"]
    row = next(line for line in page.splitlines() if line.startswith("| synthpump 11,"))
    assert row.count("**") == 2, "the best of the other detectors"


def test_slow_faults_change_the_rows_of_their_family_rate_and_detector() -> None:
    worn = [case(f"wear, linear {seed} at 900 s", "wear, linear", seed) for seed in (1, 2)]
    rested = [case("healthy, linear 3 at 60 s", "healthy, linear", 0)]
    assert changed(rewritten(PAGE, slow_cells({"engine, follow": [*worn, *rested]}))) == [
        ("0 10 49 50 52", "3 of 3", "123", "2.0", "0.6", "9.88", "11.3", "0.457"),
        ("9.88", "11.3"),
    ]


def test_young_machines_have_a_table_of_their_own_for_five_minutes() -> None:
    rows = [case(f"young, curved 1 at {step} s", "young, curved", 1) for step in (60, 300)]
    assert changed(rewritten(PAGE, slow_cells({"engine": rows}))) == [
        ("51", "1 of 1", "123", "2.0", "0.6", "9.88", "11.3", "0.457")
    ]


def test_lengths_of_one_family_are_refused_in_words() -> None:
    rows = [case("young", "young, linear,  21 days", 1)]
    with pytest.raises(SystemExit, match="engine at 21 days lacks young, curved: measure both families"):
        length_cells({"engine": rows})


def test_lengths_of_training_change_the_rows_of_their_days() -> None:
    rows = [case("young", f"young, {kind},  21 days", 1) for kind in ("linear", "curved")]
    cells = ("1 of 1", "123", "9.88", ".457", "1 of 1", "123", "9.88", ".457")
    assert changed(rewritten(PAGE, length_cells({"Mahalanobis LW": rows, "engine": rows}))) == [cells, cells]
