"""Names stay recognisable, legal and distinct."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4e_cli.prepare.names import component_name, distinct_names, sensor_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("FIC-101.PV", "FIC-101.PV"),
        ("Öltemperatur [°C]", "Oeltemperatur_degC"),
        ("Débit m³/h", "Debit_m3_h"),
        ("Давление насоса 1", "Davlenie_nasosa_1"),
        ("Θερμοκρασία", "Thermokrasia"),
        ("ポンプ", "ponpu"),
        ("펌프 1", "peompeu_1"),
        ("Level %", "Level_pct"),
        ("压力", ""),
        (" a\t b ", "a_b"),
    ],
)
def test_a_name(name: str, expected: str) -> None:
    assert sensor_name(name) == expected


def test_names_that_become_the_same_are_numbered() -> None:
    assert distinct_names(["A B", "A_B", "a-b", "A/B", "", "压"]) == [
        "A_B_2",
        "A_B",
        "a-b",
        "A_B_3",
        "sensor_5",
        "sensor_6",
    ]


def test_the_name_of_the_time_is_taken() -> None:
    assert distinct_names(["Timestamp"], taken=("Timestamp",)) == ["Timestamp_2"]


@given(st.lists(st.text(max_size=250)))
def test_any_names_become_legal_and_distinct(names: list[str]) -> None:
    made = distinct_names(names, taken=("Timestamp",))

    assert len({name.lower() for name in [*made, "Timestamp"]}) == len(names) + 1
    assert all(re.fullmatch(r"[0-9a-zA-Z:#$.\-_]{1,200}", name) for name in made)


@given(st.text())
def test_a_component_is_legal_or_nothing(name: str) -> None:
    assert re.fullmatch(r"[0-9a-zA-Z._\-]{0,200}", component_name(name))
