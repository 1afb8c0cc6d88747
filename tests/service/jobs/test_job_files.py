"""Which object belongs to which component, which names are looked for: table tests."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.jobs.failure import JobFailed
from service.jobs.inference.file_names import NameRange, NameStyle, Search
from service.jobs.ingestion.selection import (
    FileLimits,
    SourceFile,
    check_limits,
    read_key_pattern,
    select,
)
from service.jobs.storage.listed_object import ListedObject, is_folder
from service.members.key_pattern import KeyPattern
from service.reconciliation.failed_reason import clip, reason_of
from service.schedulers.inference_windows import InferenceWindow
from tests.service.jobs.world import at

FOLDER = "{prefix}/{component_name}/*"
KNOWN = {"motor", "motor_1", "pump.A"}


@pytest.mark.parametrize(
    ("pattern", "key", "known", "component"),
    [
        (None, "p/motor/a.csv", KNOWN, "motor"),
        (FOLDER, "p/motor/2020/01/a.csv", KNOWN, "motor"),
        (FOLDER, "p/engine/a.csv", KNOWN, None),
        (FOLDER, "p/engine/a.csv", None, "engine"),
        (FOLDER, "p/a.csv", None, None),
        ("{prefix}/{component_name}_*", "p/motor_2020.csv", KNOWN, "motor"),
        ("{prefix}/{component_name}_*", "p/motor_1_2020.csv", KNOWN, "motor_1"),
        ("{prefix}/{component_name}_*", "p/motor_1_2020.csv", None, "motor"),
        ("{prefix}/{component_name}_*", "p/motor.csv", KNOWN, None),
        ("{prefix}/{component_name}_*", "p/deep/motor_1.csv", KNOWN, None),
        ("{prefix}/{component_name}-*", "p/motor-1.csv", None, "motor"),
        ("{prefix}/{component_name} *", "p/motor 1.csv", None, "motor"),
        ("{prefix}/{component_name}.*", "p/motor.csv", None, "motor"),
        ("{prefix}/{component_name}.*", "p/pump.A.csv", KNOWN, "pump.A"),
        ("{prefix}/{component_name}.*", "p/pump.A.csv", None, "pump"),
    ],
)
def test_component_of_a_key(
    pattern: str | None, key: str, known: set[str] | None, component: str | None
) -> None:
    assert KeyPattern.parse(pattern).component(key, prefix="p/", known=known) == component


@pytest.mark.parametrize("text", ["{prefix}/*", "{component_name}/*", "{prefix}/{component_name}:*", "x"])
def test_another_key_pattern_is_refused_with_the_possible_ones(text: str) -> None:
    with pytest.raises(JobFailed) as failed:
        read_key_pattern(text)
    assert f"KeyPattern '{text}' is not one of '{{prefix}}/{{component_name}}/*'" in failed.value.reason


def test_selection_sorts_files_discards_and_folders() -> None:
    objects = [
        ListedObject(key="p/motor/b.CSV", size=5),
        ListedObject(key="p/", size=0),
        ListedObject(key="p/motor/", size=0),
        ListedObject(key="p/motor_$folder$", size=0),
        ListedObject(key="p/motor/a.csv.gz", size=5),
        ListedObject(key="p/motor/empty.csv", size=0),
        ListedObject(key="p/motor/a.parquet", size=5),
        ListedObject(key="p/other/a.csv", size=5),
    ]
    found = select(objects, prefix="p/", pattern=KeyPattern.parse(None), known={"motor"})
    assert [file.key for file in found.files] == ["p/motor/a.csv.gz", "p/motor/b.CSV"]
    assert {file.key: file.reason for file in found.discarded} == {
        "p/motor/a.parquet": "its name ends neither in .csv nor in .csv.gz",
        "p/motor/empty.csv": "it is empty",
        "p/other/a.csv": "its name does not fit KeyPattern '{prefix}/{component_name}/*' with one of the "
        "components 'motor'",
    }
    assert found.total == 5
    assert is_folder(objects[1])


def test_a_detected_component_needs_a_legal_name() -> None:
    found = select(
        [ListedObject(key="p/Pump 1/a.csv", size=1)],
        prefix="p/",
        pattern=KeyPattern.parse(FOLDER),
        known=None,
    )
    assert not found.files
    assert (
        "component name 'Pump 1' must be 1-200 characters of 0-9 a-z A-Z . _ -" in found.discarded[0].reason
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"files_per_component": 1},
            "component 'motor' has 2 files, more than the limit of 1: .*'files_per_component'",
        ),
        ({"file_bytes": 9}, "file 'b' has 10 bytes, more than the limit of 9: .* 'file_bytes'"),
        ({"dataset_bytes": 14}, "the dataset has 15 bytes, more than the limit of 14: .* 'dataset_bytes'"),
        (
            {"components": 0},
            "the dataset has 1 components, more than the limit of 0: .* 'components_per_dataset'",
        ),
    ],
)
def test_limits_name_what_is_too_large(changes: dict[str, int], message: str) -> None:
    unlimited: dict[str, int | None] = dict.fromkeys(
        ("files_per_component", "file_bytes", "dataset_bytes", "components")
    )
    files = [SourceFile(key="a", size=5, component="motor"), SourceFile(key="b", size=10, component="motor")]
    check_limits(files, FileLimits(**unlimited))
    with pytest.raises(JobFailed, match=message):
        check_limits(files, FileLimits(**{**unlimited, **changes}))


WINDOW = InferenceWindow(start=int(at("2026-11-20T11:30")), end=int(at("2026-11-20T11:45")))
LENGTH = 900


def listed(name: str, names: NameRange) -> bool:
    """Whether S3 lists a name, and the reader of the list takes it."""
    return name.startswith(names.prefix) and name > names.after and names.holds(name)


def search(**names: str) -> Search:
    offset = {"InputTimeZoneOffset": names.pop("offset")} if "offset" in names else {}
    return Search.around(WINDOW, {**offset, "InferenceInputNameConfiguration": names}, reach=LENGTH)


CONFIGURED = {"TimestampFormat": "yyyyMMddHHmmss", "ComponentTimestampDelimiter": "_"}


@pytest.mark.parametrize(
    ("names", "name", "matches"),
    [
        ({**CONFIGURED, "offset": "+01:00"}, "motor_20261120123000.csv", True),
        ({**CONFIGURED, "offset": "+01:00"}, "motor_20261120121500.csv", True),
        ({**CONFIGURED, "offset": "+01:00"}, "motor_20261120130000.csv", True),
        ({**CONFIGURED, "offset": "+01:00"}, "motor_20261120121459.csv", False),
        ({**CONFIGURED, "offset": "+01:00"}, "motor_20261120130001.csv", False),
        ({**CONFIGURED, "offset": "+05:30"}, "motor_20261120170000.csv", True),
        ({**CONFIGURED, "offset": "-05:00"}, "motor_20261120063000.csv", True),
        (CONFIGURED, "motor_20261120113000_part2.csv.gz", True),
        (CONFIGURED, "motor_20261120113000.txt", False),
        (CONFIGURED, "motor_20261120113000.csv.bak", False),
        (CONFIGURED, "motor_20261120113000.csv.gz.part", False),
        (CONFIGURED, "motor_20261120113000.csv copy", False),
        (CONFIGURED, "motor_20261120113000/a.csv", False),
        (CONFIGURED, "motor-20261120113000.csv", False),
        (CONFIGURED, "motor_20261320113000.csv", False),
        (CONFIGURED, "motor2_20261120113000.csv", False),
        ({"TimestampFormat": "EPOCH", "ComponentTimestampDelimiter": "-"}, f"motor-{WINDOW.start}.csv", True),
        (
            {"TimestampFormat": "EPOCH", "ComponentTimestampDelimiter": "-", "offset": "+05:30"},
            f"motor-{WINDOW.start}.csv",
            True,
        ),
        (
            {"TimestampFormat": "EPOCH", "ComponentTimestampDelimiter": "-"},
            f"motor-{WINDOW.start}000.csv",
            False,
        ),
        (
            {"TimestampFormat": "yyyy-MM-dd-HH-mm-ss", "ComponentTimestampDelimiter": " "},
            "motor 2026-11-20-11-30-00.csv",
            True,
        ),
        (
            {"TimestampFormat": "yyyyMMddHHmmss", "ComponentTimestampDelimiter": ""},
            "motor20261120113000.csv",
            True,
        ),
        ({}, "motor_20261120113000.csv", True),
        ({}, "motor-2026-11-20-11-30-00.csv", True),
        ({}, f"motor{WINDOW.start}.csv", True),
        ({"ComponentTimestampDelimiter": "-"}, f"motor-{WINDOW.start}.csv", True),
        ({"ComponentTimestampDelimiter": "-"}, f"motor_{WINDOW.start}.csv", False),
    ],
)
def test_file_names_of_a_window(names: dict[str, str], name: str, matches: bool) -> None:  # noqa: FBT001
    found = search(**names)
    assert found.matches([name], component="motor") == ([name] if matches else [])
    if matches:  # what can match must also be listed
        assert any(listed(name, names) for names in found.ranges("motor"))


def test_matching_names_come_in_time_order() -> None:
    names = ["motor_20261120114500.csv", "motor_20261120113000.csv", "motor_20261120114500.csv"]
    assert search().matches(names, component="motor") == [
        "motor_20261120113000.csv",
        "motor_20261120114500.csv",
    ]


@given(
    start=st.integers(1, 2**31 // 300 - 100).map(lambda n: n * 300),
    form=st.sampled_from(["EPOCH", "yyyy-MM-dd-HH-mm-ss", "yyyyMMddHHmmss"]),
    offset=st.integers(-14 * 4, 14 * 4).map(lambda n: n * 900),
    shift=st.integers(-900, 1200),
)
def test_stamps_are_read_as_written_and_listed_when_they_are_in_the_search(
    start: int, form: str, offset: int, shift: int
) -> None:
    start += 10**9 + 900  # epoch stamps of ten digits
    style = NameStyle(format=form, delimiter="_", offset=offset)
    name = f"m_{style.stamp(start + shift)}.csv"
    assert style.read(name, component="m") == start + shift
    names = style.names(start - 300, start + 600, component="m")
    assert listed(name, names) is (-300 <= shift <= 600)
    assert names.prefix.startswith("m_")


def test_what_matched_before_is_looked_for_first() -> None:
    every, names = search(), ["motor_20261120114500.csv", f"motor-{WINDOW.start}.csv", "motor.csv"]
    naming = every.naming(names, component="motor")
    assert naming == {("yyyyMMddHHmmss", "_"), ("EPOCH", "-")}
    assert [(style.format, style.delimiter) for style in every.among(naming).styles] == [
        ("yyyyMMddHHmmss", "_"),
        ("EPOCH", "-"),
    ]
    assert every.among(()) == every.among({("EPOCH", "+")}) == every


def test_a_wrong_offset_is_named() -> None:
    assert Search.around(WINDOW, {}, reach=LENGTH).styles[0].offset == 0
    assert Search.around(WINDOW, {"InputTimeZoneOffset": "-03:30"}, reach=LENGTH).styles[0].offset == -12_600
    with pytest.raises(JobFailed, match="InputTimeZoneOffset '5' is not of the form"):
        Search.around(WINDOW, {"InputTimeZoneOffset": "5"}, reach=LENGTH)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            {
                "Error": "JobFailed",
                "Cause": json.dumps({"errorMessage": str(JobFailed("no file")), "errorType": "JobFailed"}),
            },
            "no file",
        ),
        (
            {
                "Error": "Runtime.HandlerError",
                "Cause": json.dumps({"errorMessage": str(JobFailed("no file")), "errorType": "?"}),
            },
            "no file",
        ),
        (
            {"Error": "Lambda.Unknown", "Cause": "Task timed out after 900.00 seconds"},
            (
                "the service could not finish training of 'm' because of an internal error: Lambda.Unknown: "
                "Task timed out after 900.00 seconds; look for execution 'm-1' of the state machine"
            ),
        ),
        (
            {
                "Error": "KeyError",
                "Cause": '{"errorMessage": "\'x\'", "errorType": "KeyError", "requestId": "5f-1"}',
            },
            (
                "the service could not finish training of 'm' because of an internal error: KeyError: 'x'; "
                "look for request id '5f-1' in the log of the function, or for execution 'm-1' of the "
                "state machine"
            ),
        ),
        (
            {},
            (
                "the service could not finish training of 'm' because of an internal error: unknown error: ; "
                "look for execution 'm-1' of the state machine"
            ),
        ),
    ],
)
def test_reason_of_a_caught_error(error: dict[str, str], reason: str) -> None:
    assert reason_of(error, work="training of 'm'", execution="m-1") == reason


@given(st.text(max_size=6000))
def test_a_reason_fits_the_api(text: str) -> None:
    assert len(JobFailed(text).reason) <= 5000
    assert clip(text) == text or len(text) > 5000
