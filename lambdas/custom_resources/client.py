"""Access to the service: its public API, through boto3 and the service model packaged with the code."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from custom_resources.errors import call_error
from custom_resources.invocation import Invocation

if TYPE_CHECKING:  # the stubs are not in the function's package
    from mypy_boto3_lookoutequipment.client import LookoutEquipmentClient

ASSET_ROOT: Final = Path(__file__).resolve().parents[1]
# Model files next to the packages: the model the runtime's boto3 may have dropped, and the signing name of an
# API of our own (present only when the functions serve one).
_MODEL_DIRECTORIES: Final = ("botocore_data", "botocore_extras")
# API Gateway answers within 29 s or not at all.
_CONFIG: Final = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
# The client above it is the one that tries again.
_INVOKING: Final = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})


def endpoint(environment: Mapping[str, str]) -> str | None:
    """Return the URL of the API that `environment` names, None for the service that AWS manages."""
    api = environment.get("L4E_API_ID")
    if api is None:
        return None
    stage = environment["L4E_API_STAGE"]
    emulator = environment.get("AWS_ENDPOINT_URL")
    if emulator:
        return f"{emulator.rstrip('/')}/restapis/{api}/{stage}/_user_request_"
    return f"https://{api}.execute-api.{environment['AWS_REGION']}.{environment['L4E_URL_SUFFIX']}/{stage}"


def create_client(
    environment: Mapping[str, str] = os.environ, asset_root: Path = ASSET_ROOT
) -> "LookoutEquipmentClient":
    """Return a boto3 client of the service that `environment` names.

    With `L4E_API_FUNCTION` it sends nothing itself, and needs no signature: it invokes that function.

    Args:
        environment: the variables of the function.
        asset_root: the folder of the packaged service model.
    """
    directories = [str(asset_root / name) for name in _MODEL_DIRECTORIES if (asset_root / name).is_dir()]
    session = botocore.session.get_session()
    session.register_component("data_loader", Loader(extra_search_paths=[*directories, *_data_path(session)]))
    invocation = _invocation(environment)
    config = _CONFIG if invocation is None else _CONFIG.merge(Config(signature_version=UNSIGNED))
    client: LookoutEquipmentClient = boto3.Session(botocore_session=session).client(
        "lookoutequipment",
        region_name=environment["AWS_REGION"],
        endpoint_url=endpoint(environment),
        config=config,
    )
    if invocation is not None:
        # The stubs say that hooks return nothing; botocore takes the answer of this one.
        hook: Any = invocation.send
        client.meta.events.register("before-send.lookoutequipment", hook)
    return client


def _invocation(environment: Mapping[str, str]) -> Invocation | None:
    function = environment.get("L4E_API_FUNCTION")
    if function is None:
        return None
    return Invocation(
        lambda_client=boto3.Session().client(
            "lambda", region_name=environment["AWS_REGION"], config=_INVOKING
        ),
        function=function,
        stage=environment["L4E_API_STAGE"],
        # As IAM names the session in which a function runs.
        caller=f"{environment['L4E_CALLER']}/{environment['AWS_LAMBDA_FUNCTION_NAME']}",
        account=environment["L4E_ACCOUNT"],
    )


def _data_path(session: botocore.session.Session) -> list[str]:
    path = session.get_config_variable("data_path")
    return path.split(os.pathsep) if path else []


class Equipment:
    """The operations of the service by their API names, with errors sorted by what they mean here."""

    def __init__(self, client: "LookoutEquipmentClient") -> None:
        self._client = client
        self._methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}

    @property
    def model(self) -> ServiceModel:
        """The service model: the one source of names, types and limits."""
        return self._client.meta.service_model

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call `operation` and return its reply.

        Raises:
            CallError: when the call is answered with an error, or not at all.
        """
        try:
            answer: dict[str, Any] = getattr(self._client, self._methods[operation])(**parameters)
        except (BotoCoreError, ClientError) as error:
            raise call_error(operation, error) from error
        return answer
