"""Rules read off the service model; our enums and member names are checked against it."""

import enum
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_l4e import (
    DataUploadFrequency,
    KeyPattern,
    TargetSamplingRate,
    TimestampFormat,
    _service_model,
)


@pytest.mark.parametrize(
    ("ours", "shape"),
    [(DataUploadFrequency, "DataUploadFrequency"), (TargetSamplingRate, "TargetSamplingRate")],
)
def test_enums_are_those_of_the_model(ours: type[enum.StrEnum], shape: str) -> None:
    assert tuple(ours) == _service_model.string_rule(shape).choices


def test_timestamp_formats_are_those_of_the_model() -> None:
    rule = _service_model.string_rule("FileNameTimestampFormat")

    assert rule.pattern is not None
    assert set(rule.pattern.strip("^$").split("|")) == set(TimestampFormat)


def test_key_patterns_are_those_the_model_describes() -> None:
    text = _service_model._shape("IngestionS3InputConfiguration")["members"]["KeyPattern"]["documentation"]
    described = set(re.findall(r"\{prefix\}/\{component_name\}[_/]\*", text))
    delimiters = {"space": " ", "dot": ".", "underscore": "_", "hyphen": "-"}
    named = re.search(r"Allowed delimiters : ([\w, ]+)", text)

    assert named is not None
    described |= {f"{{prefix}}/{{component_name}}{delimiters[word]}*" for word in named[1].split(", ")}
    assert set(KeyPattern) == described


@pytest.mark.parametrize(
    ("shape", "value", "problem"),
    [
        ("DatasetName", "pump-1_A", None),
        ("DatasetName", "pump 1", "does not match"),
        ("DatasetName", "pump\n", "does not match"),
        ("DatasetName", "", "has 0 characters: it needs at least 1"),
        ("DatasetName", "x" * 201, "it may have at most 200"),
        ("S3Prefix", "", None),
        ("S3Prefix", "a/b c/", None),
        ("S3Prefix", "a/b", "does not match"),
        ("FileNameTimestampFormat", "EPOCH", None),
        ("FileNameTimestampFormat", "EPOCHS", "does not match"),
        ("Comments", "any\u0301 text\n", None),
        ("IdempotenceToken", "plain", None),
        ("IdempotenceToken", "h\u00e9", "does not match"),
        ("DataUploadFrequency", "PT2H", "is not one of PT5M, PT10M"),
    ],
)
def test_string_rules(shape: str, value: str, problem: str | None) -> None:
    found = _service_model.string_rule(shape).problem(value)

    assert (found is None) if problem is None else (found is not None and problem in found)


@given(st.from_regex(r"[0-9a-zA-Z_-]{1,200}", fullmatch=True))
def test_names_the_pattern_describes_pass(name: str) -> None:
    assert _service_model.string_rule("ModelName").problem(name) is None


def test_every_pattern_of_the_model_can_be_checked() -> None:
    strings = [name for name, shape in _service_model._model()["shapes"].items() if shape["type"] == "string"]

    assert len(strings) > 50
    for shape in strings:
        _service_model.string_rule(shape).problem("probe")


def test_missing_model_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service_model, "SERVICE_MODEL", Path("nowhere.json"))

    with pytest.raises(
        FileNotFoundError, match=r"no service model .*nowhere\.json, .*: reinstall constructs-l4e"
    ):
        _service_model._model.__wrapped__()


def test_operations() -> None:
    assert len(_service_model.operations()) == 49
    assert "ListInferenceEvents" in _service_model.operations()
