"""The sensor columns of each component: what the jobs need of a schema. Pure."""

import re
from collections.abc import Mapping

from service.errors import ValidationError
from service.jobs.failure import JobFailed
from service.members.schema import ComponentSchema, Schema, parse_schema

_NAME = re.compile(r"[0-9a-zA-Z:#$.\-_]{1,200}")

Columns = Mapping[str, tuple[str, ...]]
"""Sensor columns by component, in the order of the schema."""


def columns_of(text: str) -> Columns:
    """Return the columns in a schema document."""
    return {component.name: component.sensors for component in parse_schema(text).components}


def sensors_of(columns: Columns) -> tuple[str, ...]:
    r"""Return every sensor as `component\sensor`, in the order of the schema."""
    return tuple(f"{component}\\{name}" for component, names in columns.items() for name in names)


def detected_schema(
    columns: Columns,
    timestamps: Mapping[str, str],
    *,
    most_components: int | None,
    most_columns: int | None,
) -> str:
    """Return the schema document for the columns that an ingestion without schema found.

    Args:
        columns: the sensors of each component.
        timestamps: the name of the first column of each component; one that no schema may have, or that a
            sensor has too, becomes `Timestamp`.
        most_components: the quota; None is no limit.
        most_columns: the quota; None is no limit.

    Raises:
        JobFailed: when a header has a name that no schema may have, or there are more than the quotas allow.
    """
    for kind, count, most in (
        ("components", len(columns), most_components),
        ("columns", sum(map(len, columns.values())), most_columns),
    ):
        if most is not None and count > most:
            raise JobFailed(
                f"the files have {count:,} {kind}, more than the limit of {most:,} for a dataset: ingest "
                f"fewer, or raise the setting '{kind}_per_dataset' of the service"
            )
    text = Schema(
        components=tuple(
            ComponentSchema(name=name, timestamp=_legal(timestamps[name], sensors), sensors=sensors)
            for name, sensors in columns.items()
        )
    ).to_json()
    try:
        parse_schema(text)
    except ValidationError as error:
        raise JobFailed(f"the headers of the files make no schema: {error}; then ingest again") from error
    return text


def _legal(timestamp: str, sensors: tuple[str, ...]) -> str:
    return timestamp if _NAME.fullmatch(timestamp) and timestamp not in sensors else "Timestamp"
