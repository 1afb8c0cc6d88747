"""A data ingestion job as a resource: it reads sensor files from S3 into a dataset."""

import enum
from typing import Required, TypedDict

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_l4e import _custom_resource, _props, _validate
from constructs_l4e._memory import placed
from constructs_l4e._provider import ProviderAccess
from constructs_l4e.interfaces import IDataset
from constructs_l4e.role import ServiceRole, UsesRole, arn_of, let_use
from constructs_l4e.storage import S3Location


class KeyPattern(enum.StrEnum):
    """Where the name of the component stands in the key of a file; the values are those of the API."""

    FOLDER = "{prefix}/{component_name}/*"
    UNDERSCORE = "{prefix}/{component_name}_*"
    HYPHEN = "{prefix}/{component_name}-*"
    DOT = "{prefix}/{component_name}.*"
    SPACE = "{prefix}/{component_name} *"


class DataIngestionProps(TypedDict, total=False):
    """Props of `DataIngestion` besides the dataset."""

    source: Required[S3Location]
    key_pattern: KeyPattern | None
    role: iam.IRole | None
    revision: str | None
    wait: bool


@jsii.implements(iam.IGrantable)
class DataIngestion(cdk.Resource, UsesRole):
    """A data ingestion job: it reads the files of `source` into `dataset`.

    A change of any prop but `wait` starts a new job, whose data replaces that of the dataset.

    Args:
        scope: parent of the construct.
        id: construct id.
        dataset: the dataset to fill.
        source: the files to read.
        key_pattern: where the name of the component stands in the key of a file. A dataset without schema
            needs it. Default: one folder per component.
        role: role that may read `source`. Default: a new one.
        revision: any text; change it to ingest the same place again. Default: none.
        wait: whether the deployment waits for the job, at most 45 minutes, and fails if the job fails. With
            False it continues once the service has accepted the job; a model of the same stack waits for the
            data in either case. Default: True.

    Raises:
        ValueError: when neither `key_pattern` nor a schema is given, the pattern is not one of the API's, or
            the service cannot assume `role`.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset: IDataset,
        source: S3Location,
        key_pattern: KeyPattern | None = None,
        role: iam.IRole | None = None,
        revision: str | None = None,
        wait: bool = True,
    ) -> None:
        super().__init__(scope, id)
        placed(self, scope, id)
        pattern = key_pattern and _validate.choice(KeyPattern, key_pattern, what="key pattern")
        if pattern is None and dataset.schema is None:
            raise ValueError(
                f'dataset "{dataset.dataset_name}" has no schema, so file names must tell the components: '
                "pass `key_pattern`, or give the dataset a schema"
            )
        self.role: iam.IRole = role or ServiceRole(self, "Role", service=dataset.service, reads=[source])
        let_use(self, dataset.service, self.role, resource_arn=dataset.trusted_arn, reads=[source])
        location = source.to_api() | ({"KeyPattern": pattern.value} if pattern else {})
        ProviderAccess.of(self, dataset.service).allow_pass_role(self.role)
        self._resource = _custom_resource.service_resource(
            self,
            service=dataset.service,
            kind="DataIngestion",
            properties={
                "DatasetName": dataset.dataset_name,
                "IngestionInputConfiguration": {"S3InputConfiguration": location},
                "RoleArn": arn_of(self.role),
                "Revision": revision,
                "Wait": "true" if wait else "false",
            },
            depends_on=[dataset.ready, self.role],
        )
        dataset.await_ingestion(self._resource)

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """Role of the job, for grants such as `bucket.grant_read(ingestion)`."""
        return self.role.grant_principal

    @property
    def job_id(self) -> str:
        """Id of the job, as a token."""
        return self._resource.get_att("JobId").to_string()

    @property
    def ingested_data_size(self) -> str:
        """Bytes ingested, as a token."""
        return self._resource.get_att("IngestedDataSize").to_string()
