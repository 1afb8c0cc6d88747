"""What makes an unmodified AWS client talk to a deployed service: its address and how requests are signed."""

import json
import re
from pathlib import Path

from l4e_cli.errors import CliError

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT"
DATA_PATH_VARIABLE = "AWS_DATA_PATH"
# API Gateway verifies signatures made for `execute-api`; botocore merges this over its own service model.
_EXTRAS = {"version": 1.0, "merge": {"metadata": {"signingName": "execute-api"}}}
_WAY_IN = re.compile(r"(read|operate|full)(/name/[A-Za-z0-9_-]+)?(/tag/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+)?")
"""The paths that the service knows as ways in."""

_EXTRAS_FILE = Path("lookoutequipment", "2020-12-15", "service-2.sdk-extras.json")


def write_model_extras(data_path: Path) -> Path:
    """Write the signing name under `data_path`, a folder for `AWS_DATA_PATH`, and return the file."""
    file = data_path / _EXTRAS_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(_EXTRAS) + "\n")
    return file


def api_url(*, api_id: str, stage: str, region: str, emulator_endpoint: str | None = None) -> str:
    """Return the address of the service in AWS, or in the embedded AWS at `emulator_endpoint`."""
    if emulator_endpoint is not None:
        return f"{emulator_endpoint}/restapis/{api_id}/{stage}/_user_request_"
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{api_id}.execute-api.{region}.{suffix}/{stage}"


def way_in_path(way_in: str) -> str:
    """Return the path of a way into the service, such as `read/tag/Team/pumps`, without slashes around it.

    Raises:
        CliError: when the service knows no such way in.
    """
    path = way_in.strip("/")
    if not _WAY_IN.fullmatch(path):
        raise CliError(
            f"{way_in!r} is not a way in: write read, operate or full, perhaps /name/<prefix> behind it, "
            "perhaps /tag/<key>/<value> behind that, in letters, digits, '_' and '-'"
        )
    return path
