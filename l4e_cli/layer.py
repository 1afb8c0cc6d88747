"""`l4e layer`: fetch the numeric layer of the functions before a synthesis needs it."""

import zipfile

from l4e_cli.errors import CliError
from l4e_cli.terminal import Terminal
from l4e_layer import DEPLOYED, PYTHON, LayerError, cache_file, layer_file, locked_versions


def fetch_layer(terminal: Terminal) -> None:
    """Put the layer into the cache unless it is there, and say what is in it.

    Raises:
        CliError: when it cannot be fetched.
    """
    there = cache_file().is_file()
    packages = ", ".join(f"{name} {version}" for name, version in locked_versions().items())
    try:
        with terminal.step(f"fetching {packages}", done=f"numeric layer {'found' if there else 'fetched'}"):
            file = layer_file()
    except LayerError as error:
        raise CliError(str(error)) from error
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    terminal.line(f"  {packages} for Python {PYTHON} on {DEPLOYED}")
    terminal.line(f"  {file.stat().st_size / 1e6:.0f} MB, unpacked {unpacked / 1e6:.0f} MB: {file}")
