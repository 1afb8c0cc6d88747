"""The public names of the package, all of them; `constructs_l4e` itself hands them out."""

from constructs_l4e._settings import ServiceSettings
from constructs_l4e.alarms import AlarmThresholds, Executions, SchedulerAlarms
from constructs_l4e.asset import MonitoredAsset
from constructs_l4e.dataset import Dataset
from constructs_l4e.ingestion import DataIngestion, KeyPattern
from constructs_l4e.interfaces import IDataset, IInferenceScheduler, IModel
from constructs_l4e.key import EquipmentKey
from constructs_l4e.large_jobs import LargeJobs
from constructs_l4e.model import Model
from constructs_l4e.network import ServiceVpcEndpoint
from constructs_l4e.role import ServiceRole
from constructs_l4e.scheduler import InferenceScheduler, InputNaming
from constructs_l4e.schema import (
    Component,
    DatasetSchema,
    DataUploadFrequency,
    OffCondition,
    TargetSamplingRate,
    TimeRange,
    TimestampFormat,
)
from constructs_l4e.service import EquipmentService, IEquipmentService
from constructs_l4e.storage import AssetLocations, AssetStorage, S3Location

__all__ = [
    "AlarmThresholds",
    "AssetLocations",
    "AssetStorage",
    "Component",
    "DataIngestion",
    "DataUploadFrequency",
    "Dataset",
    "DatasetSchema",
    "EquipmentKey",
    "EquipmentService",
    "Executions",
    "IDataset",
    "IEquipmentService",
    "IInferenceScheduler",
    "IModel",
    "InferenceScheduler",
    "InputNaming",
    "KeyPattern",
    "LargeJobs",
    "Model",
    "MonitoredAsset",
    "OffCondition",
    "S3Location",
    "SchedulerAlarms",
    "ServiceRole",
    "ServiceSettings",
    "ServiceVpcEndpoint",
    "TargetSamplingRate",
    "TimeRange",
    "TimestampFormat",
]
