"""A label: a period of time, and what people say of the equipment in it."""

import datetime as dt
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypedDict, Unpack

from constructs_l4e import _props, _validate
from l4e_files.rated_labels import read_rated_labels
from l4e_files.unusable import UnusableFile


class LabelRating(enum.StrEnum):
    """What a period was; the values are those of the API."""

    ANOMALY = "ANOMALY"
    """A fault: it is not learned, and an evaluation says whether the model found it."""
    NO_ANOMALY = "NO_ANOMALY"
    """Surely no fault: it is learned, whatever it looks like."""
    NEUTRAL = "NEUTRAL"
    """Nobody knows: it is not learned, and alarms in it are neither right nor wrong."""


class LabelProps(TypedDict, total=False):
    """What `Label` says of a period."""

    rating: LabelRating | str
    fault_code: str | None
    equipment: str | None
    notes: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label of a label group.

    Args:
        start: beginning of the period, with a time zone; it is converted to UTC.
        end: its end, with a time zone, not before the start: both are part of it.
        rating: what it was, as `LabelRating` or as text. Default: an anomaly.
        fault_code: kind of fault, 1 to 100 characters. Default: none.
        equipment: what the label is about, 1 to 200 characters. Default: not said.
        notes: up to 2,560 characters. Default: none.

    Raises:
        ValueError: when a time has no time zone, the end lies before the start, the rating is not one of the
            API's, or a text is empty or too long.

    Example:
        >>> Label.between("2026-03-01T20:00:00Z", "2026-03-02T06:30:00Z", fault_code="bearing").to_api()[
        ...     "FaultCode"
        ... ]
        'bearing'
    """

    start: dt.datetime
    end: dt.datetime
    rating: LabelRating | str = LabelRating.ANOMALY
    fault_code: str | None = None
    equipment: str | None = None
    notes: str | None = None

    def __post_init__(self) -> None:
        _props.check_fields(self)
        object.__setattr__(self, "start", _validate.instant(self.start, what="start of label"))
        object.__setattr__(self, "end", _validate.instant(self.end, what="end of label"))
        if self.end < self.start:
            raise ValueError(
                f'label ends at "{_iso(self.end)}", before its start "{_iso(self.start)}": swap them or move '
                "one"
            )
        object.__setattr__(self, "rating", _validate.choice(LabelRating, self.rating, what="rating of label"))
        for value, shape, what in (
            (self.fault_code, "FaultCode", "fault code"),
            (self.equipment, "Equipment", "equipment of label"),
            (self.notes, "Comments", "notes of label"),
        ):
            if value is not None:
                known = _validate.known(value, what=what)
                _validate.text(known, shape=shape, what=what, fix="shorten it, or leave it out")

    @classmethod
    def between(
        cls,
        start: str,
        end: str,
        **props: Unpack[LabelProps],
    ) -> Self:
        """Return the label of a period between two times in ISO 8601, such as `2026-01-31T00:00:00Z`.

        Raises:
            ValueError: as the constructor, and when a text is not ISO 8601.
        """
        return cls(
            start=_parsed(start, what="start of label"),
            end=_parsed(end, what="end of label"),
            **props,
        )

    @classmethod
    def from_csv(cls, file: str | Path) -> list[Self]:
        """Return the labels of a CSV file.

        Its header names the columns `start`, `end` and perhaps `rating`, `fault_code`, `equipment` and
        `notes`, in any order. A file of two columns, with or without a header, is a label file as the service
        reads them.

        Args:
            file: path of the file.

        Raises:
            ValueError: when it is not such a file; names the line, what stands there, the rule and the fix.
        """
        try:
            found = read_rated_labels(Path(file).read_bytes())
        except UnusableFile as error:
            raise ValueError(f'labels "{file}": {error}') from error
        if found.remarks:
            raise ValueError(f'labels "{file}": {found.remarks[0]}')
        labels = []
        for each in found.labels:
            try:
                labels.append(
                    cls(
                        start=each.period.start,
                        end=each.period.end,
                        rating=each.rating,
                        fault_code=each.fault_code,
                        equipment=each.equipment,
                        notes=each.notes,
                    )
                )
            except ValueError as error:
                raise ValueError(f'labels "{file}", line {each.period.line}: {error}') from error
        return labels

    def to_api(self) -> dict[str, str]:
        """Return the members that say this label in a request."""
        members = {
            "StartTime": _iso(self.start),
            "EndTime": _iso(self.end),
            "Rating": str(self.rating),
            "FaultCode": self.fault_code,
            "Equipment": self.equipment,
            "Notes": self.notes,
        }
        return {name: value for name, value in members.items() if value is not None}


def _parsed(text: str, *, what: str) -> dt.datetime:
    _validate.known(text, what=what)
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{what} "{text}" is not ISO 8601: write for example 2026-01-01T00:00:00Z') from None


def _iso(value: dt.datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
