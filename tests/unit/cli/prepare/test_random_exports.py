"""Exports with known content come out with this content, or a question is asked."""

import contextlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4e_cli.prepare import merge, sort, source
from l4e_cli.prepare.check import check_output
from l4e_cli.prepare.decision import Answers, UndecidedExport, UnfitExport
from l4e_cli.prepare.survey import survey
from l4e_cli.prepare.write import Written, write
from tests.unit.cli.prepare.random_exports import make

QUESTIONS = {
    "--time-zone",
    "columns",
    "damaged-rows",
    "date-order",
    "decimal",
    "duplicates",
    "fold",
    "header",
    "separator",
}
"""What random exports may be asked about: what their makers left open."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


@pytest.fixture(scope="module", params=["whole", "in small pieces"])
def pieces(request: pytest.FixtureRequest) -> Iterator[None]:
    """All at once, and with everything that is done in pieces done in many of them."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "in small pieces":
            patch.setattr(source, "BLOCK_BYTES", 700)
            patch.setattr(sort, "PART_BYTES", 2000)
            patch.setattr(merge, "CELLS", 50)
        yield


def prepared(data: bytes, folder: Path, time_zone: str | None) -> tuple[Written, Path]:
    export, output = folder / "export.csv", folder / "output.csv"
    export.write_bytes(data)
    answers = Answers(time_zone=time_zone)
    written = write(survey(export, answers), output, answers)
    check_output(output, written)
    return written, output


def content(written: Written, output: Path) -> dict[str, dict[datetime, str]]:
    """Return the texts in a file by the sensor's name in the export and by time."""
    header, *rows = output.read_text(encoding="utf-8").splitlines()
    names = {new: old for old, new in written.names}
    found: dict[str, dict[datetime, str]] = {}
    for row in rows:
        time, *cells = row.split(",")
        for name, cell in zip(header.split(",")[1:], cells, strict=True):
            if cell:
                found.setdefault(names[name], {})[datetime.fromisoformat(time).replace(tzinfo=UTC)] = cell
    return found


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_an_export_comes_out_as_it_is(pieces: None, folder: Path, seed: int) -> None:
    export = make(seed)
    expected = {
        name: {time: str(value) for time, value in values.items()}
        for name, values in export.content.items()
        if values
    }

    questions = set()
    try:
        written, output = prepared(export.data, folder, export.time_zone)
    except UndecidedExport as error:
        questions = {question.key for question in error.questions}
    assert questions <= QUESTIONS, export.traits
    assert questions or content(written, output) == expected, export.traits


def changed(data: bytes, separator: bytes, rng: random.Random) -> bytes:
    """Return a file some of whose rows are lost, repeated, moved, or short of a cell."""
    lines = data.split(b"\n")
    first = rng.randrange(len(lines) // 2, len(lines))
    last = min(len(lines), first + rng.randrange(1, 20))
    before, hit, after = lines[:first], lines[first:last], lines[last:]
    cells = hit[0].split(separator)
    del cells[rng.randrange(len(cells))]
    short = [separator.join(cells), *hit[1:]]
    chosen = rng.choice([[], hit + hit, hit[::-1], short])
    return b"\n".join([*before, *chosen, *after])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_rows_that_are_lost_or_moved_move_no_value(pieces: None, folder: Path, seed: int) -> None:
    export = make(seed)
    if export.traits["encoding"] == "utf-16":
        return
    data = changed(export.data, str(export.traits["separator"]).encode(), random.Random(seed))  # noqa: S311

    found: dict[str, dict[datetime, str]] = {}
    with contextlib.suppress(UndecidedExport, UnfitExport):
        found = content(*prepared(data, folder, export.time_zone))

    for name, values in found.items():
        for time, value in values.items():
            assert str(export.content[name].get(time)) == value, (name, time, export.traits)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return what is left of a file after an accident."""
    first = rng.randrange(len(data) + 1)
    last = min(len(data), first + rng.randrange(1, 200))
    before, hit, after = data[:first], data[first:last], data[last:]
    shuffled = data.split(b"\n")
    rng.shuffle(shuffled)
    lost = rng.choice([b",", b";", b".", b":", b" ", b"0", b"\n"])
    return rng.choice(
        [
            before,
            hit + after,
            before + after,
            before + rng.randbytes(rng.randrange(1, 50)) + hit + after,
            before + b'"' + hit + after,
            before + b"\0" * len(hit) + after,
            before + hit * rng.randrange(2, 6) + after,
            bytes(rng.randrange(256) if rng.random() < 0.01 else byte for byte in data),
            b"\n".join(shuffled),
            data.replace(lost, rng.choice([b"", b",", b"\t", b"x"])),
        ]
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), accidents=st.integers(1, 3))
def test_damage_ends_in_a_result_a_question_or_a_refusal(
    pieces: None, folder: Path, seed: int, accidents: int
) -> None:
    export, rng = make(seed), random.Random(seed)  # noqa: S311
    data = export.data
    for _ in range(accidents):
        data = damaged(data, rng)

    found = None
    try:
        prepared(data, folder, export.time_zone)
    except (UndecidedExport, UnfitExport) as error:
        found = str(error)
    assert found is None or (len(found) > 20 and "bug" not in found)
