"""The settings of a deployment, and the environment variables that hold them.

Limits have the default values of the quotas of Amazon Lookout for Equipment; None is no limit.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from service.members.adaptation_tag import ADAPTATIONS

_DAY_HOURS = 24
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_FREQUENCIES = ("PT5M", "PT10M", "PT15M", "PT30M", "PT1H")


def _per_frequency(*limits: int) -> Mapping[str, int | None]:
    return dict(zip(_FREQUENCIES, limits, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the owner of a deployment may change, as read from the variable `L4E_SETTINGS`."""

    datasets: int | None = 15
    models: int | None = 15
    inference_schedulers_per_model: int | None = 1
    label_groups: int | None = 15
    labels_per_group: int | None = 5_000
    pending_ingestion_jobs: int | None = 5
    pending_models: int | None = 5
    pending_dataset_imports: int | None = 15
    pending_model_imports: int | None = 15
    tags_per_resource: int | None = 50

    components_per_dataset: int | None = 3_000
    columns_per_dataset: int | None = 3_000
    files_per_component: int | None = 1_000
    dataset_bytes: int | None = 50 * 1024**3
    file_bytes: int | None = 5 * 1024**3

    wide_rows_percent: int | None = 1
    short_rows_percent: int | None = 50
    unusable_timestamps_percent: int | None = 50
    duplicates_percent: int | None = 50
    """Rows of a file that may be put right, of all its rows; more make the file unusable."""

    components_per_model: int | None = 300
    columns_per_model: int | None = 300
    minimum_training_days: float | None = 14.0
    """Shortest training window. The documentation of the managed service says 14, 90 and 180 days."""
    training_rows: int | None = 1_500_000
    evaluation_rows: int | None = 1_500_000

    inference_files_per_component: int | None = 60
    inference_bytes: Mapping[str, int | None] = field(
        default_factory=lambda: _per_frequency(*(n * 1024**2 for n in (5, 10, 15, 30, 60)))
    )
    """Bytes of input per execution, by DataUploadFrequency."""
    inference_rows: Mapping[str, int | None] = field(
        default_factory=lambda: _per_frequency(300, 600, 900, 1_800, 3_600)
    )
    """Rows after resampling per execution, by DataUploadFrequency."""
    inference_catch_up_hours: float | None = 24.0
    """How far back missed segments are still inferred."""
    inference_fill_hours: float | None = 24.0
    """How long a sensor without new values keeps its last one, unless it usually pauses for longer."""
    partial_inference: bool = False
    """Whether components and sensors without data are left out; else such executions fail."""
    execution_retention_days: float | None = 180.0

    false_alarm_hours: float | None = None
    """Hours of false alarms per day that a training aims at; None is the default of the engine."""
    adaptation: str = "auto"
    """What becomes of faults that grow slowly: `auto`, `hold` or `follow`. A model's tag overrides it."""

    poor_recall: float = 0.5
    poor_precision: float = 0.1  # of the time predicted anomalous, in ranges that touch a label
    poor_auc: float = 0.6
    """A model with labels that is below any of the three has the ModelQuality `POOR_QUALITY_DETECTED`."""

    bucket_owners: Mapping[str, str] = field(default_factory=dict)
    """Account by name of the customer's buckets that do not belong to the account of the service."""
    access_role_path: str = "/lookoutequipment/"
    """Path of the roles that the service may assume."""
    client_token_hours: float = 24.0
    page_size: int = 50
    """Entries of a list reply when the request has no MaxResults."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the settings in the JSON object `text`; settings that are left out keep their defaults.

        Raises:
            ValueError: when `text` is not a JSON object, or has an unknown setting or a wrong value.
        """
        given: Any = json.loads(text)
        if not isinstance(given, dict):
            raise ValueError(f"settings must be a JSON object, not {text!r}")  # noqa: TRY004  a wrong text
        known = {setting.name for setting in fields(cls)}
        if unknown := sorted(given.keys() - known):
            raise ValueError(f"unknown setting {unknown[0]!r}: use one of {', '.join(sorted(known))}")
        for name in ("inference_bytes", "inference_rows"):
            if wrong := sorted(given.get(name, {}).keys() - set(_FREQUENCIES)):
                raise ValueError(f"{name} of {wrong[0]!r}: use one of {', '.join(_FREQUENCIES)}")
            if name in given:
                given[name] = {**getattr(cls(), name), **given[name]}
        for bucket, owner in given.get("bucket_owners", {}).items():
            if not _ACCOUNT.fullmatch(owner):
                raise ValueError(f"bucket_owners of {bucket!r} is {owner!r}: give an account, twelve digits")
        _require_percentages(given)
        aim = given.get("false_alarm_hours")
        if aim is not None and not 0 < aim < _DAY_HOURS:
            raise ValueError(f"false_alarm_hours is {aim}: hours a day, more than 0 and less than 24")
        if given.get("adaptation", "auto") not in ADAPTATIONS:
            raise ValueError(f"adaptation is {given['adaptation']!r}: use one of {', '.join(ADAPTATIONS)}")
        return cls(**given)


def _require_percentages(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name.endswith("_percent") and value is not None and value > 100:
            raise ValueError(f"{name} is {value}: rows of a hundred, at most 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The environment of a function of the service. The jobs need the first four alone."""

    account: str
    table: str
    bucket: str
    metric_namespace: str
    settings: Settings
    ingest_state_machine: str = ""
    train_state_machine: str = ""
    infer_function: str = ""
    schedule_group: str = ""
    schedule_role: str = ""
    retraining_function: str = ""
    """The function that the schedules of retraining schedulers wake: the reconciler."""
    retraining_schedule_role: str = ""
    import_sources: Mapping[str, str] = field(default_factory=dict)
    """Where other services share what is imported, by account and Region as `111122223333/eu-west-1`."""
    ingest_memory_mib: int | None = None
    train_memory_mib: int | None = None
    """Memory of the functions of the jobs, for messages; None if it is not known."""

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Return the environment that the `variables` of the process describe.

        Raises:
            KeyError: when a variable that every function needs is missing.
            ValueError: when `L4E_SETTINGS` is wrong.
        """
        return cls(
            account=variables["L4E_ACCOUNT"],
            table=variables["L4E_TABLE"],
            bucket=variables["L4E_BUCKET"],
            metric_namespace=variables["L4E_METRIC_NAMESPACE"],
            settings=Settings.from_json(variables.get("L4E_SETTINGS", "{}")),
            ingest_state_machine=variables.get("L4E_INGEST_STATE_MACHINE", ""),
            train_state_machine=variables.get("L4E_TRAIN_STATE_MACHINE", ""),
            infer_function=variables.get("L4E_INFER_FUNCTION", ""),
            schedule_group=variables.get("L4E_SCHEDULE_GROUP", ""),
            schedule_role=variables.get("L4E_SCHEDULE_ROLE", ""),
            retraining_function=variables.get("L4E_RETRAINING_FUNCTION", ""),
            retraining_schedule_role=variables.get("L4E_RETRAINING_SCHEDULE_ROLE", ""),
            import_sources=_import_sources(variables),
            ingest_memory_mib=_mebibytes(variables, "L4E_INGEST_MEMORY_MIB"),
            train_memory_mib=_mebibytes(variables, "L4E_TRAIN_MEMORY_MIB"),
        )


def _mebibytes(variables: Mapping[str, str], name: str) -> int | None:
    return int(variables[name]) if name in variables else None


def _import_sources(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of other services, which the variable names by API and stage."""
    apis: Mapping[str, str] = json.loads(variables.get("L4E_IMPORT_SOURCES", "{}"))
    emulator = variables.get("AWS_ENDPOINT_URL")
    found = {}
    for home, api_and_stage in apis.items():
        api, _, stage = api_and_stage.partition("/")
        if emulator:
            found[home] = f"{emulator.rstrip('/')}/restapis/{api}/{stage}/_user_request_/import"
        else:
            region, suffix = home.partition("/")[2], variables["L4E_URL_SUFFIX"]
            found[home] = f"https://{api}.execute-api.{region}.{suffix}/{stage}/import"
    return found
