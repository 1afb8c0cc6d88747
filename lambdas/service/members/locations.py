"""Mistakes that people make when they give a place in S3 as `Bucket` and `Prefix`. Pure."""

import re

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


def _as_prefix(key: str) -> str:
    """Return what to give as `Prefix` for the objects below a key."""
    folder = key.strip("/")
    return f"give '{folder}/' as Prefix" if folder else "leave out Prefix"
