"""Which BLAS a numpy says that it has."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from engine.detect.blas import blas_in, blas_name


def dependencies(**blas: object) -> Mapping[str, Any]:
    return {"Build Dependencies": {"blas": blas, "lapack": {"name": "lapack", "found": True}}}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (dependencies(name="scipy-openblas", found=True, version="0.3.34"), "scipy-openblas"),
        (dependencies(name="accelerate", found="True"), "accelerate"),
        (dependencies(name="auto"), None),
        (dependencies(name="openblas", found="False"), None),
        (dependencies(name="openblas", found=False), None),
        ({"Build Dependencies": {}}, None),
        ({}, None),
    ],
)
def test_is_the_one_that_was_found(config: Mapping[str, Any], name: str | None) -> None:
    assert blas_in(config) == name


def test_is_openblas_in_the_wheels_of_numpy() -> None:
    assert blas_name() == blas_in(np.show_config(mode="dicts")) == "scipy-openblas"
