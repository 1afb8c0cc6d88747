"""Which BLAS numpy multiplies matrices with: without one, a fit takes 10 to 100 times as long."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def blas_name() -> str | None:
    """Return the name of the BLAS that numpy was built with, such as `scipy-openblas`; None without one."""
    return blas_in(np.show_config(mode="dicts"))


def blas_in(config: Mapping[str, Any]) -> str | None:
    """Return the name of the BLAS in the configuration of a numpy, as `numpy.show_config` gives it.

    A numpy that found none says so by leaving `found` out; some releases wrote the text `False`.
    """
    found = config.get("Build Dependencies", {}).get("blas", {})
    return str(found.get("name")) if str(found.get("found")).lower() == "true" else None
