"""The service model of botocore: the one source of names, types, patterns and limits."""

from functools import cache
from pathlib import Path

from botocore.loaders import Loader
from botocore.model import ServiceModel

_SERVICE = "lookoutequipment"
_VERSION = "2020-12-15"
_PACKAGED = Path(__file__).parents[1] / "botocore_data"


@cache
def service_model() -> ServiceModel:
    """Return the model packaged with the functions or, in a checkout, that of the installed botocore."""
    loader = Loader(extra_search_paths=[str(_PACKAGED)])
    return ServiceModel(loader.load_data(f"{_SERVICE}/{_VERSION}/service-2"), _SERVICE)
