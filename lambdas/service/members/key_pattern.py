"""`KeyPattern`: where the name of a component stands in the keys of the files to ingest."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from service.errors import ValidationError

DEFAULT_PATTERN = "{prefix}/{component_name}/*"
_PATTERN = re.compile(r"\{prefix\}/\{component_name\}(?P<delimiter>[/ ._-])\*")
_ALLOWED = (
    "'{prefix}/{component_name}/*' or '{prefix}/{component_name}X*' with '.', '_', '-' or a blank for X"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPattern:
    """A supported pattern.

    The component is the name of a folder when `delimiter` is `/`, else the file name up to the `delimiter`.
    """

    text: str
    delimiter: str

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Return the pattern in `text`; None stands for the default, one folder per component.

        Raises:
            ValidationError: when `text` is not a supported pattern.
        """
        text = DEFAULT_PATTERN if text is None else text
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValidationError(f"KeyPattern '{text}' is not supported: use {_ALLOWED}")
        return cls(text=text, delimiter=match["delimiter"])

    def component(self, key: str, *, prefix: str, known: Collection[str] | None) -> str | None:
        """Return the component that the file `key` belongs to, None when the key does not fit the pattern.

        Args:
            key: the key of an object in S3.
            prefix: the beginning that the keys of all files share.
            known: the components there are, of which the longest fitting name is returned; None while the
                components are still to be detected.
        """
        rest = key.removeprefix(prefix)
        if self.delimiter == "/":
            folder, slash, _ = rest.partition("/")
            return folder if slash and (known is None or folder in known) else None
        if "/" in rest:
            return None
        if known is None:
            name, found, _ = rest.partition(self.delimiter)
            return name if found else None
        fitting = (name for name in known if rest.startswith(name + self.delimiter))
        return max(fitting, key=len, default=None)

    def located(self, bucket: str, prefix: str) -> str:
        """Return the pattern as a location that a person can look up: `s3://bucket/prefix/<component>/*`."""
        name = self.text.removeprefix("{prefix}/").replace("{component_name}", "<component>")
        return f"s3://{bucket}/{prefix}{name}"


def require_key_pattern(text: str | None, *, dataset: str, has_schema: bool) -> None:
    """Require a supported pattern, and any pattern at all when the schema of the `dataset` is to be detected.

    Raises:
        ValidationError: when the pattern is missing or not supported.
    """
    if text is None and not has_schema:
        raise ValidationError(
            f"KeyPattern is missing and the dataset '{dataset}' has no schema, so the components cannot "
            f"be read from file names: give KeyPattern {_ALLOWED}"
        )
    KeyPattern.parse(text)
