"""Every number of the method has its unit, its reason and its sensitivity in `docs/method.md`."""

import importlib
from collections import Counter
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.altered import Altered
from benchmarks.constants import OTHERS, choices, constants
from benchmarks.sensitivity import PART_OF, ROW, SCORING, Results, names, with_figures

PAGE = Path(__file__).resolve().parents[2] / "docs" / "method.md"


def documented() -> list[list[str]]:
    """Return the cells of each row about a constant, its name first."""
    rows = [(row, line) for line in PAGE.read_text().splitlines() if (row := ROW.match(line))]
    return [[row["constant"], *line.strip("| ").split(" | ")[1:]] for row, line in rows if row["constant"]]


def test_each_choice_has_a_reason_and_what_halving_and_doubling_does() -> None:
    rows = documented()
    assert Counter(name for name, *_ in rows) == Counter(each.name for each in choices()), (
        "a number of the method needs a row in docs/method.md; what is no choice belongs to the OTHERS of "
        "benchmarks/constants.py"
    )
    assert all(len(cells) == 3 and all(cells) for _, *cells in rows)


def test_what_is_no_choice_exists() -> None:
    others = Counter(name for names in OTHERS.values() for name in names.split())
    assert others == Counter(name for name, *_ in constants() if name in others)


def test_what_a_choice_can_touch_is_said_of_choices_that_exist() -> None:
    assert SCORING | PART_OF.keys() <= {name for each in choices() for name in names(each)}


def test_a_choice_can_be_less_and_more() -> None:
    unchanged = [each.name for each in choices() if each.value in {each.smaller, each.larger}]
    assert unchanged == []


def altered(module: str, attribute: str, value: str) -> ModuleType:
    package = importlib.import_module(module.rpartition(".")[0])
    spec = Altered(module, attribute, value).find_spec(module, package.__path__)
    assert spec is not None
    assert spec.loader is not None
    result = module_from_spec(spec)
    spec.loader.exec_module(result)
    return result


def test_what_follows_from_a_constant_follows_it() -> None:
    features = altered("engine.detect.features", "WINDOW", "WINDOW * 2")
    assert (features.WINDOW, features.CONTEXT, features.LONGEST_MEMORY) == (40, 39, 40)
    assert importlib.import_module("engine.detect.features").WINDOW == 20


def test_one_of_two_constants_in_a_line_can_be_altered() -> None:
    slow_fit = altered("engine.train.slow_fit", "BINS", "300")
    assert (slow_fit.BINS, slow_fit.LONGEST_BIN) == (300, slow_fit.HOUR // 2)


def test_the_default_of_a_setting_can_be_altered() -> None:
    settings = altered("engine.train.fit_settings", "FitSettings.false_alarm_hours", "0.3")
    assert settings.FitSettings().quantile == 1 - 0.3 / 24


def test_a_constant_that_is_not_there_is_named() -> None:
    with pytest.raises(SystemExit, match=r"engine\.detect\.view has no constant CUP"):
        altered("engine.detect.view", "CUP", "3")


def test_figures_come_into_the_tables_of_a_page() -> None:
    results = Results(
        engine="",
        usual={"scores": {"SKAB": 0.834, "FAR": 5.0, "worn false": 0.2}},
        changed={
            "view.CAP halved": {"SKAB": 0.8, "FAR": 7.5, "worn false": 0.25},
            "view.CAP doubled": {"SKAB": 0.84, "FAR": 4.5, "worn false": 0.31},
            "alarm.EDGE halved": {},
        },
    )
    page = "\n".join(
        [
            "| SKAB | F1 | .01 | - |",
            "| cap, `view.CAP` | 6 units | - | - |",
            "| edge, `alarm.EDGE` | .05 | old | older |",
            "| other | `view.CAP` | - | - |",
            "",
        ]
    )
    assert with_figures(page, results, choices()).splitlines() == [
        "| SKAB | F1 | .01 | .834 |",
        "| cap, `view.CAP` | 6 units | SKAB -.034, FAR +2.5 | worn false +.11 |",
        "| edge, `alarm.EDGE` | .05 | old | older |",
        "| other | `view.CAP` | - | - |",
    ]
