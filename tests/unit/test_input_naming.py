"""Names of the input files of inference, as an app declares them."""

import pytest

from constructs_l4e import InputNaming


@pytest.mark.parametrize("offset", ["+00:00", "-12:00", "+14:00", "+05:45", "-03:30"])
def test_an_offset_of_a_time_zone_is_taken(offset: str) -> None:
    assert InputNaming(time_zone_offset=offset).to_api() == {"InputTimeZoneOffset": offset}


@pytest.mark.parametrize("offset", ["-12:15", "+14:15", "+99:00", "+01:10", "-00:01"])
def test_an_offset_of_no_time_zone_is_refused(offset: str) -> None:
    with pytest.raises(ValueError, match=r"is no time zone: use -12:00 to \+14:00 in steps of 15 minutes$"):
        InputNaming(time_zone_offset=offset)
