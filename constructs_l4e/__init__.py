"""Infrastructure as code for equipment monitoring with Amazon Lookout for Equipment (L4E).

The names are loaded when one is first used: CDK starts a Node process, which the `l4e` command does not need.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from constructs_l4e._public import *  # noqa: F403 - its __all__ says which


def __getattr__(name: str) -> Any:
    if name.startswith("_") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from constructs_l4e import _public  # noqa: PLC0415 - see above

    return getattr(_public, name)


def __dir__() -> list[str]:
    from constructs_l4e import _public  # noqa: PLC0415 - see above

    return _public.__all__
