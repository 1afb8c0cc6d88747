"""What the data of an asset looks like: its components, and their sensors."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from constructs_l4e import _props, _service_model, _validate
from l4e_files.beginning import HEAD_BYTES, recognise
from l4e_files.header import timestamp_name
from l4e_files.unusable import UnusableFile

MOST_SENSORS = 3000
"""Most sensors of a dataset (L4E user guide, quotas; the service model does not state it)."""

_LONGEST_HEADER = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of an asset, and the columns of its CSV files.

    Args:
        name: 1 to 200 letters, digits, `.`, `_` and `-`.
        sensors: names of the columns after the first, in the order of the files: each 1 to 200 letters,
            digits and `:#$.-_`.
        timestamp: name of the first column, which holds the time. Default: `Timestamp`.

    Raises:
        ValueError: when there is no sensor, a name is not legal, or two columns have the same name.

    Example:
        >>> Component.from_csv_header("pump", "Timestamp,Speed,Flow").sensors
        ('Speed', 'Flow')
    """

    name: str
    sensors: Sequence[str]
    timestamp: str = "Timestamp"

    def __post_init__(self) -> None:
        _props.check_fields(self)
        object.__setattr__(self, "sensors", tuple(self.sensors))
        _validate.text(
            _validate.known(self.name, what="component name"),
            shape="ComponentName",
            what="component name",
            fix='use letters, digits, ".", "_" and "-"',
        )
        if not self.sensors:
            raise ValueError(
                f'component "{self.name}" has no sensor: name at least one column after the time'
            )
        for column in (self.timestamp, *self.sensors):
            _validate.text(
                _validate.known(column, what=f'column of component "{self.name}"'),
                shape="SensorName",
                what=f'column of component "{self.name}"',
                fix='use letters, digits and ":#$.-_" in the CSV header and here',
            )
        if self.timestamp in self.sensors:
            raise ValueError(
                f'component "{self.name}" has "{self.timestamp}" among its sensors, which is its column of '
                "time and comes first without being listed: leave it out"
            )
        _refuse_repeated(self.sensors, what=f'column of component "{self.name}"')

    @classmethod
    def from_csv_header(cls, name: str, header: str | Path) -> Self:
        """Return the component whose files have this header.

        Args:
            name: name of the component.
            header: the header line, or a CSV file (also .csv.gz) to read it from. It is read as the service
                reads files; a name of the time column that no schema may have becomes `Timestamp`.

        Raises:
            ValueError: when it is not a file or header that the service takes, or a name is not legal.
        """
        head = _head(header) if isinstance(header, Path) else header.encode()
        try:
            columns = recognise(head, max_columns=MOST_SENSORS, detected=True).header
        except UnusableFile as error:
            file = f'file "{header}"' if isinstance(header, Path) else "header"
            raise ValueError(f'{file} of component "{name}": {error}') from None
        return cls(name=name, timestamp=timestamp_name(columns), sensors=columns[1:])

    def _to_api(self) -> dict[str, Any]:
        columns = [{"Name": self.timestamp, "Type": "DATETIME"}]
        columns += [{"Name": sensor, "Type": "DOUBLE"} for sensor in self.sensors]
        return {"ComponentName": self.name, "Columns": columns}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSchema:
    r"""The components of a dataset.

    Args:
        components: at least one component; together they may have 3,000 sensors.

    Raises:
        ValueError: when there is no component, two have the same name, or the schema is larger than the API
            allows.

    Example:
        >>> DatasetSchema.from_sensors({"pump": ["Speed", "Flow"]}).sensor_ids
        ('pump\\Speed', 'pump\\Flow')
    """

    components: Sequence[Component]

    def __post_init__(self) -> None:
        _props.check_fields(self)
        object.__setattr__(self, "components", tuple(self.components))
        if not self.components:
            raise ValueError("schema has no component: name at least one")
        _refuse_repeated([component.name for component in self.components], what="component name")
        sensors = len(self.sensor_ids)
        if sensors > MOST_SENSORS:
            raise ValueError(
                f'schema has "{sensors}" sensors: use at most {MOST_SENSORS}, or split the dataset'
            )
        longest = _service_model.string_rule("InlineDataSchema").max_length or 0
        if len(self.to_json()) > longest:
            raise ValueError(f'schema has "{len(self.to_json())}" characters as JSON: use at most {longest}')

    @classmethod
    def from_sensors(cls, sensors: Mapping[str, Sequence[str]]) -> Self:
        """Return the schema of `sensors` by component; the columns of time are called `Timestamp`.

        Raises:
            ValueError: as for the class.
        """
        return cls(components=[Component(name=name, sensors=columns) for name, columns in sensors.items()])

    @classmethod
    def from_json(cls, document: str | Path) -> Self:
        """Return the schema that the API writes as `InlineDataSchema`.

        Args:
            document: the JSON text, or a file that holds it.

        Raises:
            ValueError: when it is not JSON of that form, or as for the class.
        """
        content = document.read_text(encoding="utf-8") if isinstance(document, Path) else document
        try:
            parsed = json.loads(content)
        except json.JSONDecodeError as error:
            raise ValueError(f'schema "{_shortened(content)}" is not JSON: {error}') from None
        found = _list(parsed, "Components", where="schema")
        return cls(components=[_component(item) for item in found])

    def to_json(self) -> str:
        """Return the API's `InlineDataSchema`; equal schemas give equal text."""
        return json.dumps({"Components": [component._to_api() for component in self.components]})  # noqa: SLF001 - same module

    @property
    def sensor_ids(self) -> tuple[str, ...]:
        r"""Every sensor as `component\sensor`."""
        return tuple(f"{part.name}\\{sensor}" for part in self.components for sensor in part.sensors)

    def require_subset_of(self, whole: Self) -> None:
        """Check that every sensor of this schema is in `whole`.

        Raises:
            ValueError: when one is not.
        """
        for sensor in self.sensor_ids:
            if sensor not in whole.sensor_ids:
                known = _validate.few(whole.sensor_ids)
                raise ValueError(f'sensor "{sensor}" is not in the schema of the dataset: use one of {known}')


def _head(file: Path) -> bytes:
    """Return the first lines of a file, with the whole header."""
    with gzip.open(file) if _is_gzip(file) else file.open("rb") as data:
        head = data.read(HEAD_BYTES)
        return head if b"\n" in head else head + data.readline(_LONGEST_HEADER)


def _is_gzip(file: Path) -> bool:
    with file.open("rb") as data:
        return file.suffix.lower() == ".gz" and data.read(2) == b"\x1f\x8b"


def _component(item: object) -> Component:
    columns = _list(item, "Columns", where="component")
    assert isinstance(item, dict)  # noqa: S101 - _list has checked it
    name = item.get("ComponentName")
    if not isinstance(name, str):
        raise ValueError(f'component "{_shortened(json.dumps(item))}" has no ComponentName: add one')  # noqa: TRY004 - bad content
    typed = [(column.get("Name"), column.get("Type")) for column in columns if isinstance(column, dict)]
    kinds = [kind for _, kind in typed]
    if len(typed) != len(columns) or kinds[:1] != ["DATETIME"] or set(kinds[1:]) - {"DOUBLE"}:
        raise ValueError(
            f'columns of component "{name}" have the types "{", ".join(map(str, kinds))}": '
            "the first must be DATETIME and all others DOUBLE"
        )
    return Component(name=name, timestamp=str(typed[0][0]), sensors=[str(column) for column, _ in typed[1:]])


def _list(value: object, member: str, *, where: str) -> list[Any]:
    found = value.get(member) if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise ValueError(f'{where} "{_shortened(json.dumps(value))}" has no list "{member}": add one')  # noqa: TRY004 - bad content
    return found


def _refuse_repeated(values: Iterable[str], *, what: str) -> None:
    seen = set[str]()
    for value in values:
        if value in seen:
            raise ValueError(f'{what} "{value}" occurs twice: give each a name of its own')
        seen.add(value)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."
