"""What an asset says of its parts, and what of that goes together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_iam as iam

from constructs_l4e import _props
from constructs_l4e._environments import require_same_service
from constructs_l4e._parts import Part
from constructs_l4e.dataset import DatasetProps
from constructs_l4e.imported_dataset import ImportedDatasetProps
from constructs_l4e.imported_model import ImportedModelProps
from constructs_l4e.interfaces import (
    IDataset,
    IEquipmentService,
    IInferenceScheduler,
    ILabelGroup,
    IModel,
)
from constructs_l4e.label_group import LabelGroupProps
from constructs_l4e.model import ModelProps
from constructs_l4e.scheduler import InferenceSchedulerOptions
from constructs_l4e.storage import AssetLocations


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetProps:
    """Props of an asset, by what they are about. Those that are None are not said.

    Args:
        locations: where the data of the asset lies.
        dataset: a dataset that exists already, or more props of the new one.
        model: a model, likewise.
        scheduler: a scheduler, likewise.
        role: an existing role.
        of_all: props of every part that the service has.
        of_kept: props of those parts that can outlive the stack.
        of_data: props of the dataset and its ingestion.
        of_model: props of the model.
        of_scheduler: props of the scheduler.
        labelled: whether there are label files.
        label_group: a label group that exists already, or props of a new one.
        diagnostics: whether training writes point-by-point results.
        wait: whether the deployment waits for ingestion and training.
    """

    locations: AssetLocations
    dataset: IDataset | DatasetProps | ImportedDatasetProps | None
    model: IModel | ModelProps | ImportedModelProps | None
    scheduler: IInferenceScheduler | InferenceSchedulerOptions | None
    role: iam.IRole | None
    of_all: Mapping[str, Any]
    of_kept: Mapping[str, Any]
    of_data: Mapping[str, Any]
    of_model: Mapping[str, Any]
    of_scheduler: Mapping[str, Any]
    labelled: bool
    label_group: ILabelGroup | LabelGroupProps | None
    diagnostics: bool
    wait: bool

    def data(self) -> Part[IDataset]:
        """Return the dataset of the asset: see `Part.of`, also for errors."""
        return Part[IDataset].of(
            "dataset",
            self.dataset,
            common={**self.of_all, **self.of_kept},
            own={name: self.of_data[name] for name in ("schema", "dataset_name")},
            unused=self.of_data,
        )

    def trained(self) -> Part[IModel]:
        """Return the model of the asset, likewise."""
        return Part[IModel].of(
            "model",
            self.model,
            common={**self.of_all, **self.of_kept, "wait": self.wait},
            own={
                **self.of_model,
                "labels": self.locations.labels if self.labelled else None,
                "label_group": self.label_group,
                "diagnostics": self.locations.diagnostics if self.diagnostics else None,
            },
            unused=self._of_training,
        )

    def live(self) -> Part[IInferenceScheduler]:
        """Return the scheduler of the asset, likewise."""
        return Part[IInferenceScheduler].of(
            "scheduler",
            self.scheduler,
            common={
                **self.of_all,
                "data_input": self.locations.inference_input,
                "data_output": self.locations.inference_output,
            },
            own=self.of_scheduler,
            unused={
                **self._of_training,
                **self.of_scheduler,
                **self.of_all,
                "role": self.role,
                "model": self.model if isinstance(self.model, Mapping) else None,
            },
        )

    @property
    def _of_training(self) -> dict[str, Any]:
        return {
            **self.of_data,
            **self.of_model,
            **self.of_kept,
            "dataset": self.dataset,
            "labelled": self.labelled or None,
            "label_group": self.label_group,
            "diagnostics": self.diagnostics or None,
            "wait": None if self.wait else self.wait,
        }

    def require_effect(self, data: Part[IDataset], trained: Part[IModel]) -> None:
        """Require that what is said of the making of parts is not said of parts that are imported.

        Raises:
            ValueError: when it is.
        """
        if imports_dataset(data):
            _require_effect("dataset", {name: self.of_data[name] for name in ("key_pattern", "revision")})
        if imports_model(trained):
            of_training = {name: self.of_model[name] for name in ("training", "evaluation", "off_condition")}
            _require_effect("model", {**of_training, "diagnostics": self.diagnostics or None})


def imports_dataset(data: Part[IDataset]) -> bool:
    """Return whether a dataset is a copy of one that somebody shares."""
    return "source_dataset_arn" in data.props


def imports_model(trained: Part[IModel]) -> bool:
    """Return whether a model is a copy of one that somebody shares."""
    return "source_model_version_arn" in trained.props


def _require_effect(part: str, props: Mapping[str, object]) -> None:
    idle = [name for name, value in props.items() if value is not None]
    if idle:
        raise ValueError(f'"{idle[0]}" has no effect on a "{part}" that is imported: leave one of them out')


def require_parts_of(
    service: IEquipmentService,
    dataset: IDataset | None,
    model: IModel | None,
    scheduler: IInferenceScheduler | None,
) -> None:
    """Require that parts that exist already are of the service, and belong together.

    Raises:
        ValueError: when they do not.
    """
    if dataset is not None:
        require_same_service(f'dataset "{dataset.dataset_name}"', dataset.service, service)
    if model is not None:
        require_same_service(f'model "{model.model_name}"', model.service, service)
    if scheduler is None:
        return
    named = f'inference scheduler "{scheduler.inference_scheduler_name}"'
    require_same_service(named, scheduler.service, service)
    if model is not None:
        require_model(named, scheduler.model_name, model.model_name)


def require_model(scheduler: str, theirs: str, model: str) -> None:
    """Require that a scheduler that exists already is of the model of the asset, as far as both are known.

    Raises:
        ValueError: when it is of another one.
    """
    if theirs != model and not (_props.is_token(theirs) or _props.is_token(model)):
        raise ValueError(f'{scheduler} is of model "{theirs}", not "{model}": leave one of them out')
