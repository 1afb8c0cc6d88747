"""Numbers and times as a person reads them."""

import numpy as np

from l4e_cli.interval import Interval

_TIMES = (("days", 86_400, 2 * 86_400), ("h", 3600, 3600), ("min", 60, 60), ("s", 1, 1))
"""Units of time, their seconds, and from how many seconds on they are used."""
_UNITS = ("KB", "MB", "GB", "TB")


def count(number: int, what: str) -> str:
    """Return `1 row`, `2,000 rows`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def length(seconds: float) -> str:
    """Return a time such as `0.25 s`, `5 min`, `2.5 h` or `12 days`."""
    if seconds < 1:
        return f"{seconds:.3g} s"
    unit, own = next((unit, own) for unit, own, least in _TIMES if seconds >= least)
    return f"{seconds / own:.1f}".removesuffix(".0") + f" {unit}"


def step(span: np.timedelta64) -> str:
    """Return the time between two neighbouring instants, likewise."""
    return length(float(span / np.timedelta64(1, "s")))


def moment(time: np.datetime64) -> str:
    """Return date and time to the second, without seconds that are zero."""
    text = str(time.astype("datetime64[s]")).replace("T", " ")
    return text.removesuffix(":00") if text.endswith(":00") else text


def period(span: Interval) -> str:
    """Return both ends of a period."""
    return f"{moment(span.start)} to {moment(span.end)}"


def size(number: int) -> str:
    """Return a number of bytes such as `812 KB`."""
    scaled, unit = float(number), "bytes"
    for larger in _UNITS:
        if scaled < 1000:
            break
        scaled, unit = scaled / 1000, larger
    return f"{scaled:.3g} {unit}" if scaled < 1000 else f"{scaled:,.0f} {unit}"


def percent(part: float, whole: float) -> str:
    """Return a share; one that is not whole never reads as 100 %, nor one that is not nothing as 0 %."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:
        return "<0.1 %"
    if 99.9 < share < 100:
        return ">99.9 %"
    return f"{share:.3g} %"
