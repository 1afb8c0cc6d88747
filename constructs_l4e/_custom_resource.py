"""What the custom resources behind the public constructs have in common."""

import functools
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct, IConstruct, IDependable

from constructs_l4e import _names, _props, _validate
from constructs_l4e._completion import when_complete
from constructs_l4e._environments import require_home_of_key, require_region_of
from constructs_l4e._memory import once, path_of, stack_of
from constructs_l4e._provider import ProviderAccess
from constructs_l4e._quotas import count_name
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.settings import ADAPTATION_TAG, Adaptation
from constructs_l4e.storage import S3Location

_MOST_INLINE_BYTES = 4096
"""A longer schema is a file: a template, and each event about the resource, hold few of them."""

KEPT: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
"""Default of what holds data or models: it stays, but for a creation that is rolled back."""

_SERVICE_TIMEOUT_SECONDS = "3600"
"""The longest that CloudFormation waits for a custom resource."""


Kind = Literal[
    "Dataset",
    "ImportedDataset",
    "DataIngestion",
    "LabelGroup",
    "Model",
    "ImportedModel",
    "InferenceScheduler",
    "RetrainingScheduler",
    "DatasetPolicy",
    "ModelPolicy",
]
"""The kinds of resources."""


class ResourceTags:
    """The tags of one resource: those of its construct, and those that `cdk.Tags.of(...)` adds later.

    Most resources have none, and cost nothing: the CDK asks for `manager` when it adds the first.
    """

    def __init__(self, scope: IConstruct, kind: Kind, tags: Mapping[str, str] | None) -> None:
        self._scope, self._kind, self._resource_type = scope, kind, resource_type(kind)
        self._given = self._checked(tags or {})
        self._resource: cdk.CfnResource | None = None

    @functools.cached_property
    def manager(self) -> cdk.TagManager:
        """The tags, as the CDK keeps them."""
        manager = cdk.TagManager(cdk.TagType.KEY_VALUE, self._resource_type)
        for key, value in self._given.items():
            manager.set_tag(key, value)
        if self._resource is not None:
            self._resource.add_property_override("Tags", manager.rendered_tags)
        when_complete(stack_of(self._scope), self._problems)
        return manager

    def properties(self) -> dict[str, cdk.IResolvable]:
        """Return the property with the tags that are given; nothing if there are none."""
        return {"Tags": self.manager.rendered_tags} if self._given else {}

    def attach(self, resource: cdk.CfnResource) -> None:
        """Have `resource`, which was made with `properties`, show later tags too."""
        self._resource = resource

    def _problems(self) -> Sequence[str]:
        """Return why the service will not accept the tags that there are now."""
        try:
            self._checked(self.manager.tag_values())
        except ValueError as error:
            return [f"{path_of(self._scope)}: {error}"]
        return []

    def _checked(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Return the tags if the service will accept them."""
        adaptation = tags.get(ADAPTATION_TAG)
        if adaptation is not None and self._kind not in {"Model", "ImportedModel"}:
            raise ValueError(
                f'tag "{ADAPTATION_TAG}" has an effect on models only: use the prop adaptation of Model, or '
                f'cdk.Tags.of(...) with include_resource_types=["{resource_type("Model")}"]'
            )
        if adaptation is not None and not _props.is_token(adaptation):
            _validate.choice(Adaptation, adaptation, what=f'tag "{ADAPTATION_TAG}":')
        return _validate.tags(tags, resource_type=self._resource_type)


def resource_type(kind: Kind) -> str:
    """Return the CloudFormation type of a kind of resource, such as `Dataset`."""
    return f"Custom::LookoutEquipment{kind}"


def service_resource(
    scope: Construct,
    *,
    service: IEquipmentService,
    kind: Kind,
    properties: Mapping[str, Any],
    tags: ResourceTags | None = None,
    depends_on: Sequence[IDependable] = (),
    removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
) -> cdk.CfnResource:
    """Return the custom resource of a kind, as the default child of `scope`.

    Args:
        scope: the construct that it belongs to.
        service: the service that has the resource.
        kind: such as `Dataset`.
        properties: members of the API request; those that are None are left out.
        tags: its tags, for a kind that has any.
        depends_on: what must exist before it, besides the rights of the custom-resource functions.
        removal_policy: what happens to the resource when the stack is deleted, or has it no more. One that
            is replaced goes in any case: its successor is complete by then.
    """
    count_name(scope, service, kind, properties)
    resource = cdk.CfnResource(
        scope,
        "Resource",
        type=resource_type(kind),
        properties={
            "ServiceToken": service.provider_service_token,
            "ServiceTimeout": _SERVICE_TIMEOUT_SECONDS,
            "PropertiesVersion": _version(properties),
            **properties,
            **(tags.properties() if tags else {}),
        },
    )
    if tags:
        tags.attach(resource)
    if removal_policy is cdk.RemovalPolicy.DESTROY:
        _destroy_unless_told(stack_of(scope))
    else:
        resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        resource.apply_removal_policy(removal_policy, apply_to_update_replace_policy=False)
    if depends_on:
        resource.node.add_dependency(*depends_on)
    ProviderAccess.of(scope, service).precede(resource)
    return resource


def _destroy_unless_told(stack: cdk.Stack) -> None:
    """Give the custom resources of a stack that have no removal policy DESTROY: once, not for each."""
    once(
        stack,
        "removal policy",
        lambda: cdk.MissingRemovalPolicies.of(stack).destroy(
            apply_to_resource_types=[resource_type(kind) for kind in get_args(Kind)]
        ),
    )


def schema_property(
    scope: Construct, service: IEquipmentService, schema: DatasetSchema | None
) -> dict[str, str] | None:
    """Return the schema, or where the custom-resource functions read one that is too long for a property."""
    if schema is None:
        return None
    content = schema.to_json().encode()
    if _names.by_location(scope):
        return _staged(scope, service, content, id="Schema", asset_hash=None)
    return document_property(scope, service, content.decode(), id="Schema", inline="InlineDataSchema")


def document_property(
    scope: Construct, service: IEquipmentService, text: str, *, id: str, inline: str
) -> dict[str, str]:
    """Return a document, or where the functions read one that is too long for a property.

    Args:
        scope: the construct that it belongs to.
        service: the service that has the resource.
        text: the document, in JSON.
        id: construct id of its file.
        inline: the member that holds a short one.
    """
    content = text.encode()
    if len(content) <= _MOST_INLINE_BYTES:
        return {inline: text}
    digest = hashlib.sha256(content).hexdigest()
    return {**_staged(scope, service, content, id=id, asset_hash=digest), "Sha256": digest}


def key_property(scope: Construct, service: IEquipmentService, key: kms.IKey | None) -> str | None:
    """Return the key that the service encrypts a resource with.

    Raises:
        ValueError: when it is known to be in another account or Region than the service.
    """
    if key is None:
        return None
    require_home_of_key(key, service, scope)
    return key.key_arn


def meaning(schema: DatasetSchema | None, key: kms.IKey | None) -> dict[str, str | None]:
    """Return what the properties say whose text depends on where an app is deployed from or to."""
    return {"Schema": schema.to_json() if schema else None, "ServerSideKmsKeyId": _names.of_key(key)}


def _version(properties: Mapping[str, Any]) -> str:
    """Return the version of the property format: the handlers read every version that was ever released.

    Version 2 has schemas that say what they are. The handlers of an earlier release refuse it in clear words.
    """
    schema = properties.get("Schema")
    return "1" if schema is None or schema.keys() == {"Bucket", "Key"} else "2"


def _staged(
    scope: Construct, service: IEquipmentService, content: bytes, *, id: str, asset_hash: str | None
) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{id.lower()}.json"
        path.write_bytes(content)
        asset = s3_assets.Asset(scope, id, path=str(path), asset_hash=asset_hash)
    stack = stack_of(scope)
    # Compared as text of the templates: the stack of the service writes the same name in the same way.
    if service.staging_bucket_name is not None and (
        stack.resolve(asset.s3_bucket_name) != stack.resolve(service.staging_bucket_name)
    ):
        ProviderAccess.of(scope, service).allow(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[asset.bucket.arn_for_objects(asset.s3_object_key)]
            )
        )
    return {"Bucket": asset.s3_bucket_name, "Key": asset.s3_object_key}


def output_configuration(
    scope: Construct, place: S3Location | None, key: kms.IKey | None, *, longest: str, what: str
) -> dict[str, Any] | None:
    """Return where the service writes, and the key if it is not that of the bucket.

    Args:
        scope: what it is for.
        place: where the service writes.
        key: the key, if it is not that of the bucket.
        longest: end of the longest key below the prefix of the place.
        what: the prop that holds the place.

    Raises:
        ValueError: when keys below the prefix would be longer than S3 allows, or the key is known to be in
            another Region than `scope`.
    """
    if place is None:
        return None
    _validate.room_below(place.prefix, longest, what=what)
    if key is not None:
        require_region_of(key, scope, kind="key")
    return {"S3OutputConfiguration": place.to_api(), **({"KmsKeyId": key.key_arn} if key else {})}
