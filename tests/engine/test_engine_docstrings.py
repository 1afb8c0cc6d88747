"""The examples in the docstrings of the engine, and of what it knows about files, are true."""

import doctest
import importlib
import pkgutil

import pytest

import engine
import l4e_files

MODULES = [
    each.name
    for package in (engine, l4e_files)
    for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not each.ispkg
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    found = [doctest.DocTestFinder().find(importlib.import_module(name)) for name in MODULES]
    assert any(test.examples for tests in found for test in tests)
