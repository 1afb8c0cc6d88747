"""Mistakes that people make when they give a place in S3 as `Bucket` and `Prefix`. Pure."""

_SCHEME = "s3://"


def bucket_mistake(bucket: str) -> str | None:
    """Return what is wrong with a `Bucket` and what to give instead, None when nothing looks wrong."""
    name, _, key = bucket.removeprefix(_SCHEME).partition("/")
    if not bucket.startswith(_SCHEME) and not key:
        return None
    rest = f", and '{key.rstrip('/')}/' as Prefix" if key else ""
    return f"a bucket is given by its name alone: give '{name}' as Bucket{rest}"


def prefix_mistake(prefix: str, *, bucket: str | None = None) -> str | None:
    """Return what is wrong with a `Prefix` and what to give instead, None when nothing looks wrong.

    Args:
        prefix: the prefix.
        bucket: the bucket it belongs to, if that is known.
    """
    if prefix.startswith(_SCHEME):
        name, _, key = prefix.removeprefix(_SCHEME).partition("/")
        return f"it is a whole location: give '{name}' as Bucket and '{_as_folder(key)}' as Prefix"
    if bucket is not None and prefix.startswith(f"{bucket}/"):
        key = prefix.removeprefix(f"{bucket}/")
        return f"it begins with the name of the bucket: give '{_as_folder(key)}'"
    if prefix.startswith("/"):
        return f"keys in S3 do not begin with '/': give '{_as_folder(prefix.lstrip('/'))}'"
    if prefix and not prefix.endswith("/"):
        return f"a prefix ends with '/': give '{prefix}/'"
    return None


def _as_folder(key: str) -> str:
    return f"{key.rstrip('/')}/" if key.strip("/") else ""
