"""Where the pointwise diagnostics of a training are written, and how a description shows it. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from service.members.locations import require_short_key

DIAGNOSTICS_FILE = "model_diagnostics_results.json.gz"

_MEMBER = "ModelDiagnosticsOutputConfiguration"
_LATEST_VERSION = 9_999
"""Latest version whose key must not be longer than S3 allows."""


def diagnostics_key(prefix: str, model_name: str, version: int) -> str:
    """Return the key of the diagnostics of a model version below the prefix that was asked for."""
    return f"{prefix}{model_name}/{version}/{DIAGNOSTICS_FILE}"


def require_short_diagnostics_key(request: Mapping[str, Any]) -> None:
    """Require that the diagnostics that a request asks for have keys that S3 allows.

    Raises:
        ValidationError: when their prefix is too long.
    """
    if _MEMBER in request:
        prefix = request[_MEMBER]["S3OutputConfiguration"].get("Prefix", "")
        longest = diagnostics_key(prefix, request["ModelName"], _LATEST_VERSION)
        require_short_key(longest, prefix=prefix, member=_MEMBER)


def requested_diagnostics(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the diagnostics configuration of a model as it was asked for; empty without one.

    After a training, the model shows the whole key of its file as `Prefix`.
    """
    if _MEMBER not in model:
        return {}
    configuration = model[_MEMBER]
    place = configuration["S3OutputConfiguration"]
    shown = re.compile(rf"{re.escape(model['ModelName'])}/\d+/{re.escape(DIAGNOSTICS_FILE)}\Z")
    prefix = shown.sub("", place.get("Prefix", ""))
    rest = {name: value for name, value in place.items() if name != "Prefix"}
    return {
        _MEMBER: {
            **configuration,
            "S3OutputConfiguration": {**rest, **({"Prefix": prefix} if prefix else {})},
        }
    }
