"""The API reference of `make docs`: every public name with its props, and links that lead somewhere."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

import constructs_l4e

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Page(HTMLParser):
    """Ids, links, and the text that follows each id."""

    links: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._id = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self._id = str(found["id"])
            self.texts.setdefault(self._id, "")
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))

    def handle_data(self, data: str) -> None:
        if self._id:
            self.texts[self._id] += data


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("api")
    command = [sys.executable, str(ROOT / ".ci" / "reference.py"), str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    # jsii frames in '!!' what it thinks of the age of Node, from a date on that is none of ours.
    said = [line for line in run.stderr.splitlines() if not line.startswith("b'!!")]
    assert (run.returncode, said) == (0, [])
    found = Page()
    found.feed((folder / "constructs_l4e.html").read_text(encoding="utf-8"))
    return found


def props() -> Iterator[tuple[str, inspect.Parameter]]:
    """What the constructors of public classes take by name; those of abstract ones are called by nobody."""
    for name in constructs_l4e.__all__:
        kind = getattr(constructs_l4e, name)
        called = not (getattr(kind, "_is_protocol", False) or inspect.isabstract(kind))
        if "__init__" in vars(kind) and called:
            for prop in inspect.signature(kind.__init__).parameters.values():
                if prop.kind is inspect.Parameter.KEYWORD_ONLY:
                    yield name, prop


@pytest.mark.parametrize("name", constructs_l4e.__all__)
def test_has_every_public_name(page: Page, name: str) -> None:
    assert name in page.texts
    documented = inspect.cleandoc(getattr(constructs_l4e, name).__doc__ or "").partition("\n")[0]
    assert documented


def test_has_every_prop_with_its_type_and_default(page: Page) -> None:
    found = list(props())
    assert len(found) > 100
    for name, prop in found:
        text = page.texts.get(f"{name}.__init__", "") + page.texts[name]
        assert f"{prop.name}: " in text, f"{name}: {prop.name}"
        if prop.default not in {inspect.Parameter.empty, ()} and isinstance(prop.default, bool | int | None):
            assert f"= {prop.default}" in text.partition(f"{prop.name}: ")[2], f"{name}: {prop.name}"


def test_every_prop_that_may_be_left_out_says_what_happens_then() -> None:
    for name, prop in props():
        if prop.default is inspect.Parameter.empty:
            continue
        documented = inspect.cleandoc(getattr(constructs_l4e, name).__doc__)
        said = re.search(rf"^    {prop.name}: .*(?:\n {{8,}}.*)*", documented, re.MULTILINE)
        assert said is not None, f"{name}: {prop.name}"
        assert re.search(r"Default:\s", said[0]), f"{name}: {prop.name}"


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("ModelProps.training", "Period to learn from. Default: all data of its sensors."),
        ("InferenceSchedulerOptions.running", "Whether the scheduler runs; False stops it and keeps it."),
        ("EquipmentServiceBase.metric_namespace", "CloudWatch namespace of the inference metrics."),
        ("EquipmentService.dead_letters", "Queue of the events that the reconciler could not handle."),
    ],
)
def test_says_of_a_member_what_is_said_where_it_is_used(page: Page, member: str, said: str) -> None:
    assert said in " ".join(page.texts[member].split())


def test_shows_no_private_name_and_no_representation_of_an_object(page: Page) -> None:
    shown = "\n".join(page.texts.values())

    assert "**props: Unpack[ModelProps]" in shown
    private = r"(?<![\w.`\"'/])_[A-Za-z]\w+|constructs_l4e\._"
    for wrong in (private, r"<class '", r"\*args", r"\bobject at 0x"):
        assert re.findall(rf".*{wrong}.*", shown) == []


def test_has_links_that_lead_somewhere(page: Page) -> None:
    inside = {link[1:] for link in page.links if link.startswith("#")}
    outside = {link for link in page.links if not link.startswith("#")}

    assert len(inside) > len(constructs_l4e.__all__)
    assert {link for link in inside if link not in page.texts} == set()
    assert {link for link in outside if not link.startswith("https://")} == set()
