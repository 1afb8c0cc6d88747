"""The sensor columns of each component: what the jobs need of a schema. Pure."""

from collections.abc import Mapping

from service.errors import ValidationError
from service.jobs.failure import JobFailed
from service.schema import Component, Schema, parse_schema

Columns = Mapping[str, tuple[str, ...]]
"""Sensor columns by component, in the order of the schema."""


def columns_of(text: str) -> Columns:
    """The columns in a schema document."""
    return {component.name: component.sensors for component in parse_schema(text).components}


def sensors_of(columns: Columns) -> tuple[str, ...]:
    """Every sensor as ``component\\sensor``, in the order of the schema."""
    return tuple(f"{component}\\{name}" for component, names in columns.items() for name in names)


def detected(columns: Columns) -> str:
    """The schema document for the columns that an ingestion without schema found.

    Raises JobFailed when a header has a name that no schema may have.
    """
    text = Schema(
        components=tuple(
            Component(name=name, timestamp="Timestamp", sensors=sensors) for name, sensors in columns.items()
        )
    ).to_json()
    try:
        parse_schema(text)
    except ValidationError as error:
        raise JobFailed(f"the headers of the files make no schema: {error}; then ingest again") from error
    return text
