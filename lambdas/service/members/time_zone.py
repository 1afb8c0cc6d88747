"""`InputTimeZoneOffset`: how far the times in the names of inference files are from UTC, such as `+05:30`."""

import re

from service.errors import ValidationError

_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-9]{2})")
_EARLIEST, _LATEST = -12 * 3600, 14 * 3600


def offset_seconds(text: str | None) -> int:
    """Return local time minus UTC in seconds; None stands for UTC.

    Raises:
        ValidationError: when `text` is not of the form `+05:30`.
    """
    if text is None:
        return 0
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise ValidationError(f"InputTimeZoneOffset '{text}' is not of the form +05:30")
    size = 3600 * int(match[2]) + 60 * int(match[3])
    return -size if match[1] == "-" else size


def require_time_zone(text: str | None) -> None:
    """Require an offset that is a multiple of 15 minutes from -12:00 to +14:00; None stands for UTC.

    Raises:
        ValidationError: when `text` is another offset, or not an offset.
    """
    offset = offset_seconds(text)
    if offset % 900 or not _EARLIEST <= offset <= _LATEST:
        raise ValidationError(
            f"InputTimeZoneOffset '{text}' is no time zone: use -12:00 to +14:00 in steps of 15 minutes"
        )
