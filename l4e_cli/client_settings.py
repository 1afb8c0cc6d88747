"""What makes an unmodified AWS client talk to a deployed service: its address and its description."""

import re
import shutil
from pathlib import Path

import botocore.session
from botocore.exceptions import UnknownRegionError

from l4e_cli.errors import CliError
from l4e_cli.function_code import function_code
from l4e_cli.whole_file import whole_file

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT"
DATA_PATH_VARIABLE = "AWS_DATA_PATH"
_WAY_IN = re.compile(r"(read|operate|full)(/name/[A-Za-z0-9_-]+)?(/tag/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+)?")
"""The paths that the service knows as ways in."""

DATA_FOLDERS = ("botocore_data", "botocore_extras")
"""The service model, which a botocore may no longer have, and the signing name that API Gateway verifies."""


def write_service_model(data_path: Path) -> None:
    """Write all that botocore has to know of the service to `data_path`, a folder for `AWS_DATA_PATH`."""
    for folder in DATA_FOLDERS:
        shutil.copytree(function_code() / folder, data_path, dirs_exist_ok=True, copy_function=_copy)


def _copy(source: str, target: str) -> None:
    """Copy a file in one go: clients that run may be reading the one that it replaces."""
    with whole_file(Path(target)) as partial:
        shutil.copyfile(source, partial)


def api_url(*, api_id: str, stage: str, region: str, emulator_endpoint: str | None = None) -> str:
    """Return the address of the service in AWS, or in the embedded AWS at `emulator_endpoint`.

    Raises:
        CliError: when no partition of AWS has the Region.
    """
    if emulator_endpoint is not None:
        return f"{emulator_endpoint}/restapis/{api_id}/{stage}/_user_request_"
    return f"https://{api_id}.execute-api.{region}.{_url_suffix(region)}/{stage}"


def _url_suffix(region: str) -> str:
    session = botocore.session.get_session()
    try:
        own = session.get_partition_for_region(region)
    except UnknownRegionError as error:
        raise CliError(f"{region!r} is not a Region: name one such as eu-west-1") from error
    partitions = session.get_component("data_loader").load_data("partitions")["partitions"]
    suffix: str = next(each["outputs"]["dnsSuffix"] for each in partitions if each["id"] == own)
    return suffix


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
