"""Which files are prepared, and where the results go."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from l4e_cli.errors import CliError
from l4e_cli.prepare.names import component_name

_SUFFIXES = re.compile(r"(?:\.(?:csv|txt|tsv|dat|log|gz))+$", re.IGNORECASE)
_LABELS = re.compile(r"labels\.(?:csv|txt)(?:\.gz)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file to prepare, and the component that it is about."""

    source: Path
    component: str

    def output(self, target: Path) -> Path:
        """Return the file to write below `target`."""
        stem = component_name(_SUFFIXES.sub("", self.source.name)) or "data"
        return target / self.component / f"{stem}.csv"


def find_exports(source: Path, target: Path, *, component: str | None = None) -> list[Export]:
    """Return the files of an export.

    A file is a component named after it; in a folder, each file directly in it is a component, and each
    folder in it is one made of its files. Label files and hidden files are left out.

    Args:
        source: A file or a folder.
        target: The folder to write to.
        component: Name of the component of a single file.

    Raises:
        CliError: When there is no file, or two of them would become one.
    """
    if not source.exists():
        raise CliError(f"there is no file or folder {str(source)!r}")
    if target.is_file():
        raise CliError(f"{str(target)!r} is a file: name a folder to write to")
    exports = [_export(source, component or source.name)] if source.is_file() else _in_folder(source)
    if not exports:
        deeper = deeper_files(source)
        hint = f", only deeper ones such as {deeper[0]}: name the folder above its folder" if deeper else ""
        raise CliError(f"{str(source)!r} holds no files, nor do the folders in it{hint}")
    _require_distinct(exports, target)
    _require_outside(source, target)
    return exports


def label_files(source: Path) -> list[Path]:
    """Return the label files of an export, which are left as they are."""
    places = [source, *filter(Path.is_dir, source.iterdir())] if source.is_dir() else []
    return sorted(file for place in places for file in place.iterdir() if _LABELS.fullmatch(file.name))


def deeper_files(source: Path) -> list[Path]:
    """Return the files in folders too deep to be looked into."""
    folders = [path for path in source.iterdir() if path.is_dir()] if source.is_dir() else []
    deeper = [path for folder in folders for path in folder.iterdir() if path.is_dir()]
    return sorted(file for folder in deeper for file in folder.rglob("*") if file.is_file())


def _in_folder(folder: Path) -> list[Export]:
    exports = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            exports += [_export(file, path.name) for file in sorted(path.iterdir()) if _is_data(file)]
        elif _is_data(path):
            exports.append(_export(path, path.name))
    return exports


def _is_data(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and not _LABELS.fullmatch(path.name)


def _export(path: Path, name: str) -> Export:
    legal = component_name(_SUFFIXES.sub("", name))
    if not legal:
        raise CliError(
            f"the service allows only 0-9 a-z A-Z . _ - in names of components: {name!r} has none of them; "
            "name it with --component, or rename the file or folder"
        )
    return Export(source=path, component=legal)


def _require_outside(source: Path, target: Path) -> None:
    """Require that what is written is not read as an export the next time."""
    inside = target.resolve() != source.resolve() and target.resolve().is_relative_to(source.resolve())
    if source.is_dir() and inside:
        raise CliError(
            f"{target} lies in {source}, whose files are read: what is written would be taken for an export "
            "the next time. Name a folder outside of it"
        )


def _require_distinct(exports: Sequence[Export], target: Path) -> None:
    seen: dict[str, Path] = {}
    for export in exports:
        output = export.output(target)
        if output.resolve() == export.source.resolve():
            raise CliError(
                f"{export.source} would be replaced by what is made of it: name another folder to write to"
            )
        same = seen.setdefault(str(output).lower(), export.source)
        if same != export.source:
            raise CliError(f"{same} and {export.source} would both become {output}: rename one of them")
