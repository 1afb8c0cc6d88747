"""Durations as the API writes them: `PT30S`, `PT5M`, `PT1H`."""

import re

_UNITS = {"S": 1, "M": 60, "H": 3600}
_DURATION = re.compile(r"PT([0-9]+)([SMH])")


def seconds(duration: str) -> int:
    """Return the length of a duration in seconds.

    Raises:
        ValueError: when `duration` has another form.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is not a duration such as PT5M")
    return int(match[1]) * _UNITS[match[2]]
