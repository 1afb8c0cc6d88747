"""Prefixes below which keys would be longer than S3 allows are refused when they are given, not later."""

import pytest

from service.members.diagnostics_place import diagnostics_key
from service.members.locations import KEY_BYTES
from service.members.results_place import results_key
from tests.service.api.conftest import ROLE, Service
from tests.service.api.in_process import in_process


@pytest.fixture
def trained() -> Service:
    service = in_process()
    service.trained_model()
    return service


def output(prefix: str) -> dict[str, dict[str, str]]:
    return {"S3OutputConfiguration": {"Bucket": "customer", "Prefix": prefix}}


def longest(below: str) -> str:
    """The longest prefix that leaves room for a key."""
    return "x" * (KEY_BYTES - len(below) - 1) + "/"


def test_results_have_keys_that_s3_allows(trained: Service) -> None:
    fitting = longest(results_key("", 0))
    invalid = trained.api.exceptions.ValidationException
    with pytest.raises(invalid, match=r"keys would have 1,025 bytes .* shorten it by 1 byte"):
        trained.create_scheduler(DataOutputConfiguration=output("x" + fitting))
    trained.create_scheduler(DataOutputConfiguration=output(fitting))
    for prefix in ("x" + fitting, "ü" * 1000 + "/"):
        with pytest.raises(invalid, match="DataOutputConfiguration has the Prefix"):
            trained.api.update_inference_scheduler(
                InferenceSchedulerName="watch", DataOutputConfiguration=output(prefix)
            )
    shown = trained.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert shown["DataOutputConfiguration"] == output(fitting)


def test_diagnostics_have_keys_that_s3_allows(trained: Service) -> None:
    fitting = longest(diagnostics_key("", "bear", 9_999))
    invalid = trained.api.exceptions.ValidationException
    with pytest.raises(invalid, match=r"ModelDiagnosticsOutputConfiguration .* by 1 byte"):
        trained.create_model("bear", RoleArn=ROLE, ModelDiagnosticsOutputConfiguration=output("x" + fitting))
    trained.create_model("bear", RoleArn=ROLE, ModelDiagnosticsOutputConfiguration=output(fitting))
    with pytest.raises(invalid, match="ModelDiagnosticsOutputConfiguration has the Prefix"):
        trained.api.update_model(
            ModelName="wear", RoleArn=ROLE, ModelDiagnosticsOutputConfiguration=output("x" + fitting)
        )
