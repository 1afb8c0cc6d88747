"""The layer as an archive: fetched once by pip or uv, with hashes, then kept in the cache."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from l4e_layer.contents import DEPLOYED, PYTHON, REQUIREMENTS, Machine, is_needed, layer_key, platform_tags

_TAIL_LINES = 15
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every file: the oldest that an archive can say."""


class LayerError(Exception):
    """The layer is neither in the cache nor to be had."""


def cache_file(machine: Machine = DEPLOYED) -> Path:
    """Return where the archive of the layer is, or will be: in `$XDG_CACHE_HOME`, else in `~/.cache`."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "constructs-l4e" / "layers" / f"{layer_key(machine)}.zip"


def layer_file(machine: Machine = DEPLOYED) -> Path:
    """Return the archive of the layer; the first call for each content fetches its wheels.

    The settings of the installer apply, such as those of a package index of one's own.

    Raises:
        LayerError: when it cannot be fetched or kept.
    """
    file = cache_file(machine)
    if file.is_file():
        return file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix="making-") as folder:
            packages, made = Path(folder, "packages"), Path(folder, "layer.zip")
            _install(packages, machine)
            _pack(packages, made)
            made.replace(file)
    except OSError as error:
        raise LayerError(f"the numeric layer cannot be kept in {file.parent}: {error}") from error
    return file


def _install(target: Path, machine: Machine) -> None:
    """Unpack the locked wheels into a folder."""
    run = subprocess.run(  # noqa: S603 - our own arguments
        _installation(target, machine),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        said = "\n".join(run.stdout.strip().splitlines()[-_TAIL_LINES:])
        raise LayerError(
            "numpy and pyarrow for the numeric layer are not in the cache"
            f" ({cache_file(machine).parent}), and could not be fetched:\n{said}"
        )


def _installation(target: Path, machine: Machine) -> Sequence[str]:
    """Return the command that installs what is locked for the functions, whatever runs here."""
    common = [
        *("install", "--quiet", "--target", str(target), "--no-deps", "--only-binary", ":all:"),
        *("--require-hashes", "--requirement", str(REQUIREMENTS), "--python-version", PYTHON),
    ]
    if importlib.util.find_spec("pip") is not None:
        platforms = [f"--platform={tag}" for tag in platform_tags(machine)]
        abi = f"cp{PYTHON.replace('.', '')}"
        more = ["--no-compile", "--no-input", "--implementation", "cp", "--abi", abi, *platforms]
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", *common, *more]
    uv = shutil.which("uv")
    if uv is not None:
        platform = platform_tags(machine)[0].removesuffix(f"_{machine}")
        more = ["--python-platform", f"{machine}-{platform}", "--python", sys.executable]
        return [uv, "pip", *common, *more]
    raise LayerError(
        f"neither pip nor uv is there to fetch the numeric layer: install pip for {sys.executable}, for"
        " instance with `python -m ensurepip`"
    )


def _pack(packages: Path, archive: Path) -> None:
    """Write what is needed of the packages as a layer: below `python/`, in order, without times."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(path for path in packages.rglob("*") if path.is_file()):
            name = path.relative_to(packages).as_posix()
            if is_needed(name):
                entry = zipfile.ZipInfo(f"python/{name}", _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o100644 << 16
                target.writestr(entry, path.read_bytes())
