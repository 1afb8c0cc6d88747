"""A dataset: the sensor data of an asset at the service."""

import functools
from collections.abc import Mapping
from typing import TypedDict, Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.aws_events import Rule
from aws_cdk.interfaces import ResourceEnvironment
from constructs import Construct, DependencyGroup, IDependable

from constructs_l4e import _arns, _custom_resource, _names, _props, _validate, events
from constructs_l4e._environments import require_environment_of_arn
from constructs_l4e._quotas import count_at_service
from constructs_l4e.imported_model import ImportedModel, ImportedModelProps
from constructs_l4e.ingestion import DataIngestion, DataIngestionProps
from constructs_l4e.interfaces import IDataset, IEquipmentService
from constructs_l4e.model import Model, ModelProps
from constructs_l4e.resource_policy import ResourcePolicy, policy_of
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.service_resource import ServiceResourceBase


class DatasetProps(TypedDict, total=False):
    """Props of `Dataset` besides the service."""

    schema: DatasetSchema | None
    dataset_name: str | None
    encryption_key: kms.IKey | None
    tags: Mapping[str, str] | None
    removal_policy: cdk.RemovalPolicy


class DatasetBase(ServiceResourceBase):
    """Base of datasets made here and of imported ones.

    Args:
        scope: parent of the construct.
        id: construct id.
        home: account and Region of the dataset. Default: those of the stack.
    """

    _member = "DatasetName"
    dataset_name: str
    trusted_arn: str
    schema: DatasetSchema | None
    encryption_key: kms.IKey | None
    ready: IDependable

    def __init__(self, scope: Construct, id: str, *, home: ResourceEnvironment | None = None) -> None:
        super().__init__(scope, id, home=home)
        self._ingestions: list[IDependable] = []

    @functools.cached_property
    def dataset_arn(self) -> str:
        """ARN of the dataset: a token if it is made here, and a pattern if only its name is known."""
        return self._resource.get_att("DatasetArn").to_string()

    @functools.cached_property
    def data_ready(self) -> DependencyGroup:
        """Dependency that is met when every ingestion of this app has finished."""
        return DependencyGroup(self.ready, *self._ingestions)

    def await_ingestion(self, ingestion: IDependable) -> None:
        """Make `data_ready` wait for `ingestion` too."""
        self._ingestions.append(ingestion)
        if "data_ready" in vars(self):
            self.data_ready.add(ingestion)

    @property
    def _named(self) -> tuple[str, str]:
        return self.dataset_name, self.dataset_arn

    def grant_ingest(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to start ingestion jobs: at a deployed service, full access to the dataset."""
        return self.grant(grantee, "StartDataIngestionJob")

    def grant_import(self, grantee: iam.IGrantable | str) -> ResourcePolicy:
        """Allow an account, or a role or user of one, to import the dataset: see `IDataset`."""
        policy = policy_of(self)
        policy.grant_import(grantee)
        return policy

    def on_ingestion_state_change(self, id: str, **options: Unpack[events.EventOptions]) -> Rule:
        """Return a rule for the event that an ingestion, or the import of the dataset, has ended."""
        return self._on(id, events.INGESTION_STATE_CHANGE, options=options)

    def add_ingestion(self, id: str, **props: Unpack[DataIngestionProps]) -> DataIngestion:
        """Ingest data into the dataset; the props are those of `DataIngestion`."""
        return DataIngestion(self, id, dataset=self, **props)

    def add_model(self, id: str, **props: Unpack[ModelProps]) -> Model:
        """Train a model on the dataset; the props are those of `Model`."""
        return Model(self, id, dataset=self, **props)

    def add_imported_model(self, id: str, **props: Unpack[ImportedModelProps]) -> ImportedModel:
        """Import a model that may be retrained on the dataset; the props are those of `ImportedModel`."""
        return ImportedModel(self, id, dataset=self, **props)


class _ImportedDataset(DatasetBase):
    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        dataset_name: str,
        dataset_arn: str | None,
        schema: DatasetSchema | None,
        encryption_key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, id, home=service.env)
        self.service = service
        if dataset_arn is not None:
            require_environment_of_arn(dataset_arn, "dataset ARN", service)
        self.dataset_name = _validate.name(dataset_name, shape="DatasetName", what="dataset name")
        self.dataset_arn = dataset_arn or _arns.service_arn(self, "dataset", dataset_name, home=self.env)
        self.trusted_arn = self.dataset_arn
        self.ready = DependencyGroup()
        self.schema = schema
        self.encryption_key = encryption_key


@jsii.implements(cdk.ITaggableV2)
class Dataset(DatasetBase):
    """A dataset, empty at first; `add_ingestion` fills it.

    Tags change in place. Another schema or key creates a new dataset, to which ingestions and models move,
    and then deletes the old one. The new one has a new name unless `dataset_name` fixes it.

    Args:
        scope: parent of the construct.
        id: construct id.
        service: the service that has the dataset.
        schema: components and sensors. Default: the first ingestion detects them in file names and headers.
        dataset_name: name of the dataset, 1 to 200 letters, digits, `_` and `-`. Default: one made of the
            construct path and a hash of the props that replace the dataset.
        encryption_key: key of the ingested data. Default: the service's own.
        tags: up to 44 tags, together with those of `cdk.Tags.of(...)`. Default: none.
        removal_policy: what happens to the dataset when the stack is deleted, or has it no more. One that is
            replaced goes in any case. Default: RETAIN_ON_UPDATE_OR_DELETE, it stays, but for a creation that
            is rolled back.

    Raises:
        ValueError: when a name or a tag is not legal.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        schema: DatasetSchema | None = None,
        dataset_name: str | None = None,
        encryption_key: kms.IKey | None = None,
        tags: Mapping[str, str] | None = None,
        removal_policy: cdk.RemovalPolicy = _custom_resource.KEPT,
    ) -> None:
        super().__init__(scope, id)
        self.service = service
        self.schema = schema
        self.encryption_key = encryption_key
        count_at_service(self, service, "datasets")
        self._tags = _custom_resource.ResourceTags(self, "Dataset", tags)
        fixed = {
            "Schema": _custom_resource.schema_property(self, service, schema),
            "ServerSideKmsKeyId": _custom_resource.key_property(self, service, encryption_key),
        }
        self.dataset_name, names = _names.chosen(
            self,
            dataset_name,
            shape="DatasetName",
            what="dataset name",
            fixed=fixed,
            meaning=_custom_resource.meaning(schema, encryption_key),
        )
        self.trusted_arn = _arns.service_arn(self, "dataset", names)
        self._resource = _custom_resource.service_resource(
            self,
            service=service,
            kind="Dataset",
            properties={
                "DatasetName": self.dataset_name,
                **fixed,
            },
            tags=self._tags,
            removal_policy=removal_policy,
        )
        self.ready = self._resource

    @classmethod
    def from_dataset_name(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        dataset_name: str,
    ) -> IDataset:
        """Return an existing dataset by its name.

        Raises:
            ValueError: when the name is not legal.
        """
        return cls.from_dataset_attributes(scope, id, service=service, dataset_name=dataset_name)

    @classmethod
    def from_dataset_arn(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        dataset_arn: str,
    ) -> IDataset:
        """Return an existing dataset by its ARN.

        Raises:
            ValueError: when it is not the ARN of a dataset, or of another account or Region than the service.
        """
        return _ImportedDataset(
            scope,
            id,
            service=service,
            dataset_name=_arns.name_in_arn(dataset_arn, shape="DatasetArn", what="dataset ARN"),
            dataset_arn=dataset_arn,
            schema=None,
            encryption_key=None,
        )

    @classmethod
    def from_dataset_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        dataset_name: str,
        schema: DatasetSchema | None = None,
        encryption_key: kms.IKey | None = None,
    ) -> IDataset:
        """Return an existing dataset by its name and what else is known of it.

        Args:
            scope: parent of the construct.
            id: construct id.
            service: the service that has the dataset.
            dataset_name: name of the dataset.
            schema: its schema, which models are checked against. Default: not known, nothing is checked.
            encryption_key: its key. Default: the service's own.

        Raises:
            ValueError: when the name is not legal.
        """
        return _ImportedDataset(
            scope,
            id,
            service=service,
            dataset_name=dataset_name,
            dataset_arn=None,
            schema=schema,
            encryption_key=encryption_key,
        )

    @property
    def cdk_tag_manager(self) -> cdk.TagManager:
        """Tags of the dataset, which `cdk.Tags.of(...)` adds to."""
        return self._tags.manager
