"""Mistakes that people make when they give a place in S3 as `Bucket` and `Prefix`. Pure."""

import re

from service.errors import ValidationError

KEY_BYTES = 1024
"""Most bytes of a key in S3, in UTF-8."""

_SHOWN = 60
_SCHEME = re.compile(r"\A(s3://|arn:[a-z-]+:s3:::)")
"""What addresses and ARNs have in front of the name of a bucket."""


def bucket_mistake(bucket: str) -> str | None:
    """Return what is wrong with a `Bucket` and what to give instead, None when nothing looks wrong."""
    name, _, key = _SCHEME.sub("", bucket).partition("/")
    if name == bucket:
        return None
    rest = f", and {_as_prefix(key)}" if key else ""
    return f"a bucket is given by its name alone: give '{name}' as Bucket{rest}"


def prefix_mistake(prefix: str, *, bucket: str | None = None) -> str | None:
    """Return what is wrong with a `Prefix` and what to give instead, None when nothing looks wrong.

    Args:
        prefix: the prefix.
        bucket: the bucket it belongs to, if that is known.
    """
    if _SCHEME.match(prefix):
        name, _, key = _SCHEME.sub("", prefix).partition("/")
        return f"it is a whole location: give '{name}' as Bucket, and {_as_prefix(key)}"
    if bucket is not None and prefix.startswith(f"{bucket}/"):
        return f"it begins with the name of the bucket: {_as_prefix(prefix.removeprefix(f'{bucket}/'))}"
    if prefix.startswith("/"):
        return f"keys in S3 do not begin with '/': {_as_prefix(prefix)}"
    if prefix and not prefix.endswith("/"):
        return f"a prefix ends with '/': give '{prefix}/' as Prefix"
    return None


def require_short_key(key: str, *, prefix: str, member: str) -> None:
    """Require that a key that is to be written is not longer than S3 allows.

    Args:
        key: the longest key below the prefix.
        prefix: the `Prefix` that was asked for.
        member: the member of the request that holds it.

    Raises:
        ValidationError: when it is.
    """
    size = len(key.encode())
    over = size - KEY_BYTES
    if over > 0:
        raise ValidationError(
            f"{member} has the Prefix '{prefix[:_SHOWN]}...', below which keys would have {size:,} bytes in "
            f"UTF-8, and S3 allows {KEY_BYTES:,}: shorten it by {over:,} byte{'s' if over > 1 else ''}"
        )


def _as_prefix(key: str) -> str:
    """Return what to give as `Prefix` for the objects below a key."""
    folder = key.strip("/")
    return f"give '{folder}/' as Prefix" if folder else "leave out Prefix"
