"""The parts of an asset: each exists already, or is made of what is said of the asset and of the part."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[_Kind]):
    """One part of an asset: `existing`, or one to make with `props`."""

    existing: _Kind | None
    props: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        name: str,
        given: _Kind | Mapping[str, Any] | None,
        *,
        common: Mapping[str, Any],
        own: Mapping[str, Any],
        unused: Mapping[str, object],
    ) -> Self:
        """Return a part by the prop of the asset that is about it.

        Args:
            name: name of the prop.
            given: its value: a part that exists already, or more props of the one to make.
            common: what the asset says of several parts; `given` overrides it.
            own: what the asset says of this part only; what is None is not said.
            unused: props of the asset that have no effect when the part exists already.

        Raises:
            ValueError: when the part exists already and a prop is unused, or a prop is given twice.
        """
        said = {key: value for key, value in own.items() if value is not None}
        if given is not None and not isinstance(given, Mapping):
            idle = [key for key, value in unused.items() if value is not None]
            if idle:
                raise ValueError(
                    f'"{idle[0]}" has no effect on a "{name}" that exists already: leave one of them out'
                )
            return cls(existing=given, props={})
        more = given or {}
        twice = [key for key in more if key in said]
        if twice:
            raise ValueError(
                f'"{twice[0]}" is given twice, to the asset and in "{name}": leave it out of one of them'
            )
        return cls(existing=None, props={**common, **said, **more})
