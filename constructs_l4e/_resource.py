"""What the custom resources have in common: one class per concern, hidden behind the public constructs."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct, DependencyGroup, IConstruct, IDependable

from constructs_l4e import _api_model, _validate
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.service import IEquipmentService
from constructs_l4e.storage import S3Location

_PROPERTIES_VERSION = "1"
"""Version of the property format; the handlers keep reading every version that was ever released."""

_SERVICE_TIMEOUT_SECONDS = 3600
"""The longest CloudFormation waits for a custom resource."""


class ProviderAccess(Construct):
    """What the custom-resource functions may do for the resources of one stack.

    One policy per stack and service, so that the rights are those of the stack and go away with it.
    """

    def __init__(self, scope: Construct, id: str, *, service: IEquipmentService) -> None:
        super().__init__(scope, id)
        self._service = service
        self.ready = DependencyGroup()
        self._policy: iam.Policy | None = None

    @classmethod
    def of(cls, scope: IConstruct, service: IEquipmentService) -> "ProviderAccess":
        """The access of the stack of `scope`."""
        stack = cdk.Stack.of(scope)
        id_ = f"EquipmentServiceAccess{service.provider_role.node.addr[-8:]}"
        found = stack.node.try_find_child(id_)
        return found if isinstance(found, cls) else cls(stack, id_, service=service)

    def allow(self, statement: iam.PolicyStatement) -> None:
        """Give the functions one more right, before any resource that waits for `ready`."""
        if self._policy is None:
            self._policy = iam.Policy(
                self,
                "Policy",
                # Merged statements: a role holds 10,240 characters of inline policies.
                document=iam.PolicyDocument(minimize=True),
                roles=[self._service.provider_role],
            )
            self.ready.add(self._policy)
        self._policy.add_statements(statement)

    def allow_pass_role(self, role: iam.IRole) -> None:
        """Let the functions name `role` in a request. Only AWS's own service asks for that right."""
        if self._service.api_id is not None:
            return
        self.allow(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "lookoutequipment.amazonaws.com"}},
            )
        )


@jsii.implements(cdk.IStableAnyProducer)
class ResourceTags:
    """The tags of one resource: its own, and those that `cdk.Tags.of(...)` brings later."""

    def __init__(self, kind: str, tags: Mapping[str, str] | None) -> None:
        self._resource_type = resource_type(kind)
        self.manager = cdk.TagManager(cdk.TagType.STANDARD, self._resource_type)
        for key, value in _validate.tags(tags or {}, resource_type=self._resource_type).items():
            self.manager.set_tag(key, value)

    def produce(self) -> list[dict[str, str]] | None:
        """Value of the `Tags` property, once all tags are known; None when there is none."""
        values = _validate.tags(self.manager.tag_values(), resource_type=self._resource_type)
        return [{"Key": key, "Value": value} for key, value in values.items()] or None

    @property
    def rendered(self) -> cdk.IResolvable:
        """Value of the `Tags` property as a token."""
        return cdk.Lazy.any(self)


def resource_type(kind: str) -> str:
    """CloudFormation's name for a kind of resource, such as `Dataset`."""
    return f"Custom::LookoutEquipment{kind}"


def service_resource(
    scope: Construct,
    *,
    service: IEquipmentService,
    kind: str,
    properties: Mapping[str, Any],
    depends_on: Sequence[IDependable] = (),
    removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
) -> cdk.CustomResource:
    """The custom resource of a kind; CDK leaves out properties that are None."""
    resource = cdk.CustomResource(
        scope,
        "Resource",
        service_token=service.provider_service_token,
        resource_type=resource_type(kind),
        service_timeout=cdk.Duration.seconds(_SERVICE_TIMEOUT_SECONDS),
        removal_policy=removal_policy,
        properties={"PropertiesVersion": _PROPERTIES_VERSION, **properties},
    )
    resource.node.add_dependency(ProviderAccess.of(scope, service).ready, *depends_on)
    return resource


def schema_document(
    scope: Construct, service: IEquipmentService, schema: DatasetSchema | None
) -> dict[str, str] | None:
    """Where the custom-resource functions read the schema; it can be larger than a property may be."""
    if schema is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schema.json"
        path.write_text(schema.to_json(), encoding="utf-8")
        asset = s3_assets.Asset(scope, "Schema", path=str(path))
    stack = cdk.Stack.of(scope)
    # By the text in the template: the stack of the service writes the same name in the same way.
    if service.staging_bucket_name is not None and (
        stack.resolve(asset.s3_bucket_name) != stack.resolve(service.staging_bucket_name)
    ):
        ProviderAccess.of(scope, service).allow(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[asset.bucket.arn_for_objects(asset.s3_object_key)]
            )
        )
    return {"Bucket": asset.s3_bucket_name, "Key": asset.s3_object_key}


def output_configuration(place: S3Location | None, key: kms.IKey | None) -> dict[str, Any] | None:
    """Where the service writes, and the key it encrypts with: the bucket's own when there is none."""
    if place is None:
        return None
    return {"S3OutputConfiguration": place.to_api(), **({"KmsKeyId": key.key_arn} if key else {})}


def grant(
    service: IEquipmentService, grantee: iam.IGrantable, *operations: str, resource_arns: Sequence[str]
) -> iam.Grant:
    """Let `grantee` call operations of the API on resources.

    A deployed service has one route, so there IAM can only say who may call it at all.
    """
    unknown = set(operations) - set(_api_model.operations())
    if unknown:
        raise ValueError(
            f'"{min(unknown)}" is not an operation of the API: use names such as "DescribeModel"'
        )
    if service.api_id is not None:
        return service.grant_invoke(grantee)
    return iam.Grant.add_to_principal(
        grantee=grantee,
        actions=[f"{_api_model.SERVICE}:{operation}" for operation in operations],
        resource_arns=list(resource_arns),
    )


def service_arn(scope: IConstruct, resource: str, name: str) -> str:
    """ARN pattern of a named resource of the API; the service appends an id of its own to the name."""
    return cdk.Stack.of(scope).format_arn(
        service=_api_model.SERVICE, resource=resource, resource_name=f"{name}/*"
    )


def name_in_arn(arn: str, *, shape: str, what: str) -> str:
    """Name in `arn:...:<resource>/<name>/<id>`; works on tokens too."""
    _validate.text(arn, shape=shape, what=what, fix="copy it from the Describe operation or the console")
    if cdk.Token.is_unresolved(arn):
        return cdk.Fn.select(1, cdk.Fn.split("/", arn))
    return arn.split("/")[1]
