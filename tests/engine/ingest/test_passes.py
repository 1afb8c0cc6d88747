"""A long layout that is sorted by sensor is recognised where the times start again."""

import io

import pytest

from engine import FileReport, RepairLimits, UnusableFile, convert_csv


def stamps(count: int, *, start: int = 0, step: int = 1) -> list[str]:
    minutes = range(start, start + count * step, step)
    return [f"2026-03-{1 + at // 1440:02d} {at // 60 % 24:02d}:{at % 60:02d}:00" for at in minutes]


def convert(
    rows: list[str], *, head: str = "Zeit,Ort,Wert", block_bytes: int = 8 << 20, end: str = "\n"
) -> FileReport:
    text = end.join([head, *rows, ""])
    return convert_csv(
        io.BytesIO(text.encode()),
        io.BytesIO(),
        columns=None,
        block_bytes=block_bytes,
        limits=RepairLimits.lifted(),
    )


def sensor(name: str, times: list[str]) -> list[str]:
    return [f"{time},{name},{at}.5" for at, time in enumerate(times)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("block_bytes", [100, 2_000, 8 << 20])
@pytest.mark.parametrize(
    ("names", "word"),
    [(("101", "102"), "'102'"), (("101", "102", "7"), "'102'"), (("Ofen", "Kessel"), "'Kessel'")],
)
def test_times_that_start_again_for_each_sensor(
    names: tuple[str, ...], word: str, block_bytes: int, end: str
) -> None:
    rows = [row for name in names for row in sensor(name, stamps(300))]
    with pytest.raises(UnusableFile) as refused:
        convert(rows, block_bytes=block_bytes, end=end)
    for words in ("long layout", "column 2 ('Ort')", f"{word} in line 302", "pivot"):
        assert words in str(refused.value)


def test_sensors_that_report_at_times_of_their_own() -> None:
    rows = [*sensor("101", stamps(300, step=7)), *sensor("102", stamps(290, start=3, step=7))]
    with pytest.raises(UnusableFile, match="long layout"):
        convert(rows)


@pytest.mark.parametrize(("start", "count"), [(150, 300), (-150, 300), (60, 120)])
def test_sensors_that_begin_and_end_at_times_of_their_own(start: int, count: int) -> None:
    rows = [*sensor("101", stamps(300, start=200)), *sensor("102", stamps(count, start=200 + start))]
    with pytest.raises(UnusableFile, match="long layout"):
        convert(rows)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(sensor("1", stamps(300)), id="one number in all rows"),
        pytest.param(2 * sensor("101", stamps(300)), id="all rows twice"),
        pytest.param(
            [*sensor("1", stamps(300)), *sensor("2", stamps(300, start=300))], id="batches in order"
        ),
        pytest.param(
            [*sensor("2", stamps(300, start=300)), *sensor("1", stamps(300))], id="files joined backwards"
        ),
        pytest.param([*sensor("1", stamps(300)), *sensor("2", stamps(300, start=280))], id="some rows again"),
        pytest.param([f"{time},{at % 9}.5,1" for at, time in enumerate(2 * stamps(300))], id="sensors alone"),
        pytest.param(sensor("7", stamps(300)[::-1]), id="the last first"),
    ],
)
def test_wide_files_are_not_taken_for_long_ones(rows: list[str]) -> None:
    assert convert(rows).rows == len(rows)


def test_one_of_many_columns_has_such_numbers_by_chance() -> None:
    rows = [f"{row},1,2,3,4" for name in ("1", "2") for row in sensor(name, stamps(300))]
    assert convert(rows, head="Zeit,Mode,a,b,c,d,e").rows == 600


def test_texts_of_machines_beside_many_sensors() -> None:
    rows = [f"{row},1,2,3,4" for name in ("P1", "P2") for row in sensor(name, stamps(300))]
    with pytest.raises(UnusableFile, match=r"column 2 \('Ort'\) says of which \('P2' in line 302\)"):
        convert(rows, head="Zeit,Ort,a,b,c,d,e")
