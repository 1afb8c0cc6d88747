"""A period of time, such as the training window of a model."""

import datetime as dt
from dataclasses import dataclass
from typing import Self

from constructs_l4e import _props, _validate


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """A period of time between two instants.

    Args:
        start: beginning, with a time zone; it is converted to UTC.
        end: end, with a time zone; it is converted to UTC.

    Raises:
        ValueError: when an end has no time zone, or `start` is not before `end`.

    Example:
        >>> TimeRange.between("2026-01-01T00:00:00Z", "2026-03-01T01:00:00+01:00").end.isoformat()
        '2026-03-01T00:00:00+00:00'
    """

    start: dt.datetime
    end: dt.datetime

    def __post_init__(self) -> None:
        _props.check_fields(self)
        object.__setattr__(self, "start", _validate.instant(self.start, what="start of time range"))
        object.__setattr__(self, "end", _validate.instant(self.end, what="end of time range"))
        if self.start >= self.end:
            raise ValueError(
                f'time range starts at "{_iso(self.start)}", which is not before its end "{_iso(self.end)}": '
                "swap them or move one"
            )

    @classmethod
    def between(cls, start: str, end: str) -> Self:
        """Return the range between two times written as text.

        Args:
            start: ISO 8601 with a time zone, such as `2026-01-01T00:00:00Z`.
            end: the same for the end.

        Raises:
            ValueError: when a text is not ISO 8601, has no time zone, or `start` is not before `end`.
        """
        return cls(
            start=_parsed(start, what="start of time range"), end=_parsed(end, what="end of time range")
        )

    def to_api(self, kind: str) -> dict[str, str]:
        """Return the two members that say this range in a request.

        Args:
            kind: `Training` or `Evaluation`, with which the names of the members begin.
        """
        return {f"{kind}DataStartTime": _iso(self.start), f"{kind}DataEndTime": _iso(self.end)}


def _parsed(text: str, *, what: str) -> dt.datetime:
    if not isinstance(text, str):
        raise TypeError(  # a caller without a type checker
            f"{what} is {text!r}: write a text such as 2026-01-01T00:00:00Z, or make a TimeRange of datetimes"
        )
    _validate.known(text, what=what)
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{what} "{text}" is not ISO 8601: write for example 2026-01-01T00:00:00Z') from None


def _iso(value: dt.datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
