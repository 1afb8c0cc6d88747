"""The typed values that describe the data of an asset, and what a person reads when one is wrong."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_l4e import (
    Component,
    DatasetSchema,
    DataUploadFrequency,
    OffCondition,
    TargetSamplingRate,
    TimeRange,
)

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
        (lambda: Component(name="p", sensors=["Timestamp"]), '"Timestamp" occurs twice'),
        (lambda: Component.from_csv_header("p", "only"), 'header "only" of component "p" has 1 column'),
        (
            lambda: DatasetSchema(components=[Component(name="p", sensors=["a"])] * 2),
            'component name "p" occurs twice',
        ),
        (
            lambda: DatasetSchema.from_sensors({f"c{i}": ["a", "b"] for i in range(1001)}),
            'schema has "3003" columns: use at most 3000',
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


def test_subset() -> None:
    DatasetSchema.from_sensors({"motor": ["speed"]}).require_subset_of(PUMP)

    with pytest.raises(
        ValueError,
        match=r'sensor "motor\\flow" is not in the schema of the dataset: use one of "pump\\speed"',
    ):
        DatasetSchema.from_sensors({"motor": ["flow"]}).require_subset_of(PUMP)


UTC = dt.UTC
JANUARY = dt.datetime(2026, 1, 1, tzinfo=UTC)


def test_time_range_is_in_utc() -> None:
    berlin = dt.timezone(dt.timedelta(hours=1))
    period = TimeRange(
        start=dt.datetime(2026, 1, 1, 1, tzinfo=berlin), end=dt.datetime(2026, 2, 1, tzinfo=UTC)
    )

    assert period.to_api("Training") == {
        "TrainingDataStartTime": "2026-01-01T00:00:00Z",
        "TrainingDataEndTime": "2026-02-01T00:00:00Z",
    }
    assert period == TimeRange.between("2026-01-01T01:00:00+01:00", "2026-02-01T00:00:00Z")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: TimeRange(start=dt.datetime(2026, 1, 1), end=JANUARY),  # noqa: DTZ001 - the mistake under test
            'start of time range "2026-01-01T00:00:00" has no time zone: add tzinfo=',
        ),
        (
            lambda: TimeRange.between("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
            'starts at "2026-01-02T00:00:00Z", which is not before its end "2026-01-01T00:00:00Z": swap them',
        ),
        (lambda: TimeRange(start=JANUARY, end=JANUARY), "which is not before its end"),
        (
            lambda: TimeRange.between("2026-01-01T00:00:00Z", "soon"),
            'end of time range "soon" is not ISO 8601: write for example 2026-01-01T00:00:00Z',
        ),
    ],
)
def test_wrong_time_range(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (r"pump\speed < 10", r"pump\speed < 10.0"),
        (r"pump\speed<-1e3", r"pump\speed < -1000.0"),
        ("flow > .5", "flow > 0.5"),
    ],
)
def test_off_condition_text(text: str, canonical: str) -> None:
    condition = OffCondition.parse(text)

    assert str(condition) == canonical
    assert OffCondition.parse(str(condition)) == condition
    condition.require_sensor_in(PUMP)


def test_off_condition_values() -> None:
    assert OffCondition.below(r"pump\flow", 2.5) == OffCondition.parse(r"pump\flow < 2.5")
    assert OffCondition.above(r"pump\flow", 2.5) == OffCondition.parse(r"pump\flow > 2.5")


@pytest.mark.parametrize(
    "text", ["", "pump", r"pump\speed <= 10", r"pump\speed = 1", r"a<1 b<2", "a < nan", "a < x"]
)
def test_off_condition_that_is_not_understood(text: str) -> None:
    with pytest.raises(
        ValueError, match=r'off condition ".*" is not understood: write component\\sensor, "<" or ">"'
    ):
        OffCondition.parse(text)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: OffCondition(sensor="a", operator="=", threshold=1), 'operator "=" of the off condition'),
        (lambda: OffCondition.below("a", float("nan")), 'threshold "nan" of the off condition is not finite'),
        (lambda: OffCondition.below("a", float("inf")), 'threshold "inf" of the off condition is not finite'),
        (lambda: OffCondition.below("a" * 2050, 1), "may have at most 2048: shorten it"),
        (
            lambda: OffCondition.parse(r"pump\torque < 1").require_sensor_in(PUMP),
            r'"pump\\torque < 1.0" names no sensor of the schema: use one of "pump\\speed", "pump\\flow"',
        ),
        (
            lambda: OffCondition.parse("speed < 1").require_sensor_in(PUMP),
            r'"speed < 1.0" names more than one sensor: use one of "pump\\speed", "motor\\speed"$',
        ),
    ],
)
def test_wrong_off_condition(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_long_lists_are_cut() -> None:
    wide = DatasetSchema.from_sensors({"p": [f"s{i}" for i in range(30)]})

    with pytest.raises(ValueError, match=r'"p\\s9" or 20 others'):
        OffCondition.parse("x < 1").require_sensor_in(wide)


@pytest.mark.parametrize(
    ("rate", "frequency"),
    [(None, "PT5M"), ("PT1S", "PT5M"), ("PT5M", "PT5M"), ("PT30M", "PT30M"), ("PT1H", "PT1H")],
)
def test_shortest_frequency(rate: str | None, frequency: str) -> None:
    shortest = DataUploadFrequency.shortest_for(TargetSamplingRate(rate) if rate else None)

    assert shortest == frequency


def test_periods_in_seconds() -> None:
    assert [each.seconds for each in DataUploadFrequency] == [300, 600, 900, 1800, 3600]
    assert TargetSamplingRate.PT30S.seconds == 30
