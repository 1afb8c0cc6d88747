"""Warnings at synthesis of more resources than a service takes, counted while the app is made."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct

from constructs_l4e._memory import once
from constructs_l4e._props import is_token
from constructs_l4e.interfaces import IEquipmentService, IModel
from constructs_l4e.settings import ServiceSettings
from constructs_l4e.storage import S3Location

_AT_A_SERVICE: Mapping[str, tuple[str, str, int]] = {
    "datasets": ("TooManyDatasets", "datasets", 15),
    "models": ("TooManyModels", "models", 15),
    "label_groups": ("TooManyLabelGroups", "label groups", 15),
}
"""Rule, words and default of the settings that limit resources of a service (L4E user guide, quotas)."""
_NAMED: Mapping[str, tuple[str, str]] = {
    "Dataset": ("dataset", "DatasetName"),
    "ImportedDataset": ("dataset", "DatasetName"),
    "LabelGroup": ("label group", "LabelGroupName"),
    "Model": ("model", "ModelName"),
    "ImportedModel": ("model", "ModelName"),
    "InferenceScheduler": ("inference scheduler", "InferenceSchedulerName"),
    "DatasetPolicy": ("the policy of dataset", "DatasetName"),
    "ModelPolicy": ("the policy of model", "ModelName"),
}
"""What kinds of resources are called, and the property that names them; a service has one of a name."""
_LABELS = 5_000
_SCHEDULERS = 1
"""Defaults of `labels_per_group` and of `inference_schedulers_per_model`."""


def count_at_service(scope: IConstruct, service: IEquipmentService, setting: str) -> None:
    """Count a resource that an app makes at a service, and warn of the first beyond the limit.

    Args:
        scope: the construct of the resource.
        service: the service; nothing is counted when its limits are not known.
        setting: the limit.
    """
    if service.settings is None:
        return
    rule, words, default = _AT_A_SERVICE[setting]
    most = getattr(service.settings, setting) or default
    counted: Counter[str] = once(service, "counted", Counter)
    counted[setting] += 1
    if counted[setting] == most + 1:
        _warn(
            scope,
            rule,
            f"with this one the app makes {counted[setting]} {words} or more, and the service takes {most:g} "
            f"({setting}): the deployment will be refused. Raise the limit in the ServiceSettings of the "
            "service, or use a second service",
        )


def count_labels(scope: IConstruct, settings: ServiceSettings | None, *, before: int, now: int) -> None:
    """Warn once of more labels than a label group of the service may have.

    Args:
        scope: the label group.
        settings: limits of the service; nothing is checked when they are not known.
        before: how many labels the app described until now.
        now: how many it describes.
    """
    if settings is None:
        return
    most = settings.labels_per_group or _LABELS
    if before <= most < now:
        _warn(
            scope,
            "TooManyLabels",
            f"the app describes {now} labels or more, and a label group of the service takes {most:g} "
            "(labels_per_group): the deployment will be refused. Leave out labels, or raise the limit in the "
            "ServiceSettings of the service",
        )


def count_scheduler(scope: IConstruct, model: IModel) -> None:
    """Count an inference scheduler of a model, and warn of the second."""
    if model.service.settings is None:
        return
    if _next(model, "inference schedulers") == _SCHEDULERS + 1:
        _warn(
            scope,
            "TooManySchedulers",
            f'model "{model.node.path}" has another inference scheduler in this app, and the service takes '
            f"{_SCHEDULERS} of a model (inference_schedulers_per_model): the deployment will be refused. "
            "Train a model for each, or leave one out",
        )


def count_retraining_scheduler(scope: IConstruct, model: IModel) -> None:
    """Count a retraining scheduler of a model, and warn of the second: the API knows one of a model."""
    if _next(model, "retraining schedulers") == _SCHEDULERS + 1:
        _warn(
            scope,
            "TooManySchedulers",
            f'model "{model.node.path}" has another retraining scheduler in this app, and a model has one: '
            "the deployment will be refused. Leave one out",
        )


def count_name(
    scope: IConstruct, service: IEquipmentService, kind: str, properties: Mapping[str, Any]
) -> None:
    """Warn of a second resource of a service that has the name of one of the app.

    Args:
        scope: the construct of the resource.
        service: the service that has it.
        kind: its kind, such as `Dataset`.
        properties: its properties.
    """
    words, member = _NAMED.get(kind, ("", ""))
    name = properties.get(member)
    if name is None or is_token(name):
        return
    first = once(service, f"{words} by name", dict[str, IConstruct]).setdefault(name, scope)
    if first is not scope:
        _warn(
            scope,
            "SameName",
            f'{words} "{name}" is made by "{first.node.path}" too, and the service has one of a name: the '
            "deployment of the second will be refused. Give each a name of its own, or leave one out",
        )


def count_output(scope: IConstruct, place: S3Location) -> None:
    """Warn of a second scheduler that writes where one of the app does: results are named by time alone."""
    first = once(place.bucket, "schedulers by prefix", dict[str, IConstruct]).setdefault(place.prefix, scope)
    if first is not scope:
        _warn(
            scope,
            "SharedOutput",
            f'results go to "{place.prefix}", as those of "{first.node.path}" do, and are named by the time '
            "of the data alone: each window would overwrite the results of the other scheduler. Give each a "
            "data_output of its own",
        )


def _next(model: IModel, what: str) -> int:
    counted: Counter[str] = once(model, "counted", Counter)
    counted[what] += 1
    return counted[what]


def _warn(scope: IConstruct, rule: str, problem: str) -> None:
    cdk.Annotations.of(scope).add_warning_v2(f"constructs-l4e:{rule}", problem)
