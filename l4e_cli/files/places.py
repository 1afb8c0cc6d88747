"""Places that hold sensor files: a folder of this machine, or a prefix of a bucket."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self, cast

from l4e_cli.errors import CliError
from l4e_cli.files.service_rules import ListedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SCHEME = "s3://"


class Place(Protocol):
    """Something that holds files, each with a name such as `pump/2026-01.csv`."""

    @property
    def name(self) -> str:
        """The last part of its path."""

    def __str__(self) -> str:
        """Return its path or address."""

    def listed(self) -> Iterator[ListedObject]:
        """Yield the names and sizes of the files in it and in its folders."""

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading from its beginning."""

    def below(self, name: str) -> Self:
        """Return the folder `name` in it."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine. Hidden files are left out."""

    path: Path

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.path.resolve().name

    def __str__(self) -> str:
        return str(self.path)

    def listed(self) -> Iterator[ListedObject]:
        """Yield all files below the folder."""
        for path in sorted(self.path.rglob("*")) if self.path.is_dir() else ():
            parts = path.relative_to(self.path).parts
            if path.is_file() and not any(part.startswith(".") for part in parts):
                yield self.entry(path)

    def entry(self, path: Path) -> ListedObject:
        """Return name and size of a file below the folder."""
        return ListedObject(key=path.relative_to(self.path).as_posix(), size=path.stat().st_size)

    def open(self, name: str) -> BinaryIO:
        """Open a file below the folder."""
        return (self.path / name).open("rb")

    def below(self, name: str) -> Self:
        """Return a folder in this one."""
        return type(self)(self.path / name)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The objects of a bucket whose keys begin with a prefix, which is empty or ends in `/`."""

    s3: "S3Client"
    bucket: str
    prefix: str

    @property
    def name(self) -> str:
        """The last part of the prefix; the bucket, if the prefix is empty."""
        return self.prefix.rstrip("/").rpartition("/")[2] or self.bucket

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.prefix}"

    def listed(self) -> Iterator[ListedObject]:
        """Yield all objects below the prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in pages:
            for found in page.get("Contents", []):
                yield ListedObject(key=found["Key"].removeprefix(self.prefix), size=found["Size"])

    def open(self, name: str) -> BinaryIO:
        """Open an object below the prefix."""
        return cast("BinaryIO", self.s3.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"])

    def below(self, name: str) -> Self:
        """Return a longer prefix."""
        return type(self)(self.s3, self.bucket, f"{self.prefix}{name}/")


def is_address(text: str) -> bool:
    """Return whether a text is an address in S3."""
    return text.lower().startswith(_SCHEME)


def prefix_of(address: str, s3: "S3Client") -> Prefix:
    """Return the place of an address such as `s3://bucket/Pump1/history`.

    Raises:
        CliError: when it names no bucket.
    """
    bucket, _, prefix = address[len(_SCHEME) :].partition("/")
    if not bucket:
        raise CliError(f"{address!r} names no bucket: write s3://bucket/prefix/")
    prefix = prefix.strip("/")
    return Prefix(s3, bucket, f"{prefix}/" if prefix else "")


def folder_of(path: Path) -> Folder:
    """Return the place of a path.

    Raises:
        CliError: when it is not a folder.
    """
    if not path.is_dir():
        raise CliError(f"{str(path)!r} is not a folder: name a folder that holds CSV files")
    return Folder(path)
