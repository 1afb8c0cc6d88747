"""Sizes as messages tell them."""


def readable(size: int) -> str:
    """Return a number of bytes as people read it, such as `3.6 GB`."""
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1e3:.0f} KB"
