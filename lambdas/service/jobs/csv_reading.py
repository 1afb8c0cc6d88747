"""Read a CSV file under the limits of a deployment: its quota of columns, and how much may be put right."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO

from engine import FileReport, RepairLimits, convert_file
from service.settings import Settings

BLOCK_BYTES = 8 << 20
"""The most bytes of CSV to read at a time."""


def read_csv(
    open_source: Callable[[], AbstractContextManager[BinaryIO]],
    sink: BinaryIO,
    *,
    columns: tuple[str, ...] | None,
    gzip: bool,
    settings: Settings,
    block_bytes: int = BLOCK_BYTES,
    day_first: bool | None = None,
) -> FileReport:
    """Write the columns of a file to `sink`, and return what was read, counted and put right.

    Args:
        open_source: opens the file; it is called again when the file has to be read twice.
        sink: receives the columns as Parquet.
        columns: the sensors to take; None for all, of which a schema is made.
        gzip: whether the file is compressed.
        settings: the quota of columns, and how much of a file may need to be put right.
        block_bytes: bytes of CSV to read at a time; while they are read, they take ten times that.
        day_first: whether dates like `1/2/2026` begin with the day; None decides by the file.

    Raises:
        UnusableFile: when the file cannot be read, or too much of it had to be put right.
        IllegalHeader: when its header has a name that no schema may have.
    """
    return convert_file(
        open_source,
        sink,
        columns=columns,
        gzip=gzip,
        block_bytes=block_bytes,
        max_columns=settings.columns_per_dataset if columns is None else None,
        day_first=day_first,
        limits=RepairLimits(
            wide_rows=_share(settings.wide_rows_percent),
            short_rows=_share(settings.short_rows_percent),
            unusable_timestamps=_share(settings.unusable_timestamps_percent),
            duplicates=_share(settings.duplicates_percent),
        ),
    )


def _share(percent: int | None) -> float | None:
    return None if percent is None else percent / 100
