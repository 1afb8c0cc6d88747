"""The service model: the one source of names, types, patterns and limits."""

import json
from functools import cache
from pathlib import Path

from botocore.model import ServiceModel

_SERVICE = "lookoutequipment"
_DATA = Path(__file__).parents[2] / "botocore_data"


@cache
def service_model() -> ServiceModel:
    """Return the model that lies beside this package, in a checkout as in the function."""
    file = _DATA / _SERVICE / "2020-12-15" / "service-2.json"
    return ServiceModel(json.loads(file.read_text(encoding="utf-8")), _SERVICE)
