"""Numbers of whole columns of text.

Most texts of such a column are plain numbers, which Arrow reads at once. Only the odd ones, which hold a
character that no plain number has, are looked at one by one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_MISSING = r"(?i)^([+-]?nan(\([a-z0-9_]*\))?)?$"
"""Text that means "no value", as Arrow reads it; other text that is not a number is invalid."""

_IS_ODD = ~np.isin(np.arange(256), list(b"0123456789.eE+-"))
_FIRST_COMMON, _LAST_COMMON = np.frombuffer(b"-9", np.uint8)
"""Ends of a range of characters: it holds most of those in numbers, and of others only the rare "/"."""


@dataclass(frozen=True, slots=True)
class CellTexts:
    """Texts of some cells of a column.

    Attributes:
        rows: The rows of the cells, increasing.
        texts: An Arrow array of strings.
    """

    rows: NDArray[np.intp]
    texts: Any


def parse_number_columns(
    columns: Mapping[str, Any], taken_out: Mapping[str, CellTexts]
) -> Iterator[tuple[str, Any, CellTexts]]:
    """Yield the name, the numbers and the invalid texts of each column.

    The odd texts of all columns are read together: a column has few of them, and one call of Arrow costs as
    much as hundreds of texts.

    Args:
        columns: Chunked Arrow arrays, at least one: strings, or numbers with null in place of odd texts.
        taken_out: The odd texts of the columns of numbers.

    Returns:
        Chunked float64 arrays as long as the columns, null where a text is missing or not a number.
    """
    parts = [
        (column, taken_out[name]) if name in taken_out else _split_odd(column)
        for name, column in columns.items()
    ]
    numbers, invalid = _parse_odd(pa.concat_arrays([odd.texts for _, odd in parts]))
    start = 0
    for name, (column, odd) in zip(columns, parts, strict=True):
        own = slice(start, start + len(odd.rows))
        start = own.stop
        at = np.flatnonzero(invalid[own])
        yield (
            name,
            _filled(column, odd.rows, numbers[own]),
            CellTexts(odd.rows[at], odd.texts.take(pa.array(at))),
        )


def _filled(column: Any, rows: NDArray[np.intp], numbers: NDArray[np.float64]) -> Any:
    """Return a column with the numbers in some rows, where it has none yet."""
    if isinstance(column, pa.ChunkedArray):
        if np.isnan(numbers).all():
            return column
        column = np.array(column)
    column[rows] = numbers
    return pa.chunked_array([pa.array(column, from_pandas=True)])


def one_array(column: Any) -> Any:
    """Return a chunked Arrow array as one array, without a copy when it has one chunk."""
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _split_odd(column: Any) -> tuple[NDArray[np.float64], CellTexts]:
    """Return the plain numbers of a column of strings, and the odd texts."""
    texts = trimmed = one_array(column)
    odd = _odd_rows(texts)
    if len(odd) > len(texts) // 2:  # blanks around every number, perhaps
        trimmed = pc.ascii_trim_whitespace(texts)
        odd = _odd_rows(trimmed)
    others = np.ones(len(texts), bool)
    others[odd] = False
    try:
        numbers = pc.cast(trimmed.filter(pa.array(others)) if len(odd) else trimmed, pa.float64())
    except pa.ArrowInvalid:  # "1-2": all are read as odd ones
        odd, others, numbers = np.arange(len(texts)), np.zeros(len(texts), bool), pa.array([], pa.float64())
    values = np.empty(len(texts))
    values[others] = numbers.to_numpy(zero_copy_only=False)
    return values, CellTexts(odd, texts.take(pa.array(odd)))


def _odd_rows(texts: Any) -> NDArray[np.intp]:
    """Return the rows whose text has a character that no plain number has."""
    _, ends, data = texts.buffers()
    offsets = np.frombuffer(ends, np.int32, len(texts) + 1, texts.offset * 4)
    characters = np.frombuffer(data or b"", np.uint8)[offsets[0] : offsets[-1]]
    # Characters below the range wrap around, and so are above it as well.
    rare = np.flatnonzero(characters - _FIRST_COMMON > _LAST_COMMON - _FIRST_COMMON)
    odd = rare[_IS_ODD[characters[rare]]]
    rows: NDArray[np.intp] = np.searchsorted(offsets[1:] - offsets[0], odd, "right")
    return rows[np.diff(rows, prepend=-1) > 0]


def _parse_odd(texts: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers of texts of any form, NaN for all else, and which of the texts are invalid."""
    trimmed = pc.utf8_trim_whitespace(texts)
    numeric = pc.match_substring_regex(trimmed, _NUMBER)
    known = pc.or_(numeric, pc.match_substring_regex(trimmed, _MISSING))
    unsigned = pc.utf8_ltrim(trimmed, characters="+")
    numbers = pc.cast(pc.if_else(numeric, unsigned, pa.scalar(None, pa.string())), pa.float64())
    invalid = pc.and_kleene(texts.is_valid(), pc.invert(known))
    return numbers.to_numpy(zero_copy_only=False), invalid.to_numpy(zero_copy_only=False)
