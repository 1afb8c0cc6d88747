"""Schemas, and what a person reads when one is wrong."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_l4e import Component, DatasetSchema
from service.settings import Settings

PUMP = DatasetSchema.from_sensors({"pump": ["speed", "flow"], "motor": ["current", "speed"]})
NAMES = st.text("abcdefXYZ019_.-", min_size=1, max_size=20)
SENSORS = st.lists(st.text("abcXYZ09:#$._-", min_size=1, max_size=20), min_size=1, max_size=6, unique=True)
SCHEMAS = st.dictionaries(NAMES, SENSORS.filter(lambda s: "Timestamp" not in s), min_size=1, max_size=5)


def test_schema_document_is_the_one_of_the_api() -> None:
    schema = DatasetSchema(components=[Component(name="pump", sensors=["speed"], timestamp="Time")])

    assert json.loads(schema.to_json()) == {
        "Components": [
            {
                "ComponentName": "pump",
                "Columns": [{"Name": "Time", "Type": "DATETIME"}, {"Name": "speed", "Type": "DOUBLE"}],
            }
        ]
    }


@given(SCHEMAS)
def test_schema_survives_its_document(sensors: dict[str, list[str]]) -> None:
    schema = DatasetSchema.from_sensors(sensors)

    assert DatasetSchema.from_json(schema.to_json()) == schema
    assert len(schema.sensor_ids) == sum(len(columns) for columns in sensors.values())


def test_schema_from_files(tmp_path) -> None:
    document = tmp_path / "schema.json"
    document.write_text(PUMP.to_json())
    table = tmp_path / "pump.csv"
    table.write_text("\ufeffTimestamp, speed,flow\n2026-01-01T00:00:00,1,2\n", encoding="utf-8")

    assert DatasetSchema.from_json(document) == PUMP
    assert Component.from_csv_header("pump", table) == PUMP.components[0]
    assert Component.from_csv_header("pump", 'Timestamp,"speed",flow\n') == PUMP.components[0]
    packed = tmp_path / "pump.csv.gz"
    packed.write_bytes(gzip.compress(b"sep=,\nTime (UTC),speed,flow,\n2026-01-01T00:00:00,1,2,\n"))
    assert Component.from_csv_header("pump", packed) == PUMP.components[0]
    long = tmp_path / "long.csv"
    long.write_text("Timestamp," + ",".join(f"{at:0100}" for at in range(1000)))
    assert len(Component.from_csv_header("pump", long).sensors) == 1000


def test_the_header_of_a_file_is_read_as_the_service_reads_it(tmp_path) -> None:
    workbook = tmp_path / "pump.csv"
    workbook.write_bytes(b"PK\x03\x04 [Content_Types].xml")
    with pytest.raises(ValueError, match=r'pump.csv" of component "pump": the file is an Excel workbook'):
        Component.from_csv_header("pump", workbook)


STRINGS = '{"Name": "t", "Type": "DATETIME"}, {"Name": "a", "Type": "STRING"}'
COLUMNS = '{"Name": "t", "Type": "DATETIME"}, {"Name": "a", "Type": "DOUBLE"}'


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", r'schema "{" is not JSON: .*line 1'),
        ("[]", r'schema "\[\]" has no list "Components": add one'),
        ('{"Components": []}', "schema has no component: name at least one"),
        ('{"Components": [1]}', r'component "1" has no list "Columns": add one'),
        (f'{{"Components": [{{"Columns": [{COLUMNS}]}}]}}', "has no ComponentName: add one"),
        (
            f'{{"Components": [{{"ComponentName": "my pump", "Columns": [{COLUMNS}]}}]}}',
            r'component name "my pump" does not match .*: use letters, digits, ".", "_" and "-"',
        ),
        (
            '{"Components": [{"ComponentName": "p", "Columns": [{"Name": "a", "Type": "DOUBLE"}]}]}',
            'columns of component "p" have the types "DOUBLE": the first must be DATETIME',
        ),
        (
            f'{{"Components": [{{"ComponentName": "p", "Columns": [{STRINGS}]}}]}}',
            '"DATETIME, STRING": the first must be DATETIME and all others DOUBLE',
        ),
        (
            '{"Components": [{"ComponentName": "p", "Columns": [{"Name": "t", "Type": "DATETIME"}]}]}',
            'component "p" has no sensor: name at least one column after the time',
        ),
        (
            f'{{"Components": [{{"ComponentName": "p", "Columns": [{COLUMNS}, "b"]}}]}}',
            "the first must be DATETIME and all others DOUBLE",
        ),
    ],
)
def test_malformed_document(document: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DatasetSchema.from_json(document)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Component(name="", sensors=["a"]),
            'component name "" has 0 characters: it needs at least 1',
        ),
        (lambda: Component(name="x" * 201, sensors=["a"]), "201 characters: it may have at most 200"),
        (lambda: Component(name="p", sensors=["a b"]), 'column of component "p" "a b" does not match'),
        (lambda: Component(name="p", sensors=["a", "a"]), '"a" occurs twice: give each a name of its own'),
        (
            lambda: Component(name="p", sensors=["Timestamp"]),
            'component "p" has "Timestamp" among its sensors, which is its column of time',
        ),
        (
            lambda: Component.from_csv_header("p", "Timestamp,Sensor 3"),
            "header of component .* has a blank.*write it as 'Sensor_3'",
        ),
        (lambda: Component.from_csv_header("p", "t;a;b"), "separated by semicolons"),
        (
            lambda: Component.from_csv_header("p", "only"),
            r'header of component "p": the header \(line 1\) .only. has 1 column',
        ),
        (
            lambda: DatasetSchema(components=[Component(name="p", sensors=["a"])] * 2),
            'component name "p" occurs twice',
        ),
        (
            lambda: DatasetSchema.from_sensors({f"c{i}": ["a", "b"] for i in range(1501)}),
            'schema has "3002" sensors: use at most 3000',
        ),
        (
            lambda: DatasetSchema(
                components=[
                    Component(name=f"{i:0200}", sensors=["s" * 200], timestamp="t" * 200) for i in range(1500)
                ]
            ),
            'schema has "1.*" characters as JSON: use at most 1000000',
        ),
    ],
)
def test_wrong_schema(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_a_dataset_has_as_many_sensors_as_the_service_takes() -> None:
    sensors = {f"c{i}": ["a", "b"] for i in range((Settings().columns_per_dataset or 0) // 2)}
    assert len(DatasetSchema.from_sensors(sensors).sensor_ids) == 3000


def test_subset() -> None:
    DatasetSchema.from_sensors({"motor": ["speed"]}).require_subset_of(PUMP)

    with pytest.raises(
        ValueError,
        match=r'sensor "motor\\flow" is not in the schema of the dataset: use one of "pump\\speed"',
    ):
        DatasetSchema.from_sensors({"motor": ["flow"]}).require_subset_of(PUMP)
