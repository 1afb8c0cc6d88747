"""Which files of a place belong to which component, and which hold labels."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from l4e_cli.errors import CliError
from l4e_cli.files.places import Place
from l4e_cli.files.service_rules import (
    DEFAULT_PATTERN,
    KeyPattern,
    ListedObject,
    ValidationError,
    is_folder,
    select,
)
from l4e_cli.prepare.names import NAMES, REPORT, component_name

_DATA = re.compile(r"\.csv(\.gz)?$", re.IGNORECASE)
_EXPORT = re.compile(r"\.(csv|txt|tsv|dat)(\.gz)?$", re.IGNORECASE)
_LABELS = re.compile(r"labels\.csv(\.gz)?$", re.IGNORECASE)
_LABEL_FOLDER = "labels"
_LOCK_OF_OFFICE = "~$"
_GENERIC_NAME = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file of a place; `size` in bytes, compressed if it is."""

    place: Place
    name: str
    size: int

    @property
    def gzip(self) -> bool:
        """Whether the name says that the file is compressed."""
        return self.name.lower().endswith(".gz")

    def open(self) -> BinaryIO:
        """Open it for reading from its beginning."""
        return self.place.open(self.name)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which files are there for what.

    Attributes:
        components: The files of each component.
        labels: The files of labels.
        labels_named: Whether somebody said where these are.
        label_group: The file of a label group, if there is one.
        ignored: Names of all other files, and why they are left out.
        no_ingestion: Why an ingestion would take no file, so that the names were read by the rules of
            `l4e demo --data`; None when it would take some.
    """

    components: Mapping[str, tuple[DataFile, ...]]
    labels: tuple[DataFile, ...] = ()
    labels_named: bool = False
    label_group: DataFile | None = None
    ignored: tuple[tuple[str, str], ...] = ()
    no_ingestion: str | None = None


def service_layout(
    place: Place, *, key_pattern: str | None = None, known: Collection[str] | None = None
) -> Layout:
    """Return the layout as an ingestion job of the service sees it.

    Args:
        place: the ingestion prefix.
        key_pattern: the `KeyPattern` of the job; by default one folder per component.
        known: the components of the schema; None when the schema is to be detected.

    Raises:
        CliError: when the pattern is not one that the API documents.
    """
    try:
        pattern = KeyPattern.parse(key_pattern)
    except ValidationError as error:
        raise CliError(str(error)) from error
    objects = list(place.listed())
    labels = (
        [] if pattern.text != DEFAULT_PATTERN else [item for item in objects if _LABELS.fullmatch(item.key)]
    )
    chosen = select([item for item in objects if item not in labels], prefix="", pattern=pattern, known=known)
    components: dict[str, list[DataFile]] = {}
    for source in chosen.files:
        file = DataFile(place=place, name=source.key, size=source.size)
        components.setdefault(source.component, []).append(file)
    return Layout(
        components={name: tuple(files) for name, files in components.items()},
        labels=files_of(place, labels),
        ignored=tuple((file.key, file.reason) for file in chosen.discarded),
    )


def demo_layout(
    place: Place, objects: Iterable[ListedObject] | None = None, *, exports: bool = False
) -> Layout:
    """Return the layout by the rules of `l4e demo --data`.

    Each CSV file directly in the place is a component named after it, after the place if it is called `data`;
    each folder is a component made of all the files in it. `labels.csv` and the files of a folder `labels`
    hold labels, in any case. What the service does not allow in names is replaced.

    Args:
        place: Where the files are.
        objects: The files; None takes all of the place.
        exports: Whether .txt, .tsv and .dat files count where there is no CSV file.

    Raises:
        CliError: when two of them come to the same name, or one to none.
    """
    sources: dict[str, list[ListedObject]] = {}
    labels, ignored = [], []
    items = list(place.listed() if objects is None else objects)
    is_csv = any(
        _DATA.search(item.key)
        and not _LABELS.fullmatch(item.key)
        and not item.key.lower().startswith(f"{_LABEL_FOLDER}/")
        for item in items
    )
    data = _EXPORT if exports and not is_csv else _DATA
    keys = {item.key for item in items}
    for item in items:
        folder, slash, rest = item.key.rpartition("/")
        if _LABELS.fullmatch(item.key) or (folder.lower() == _LABEL_FOLDER and _DATA.search(rest)):
            labels.append(item)
        elif rest.startswith(_LOCK_OF_OFFICE):
            ignored.append((item.key, "Office marks with it that a file is open there"))
        elif item.key.endswith(NAMES) and item.key.removesuffix(NAMES) + REPORT in keys:
            ignored.append((item.key, "`l4e prepare` wrote it, of names of sensors"))
        elif "/" in folder or not data.search(rest):
            ignored.append((item.key, "it is neither a CSV file of the folder nor one of a folder in it"))
        else:
            sources.setdefault(f"{folder}/" if slash else item.key, []).append(item)
    components: dict[str, tuple[DataFile, ...]] = {}
    origins: dict[str, str] = {}
    for source, files in sources.items():
        name = _component_name(place, source)
        if name in components:
            raise CliError(
                f"{origins[name]!r} and {source!r} in {str(place)!r} would both become the component "
                f"{name!r}: rename one of them, or put both into one folder if they are one component"
            )
        components[name], origins[name] = files_of(place, files), source
    return Layout(
        components=dict(sorted(components.items())), labels=files_of(place, labels), ignored=tuple(ignored)
    )


def _component_name(place: Place, source: str) -> str:
    stem = _EXPORT.sub("", source)
    name = component_name(place.name if stem.lower() == _GENERIC_NAME else stem.rstrip("/"))
    if not name:
        raise CliError(
            f"{source!r} in {str(place)!r} cannot name a component: names may hold letters, digits and . _ - "
            "only; rename it"
        )
    return name


def files_of(place: Place, objects: Iterable[ListedObject]) -> tuple[DataFile, ...]:
    """Return objects of a place as its files, without those that only mark a folder."""
    return tuple(
        DataFile(place=place, name=item.key, size=item.size) for item in objects if not is_folder(item)
    )
