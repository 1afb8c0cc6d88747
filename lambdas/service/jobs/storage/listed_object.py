"""Objects as a listing of S3 shows them. Pure."""

from dataclasses import dataclass

CSV_SUFFIXES = (".csv", ".csv.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedObject:
    """An object found below a prefix; `size` in bytes."""

    key: str
    size: int


def is_folder(item: ListedObject) -> bool:
    """Return whether an object only marks a folder in a console or a file system gateway."""
    return item.key.endswith("/") or (item.size == 0 and not item.key.lower().endswith(CSV_SUFFIXES))
