"""The numeric constants of the engine: which are choices of the method, and what each is changed to.

    python -m benchmarks.constants

prints each choice with its value, and what halves and doubles it. A new constant is found by itself: it
needs its row in `docs/method.md`, or a place among the OTHERS, and a test says so.
"""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

PACKAGES = ("engine.detect", "engine.train")
MODULES = (
    "engine.evaluate.events",
    "engine.frame.excursions",
    "engine.frame.filling",
    "engine.frame.scaling",
    "engine.frame.segments",
)
"""Where constants of the method are: all modules of these packages, and these modules of others."""

OTHERS = {
    "a format": "artefact.VERSION artefact.READABLE artefact._DIGEST",
    "a unit": "slow_fit.HOUR",
    "of the normal distribution": "cleaning._NORMAL_99 scaling._NORMAL_IQR",
    "which features are predicted": "view.OUTPUTS",
    "leaves alarms as they are": "events.EventRules.min_rows fit._NAMED",
    "follows from other constants": (
        "features.LONGEST_MEMORY features.GAP_STEPS features.CONTEXT features.BLOCKS features.WARM_UP "
        "alarm.MEMORY_ROWS alarm.HISTORY_ROWS notices.SILENT_ROWS slow_fit.SETTLING slow_fit.DAY "
        "slow_fit.NEXT_BLOCK slow_fit.BY_CHANCE events.REPORT_PAUSE events.REPORT_LONGEST_PAUSE"
    ),
    "rows or columns at once, for speed": (
        "cross_prediction.BLOCK cross_prediction._SMALL cross_prediction._SMALL_FACTOR features.BLOCK_ROWS "
        "smoothing._BLOCK time_bins.CHUNK silence._BLOCK_ROWS "
        "slow_drift._CHUNK unit_changes._CHUNK watch._CHUNK "
        "segments.CHUNK_ROWS view._BLOCK_ROWS scaling._SENSORS known_faults._PART_ROWS"
    ),
    "rows of long data that are looked at, for speed": (
        "discrete._SAMPLE_ROWS training_range._SAMPLE_ROWS calibration_data.SAMPLE_CELLS "
        "cleaning._LEARNED_ROWS fit._LEARNED_ROWS fit._FORGOTTEN sampling.STRIP_ROWS slow_fit._KNOT_ROWS "
        "scaling._SAMPLE_ROWS scaling._SAMPLE_CELLS level_shift.STRIDE time_bins.ENOUGH_ROWS "
        "filling._SAMPLE_PAUSES"
    ),
    "bounds the memory of a fit": "slow_fit.MOST_BINS slow_fit.COLUMNS",
    "how far, and how exactly, a factor is searched": "calibration.COMMON_FACTOR calibration.COMMON_STEPS",
    "against division by almost nothing, logarithms of it, and rounding": (
        "additive_model._TINY level_shift._TINY slow_drift._TINY slow_alarm._DECIMALS trained_states._STILL "
        "calibration.STILL slow_fit._LEAST_UNIT scaling._CONSTANT features._STD_FLOOR imputation._RCOND"
    ),
    "refuses what cannot be, or is too little": (
        "slow_state._MOST_BINS state._MOST_ROWS fit.MIN_ROWS slow_fit.LEAST_BINS"
    ),
    "wording": "discrete.MOST_VALUES",
}
"""Constants that are no choices of the method, by what they are."""

INSTEAD: dict[str, tuple[Any, Any]] = {
    "alarm.CALM_RATIO": (0.3, 0.9),
    "alarm.MUTED_RATIO": (0.35, 0.95),
    "alarm.SEEN_SHARE": (0.25, 0.75),
    "alarm.CLOSING_RATIO": (0.6, 0.9),
    "comparison.AGREEMENT": (0.6, 0.85),
    "excursions.SPIKE_ROWS": (1, 6),
    "filling.USUAL_PAUSE": (0.98, 0.995),
    "known_faults.HELD": (0.25, 0.75),
    "level_events.MOVED_SHARE": (0.25, 0.75),
    "level_shift.MOVED_AVERAGE": ((0.225, 0.275), (0.7, 0.8)),
    "level_shift.SINGLE_SENSOR_SHARE": ((0.8, 0.92), (0.95, 0.98)),
    "returning_states.USUAL_SHARE": (0.8, 0.95),
    "slow_fit.RIDGES": ((0.05,), (0.000005,)),
    "smoothing.NEWEST_ROWS": (2, 6),
    "time_bins.KNOWN": (0.25, 1.0),
    "training_range.NEARLY_ALL": (0.8, 0.95),
    "training_range._TAILS": ((0.002, 0.998), (0.0005, 0.9995)),
    "view.RESIDUAL_QUANTILE": (0.98, 0.995),
}
"""Less and more of what cannot be halved and doubled: of shares, the distance from 1 often is."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """One number, or numbers that belong together.

    Attributes:
        name: module and name, `view.CAP`.
        module: full name of the module.
        attribute: its name there, behind that of the class for the default of a setting.
        value: what it is.
        smaller: what it is halved to.
        larger: what it is doubled to.

    """

    name: str
    module: str
    attribute: str
    value: Any
    smaller: Any
    larger: Any


def constants() -> Iterator[tuple[str, str, str, Any]]:
    """Yield name, module, name in the module, and value of every numeric constant."""
    for module in _modules():
        short = module.__name__.rpartition(".")[2]
        for attribute, value in (*_assigned(module), *_defaults(module)):
            if _numeric(value):
                yield f"{short}.{attribute}", module.__name__, attribute, value


def choices() -> list[Constant]:
    """Return the constants that are choices of the method."""
    others = {name for names in OTHERS.values() for name in names.split()}
    found = []
    for name, module, attribute, value in constants():
        if name in others:
            continue
        smaller, larger = INSTEAD.get(name, (_times(value, 0.5), _times(value, 2)))
        found.append(
            Constant(
                name=name, module=module, attribute=attribute, value=value, smaller=smaller, larger=larger
            )
        )
    return found


def _modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        for each in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            yield importlib.import_module(each.name)
    yield from map(importlib.import_module, MODULES)


def _assigned(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the names in capitals that a module assigns, and their values."""
    for statement in ast.parse(inspect.getsource(module)).body:
        for target in assigned(statement):
            if target.isupper():
                yield target, getattr(module, target)


def assigned(statement: ast.stmt) -> list[str]:
    """Return the names that a statement assigns."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    return [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]


def _defaults(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the defaults of the dataclasses of a module."""
    for name, each in vars(module).items():
        if isinstance(each, type) and each.__module__ == module.__name__ and dataclasses.is_dataclass(each):
            yield from ((f"{name}.{field.name}", field.default) for field in dataclasses.fields(each))


def _numeric(value: Any) -> bool:
    """Return whether a value is a number, or consists of numbers; zero is where something begins."""
    if isinstance(value, tuple | dict):
        parts = value.values() if isinstance(value, dict) else value
        return bool(value) and all(map(_numeric, parts))
    number = isinstance(value, int | float | np.timedelta64) and not isinstance(value, bool)
    return number and bool(value) and not (isinstance(value, np.timedelta64) and np.isnat(value))


def _times(value: Any, factor: float) -> Any:
    """Return a value times a factor; of several, each. What is whole stays whole, and is at least 1."""
    if isinstance(value, tuple):
        return tuple(_times(each, factor) for each in value)
    return max(1, round(value * factor)) if isinstance(value, int) else value * factor


def main() -> None:
    """Print the choices."""
    for each in choices():
        print(f"{each.name:42} {each.value!s:36} {each.smaller!s:36} {each.larger}")


if __name__ == "__main__":
    main()
