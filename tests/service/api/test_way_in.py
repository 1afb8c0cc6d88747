"""Ways in as text: which paths are one, and which names and tags they hold."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from l4e_cli.client_settings import way_in_path
from l4e_cli.errors import CliError
from service.errors import NotAllowedError
from service.requests.way_in import EVERYTHING, Level, Tag, WayIn, way_in_of


def event(path: str, captured: str | None) -> dict[str, Any]:
    return {
        "pathParameters": {"proxy": captured} if captured is not None else None,
        "requestContext": {"stage": "v1", "path": path},
    }


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/base/of/a/domain", "", "/"])
def test_the_stage_itself_is_everything(path: str) -> None:
    assert way_in_of(event(path, None)) == EVERYTHING


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("base", ["/v1", "/l4e", ""])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("read", WayIn(level=Level.READ)),
        ("operate", WayIn(level=Level.OPERATE)),
        ("full", WayIn(level=Level.FULL)),
        ("read/name/pump-", WayIn(level=Level.READ, name="pump-")),
        ("full/tag/Team/pumps", WayIn(level=Level.FULL, tag=Tag(key="Team", value="pumps"))),
        (
            "operate/name/a_1/tag/Team/x",
            WayIn(level=Level.OPERATE, name="a_1", tag=Tag(key="Team", value="x")),
        ),
        (
            "read/name/tag/tag/name/tag",
            WayIn(level=Level.READ, name="tag", tag=Tag(key="name", value="tag")),
        ),
    ],
)
def test_paths_of_ways_in(path: str, expected: WayIn, base: str, slash: str) -> None:
    expected = replace(expected, path=path)
    assert way_in_of(event(f"{base}/{path}{slash}", path + slash)) == expected
    assert way_in_of(event(f"{base}/{path}{slash}", path)) == expected


@pytest.mark.parametrize(
    "path",
    [
        "Read",
        "FULL",
        "write",
        "read/full",
        "read/name",
        "read/tag/Team",
        "read/tag/Team/",
        "read/tag/Team/a/b",
        "read/name/a/name/b",
        "read/tag/a/b/tag/c/d",
        "read/tag/a/b/name/c",
        "read/name/a b",
        "read/name/a.b",
        "read/name/ümlaut",
        "read/name/٣",
        "read/name/a\n",
        "read/name/*",
        "read/name/${aws:username}",
        "full\n",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(NotAllowedError, match=r"is not (a|one of a) way in: "):
        way_in_of(event(f"/v1/{path}", path))


@pytest.mark.parametrize(
    ("path", "captured"),
    [
        ("/v1//full", "full"),
        ("//full", "full"),
        ("/v1/read/../full", "full"),
        ("/v1/read/../full", "read/../full"),
        ("/v1/./full", "full"),
        ("/v1/read/..", None),
        ("/v1/read/%2e%2e/full", "full"),
        ("/v1/read//", "read"),
        ("/v1//", None),
        ("/v1/read", None),
        ("/v1", "read"),
        ("/v1/read", "full"),
        ("/v1/read/full", "full"),
        ("/v1/read/tag/Team//pumps", "read/tag/Team/pumps"),
        ("/v1/read/tag/Team/", "read/tag/Team"),
        ("/v1\\full", None),
        ("/v1/read ", "read"),
        ("/v1/re%61d", "read"),
    ],
)
def test_what_iam_and_the_router_may_read_differently_is_refused(path: str, captured: str | None) -> None:
    with pytest.raises(NotAllowedError):
        way_in_of(event(path, captured))


@given(st.text(alphabet="readoptfulnmg/._-%2e AZ09*\\\n", max_size=40))
def test_no_path_reaches_more_than_iam_saw(captured: str) -> None:
    """Whatever is captured, a way in that comes of it is what stands in the path, part by part."""
    try:
        found = way_in_of(event(f"/v1/{captured}", captured))
    except NotAllowedError:
        return
    if captured.strip("/"):
        assert found.path == captured.removesuffix("/")
        assert found.level.name.lower() == captured.split("/", maxsplit=1)[0]
    else:
        assert found == EVERYTHING


@given(
    st.from_regex(r"\A(read|operate|full)(/name/[a_-]{0,2})?(/tag/[a.]{0,2}/[A9]{0,2})?(/[a/]{0,2})?\Z")
    | st.text(alphabet="readful/nmtg\n", max_size=12)
)
def test_the_command_line_knows_the_same_ways_in(path: str) -> None:
    """It has a copy of the grammar, so that nobody configures what the service refuses."""
    assume(path == path.strip("/") != "")

    def accepted(look: Callable[[], object]) -> bool:
        try:
            look()
        except (CliError, NotAllowedError):
            return False
        return True

    known = accepted(lambda: way_in_of(event(f"/v1/{path}", path)))
    assert accepted(lambda: way_in_path(path)) == known


@given(
    st.from_regex(re.compile(r"[A-Za-z0-9_-]{1,12}", re.ASCII), fullmatch=True),
    st.from_regex(re.compile(r"[A-Za-z0-9_-]{0,12}", re.ASCII), fullmatch=True),
)
def test_a_prefix_ends_where_a_word_ends(prefix: str, rest: str) -> None:
    held = WayIn(level=Level.READ, name=prefix).has_name(prefix + rest)
    assert held == (not rest or prefix[-1] in "-_" or rest[0] in "-_")


@pytest.mark.parametrize(
    ("prefix", "name", "held"),
    [
        ("pump1", "pump1", True),
        ("pump1", "pump1-wear", True),
        ("pump1", "pump1_wear", True),
        ("pump1", "pump10", False),
        ("pump1", "Pump1", False),
        ("pump1", "my-pump1", False),
        ("pump1", "pump", False),
        ("pump-", "pump-1", True),
        ("pump-", "pump", False),
    ],
)
def test_names(prefix: str, name: str, *, held: bool) -> None:
    assert WayIn(level=Level.READ, name=prefix).has_name(name) is held
