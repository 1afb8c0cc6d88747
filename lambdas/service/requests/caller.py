"""Who sent a request, as API Gateway has authenticated it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_KINDS = {
    "assumed-role": "AssumedRole",
    "federated-user": "FederatedUser",
    "root": "Root",
    "user": "IAMUser",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The caller of a request. What API Gateway does not say is empty."""

    arn: str = ""
    account: str = ""
    principal_id: str = ""
    access_key: str = ""
    source_ip: str = ""
    user_agent: str = ""
    vpc_endpoint: str = ""
    path: str = ""
    """Path of the request: the way in."""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Caller":
        """Return the caller in a proxy event."""
        request: Mapping[str, Any] = event.get("requestContext") or {}
        identity: Mapping[str, Any] = request.get("identity") or {}

        def said(name: str) -> str:
            return str(identity.get(name) or "")

        return cls(
            arn=said("userArn"),
            account=said("accountId"),
            principal_id=said("caller"),
            access_key=said("accessKey"),
            source_ip=said("sourceIp"),
            user_agent=said("userAgent"),
            vpc_endpoint=said("vpceId"),
            path=str(request.get("path") or ""),
        )

    @property
    def kind(self) -> str:
        """The kind of principal, as CloudTrail names it in `userIdentity.type`."""
        return _KINDS.get(self._resource[0], "Unknown")

    @property
    def role(self) -> str | None:
        """Name of the role of a session, None for other principals."""
        match self._resource:
            case ["assumed-role", role, _]:
                return role
        return None

    @property
    def principal(self) -> str:
        """The ARN, for a session of a role without the name of the session: sessions come and go."""
        return self.arn if self.role is None else self.arn.rpartition("/")[0]

    @property
    def _resource(self) -> list[str]:
        """The parts of the last part of the ARN: `assumed-role`, name of the role, name of the session."""
        return self.arn.rpartition(":")[2].split("/")
