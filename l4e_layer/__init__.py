"""The Lambda layer with numpy and pyarrow, made of their wheels: locked, trimmed, kept in a cache.

It imports nothing but the standard library, so that the constructs and the command line can both use it.
"""

from l4e_layer.archive import LayerError, cache_file, layer_file
from l4e_layer.contents import (
    DEPLOYED,
    EMPTY_LAYER,
    LOCK,
    PYTHON,
    Machine,
    layer_key,
    locked_versions,
)

__all__ = [
    "DEPLOYED",
    "EMPTY_LAYER",
    "LOCK",
    "PYTHON",
    "LayerError",
    "Machine",
    "cache_file",
    "layer_file",
    "layer_key",
    "locked_versions",
]
