"""`l4e validate` from its arguments to its result."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from l4e_cli import words
from l4e_cli.errors import CliError
from l4e_cli.files.layout import DataFile, Layout, demo_layout, files_of, service_layout
from l4e_cli.files.places import Folder, Place, folder_of, is_address, prefix_of
from l4e_cli.terminal import Terminal
from l4e_cli.validate.asset import Asset, read_asset
from l4e_cli.validate.check import Progress, check
from l4e_cli.validate.document import document
from l4e_cli.validate.picture import draw
from l4e_cli.validate.report import show
from l4e_cli.validate.result import Result
from l4e_files.label_periods import COLUMNS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_HISTORY, _LABELS = "history", "labels"
_OF_AN_ASSET = frozenset({_HISTORY, _LABELS, "inference-input", "inference-output", "diagnostics"})


def _client() -> "S3Client":
    # A session of its own: `boto3.client` keeps the credentials that the process had first.
    return boto3.Session().client("s3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the command.

    Attributes:
        path: A folder, a file, or an address in S3.
        asset: Name of the asset of `assets_file` that the files belong to.
        assets_file: The file that declares it.
        key_pattern: The `KeyPattern` of the ingestion; None is one folder per component.
        labels: Where the label files are, if not where they usually are.
        label_group: The file of a label group; None takes that of the asset, if it has one.
        as_json: Whether the result is one JSON object.
        picture: PNG file to draw the coverage into.
        client: Makes the client for addresses in S3.
    """

    path: str
    asset: str | None = None
    assets_file: Path = Path("assets.toml")
    key_pattern: str | None = None
    labels: str | None = None
    label_group: Path | None = None
    as_json: bool = False
    picture: Path | None = None
    client: Callable[[], "S3Client"] = _client


def validate(terminal: Terminal, options: Options) -> bool:
    """Read the files, show what the service would make of them, and return whether there is no error.

    Raises:
        CliError: when there is nothing to read.
    """
    asset = None if options.asset is None else read_asset(options.assets_file, options.asset)
    place, layout = _layout(options, asset)
    # With --json, standard output is for the document alone.
    result = _check(Terminal(out=terminal.err) if options.as_json else terminal, place, layout, asset)
    if options.picture is not None and result.grid is not None:
        try:
            draw(result, options.picture)
        except OSError as error:
            raise CliError(
                f"the picture {str(options.picture)!r} cannot be written: {error.strerror}"
            ) from error
    if options.as_json:
        terminal.out.file.write(json.dumps(document(result), indent=2) + "\n")
    else:
        show(terminal, result)
        if options.picture is not None and result.grid is not None:
            terminal.line(f"picture: {options.picture.resolve()}")
    return not result.of("error")


def _check(terminal: Terminal, place: Place, layout: Layout, asset: Asset | None) -> Result:
    files = [file for component in layout.components.values() for file in component]
    total = sum(file.size for file in files)
    done = 0
    text = f"{words.count(len(files), 'file')} in {place} read, {words.size(total)}"
    with terminal.step(f"reading {place}", done=text) as task:

        def advance(read: int) -> None:
            nonlocal done
            done += read
            task.update(done=done, total=total)

        progress = Progress(component=lambda name: task.update(text=name), on_bytes=advance)
        return check(str(place), layout, asset=asset, progress=progress)


def _layout(options: Options, asset: Asset | None) -> tuple[Place, Layout]:
    """Return where the sensor files are, and which of them belong to what."""
    path = Path(options.path)
    if not is_address(options.path) and path.is_file():
        folder = Folder(path.parent)
        layout = demo_layout(folder, [folder.entry(path)])
        if layout.ignored:
            raise CliError(
                f"{options.path!r} is not called .csv or .csv.gz, as the service asks of its files: name one "
                "that is, or a folder of them; `l4e prepare` makes them of other exports"
            )
        return folder, _with_labels(layout, options, asset)
    place = _place(options.path, options)
    root = _root(place, asset)
    if root is None:
        layout = service_layout(place, key_pattern=options.key_pattern)
        if not layout.components and options.key_pattern is None:
            layout = replace(demo_layout(place), no_ingestion=_first_reason(layout))
    else:
        place = root.below(_HISTORY)
        known = None if asset is None else asset.columns
        layout = service_layout(place, key_pattern=options.key_pattern, known=known)
        labels = root.below(_LABELS)
        layout = replace(layout, labels=files_of(labels, labels.listed()))
    layout = _with_labels(layout, options, asset)
    if not layout.components and asset is None:
        raise CliError(
            f"no CSV file in {str(place)!r} that belongs to a component ({_first_reason(layout)}): lay them "
            "out as <component>/<file>.csv, or name the pattern of their names with --key-pattern; "
            "`l4e prepare` makes CSV files of other exports"
        )
    return place, layout


def _first_reason(layout: Layout) -> str:
    """Return why an ingestion leaves out the first of the files, all of which it leaves out."""
    return next((f"{name!r}: {reason}" for name, reason in layout.ignored), "there is none")


def _with_labels(layout: Layout, options: Options, asset: Asset | None) -> Layout:
    group = options.label_group or (None if asset is None else asset.label_group)
    if group is not None:
        if not group.is_file():
            raise CliError(
                f"{str(group)!r} is no file: name the CSV file with the labels of a label group, its columns "
                f"are {', '.join(COLUMNS)}"
            )
        layout = replace(layout, label_group=_only(group))
    if options.labels is None:
        return layout
    path = Path(options.labels)
    if not is_address(options.labels) and path.is_file():
        return replace(layout, labels=(_only(path),), labels_named=True)
    place = _place(options.labels, options)
    return replace(layout, labels=files_of(place, place.listed()), labels_named=True)


def _only(path: Path) -> DataFile:
    """Return a file of this machine by itself."""
    folder = Folder(path.parent)
    (file,) = files_of(folder, [folder.entry(path)])
    return file


def _place(path: str, options: Options) -> Place:
    if re.match(r"(https?|s3|arn):", path, re.IGNORECASE) and not is_address(path):
        raise CliError(f"{path!r} is no address that is read: write s3://bucket/prefix/")
    return prefix_of(path, options.client()) if is_address(path) else folder_of(Path(path))


def _root(place: Place, asset: Asset | None) -> Place | None:
    """Return the folder of an asset, which holds `history/` and `labels/`; None when there is none.

    Raises:
        CliError: when an asset is named that has no files there.
    """
    if asset is None:
        folders = {item.key.partition("/")[0] for item in place.listed() if item.key.count("/") > 0}
        nested = any("/" in item.key for item in place.below(_HISTORY).listed())
        return place if nested and folders <= _OF_AN_ASSET else None
    for root in (place.below(asset.name), place):
        if next(root.below(_HISTORY).listed(), None) is not None:
            return root
    raise CliError(
        f"no file of asset {asset.name!r} in {str(place)!r}: its history belongs into "
        f"{asset.name}/{_HISTORY}/<component>/"
    )
