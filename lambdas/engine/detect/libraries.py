"""The numeric libraries of this process, for whoever wants to know whether they are the right ones."""

from typing import TypedDict

import numpy as np
import pyarrow as pa

from engine.detect.blas import blas_name


class Libraries(TypedDict):
    """Versions of the libraries, and the BLAS that numpy multiplies with; None when it has none."""

    Numpy: str
    Pyarrow: str
    Blas: str | None


def libraries() -> Libraries:
    """Return the libraries of this process."""
    return {"Numpy": np.__version__, "Pyarrow": pa.__version__, "Blas": blas_name()}
