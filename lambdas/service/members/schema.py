"""The data schema of datasets and models.

`{"Components": [{"ComponentName": "pump", "Columns": [{"Name": "flow", "Type": "DOUBLE"}, ...]}, ...]}`
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from service.errors import ValidationError, quoted
from service.requests.service_model import service_model
from service.requests.validation import compiled

_TYPES = ("DATETIME", "DOUBLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSchema:
    """One component: the names of its timestamp column and of its sensor columns."""

    name: str
    timestamp: str
    sensors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The components of a dataset, or those that a model uses, in the order given."""

    components: tuple[ComponentSchema, ...]

    @property
    def sensors(self) -> list[str]:
        r"""Every sensor as `component\sensor`."""
        return [f"{one.name}\\{sensor}" for one in self.components for sensor in one.sensors]

    def to_json(self) -> str:
        """Return the schema as JSON that is a Python literal too: AWS's own SDK calls `eval` on it."""
        return json.dumps(
            {
                "Components": [
                    {
                        "ComponentName": one.name,
                        "Columns": [
                            {"Name": one.timestamp, "Type": "DATETIME"},
                            *({"Name": sensor, "Type": "DOUBLE"} for sensor in one.sensors),
                        ],
                    }
                    for one in self.components
                ]
            }
        )

    def require_size(self, *, components: int | None, columns: int | None, settings: str) -> None:
        """Require no more components and sensor columns than are allowed.

        Args:
            components: most components; None is no limit.
            columns: most sensor columns of all components; None is no limit.
            settings: end of the names of the settings that hold these limits: `components_<settings>`.

        Raises:
            ValidationError: when there are more.
        """
        for kind, limit, count in (
            ("components", components, len(self.components)),
            ("columns", columns, len(self.sensors)),
        ):
            if limit is not None and count > limit:
                raise _invalid(
                    f"the schema has {count} {kind} but at most {limit} are allowed: leave some out, or "
                    f"raise the setting '{kind}_{settings}' of the service"
                )

    def require_within(self, dataset: "Schema", dataset_name: str) -> None:
        """Require that every component and sensor is in the schema of the `dataset`.

        Raises:
            ValidationError: when one is not; suggests what was probably meant.
        """
        known = {component.name: component for component in dataset.components}
        for component in self.components:
            if component.name not in known:
                raise _invalid(
                    f"the component '{component.name}' is not in the dataset "
                    f"'{dataset_name}'{_suggestion(component.name, known)}"
                )
            whole = known[component.name]
            for sensor in component.sensors:
                if sensor not in whole.sensors:
                    raise _invalid(
                        f"the column '{sensor}' is not in the component '{component.name}' of the dataset "
                        f"'{dataset_name}'{_suggestion(sensor, whole.sensors)}"
                    )


def parse_schema(text: str) -> Schema:
    """Return the schema written in `text`. Unknown members are ignored.

    Raises:
        ValidationError: when `text` is not a valid schema; names the value, the rule and the fix.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid(
            f"it is not JSON ({error}): give a JSON object with the member 'Components'"
        ) from error
    entries = _list_member(document, "Components", "the schema")
    if not entries:
        raise _invalid("'Components' is empty: list at least one component")
    components = tuple(_component(entry, f"Components[{index}]") for index, entry in enumerate(entries))
    if repeated := _repeated(component.name for component in components):
        raise _invalid(
            f"the component '{repeated}' appears twice: list each component once, with all its columns"
        )
    return Schema(components=components)


def _component(entry: Any, where: str) -> ComponentSchema:
    name = _string_member(entry, "ComponentName", where)
    _require_pattern(name, "ComponentName", f"the component name '{name}'")
    where = f"component '{name}'"
    columns = [
        (
            _string_member(column, "Name", f"Columns[{index}] of {where}"),
            _string_member(column, "Type", f"Columns[{index}] of {where}"),
        )
        for index, column in enumerate(_list_member(entry, "Columns", where))
    ]
    for column, kind in columns:
        _require_pattern(column, "SensorName", f"the column name '{column}' of {where}")
        if kind not in _TYPES:
            raise _invalid(
                f"column '{column}' of {where} has the type '{kind}': use DATETIME for the timestamp column "
                "and DOUBLE for sensors"
            )
    if repeated := _repeated(column for column, _ in columns):
        raise _invalid(f"{where} has the column '{repeated}' twice: column names must differ")
    timestamps = [column for column, kind in columns if kind == "DATETIME"]
    if len(timestamps) != 1 or columns[0][1] != "DATETIME":
        found = quoted(timestamps) or "none"
        raise _invalid(
            f"{where} must have exactly one DATETIME column, as its first (found: {found}): list the "
            "timestamp column first, with the type DATETIME, and all others with the type DOUBLE"
        )
    if len(columns) < 2:
        raise _invalid(f"{where} has no sensor: list at least one column of type DOUBLE")
    return ComponentSchema(
        name=name, timestamp=timestamps[0], sensors=tuple(column for column, _ in columns[1:])
    )


def _list_member(entry: Any, member: str, where: str) -> list[Any]:
    value = entry.get(member) if isinstance(entry, Mapping) else None
    if not isinstance(value, list):
        raise _invalid(f"{where} must be an object whose member '{member}' is a list")
    return value


def _string_member(entry: Any, member: str, where: str) -> str:
    value = entry.get(member) if isinstance(entry, Mapping) else None
    if not isinstance(value, str):
        raise _invalid(f"{where} must be an object whose member '{member}' is a text")
    return value


def _require_pattern(name: str, shape: str, what: str) -> None:
    pattern: str = service_model().shape_for(shape).metadata["pattern"]
    if not compiled(pattern).fullmatch(name):
        raise _invalid(
            f"{what} does not match {pattern}: rename it here and in the header or folder of the files"
        )


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _suggestion(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f": did you mean '{close[0]}'?" if close else f", which has {quoted(names)}: use one of these"


def _invalid(text: str) -> ValidationError:
    return ValidationError(f"the schema in InlineDataSchema is not valid: {text}")
