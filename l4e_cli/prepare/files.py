"""Which files are prepared, and where the results go."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from l4e_cli.errors import CliError
from l4e_cli.prepare.names import NAMES, REPORT, component_name

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
    folder in it is one made of its files. Label files and hidden files are left out, and so is what was
    written before, to this target or another one: see `earlier_results`.

    Args:
        source: A file or a folder.
        target: The folder to write to.
        component: Name of the component of a single file.

    Raises:
        CliError: When there is no file, two of them would become one, or a result would lie among the files
            that are read.
    """
    if not source.exists():
        raise CliError(f"there is no file or folder {str(source)!r}")
    if target.is_file():
        raise CliError(f"{str(target)!r} is a file: name a folder to write to")
    exports = [_export(source, component or source.name)] if source.is_file() else _in_folder(source, target)
    if not exports:
        deeper = deeper_files(source, target)
        hint = f", only deeper ones such as {deeper[0]}: name the folder above its folder" if deeper else ""
        raise CliError(f"{str(source)!r} holds no files, nor do the folders in it{hint}")
    _require_distinct(exports, target)
    if source.is_dir():
        _require_apart(exports, source, target)
    return exports


def report_files(target: Path) -> tuple[Path, Path]:
    """Return where the decisions and the names of the sensors are written, beside the results."""
    if target.name in {"", ".."}:
        target = target.resolve()
    return (
        target.with_name(f"{target.name}{REPORT}"),
        target.with_name(f"{target.name}{NAMES}"),
    )


def earlier_results(source: Path, target: Path) -> list[Path]:
    """Return the folders in an export to which other commands wrote, known by the two reports beside them."""
    if not source.is_dir():
        return []
    made = {path for folder in (source, *_folders(source, target)) for path in _results_in(folder)}
    return sorted(path for path in made if path.resolve() != target.resolve())


def label_files(source: Path, target: Path) -> list[Path]:
    """Return the label files of an export, which are left as they are."""
    places = [source, *_folders(source, target)] if source.is_dir() else []
    return sorted(file for place in places for file in place.iterdir() if _LABELS.fullmatch(file.name))


def deeper_files(source: Path, target: Path) -> list[Path]:
    """Return the files in folders too deep to be looked into."""
    folders = _folders(source, target) if source.is_dir() else []
    deeper = [path for folder in folders for path in _folders(folder, target)]
    return sorted(file for folder in deeper for file in folder.rglob("*") if file.is_file())


def _folders(folder: Path, target: Path) -> list[Path]:
    return [path for path in _entries(folder, target) if path.is_dir()]


def _entries(folder: Path, target: Path) -> list[Path]:
    """Return what is in a folder of an export: nothing hidden, and nothing that was made of the export."""
    targets = (target, *_results_in(folder))
    made = {path.resolve() for each in targets for path in (each, *report_files(each))}
    return sorted(
        path for path in folder.iterdir() if not path.name.startswith(".") and path.resolve() not in made
    )


def _results_in(folder: Path) -> list[Path]:
    """Return the folders directly in a folder that have their two reports beside them, or had."""
    reports = (path.with_name(path.name.removesuffix(REPORT)) for path in folder.glob(f"?*{REPORT}"))
    return [path for path in reports if path.with_name(f"{path.name}{NAMES}").is_file()]


def _in_folder(folder: Path, target: Path) -> list[Export]:
    exports = []
    for path in _entries(folder, target):
        if path.is_dir():
            exports += [_export(file, path.name) for file in _entries(path, target) if _is_data(file)]
        elif _is_data(path):
            exports.append(_export(path, path.name))
    return exports


def _is_data(path: Path) -> bool:
    return path.is_file() and not _LABELS.fullmatch(path.name)


def _export(path: Path, name: str) -> Export:
    legal = component_name(_SUFFIXES.sub("", name))
    if not legal:
        raise CliError(
            f"the service allows only 0-9 a-z A-Z . _ - in names of components: {name!r} has none of them; "
            "name it with --component, or rename the file or folder"
        )
    return Export(source=path, component=legal)


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


def _require_apart(exports: Sequence[Export], source: Path, target: Path) -> None:
    """Require that no result lies among what is read: the next command would take it for data."""
    folder = source.resolve()
    if folder in target.resolve().parents:
        return  # a folder of its own, which is left out
    for export in exports:
        output = export.output(target)
        if folder in output.resolve().parents:
            raise CliError(
                f"{output} would lie in {str(source)!r}, the folder that is read, and be taken for data the "
                "next time: name another folder to write to, which may be a new one in it"
            )
