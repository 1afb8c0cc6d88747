"""Services of other accounts and Regions that share datasets and models with a service."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from constructs_l4e import _props, _validate
from constructs_l4e._access import Access

_PATH = "import"
"""The path of the API at which services of other accounts ask for what they import."""

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_API_ID = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """A service from which datasets and model versions are imported.

    Args:
        account: its account.
        region: its Region.
        api_id: id of its REST API: `api_id` of that service.
        api_stage: stage of its REST API. Default: `v1`, as every deployed service has.

    Raises:
        ValueError: when account, Region, id or stage cannot be one.
    """

    account: str
    region: str
    api_id: str
    api_stage: str = "v1"

    def __post_init__(self) -> None:
        _props.check_fields(self)
        _validate.account(self.account, what="account of the import source")
        _validate.aws_name(self.api_stage, longest=128, what="api_stage of the import source")
        for what, value, rule, example in (
            ("region", self.region, _REGION, "eu-west-1"),
            ("api_id", self.api_id, _API_ID, "abcde12345"),
        ):
            if not _props.is_token(value) and not rule.fullmatch(value):
                raise ValueError(
                    f'{what} "{value}" of the import source cannot be one: give one such as "{example}"'
                )


def to_environment(sources: Sequence[ImportSource]) -> dict[str, str]:
    """Return the variables that tell the functions where others share.

    Raises:
        ValueError: when two sources are of one account and Region.
    """
    if not sources:
        return {}
    places = [f"account {each.account}, Region {each.region}" for each in sources]
    if twice := [place for at, place in enumerate(places) if place in places[:at]]:
        raise ValueError(
            f"import_sources has two services of {twice[0]}: an ARN would not tell them apart, so name one"
        )
    apis = {f"{each.account}/{each.region}": f"{each.api_id}/{each.api_stage}" for each in sources}
    return {"L4E_IMPORT_SOURCES": json.dumps(apis), "L4E_URL_SUFFIX": cdk.Aws.URL_SUFFIX}


def ask(scope: IConstruct, sources: Sequence[ImportSource]) -> list[Access]:
    """Return the right to ask the sources for what is imported, which they must allow as well."""
    stack = cdk.Stack.of(scope)
    arns = [
        stack.format_arn(
            service="execute-api",
            account=each.account,
            region=each.region,
            resource=each.api_id,
            resource_name=f"{each.api_stage}/POST/{_PATH}",
        )
        for each in sources
    ]
    return [Access(actions=("execute-api:Invoke",), resources=arns)] if arns else []


def let_ask(accounts: Sequence[str], stage: str) -> iam.PolicyDocument | None:
    """Return the resource policy of an API that lets accounts ask, at that path alone; None for nobody."""
    if not accounts:
        return None
    named = [_validate.account(each, what="importable_by") for each in accounts]
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="OthersImport",
                principals=[iam.AccountPrincipal(each) for each in named],
                actions=["execute-api:Invoke"],
                resources=[f"execute-api:/{stage}/POST/{_PATH}"],
            )
        ]
    )
