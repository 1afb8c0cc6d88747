"""Infrastructure as code for equipment monitoring with Amazon Lookout for Equipment (L4E).

`EquipmentService` is what every other construct takes: the service itself. `MonitoredAsset` makes all that
one asset needs; `AssetStorage` is where its data lies. The parts are there by themselves: `Dataset`,
`DataIngestion`, `LabelGroup`, `Model`, `InferenceScheduler`, `RetrainingScheduler`, `SchedulerAlarms`,
`AssetDashboard`, and `ServiceRole`, `EquipmentKey`, `ResourcePolicy`, `ServiceVpcEndpoint`. What they take of
each other is an interface, such as `IModel`: made in the app, or imported by a method `from_...`.
"""

import importlib.metadata

from constructs_l4e.access_level import AccessLevel
from constructs_l4e.alarms import AlarmThresholds, Executions, SchedulerAlarms, SchedulerAlarmsProps
from constructs_l4e.asset import MonitoredAsset
from constructs_l4e.asset_base import MonitoredAssetBase
from constructs_l4e.dashboard import AssetDashboard, AssetDashboardProps
from constructs_l4e.dataset import Dataset, DatasetBase, DatasetProps
from constructs_l4e.events import EventOptions
from constructs_l4e.frequencies import DataUploadFrequency, TargetSamplingRate
from constructs_l4e.function_vpc_endpoints import FunctionVpcEndpoints
from constructs_l4e.import_source import ImportSource
from constructs_l4e.imported_dataset import ImportedDataset, ImportedDatasetProps
from constructs_l4e.imported_model import ImportedModel, ImportedModelProps, InferenceDataImportStrategy
from constructs_l4e.ingestion import DataIngestion, DataIngestionProps, KeyPattern
from constructs_l4e.input_naming import InputNaming, TimestampFormat
from constructs_l4e.interfaces import (
    IAssetStorage,
    IDataset,
    IEquipmentService,
    IInferenceScheduler,
    ILabelGroup,
    IModel,
    IRetrainingScheduler,
    IServiceResource,
)
from constructs_l4e.key import EquipmentKey
from constructs_l4e.label import Label, LabelProps, LabelRating
from constructs_l4e.label_group import LabelGroup, LabelGroupBase, LabelGroupProps
from constructs_l4e.large_jobs import LargeJobs
from constructs_l4e.metrics import FleetMetricOptions, MetricOptions
from constructs_l4e.model import Model, ModelBase, ModelProps
from constructs_l4e.numeric_layer import NumericLayer
from constructs_l4e.off_condition import OffCondition
from constructs_l4e.resource_policy import ResourcePolicy
from constructs_l4e.retraining_scheduler import (
    LookbackWindow,
    PromoteMode,
    RetrainingScheduler,
    RetrainingSchedulerBase,
    RetrainingSchedulerProps,
)
from constructs_l4e.role import ServiceRole, UsesRole
from constructs_l4e.scheduler import (
    InferenceScheduler,
    InferenceSchedulerBase,
    InferenceSchedulerOptions,
    InferenceSchedulerProps,
)
from constructs_l4e.schema import Component, DatasetSchema
from constructs_l4e.service import EquipmentService
from constructs_l4e.service_base import EquipmentServiceBase
from constructs_l4e.service_controls import ReservedConcurrency, ServiceControls
from constructs_l4e.service_resource import ServiceResourceBase
from constructs_l4e.settings import Adaptation, ServiceSettings
from constructs_l4e.storage import AssetLocations, AssetStorage, AssetStorageBase, S3Location
from constructs_l4e.time_range import TimeRange
from constructs_l4e.vpc_endpoint import ServiceVpcEndpoint

try:
    __version__ = importlib.metadata.version("constructs-l4e")
except importlib.metadata.PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"

__all__ = [
    "AccessLevel",
    "Adaptation",
    "AlarmThresholds",
    "AssetDashboard",
    "AssetDashboardProps",
    "AssetLocations",
    "AssetStorage",
    "AssetStorageBase",
    "Component",
    "DataIngestion",
    "DataIngestionProps",
    "DataUploadFrequency",
    "Dataset",
    "DatasetBase",
    "DatasetProps",
    "DatasetSchema",
    "EquipmentKey",
    "EquipmentService",
    "EquipmentServiceBase",
    "EventOptions",
    "Executions",
    "FleetMetricOptions",
    "FunctionVpcEndpoints",
    "IAssetStorage",
    "IDataset",
    "IEquipmentService",
    "IInferenceScheduler",
    "ILabelGroup",
    "IModel",
    "IRetrainingScheduler",
    "IServiceResource",
    "ImportSource",
    "ImportedDataset",
    "ImportedDatasetProps",
    "ImportedModel",
    "ImportedModelProps",
    "InferenceDataImportStrategy",
    "InferenceScheduler",
    "InferenceSchedulerBase",
    "InferenceSchedulerOptions",
    "InferenceSchedulerProps",
    "InputNaming",
    "KeyPattern",
    "Label",
    "LabelGroup",
    "LabelGroupBase",
    "LabelGroupProps",
    "LabelProps",
    "LabelRating",
    "LargeJobs",
    "LookbackWindow",
    "MetricOptions",
    "Model",
    "ModelBase",
    "ModelProps",
    "MonitoredAsset",
    "MonitoredAssetBase",
    "NumericLayer",
    "OffCondition",
    "PromoteMode",
    "ReservedConcurrency",
    "ResourcePolicy",
    "RetrainingScheduler",
    "RetrainingSchedulerBase",
    "RetrainingSchedulerProps",
    "S3Location",
    "SchedulerAlarms",
    "SchedulerAlarmsProps",
    "ServiceControls",
    "ServiceResourceBase",
    "ServiceRole",
    "ServiceSettings",
    "ServiceVpcEndpoint",
    "TargetSamplingRate",
    "TimeRange",
    "TimestampFormat",
    "UsesRole",
]
