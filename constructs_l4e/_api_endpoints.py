"""The interface endpoints of a private API, as objects and as ids."""

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from constructs_l4e._vpc_needs import service_of

_ID = re.compile(r"vpce-[0-9a-f]+")
_SERVICE = "execute-api"


def checked(
    endpoints: Sequence[ec2.IInterfaceVpcEndpoint] | None,
) -> tuple[ec2.IInterfaceVpcEndpoint, ...]:
    """Return the endpoints of an API, none for a regional one, if they can lead to it.

    Raises:
        ValueError: when the list is empty, or one is an endpoint of another service.
    """
    if endpoints is None:
        return ()
    if not endpoints:
        raise ValueError(
            "api_vpc_endpoints is empty, and nothing would reach the API: name at least one interface"
            " endpoint, or leave it out for a regional API"
        )
    for each in endpoints:
        made_here = each.node.default_child
        service = service_of(made_here) if isinstance(made_here, ec2.CfnVPCEndpoint) else _SERVICE
        if service not in {_SERVICE, ""}:
            raise ValueError(
                f"endpoint '{each.node.path}' leads to '{service}', and a private API is reached through"
                " interface endpoints of 'execute-api': pass a ServiceVpcEndpoint"
            )
    return tuple(endpoints)


def checked_ids(ids: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of endpoints if they can be such.

    Raises:
        ValueError: when one is no id of an endpoint.
    """
    for each in ids:
        if not cdk.Token.is_unresolved(each) and not _ID.fullmatch(each):
            raise ValueError(
                f"api_vpc_endpoint_ids: '{each}' is no id of a VPC endpoint: use ids such as"
                " 'vpce-0123456789abcdef0', which the service has as api_vpc_endpoint_ids"
            )
    return tuple(ids)
