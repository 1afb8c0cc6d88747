"""What holds for every page: links and tables are whole, and what is to be typed or pasted is understood."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.model import OperationModel

from constructs_l4e.assets_file import AssetsFile
from engine import FitSettings
from l4e_cli.arguments import parser
from service.requests.service_model import service_model

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
OPERATIONS: dict[str, OperationModel] = {
    xform_name(name): service_model().operation_model(name) for name in service_model().operation_names
}
"""Operations of the API by the names that they have in boto3."""
ADDED_BY_CLIENTS = {"ClientToken"}


def blocks(page: Path, *languages: str) -> list[str]:
    """The code blocks of a page in one of the languages; "" is one without a language."""
    return [
        text for language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if language in languages
    ]


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path, program: str) -> Iterator[list[str]]:
    """The words behind a program in the commands of a page, which are indented or in blocks of a shell."""
    indented = re.findall(r"^    (?! )(.*)$", prose(page), re.MULTILINE)
    in_blocks = "".join(blocks(page, "sh", "bash")).replace("\\\n", " ").splitlines()
    for line in [*indented, *in_blocks]:
        name, *words = shlex.split(re.sub(r" \[.*?\]", "", line), comments=True, posix=True) or [""]
        if name == program:
            yield words


@EVERY_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s:]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        found = page.parent / path if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_every_page_can_be_reached_from_the_first_one() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        linked = {(page.parent / path).resolve() for path in re.findall(r"\]\(([^)\s:#]+\.md)", prose(page))}
        ahead += linked - reached
    assert set(PAGES) <= reached


@EVERY_PAGE
def test_rows_of_a_table_have_as_many_cells_as_its_head(page: Path) -> None:
    table: list[str] = []
    for line in prose(page).splitlines():
        table = [*table, line] if line.startswith("|") else []
        widths = {re.sub(r"`[^`]*`|\\\|", "", row).count("|") for row in table}
        assert len(widths) <= 1, line


@EVERY_PAGE
def test_calls_of_the_api_have_the_members_that_it_takes(page: Path) -> None:
    for text in blocks(page, "python"):
        for call in ast.walk(ast.parse(text)):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr in OPERATIONS
            ):
                _require_members(call.func.attr, {str(keyword.arg) for keyword in call.keywords})


@EVERY_PAGE
def test_calls_by_the_aws_cli_have_the_members_that_the_api_takes(page: Path) -> None:
    for service, *words in commands(page, "aws"):
        if service == "lookoutequipment":
            operation, *options = words
            given = {xform_name(name, "-"): name for name in _members(operation.replace("-", "_"))}
            _require_members(
                operation.replace("-", "_"),
                {given.get(word.removeprefix("--"), word) for word in options if word.startswith("--")},
            )


def _members(operation: str) -> set[str]:
    shape = OPERATIONS[operation].input_shape
    return set() if shape is None else set(shape.members)


def _require_members(operation: str, given: set[str]) -> None:
    shape = OPERATIONS[operation].input_shape
    required = set() if shape is None else set(shape.required_members)
    assert given <= _members(operation), operation
    assert required - ADDED_BY_CLIENTS <= given, operation


@EVERY_PAGE
def test_commands_of_l4e_are_understood(page: Path) -> None:
    for words in commands(page, "l4e"):
        parser().parse_args(words)


@EVERY_PAGE
def test_there_is_every_target_of_make(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for words in commands(page, "make") for word in words if word.isalnum()}
    named |= set(re.findall(r"`(?:JOBS=\d+ )?make ([a-z0-9]+)", prose(page)))
    assert named <= targets


def test_the_aim_of_false_alarms_is_that_of_the_engine() -> None:
    assert round(FitSettings().false_alarm_hours * 60) == 9
    said = {
        "constructs_l4e/settings.py": "Default: nine minutes.",
        "docs/constructs/equipment-service.md": "nine minutes by default",
        "assets.toml": "# false_alarm_minutes_per_day = 9 ",
    }
    for file, words in said.items():
        assert words in (ROOT / file).read_text(encoding="utf-8"), file


@EVERY_PAGE
def test_declarations_of_assets_are_read(page: Path, tmp_path: Path) -> None:
    for text in blocks(page, "toml"):
        file = tmp_path / "assets.toml"
        file.write_text(text, encoding="utf-8")
        assert AssetsFile.read(file).assets
