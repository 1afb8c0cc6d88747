"""A fleet from a table: the service in one stack, and a stack for each row of fleet.csv.

A row names an asset, its training window, when it is off, and the sensors of each component. A new row is a
new stack; the others stay as they are. Before a row is removed, `cdk destroy` its stack.

cdk deploy --app "python3 examples/fleet.py" Fleet       # then upload history to s3://.../Pump1/history/pump/
cdk deploy --app "python3 examples/fleet.py" 'Pump*'
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aws_cdk as cdk
from constructs import Construct

from constructs_l4e import AssetStorage, DatasetSchema, EquipmentService, MonitoredAsset, TimeRange

TABLE = Path(__file__).with_name("fleet.csv")
COMPONENTS = ("pump", "motor")


@dataclass(frozen=True)
class Asset:
    """A row of the table."""

    name: str
    training: TimeRange
    off_condition: str | None
    schema: DatasetSchema

    @classmethod
    def of(cls, row: dict[str, str]) -> Self:
        """Read a row: sensors are separated by semicolons, and a component without sensors is none."""
        return cls(
            name=row["asset"],
            training=TimeRange.between(row["training_start"], row["training_end"]),
            off_condition=row["off_condition"] or None,
            schema=DatasetSchema.from_sensors(
                {component: row[component].split(";") for component in COMPONENTS if row[component]}
            ),
        )


def read(table: Path) -> Iterator[Asset]:
    """Return the assets of a table; a wrong row is named by its line."""
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        for row in rows:
            try:
                yield Asset.of(row)
            except (KeyError, ValueError) as wrong:
                raise ValueError(f"{table.name}, line {rows.line_num}: {wrong}") from wrong


class FleetStack(cdk.Stack):
    """The service and the data of all assets."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.service = EquipmentService(self, "Service")
        self.storage = AssetStorage(self, "Data")


def build(app: cdk.App, table: Path = TABLE) -> None:
    """Add the stacks of a table to an app."""
    fleet = FleetStack(app, "Fleet")
    for asset in read(table):
        MonitoredAsset(
            cdk.Stack(app, asset.name),
            "Asset",
            service=fleet.service,
            locations=fleet.storage.for_asset(asset.name),
            schema=asset.schema,
            training=asset.training,
            off_condition=asset.off_condition,
            target_sampling_rate="PT5M",
        )


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
