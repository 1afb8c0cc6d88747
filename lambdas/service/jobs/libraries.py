"""The numeric libraries that a job works with, for whoever wants to know whether they are the right ones."""

from typing import TypedDict

import numpy as np
import pyarrow as pa


class Libraries(TypedDict):
    """Versions of the libraries, and the BLAS that numpy multiplies with; None when it has none."""

    Numpy: str
    Pyarrow: str
    Blas: str | None


def libraries() -> Libraries:
    """Return the libraries of this process."""
    return {"Numpy": np.__version__, "Pyarrow": pa.__version__, "Blas": blas()}


def blas() -> str | None:
    """Return name and version of the BLAS that numpy was built with.

    Without one, numpy's own loops take ten to a hundred times as long for products of matrices.
    """
    built: dict[str, str | bool] = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built['name']} {built.get('version', '')}".rstrip() if built.get("found") else None
