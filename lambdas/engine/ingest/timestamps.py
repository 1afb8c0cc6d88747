"""Timestamps of files as numpy instants; the accepted forms are those of `l4e_files.times`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from l4e_files.times import micros

Times = NDArray[np.datetime64]
"""UTC instants as `datetime64[us]`; NaT stands for a text that is not a timestamp."""

NAT_MICROS = np.iinfo(np.int64).min


def parse_timestamps(texts: Sequence[str], *, day_first: bool = False) -> Times:
    """Parse texts one by one.

    Args:
        texts: Timestamps in any of the accepted forms, also mixed.
        day_first: Whether dates like `1/2/2026` begin with the day.

    Returns:
        One UTC instant per text, NaT where it has no accepted form.

    Example:
        >>> [str(time) for time in parse_timestamps(["2024-01-31 06:30", "1/31/2024 6:30", "yesterday"])]
        ['2024-01-31T06:30:00.000000', '2024-01-31T06:30:00.000000', 'NaT']
    """
    parsed = (micros(text, day_first=day_first) for text in texts)
    found = [NAT_MICROS if each is None else each for each in parsed]
    return np.array(found, dtype=np.int64).view("datetime64[us]")


def isoformat(time: np.datetime64 | None) -> str | None:
    """Return an instant as `YYYY-MM-DDTHH:MM:SS.ffffff`, `None` for `None` and NaT."""
    return None if time is None or np.isnat(time) else str(time.astype("datetime64[us]"))
