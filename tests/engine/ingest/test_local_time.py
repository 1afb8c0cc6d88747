"""Local time is recognised by the hour that its clocks repeat or skip."""

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine import Repair, convert_csv


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


BERLIN, NEW_YORK, SYDNEY = "Europe/Berlin", "America/New_York", "Australia/Sydney"


def local(zone: str, day: datetime, *, minutes: int = 10, days: int = 2) -> list[str]:
    """Return the times of clocks of a zone, around a day, without offset."""
    start = day - timedelta(days=1)
    count = days * 1440 // minutes
    zoned = [(start + timedelta(minutes=minutes * row)).astimezone(ZoneInfo(zone)) for row in range(count)]
    return [f"{each.replace(tzinfo=None)}" for each in zoned]


def repairs(times: list[str], *, block_bytes: int = 8 << 20) -> dict[str, Repair]:
    text = "Timestamp,a\n" + "".join(f"{time},{row}\n" for row, time in enumerate(times))
    found = convert_csv(io.BytesIO(text.encode()), io.BytesIO(), columns=None, block_bytes=block_bytes)
    return {repair.kind: repair for repair in found.repairs}


@pytest.mark.parametrize("block_bytes", [500, 8 << 20])
@pytest.mark.parametrize("minutes", [1, 10, 30])
@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (BERLIN, at(2026, 10, 25)),
        (NEW_YORK, at(2026, 11, 1)),
        (SYDNEY, at(2026, 4, 5)),
        (BERLIN, at(2026, 3, 29)),
        (NEW_YORK, at(2026, 3, 8)),
        (SYDNEY, at(2026, 10, 4)),
    ],
)
@pytest.mark.parametrize("in_order", [True, False])
def test_the_cause_is_named(
    zone: str, day: datetime, minutes: int, block_bytes: int, *, in_order: bool
) -> None:
    times = local(zone, day, minutes=minutes)
    found = repairs(times if in_order else sorted(times), block_bytes=block_bytes)
    repair = found["local-time"]
    assert repair.count == 1
    assert repair.example[:10] == f"{day:%Y-%m-%d}"
    assert "--time-zone" in str(repair)
    assert ("duplicates" in found) == (len(set(times)) < len(times))
    row = times if in_order else sorted(times)
    assert repair.line is not None
    assert row[repair.line - 2] == repair.example[:19].replace("T", " ")


def test_a_year_has_two_such_hours() -> None:
    year = local(BERLIN, at(2026, 1, 2), minutes=30, days=360)
    assert repairs(year)["local-time"].count == 2


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(local("UTC", at(2026, 10, 25)), id="UTC over the night"),
        pytest.param(local(BERLIN, at(2026, 7, 5)), id="another Sunday"),
        pytest.param(
            [each for each in local("UTC", at(2026, 7, 5)) if " 02:" not in each],
            id="a pause of an hour",
        ),
        pytest.param(
            [each for each in local("UTC", at(2026, 3, 29)) if not "01:30" <= each[11:16] < "02:45"],
            id="a pause of another length",
        ),
        pytest.param(local("UTC", at(2026, 10, 25)) * 2, id="all rows twice"),
        pytest.param(
            [*local("UTC", at(2026, 10, 25)), "2026-10-25 02:00:00", "2026-10-25 02:10:00"],
            id="some rows of the night again",
        ),
        *(
            pytest.param(
                [each for each in local("UTC", day) if " 02:" not in each[10:]], id=f"an hour of {day:%d %B}"
            )
            for day in (at(2026, 3, 1), at(2026, 3, 22), at(2026, 10, 18), at(2026, 11, 8))
        ),
    ],
)
def test_other_gaps_and_repetitions_are_no_clocks(times: list[str]) -> None:
    assert "local-time" not in repairs(times)
