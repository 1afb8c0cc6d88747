"""Resource policies: which other accounts may import a dataset or a model."""

from collections.abc import Sequence
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_l4e import _custom_resource, _props, _validate
from constructs_l4e._completion import when_complete
from constructs_l4e._memory import path_of, placed, stack_of
from constructs_l4e.interfaces import IDataset, IModel

_DATASET = "lookoutequipment:ImportDataset"
_MODEL = "lookoutequipment:ImportModelVersion"
_IMPORTING_DATA = "lookoutequipment:IsImportingData"
_JUDGED = {"AWS", "LiteralString"}
"""Kinds of principals that the service can judge, as the CDK names them; the second is that of `*`."""


class ResourcePolicy(cdk.Resource):
    """The resource policy of a dataset or a model; that of a model is for all its versions.

    A dataset or a model has one policy. `grant_import` of `Dataset` and `Model` makes it, and adds to it.

    Args:
        scope: parent of the construct.
        id: construct id.
        resource: the dataset or model.
        statements: what the policy says. Default: nothing yet; see `grant_import` and `add_statements`.

    Raises:
        ValueError: when a statement is about another action.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        resource: IDataset | IModel,
        statements: Sequence[iam.PolicyStatement] | None = None,
    ) -> None:
        super().__init__(scope, id)
        placed(self, scope, id)
        dataset = isinstance(resource, IDataset)
        self._action = _DATASET if dataset else _MODEL
        self._document = iam.PolicyDocument()
        self.add_statements(*(statements or ()))
        when_complete(stack_of(self), self._problems)
        self._resource = _custom_resource.service_resource(
            self,
            service=resource.service,
            kind="DatasetPolicy" if dataset else "ModelPolicy",
            properties={
                **(
                    {"DatasetName": resource.dataset_name}
                    if isinstance(resource, IDataset)
                    else {"ModelName": resource.model_name}
                ),
                "ResourcePolicy": self._document,
            },
            depends_on=[resource.ready],
        )

    def add_statements(self, *statements: iam.PolicyStatement) -> None:
        """Add statements. Their action is that of the resource; they need no resources.

        Raises:
            ValueError: when a statement is about another action.
        """
        for statement in statements:
            wrong = [action for action in statement.actions if action != self._action]
            if wrong or not statement.actions:
                raise ValueError(
                    f'resource policy "{path_of(self)}" decides about {self._action} only, not'
                    f' "{wrong[0] if wrong else "nothing"}": give the statement this action'
                )
            self._document.add_statements(statement)

    def grant_import(self, grantee: iam.IGrantable | str, *, inference_data: bool = True) -> None:
        """Allow an account, or a principal of one, to import the resource.

        Args:
            grantee: the account (twelve digits), or the role or user that calls ImportDataset or
                ImportModelVersion there.
            inference_data: whether accumulated inference data of a model may be imported as well.
                Default: True.

        Raises:
            ValueError: when `grantee` is text and no account, or another principal than an account, a role or
                a user, or `inference_data` is False for a dataset.
        """
        if isinstance(grantee, str):
            principal: iam.IPrincipal = iam.AccountPrincipal(_validate.account(grantee, what="grantee"))
        else:
            principal = grantee.grant_principal
        fragment = principal.policy_fragment
        if fragment.conditions or not fragment.principal_json.keys() <= _JUDGED:
            raise ValueError(
                f'resource policy "{path_of(self)}" is for accounts, roles and users: the service cannot'
                f' judge "{type(principal).__name__}", so name those that may import'
            )
        if not inference_data and self._action == _DATASET:
            raise ValueError(
                f'resource policy "{path_of(self)}": a dataset has no inference data, so leave'
                " inference_data out"
            )
        conditions: dict[str, Any] = {} if inference_data else {"Bool": {_IMPORTING_DATA: "false"}}
        self.add_statements(
            iam.PolicyStatement(principals=[principal], actions=[self._action], conditions=conditions)
        )

    def _problems(self) -> list[str]:
        if not self._document.is_empty:
            return []
        return [f"{path_of(self)}: the resource policy says nothing: add a statement, or remove it"]

    @property
    def policy_revision_id(self) -> str:
        """Revision of the policy, as a token."""
        return self._resource.get_att("PolicyRevisionId").to_string()


def policy_of(resource: IDataset | IModel) -> ResourcePolicy:
    """Return the policy that `grant_import` adds to: one of the resource, made when it is asked for first."""
    found = resource.node.try_find_child("ResourcePolicy")
    if isinstance(found, ResourcePolicy):
        return found
    # Interfaces of the CDK do not say so, but whatever has a node is a construct.
    return ResourcePolicy(cast("Construct", resource), "ResourcePolicy", resource=resource)
