"""What the data of an asset looks like: components, sensors, time ranges, off-time."""

import csv
import datetime as dt
import enum
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from constructs_l4e import _api_model, _validate

MOST_COLUMNS = 3000
"""Components and columns of a dataset (user guide, quotas; the API model does not carry it)."""

_DURATION = re.compile(r"PT(\d+)([SMH])")
_OFF_CONDITION = re.compile(r"\s*([^\s<>=]+)\s*([<>])\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*")
_UNIT_SECONDS = {"S": 1, "M": 60, "H": 3600}


class _Period(enum.StrEnum):
    """Enum of ISO 8601 durations."""

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        match = _DURATION.fullmatch(self.value)
        assert match is not None, self.value  # noqa: S101 - members are the constants below
        return int(match[1]) * _UNIT_SECONDS[match[2]]


class TargetSamplingRate(_Period):
    """Step to which sensor data is resampled before training and inference."""

    PT1S = "PT1S"
    PT5S = "PT5S"
    PT10S = "PT10S"
    PT15S = "PT15S"
    PT30S = "PT30S"
    PT1M = "PT1M"
    PT5M = "PT5M"
    PT10M = "PT10M"
    PT15M = "PT15M"
    PT30M = "PT30M"
    PT1H = "PT1H"


class DataUploadFrequency(_Period):
    """How often new sensor files arrive and inference runs."""

    PT5M = "PT5M"
    PT10M = "PT10M"
    PT15M = "PT15M"
    PT30M = "PT30M"
    PT1H = "PT1H"

    @classmethod
    def shortest_for(cls, rate: TargetSamplingRate | None) -> Self:
        """The shortest frequency that is not shorter than the step of a model."""
        return next(each for each in cls if rate is None or each.seconds >= rate.seconds)


class TimestampFormat(enum.StrEnum):
    """Form of the time stamp in the names of inference input files."""

    EPOCH = "EPOCH"
    DASHED = "yyyy-MM-dd-HH-mm-ss"
    COMPACT = "yyyyMMddHHmmss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of an asset and the CSV columns of its files.

    `timestamp` names the first column, which holds the time; `sensors` are the others, in file order.
    """

    name: str
    sensors: Sequence[str]
    timestamp: str = "Timestamp"

    def __post_init__(self) -> None:
        object.__setattr__(self, "sensors", tuple(self.sensors))
        _validate.text(
            self.name,
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
                column,
                shape="SensorName",
                what=f'column of component "{self.name}"',
                fix='use letters, digits and ":#$.-_" in the CSV header and here',
            )
        _refuse_repeated((self.timestamp, *self.sensors), what=f'column of component "{self.name}"')

    @classmethod
    def from_csv_header(cls, name: str, header: str | Path) -> Self:
        """The component whose files have this header: a line of text, or a CSV file to read it from."""
        line = _first_line(header) if isinstance(header, Path) else header
        columns = [column.strip() for column in next(csv.reader([line]), [])]
        if len(columns) < 2:
            raise ValueError(
                f'header "{line.strip()}" of component "{name}" has {len(columns)} column: '
                "it needs a time column and at least one sensor, separated by commas"
            )
        return cls(name=name, timestamp=columns[0], sensors=columns[1:])

    def _to_api(self) -> dict[str, Any]:
        columns = [{"Name": self.timestamp, "Type": "DATETIME"}]
        columns += [{"Name": sensor, "Type": "DOUBLE"} for sensor in self.sensors]
        return {"ComponentName": self.name, "Columns": columns}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSchema:
    """The components of a dataset."""

    components: Sequence[Component]

    def __post_init__(self) -> None:
        object.__setattr__(self, "components", tuple(self.components))
        if not self.components:
            raise ValueError("schema has no component: name at least one")
        _refuse_repeated([component.name for component in self.components], what="component name")
        columns = sum(len(component.sensors) + 1 for component in self.components)
        if columns > MOST_COLUMNS:
            raise ValueError(
                f'schema has "{columns}" columns: use at most {MOST_COLUMNS}, or split the dataset'
            )
        longest = _api_model.string_rule("InlineDataSchema").max_length or 0
        if len(self.to_json()) > longest:
            raise ValueError(f'schema has "{len(self.to_json())}" characters as JSON: use at most {longest}')

    @classmethod
    def from_sensors(cls, sensors: Mapping[str, Sequence[str]]) -> Self:
        """Schema from sensors by component name, the time column being called `Timestamp`."""
        return cls(components=[Component(name=name, sensors=columns) for name, columns in sensors.items()])

    @classmethod
    def from_json(cls, document: str | Path) -> Self:
        """Schema from the API's `InlineDataSchema`: the JSON text, or a file that holds it."""
        content = document.read_text(encoding="utf-8") if isinstance(document, Path) else document
        try:
            parsed = json.loads(content)
        except json.JSONDecodeError as error:
            raise ValueError(f'schema "{_shortened(content)}" is not JSON: {error}') from None
        found = _list(parsed, "Components", where="schema")
        return cls(components=[_component(item) for item in found])

    def to_json(self) -> str:
        """The API's `InlineDataSchema`: the same text for the same schema."""
        return json.dumps({"Components": [component._to_api() for component in self.components]})  # noqa: SLF001 - same module

    @property
    def sensor_ids(self) -> tuple[str, ...]:
        """Every sensor as `component\\sensor`."""
        return tuple(f"{part.name}\\{sensor}" for part in self.components for sensor in part.sensors)

    def require_subset_of(self, whole: Self) -> None:
        """Raise if a sensor of this schema is not in `whole`."""
        for sensor in self.sensor_ids:
            if sensor not in whole.sensor_ids:
                known = _few(whole.sensor_ids)
                raise ValueError(f'sensor "{sensor}" is not in the schema of the dataset: use one of {known}')


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """A period of time; both ends need a time zone, `start` comes before `end`."""

    start: dt.datetime
    end: dt.datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", _validate.instant(self.start, what="start of time range"))
        object.__setattr__(self, "end", _validate.instant(self.end, what="end of time range"))
        if self.start >= self.end:
            raise ValueError(
                f'time range starts at "{_iso(self.start)}", which is not before its end "{_iso(self.end)}": '
                "swap them or move one"
            )

    @classmethod
    def between(cls, start: str, end: str) -> Self:
        """Range between two ISO 8601 texts with a zone, such as `2026-01-01T00:00:00Z`."""
        return cls(
            start=_parsed(start, what="start of time range"), end=_parsed(end, what="end of time range")
        )

    def to_api(self, kind: str) -> dict[str, str]:
        """The two request members of this range, `kind` being Training or Evaluation."""
        return {f"{kind}DataStartTime": _iso(self.start), f"{kind}DataEndTime": _iso(self.end)}


@dataclass(frozen=True, slots=True, kw_only=True)
class OffCondition:
    """When the machine is off: while `sensor` (as `component\\sensor`) is below or above the threshold.

    Off-time is left out of training and reported as `MACHINE_OFF` by inference.
    """

    sensor: str
    operator: str
    threshold: float

    def __post_init__(self) -> None:
        if self.operator not in {"<", ">"}:
            raise ValueError(
                f'operator "{self.operator}" of the off condition is not supported: use "<" or ">"'
            )
        if not abs(self.threshold) < float("inf"):
            raise ValueError(f'threshold "{self.threshold}" of the off condition is not finite: use a number')
        _validate.text(str(self), shape="OffCondition", what="off condition", fix="shorten it")

    @classmethod
    def below(cls, sensor: str, threshold: float) -> Self:
        """Off while the sensor is below `threshold`."""
        return cls(sensor=sensor, operator="<", threshold=threshold)

    @classmethod
    def above(cls, sensor: str, threshold: float) -> Self:
        """Off while the sensor is above `threshold`."""
        return cls(sensor=sensor, operator=">", threshold=threshold)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Condition from the API's text, such as `pump\\speed < 10`."""
        match = _OFF_CONDITION.fullmatch(text)
        if match is None:
            raise ValueError(
                f'off condition "{text}" is not understood: write component\\sensor, "<" or ">", and a number'
            )
        return cls(sensor=match[1], operator=match[2], threshold=float(match[3]))

    def __str__(self) -> str:
        return f"{self.sensor} {self.operator} {self.threshold!r}"

    def require_sensor_in(self, schema: DatasetSchema) -> None:
        """Raise if the condition names no sensor of `schema`; a bare name must be unique in it."""
        ids = schema.sensor_ids
        matches = [sensor for sensor in ids if self.sensor in {sensor, sensor.split("\\")[1]}]
        if len(matches) != 1:
            problem = "names more than one sensor" if matches else "names no sensor of the schema"
            raise ValueError(f'off condition "{self}" {problem}: use one of {_few(matches or ids)}')


def _first_line(file: Path) -> str:
    with file.open(encoding="utf-8-sig") as lines:
        return lines.readline()


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


def _parsed(text: str, *, what: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{what} "{text}" is not ISO 8601: write for example 2026-01-01T00:00:00Z') from None


def _iso(value: dt.datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _few(values: Sequence[str]) -> str:
    shown = ", ".join(f'"{value}"' for value in values[:10])
    return shown if len(values) <= 10 else f"{shown} or {len(values) - 10} others"


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."
