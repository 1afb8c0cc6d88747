"""Where the results of an inference execution are written. Pure."""

from service.clock import iso_seconds


def results_key(prefix: str, start: float) -> str:
    """Return the key of the results of a window below the prefix that was asked for.

    Args:
        prefix: `Prefix` of the `DataOutputConfiguration`.
        start: start of the window, in epoch seconds.
    """
    return f"{prefix}{iso_seconds(start)}/results.jsonl"
