"""Which objects below a prefix are the files of which component. Pure."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from service.errors import ValidationError
from service.jobs.failure import JobFailed, some
from service.jobs.storage.listed_object import CSV_SUFFIXES, ListedObject, is_folder
from service.members.key_pattern import KeyPattern

_COMPONENT = re.compile(r"[0-9a-zA-Z._\-]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to ingest for a component; `size` in bytes."""

    key: str
    size: int
    component: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """A submitted file that cannot be used, and why."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The submitted files in key order: those to read and those already known to be unusable."""

    files: tuple[SourceFile, ...]
    discarded: tuple[Discarded, ...]

    @property
    def total(self) -> int:
        """`TotalNumberOfFiles`: everything submitted."""
        return len(self.files) + len(self.discarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """Quotas of one ingestion; sizes in bytes, None is unlimited."""

    files_per_component: int | None
    file_bytes: int | None
    dataset_bytes: int | None
    components: int | None


def read_key_pattern(text: str | None) -> KeyPattern:
    """Read a `KeyPattern` member; None means the default, one folder per component.

    Raises:
        JobFailed: when it is not one of the forms that the API documents.
    """
    try:
        return KeyPattern.parse(text)
    except ValidationError as error:
        raise JobFailed(
            f"KeyPattern '{text}' is not one of '{{prefix}}/{{component_name}}/*' (one folder per "
            "component), '{prefix}/{component_name}_*' or '{prefix}/{component_name}X*' with X "
            "a blank, '.', '_' or '-': start the ingestion with one of these patterns"
        ) from error


def select(
    objects: Iterable[ListedObject], *, prefix: str, pattern: KeyPattern, known: Collection[str] | None
) -> Selection:
    """Sort the objects below a prefix into files of components and discarded ones; folders are left out."""
    files: list[SourceFile] = []
    discarded: list[Discarded] = []
    for item in sorted(objects, key=lambda item: item.key):
        if is_folder(item):
            continue
        chosen = _classify(item, prefix=prefix, pattern=pattern, known=known)
        if isinstance(chosen, SourceFile):
            files.append(chosen)
        else:
            discarded.append(chosen)
    return Selection(files=tuple(files), discarded=tuple(discarded))


def _classify(
    item: ListedObject, *, prefix: str, pattern: KeyPattern, known: Collection[str] | None
) -> SourceFile | Discarded:
    component = pattern.component(item.key, prefix=prefix, known=known)
    if component is None:
        names = "" if known is None else f" with one of the components {some(sorted(known))}"
        return Discarded(key=item.key, reason=f"its name does not fit KeyPattern '{pattern.text}'{names}")
    if not _COMPONENT.fullmatch(component):
        return Discarded(
            key=item.key,
            reason=f"component name '{component}' must be 1-200 characters of 0-9 a-z A-Z . _ -",
        )
    if not item.key.lower().endswith(CSV_SUFFIXES):
        return Discarded(key=item.key, reason="its name ends neither in .csv nor in .csv.gz")
    if item.size == 0:
        return Discarded(key=item.key, reason="it is empty")
    return SourceFile(key=item.key, size=item.size, component=component)


def check_limits(files: Sequence[SourceFile], limits: FileLimits) -> None:
    """Refuse input above the quotas.

    Raises:
        JobFailed: naming what is too large, the limit and the present figure.
    """
    per_component = Counter(file.component for file in files)
    _at_most(len(per_component), limits.components, "the dataset", "components", "components_per_dataset")
    for component, count in per_component.items():
        what = f"component '{component}'"
        _at_most(count, limits.files_per_component, what, "files", "files_per_component")
    for file in files:
        _at_most(file.size, limits.file_bytes, f"file '{file.key}'", "bytes", "file_bytes")
    _at_most(sum(file.size for file in files), limits.dataset_bytes, "the dataset", "bytes", "dataset_bytes")


def _at_most(count: int, limit: int | None, what: str, unit: str, setting: str) -> None:
    if limit is not None and count > limit:
        raise JobFailed(
            f"{what} has {count:,} {unit}, more than the limit of {limit:,}: merge or split the files, "
            f"shorten the history, or raise the setting '{setting}' of the service"
        )
