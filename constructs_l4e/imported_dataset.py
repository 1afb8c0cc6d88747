"""An imported dataset: a copy of the sensor data that this or another account shares."""

from collections.abc import Mapping
from typing import Required, TypedDict

import aws_cdk as cdk
import jsii
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_l4e import _arns, _custom_resource, _names, _props
from constructs_l4e._environments import require_partition_of_source
from constructs_l4e._provider import ProviderAccess
from constructs_l4e._quotas import count_at_service
from constructs_l4e.dataset import DatasetBase
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.schema import DatasetSchema


class ImportedDatasetProps(TypedDict, total=False):
    """Props of `ImportedDataset` besides the service."""

    source_dataset_arn: Required[str]
    schema: DatasetSchema | None
    dataset_name: str | None
    revision: str | None
    encryption_key: kms.IKey | None
    tags: Mapping[str, str] | None
    removal_policy: cdk.RemovalPolicy


@jsii.implements(cdk.ITaggableV2)
class ImportedDataset(DatasetBase):
    """A dataset that is a copy of another one, of this or another account, made when it is deployed.

    The copy stands by itself: what becomes of the source does not matter to it, until `revision` changes.
    Revision and tags change in place. Another source or key makes a new copy, to which models move, and then
    deletes the old one.

    Args:
        scope: parent of the construct.
        id: construct id.
        service: the service that gets the copy. One of another account or Region must be in its
            `import_sources`.
        source_dataset_arn: ARN of the dataset to copy. One of another account needs an `Allow` in its
            resource policy, for the account of the service or its `provider_role`.
        schema: what is known of the components and sensors of the source, which models are checked against.
            Default: not known, nothing is checked.
        dataset_name: name of the dataset, 1 to 200 letters, digits, `_` and `-`. Default: one made of the
            construct path and a hash of the props that replace the dataset.
        revision: any text; change it to copy the source again, over the data that there is. Models are not
            trained anew by that; their retrainings learn from it. Default: none.
        encryption_key: key of the copy. Default: the service's own.
        tags: up to 44 tags, together with those of `cdk.Tags.of(...)`. Default: none.
        removal_policy: what happens to the dataset when the stack is deleted, or has it no more. One that is
            replaced goes in any case. Default: RETAIN_ON_UPDATE_OR_DELETE, it stays, but for a creation that
            is rolled back.

    Raises:
        ValueError: when the ARN is not that of a dataset, or a name or a tag is not legal.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        source_dataset_arn: str,
        schema: DatasetSchema | None = None,
        dataset_name: str | None = None,
        revision: str | None = None,
        encryption_key: kms.IKey | None = None,
        tags: Mapping[str, str] | None = None,
        removal_policy: cdk.RemovalPolicy = _custom_resource.KEPT,
    ) -> None:
        super().__init__(scope, id)
        self.service = service
        self.schema = schema
        self.encryption_key = encryption_key
        count_at_service(self, service, "datasets")
        self._tags = _custom_resource.ResourceTags(self, "ImportedDataset", tags)
        _arns.source(source_dataset_arn, shape="DatasetArn", what="source dataset ARN")
        require_partition_of_source(source_dataset_arn, "source dataset ARN", service)
        fixed = {
            "SourceDatasetArn": source_dataset_arn,
            "ServerSideKmsKeyId": _custom_resource.key_property(self, service, encryption_key),
        }
        self.dataset_name, names = _names.chosen(
            self,
            dataset_name,
            shape="DatasetName",
            what="dataset name",
            fixed=fixed,
            meaning=_custom_resource.meaning(None, encryption_key),
        )
        self.trusted_arn = _arns.service_arn(self, "dataset", names)
        ProviderAccess.of(self, service).allow_import("ImportDataset", source_dataset_arn)
        self._resource = _custom_resource.service_resource(
            self,
            service=service,
            kind="ImportedDataset",
            properties={"DatasetName": self.dataset_name, **fixed, "Revision": revision},
            tags=self._tags,
            removal_policy=removal_policy,
        )
        self.ready = self._resource

    @property
    def cdk_tag_manager(self) -> cdk.TagManager:
        """Tags of the dataset, which `cdk.Tags.of(...)` adds to."""
        return self._tags.manager
