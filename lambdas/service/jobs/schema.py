"""The schema document: which sensors each component has (7.1). Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Sensor columns of every component, in the order of the document."""

    components: Mapping[str, tuple[str, ...]]

    @classmethod
    def parse(cls, text: str) -> "Schema":
        """Read a schema document that the API has accepted."""
        return cls(
            components={
                component["ComponentName"]: tuple(
                    column["Name"] for column in component["Columns"] if column["Type"] == "DOUBLE"
                )
                for component in json.loads(text)["Components"]
            }
        )

    @property
    def sensors(self) -> tuple[str, ...]:
        """Every sensor as ``component\\sensor``, in schema order."""
        return tuple(
            f"{component}\\{column}" for component, columns in self.components.items() for column in columns
        )


def detected(columns: Mapping[str, Sequence[str]], *, timestamp: str = "Timestamp") -> str:
    """The schema document for what an ingestion without schema found: sensor columns of each component."""
    return json.dumps(
        {
            "Components": [
                {
                    "ComponentName": component,
                    "Columns": [
                        {"Name": timestamp, "Type": "DATETIME"},
                        *({"Name": name, "Type": "DOUBLE"} for name in names),
                    ],
                }
                for component, names in columns.items()
            ]
        }
    )
