"""Keys of objects that nobody expects below an ingestion prefix."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.jobs.ingestion.selection import select
from service.jobs.storage.keys import IngestionKeys
from service.jobs.storage.listed_object import ListedObject, is_folder
from service.members.key_pattern import KeyPattern

ODD_KEYS = [
    "pump/",
    "pump//a.csv",
    "/a.csv",
    "../a.csv",
    "pump/../../a.csv",
    "./pump/a.csv",
    ".csv",
    "a.csv",
    "pump/.csv",
    "pump/a.csv/b.csv",
    "pu mp/a.csv",
    "pump\n/a.csv",
    "pump\0/a.csv",
    "pümp/a.csv",
    "pump/ä.CSV",
    "pump/a.csv.GZ",
    "pump/a.csv.zip",
    "%2e%2e/a.csv",
    "{component_name}/a.csv",
    "pump\\a.csv",
    "p" * 201 + "/a.csv",
    "p" * 1018 + ".csv",
    "\U0001f4c8/a.csv",
]
PARTS = st.sampled_from(
    [*"/._-{}\\ \0\n", "..", "pump", "fan", ".csv", ".csv.gz", "é", "a", "{prefix}", "%2F"]
)
KEYS = st.one_of(st.sampled_from(ODD_KEYS), st.lists(PARTS, min_size=1, max_size=9).map("".join))
COMPONENT = re.compile(r"[0-9a-zA-Z._-]{1,200}")


@settings(max_examples=300)
@given(
    st.lists(KEYS, max_size=20, unique=True),
    st.sampled_from(["", "data/", "data/%2e/"]),
    st.sampled_from([None, "{prefix}/{component_name}/*", "{prefix}/{component_name}_*"]),
    st.sampled_from([None, {"pump", "fan"}]),
    st.integers(0, 2),
)
def test_every_key_is_a_file_of_a_component_or_left_out_with_a_reason(
    keys: list[str], prefix: str, pattern: str | None, known: set[str] | None, size: int
) -> None:
    objects = [ListedObject(key=prefix + key, size=size) for key in keys]
    chosen = select(objects, prefix=prefix, pattern=KeyPattern.parse(pattern), known=known)
    told = [file.key for file in chosen.files] + [file.key for file in chosen.discarded]
    assert sorted(told) == sorted(item.key for item in objects if not is_folder(item))
    for file in chosen.files:
        assert COMPONENT.fullmatch(file.component)
        assert known is None or file.component in known
        assert file.component in file.key
        assert file.size > 0
    assert all(file.reason for file in chosen.discarded)


@pytest.mark.parametrize("key", ODD_KEYS)
def test_no_component_leaves_the_folder_of_its_job(key: str) -> None:
    """The API allows `..` as the name of a component."""
    job = IngestionKeys(dataset="d", job="j")
    chosen = select([ListedObject(key=key, size=9)], prefix="", pattern=KeyPattern.parse(None), known=None)
    for file in chosen.files:
        *folders, name = job.component(file.component).split("/")
        assert folders == job.component("pump").split("/")[:-1]
        assert name == f"{file.component}.parquet"
