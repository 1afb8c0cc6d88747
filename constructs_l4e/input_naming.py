"""How the input files of an inference scheduler are named."""

import enum
from dataclasses import dataclass
from typing import Any

from constructs_l4e import _props, _validate


class TimestampFormat(enum.StrEnum):
    """Form of the timestamp in the names of inference input files; the values are those of the API."""

    EPOCH = "EPOCH"
    """Seconds since 1970-01-01T00:00:00Z, ten digits."""
    DASHED = "yyyy-MM-dd-HH-mm-ss"
    """Such as `2026-01-31-23-55-00`."""
    COMPACT = "yyyyMMddHHmmss"
    """Such as `20260131235500`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputNaming:
    """Names of the input files of an inference scheduler: `<component><delimiter><timestamp>.csv`.

    Args:
        timestamp_format: form of the timestamp. Default: any that the service knows.
        delimiter: what stands between component and timestamp: `-`, `_`, one blank, or nothing. Default: any
            of these.
        time_zone_offset: offset from UTC of the timestamps in file names, such as `+05:30`; timestamps inside
            the files are UTC in any case. Default: UTC.

    Raises:
        ValueError: when the API does not offer a value.

    Example:
        >>> InputNaming(timestamp_format=TimestampFormat.COMPACT).to_api()
        {'InferenceInputNameConfiguration': {'TimestampFormat': 'yyyyMMddHHmmss'}}
    """

    timestamp_format: TimestampFormat | str | None = None
    delimiter: str | None = None
    time_zone_offset: str | None = None

    def __post_init__(self) -> None:
        _props.check_fields(self)
        if self.timestamp_format is not None:
            _validate.choice(TimestampFormat, self.timestamp_format, what="timestamp format")
        if self.delimiter is not None:
            _validate.text(
                self.delimiter,
                shape="ComponentTimestampDelimiter",
                what="delimiter",
                fix='use "-", "_", " " or ""',
            )
        if self.time_zone_offset is not None:
            _validate.text(
                self.time_zone_offset,
                shape="TimeZoneOffset",
                what="time zone offset",
                fix="write it like +05:30",
            )
            _require_time_zone(self.time_zone_offset)

    def to_api(self) -> dict[str, Any]:
        """Return the members of `InferenceInputConfiguration` that say these names."""
        given = {
            "TimestampFormat": self.timestamp_format and str(self.timestamp_format),
            "ComponentTimestampDelimiter": self.delimiter,
        }
        names = {key: value for key, value in given.items() if value is not None}
        return {
            **({"InputTimeZoneOffset": self.time_zone_offset} if self.time_zone_offset else {}),
            **({"InferenceInputNameConfiguration": names} if names else {}),
        }


def _require_time_zone(offset: str) -> None:
    """Require an offset that the service takes: a multiple of 15 minutes from -12:00 to +14:00."""
    if _props.is_token(offset):
        return
    sign, hours, minutes = offset[0], int(offset[1:3]), int(offset[4:6])
    found = (60 * hours + minutes) * (-1 if sign == "-" else 1)
    if found % 15 or not -12 * 60 <= found <= 14 * 60:
        raise ValueError(
            f'time zone offset "{offset}" is no time zone: use -12:00 to +14:00 in steps of 15 minutes'
        )
