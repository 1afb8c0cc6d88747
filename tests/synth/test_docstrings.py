"""Docstrings of the public names: their examples run, and every argument is described."""

import doctest
import enum
import importlib
import inspect
import re
from pathlib import Path

import pytest

import constructs_l4e

PACKAGE = Path(constructs_l4e.__file__).parent
MODULES = [path.stem for path in sorted(PACKAGE.glob("[a-z]*.py"))]
CLASSES = [getattr(constructs_l4e, name) for name in constructs_l4e.__all__]
CONSTRUCTED = [
    each
    for each in CLASSES
    if "__init__" in vars(each)
    and not (issubclass(each, enum.Enum) or inspect.isabstract(each) or getattr(each, "_is_protocol", False))
]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module: str) -> None:
    assert doctest.testmod(importlib.import_module(f"constructs_l4e.{module}")).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    assert sum(bool(found.examples) for each in CLASSES for found in finder.find(each)) > 5


@pytest.mark.parametrize("kind", CONSTRUCTED, ids=lambda kind: kind.__name__)
def test_every_prop_is_described(kind: type) -> None:
    _, _, arguments = inspect.cleandoc(kind.__doc__ or "").partition("\nArgs:\n")
    described = re.findall(r"^    (\w+): ", arguments.partition("\n\n")[0], re.MULTILINE)

    assert ["self", *described] == list(inspect.signature(kind.__init__).parameters)
