"""Documents about sensors, shortened to the length that the API model allows. Pure.

What matters most stays: the longest ranges and events, and in each the sensors with the largest shares. All
stays in order. A document that is short enough stays as it is, character for character.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from service.requests.service_model import service_model

_FEWEST_SHARES = 5
"""Shares that every range keeps before any range has more of them."""
_DECIMALS = 5
"""Of shares, as in the results of inference."""
_SHARE = frozenset({"name", "value"})
"""What is said of every sensor."""
_PARTS = {"notes": 0.1, "labeled_ranges": 0.2, "events": 0.25}
"""Share of the room that a list may take before predicted ranges get theirs."""

_Entries = Sequence[Any]


def shortened_metrics(text: str, *, complete: str) -> str:
    """Return a `ModelMetrics` document that the API may answer.

    The counts and measures in it are those of everything. One that was shortened says in its member
    `left_out` how many entries of each list are missing, how many sensors each range lacks, and where the
    complete document lies.

    Args:
        text: the document.
        complete: URI of the complete document.
    """
    most = longest()
    if len(text) <= most:
        return text
    document = json.loads(text)
    labels = document.get("labels", {})
    whole: Mapping[str, _Entries] = {
        "notes": labels.get("notes", ()),
        "labeled_ranges": document["labeled_ranges"],
        "events": document.get("events", ()),
        "predicted_ranges": document["predicted_ranges"],
    }

    def shortened(kept: Mapping[str, _Entries]) -> dict[str, Any]:
        found = {**document, **{name: kept[name] for name in whole if name in document}}
        if labels:
            found["labels"] = {**labels, "notes": kept["notes"]}
        missing: dict[str, Any] = {name: len(whole[name]) - len(kept[name]) for name in whole}
        missing["sensors_per_range"] = _most_shares(whole["predicted_ranges"]) - _most_shares(
            kept["predicted_ranges"]
        )
        return {**found, "left_out": {**missing, "complete_document": complete}}

    room = most - len(_json(shortened(dict.fromkeys(whole, ()))))
    kept = {name: _fitting(name, whole[name], int(part * room)) for name, part in _PARTS.items()}
    kept["predicted_ranges"] = _ranges(whole["predicted_ranges"], room - _size(kept.values()))
    for name in _PARTS:  # what the predicted ranges did not need
        kept[name] = _fitting(name, whole[name], room - _size(kept.values()) + _size([kept[name]]))
    return _json(shortened(kept))


def shortened_diagnostics(text: str) -> str:
    """Return the `Diagnostics` of an event that the API may answer: a share for as many sensors as fit.

    Sensors of which more is said, such as that their level has moved, have theirs before others.
    """
    most = longest()
    if len(text) <= most:
        return text
    shares = json.loads(text)
    ranked = sorted(shares, key=lambda share: (share.keys() <= _SHARE, -share["value"]))
    names = {share["name"] for share in _leading(ranked, most - len("[]"))}
    return _json([share for share in shares if share["name"] in names])


@cache
def longest() -> int:
    """Return the characters that these documents may have."""
    most: int = service_model().shape_for("ModelMetrics").metadata["max"]
    return most


def _fitting(name: str, entries: _Entries, room: int) -> _Entries:
    """Return the first notes, or the longest ranges or events, that fit into a room."""
    if name == "notes":
        return _leading(entries, room)
    order = _by_length(entries)
    count = len(_leading((entries[at] for at in order), room))
    return [entries[at] for at in sorted(order[:count])]


def _ranges(ranges: _Entries, room: int) -> _Entries:
    """Return the longest ranges that fit with a few shares, each with as many shares as then fit."""
    order = _by_length(ranges)
    count = len(_leading((_with_shares(ranges[at], _FEWEST_SHARES) for at in order), room))
    kept = [ranges[at] for at in sorted(order[:count])]

    def size(shares: int) -> int:
        return _size([[_with_shares(one, shares) for one in kept]])

    more = bisect_right(range(_FEWEST_SHARES + 1, _most_shares(kept) + 1), room, key=size)
    return [_with_shares(one, _FEWEST_SHARES + more) for one in kept]


def _with_shares(found: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return a range with its largest shares, in the order of all."""
    shares = found["diagnostics"]
    largest = sorted(range(len(shares)), key=lambda at: -shares[at]["value"])[:count]
    rounded = [{**shares[at], "value": round(shares[at]["value"], _DECIMALS)} for at in sorted(largest)]
    return {**found, "diagnostics": rounded}


def _most_shares(ranges: _Entries) -> int:
    return max((len(one["diagnostics"]) for one in ranges), default=0)


def _by_length(entries: _Entries) -> list[int]:
    """Return the positions of ranges or events, the longest first."""

    def length(at: int) -> timedelta:
        return datetime.fromisoformat(entries[at]["end"]) - datetime.fromisoformat(entries[at]["start"])

    return sorted(range(len(entries)), key=length, reverse=True)


def _leading(entries: Iterable[Any], room: int) -> list[Any]:
    """Return the entries from the first on, up to the one that does not fit any more."""
    kept = []
    for entry in entries:
        room -= _size([[entry]])
        if room < 0:
            break
        kept.append(entry)
    return kept


def _size(lists: Iterable[_Entries]) -> int:
    """Return the characters that the entries of lists take, each with the comma behind it."""
    return sum(len(_json(entry)) + 1 for entries in lists for entry in entries)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
