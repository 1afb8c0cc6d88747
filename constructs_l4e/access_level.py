"""What a way into the service allows."""

import enum


class AccessLevel(enum.StrEnum):
    """What a caller may do; each level includes those before it. The values are those of the URL."""

    READ = "read"
    """Describe and List operations."""
    OPERATE = "operate"
    """Schedulers started, stopped and updated, and labels, besides reading."""
    FULL = "full"
    """Everything."""
